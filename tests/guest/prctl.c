/*
 * What prctl remembers, and priorities: of input and output, and niceness.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define BY_PROCESS 1
#define BY_GROUP   2
#define BY_USER    3
#define NONE       0
#define RT         (1 << 13)
#define BE         (2 << 13)
#define IDLE       (3 << 13)

/* ---- prctl ---- */

static void the_death_signal_comes_when_the_parent_ends(void)
{
	int ready[2];
	int done[2];
	char byte = 0;
	pid_t parent;

	EXPECT_EQUAL(pipe(ready) | pipe(done), 0);
	parent = fork();
	if (!parent) {
		if (!fork()) {
			sigset_t set;
			siginfo_t info;

			close(ready[0]);
			close(done[0]);
			sigemptyset(&set);
			sigaddset(&set, SIGUSR2);
			sigprocmask(SIG_BLOCK, &set, NULL);
			prctl(PR_SET_PDEATHSIG, SIGUSR2, 0, 0, 0);
			if (write(ready[1], "r", 1) == 1 && sigwaitinfo(&set, &info) == SIGUSR2 &&
			    info.si_code == SI_USER)
				_exit(write(done[1], "d", 1) != 1);
			_exit(1);
		}
		close(ready[1]);
		_exit(read(ready[0], &byte, 1) != 1);
	}
	EXPECT_EQUAL(waitpid(parent, NULL, 0), parent);
	close(done[1]);
	EXPECT_EQUAL(read(done[0], &byte, 1), 1);
	EXPECT_EQUAL(byte, 'd');
	close(done[0]);
	close(ready[0]);
	close(ready[1]);
}

static void the_death_signal_is_not_a_childs(void)
{
	int signal = -1;
	int status;
	pid_t pid;

	EXPECT_EQUAL(prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0), 0);
	EXPECT_EQUAL(prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0), 0);
	EXPECT_EQUAL(signal, SIGUSR1);
	pid = fork();
	if (!pid)
		_exit(prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0) || signal);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
	EXPECT_EQUAL(prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0), 0);
	EXPECT_ERRNO(EINVAL, prctl(PR_SET_PDEATHSIG, 65, 0, 0, 0));
	EXPECT_ERRNO(EFAULT, prctl(PR_GET_PDEATHSIG, 8, 0, 0, 0));
}

static void timer_slack_is_kept_and_inherited(void)
{
	int before = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
	int status;
	pid_t pid;

	EXPECT(before > 0);
	EXPECT_EQUAL(prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0), 0);
	EXPECT_EQUAL(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 1000);
	pid = fork();
	if (!pid) { /* where it is the default, too */
		prctl(PR_SET_TIMERSLACK, 7, 0, 0, 0);
		prctl(PR_SET_TIMERSLACK, 0, 0, 0, 0);
		_exit(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) != 1000);
	}
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
	EXPECT_EQUAL(prctl(PR_SET_TIMERSLACK, 0, 0, 0, 0), 0);
	EXPECT_EQUAL(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), before);
}

static void arguments_that_mean_nothing_are_zero(void)
{
	EXPECT_ERRNO(EINVAL, prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0));
	EXPECT_ERRNO(EINVAL, prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
	EXPECT_ERRNO(EINVAL, prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	EXPECT_ERRNO(EINVAL, prctl(PR_SET_DUMPABLE, 7, 0, 0, 0));
	EXPECT_ERRNO(EINVAL, prctl(9999, 0, 0, 0, 0));
	EXPECT_EQUAL(prctl(PR_GET_TIMING, 0, 0, 0, 0), PR_TIMING_STATISTICAL);
	EXPECT_EQUAL(prctl(PR_SET_TIMING, PR_TIMING_STATISTICAL, 0, 0, 0), 0);
	EXPECT_ERRNO(EINVAL, prctl(PR_SET_TIMING, PR_TIMING_TIMESTAMP, 0, 0, 0));
}

/* ---- ioprio ---- */

static int get(int which, int who)
{
	return (int)syscall(SYS_ioprio_get, which, who);
}

static int set(int which, int who, int value)
{
	return (int)syscall(SYS_ioprio_set, which, who, value);
}

static void a_priority_is_kept_and_inherited(void)
{
	int status;
	pid_t pid;

	EXPECT_EQUAL(set(BY_PROCESS, 0, BE | 6), 0);
	EXPECT_EQUAL(get(BY_PROCESS, 0), BE | 6);
	EXPECT_EQUAL(get(BY_PROCESS, getpid()), BE | 6);
	pid = fork();
	if (!pid)
		_exit(get(BY_PROCESS, 0) != (BE | 6));
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
	EXPECT_EQUAL(set(BY_PROCESS, 0, IDLE), 0);
	EXPECT_EQUAL(get(BY_PROCESS, 0), IDLE);
	EXPECT_EQUAL(set(BY_PROCESS, 0, NONE), 0);
}

/* In a group of its own, with a child that is more urgent. */
static int in_a_group(void)
{
	pid_t pid;
	int start[2];
	int told[2];
	char byte;

	if (setpgid(0, 0) || pipe(start) || pipe(told))
		return 1;
	pid = fork();
	if (!pid) {
		set(BY_PROCESS, 0, BE | 2);
		if (write(told[1], "t", 1) != 1)
			_exit(1);
		_exit((int)read(start[0], &byte, 1));
	}
	if (read(told[0], &byte, 1) != 1)
		return 2;
	if (get(BY_GROUP, 0) != (BE | 2) || set(BY_GROUP, getpid(), BE | 5))
		return 3;
	if (get(BY_PROCESS, pid) != (BE | 5) || get(BY_GROUP, 0) != (BE | 5))
		return 4;
	kill(pid, SIGKILL);
	return waitpid(pid, NULL, 0) != pid;
}

static void a_group_has_its_most_urgent_members_priority(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(in_a_group());
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
	EXPECT(get(BY_USER, 0) > 0);
}

static int as_user(void)
{
	if (set(BY_PROCESS, 0, RT | 4) != -1 || errno != EPERM)
		return 1;
	if (set(BY_PROCESS, getppid(), BE | 4) != -1 || errno != EPERM)
		return 2;
	return set(BY_PROCESS, 0, BE | 7);
}

static void what_may_not_be_set_is_refused(void)
{
	int status;
	pid_t pid;

	EXPECT_ERRNO(EINVAL, set(BY_PROCESS, 0, 4 << 13));
	EXPECT_ERRNO(EINVAL, set(BY_PROCESS, 0, NONE | 1));
	EXPECT_ERRNO(EINVAL, set(7, 0, BE));
	EXPECT_ERRNO(EINVAL, get(7, 0));
	EXPECT_ERRNO(ESRCH, get(BY_PROCESS, 4000000));
	EXPECT_ERRNO(ESRCH, get(BY_GROUP, 4000000));
	EXPECT_ERRNO(ESRCH, set(BY_USER, 4000000, BE | 4));
	if (getuid() != 0)
		return;
	pid = fork();
	if (!pid)
		_exit(setgid(1000) || setuid(1000) ? 9 : as_user());
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
}

static void *become_nicer(void *argument)
{
	(void)argument;
	return (void *)(long)(setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 5) == 0 &&
			      getpriority(PRIO_PROCESS, 0) == 5 &&
			      getpriority(PRIO_PROCESS, (id_t)getpid()) == 0);
}

static void each_thread_has_its_own_niceness(void)
{
	pthread_t thread;
	void *result;

	EXPECT_EQUAL(pthread_create(&thread, NULL, become_nicer, NULL), 0);
	EXPECT_EQUAL(pthread_join(thread, &result), 0);
	EXPECT(result != NULL);
	EXPECT_EQUAL(getpriority(PRIO_PROCESS, 0), 0);
}

int main(void)
{
	RUN(the_death_signal_comes_when_the_parent_ends);
	RUN(the_death_signal_is_not_a_childs);
	RUN(timer_slack_is_kept_and_inherited);
	RUN(arguments_that_mean_nothing_are_zero);
	RUN(a_priority_is_kept_and_inherited);
	RUN(a_group_has_its_most_urgent_members_priority);
	RUN(what_may_not_be_set_is_refused);
	RUN(each_thread_has_its_own_niceness);
	return check_end();
}
