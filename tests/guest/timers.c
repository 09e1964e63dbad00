/*
 * POSIX timers, interval timers of CPU time, where CPU time goes, the limit of it, and setting the
 * clock (by as little as can be seen).
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"

#define MS 1000000L

static volatile int nsignals, last_code, last_value, last_overrun, last_tid;

static void note(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	nsignals++;
	last_code = info->si_code;
	last_value = info->si_value.sival_int;
	last_overrun = info->si_overrun;
	last_tid = (int)syscall(SYS_gettid);
}

static void catch (int signal)
{
	struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};

	nsignals = 0;
	sigaction(signal, &action, NULL);
}

static struct itimerspec after_ms(long first, long interval)
{
	return (struct itimerspec){.it_value = {first / 1000, first % 1000 * MS},
				   .it_interval = {interval / 1000, interval % 1000 * MS}};
}

/* As the kernel has them: numbers. */
static long create(int clock, struct sigevent *event, int *id)
{
	return syscall(SYS_timer_create, clock, event, id);
}

static long set(int id, int flags, const struct itimerspec *value, struct itimerspec *before)
{
	return syscall(SYS_timer_settime, id, flags, value, before);
}

static long delete (int id)
{
	return syscall(SYS_timer_delete, id);
}

/* Until so many have come; a second at most, which only a test that fails needs. */
static bool wait_for(int count)
{
	for (int i = 0; i < 1000 && nsignals < count; i++)
		nanosleep(&(struct timespec){.tv_nsec = MS}, NULL);
	return nsignals >= count;
}

static volatile unsigned long spun;

static bool spin_for(int count)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		for (int i = 0; i < 10000; i++)
			spun++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (nsignals < count && now.tv_sec < start.tv_sec + 20);
	return nsignals >= count;
}

/* ---- POSIX timers ---- */

static void a_timer_raises_its_signal_once(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec value = after_ms(5, 0), left;
	int id = -1;

	event.sigev_value.sival_int = 4711;
	catch (SIGUSR1);
	EXPECT_EQUAL(create(CLOCK_MONOTONIC, &event, &id), 0);
	EXPECT(id >= 0);
	EXPECT_EQUAL(syscall(SYS_timer_gettime, id, &left), 0);
	EXPECT(left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
	EXPECT_EQUAL(set(id, 0, &value, NULL), 0);
	EXPECT(wait_for(1));
	EXPECT(last_code == SI_TIMER && last_value == 4711 && last_overrun == 0);
	EXPECT_EQUAL(syscall(SYS_timer_getoverrun, id), 0);
	nanosleep(&(struct timespec){.tv_nsec = 10 * MS}, NULL);
	EXPECT_EQUAL(nsignals, 1);
	EXPECT_EQUAL(syscall(SYS_timer_gettime, id, &left), 0);
	EXPECT(left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
	EXPECT_EQUAL(delete (id), 0);
	EXPECT_ERRNO(EINVAL, delete (id));
}

static void an_interval_goes_on_until_it_is_stopped(void)
{
	struct itimerspec value = after_ms(2, 2), left, none = {0};
	int id;

	catch (SIGALRM);
	EXPECT_EQUAL(create(CLOCK_REALTIME, NULL, &id), 0); /* SIGALRM, with its number */
	EXPECT_EQUAL(set(id, 0, &value, NULL), 0);
	EXPECT(wait_for(3));
	EXPECT(last_code == SI_TIMER && last_value == id);
	EXPECT_EQUAL(set(id, 0, &none, &left), 0);
	EXPECT(left.it_interval.tv_nsec == 2 * MS && left.it_value.tv_nsec <= 2 * MS);
	EXPECT_EQUAL(delete (id), 0);
}

static void missed_times_are_overruns(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec value = after_ms(1, 1);
	sigset_t blocked, before;
	int id;

	catch (SIGUSR1);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	EXPECT_EQUAL(sigprocmask(SIG_BLOCK, &blocked, &before), 0);
	EXPECT_EQUAL(create(CLOCK_MONOTONIC, &event, &id), 0);
	EXPECT_EQUAL(set(id, 0, &value, NULL), 0);
	nanosleep(&(struct timespec){.tv_nsec = 20 * MS}, NULL);
	EXPECT_EQUAL(sigprocmask(SIG_SETMASK, &before, NULL), 0);
	EXPECT(nsignals >= 1);
	EXPECT(wait_for(1));
	EXPECT_EQUAL(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
	EXPECT_EQUAL(set(id, 0, &(struct itimerspec){0}, NULL), 0);
	EXPECT_EQUAL(delete (id), 0);
	EXPECT_EQUAL(sigprocmask(SIG_SETMASK, &before, NULL), 0);

	/* Taken by who waits for it, once for all the times. */
	EXPECT_EQUAL(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
	EXPECT_EQUAL(create(CLOCK_MONOTONIC, &event, &id), 0);
	EXPECT_EQUAL(set(id, 0, &value, NULL), 0);
	nanosleep(&(struct timespec){.tv_nsec = 20 * MS}, NULL);
	siginfo_t info;
	EXPECT_EQUAL(sigwaitinfo(&blocked, &info), SIGUSR1);
	EXPECT(info.si_code == SI_TIMER && info.si_overrun >= 10);
	EXPECT(syscall(SYS_timer_getoverrun, id) >= 10);
	EXPECT_EQUAL(delete (id), 0);
	EXPECT_EQUAL(sigprocmask(SIG_SETMASK, &before, NULL), 0);
}

static void absolute_times_are_absolute(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec value = {0}, left;
	int id;

	catch (SIGUSR1);
	EXPECT_EQUAL(create(CLOCK_REALTIME, &event, &id), 0);
	clock_gettime(CLOCK_REALTIME, &value.it_value);
	value.it_value.tv_sec += 1000;
	EXPECT_EQUAL(set(id, TIMER_ABSTIME, &value, NULL), 0);
	EXPECT_EQUAL(syscall(SYS_timer_gettime, id, &left), 0);
	EXPECT(left.it_value.tv_sec >= 990 && left.it_value.tv_sec <= 1000);
	value.it_value.tv_sec -= 2000; /* long ago: at once */
	EXPECT_EQUAL(set(id, TIMER_ABSTIME, &value, NULL), 0);
	EXPECT(wait_for(1));
	EXPECT_EQUAL(delete (id), 0);
}

static void a_timer_without_a_signal_is_asked(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	struct itimerspec value = after_ms(100000, 0), left;
	int id;

	EXPECT_EQUAL(create(CLOCK_BOOTTIME, &event, &id), 0);
	EXPECT_EQUAL(set(id, 0, &value, NULL), 0);
	EXPECT_EQUAL(syscall(SYS_timer_gettime, id, &left), 0);
	EXPECT(left.it_value.tv_sec > 0 && left.it_value.tv_sec <= 100);
	value = after_ms(50, 0);
	EXPECT_EQUAL(set(id, 0, &value, NULL), 0);
	nanosleep(&(struct timespec){.tv_nsec = 60 * MS}, NULL);
	EXPECT_EQUAL(syscall(SYS_timer_gettime, id, &left), 0);
	EXPECT(left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
	EXPECT_EQUAL(delete (id), 0);
}

static volatile int other_tid;

static void *be_there(void *argument)
{
	other_tid = (int)syscall(SYS_gettid);
	while (!nsignals)
		nanosleep(&(struct timespec){.tv_nsec = MS}, NULL);
	return argument;
}

static void a_thread_can_be_named(void)
{
	struct sigevent event = {.sigev_notify = 4, .sigev_signo = SIGUSR2};
	struct itimerspec value = after_ms(2, 0);
	pthread_t thread;
	int id;

	catch (SIGUSR2);
	EXPECT_EQUAL(pthread_create(&thread, NULL, be_there, NULL), 0);
	while (!other_tid)
		nanosleep(&(struct timespec){.tv_nsec = MS}, NULL);
	*(int *)((char *)&event + 16) = other_tid; /* sigev_notify_thread_id */
	EXPECT_EQUAL(create(CLOCK_MONOTONIC, &event, &id), 0);
	EXPECT_EQUAL(set(id, 0, &value, NULL), 0);
	pthread_join(thread, NULL);
	EXPECT_EQUAL(last_tid, other_tid);
	EXPECT_EQUAL(delete (id), 0);
	*(int *)((char *)&event + 16) = 1; /* no thread of ours */
	EXPECT_ERRNO(EINVAL, create(CLOCK_MONOTONIC, &event, &id));
}

static void timers_are_not_inherited(void)
{
	int id, status;
	pid_t child;

	EXPECT_EQUAL(create(CLOCK_MONOTONIC, NULL, &id), 0);
	child = fork();
	if (child == 0)
		_exit(delete (id) == -1 && errno == EINVAL ? 0 : 1);
	EXPECT(waitpid(child, &status, 0) == child && status == 0);
	EXPECT_EQUAL(delete (id), 0);
}

static void timers_are_checked(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
	struct itimerspec value = after_ms(1, 0);
	int id;

	EXPECT_ERRNO(EINVAL, create(99, NULL, &id));
	EXPECT_ERRNO(EOPNOTSUPP, create(CLOCK_MONOTONIC_RAW, NULL, &id));
	EXPECT_ERRNO(EINVAL, create(CLOCK_MONOTONIC, &event, &id));
	event = (struct sigevent){.sigev_notify = 77, .sigev_signo = SIGUSR1};
	EXPECT_ERRNO(EINVAL, create(CLOCK_MONOTONIC, &event, &id));
	EXPECT_ERRNO(EFAULT, create(CLOCK_MONOTONIC, (void *)8, &id));
	EXPECT_ERRNO(EFAULT, create(CLOCK_MONOTONIC, NULL, (void *)8));
	EXPECT_EQUAL(create(CLOCK_MONOTONIC, NULL, &id), 0);
	EXPECT_ERRNO(EINVAL, set(id, 0, NULL, NULL));
	EXPECT_ERRNO(EFAULT, set(id, 0, (void *)8, NULL));
	value.it_value.tv_nsec = 1000 * MS;
	EXPECT_ERRNO(EINVAL, set(id, 0, &value, NULL));
	value = after_ms(1, 0);
	value.it_value.tv_sec = -1;
	EXPECT_ERRNO(EINVAL, set(id, 0, &value, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_timer_gettime, id, (void *)8));
	EXPECT_EQUAL(delete (id), 0);
	EXPECT_ERRNO(EINVAL, set(id, 0, &value, NULL));
	EXPECT_ERRNO(EINVAL, syscall(SYS_timer_gettime, id, &value));
	EXPECT_ERRNO(EINVAL, syscall(SYS_timer_getoverrun, id));
}

/* ---- CPU time ---- */

static void timers_can_go_by_cpu_time(void)
{
	static const int clocks[] = {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec value = after_ms(200, 0);

	for (int i = 0; i < 2; i++) {
		int id;

		catch (SIGUSR1);
		EXPECT_EQUAL(create(clocks[i], &event, &id), 0);
		EXPECT_EQUAL(set(id, 0, &value, NULL), 0);
		nanosleep(&(struct timespec){.tv_nsec = 300 * MS}, NULL);
		EXPECT_EQUAL(nsignals, 0); /* it did not compute */
		EXPECT(spin_for(1));
		EXPECT_EQUAL(delete (id), 0);
	}
}

static void intervals_of_cpu_time(void)
{
	struct itimerval value = {.it_value = {.tv_usec = 4000}, .it_interval = {.tv_usec = 4000}};
	struct itimerval left, none = {0};

	catch (SIGVTALRM);
	EXPECT_EQUAL(setitimer(ITIMER_VIRTUAL, &value, NULL), 0);
	EXPECT_EQUAL(getitimer(ITIMER_VIRTUAL, &left), 0);
	EXPECT(left.it_interval.tv_usec == 4000 && left.it_value.tv_usec > 0);
	EXPECT(spin_for(2));
	EXPECT_EQUAL(setitimer(ITIMER_VIRTUAL, &none, &left), 0);
	EXPECT(left.it_interval.tv_usec == 4000);
	catch (SIGPROF);
	EXPECT_EQUAL(setitimer(ITIMER_PROF, &value, NULL), 0);
	EXPECT(spin_for(2));
	EXPECT_EQUAL(setitimer(ITIMER_PROF, &none, NULL), 0);
	EXPECT_EQUAL(getitimer(ITIMER_PROF, &left), 0);
	EXPECT(left.it_value.tv_sec == 0 && left.it_value.tv_usec == 0);
	EXPECT_ERRNO(EINVAL, getitimer(3, &left));
	EXPECT_ERRNO(EINVAL, syscall(SYS_setitimer, 3, &value, NULL));
}

static long ms_of(struct timeval time)
{
	return time.tv_sec * 1000 + time.tv_usec / 1000;
}

/* In calls that work in the kernel. */
static void call_for_ms(long ms)
{
	static char block[1 << 16];
	int null = open("/dev/zero", O_RDONLY);
	struct rusage usage;

	do {
		for (int i = 0; i < 20; i++)
			(void)!read(null, block, sizeof(block));
		getrusage(RUSAGE_SELF, &usage);
	} while (ms_of(usage.ru_stime) < ms && ms_of(usage.ru_utime) < 20 * ms + 2000);
	close(null);
}

static int divide_time(void)
{
	static char much[2 << 20];
	struct rusage usage, before, thread;
	struct tms times_now;

	nanosleep(&(struct timespec){.tv_nsec = MS}, NULL);
	getrusage(RUSAGE_SELF, &before);
	call_for_ms(ms_of(before.ru_stime) + 40);
	getrusage(RUSAGE_SELF, &usage);
	NEED(ms_of(usage.ru_stime) >= ms_of(before.ru_stime) + 40);
	NEED(ms_of(usage.ru_utime) >= ms_of(before.ru_utime)); /* neither goes back */
	before = usage;
	do {
		for (int i = 0; i < 100000; i++)
			spun++;
		getrusage(RUSAGE_SELF, &usage);
		NEED(ms_of(usage.ru_stime) >= ms_of(before.ru_stime));
	} while (ms_of(usage.ru_utime) < ms_of(before.ru_utime) + 40);
	memset(much, 1, sizeof(much));
	getrusage(RUSAGE_SELF, &usage);
	NEED(usage.ru_maxrss >= 1024 && usage.ru_minflt >= 512);
	NEED(usage.ru_nvcsw + usage.ru_nivcsw > 0);
	NEED(getrusage(RUSAGE_THREAD, &thread) == 0);
	NEED(ms_of(thread.ru_utime) + ms_of(thread.ru_stime) >= 40);
	times(&times_now);
	NEED(times_now.tms_utime >= 3 && times_now.tms_stime >= 3);
	NEED(getrusage(7, &usage) == -1 && errno == EINVAL);
	return 0;
}

static void cpu_time_is_of_the_program_or_the_kernel(void)
{
	struct rusage usage;

	EXPECT_EQUAL(in_child_as(0, divide_time), 0);
	EXPECT_EQUAL(getrusage(RUSAGE_CHILDREN, &usage), 0);
	EXPECT(ms_of(usage.ru_utime) >= 30 && ms_of(usage.ru_stime) >= 30);
}

static volatile int *nwarnings; /* shared with the child */

static int use_time_up(void)
{
	const struct rlimit limit = {.rlim_cur = 1, .rlim_max = 2};

	catch (SIGXCPU);
	NEED(setrlimit(RLIMIT_CPU, &limit) == 0);
	for (;;) {
		spun++;
		*nwarnings = nsignals;
	}
}

static void cpu_time_is_limited(void)
{
	nwarnings = mmap(NULL, sizeof(*nwarnings), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	EXPECT(nwarnings != MAP_FAILED);
	EXPECT_EQUAL(in_child_as(1000, use_time_up), -1 - SIGKILL);
	EXPECT_EQUAL(*nwarnings, 1);
	munmap((void *)nwarnings, sizeof(*nwarnings));
}

static void clocks_of_threads_have_numbers(void)
{
	struct timespec time, other;
	clockid_t clock;

	EXPECT_EQUAL(pthread_getcpuclockid(pthread_self(), &clock), 0);
	EXPECT_EQUAL(clock_gettime(clock, &time), 0);
	EXPECT_EQUAL(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &other), 0);
	EXPECT(other.tv_sec > time.tv_sec ||
	       (other.tv_sec == time.tv_sec && other.tv_nsec >= time.tv_nsec));
	EXPECT_EQUAL(clock_getcpuclockid(getpid(), &clock), 0);
	EXPECT_EQUAL(clock_gettime(clock, &time), 0);
	EXPECT_EQUAL(clock_gettime(CLOCK_TAI, &time), 0);
	EXPECT_ERRNO(EINVAL, clock_gettime(77, &time));
}

/* ---- the time of day ---- */

static void the_clock_tells_of_itself(void)
{
	struct timex timex = {0};
	long result = syscall(SYS_adjtimex, &timex);

	EXPECT(result >= 0 && result <= 5);
	EXPECT(timex.tick > 9000 && timex.tick < 11000 && timex.precision >= 1);
	EXPECT(timex.time.tv_sec > 1600000000);
	timex = (struct timex){0};
	EXPECT_EQUAL(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &timex), result);
	EXPECT_ERRNO(EFAULT, syscall(SYS_adjtimex, (void *)8));
	EXPECT_ERRNO(EINVAL, syscall(SYS_clock_adjtime, 99, &timex));
}

static int change_the_clock(void)
{
	struct timespec now;
	struct timeval day;
	struct timex timex = {.modes = ADJ_SETOFFSET};

	clock_gettime(CLOCK_REALTIME, &now);
	gettimeofday(&day, NULL);
	NEED(clock_settime(CLOCK_REALTIME, &now) == -1 && errno == EPERM);
	NEED(syscall(SYS_settimeofday, &day, NULL) == -1 && errno == EPERM);
	NEED(syscall(SYS_adjtimex, &timex) == -1 && errno == EPERM);
	return 0;
}

static void the_clock_is_the_administrators(void)
{
	struct timespec now = {.tv_nsec = 1000 * MS};
	struct timeval day = {.tv_usec = 1000000};

	EXPECT_EQUAL(as_user(change_the_clock), 0);
	EXPECT_ERRNO(EINVAL, clock_settime(CLOCK_REALTIME, &now));
	EXPECT_ERRNO(EINVAL, clock_settime(CLOCK_MONOTONIC, &(struct timespec){.tv_sec = 1}));
	EXPECT_ERRNO(EINVAL, clock_settime(99, &(struct timespec){.tv_sec = 1}));
	EXPECT_ERRNO(EFAULT, syscall(SYS_clock_settime, CLOCK_REALTIME, (void *)8));
	EXPECT_ERRNO(EINVAL, syscall(SYS_settimeofday, &day, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_settimeofday, (void *)8, NULL));
	/* What it says now, as far as it may. */
	clock_gettime(CLOCK_REALTIME, &now);
	if (clock_settime(CLOCK_REALTIME, &now) && may_be_restricted())
		return;
	EXPECT_EQUAL(clock_settime(CLOCK_REALTIME, &now), 0);
	gettimeofday(&day, NULL);
	EXPECT_EQUAL(syscall(SYS_settimeofday, &day, NULL), 0);
}

/* As a daemon does; where another may keep the clock it is left alone. */
static void what_is_said_of_the_clock_is_kept(void)
{
	struct timex timex = {
		.modes = ADJ_MAXERROR | ADJ_ESTERROR, .maxerror = 1234, .esterror = 567};
	struct timespec before, after;

	if (may_be_restricted())
		return;
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	timex = (struct timex){.modes = ADJ_STATUS, .status = STA_PLL};
	EXPECT_EQUAL(syscall(SYS_adjtimex, &timex), TIME_OK);
	timex = (struct timex){.modes = ADJ_TIMECONST | ADJ_NANO, .constant = 4};
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	timex = (struct timex){.modes = ADJ_TAI, .constant = 37};
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	timex = (struct timex){0};
	EXPECT(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &timex) >= 0);
	EXPECT(timex.maxerror >= 1234 && timex.maxerror < 31234); /* it grows */
	EXPECT_EQUAL(timex.esterror, 567);
	EXPECT_EQUAL(timex.constant, 4);
	EXPECT_EQUAL(timex.tai, 37);
	EXPECT(timex.status & STA_PLL);

	/* The day before, and back. */
	clock_gettime(CLOCK_REALTIME, &before);
	timex = (struct timex){.modes = ADJ_SETOFFSET, .time = {.tv_sec = -86400}};
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	clock_gettime(CLOCK_REALTIME, &after);
	EXPECT(after.tv_sec < before.tv_sec - 86000);
	timex = (struct timex){.modes = ADJ_SETOFFSET | ADJ_NANO,
			       .time = {.tv_sec = 86400, .tv_usec = 999999999}};
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	clock_gettime(CLOCK_REALTIME, &after);
	EXPECT(after.tv_sec >= before.tv_sec && after.tv_sec < before.tv_sec + 400);

	timex = (struct timex){.modes = ADJ_SETOFFSET, .time = {.tv_usec = 1000000}};
	EXPECT_ERRNO(EINVAL, syscall(SYS_adjtimex, &timex));
	timex = (struct timex){.modes = ADJ_STATUS};
	EXPECT_ERRNO(EOPNOTSUPP, syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &timex));
	timex = (struct timex){.modes = ADJ_STATUS, .status = STA_UNSYNC};
	EXPECT_EQUAL(syscall(SYS_adjtimex, &timex), TIME_ERROR);
}

int main(void)
{
	RUN(a_timer_raises_its_signal_once);
	RUN(an_interval_goes_on_until_it_is_stopped);
	RUN(missed_times_are_overruns);
	RUN(absolute_times_are_absolute);
	RUN(a_timer_without_a_signal_is_asked);
	RUN(a_thread_can_be_named);
	RUN(timers_are_not_inherited);
	RUN(timers_are_checked);
	RUN(timers_can_go_by_cpu_time);
	RUN(intervals_of_cpu_time);
	RUN(cpu_time_is_of_the_program_or_the_kernel);
	RUN(cpu_time_is_limited);
	RUN(clocks_of_threads_have_numbers);
	RUN(the_clock_tells_of_itself);
	RUN(the_clock_is_the_administrators);
	RUN(what_is_said_of_the_clock_is_kept);
	return check_end();
}
