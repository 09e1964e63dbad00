/*
 * Waiting for signals, and what becomes of calls that one interrupts.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "signal_help.h"

/* ---- waiting for signals ---- */

static void suspend_swaps_the_mask(void)
{
	sigset_t none;

	sigemptyset(&none);
	EXPECT_EQUAL(install(SIGUSR1, note, 0), 0);
	block(SIGUSR1);
	kill(getpid(), SIGUSR1);
	EXPECT_EQUAL(ncalls, 0);
	EXPECT_ERRNO(EINTR, sigsuspend(&none));
	EXPECT_EQUAL(ncalls, 1);
	kill(getpid(), SIGUSR1);
	EXPECT_EQUAL(ncalls, 1); /* blocked again */
	unblock(SIGUSR1);
	EXPECT_EQUAL(ncalls, 2);
}

static void one_can_be_taken_without_a_handler(void)
{
	struct timespec soon = {.tv_nsec = 10000000};
	union sigval value = {.sival_int = 99};
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN + 3);
	EXPECT_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	EXPECT_ERRNO(EAGAIN, sigtimedwait(&set, &info, &soon));
	EXPECT_EQUAL(sigqueue(getpid(), SIGRTMIN + 3, value), 0);
	EXPECT_EQUAL(sigwaitinfo(&set, &info), SIGRTMIN + 3);
	EXPECT_EQUAL(info.si_value.sival_int, 99);
	EXPECT_EQUAL(info.si_code, SI_QUEUE);
	kill(getpid(), SIGUSR2);
	EXPECT_EQUAL(sigwaitinfo(&set, &info), SIGUSR2);
	EXPECT_EQUAL(info.si_pid, getpid());
	soon.tv_nsec = -1;
	EXPECT_ERRNO(EINVAL, sigtimedwait(&set, &info, &soon));
	EXPECT_EQUAL(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
}

static void the_end_of_a_child_is_told(void)
{
	sigset_t set;
	siginfo_t info;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	EXPECT_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	pid = fork();
	if (pid == 0)
		_exit(17);
	EXPECT_EQUAL(sigwaitinfo(&set, &info), SIGCHLD);
	EXPECT_EQUAL(info.si_pid, pid);
	EXPECT_EQUAL(info.si_code, CLD_EXITED);
	EXPECT_EQUAL(info.si_status, 17);
	EXPECT_EQUAL(waitpid(pid, NULL, 0), pid);
	EXPECT_EQUAL(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
}

/* ---- interrupted calls ---- */

/* A child that sends `signal` to us until it is told to end. */
static pid_t pest(int signal, long period_us)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;) {
			usleep((useconds_t)period_us);
			kill(getppid(), signal);
		}
	}
	return pid;
}

static void get_rid_of(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void reads_end_or_go_on_as_asked(void)
{
	int fds[2];
	char byte;
	pid_t pid;
	pid_t writer;

	EXPECT_EQUAL(pipe(fds), 0);
	EXPECT_EQUAL(install(SIGUSR1, note, 0), 0);
	pid = pest(SIGUSR1, 10000);
	EXPECT_ERRNO(EINTR, read(fds[0], &byte, 1));
	EXPECT_EQUAL(install(SIGUSR1, note, SA_RESTART), 0);
	writer = fork();
	if (writer == 0) {
		usleep(60000);
		_exit((int)write(fds[1], "x", 1));
	}
	EXPECT_EQUAL(read(fds[0], &byte, 1), 1);
	EXPECT(ncalls >= 1);
	get_rid_of(pid);
	EXPECT_EQUAL(waitpid(writer, NULL, 0), writer);
	close(fds[0]);
	close(fds[1]);
}

static void some_calls_never_go_on(void)
{
	struct timespec long_time = {.tv_sec = 100};
	struct timespec left = {0};
	struct pollfd nothing = {.fd = -1};
	pid_t pid;

	EXPECT_EQUAL(install(SIGUSR1, note, SA_RESTART), 0);
	pid = pest(SIGUSR1, 5000);
	EXPECT_ERRNO(EINTR, nanosleep(&long_time, &left));
	EXPECT(left.tv_sec >= 90 && left.tv_sec < 100);
	EXPECT_ERRNO(EINTR, poll(&nothing, 1, 100000));
	EXPECT_ERRNO(EINTR, poll(&nothing, 1, -1));
	EXPECT_ERRNO(EINTR, select(0, NULL, NULL, NULL, NULL));
	EXPECT_ERRNO(EINTR, pause());
	get_rid_of(pid);
}

static void ignored_signals_do_not_interrupt(void)
{
	struct timespec time = {.tv_nsec = 50000000};
	pid_t pid;

	EXPECT(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
	pid = pest(SIGUSR1, 2000);
	EXPECT_EQUAL(nanosleep(&time, NULL), 0);
	get_rid_of(pid);
}

static void ppoll_and_pselect_swap_the_mask(void)
{
	struct timespec time = {.tv_sec = 100};
	sigset_t none;
	sigset_t now;

	sigemptyset(&none);
	EXPECT_EQUAL(install(SIGUSR1, note, SA_RESTART), 0);
	block(SIGUSR1);
	kill(getpid(), SIGUSR1);
	EXPECT_ERRNO(EINTR, ppoll(NULL, 0, &time, &none));
	EXPECT_EQUAL(ncalls, 1);
	kill(getpid(), SIGUSR1);
	EXPECT_ERRNO(EINTR, pselect(0, NULL, NULL, NULL, &time, &none));
	EXPECT_EQUAL(ncalls, 2);
	sigprocmask(SIG_SETMASK, NULL, &now);
	EXPECT(sigismember(&now, SIGUSR1));
	time.tv_sec = 0;
	EXPECT_EQUAL(ppoll(NULL, 0, &time, &none), 0);
	sigprocmask(SIG_SETMASK, NULL, &now);
	EXPECT(sigismember(&now, SIGUSR1));
	unblock(SIGUSR1);
}

static void alarms_ring(void)
{
	struct itimerval timer = {.it_value = {.tv_usec = 5000}, .it_interval = {.tv_usec = 5000}};
	struct itimerval none = {0};

	EXPECT_EQUAL(install(SIGALRM, note, 0), 0);
	EXPECT_EQUAL(setitimer(ITIMER_REAL, &timer, NULL), 0);
	while (ncalls < 3)
		pause();
	EXPECT_EQUAL(setitimer(ITIMER_REAL, &none, &timer), 0);
	EXPECT_EQUAL(timer.it_interval.tv_usec, 5000);
	EXPECT_EQUAL(getitimer(ITIMER_REAL, &timer), 0);
	EXPECT_EQUAL(timer.it_value.tv_usec, 0);
	EXPECT_EQUAL(alarm(100), 0);
	EXPECT_EQUAL(alarm(0), 100);
	timer.it_value.tv_usec = 1000000;
	EXPECT_ERRNO(EINVAL, setitimer(ITIMER_REAL, &timer, NULL));
}

/* However short the interval: the next one begins when the last was taken. */
static void an_alarm_rings_again_when_it_was_heard(void)
{
	struct itimerval value = {.it_interval.tv_sec = 100, .it_value.tv_usec = 1000};
	sigset_t set;
	siginfo_t info;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	EXPECT_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	EXPECT_EQUAL(setitimer(ITIMER_REAL, &value, NULL), 0);
	do {
		sigset_t pending;

		EXPECT_EQUAL(sigpending(&pending), 0);
		if (sigismember(&pending, SIGALRM))
			break;
		usleep(1000);
	} while (true);
	EXPECT_EQUAL(getitimer(ITIMER_REAL, &value), 0);
	EXPECT(value.it_interval.tv_sec == 100 && value.it_value.tv_sec == 0);
	EXPECT_EQUAL(sigwaitinfo(&set, &info), SIGALRM);
	EXPECT_EQUAL(getitimer(ITIMER_REAL, &value), 0);
	EXPECT(value.it_value.tv_sec > 0 && value.it_value.tv_sec <= 100);
	value = (struct itimerval){.it_interval.tv_sec = 7};
	EXPECT_EQUAL(setitimer(ITIMER_REAL, &value, NULL), 0); /* none, whatever its interval */
	EXPECT_EQUAL(getitimer(ITIMER_REAL, &value), 0);
	EXPECT(value.it_interval.tv_sec == 0 && value.it_value.tv_sec == 0);
	EXPECT_EQUAL(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
}

static void a_pipe_without_readers_raises(void)
{
	int fds[2];

	EXPECT_EQUAL(pipe(fds), 0);
	close(fds[0]);
	EXPECT_EQUAL(install(SIGPIPE, note, 0), 0);
	EXPECT_ERRNO(EPIPE, write(fds[1], "x", 1));
	EXPECT_EQUAL(ncalls, 1);
	signal(SIGPIPE, SIG_DFL);
	close(fds[1]);
}

/* ---- threads ---- */

static volatile pthread_t taker;

static void note_thread(int signal)
{
	(void)signal;
	taker = pthread_self();
	ncalls++;
}

static void *block_and_wait(void *argument)
{
	block(SIGUSR1);
	*(volatile int *)argument = 1;
	while (*(volatile int *)argument == 1)
		usleep(1000);
	return NULL;
}

static void a_signal_finds_the_thread_that_takes_it(void)
{
	static int state;
	pthread_t thread;

	state = 0;
	EXPECT_EQUAL(install(SIGUSR1, note_thread, 0), 0);
	EXPECT_EQUAL(pthread_create(&thread, NULL, block_and_wait, &state), 0);
	while (!*(volatile int *)&state)
		usleep(1000);
	EXPECT_EQUAL(kill(getpid(), SIGUSR1), 0);
	while (!ncalls)
		usleep(1000);
	EXPECT(pthread_equal(taker, pthread_self()));
	EXPECT_EQUAL(pthread_kill(thread, SIGUSR1), 0); /* stays with that thread */
	usleep(5000);
	EXPECT_EQUAL(ncalls, 1);
	*(volatile int *)&state = 2;
	EXPECT_EQUAL(pthread_join(thread, NULL), 0);
}

static void *wait_for_bytes(void *fds)
{
	char byte;
	long tid = syscall(SYS_gettid);

	(void)!write(((int *)fds)[3], &tid, sizeof(tid));
	(void)!read(((int *)fds)[0], &byte, 1);
	return NULL;
}

static void a_threads_number_stands_for_its_process(void)
{
	sigset_t set;
	sigset_t before;
	siginfo_t info;
	pthread_t thread;
	int fds[4];
	long tid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	EXPECT_EQUAL(pthread_sigmask(SIG_BLOCK, &set, &before), 0);
	EXPECT(pipe(fds) == 0 && pipe(fds + 2) == 0);
	EXPECT_EQUAL(pthread_create(&thread, NULL, wait_for_bytes, fds), 0);
	EXPECT_EQUAL(read(fds[2], &tid, sizeof(tid)), sizeof(tid));
	EXPECT_EQUAL(kill((pid_t)tid, 0), 0);
	EXPECT_EQUAL(kill((pid_t)tid, SIGUSR1), 0);
	EXPECT_EQUAL(sigwaitinfo(&set, &info), SIGUSR1); /* the other one could not have it */
	EXPECT(info.si_code == SI_USER && info.si_pid == getpid());
	info.si_code = SI_QUEUE;
	EXPECT_EQUAL(syscall(SYS_rt_sigqueueinfo, tid, SIGUSR2, &info), 0);
	EXPECT_EQUAL(sigwaitinfo(&set, &info), SIGUSR2);
	EXPECT_EQUAL(getpgid((pid_t)tid), getpgrp());
	EXPECT_EQUAL(getsid((pid_t)tid), getsid(0));
	EXPECT_ERRNO(EINVAL, setpgid((pid_t)tid, 0)); /* but here it is not taken for it */
	EXPECT_EQUAL(write(fds[1], "", 1), 1);
	pthread_join(thread, NULL);
	while (kill((pid_t)tid, 0) == 0)
		sched_yield();
	EXPECT_EQUAL(errno, ESRCH);
	EXPECT_EQUAL(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

/* The first figure of SigQ: signals that wait. -1: it is not told. */
static long queued_signals(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[200];
	long queued = -1;

	while (status && fgets(line, sizeof(line), status)) {
		if (sscanf(line, "SigQ: %ld", &queued) == 1)
			break;
	}
	if (status)
		fclose(status);
	return queued;
}

static void *end_at_once(void *tid)
{
	__atomic_store_n((long *)tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	return NULL;
}

/* Signals that come to a thread between its last step and its being gone go with it. */
static void signals_to_a_thread_that_ends_go_with_it(void)
{
	long before = queued_signals();
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	EXPECT(before >= 0);
	EXPECT_EQUAL(pthread_sigmask(SIG_BLOCK, &set, &old), 0);
	for (int i = 0; i < 200; i++) {
		pthread_t thread;
		long tid = 0, number;

		EXPECT_EQUAL(pthread_create(&thread, NULL, end_at_once, &tid), 0);
		while (!(number = __atomic_load_n(&tid, __ATOMIC_ACQUIRE)))
			sched_yield();
		while (syscall(SYS_tgkill, getpid(), number, SIGRTMIN) == 0 || errno == EAGAIN)
			;
		EXPECT_EQUAL(errno, ESRCH);
		EXPECT_EQUAL(pthread_join(thread, NULL), 0);
	}
	EXPECT(queued_signals() <= before + 50); /* on Linux others of this user have some, too */
	EXPECT_EQUAL(pthread_sigmask(SIG_SETMASK, &old, NULL), 0);
}

int main(void)
{
	RUN(suspend_swaps_the_mask);
	RUN(one_can_be_taken_without_a_handler);
	RUN(the_end_of_a_child_is_told);
	RUN(reads_end_or_go_on_as_asked);
	RUN(some_calls_never_go_on);
	RUN(ignored_signals_do_not_interrupt);
	RUN(ppoll_and_pselect_swap_the_mask);
	RUN(alarms_ring);
	RUN(an_alarm_rings_again_when_it_was_heard);
	RUN(a_pipe_without_readers_raises);
	RUN(a_signal_finds_the_thread_that_takes_it);
	RUN(signals_to_a_thread_that_ends_go_with_it);
	RUN(a_threads_number_stands_for_its_process);
	return check_end();
}
