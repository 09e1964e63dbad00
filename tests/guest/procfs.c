/*
 * /proc: what it says of the program itself is compared with what the system calls say.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"

static char **arguments;

/* The whole of a small file, with a NUL behind it; -1: errno says why not. */
static ssize_t slurp(const char *name, char *to, size_t room)
{
	int fd = open(name, O_RDONLY);
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -1;
	while (len < room - 1 && (n = read(fd, to + len, room - 1 - len)) > 0)
		len += (size_t)n;
	to[len] = 0;
	close(fd);
	return n < 0 ? -1 : (ssize_t)len;
}

/* What stands behind `key` in a file of "key:\tvalue" lines; NULL: it has no such line. */
static const char *value_of(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (; text && *text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL) {
		if (strncmp(text, key, len) == 0 && text[len] == ':')
			return text + len + 1 + strspn(text + len + 1, " \t");
	}
	return NULL;
}

static ssize_t link_text(const char *name, char *to, size_t room)
{
	ssize_t len = readlink(name, to, room - 1);

	to[len < 0 ? 0 : len] = 0;
	return len;
}

static void self_and_thread_self_are_links(void)
{
	char text[64], wanted[64];

	EXPECT(link_text("/proc/self", text, sizeof(text)) > 0);
	EXPECT_EQUAL(atoi(text), getpid());
	snprintf(wanted, sizeof(wanted), "%d/task/%d", getpid(), getpid());
	EXPECT(link_text("/proc/thread-self", text, sizeof(text)) > 0);
	EXPECT(strcmp(text, wanted) == 0);
	EXPECT_ERRNO(ENOENT, open("/proc/0", O_RDONLY));
	EXPECT_ERRNO(ENOENT, open("/proc/00001", O_RDONLY));
	EXPECT_ERRNO(ENOENT, open("/proc/self/nothing", O_RDONLY));
	EXPECT_ERRNO(ENOTDIR, open("/proc/self/stat/x", O_RDONLY));
}

static void stat_has_fifty_two_fields(void)
{
	char text[2048], state;
	int pid, parent, group, session, fields = 3, nthreads, priority, nice_value;
	unsigned long size, pages;
	char *rest;

	EXPECT(slurp("/proc/self/stat", text, sizeof(text)) > 0);
	EXPECT_EQUAL(
		sscanf(text, "%d (procfs) %c %d %d %d", &pid, &state, &parent, &group, &session),
		5);
	EXPECT(pid == getpid() && state == 'R' && parent == getppid());
	EXPECT(group == getpgrp() && session == getsid(0));
	rest = strrchr(text, ')') + 2;
	for (char *space = rest; (space = strchr(space, ' ')); space++)
		fields++;
	EXPECT_EQUAL(fields, 52);
	EXPECT_EQUAL(sscanf(rest,
			    "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
			    "%d %d %d %*d %*u %lu %lu",
			    &priority, &nice_value, &nthreads, &size, &pages),
		     5);
	EXPECT(priority == 20 + nice_value && nthreads == 1);
	EXPECT(size > 10 * 4096 && pages < size / 4096 + 64); /* Linux counts pages roughly */
}

static void status_says_who_it_is(void)
{
	char text[8192];
	unsigned ids[4];

	signal(SIGUSR2, SIG_IGN);
	EXPECT(slurp("/proc/self/status", text, sizeof(text)) > 0);
	signal(SIGUSR2, SIG_DFL);
	EXPECT(value_of(text, "Name") && strncmp(value_of(text, "Name"), "procfs\n", 7) == 0);
	EXPECT(strncmp(value_of(text, "State"), "R (running)\n", 12) == 0);
	EXPECT_EQUAL(atoi(value_of(text, "Pid")), getpid());
	EXPECT_EQUAL(atoi(value_of(text, "Tgid")), getpid());
	EXPECT_EQUAL(atoi(value_of(text, "PPid")), getppid());
	EXPECT_EQUAL(atoi(value_of(text, "Threads")), 1);
	EXPECT_EQUAL(sscanf(value_of(text, "Uid"), "%u %u %u %u", ids, ids + 1, ids + 2, ids + 3),
		     4);
	EXPECT(ids[0] == getuid() && ids[1] == geteuid() && ids[3] == geteuid());
	EXPECT(strtoull(value_of(text, "SigIgn"), NULL, 16) >> (SIGUSR2 - 1) & 1);
	EXPECT(atoi(value_of(text, "VmRSS")) > 0);
	EXPECT(atoi(value_of(text, "VmSize")) >= atoi(value_of(text, "VmRSS")));
}

static void what_exec_was_given_is_there(void)
{
	char text[65536];
	unsigned long auxiliary[128];
	ssize_t len = slurp("/proc/self/cmdline", text, sizeof(text));
	char *at = text;
	bool has_page_size = false;

	for (char **argument = arguments; *argument; argument++) {
		EXPECT(at < text + len && strcmp(at, *argument) == 0);
		at += strlen(at) + 1;
	}
	EXPECT_EQUAL(at - text, len);
	EXPECT(slurp("/proc/self/environ", text, sizeof(text)) >= 0);
	len = slurp("/proc/self/auxv", (char *)auxiliary, sizeof(auxiliary));
	EXPECT(len > 0 && len % 16 == 0);
	for (int i = 0; i + 1 < len / 8; i += 2)
		has_page_size |=
			auxiliary[i] == AT_PAGESZ && auxiliary[i + 1] == getauxval(AT_PAGESZ);
	EXPECT(has_page_size);
	EXPECT(slurp("/proc/self/comm", text, sizeof(text)) > 0 && strcmp(text, "procfs\n") == 0);
}

static void a_file_that_is_read_again_from_its_beginning_is_new(void)
{
	char text[64];
	int fd = open("/proc/self/comm", O_RDONLY);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(read(fd, text, 3), 3);
	EXPECT_EQUAL(prctl(PR_SET_NAME, "another"), 0);
	EXPECT_EQUAL(read(fd, text + 3, 20), 4); /* the rest of what was begun */
	EXPECT(memcmp(text, "procfs\n", 7) == 0);
	EXPECT_EQUAL(pread(fd, text, 20, 0), 8);
	EXPECT_EQUAL(prctl(PR_SET_NAME, "procfs"), 0);
	EXPECT(memcmp(text, "another\n", 8) == 0);
	close(fd);
}

static void names_cannot_forge_lines(void)
{
	static char text[65536];
	char name[] = "/tmp/a\nb XXXXXX";
	int fd = mkstemp(name);
	void *page;

	EXPECT_EQUAL(prctl(PR_SET_NAME, "two w\n\\"), 0);
	EXPECT(slurp("/proc/self/status", text, sizeof(text)) > 0);
	EXPECT(strncmp(text, "Name:\ttwo w\\n\\\\\n", 16) == 0);
	EXPECT_EQUAL(prctl(PR_SET_NAME, "procfs"), 0);

	EXPECT(fd >= 0 && ftruncate(fd, 4096) == 0);
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	EXPECT(page != MAP_FAILED);
	EXPECT(slurp("/proc/self/maps", text, sizeof(text)) > 0);
	EXPECT(strstr(text, " /tmp/a\\012b "));
	EXPECT(!munmap(page, 4096) && !unlink(name) && !close(fd));
}

static void exe_cwd_and_root_lead_there(void)
{
	char text[4096], here[4096];
	struct stat by_link, by_name;

	EXPECT(link_text("/proc/self/exe", text, sizeof(text)) > 0);
	EXPECT_EQUAL(stat("/proc/self/exe", &by_link), 0);
	EXPECT_EQUAL(stat(text, &by_name), 0);
	EXPECT(by_link.st_ino == by_name.st_ino && by_link.st_dev == by_name.st_dev);
	EXPECT(link_text("/proc/self/cwd", text, sizeof(text)) > 0);
	EXPECT(strcmp(text, getcwd(here, sizeof(here))) == 0);
	EXPECT_EQUAL(stat("/proc/self/cwd/.", &by_link), 0);
	EXPECT_EQUAL(stat(".", &by_name), 0);
	EXPECT(by_link.st_ino == by_name.st_ino);
	EXPECT(link_text("/proc/self/root", text, sizeof(text)) == 1 && text[0] == '/');
	EXPECT_EQUAL(access("/proc/self/root/tmp", F_OK), 0);
}

static void a_pipe_opens_again_by_its_descriptor(void)
{
	char name[64], text[64], found[8] = "";
	struct stat by_link, by_fd;
	int ends[2], again;

	EXPECT_EQUAL(pipe(ends), 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[0]);
	EXPECT(link_text(name, text, sizeof(text)) > 0 && strncmp(text, "pipe:[", 6) == 0);
	EXPECT_EQUAL(lstat(name, &by_link), 0);
	EXPECT_EQUAL(by_link.st_mode, S_IFLNK | 0500);
	EXPECT_EQUAL(stat(name, &by_link), 0);
	EXPECT_EQUAL(fstat(ends[0], &by_fd), 0);
	EXPECT(S_ISFIFO(by_link.st_mode) && by_link.st_ino == by_fd.st_ino);
	/* As a shell's > does it, and for the other direction than the descriptor's. */
	again = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	EXPECT(again >= 0);
	close(ends[1]);
	EXPECT_EQUAL(write(again, "abc", 3), 3);
	EXPECT_EQUAL(read(ends[0], found, sizeof(found)), 3);
	EXPECT(strcmp(found, "abc") == 0);
	close(again);
	EXPECT_EQUAL(read(ends[0], found, sizeof(found)), 0);
	EXPECT_ERRNO(ENOTDIR, open(strcat(name, "/"), O_RDONLY));
	name[strlen(name) - 1] = 0;
	close(ends[0]);
	EXPECT_ERRNO(ENOENT, open(name, O_RDONLY));
	EXPECT_ERRNO(ENOENT, readlink(name, text, sizeof(text)));
}

static void a_file_opens_again_even_without_a_name(void)
{
	char file[] = "/tmp/procfs-XXXXXX", name[64], text[64], found[8] = "";
	int fd = mkstemp(file), again;

	EXPECT(fd >= 0 && write(fd, "text", 4) == 4);
	snprintf(name, sizeof(name), "/dev/fd/%d", fd);
	EXPECT(link_text(name, text, sizeof(text)) > 0 && strcmp(text, file) == 0);
	EXPECT_EQUAL(unlink(file), 0);
	EXPECT(link_text(name, text, sizeof(text)) > 0 && strstr(text, " (deleted)"));
	again = open(name, O_RDONLY);
	EXPECT(again >= 0);
	EXPECT_EQUAL(read(again, found, sizeof(found)), 4); /* a position of its own */
	EXPECT(strcmp(found, "text") == 0);
	close(again);
	close(fd);
}

static void fdinfo_tells_position_and_flags(void)
{
	char name[64], text[512];
	int fd = open(arguments[0], O_RDONLY | O_CLOEXEC);

	EXPECT(fd >= 0 && lseek(fd, 123, SEEK_SET) == 123);
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	EXPECT(slurp(name, text, sizeof(text)) > 0);
	EXPECT_EQUAL(atoi(value_of(text, "pos")), 123);
	EXPECT(strtoul(value_of(text, "flags"), NULL, 8) & O_CLOEXEC);
	close(fd);
}

static void fd_lists_the_open_ones(void)
{
	DIR *directory = opendir("/proc/self/fd");
	bool has_own = false, has_closed = false;
	int other = dup(1);
	struct dirent *entry;

	EXPECT(directory && other >= 0);
	close(other);
	while ((entry = readdir(directory))) {
		has_own |= atoi(entry->d_name) == dirfd(directory) && isdigit(entry->d_name[0]);
		has_closed |= isdigit(entry->d_name[0]) && atoi(entry->d_name) == other;
	}
	closedir(directory);
	EXPECT(has_own && !has_closed);
}

static void maps_have_code_stack_and_file(void)
{
	static char text[65536];
	bool has_code = false, has_stack = false;
	char exe[4096];

	EXPECT(link_text("/proc/self/exe", exe, sizeof(exe)) > 0);
	EXPECT(slurp("/proc/self/maps", text, sizeof(text)) > 0);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		unsigned long start, end;
		char rights[5] = "";
		char name[4096] = "";

		EXPECT(sscanf(line, "%lx-%lx %4s %*x %*x:%*x %*u %4095[^\n]", &start, &end, rights,
			      name) >= 3);
		EXPECT(start < end);
		if ((unsigned long)maps_have_code_stack_and_file - start < end - start)
			has_code = strcmp(rights, "r-xp") == 0 && strcmp(name, exe) == 0;
		if ((unsigned long)&start - start < end - start)
			has_stack = strcmp(rights, "rw-p") == 0 && strcmp(name, "[stack]") == 0;
	}
	EXPECT(has_code);
	EXPECT(has_stack);
}

static void limits_are_those_of_getrlimit(void)
{
	const struct rlimit wanted = {100, 200};
	struct rlimit before;
	char text[4096];
	unsigned long soft, hard;
	int done;

	EXPECT_EQUAL(getrlimit(RLIMIT_NOFILE, &before), 0);
	EXPECT_EQUAL(setrlimit(RLIMIT_NOFILE, &(struct rlimit){100, before.rlim_max}), 0);
	done = slurp("/proc/self/limits", text, sizeof(text)) > 0;
	setrlimit(RLIMIT_NOFILE, &before);
	EXPECT(done && strstr(text, "Max open files"));
	EXPECT_EQUAL(sscanf(strstr(text, "Max open files") + 14, "%lu %lu files", &soft, &hard), 2);
	EXPECT(soft == wanted.rlim_cur && hard == before.rlim_max);
	EXPECT(strncmp(text,
		       "Limit                     Soft Limit           Hard Limit           "
		       "Units     \n",
		       79) == 0);
}

static int started[2];

static void *named_thread(void *told)
{
	prctl(PR_SET_NAME, "worker");
	*(int *)told = (int)syscall(SYS_gettid);
	if (write(started[1], "", 1) != 1)
		return NULL;
	for (;;)
		pause();
	return NULL;
}

static void task_lists_the_threads(void)
{
	char name[64], text[64], byte;
	int tid = 0, count = 0;
	struct dirent *entry;
	pthread_t thread;
	DIR *directory;

	EXPECT_EQUAL(pipe(started), 0);
	EXPECT_EQUAL(pthread_create(&thread, NULL, named_thread, &tid), 0);
	EXPECT_EQUAL(read(started[0], &byte, 1), 1);
	directory = opendir("/proc/self/task");
	EXPECT(directory);
	while ((entry = readdir(directory)))
		count += atoi(entry->d_name) == tid || atoi(entry->d_name) == getpid();
	closedir(directory);
	EXPECT_EQUAL(count, 2);
	snprintf(name, sizeof(name), "/proc/self/task/%d/comm", tid);
	EXPECT(slurp(name, text, sizeof(text)) > 0 && strcmp(text, "worker\n") == 0);
	snprintf(name, sizeof(name), "/proc/self/task/%d/task", tid);
	EXPECT_ERRNO(ENOENT, open(name, O_RDONLY));
	close(started[0]);
	close(started[1]);
}

static void a_zombie_is_there_until_it_is_waited_for(void)
{
	char name[64], text[2048];
	siginfo_t info;
	pid_t pid = fork();
	int fd;

	if (pid == 0)
		_exit(0);
	EXPECT_EQUAL(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	EXPECT(slurp(name, text, sizeof(text)) > 0 && strstr(text, ") Z "));
	fd = open(name, O_RDONLY);
	snprintf(name, sizeof(name), "/proc/%d/cmdline", pid);
	EXPECT_EQUAL(slurp(name, text, sizeof(text)), 0);
	snprintf(name, sizeof(name), "/proc/%d/exe", pid);
	EXPECT_ERRNO(ENOENT, readlink(name, text, sizeof(text)));
	EXPECT_EQUAL(waitpid(pid, NULL, 0), pid);
	EXPECT_ERRNO(ENOENT, readlink(name, text, sizeof(text)));
	EXPECT_ERRNO(ESRCH, read(fd, text, sizeof(text)));
	close(fd);
}

/* In a child that has become somebody else: what it may not see of its parent. */
static int look_at_parent(void)
{
	static const char *const hidden[] = {"environ", "maps", "fd/0", "auxv"};
	char name[64], text[512] = {0}, *at;

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		snprintf(name, sizeof(name), "/proc/%d/%s", getppid(), hidden[i]);
		if (open(name, O_RDONLY) >= 0 || errno != EACCES)
			return 10 + (int)i;
	}
	snprintf(name, sizeof(name), "/proc/%d/exe", getppid());
	if (readlink(name, text, sizeof(text)) >= 0 || errno != EACCES)
		return 2;
	snprintf(name, sizeof(name), "/proc/%d/stat", getppid());
	if (slurp(name, text, sizeof(text)) <= 0)
		return 3;
	/* Where its code is: that there is some. */
	at = strrchr(text, ')');
	for (int i = 2; at && i < 26; i++)
		at = strchr(at + 1, ' ');
	return at && strncmp(at, " 1 1 0 ", 7) == 0 ? 0 : 4;
}

static void others_see_what_is_public_only(void)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		return; /* only the administrator can become somebody else */
	pid = fork();
	if (pid == 0)
		_exit(setgid(12345) || setuid(12345) ? 1 : look_at_parent());
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
}

/* What is held keeps the kernel's idea of it. */
static int become_another(void)
{
	int held = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);

	NEED(held >= 0);
	NEED(syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
	NEED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	NEED(open("/proc/self/fd", O_RDONLY | O_DIRECTORY) >= 0);
	return 0;
}

static int look_at_what_shuts(void)
{
	int shut[2], end[2];
	char name[64], byte;
	pid_t child;

	NEED(pipe(shut) == 0 && pipe(end) == 0);
	NEED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	child = fork();
	if (child == 0) {
		close(end[1]);
		_exit(read(end[0], &byte, 1) != 1 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
		      write(shut[1], "x", 1) != 1 || read(end[0], &byte, 1) != 0);
	}
	snprintf(name, sizeof(name), "/proc/%d/oom_score_adj", (int)child);
	NEED(open(name, O_PATH) >= 0);
	NEED(open(name, O_WRONLY) >= 0);
	NEED(write(end[1], "x", 1) == 1 && read(shut[0], &byte, 1) == 1);
	NEED(open(name, O_WRONLY) == -1 && errno == EACCES);
	close(end[1]);
	return waitpid(child, NULL, 0) != child;
}

static void whose_a_process_is_changes_with_it(void)
{
	if (geteuid() != 0)
		return; /* only the administrator can become somebody else */
	EXPECT_EQUAL(in_child_as(0, become_another), 0);
	EXPECT_EQUAL(as_user(look_at_what_shuts), 0);
}

static void the_machine_is_described(void)
{
	char text[65536], again[64];
	struct utsname names;
	double up, idle;

	EXPECT(slurp("/proc/meminfo", text, sizeof(text)) > 0);
	EXPECT(atoll(value_of(text, "MemTotal")) > atoll(value_of(text, "MemFree")));
	EXPECT(slurp("/proc/stat", text, sizeof(text)) > 0 && strncmp(text, "cpu  ", 5) == 0);
	EXPECT(strstr(text, "\ncpu0 ") && strstr(text, "\nctxt ") && strstr(text, "\nbtime "));
	EXPECT(slurp("/proc/uptime", text, sizeof(text)) > 0);
	EXPECT(sscanf(text, "%lf %lf\n", &up, &idle) == 2 && up > 0);
	EXPECT(slurp("/proc/loadavg", text, sizeof(text)) > 0);
	EXPECT(slurp("/proc/cpuinfo", text, sizeof(text)) > 0 && value_of(text, "processor\t"));
	EXPECT(slurp("/proc/self/mounts", text, sizeof(text)) > 0 && strstr(text, " /proc proc "));
	EXPECT(slurp("/proc/mounts", text, sizeof(text)) > 0 && strstr(text, " /proc proc "));
	EXPECT(slurp("/proc/filesystems", text, sizeof(text)) > 0 && strstr(text, "nodev\tproc\n"));
	EXPECT_EQUAL(uname(&names), 0);
	EXPECT(slurp("/proc/sys/kernel/osrelease", text, sizeof(text)) > 0);
	EXPECT(strncmp(text, names.release, strlen(names.release)) == 0);
	EXPECT_EQUAL(slurp("/proc/sys/kernel/random/uuid", text, sizeof(text)), 37);
	EXPECT_EQUAL(slurp("/proc/sys/kernel/random/uuid", again, sizeof(again)), 37);
	EXPECT(strcmp(text, again) != 0);
	EXPECT_EQUAL(slurp("/proc/sys/kernel/random/boot_id", text, sizeof(text)), 37);
	EXPECT_EQUAL(slurp("/proc/sys/kernel/random/boot_id", again, sizeof(again)), 37);
	EXPECT(strcmp(text, again) == 0);
}

int main(int argc, char **argv)
{
	(void)argc;
	arguments = argv;
	RUN(self_and_thread_self_are_links);
	RUN(stat_has_fifty_two_fields);
	RUN(status_says_who_it_is);
	RUN(what_exec_was_given_is_there);
	RUN(a_file_that_is_read_again_from_its_beginning_is_new);
	RUN(names_cannot_forge_lines);
	RUN(exe_cwd_and_root_lead_there);
	RUN(a_pipe_opens_again_by_its_descriptor);
	RUN(a_file_opens_again_even_without_a_name);
	RUN(fdinfo_tells_position_and_flags);
	RUN(fd_lists_the_open_ones);
	RUN(maps_have_code_stack_and_file);
	RUN(limits_are_those_of_getrlimit);
	RUN(others_see_what_is_public_only);
	RUN(a_zombie_is_there_until_it_is_waited_for);
	RUN(whose_a_process_is_changes_with_it);
	RUN(the_machine_is_described);
	RUN(task_lists_the_threads); /* the last one: its thread stays */
	return check_end();
}
