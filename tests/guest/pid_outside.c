/*
 * What a PID namespace keeps apart: calls that reach for many processes or come by a descriptor
 * stop at its edge, and what comes from outside ends its init.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"
#include "pid_help.h"

#define WHO_USER    3 /* of ioprio_get() */
#define SOMEBODY    4321
#define RT_LIMIT_US 2000

struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, size, tls;
	uint64_t set_tid, set_tid_size;
};

static int ready[2], go[2];

static void sleep_for_good(void)
{
	for (;;)
		pause();
}

/* ---- /proc ---- */

static pid_t begin_as(pid_t number)
{
	struct clone3_args args = {
		.exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&number, .set_tid_size = 1};
	pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (!child)
		sleep_for_good();
	return child;
}

static int list_proc(void)
{
	static const pid_t wanted[] = {1, 700, 1500, 2300, 3100};
	DIR *directory;
	const struct dirent *entry;
	size_t count = 0;

	for (size_t i = 4; i > 0; i--)
		NEED(begin_as(wanted[i]) == wanted[i]);
	directory = opendir("/proc");
	NEED(directory != NULL);
	while ((entry = readdir(directory))) {
		pid_t number = (pid_t)strtol(entry->d_name, NULL, 10);

		if (!number)
			continue;
		NEED(count < 5 && number == wanted[count]);
		count++;
	}
	closedir(directory);
	NEED(count == 5);
	return 0;
}

static void proc_lists_numbers_that_are_far_apart(void)
{
	after_mount = list_proc;
	EXPECT_EQUAL(inside(mount_proc_and), 0);
	after_mount = NULL;
}

static int read_last_given(void)
{
	char text[128] = "";
	int fd = open("/proc/loadavg", O_RDONLY);
	pid_t child = fork();

	if (!child)
		_exit(0);
	NEED(child == 2 && status_of(child) == 0);
	NEED(read(fd, text, sizeof(text) - 1) > 0 && close(fd) == 0);
	NEED(strcmp(strrchr(text, ' '), " 2\n") == 0);
	return 0;
}

static void loadavg_ends_with_the_number_given_last_there(void)
{
	EXPECT_EQUAL(inside(read_last_given), 0);
}

static int look_after_the_end(void)
{
	struct stat status, own;

	NEED(unshare(CLONE_NEWPID) == 0);
	NEED(stat("/proc/self/ns/pid_for_children", &status) == -1 && errno == ENOENT);
	if (!fork())
		_exit(0);
	NEED(wait(NULL) > 0 && stat("/proc/self/ns/pid_for_children", &status) == 0);
	NEED(stat("/proc/self/ns/pid", &own) == 0 && own.st_ino != status.st_ino);
	return 0;
}

static void its_file_stays_after_its_init(void)
{
	EXPECT_EQUAL(in_child_as(0, look_after_the_end), 0);
}

/* ---- descriptors ---- */

static int to_outside[2]; /* of a process and of its directory */

static int signal_by(int fd)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0);
}

static int signal_outside(void)
{
	pid_t child;
	int fd;

	NEED(signal_by(to_outside[0]) == -1 && errno == EINVAL);
	NEED(signal_by(to_outside[1]) == -1 && errno == EINVAL);
	child = fork();
	if (!child)
		sleep_for_good();
	fd = (int)syscall(SYS_pidfd_open, child, 0);
	NEED(fd >= 0 && signal_by(fd) == 0);
	return 0;
}

static void a_descriptor_from_outside_is_not_for_signals(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", getpid());
	to_outside[0] = (int)syscall(SYS_pidfd_open, getpid(), 0);
	to_outside[1] = open(path, O_RDONLY | O_DIRECTORY);
	EXPECT(to_outside[0] >= 0 && to_outside[1] >= 0);
	EXPECT_EQUAL(signal_by(to_outside[0]), 0);
	EXPECT_EQUAL(signal_by(to_outside[1]), 0);
	EXPECT_EQUAL(inside(signal_outside), 0);
	close(to_outside[0]), close(to_outside[1]);
}

/* ---- all of a user ---- */

static int reach_for_user(void)
{
	NEED(getpriority(PRIO_USER, SOMEBODY) == -1 && errno == ESRCH);
	NEED(setpriority(PRIO_USER, SOMEBODY, 5) == -1 && errno == ESRCH);
	NEED(syscall(SYS_ioprio_get, WHO_USER, SOMEBODY) == -1 && errno == ESRCH);
	return 0;
}

static void all_of_a_user_are_those_inside(void)
{
	char byte;
	pid_t child;

	EXPECT_EQUAL(pipe(ready), 0);
	child = fork();
	if (!child) {
		if (syscall(SYS_setresuid, SOMEBODY, SOMEBODY, SOMEBODY) == 0 &&
		    write(ready[1], "x", 1) == 1)
			sleep_for_good();
		_exit(1);
	}
	close(ready[1]);
	EXPECT_EQUAL(read(ready[0], &byte, 1), 1);
	EXPECT_EQUAL(inside(reach_for_user), 0);
	errno = 0;
	EXPECT(getpriority(PRIO_USER, SOMEBODY) == 0 && errno == 0);
	EXPECT(syscall(SYS_ioprio_get, WHO_USER, SOMEBODY) >= 0);
	EXPECT(kill(child, SIGKILL) == 0 && status_of(child) == SIGKILL);
	close(ready[0]);
}

/* ---- the end of its init ---- */

static int run_over_limit(void)
{
	const struct rlimit limit = {RT_LIMIT_US, RT_LIMIT_US};
	const struct sched_param urgent = {.sched_priority = 1};

	NEED(setrlimit(RLIMIT_RTTIME, &limit) == 0);
	if (syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &urgent))
		return may_be_restricted() ? 99 : 1;
	for (;;)
		;
}

static void its_limits_end_it(void)
{
	int status = inside(run_over_limit);

	if (status != 99 << 8)
		EXPECT_EQUAL(status, SIGKILL);
}

static int wait_and_trap(void)
{
	char byte;

	NEED(write(ready[1], "x", 1) == 1 && read(go[0], &byte, 1) == 1);
	__asm__ volatile("int3");
	return kill(1, SIGTERM) ? 1 : 7;
}

static bool begin_trapper(pid_t *init)
{
	char byte;

	if (pipe(ready) || pipe(go))
		return false;
	*init = begin_inside(wait_and_trap);
	if (*init <= 0)
		return false;
	if (read(ready[0], &byte, 1) == 1 && ptrace(PTRACE_SEIZE, *init, NULL, NULL) == 0)
		return true;
	kill(*init, SIGKILL); /* it would wait for ever; somebody else traces it, strace say */
	waitpid(*init, NULL, 0);
	return false;
}

static void close_pipes(void)
{
	close(ready[0]), close(ready[1]), close(go[0]), close(go[1]);
}

/* A tracer that is outside. */
static void a_tracer_kills_it(void)
{
	pid_t init;

	EXPECT(begin_trapper(&init));
	EXPECT_EQUAL(ptrace(PTRACE_KILL, init, NULL, NULL), 0);
	EXPECT_EQUAL(status_of(init), SIGKILL);
	close_pipes();
}

static void a_fault_that_its_tracer_takes_leaves_it_as_it_was(void)
{
	pid_t init;
	int status;

	EXPECT(begin_trapper(&init));
	EXPECT_EQUAL(write(go[1], "x", 1), 1);
	EXPECT_EQUAL(waitpid(init, &status, 0), init);
	EXPECT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	EXPECT_EQUAL(ptrace(PTRACE_DETACH, init, NULL, NULL), 0);
	EXPECT_EQUAL(status_of(init), 7 << 8);
	close_pipes();
}

int main(void)
{
	RUN(proc_lists_numbers_that_are_far_apart);
	RUN(loadavg_ends_with_the_number_given_last_there);
	RUN(its_file_stays_after_its_init);
	RUN(a_descriptor_from_outside_is_not_for_signals);
	RUN(all_of_a_user_are_those_inside);
	RUN(its_limits_end_it);
	RUN(a_tracer_kills_it);
	RUN(a_fault_that_its_tracer_takes_leaves_it_as_it_was);
	return check_end();
}
