/*
 * PID namespaces (CLONE_NEWPID): what makes one, who is in it, its init and its end. What numbers
 * calls tell there stands in pid_numbers.c.
 */
#include <fcntl.h>
#include <linux/reboot.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"
#include "pid_help.h"

#define NS_GET_PARENT 0xb702
#define NS_GET_NSTYPE 0xb703
#define DEEPEST       32

static volatile sig_atomic_t got;

static void note(int signal)
{
	got = signal;
}

static long number_of(const char *path)
{
	struct stat status;

	return stat(path, &status) ? -1 : (long)status.st_ino;
}

/* ---- beginning ---- */

static int begin(void)
{
	pid_t child;

	NEED(getpid() == 1 && syscall(SYS_gettid) == 1 && getppid() == 0);
	/* The group and the session are outside. */
	NEED(getpgrp() == 0 && getsid(0) == 0);
	child = fork();
	if (!child)
		_exit(!(getpid() == 2 && getppid() == 1 && getpgid(1) == 0));
	NEED(child == 2 && status_of(child) == 0);
	NEED(setsid() == 1 && getpgrp() == 1 && getsid(0) == 1);
	child = fork();
	if (!child)
		_exit(!(getpid() == 3 && getpgrp() == 1 && setpgid(0, 0) == 0 && getpgrp() == 3));
	NEED(child == 3 && status_of(child) == 0);
	return 0;
}

static int unshared(void)
{
	pid_t own = getpid(), child;

	NEED(unshare(CLONE_NEWPID) == 0 && getpid() == own);
	child = fork();
	if (!child)
		_exit(getpid() == 1 && getppid() == 0 ? 0 : 1);
	NEED(child > 1 && status_of(child) == 0);
	/* Its init has gone: there are no others. */
	NEED(fork() == -1 && errno == ENOMEM);
	return 0;
}

static int threads_stay_together(void)
{
	const int flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
	long own = number_of("/proc/self/ns/pid");

	NEED(syscall(SYS_clone, flags | CLONE_NEWPID, 0, 0, 0, 0) == -1 && errno == EINVAL);
	NEED(number_of("/proc/self/ns/pid_for_children") == own);
	NEED(unshare(CLONE_NEWPID) == 0);
	NEED(syscall(SYS_clone, flags, 0, 0, 0, 0) == -1 && errno == EINVAL);
	NEED(unshare(CLONE_NEWPID) == -1 && errno == EINVAL);
	NEED(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0) == -1 && errno == EINVAL);
	NEED(number_of("/proc/self/ns/pid") == own);
	/* It is nothing yet that one could open. */
	NEED(number_of("/proc/self/ns/pid_for_children") == -1 && errno == ENOENT);
	return 0;
}

static void its_first_process_is_number_one(void)
{
	EXPECT_EQUAL(inside(begin), 0);
	EXPECT_EQUAL(in_child_as(0, unshared), 0);
	EXPECT_EQUAL(in_child_as(0, threads_stay_together), 0);
}

/* ---- init ---- */

static int hear_from_inside(void)
{
	pid_t child;

	signal(SIGUSR1, note);
	child = fork();
	if (!child) {
		NEED(kill(1, SIGTERM) == 0 && kill(1, SIGKILL) == 0);
		_exit(kill(1, SIGUSR1) ? 1 : 0);
	}
	NEED(status_of(child) == 0 && got == SIGUSR1);
	NEED(kill(1, SIGKILL) == 0 && syscall(SYS_tgkill, 1, 1, SIGTERM) == 0);
	got = 0;
	return 0;
}

static void to_its_init_signals_from_inside_do_what_it_handles(void)
{
	EXPECT_EQUAL(inside(hear_from_inside), 0);
}

static int pipe_to_outside[2];

/* Until it is ended from outside. */
static int sleep_inside(void)
{
	signal(SIGUSR1, note);
	NEED(write(pipe_to_outside[1], "x", 1) == 1);
	for (;;)
		pause();
	return 0;
}

static void from_outside_it_is_stopped_and_killed(void)
{
	int status;
	char byte;
	pid_t init;

	EXPECT_EQUAL(pipe(pipe_to_outside), 0);
	init = begin_inside(sleep_inside);
	EXPECT(init > 1 && read(pipe_to_outside[0], &byte, 1) == 1);
	EXPECT_EQUAL(kill(init, SIGTERM), 0);
	EXPECT_EQUAL(kill(init, SIGSTOP), 0);
	EXPECT_EQUAL(waitpid(init, &status, WUNTRACED), init);
	EXPECT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	EXPECT_EQUAL(kill(init, SIGCONT), 0);
	EXPECT_EQUAL(kill(init, SIGKILL), 0);
	EXPECT_EQUAL(status_of(init), SIGKILL);
	close(pipe_to_outside[0]);
	close(pipe_to_outside[1]);
}

static int fault_inside(void)
{
	__builtin_trap();
}

/* A tracer, of calls say, would be asked again and again. */
static bool is_traced(void)
{
	char text[1024] = "";
	int fd = open("/proc/self/status", O_RDONLY);
	bool traced = read(fd, text, sizeof(text) - 1) > 0 && !strstr(text, "TracerPid:\t0\n");

	close(fd);
	return traced;
}

static void what_it_does_itself_ends_it(void)
{
	if (is_traced())
		return;
	EXPECT_EQUAL(inside(fault_inside) & 0x7f, SIGILL);
}

static int inherit(void)
{
	int status;

	if (!fork()) {
		if (fork())
			_exit(0);
		while (getppid() == 2)
			sched_yield();
		_exit(getppid() == 1 ? 7 : 1);
	}
	NEED(status_of(2) == 0);
	NEED(wait(&status) == 3 && WEXITSTATUS(status) == 7);
	NEED(wait(&status) == -1 && errno == ECHILD);
	return 0;
}

static int do_not_reap_outside(void)
{
	NEED(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	NEED(inside(inherit) == 0);
	NEED(wait(NULL) == -1 && errno == ECHILD);
	return 0;
}

static void its_init_gets_its_orphans(void)
{
	EXPECT_EQUAL(in_child_as(0, do_not_reap_outside), 0);
}

/* ---- the end ---- */

static int leave_many_behind(void)
{
	for (int i = 0; i < 5; i++) {
		if (fork())
			continue;
		signal(SIGTERM, SIG_IGN);
		if (i == 1)
			begin_inside(sleep_inside); /* one below it */
		if (i == 2)
			setsid();
		if (i == 3)
			raise(SIGSTOP);
		sleep_inside();
	}
	for (int i = 0; i < 5; i++)
		NEED(waitid(P_ALL, 0, &(siginfo_t){0}, WNOHANG | WEXITED | WNOWAIT) == 0);
	return 0;
}

static void all_end_with_its_init(void)
{
	char byte;

	/* Whoever is alive has the pipe's other end. */
	EXPECT_EQUAL(pipe(pipe_to_outside), 0);
	EXPECT_EQUAL(inside(leave_many_behind), 0);
	close(pipe_to_outside[1]);
	while (read(pipe_to_outside[0], &byte, 1) > 0)
		;
	close(pipe_to_outside[0]);
}

/* ---- entering ---- */

static int enter_by_file(void)
{
	char path[64], byte;
	int fd, own, pidfd;
	pid_t init, child;

	NEED(pipe(pipe_to_outside) == 0);
	init = begin_inside(sleep_inside);
	NEED(read(pipe_to_outside[0], &byte, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", init);
	fd = open(path, O_RDONLY);
	own = open("/proc/self/ns/pid", O_RDONLY);
	NEED(fd >= 0 && own >= 0 && ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWPID);
	NEED(setns(fd, CLONE_NEWUTS) == -1 && errno == EINVAL);
	NEED(setns(fd, CLONE_NEWPID) == 0);
	NEED(number_of("/proc/self/ns/pid_for_children") == number_of(path));
	child = fork();
	if (!child)
		_exit(!(getpid() == 2 && getppid() == 0 && setns(own, 0) == -1 && errno == EINVAL &&
			setns(fd, 0) == 0));
	NEED(status_of(child) == 0);
	NEED(setns(own, CLONE_NEWPID) == 0);
	child = fork();
	if (!child)
		_exit(getpid() > 2 && getppid() > 2 ? 0 : 1);
	NEED(status_of(child) == 0);
	pidfd = (int)syscall(SYS_pidfd_open, init, 0);
	NEED(setns(pidfd, CLONE_NEWPID) == 0);
	child = fork();
	if (!child)
		_exit(getpid() == 3 ? 0 : 1);
	NEED(status_of(child) == 0 && kill(init, SIGKILL) == 0 && status_of(init) == SIGKILL);
	NEED(fork() == -1 && errno == ENOMEM);
	return 0;
}

static int look_up(void)
{
	int fd, own = open("/proc/self/ns/pid", O_RDONLY);

	/* Its parent is not for those inside to see. */
	NEED(own >= 0 && ioctl(own, NS_GET_PARENT) == -1 && errno == EPERM);
	fd = open("/proc/self/ns/pid_for_children", O_RDONLY);
	NEED(fd >= 0 && close(fd) == 0);
	return 0;
}

static int look_up_from_outside(void)
{
	char path[64], byte;
	struct stat mine, parents;
	int fd, parent;
	pid_t init;

	NEED(pipe(pipe_to_outside) == 0);
	init = begin_inside(sleep_inside);
	NEED(read(pipe_to_outside[0], &byte, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", init);
	fd = open(path, O_RDONLY);
	parent = ioctl(fd, NS_GET_PARENT);
	NEED(parent >= 0 && fstat(parent, &parents) == 0);
	NEED(stat("/proc/self/ns/pid", &mine) == 0 && parents.st_ino == mine.st_ino);
	NEED(ioctl(parent, NS_GET_NSTYPE) == CLONE_NEWPID);
	NEED(kill(init, SIGKILL) == 0 && status_of(init) == SIGKILL);
	return 0;
}

static void one_enters_those_below(void)
{
	EXPECT_EQUAL(in_child_as(0, enter_by_file), 0);
	EXPECT_EQUAL(in_child_as(0, look_up_from_outside), 0);
}

static void nobody_looks_above(void)
{
	after_mount = look_up;
	EXPECT_EQUAL(inside(mount_proc_and), 0);
	after_mount = NULL;
}

/* ---- reboot ---- */

#define MAGIC  LINUX_REBOOT_MAGIC1
#define MAGIC2 LINUX_REBOOT_MAGIC2

static unsigned command;

/* Never where it would be the machine. */
static int give_command(void)
{
	if (getpid() != 1)
		return 1;
	syscall(SYS_reboot, MAGIC, MAGIC2, command, "somewhere");
	return errno == EPERM && may_be_restricted() ? 2 : 3;
}

static int give_command_by_child(void)
{
	if (getpid() != 1)
		return 1;
	if (!fork()) {
		syscall(SYS_reboot, MAGIC, MAGIC2, command, "somewhere");
		_exit(1);
	}
	for (;;)
		pause();
}

static int refuse_commands(void)
{
	static const unsigned none[] = {LINUX_REBOOT_CMD_CAD_ON, LINUX_REBOOT_CMD_CAD_OFF,
					LINUX_REBOOT_CMD_KEXEC, LINUX_REBOOT_CMD_SW_SUSPEND, 77};

	NEED(getpid() == 1);
	NEED(syscall(SYS_reboot, 1, MAGIC2, 0, 0) == -1 && errno == EINVAL);
	NEED(syscall(SYS_reboot, MAGIC, 1, 0, 0) == -1 && errno == EINVAL);
	for (int i = 0; i < 5; i++)
		NEED(syscall(SYS_reboot, MAGIC, MAGIC2, none[i], 0) == -1 && errno == EINVAL);
	NEED(syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
	NEED(syscall(SYS_reboot, MAGIC, MAGIC2, 77, 0) == -1 && errno == EPERM);
	NEED(syscall(SYS_reboot, 1, MAGIC2, 77, 0) == -1 && errno == EPERM);
	return 0;
}

static void reboot_ends_its_init(void)
{
	static const struct {
		unsigned command;
		int signal;
	} ends[] = {{LINUX_REBOOT_CMD_RESTART, SIGHUP},
		    {LINUX_REBOOT_CMD_RESTART2, SIGHUP},
		    {LINUX_REBOOT_CMD_HALT, SIGINT},
		    {LINUX_REBOOT_CMD_POWER_OFF, SIGINT}};

	command = LINUX_REBOOT_CMD_RESTART;
	if (inside(give_command) == 0x200)
		return; /* a container whose root may not */
	EXPECT_EQUAL(inside(refuse_commands), 0);
	for (int i = 0; i < 4; i++) {
		command = ends[i].command;
		EXPECT_EQUAL(inside(give_command), ends[i].signal);
		EXPECT_EQUAL(inside(give_command_by_child), ends[i].signal);
	}
}

/* ---- how deep ---- */

static int levels; /* that there are below the one where it begins */

static int go_deeper(void)
{
	pid_t child;

	if (getpid() != 1)
		return 1;
	levels++;
	child = begin_inside(go_deeper);
	/* So many of them are above where the tests run, on Linux. */
	if (child < 0)
		return errno == ENOSPC && levels <= DEEPEST &&
				       (levels == DEEPEST || may_be_restricted())
			       ? 0
			       : 2;
	return status_of(child) ? 3 : 0;
}

static void they_nest(void)
{
	levels = 0;
	EXPECT_EQUAL(inside(go_deeper), 0);
}

/* ---- who may ---- */

static int without_rights(void)
{
	NEED(unshare(CLONE_NEWPID) == -1 && errno == EPERM);
	NEED(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0) == -1 && errno == EPERM);
	return 0;
}

static void it_is_the_administrators_affair(void)
{
	EXPECT_EQUAL(as_user(without_rights), 0);
}

int main(void)
{
	RUN(its_first_process_is_number_one);
	RUN(to_its_init_signals_from_inside_do_what_it_handles);
	RUN(from_outside_it_is_stopped_and_killed);
	RUN(what_it_does_itself_ends_it);
	RUN(its_init_gets_its_orphans);
	RUN(all_end_with_its_init);
	RUN(one_enters_those_below);
	RUN(nobody_looks_above);
	RUN(reboot_ends_its_init);
	RUN(they_nest);
	RUN(it_is_the_administrators_affair);
	return check_end();
}
