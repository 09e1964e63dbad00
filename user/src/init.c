/*
 * init: the first process. Mounts what /etc/fstab names, runs what /etc/inittab says and keeps it
 * running, takes over orphans, and ends all programs in order when it is asked to.
 *
 *	SIGUSR2 power off   SIGTERM reboot   SIGUSR1 halt   SIGINT (Ctrl-Alt-Del) what inittab says
 *	SIGHUP  reads /etc/inittab anew
 *
 * Signals are blocked but where main() waits, and only leave a mark; everything happens in its
 *loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/program.h"

static const char help[] =
	"usage: init, as the first process\n"
	"Each line of /etc/inittab is TTY:LEVELS:ACTION:COMMAND; LEVELS mean nothing. ACTION:\n"
	"  sysinit     before all else, and its end is waited for\n"
	"  wait, once  after that, and its end is waited for or not\n"
	"  respawn     again and again\n"
	"  ctrlaltdel  when these keys are pressed\n"
	"  shutdown    before programs are ended\n";

#define INITTAB       "/etc/inittab"
#define SERVICES_MAX  64
#define COMMAND_BYTES 192
#define GRACE_S       3 /* between SIGTERM and SIGKILL */
#define RESPAWN_S     2 /* a service that ends sooner waits so long */
#define MOUNTS_MAX    64

enum action { SYSINIT, WAIT, ONCE, RESPAWN, CTRLALTDEL, SHUTDOWN, NACTIONS };

static const char *const action_names[NACTIONS] = {"sysinit", "wait",       "once",
						   "respawn", "ctrlaltdel", "shutdown"};

struct service {
	enum action action;
	char tty[24]; /* below /dev; "": init's own streams */
	char command[COMMAND_BYTES];
	pid_t pid;      /* 0: it does not run */
	time_t started; /* of the clock that only goes on */
	bool listed;    /* in the file as it was read last */
};

static struct service services[SERVICES_MAX];
static size_t nservices;
static volatile sig_atomic_t asked; /* a signal of those above, or 0 */

static void remember(int signal)
{
	if (signal != SIGCHLD)
		asked = signal;
}

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	va_list arguments;
	FILE *log = fopen("/dev/kmsg", "we");

	va_start(arguments, format);
	if (log) {
		fprintf(log, "init: ");
		vfprintf(log, format, arguments);
		fclose(log);
	}
	va_end(arguments);
}

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* ---- /etc/inittab ---- */

/* The next field, up to a colon, which is cut off; NULL: there is none. */
static char *next_field(char **line)
{
	return strsep(line, ":");
}

static bool parse_action(const char *text, enum action *out)
{
	for (size_t i = 0; i < NACTIONS; i++) {
		if (strcmp(text, action_names[i]) == 0) {
			*out = (enum action)i;
			return true;
		}
	}
	return false;
}

static struct service *find_service(const struct service *like)
{
	for (size_t i = 0; i < nservices; i++) {
		struct service *service = &services[i];

		if (service->action == like->action && !strcmp(service->tty, like->tty) &&
		    !strcmp(service->command, like->command))
			return service;
	}
	return NULL;
}

static void add_service(const struct service *wanted)
{
	struct service *service = find_service(wanted);

	if (!service && nservices == SERVICES_MAX) {
		say(INITTAB ": more than %d lines, '%s' is left out", SERVICES_MAX,
		    wanted->command);
		return;
	}
	if (!service) {
		service = &services[nservices++];
		*service = *wanted;
	}
	service->listed = true;
}

/* A terminal that this machine has not gets no service. */
static bool has_terminal(const char *tty)
{
	char path[40];

	snprintf(path, sizeof(path), "/dev/%s", tty);
	return !tty[0] || access(path, F_OK) == 0;
}

static void parse_line(char *line, unsigned number)
{
	struct service service = {0};
	char *tty, *levels, *action;

	line[strcspn(line, "\n")] = '\0';
	if (!line[0] || line[0] == '#')
		return;
	tty = next_field(&line);
	levels = next_field(&line);
	action = next_field(&line);
	if (!levels || !action || !line || !line[0] || !parse_action(action, &service.action) ||
	    strlen(tty) >= sizeof(service.tty) || strlen(line) >= sizeof(service.command)) {
		say(INITTAB ":%u: not TTY:LEVELS:ACTION:COMMAND, or too long", number);
		return;
	}
	strcpy(service.tty, tty);
	strcpy(service.command, line);
	if (has_terminal(tty))
		add_service(&service);
}

static void use_defaults(void)
{
	char lines[][64] = {"ttyS0::respawn:/bin/getty ttyS0", "tty1::respawn:/bin/getty tty1"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		parse_line(lines[i], 0);
}

static void read_inittab(void)
{
	FILE *file = fopen(INITTAB, "re");
	char *line = NULL;
	size_t room = 0;

	for (size_t i = 0; i < nservices; i++)
		services[i].listed = false;
	if (!file) {
		say(INITTAB ": %s; there is a login on the first terminals", strerror(errno));
		use_defaults();
		return;
	}
	for (unsigned number = 1; getline(&line, &room, file) > 0; number++)
		parse_line(line, number);
	free(line);
	fclose(file);
}

/* ---- running them ---- */

static void be_default(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void start(struct service *service)
{
	service->started = now();
	service->pid = fork();
	if (service->pid < 0) {
		say("%s: %s", service->command, strerror(errno));
		service->pid = 0;
	}
	if (service->pid)
		return;
	char script[COMMAND_BYTES + 8];

	be_default();
	setsid();
	/* A shell that is only in the way is replaced by the command. */
	snprintf(script, sizeof(script), "%s%s",
		 strpbrk(service->command, "~`!$^&*()=|\\{}[];\"'<>?\n") ? "" : "exec ",
		 service->command);
	execl("/bin/sh", "sh", "-c", script, (char *)NULL);
	/* Without a shell: words that are nothing but words. */
	char *words[16];
	size_t nwords = 0;

	for (char *word = strtok(service->command, " "); word && nwords < 15;
	     word = strtok(NULL, " "))
		words[nwords++] = word;
	words[nwords] = NULL;
	if (nwords)
		execvp(words[0], words);
	say("%s: %s", service->command, strerror(errno));
	_exit(127);
}

/* One child that has ended; false: none has, or there is none. */
static bool reap(int flags)
{
	pid_t pid = waitpid(-1, NULL, flags);

	if (pid <= 0)
		return false;
	for (size_t i = 0; i < nservices; i++) {
		if (services[i].pid == pid)
			services[i].pid = 0;
	}
	return true;
}

static void run_all(enum action action, bool wait)
{
	for (size_t i = 0; i < nservices; i++) {
		struct service *service = &services[i];

		if (service->action != action || !service->listed)
			continue;
		start(service);
		while (wait && service->pid && reap(0))
			;
	}
}

/* Starts what shall run and does not. Returns in how many seconds to come back; 0: never. */
static unsigned respawn(void)
{
	unsigned again = 0;

	for (size_t i = 0; i < nservices; i++) {
		struct service *service = &services[i];

		if (service->action != RESPAWN || !service->listed || service->pid)
			continue;
		if (service->started && now() - service->started < RESPAWN_S)
			again = RESPAWN_S;
		else
			start(service);
	}
	return again;
}

static void end_unlisted(void)
{
	for (size_t i = 0; i < nservices; i++) {
		if (!services[i].listed && services[i].pid)
			kill(-services[i].pid, SIGHUP);
	}
}

/* ---- filesystems ---- */

static const struct {
	const char *name;
	unsigned long flag;
} mount_flags[] = {
	{"ro", MS_RDONLY},
	{"rw", 0},
	{"defaults", 0},
	{"nosuid", MS_NOSUID},
	{"nodev", MS_NODEV},
	{"noexec", MS_NOEXEC},
	{"noatime", MS_NOATIME},
	{"sync", MS_SYNCHRONOUS},
	{"auto", 0},
};

/* The kernel's words out of `options`; the filesystem's stay in `rest`. */
static unsigned long sort_options(char *options, char *rest, size_t rest_bytes)
{
	unsigned long flags = 0;
	size_t used = 0;

	rest[0] = '\0';
	for (char *word = strtok(options, ","); word; word = strtok(NULL, ",")) {
		bool known = false;

		for (size_t i = 0; i < sizeof(mount_flags) / sizeof(mount_flags[0]); i++) {
			if (strcmp(word, mount_flags[i].name) == 0) {
				flags |= mount_flags[i].flag;
				known = true;
			}
		}
		if (!known && used < rest_bytes)
			used += (size_t)snprintf(rest + used, rest_bytes - used, "%s%s",
						 used ? "," : "", word);
	}
	return flags;
}

static bool is_mounted(const char *directory)
{
	FILE *mounts = setmntent("/proc/mounts", "re");
	const struct mntent *entry;
	bool found = false;

	while (mounts && (entry = getmntent(mounts)))
		found = found || strcmp(entry->mnt_dir, directory) == 0;
	if (mounts)
		endmntent(mounts);
	return found;
}

static void mount_entry(const struct mntent *entry)
{
	char options[256], rest[256];
	unsigned long flags;

	if (hasmntopt(entry, "noauto") || strcmp(entry->mnt_type, "swap") == 0 ||
	    is_mounted(entry->mnt_dir))
		return;
	snprintf(options, sizeof(options), "%s", entry->mnt_opts);
	flags = sort_options(options, rest, sizeof(rest));
	(void)mkdir(entry->mnt_dir, 0755);
	if (mount(entry->mnt_fsname, entry->mnt_dir, entry->mnt_type, flags, rest))
		say("%s (%s): %s", entry->mnt_dir, entry->mnt_type, strerror(errno));
}

static void mount_all(void)
{
	FILE *table = setmntent("/etc/fstab", "re");
	const struct mntent *entry;

	while (table && (entry = getmntent(table)))
		mount_entry(entry);
	if (table)
		endmntent(table);
}

/* What was there before us stays: ksh goes on to use it. */
static char kept_mounts[MOUNTS_MAX][128];
static size_t nkept;

static void remember_mounts(void)
{
	FILE *mounts = setmntent("/proc/mounts", "re");
	const struct mntent *entry;

	while (mounts && nkept < MOUNTS_MAX && (entry = getmntent(mounts)))
		snprintf(kept_mounts[nkept++], sizeof(kept_mounts[0]), "%s", entry->mnt_dir);
	if (mounts)
		endmntent(mounts);
}

static bool is_kept(const char *directory)
{
	for (size_t i = 0; i < nkept; i++) {
		if (strcmp(kept_mounts[i], directory) == 0)
			return true;
	}
	return false;
}

/* The newest first. True: one was taken away, so look again. */
static bool unmount_last(void)
{
	FILE *mounts = setmntent("/proc/mounts", "re");
	const struct mntent *entry;
	char last[256] = "";

	while (mounts && (entry = getmntent(mounts))) {
		if (!is_kept(entry->mnt_dir))
			snprintf(last, sizeof(last), "%s", entry->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	if (!last[0])
		return false;
	if (umount2(last, 0) == 0)
		return true;
	say("%s: %s, it is let go", last, strerror(errno));
	return umount2(last, MNT_DETACH) == 0;
}

/* ---- the end ---- */

/* All children have gone before the time is over. */
static bool wait_for_all(time_t deadline)
{
	const struct timespec moment = {.tv_nsec = 20000000};

	while (now() < deadline) {
		while (reap(WNOHANG))
			;
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return true;
		nanosleep(&moment, NULL);
	}
	return false;
}

static void __attribute__((noreturn)) shut_down(int command, const char *what)
{
	say("%s: ending all programs", what);
	printf("\nThe system is going down (%s).\n", what);
	fflush(stdout);
	run_all(SHUTDOWN, true);
	kill(-1, SIGHUP); /* shells with somebody in front of them do not hear of the next one */
	kill(-1, SIGTERM);
	kill(-1, SIGCONT);
	if (!wait_for_all(now() + GRACE_S)) {
		kill(-1, SIGKILL);
		(void)wait_for_all(now() + GRACE_S);
	}
	sync();
	while (unmount_last())
		;
	reboot(command);
	say("%s: %s", what, strerror(errno));
	_exit(1);
}

static void do_as_asked(int signal)
{
	bool said = false;

	switch (signal) {
	case SIGUSR2:
		shut_down(RB_POWER_OFF, "power off");
	case SIGTERM:
		shut_down(RB_AUTOBOOT, "reboot");
	case SIGUSR1:
		shut_down(RB_HALT_SYSTEM, "halt");
	case SIGINT:
		for (size_t i = 0; i < nservices; i++)
			said = said || (services[i].listed && services[i].action == CTRLALTDEL);
		if (!said)
			shut_down(RB_AUTOBOOT, "Ctrl-Alt-Del");
		run_all(CTRLALTDEL, false);
		break;
	case SIGHUP:
		read_inittab();
		end_unlisted();
		break;
	default:
		break;
	}
}

static void prepare(sigset_t *outside)
{
	static const int heard[] = {SIGCHLD, SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP, SIGALRM};
	struct sigaction action = {.sa_handler = remember};
	sigset_t all;

	/* All blocked but where it waits: a mark that is set is always seen. */
	sigfillset(&all);
	action.sa_mask = all; /* one a wait: the next stays pending */
	sigprocmask(SIG_BLOCK, &all, outside);
	sigemptyset(outside);
	for (size_t i = 0; i < sizeof(heard) / sizeof(heard[0]); i++)
		sigaction(heard[i], &action, NULL);
	setsid();
	reboot(RB_DISABLE_CAD);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	umask(022);
	(void)!chdir("/");
}

int main(int argc, char **argv)
{
	sigset_t outside;

	program_start("init", help, argc, argv);
	if (getpid() != 1) {
		complain("this is the first process's: `init' in ksh starts it");
		return 1;
	}
	prepare(&outside);
	remember_mounts();
	mount_all();
	read_inittab();
	run_all(SYSINIT, true);
	run_all(WAIT, true);
	run_all(ONCE, false);
	for (;;) {
		int signal;

		while (reap(WNOHANG))
			;
		signal = asked;
		asked = 0;
		if (signal)
			do_as_asked(signal);
		alarm(respawn());
		if (!asked)
			sigsuspend(&outside);
	}
}
