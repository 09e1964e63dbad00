/*
 * linux_init: the first and only process of the Linux that we are measured beside. It makes the
 * machine what Fuselage's is when a program starts (/dev, tmpfs on /tmp), loads the kernel modules
 * that lie in /modules, runs the programs that
 * the kernel's command line names after `--`, a word with commas being one program and its
 * arguments, and switches the machine off.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS_MAX 16
/* Linux goes on with work of its own for a while after the first process has started. Idle time
 * costs nothing on a machine that counts instructions. */
#define SETTLE_SECONDS 4

/* Until `child` has ended, or for -1 until one has; false: there is none. */
static int wait_for(pid_t child)
{
	int status = 0;
	pid_t ended = waitpid(child, &status, 0);

	if (ended > 0 && status != 0)
		printf("ended with status %#x\n", status);
	fflush(stdout);
	return ended > 0;
}

static void run(char *word)
{
	char *arguments[ARGUMENTS_MAX + 1] = {NULL};
	size_t length = strlen(word);
	int goes_on = length && word[length - 1] == '&';
	unsigned count = 0;
	pid_t child;

	if (goes_on)
		word[length - 1] = '\0';
	for (char *part = strtok(word, ","); part && count < ARGUMENTS_MAX;
	     part = strtok(NULL, ","))
		arguments[count++] = part;
	if (!count)
		return;
	child = fork();
	if (child == 0) {
		execv(arguments[0], arguments);
		fprintf(stderr, "%s: %s\n", arguments[0], strerror(errno));
		_exit(127);
	}
	if (child < 0)
		printf("%s: fork: %s\n", arguments[0], strerror(errno));
	else if (!goes_on)
		wait_for(child);
}

static void make_mount(const char *type, const char *at)
{
	if (mount(type, at, type, 0, NULL) != 0)
		fprintf(stderr, "mount %s: %s\n", at, strerror(errno));
}

/* What Debian's kernel has as modules only. */
static void load_modules(void)
{
	DIR *folder = opendir("/modules");
	const struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		int module = openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC);

		if (entry->d_name[0] != '.' && syscall(SYS_finit_module, module, "", 0) != 0)
			fprintf(stderr, "%s: %s\n", entry->d_name, strerror(errno));
		close(module);
	}
	if (folder)
		closedir(folder);
}

int main(int argc, char **argv)
{
	struct timespec settle = {.tv_sec = SETTLE_SECONDS};

	make_mount("devtmpfs", "/dev");
	make_mount("proc", "/proc");
	make_mount("tmpfs", "/tmp");
	load_modules();
	nanosleep(&settle, NULL);
	for (int i = 1; i < argc; i++)
		run(argv[i]);
	while (wait_for(-1))
		;
	sync();
	reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT);
	return 1;
}
