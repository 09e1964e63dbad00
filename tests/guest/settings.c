/*
 * What can be set in /proc/sys, and what is told in /sys. On Linux what would change the machine of
 * others is left out.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"

#define SYS "/proc/sys/"

/* The text without its line's end; empty: it cannot be read. */
static const char *text_of(const char *name)
{
	static char text[256];
	int fd = open(name, O_RDONLY);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	close(fd);
	text[len < 0 ? 0 : len] = 0;
	text[strcspn(text, "\n")] = 0;
	return text;
}

static bool is_now(const char *name, const char *wanted)
{
	return strcmp(text_of(name), wanted) == 0;
}

/* 0, or errno. */
static int set(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY);
	int error = fd < 0 || write(fd, text, strlen(text)) < 0 ? errno : 0;

	close(fd);
	return error;
}

static bool may_set(const char *name)
{
	int fd = open(name, O_WRONLY);

	close(fd);
	return fd >= 0;
}

static void there_are_numbers(void)
{
	static const char *const names[] = {
		"fs/nr_open",
		"fs/pipe-max-size",
		"fs/inotify/max_queued_events",
		"fs/inotify/max_user_instances",
		"fs/inotify/max_user_watches",
		"fs/mqueue/msg_max",
		"kernel/cap_last_cap",
		"kernel/msgmax",
		"kernel/msgmnb",
		"kernel/msgmni",
		"kernel/ngroups_max",
		"kernel/overflowuid",
		"kernel/overflowgid",
		"kernel/pid_max",
		"kernel/shmall",
		"kernel/shmmax",
		"kernel/shmmni",
		"kernel/random/entropy_avail",
		"net/core/somaxconn",
		"vm/max_map_count",
	};
	char name[64], *end;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), SYS "%s", names[i]);
		if (strtoull(text_of(name), &end, 10) == 0 || *end)
			FAIL("%s: '%s'", names[i], text_of(name));
	}
}

static void a_name_that_is_written_is_the_machine_s(void)
{
	char name[100];

	if (!may_set(SYS "kernel/hostname") && may_be_restricted())
		return;
	EXPECT_EQUAL(set(SYS "kernel/hostname", "other\n"), 0);
	EXPECT_EQUAL(gethostname(name, sizeof(name)), 0);
	EXPECT(strcmp(name, "other") == 0 && is_now(SYS "kernel/hostname", "other"));
	memset(name, 'x', sizeof(name));
	name[99] = 0;
	EXPECT_EQUAL(set(SYS "kernel/hostname", name), 0); /* is cut */
	EXPECT_EQUAL(strlen(text_of(SYS "kernel/hostname")), 64);
	EXPECT_EQUAL(set(SYS "kernel/hostname", "fuselage"), 0);
	EXPECT_EQUAL(set(SYS "kernel/domainname", "example"), 0);
	EXPECT(is_now(SYS "kernel/domainname", "example"));
	EXPECT_EQUAL(set(SYS "kernel/domainname", "(none)"), 0);
}

static void limits_of_messages_bite(void)
{
	struct {
		long type;
		char text[101];
	} message = {.type = 1};
	char before[32];
	int id;

	if (!may_set(SYS "kernel/msgmax") && may_be_restricted())
		return;
	snprintf(before, sizeof(before), "%s", text_of(SYS "kernel/msgmax"));
	id = msgget(IPC_PRIVATE, 0600);
	EXPECT(id >= 0);
	EXPECT_EQUAL(set(SYS "kernel/msgmax", " 100\n"), 0);
	EXPECT(is_now(SYS "kernel/msgmax", "100"));
	EXPECT_ERRNO(EINVAL, msgsnd(id, &message, 101, IPC_NOWAIT));
	EXPECT_EQUAL(msgsnd(id, &message, 100, IPC_NOWAIT), 0);
	EXPECT_EQUAL(set(SYS "kernel/msgmax", "nonsense"), EINVAL);
	EXPECT_EQUAL(set(SYS "kernel/msgmax", "99999999999"), EINVAL);
	EXPECT_EQUAL(set(SYS "kernel/msgmni", "16777217"), EINVAL); /* the ids are not so many */
	EXPECT(is_now(SYS "kernel/msgmax", "100"));
	EXPECT_EQUAL(set(SYS "kernel/msgmax", before), 0);
	EXPECT_EQUAL(msgctl(id, IPC_RMID, NULL), 0);
}

static void limits_of_segments_bite(void)
{
	char before[32];
	int id;

	if (!may_set(SYS "kernel/shmmax") && may_be_restricted())
		return;
	snprintf(before, sizeof(before), "%s", text_of(SYS "kernel/shmmax"));
	EXPECT_EQUAL(set(SYS "kernel/shmmax", "0x2000"), 0);
	EXPECT(is_now(SYS "kernel/shmmax", "8192"));
	EXPECT_ERRNO(EINVAL, shmget(IPC_PRIVATE, 8193, 0600));
	id = shmget(IPC_PRIVATE, 8192, 0600);
	EXPECT(id >= 0 && shmctl(id, IPC_RMID, NULL) == 0);
	EXPECT_EQUAL(set(SYS "kernel/shmmax", before), 0);
	EXPECT(is_now(SYS "kernel/shmmax", before));
}

static void limits_of_semaphores_bite(void)
{
	char before[64];

	if (!may_set(SYS "kernel/sem") && may_be_restricted())
		return;
	snprintf(before, sizeof(before), "%s", text_of(SYS "kernel/sem"));
	EXPECT_EQUAL(set(SYS "kernel/sem", "5"), 0); /* those that are given */
	EXPECT_EQUAL(atoi(text_of(SYS "kernel/sem")), 5);
	EXPECT(strcmp(strchr(text_of(SYS "kernel/sem"), '\t'), strchr(before, '\t')) == 0);
	EXPECT_ERRNO(EINVAL, semget(IPC_PRIVATE, 6, 0600));
	EXPECT_EQUAL(set(SYS "kernel/sem", "x"), EINVAL);
	EXPECT_EQUAL(set(SYS "kernel/sem", before), 0);
	EXPECT(is_now(SYS "kernel/sem", before));
}

static int only_reads(void)
{
	NEED(set(SYS "kernel/hostname", "mine") == EACCES || may_be_restricted());
	NEED(set(SYS "kernel/shmmax", "1") == EACCES || may_be_restricted());
	NEED(*text_of(SYS "kernel/shmmax"));
	return 0;
}

static void who_may_not_can_only_read(void)
{
	EXPECT_EQUAL(as_user(only_reads), 0);
	EXPECT_EQUAL(set(SYS "kernel/ostype", "Other"), EACCES);
	EXPECT(is_now(SYS "kernel/ostype", "Linux"));
}

/* ---- of the whole machine: not on Linux ---- */

static void numbers_of_processes_are_below_pid_max(void)
{
	int highest = 0, status;

	EXPECT_EQUAL(set(SYS "kernel/pid_max", "300"), EINVAL);
	EXPECT_EQUAL(set(SYS "kernel/pid_max", "32769"), EINVAL);
	EXPECT_EQUAL(set(SYS "kernel/pid_max", "400"), 0);
	for (int i = 0; i < 350; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		EXPECT(child > 0 && waitpid(child, &status, 0) == child);
		highest = child > highest ? child : highest;
	}
	EXPECT_EQUAL(set(SYS "kernel/pid_max", "32768"), 0);
	EXPECT(highest < 400);
}

static void limits_of_inotify_bite(void)
{
	int fd = inotify_init();

	EXPECT(fd >= 0);
	EXPECT_EQUAL(set(SYS "fs/inotify/max_user_watches", "0"), 0);
	EXPECT_ERRNO(ENOSPC, inotify_add_watch(fd, "/tmp", IN_CREATE));
	EXPECT_EQUAL(set(SYS "fs/inotify/max_user_watches", "65536"), 0);
	EXPECT(inotify_add_watch(fd, "/tmp", IN_CREATE) > 0);
	EXPECT_EQUAL(set(SYS "fs/inotify/max_user_instances", "0"), 0);
	EXPECT_ERRNO(EMFILE, inotify_init());
	EXPECT_EQUAL(set(SYS "fs/inotify/max_user_instances", "1024"), 0);
	close(fd);
}

static int makes_a_pipe_larger(void)
{
	int fds[2];

	NEED(pipe(fds) == 0);
	NEED(fcntl(fds[0], F_SETPIPE_SZ, 128 << 10) == 128 << 10);
	NEED(fcntl(fds[0], F_SETPIPE_SZ, 256 << 10) == -1 && errno == EPERM);
	return 0;
}

static void pipes_of_users_have_a_limit(void)
{
	EXPECT_EQUAL(set(SYS "fs/pipe-max-size", "100000"), 0);
	EXPECT(is_now(SYS "fs/pipe-max-size", "131072")); /* what a pipe can have */
	EXPECT_EQUAL(as_user(makes_a_pipe_larger), 0);
	EXPECT_EQUAL(set(SYS "fs/pipe-max-size", "0"), EINVAL);
	EXPECT_EQUAL(set(SYS "fs/pipe-max-size", "1048576"), 0);
}

static void large_pages_can_be_forbidden(void)
{
	static const char name[] = "/sys/kernel/mm/transparent_hugepage/enabled";
	char before[64];

	snprintf(before, sizeof(before), "%s", text_of(name));
	EXPECT(strchr(before, '[') && strchr(before, ']'));
	EXPECT_EQUAL(set(name, "never\n"), 0);
	EXPECT(is_now(name, "always madvise [never]"));
	EXPECT_EQUAL(set(name, "sometimes"), EINVAL);
	*strchr(before, ']') = 0;
	EXPECT_EQUAL(set(name, strchr(before, '[') + 1), 0);
}

/* ---- /sys ---- */

static void sys_lists_the_cpus(void)
{
	DIR *directory = opendir("/sys/devices/system/cpu");
	unsigned count = 0, first, last;
	struct statfs info;

	EXPECT_EQUAL(statfs("/sys", &info), 0);
	EXPECT_EQUAL(info.f_type, 0x62656572);
	EXPECT(directory);
	for (struct dirent *entry; (entry = readdir(directory));)
		if (sscanf(entry->d_name, "cpu%u", &first) == 1)
			count++;
	closedir(directory);
	if (sscanf(text_of("/sys/devices/system/cpu/present"), "%u-%u", &first, &last) == 1)
		last = first;
	EXPECT_EQUAL(first, 0);
	EXPECT_EQUAL(count, last + 1);
	EXPECT(*text_of("/sys/devices/system/cpu/online") == '0');
	EXPECT(*text_of("/sys/devices/system/cpu/possible") == '0');
	EXPECT_ERRNO(ENOENT, access("/sys/devices/system/cpu/cpu999", F_OK));
	EXPECT_ERRNO(ENOENT, access("/sys/devices/system/cpu/cpu", F_OK));
	EXPECT_EQUAL(access("/sys/devices/system/cpu/cpu0", X_OK), 0);
}

int main(void)
{
	RUN(there_are_numbers);
	RUN(sys_lists_the_cpus);
	/* On a machine that has them: nobody else sees what is set. */
	if (!may_be_restricted() || unshare(CLONE_NEWUTS | CLONE_NEWIPC) == 0) {
		RUN(a_name_that_is_written_is_the_machine_s);
		RUN(limits_of_messages_bite);
		RUN(limits_of_segments_bite);
		RUN(limits_of_semaphores_bite);
		RUN(who_may_not_can_only_read);
	}
	if (!may_be_restricted()) {
		RUN(numbers_of_processes_are_below_pid_max);
		RUN(limits_of_inotify_bite);
		RUN(pipes_of_users_have_a_limit);
		RUN(large_pages_can_be_forbidden);
	}
	return check_end();
}
