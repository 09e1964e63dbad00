/*
 * fork, vfork, clone, exit, wait4, waitid: what a parent and its children know of each other.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* The child's end: its status, or -1. */
static int status_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid ? status : -1;
}

static int exit_of(pid_t pid)
{
	int status = status_of(pid);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void child_is_a_copy_of_its_own(void)
{
	static int written = 1;
	int on_stack = 1;
	pid_t pid = fork();

	EXPECT(pid >= 0);
	if (pid == 0) {
		written++;
		on_stack++;
		_exit(written == 2 && on_stack == 2 && getpid() != getppid() ? 7 : 1);
	}
	EXPECT_EQUAL(exit_of(pid), 7);
	EXPECT_EQUAL(written, 1);
	EXPECT_EQUAL(on_stack, 1);
}

static void parent_writes_are_not_seen_by_the_child(void)
{
	int fds[2];
	char go;
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	EXPECT(page != MAP_FAILED);
	*page = 'a';
	EXPECT_EQUAL(pipe(fds), 0);
	pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0)
		_exit(read(fds[0], &go, 1) == 1 && *page == 'a' ? 0 : 1);
	*page = 'b';
	EXPECT_EQUAL(write(fds[1], "", 1), 1);
	EXPECT_EQUAL(exit_of(pid), 0);
	EXPECT_EQUAL(*page, 'b');
	munmap(page, 4096);
	close(fds[0]);
	close(fds[1]);
}

static void shared_memory_stays_shared(void)
{
	int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	EXPECT(word != MAP_FAILED);
	pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0) {
		*word = 42;
		_exit(0);
	}
	EXPECT_EQUAL(exit_of(pid), 0);
	EXPECT_EQUAL(*word, 42);
	munmap(word, 4096);
}

static void descriptors_are_copied_and_offsets_shared(void)
{
	char byte;
	int fds[2];
	pid_t pid;

	EXPECT_EQUAL(pipe(fds), 0);
	pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		_exit(write(fds[1], "x", 1) == 1 ? 0 : 1);
	}
	EXPECT_EQUAL(close(fds[1]), 0);
	EXPECT_EQUAL(read(fds[0], &byte, 1), 1);
	EXPECT_EQUAL(read(fds[0], &byte, 1), 0); /* the last writer has gone */
	EXPECT_EQUAL(exit_of(pid), 0);
	close(fds[0]);
}

static void ends_are_told_apart(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(300); /* the low eight bits count */
	status = status_of(pid);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == (300 & 255));
	pid = fork();
	if (pid == 0) {
		raise(SIGKILL);
		_exit(0);
	}
	status = status_of(pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void wait_knows_which(void)
{
	pid_t first = fork();
	pid_t second;
	int status;

	if (first == 0)
		_exit(1);
	second = fork();
	if (second == 0)
		_exit(2);
	EXPECT_EQUAL(waitpid(second, &status, 0), second);
	EXPECT_EQUAL(WEXITSTATUS(status), 2);
	EXPECT_EQUAL(waitpid(-1, &status, 0), first);
	EXPECT_EQUAL(WEXITSTATUS(status), 1);
	EXPECT_ERRNO(ECHILD, waitpid(-1, &status, 0));
	EXPECT_ERRNO(ECHILD, waitpid(first, &status, WNOHANG));
	EXPECT_ERRNO(EINVAL, waitpid(-1, &status, 0x1000));
}

static void nohang_does_not_wait(void)
{
	int fds[2];
	int status;
	char byte;
	pid_t pid;

	EXPECT_EQUAL(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		_exit((int)read(fds[0], &byte, 1));
	EXPECT_EQUAL(waitpid(pid, &status, WNOHANG), 0);
	EXPECT_EQUAL(write(fds[1], "", 1), 1);
	EXPECT_EQUAL(exit_of(pid), 1);
	close(fds[0]);
	close(fds[1]);
}

static void waitid_tells_all_and_can_leave_the_zombie(void)
{
	siginfo_t info = {0};
	pid_t pid = fork();

	if (pid == 0)
		_exit(9);
	EXPECT_EQUAL(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	EXPECT_EQUAL(info.si_pid, pid);
	EXPECT_EQUAL(info.si_signo, SIGCHLD);
	EXPECT_EQUAL(info.si_code, CLD_EXITED);
	EXPECT_EQUAL(info.si_status, 9);
	EXPECT_EQUAL(info.si_uid, getuid());
	EXPECT_EQUAL(exit_of(pid), 9);
	EXPECT_ERRNO(ECHILD, waitid(P_ALL, 0, &info, WEXITED));
	EXPECT_ERRNO(EINVAL, waitid(P_ALL, 0, &info, 0));
}

static void usage_is_told(void)
{
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		for (volatile int i = 0; i < 3000000; i++)
			;
		_exit(0);
	}
	memset(&usage, 0xff, sizeof(usage));
	EXPECT_EQUAL(wait4(pid, &status, 0, &usage), pid);
	EXPECT(usage.ru_utime.tv_usec >= 0 && usage.ru_utime.tv_usec < 1000000);
	EXPECT(usage.ru_maxrss >= 0 && usage.ru_nswap == 0);
	EXPECT_EQUAL(getrusage(RUSAGE_CHILDREN, &usage), 0);
	EXPECT(usage.ru_utime.tv_sec || usage.ru_utime.tv_usec || usage.ru_stime.tv_usec);
}

static void vfork_waits_and_shares(void)
{
	static volatile int step;
	pid_t pid;

	step = 0;
	pid = vfork();
	if (pid == 0) {
		for (volatile int i = 0; i < 100000; i++)
			;
		step = 1;
		_exit(3);
	}
	EXPECT_EQUAL(step, 1);
	EXPECT_EQUAL(exit_of(pid), 3);
}

static long raw_clone(unsigned long flags, void *stack)
{
	return syscall(SYS_clone, flags, stack, NULL, NULL, 0UL);
}

static void contradictions_are_refused(void)
{
	EXPECT_ERRNO(EINVAL, raw_clone(CLONE_THREAD | SIGCHLD, NULL));
	EXPECT_ERRNO(EINVAL, raw_clone(CLONE_SIGHAND | SIGCHLD, NULL));
	EXPECT_ERRNO(EINVAL, raw_clone(CLONE_THREAD | CLONE_SIGHAND, NULL));
	EXPECT_ERRNO(EINVAL, raw_clone(CLONE_FS | CLONE_NEWNS | SIGCHLD, NULL));
}

static void numbers_are_put_where_asked(void)
{
	static pid_t parent_word;
	static pid_t child_word;
	int *seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long pid = syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, NULL,
			   &parent_word, &child_word, 0UL);

	EXPECT(pid >= 0);
	if (pid == 0) {
		*seen = child_word;
		_exit(0);
	}
	EXPECT_EQUAL(parent_word, pid);
	EXPECT_EQUAL(exit_of((pid_t)pid), 0);
	EXPECT_EQUAL(*seen, pid);
	EXPECT_EQUAL(child_word, 0); /* that was the child's memory */
	munmap(seen, 4096);
}

static void clone3_takes_what_it_knows(void)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	struct {
		struct clone_args known;
		unsigned long more;
	} longer = {.known = {.exit_signal = SIGCHLD}, .more = 1};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(5);
	EXPECT(pid > 0);
	EXPECT_EQUAL(exit_of((pid_t)pid), 5);
	EXPECT_ERRNO(E2BIG, syscall(SYS_clone3, &longer, sizeof(longer)));
	EXPECT_ERRNO(EINVAL, syscall(SYS_clone3, &args, 16L));
	args.exit_signal = 65;
	EXPECT_ERRNO(EINVAL, syscall(SYS_clone3, &args, sizeof(args)));
	args.exit_signal = SIGCHLD;
	args.stack_size = 4096;
	EXPECT_ERRNO(EINVAL, syscall(SYS_clone3, &args, sizeof(args)));
	EXPECT_ERRNO(EFAULT, syscall(SYS_clone3, 8L, sizeof(args)));
}

static void another_signal_of_the_end_needs_another_wait(void)
{
	int status;
	long pid = raw_clone(0, NULL); /* no signal at all */

	EXPECT(pid >= 0);
	if (pid == 0)
		_exit(4);
	EXPECT_ERRNO(ECHILD, waitpid((pid_t)pid, &status, WNOHANG));
	EXPECT_EQUAL(waitpid((pid_t)pid, &status, __WALL), pid);
	EXPECT_EQUAL(WEXITSTATUS(status), 4);
}

/* clone(2) takes any number; one that is no signal tells nothing. */
static void a_number_that_is_no_signal_is_none(void)
{
	int status;
	long pid = raw_clone(200, NULL);

	EXPECT(pid >= 0);
	if (pid == 0)
		_exit(5);
	EXPECT_EQUAL(waitpid((pid_t)pid, &status, __WALL), pid);
	EXPECT_EQUAL(WEXITSTATUS(status), 5);
}

static void ignored_children_leave_no_zombies(void)
{
	int status;
	pid_t pid;

	EXPECT(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	pid = fork();
	if (pid == 0)
		_exit(0);
	EXPECT_ERRNO(ECHILD, waitpid(pid, &status, 0)); /* returns when the last one has gone */
	EXPECT(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
}

/* A subreaper that wants to know of no ends: has a child that ends before its own zombie was
 * waited for. True: nothing is left to wait for. */
static bool inherits_no_zombie(const struct sigaction *action)
{
	pid_t pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigaction(SIGCHLD, action, NULL);
	pid = fork();
	if (pid == 0) {
		siginfo_t info;
		pid_t zombie;

		signal(SIGCHLD, SIG_DFL);
		zombie = fork();
		if (zombie == 0)
			_exit(3);
		_exit(waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT));
	}
	return waitpid(-1, NULL, 0) == -1 && errno == ECHILD;
}

static void an_heir_that_does_not_ask_gets_no_zombies(void)
{
	const struct sigaction actions[] = {{.sa_handler = SIG_IGN}, {.sa_flags = SA_NOCLDWAIT}};

	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(inherits_no_zombie(&actions[i]) ? 0 : 1);
		EXPECT_EQUAL(exit_of(pid), 0);
	}
}

static void zombies_stay_when_the_parent_stops_to_ask(void)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(5);
	EXPECT_EQUAL(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	EXPECT(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	EXPECT_EQUAL(exit_of(pid), 5);
	EXPECT(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
}

static void an_ignored_end_is_not_kept_while_it_is_blocked(void)
{
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	EXPECT_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	EXPECT(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	pid = fork();
	if (pid == 0)
		_exit(0);
	EXPECT_ERRNO(ECHILD, waitpid(pid, NULL, 0));
	EXPECT(sigpending(&set) == 0 && !sigismember(&set, SIGCHLD));
	EXPECT(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
	sigemptyset(&set);
	EXPECT_EQUAL(sigprocmask(SIG_SETMASK, &set, NULL), 0);
}

static void orphans_go_to_the_subreaper(void)
{
	int number[2];
	int end[2];
	int value = 0;
	pid_t grandchild;
	pid_t pid;

	EXPECT_EQUAL(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	EXPECT_EQUAL(prctl(PR_GET_CHILD_SUBREAPER, &value), 0);
	EXPECT_EQUAL(value, 1);
	EXPECT_EQUAL(pipe(number), 0);
	EXPECT_EQUAL(pipe(end), 0);
	pid = fork();
	if (pid == 0) {
		grandchild = fork();
		if (grandchild == 0) {
			char byte;

			close(end[1]);
			_exit(read(end[0], &byte, 1) == 0 && getppid() != 0 ? 6 : 1);
		}
		_exit(write(number[1], &grandchild, sizeof(grandchild)) > 0 ? 0 : 1);
	}
	EXPECT_EQUAL(read(number[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
	EXPECT_EQUAL(exit_of(pid), 0);
	EXPECT_EQUAL(close(end[1]), 0);
	EXPECT_EQUAL(exit_of(grandchild), 6);
	EXPECT_EQUAL(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
	close(end[0]);
	for (int i = 0; i < 2; i++)
		close(number[i]);
}

static void groups_and_sessions_follow_their_rules(void)
{
	int ready[2];
	int done[2];
	char byte;
	pid_t pid;

	EXPECT_EQUAL(pipe(ready), 0);
	EXPECT_EQUAL(pipe(done), 0);
	pid = fork();
	if (pid == 0) {
		if (getpgrp() != getpgid(getppid()))
			_exit(1);
		if (write(ready[1], "", 1) != 1 || read(done[0], &byte, 1) != 1)
			_exit(2);
		if (getpgrp() != getpid())
			_exit(3);
		if (setsid() != -1 || errno != EPERM) /* it leads a group */
			_exit(4);
		_exit(0);
	}
	EXPECT_EQUAL(read(ready[0], &byte, 1), 1);
	EXPECT_EQUAL(setpgid(pid, 0), 0);
	EXPECT_EQUAL(getpgid(pid), pid);
	EXPECT_EQUAL(getsid(pid), getsid(0));
	EXPECT_ERRNO(EPERM, setpgid(pid, 0x3ffffff)); /* no such group */
	EXPECT_ERRNO(ESRCH, setpgid(0x3ffffff, 0));
	EXPECT_ERRNO(EINVAL, setpgid(pid, -1));
	EXPECT_EQUAL(write(done[1], "", 1), 1);
	EXPECT_EQUAL(exit_of(pid), 0);

	pid = fork();
	if (pid == 0) {
		if (setsid() != getpid() || getsid(0) != getpid() || getpgrp() != getpid())
			_exit(1);
		if (setpgid(0, 0) != -1 || errno != EPERM) /* a leader stays */
			_exit(2);
		_exit(0);
	}
	EXPECT_EQUAL(exit_of(pid), 0);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(done[i]);
	}
}

static void wait_of_a_group_sees_its_members_alone(void)
{
	int status;
	pid_t member = fork();
	pid_t other;

	if (member == 0) {
		setpgid(0, 0);
		_exit(1);
	}
	setpgid(member, member);
	other = fork();
	if (other == 0)
		_exit(2);
	EXPECT_EQUAL(waitpid(-member, &status, 0), member);
	EXPECT_ERRNO(ECHILD, waitpid(-member, &status, 0));
	EXPECT_EQUAL(waitpid(0, &status, 0), other);
}

/* Forks and forks; all wait for their end, and hold the pipe open. Not by the C library's fork,
 * which blocks signals before it calls: what comes then is for the parent alone. */
static void bear_children(int alive)
{
	setpgid(0, 0);
	for (int i = 0; i < 60; i++) {
		if (syscall(SYS_fork) == 0)
			break;
		if (i == 0)
			(void)!write(alive, "", 1);
	}
	for (;;)
		pause();
}

static void a_signal_to_a_group_is_for_those_being_born_too(void)
{
	for (int round = 0; round < 12; round++) {
		struct pollfd end = {.events = POLLIN};
		int fds[2];
		char byte;
		pid_t pid;

		EXPECT_EQUAL(pipe(fds), 0);
		pid = fork();
		if (pid == 0) {
			close(fds[0]);
			bear_children(fds[1]);
		}
		close(fds[1]);
		EXPECT_EQUAL(read(fds[0], &byte, 1), 1);
		EXPECT_EQUAL(kill(-pid, SIGTERM), 0);
		EXPECT(WIFSIGNALED(status_of(pid)));
		/* Hung up: nobody is left who holds the other end. */
		end.fd = fds[0];
		if (poll(&end, 1, 20000) != 1 || !(end.revents & POLLHUP)) {
			kill(-pid, SIGKILL);
			FAIL("a child of round %d lives on", round);
		}
		close(fds[0]);
	}
}

static void many_children_one_after_the_other(void)
{
	for (int i = 0; i < 200; i++) {
		pid_t pid = fork();

		EXPECT(pid >= 0);
		if (pid == 0)
			_exit(i & 127);
		EXPECT_EQUAL(exit_of(pid), i & 127);
	}
}

static void many_children_at_once(void)
{
	enum { MANY = 40 };
	pid_t pids[MANY];
	unsigned sum = 0;

	for (int i = 0; i < MANY; i++) {
		pids[i] = fork();
		EXPECT(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(i);
	}
	for (int i = 0; i < MANY; i++) {
		int status;

		EXPECT(waitpid(-1, &status, 0) > 0);
		sum += (unsigned)WEXITSTATUS(status);
	}
	EXPECT_EQUAL(sum, MANY * (MANY - 1) / 2);
}

int main(void)
{
	RUN(child_is_a_copy_of_its_own);
	RUN(parent_writes_are_not_seen_by_the_child);
	RUN(shared_memory_stays_shared);
	RUN(descriptors_are_copied_and_offsets_shared);
	RUN(ends_are_told_apart);
	RUN(wait_knows_which);
	RUN(nohang_does_not_wait);
	RUN(waitid_tells_all_and_can_leave_the_zombie);
	RUN(usage_is_told);
	RUN(vfork_waits_and_shares);
	RUN(contradictions_are_refused);
	RUN(numbers_are_put_where_asked);
	RUN(clone3_takes_what_it_knows);
	RUN(another_signal_of_the_end_needs_another_wait);
	RUN(a_number_that_is_no_signal_is_none);
	RUN(ignored_children_leave_no_zombies);
	RUN(an_heir_that_does_not_ask_gets_no_zombies);
	RUN(zombies_stay_when_the_parent_stops_to_ask);
	RUN(an_ignored_end_is_not_kept_while_it_is_blocked);
	RUN(orphans_go_to_the_subreaper);
	RUN(groups_and_sessions_follow_their_rules);
	RUN(wait_of_a_group_sees_its_members_alone);
	RUN(a_signal_to_a_group_is_for_those_being_born_too);
	RUN(many_children_one_after_the_other);
	RUN(many_children_at_once);
	return check_end();
}
