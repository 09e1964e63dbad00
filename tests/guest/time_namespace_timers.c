/*
 * What goes by the clocks of a time namespace: sleeps and timers until a time, and what /proc and
 * sysinfo say of the machine's start and a process's. Whoever took a time for one of the first
 * namespace would not wake before the alarm ends the test.
 */
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>

#include "time_namespace.h"

#define SOON_NS   (NS_PER_S / 50)
#define TIMEOUT_S 30

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

/* In a namespace that is ahead. */
static int there(int (*body)(void))
{
	if (unshare(CLONE_NEWTIME) || !go_ahead())
		return 900;
	return in_child_as(0, body);
}

static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME};

/* ---- sleeping ---- */

static int sleep_until(void)
{
	alarm(TIMEOUT_S);
	for (unsigned i = 0; i < 2; i++) {
		int64_t end = ns_of(clocks[i]) + SOON_NS;
		struct timespec until = timespec_of(end);
		struct timespec past = {.tv_sec = 1};

		NEED(clock_nanosleep(clocks[i], TIMER_ABSTIME, &until, NULL) == 0);
		NEED(ns_by_call(clocks[i]) >= end);
		NEED(clock_nanosleep(clocks[i], TIMER_ABSTIME, &past, NULL) == 0);
		past = timespec_of(SOON_NS); /* relative ones are what they were */
		NEED(clock_nanosleep(clocks[i], 0, &past, NULL) == 0);
	}
	return 0;
}

static void sleeps_until_a_time_end_then(void)
{
	EXPECT_EQUAL(in_child_as(0, sleep_until), 0);
	EXPECT_EQUAL(there(sleep_until), 0);
}

/* ---- descriptors ---- */

static int wait_for(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) == sizeof(count) && count ? 0 : 1;
}

static int expire(void)
{
	alarm(TIMEOUT_S);
	for (unsigned i = 0; i < 2; i++) {
		int fd = timerfd_create(clocks[i], 0);
		int64_t end = ns_of(clocks[i]) + SOON_NS;
		struct itimerspec value = {.it_value = timespec_of(end)}, left;

		NEED(timerfd_settime(fd, TFD_TIMER_ABSTIME, &value, NULL) == 0);
		NEED(timerfd_gettime(fd, &left) == 0 && ns_in(&left.it_value) <= SOON_NS);
		NEED(!wait_for(fd) && ns_by_call(clocks[i]) >= end);
		value.it_value = timespec_of(1); /* long ago */
		NEED(timerfd_settime(fd, TFD_TIMER_ABSTIME, &value, NULL) == 0 && !wait_for(fd));
		value.it_value = timespec_of(SOON_NS);
		NEED(timerfd_settime(fd, 0, &value, NULL) == 0 && !wait_for(fd));
		close(fd);
	}
	return 0;
}

static void descriptors_expire_then(void)
{
	EXPECT_EQUAL(in_child_as(0, expire), 0);
	EXPECT_EQUAL(there(expire), 0);
}

/* ---- timers that raise signals ---- */

static int raise_signals(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	sigset_t set;
	int signal;

	alarm(TIMEOUT_S);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	NEED(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	for (unsigned i = 0; i < 2; i++) {
		struct itimerspec value, left;
		int64_t end;
		timer_t timer;

		NEED(timer_create(clocks[i], &event, &timer) == 0);
		end = ns_of(clocks[i]) + SOON_NS;
		value = (struct itimerspec){.it_value = timespec_of(end)};
		NEED(timer_settime(timer, TIMER_ABSTIME, &value, NULL) == 0);
		NEED(timer_gettime(timer, &left) == 0 && ns_in(&left.it_value) <= SOON_NS);
		NEED(sigwait(&set, &signal) == 0 && ns_by_call(clocks[i]) >= end);
		value.it_value = timespec_of(1);
		NEED(timer_settime(timer, TIMER_ABSTIME, &value, NULL) == 0);
		NEED(sigwait(&set, &signal) == 0 && timer_delete(timer) == 0);
	}
	return 0;
}

static void signals_are_raised_then(void)
{
	EXPECT_EQUAL(in_child_as(0, raise_signals), 0);
	EXPECT_EQUAL(there(raise_signals), 0);
}

/* ---- futexes ---- */

static long wait_on_futex(int operation, int64_t end)
{
	static uint32_t word;
	struct timespec until = timespec_of(end);

	return syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, 0, &until, NULL, ~0u);
}

static int time_out(void)
{
	int64_t end = ns_of(CLOCK_MONOTONIC) + SOON_NS;

	alarm(TIMEOUT_S);
	NEED(fails_with(ETIMEDOUT, wait_on_futex(FUTEX_WAIT_BITSET, end)));
	NEED(ns_by_call(CLOCK_MONOTONIC) >= end);
	NEED(fails_with(ETIMEDOUT, wait_on_futex(FUTEX_WAIT_BITSET, NS_PER_S / 100)));
	NEED(fails_with(ETIMEDOUT, wait_on_futex(FUTEX_WAIT, SOON_NS))); /* relative */
	end = ns_of(CLOCK_REALTIME) + SOON_NS;
	NEED(fails_with(ETIMEDOUT, wait_on_futex(FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, end)));
	NEED(ns_by_call(CLOCK_REALTIME) >= end);
	return 0;
}

static int time_out_of_many(void)
{
	static uint32_t word;
	struct {
		uint64_t value, address;
		uint32_t flags, reserved;
	} wanted = {.address = (uint64_t)&word, .flags = 2 | FUTEX_PRIVATE_FLAG};
	int64_t end = ns_of(CLOCK_MONOTONIC) + SOON_NS;
	struct timespec until = timespec_of(end);

	alarm(TIMEOUT_S);
	NEED(fails_with(ETIMEDOUT, syscall(449, &wanted, 1, 0, &until, CLOCK_MONOTONIC)));
	NEED(ns_by_call(CLOCK_MONOTONIC) >= end);
	return 0;
}

static void waits_for_futexes_end_then(void)
{
	EXPECT_EQUAL(in_child_as(0, time_out), 0);
	EXPECT_EQUAL(there(time_out), 0);
	EXPECT_EQUAL(there(time_out_of_many), 0);
}

/* ---- since when ---- */

/* In /proc/self/stat: when the process began. */
static long long began_s(void)
{
	char text[1024];
	const char *at;

	if (read_text("/proc/self/stat", text, sizeof(text)) <= 0)
		return -1;
	at = strrchr(text, ')');
	for (unsigned field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoll(at, NULL, 10) / sysconf(_SC_CLK_TCK) : -1;
}

static long long start_of_machine_s(void)
{
	static char text[1 << 16];
	const char *at;

	if (read_text("/proc/stat", text, sizeof(text)) <= 0)
		return 0;
	at = strstr(text, "\nbtime ");
	return at ? strtoll(at + 7, NULL, 10) : 0;
}

static long long start_before;

static int tell_times(void)
{
	struct sysinfo info;
	long long shift = start_before - start_of_machine_s();

	NEED(number_in("/proc/uptime") >= BOOT_AHEAD);
	NEED(sysinfo(&info) == 0 && info.uptime >= BOOT_AHEAD);
	NEED(began_s() >= BOOT_AHEAD);
	NEED(shift >= BOOT_AHEAD - 2 && shift <= BOOT_AHEAD + 2);
	return 0;
}

static void the_machine_began_earlier(void)
{
	start_before = start_of_machine_s();
	EXPECT(start_before > 0);
	EXPECT_EQUAL(there(tell_times), 0);
	EXPECT(began_s() < BOOT_AHEAD && number_in("/proc/uptime") < BOOT_AHEAD);
}

int main(void)
{
	if (time_namespaces_are_forbidden()) {
		printf("ok # skip: no time namespaces here\n");
		return 0;
	}
	RUN(sleeps_until_a_time_end_then);
	RUN(descriptors_expire_then);
	RUN(signals_are_raised_then);
	RUN(waits_for_futexes_end_then);
	RUN(the_machine_began_earlier);
	return check_end();
}
