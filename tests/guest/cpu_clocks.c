/*
 * CPU clocks of other processes: read, waited for by timers and by sleeping; and how long a
 * real-time thread may run without sleeping.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"
#include "signal_help.h"

#define MS 1000000L

static int64_t ns_of(const struct timespec *time)
{
	return time->tv_sec * 1000000000LL + time->tv_nsec;
}

static clockid_t clock_of(pid_t pid)
{
	return (clockid_t)(~(unsigned)pid << 3 | 2);
}

static int64_t read_clock(clockid_t clock)
{
	struct timespec time;

	return clock_gettime(clock, &time) ? -1 : ns_of(&time);
}

/* musl has errors of its own. */
static int sleep_by(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
	return (int)syscall(SYS_clock_nanosleep, clock, flags, time, left);
}

static pid_t child_that(bool spins)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;;) {
		if (!spins)
			pause();
	}
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- reading ---- */

static void the_time_of_another_process_is_read(void)
{
	pid_t pid = child_that(true);
	int64_t first = read_clock(clock_of(pid));

	EXPECT(first >= 0);
	while (read_clock(clock_of(pid)) < first + 2 * MS)
		sched_yield();
	EXPECT_EQUAL(clock_getres(clock_of(pid), NULL), 0);
	end(pid);
	EXPECT_ERRNO(EINVAL, read_clock(clock_of(pid)));
	EXPECT(read_clock(clock_of(getpid())) > 0);
}

static void what_is_no_clock_is_refused(void)
{
	pid_t pid = child_that(false);
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	timer_t timer;

	/* Threads tell those of their own process alone. */
	EXPECT_ERRNO(EINVAL, read_clock((clockid_t)((unsigned)clock_of(pid) | 4)));
	EXPECT_ERRNO(EINVAL, read_clock((clockid_t)((unsigned)clock_of(pid) | 3)));
	EXPECT_ERRNO(EINVAL,
		     timer_create((clockid_t)((unsigned)clock_of(pid) | 4), &event, &timer));
	end(pid);
	EXPECT_ERRNO(EINVAL, timer_create(clock_of(pid), &event, &timer));
	EXPECT_ERRNO(EINVAL, sleep_by(clock_of(pid), 0, &(struct timespec){0}, NULL));
}

/* ---- timers ---- */

static int wait_for_signal(siginfo_t *info)
{
	const struct timespec patience = {.tv_sec = 20};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return sigtimedwait(&set, info, &patience);
}

/* What it has told already is no news of the next one. */
static int delete_timer(timer_t timer)
{
	const struct timespec at_once = {0};
	int result = timer_delete(timer);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	while (sigtimedwait(&set, NULL, &at_once) == SIGUSR1)
		;
	return result;
}

static int make_timer(pid_t pid, timer_t *timer)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};

	event.sigev_value.sival_int = 77;
	block(SIGUSR1);
	return timer_create(clock_of(pid), &event, timer);
}

static void a_timer_goes_by_another_processs_time(void)
{
	pid_t pid = child_that(true);
	struct itimerspec often = {.it_value = {0, 5 * MS}, .it_interval = {0, 5 * MS}};
	struct itimerspec left;
	siginfo_t info;
	timer_t timer;
	int64_t first = read_clock(clock_of(pid));

	EXPECT_EQUAL(make_timer(pid, &timer), 0);
	EXPECT_EQUAL(timer_gettime(timer, &left), 0);
	EXPECT_EQUAL(ns_of(&left.it_value), 0);
	EXPECT_EQUAL(timer_settime(timer, 0, &often, NULL), 0);
	for (int i = 1; i <= 3; i++) {
		EXPECT_EQUAL(wait_for_signal(&info), SIGUSR1);
		EXPECT_EQUAL(info.si_code, SI_TIMER);
		EXPECT_EQUAL(info.si_value.sival_int, 77);
		EXPECT(read_clock(clock_of(pid)) >= first + i * 5 * MS);
	}
	EXPECT_EQUAL(timer_gettime(timer, &left), 0);
	EXPECT(ns_of(&left.it_value) > 0 && ns_of(&left.it_value) <= 5 * MS);
	EXPECT_EQUAL(ns_of(&left.it_interval), 5 * MS);
	EXPECT(timer_getoverrun(timer) >= 0);
	EXPECT_EQUAL(delete_timer(timer), 0);
	end(pid);
}

static void what_was_missed_is_told(void)
{
	pid_t pid = child_that(true);
	struct itimerspec often = {.it_value = {0, 2 * MS}, .it_interval = {0, 2 * MS}};
	siginfo_t info;
	timer_t timer;
	int64_t first = read_clock(clock_of(pid));

	EXPECT_EQUAL(make_timer(pid, &timer), 0);
	EXPECT_EQUAL(timer_settime(timer, 0, &often, NULL), 0);
	do { /* on a busy machine it may have been told just now */
		while (read_clock(clock_of(pid)) < first + 40 * MS)
			sched_yield();
		first += 40 * MS;
		EXPECT_EQUAL(wait_for_signal(&info), SIGUSR1);
	} while (info.si_overrun < 2 && read_clock(clock_of(pid)) < 2000 * MS);
	EXPECT(info.si_overrun >= 2);
	EXPECT_EQUAL(delete_timer(timer), 0);
	end(pid);
}

static void one_that_stands_still_fires_what_is_past_and_nothing_else(void)
{
	pid_t pid = child_that(false);
	struct itimerspec past = {.it_value = {0, 1}};
	struct itimerspec later = {.it_value = {1000, 0}};
	struct itimerspec left;
	siginfo_t info;
	timer_t timer;

	while (read_clock(clock_of(pid)) <= 0)
		sched_yield();
	EXPECT_EQUAL(make_timer(pid, &timer), 0);
	EXPECT_EQUAL(timer_settime(timer, 0, &later, NULL), 0);
	EXPECT_EQUAL(timer_settime(timer, TIMER_ABSTIME, &past, &left), 0);
	EXPECT(left.it_value.tv_sec >= 998);
	EXPECT_EQUAL(wait_for_signal(&info), SIGUSR1);
	EXPECT_EQUAL(timer_gettime(timer, &left), 0);
	EXPECT_EQUAL(ns_of(&left.it_value), 0);
	/* One is deleted while it waits, and after who it watched has gone. */
	EXPECT_EQUAL(timer_settime(timer, 0, &later, NULL), 0);
	end(pid);
	EXPECT_EQUAL(delete_timer(timer), 0);
}

/* By its owner, and by whom it watches, at the same time: it is as whole as before. */
static void one_that_is_set_while_it_comes_due_fires(void)
{
	pid_t pid = child_that(true);
	struct itimerspec past = {.it_value = {0, 1}};
	const struct timespec at_once = {0};
	sigset_t set;
	siginfo_t info;
	timer_t timer;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	EXPECT_EQUAL(make_timer(pid, &timer), 0);
	for (int i = 0; i < 2000; i++) {
		EXPECT_EQUAL(timer_settime(timer, TIMER_ABSTIME, &past, NULL), 0);
		(void)sigtimedwait(&set, &info, &at_once);
	}
	while (sigtimedwait(&set, &info, &at_once) == SIGUSR1)
		;
	EXPECT_EQUAL(timer_settime(timer, TIMER_ABSTIME, &past, NULL), 0);
	EXPECT_EQUAL(wait_for_signal(&info), SIGUSR1);
	EXPECT_EQUAL(delete_timer(timer), 0);
	end(pid);
}

/* ---- sleeping ---- */

static void a_sleep_goes_by_another_processs_time(void)
{
	pid_t pid = child_that(true);
	int64_t first = read_clock(clock_of(pid));
	struct timespec until;

	EXPECT_EQUAL(sleep_by(clock_of(pid), 0, &(struct timespec){0, 5 * MS}, NULL), 0);
	EXPECT(read_clock(clock_of(pid)) >= first + 5 * MS);
	first = read_clock(clock_of(pid)) + 5 * MS;
	until = (struct timespec){first / 1000000000, first % 1000000000};
	EXPECT_EQUAL(sleep_by(clock_of(pid), TIMER_ABSTIME, &until, NULL), 0);
	EXPECT(read_clock(clock_of(pid)) >= first);
	EXPECT_EQUAL(sleep_by(clock_of(pid), TIMER_ABSTIME, &until, NULL), 0);
	end(pid);
}

static volatile bool is_over;

static void *spin(void *argument)
{
	(void)argument;
	while (!is_over)
		;
	return NULL;
}

static void a_sleep_goes_by_its_own_processs_time(void)
{
	struct timespec time = {0, 5 * MS};
	pthread_t thread;

	is_over = false;
	EXPECT_EQUAL(pthread_create(&thread, NULL, spin, NULL), 0);
	EXPECT_EQUAL(sleep_by(CLOCK_PROCESS_CPUTIME_ID, 0, &time, NULL), 0);
	is_over = true;
	pthread_join(thread, NULL);
}

static void end_sleep(int signal)
{
	note(signal);
}

static void a_signal_ends_the_sleep(void)
{
	pid_t pid = child_that(false);
	struct timespec left = {0};
	pid_t killer;

	EXPECT_EQUAL(install(SIGALRM, end_sleep, 0), 0);
	killer = fork();
	if (!killer) {
		for (;;) {
			usleep(1000);
			kill(getppid(), SIGALRM);
		}
	}
	EXPECT_ERRNO(EINTR, sleep_by(clock_of(pid), 0, &(struct timespec){100, 0}, &left));
	EXPECT(left.tv_sec >= 98 && left.tv_sec <= 100);
	EXPECT_ERRNO(EINTR,
		     sleep_by(clock_of(pid), TIMER_ABSTIME, &(struct timespec){100, 0}, NULL));
	end(killer);
	end(pid);
}

static void clocks_that_nobody_sleeps_by_are_refused(void)
{
	struct timespec time = {0};
	clockid_t own = (clockid_t)(~(unsigned)syscall(SYS_gettid) << 3 | 6);

	EXPECT_ERRNO(EINVAL, sleep_by(own, 0, &time, NULL));
	EXPECT_ERRNO(EOPNOTSUPP, sleep_by(CLOCK_THREAD_CPUTIME_ID, 0, &time, NULL));
	EXPECT_ERRNO(EOPNOTSUPP, sleep_by(CLOCK_MONOTONIC_RAW, 0, &time, NULL));
	EXPECT_ERRNO(EOPNOTSUPP, sleep_by(CLOCK_REALTIME_COARSE, 0, &time, NULL));
	EXPECT_ERRNO(EINVAL, sleep_by(77, 0, &time, NULL));
	EXPECT_EQUAL(sleep_by(CLOCK_TAI, 0, &time, NULL), 0);
	EXPECT_ERRNO(EFAULT, sleep_by(CLOCK_PROCESS_CPUTIME_ID, 0, (struct timespec *)8, NULL));
	time.tv_nsec = -1;
	EXPECT_ERRNO(EINVAL, sleep_by(CLOCK_PROCESS_CPUTIME_ID, 0, &time, NULL));
}

/* ---- RLIMIT_RTTIME ---- */

static volatile int *nwarnings; /* shared with the child */

static void warn(int signal)
{
	(void)signal;
	++*nwarnings;
}

static int run_as_realtime(void)
{
	const struct rlimit limit = {.rlim_cur = 20000, .rlim_max = 60000};
	struct sched_param param = {.sched_priority = 1};
	struct rlimit told;

	NEED(install(SIGXCPU, warn, 0) == 0);
	NEED(setrlimit(RLIMIT_RTTIME, &limit) == 0);
	NEED(getrlimit(RLIMIT_RTTIME, &told) == 0 && told.rlim_max == 60000);
	/* It is nothing to who is not of a real-time policy. */
	while (read_clock(CLOCK_PROCESS_CPUTIME_ID) < 70 * MS)
		;
	NEED(*nwarnings == 0);
	if (syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param))
		return 250;
	for (;;)
		;
}

/* The C library's goes by prlimit64. */
static long set_realtime(rlim_t soft, rlim_t hard)
{
	const struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};

	return syscall(SYS_setrlimit, RLIMIT_RTTIME, &limit);
}

static int set_as_user(void)
{
	NEED(set_realtime(1000, 2000) == 0);
	NEED(set_realtime(2000, 2000) == 0);
	NEED(set_realtime(2000, 3000) == -1 && errno == EPERM);
	NEED(set_realtime(3000, 2000) == -1 && errno == EINVAL);
	return 0;
}

static void the_limit_is_set_as_others_are(void)
{
	const struct rlimit limit = {0};

	EXPECT_EQUAL(in_child_as(1000, set_as_user), 0);
	EXPECT_ERRNO(EINVAL, syscall(SYS_setrlimit, 77, &limit));
	EXPECT_ERRNO(EFAULT, syscall(SYS_setrlimit, RLIMIT_RTTIME, (void *)8));
}

static void a_realtime_thread_that_does_not_sleep_is_warned_and_ended(void)
{
	int result;

	nwarnings = mmap(NULL, sizeof(*nwarnings), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	EXPECT(nwarnings != MAP_FAILED);
	result = in_child_as(0, run_as_realtime);
	if (result == 250 && may_be_restricted())
		return;
	EXPECT_EQUAL(result, -1 - SIGKILL);
	EXPECT_EQUAL(*nwarnings, 1);
	munmap((void *)nwarnings, sizeof(*nwarnings));
}

static int sleep_as_realtime(void)
{
	const struct rlimit limit = {.rlim_cur = 30000, .rlim_max = 50000};
	struct sched_param param = {.sched_priority = 1};

	NEED(setrlimit(RLIMIT_RTTIME, &limit) == 0);
	if (syscall(SYS_sched_setscheduler, 0, SCHED_RR, &param))
		return 250;
	for (int i = 1; i <= 20; i++) {
		while (read_clock(CLOCK_PROCESS_CPUTIME_ID) < i * 4 * MS)
			;
		usleep(100);
	}
	return 0;
}

static void one_that_sleeps_begins_anew(void)
{
	int result = in_child_as(0, sleep_as_realtime);

	EXPECT(result == 0 || (result == 250 && may_be_restricted()));
}

int main(void)
{
	RUN(the_time_of_another_process_is_read);
	RUN(what_is_no_clock_is_refused);
	RUN(a_timer_goes_by_another_processs_time);
	RUN(what_was_missed_is_told);
	RUN(one_that_stands_still_fires_what_is_past_and_nothing_else);
	RUN(one_that_is_set_while_it_comes_due_fires);
	RUN(a_sleep_goes_by_another_processs_time);
	RUN(a_sleep_goes_by_its_own_processs_time);
	RUN(a_signal_ends_the_sleep);
	RUN(clocks_that_nobody_sleeps_by_are_refused);
	RUN(the_limit_is_set_as_others_are);
	RUN(a_realtime_thread_that_does_not_sleep_is_warned_and_ended);
	RUN(one_that_sleeps_begins_anew);
	return check_end();
}
