/*
 * Clocks and sleeping.
 */
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

#include "check.h"

#define NS_PER_S 1000000000LL

static long long now_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) < 0)
		return -1;
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void monotonic_time_never_goes_back(void)
{
	long long before = now_ns(CLOCK_MONOTONIC);

	EXPECT(before >= 0);
	for (int i = 0; i < 20000; i++) {
		long long now = now_ns(CLOCK_MONOTONIC);

		EXPECT(now >= before);
		before = now;
	}
}

static void monotonic_time_goes_on(void)
{
	long long start = now_ns(CLOCK_MONOTONIC);
	unsigned turns = 0;

	while (now_ns(CLOCK_MONOTONIC) == start)
		EXPECT(turns++ < 100000000);
}

static void real_time_is_a_date_of_our_days(void)
{
	long long now = now_ns(CLOCK_REALTIME) / NS_PER_S;
	struct timeval day;

	EXPECT(now > 1735689600LL && now < 4102444800LL); /* 2025 to 2100 */
	EXPECT_EQUAL(gettimeofday(&day, NULL), 0);
	EXPECT(day.tv_sec - now >= 0 && day.tv_sec - now <= 2);
	EXPECT(day.tv_usec >= 0 && day.tv_usec < 1000000);
	EXPECT(time(NULL) - now >= 0 && time(NULL) - now <= 2);
}

static void nanosleep_sleeps_at_least_so_long(void)
{
	for (long long ns = 1000; ns <= 50000000; ns *= 7) {
		struct timespec duration = {.tv_nsec = (long)ns};
		long long start = now_ns(CLOCK_MONOTONIC), slept;

		EXPECT_EQUAL(nanosleep(&duration, NULL), 0);
		slept = now_ns(CLOCK_MONOTONIC) - start;
		EXPECT(slept >= ns);
		EXPECT(slept < ns + 2 * NS_PER_S);
	}
}

static void sleep_until_a_time(void)
{
	long long until = now_ns(CLOCK_MONOTONIC) + 20000000;
	struct timespec when = {.tv_sec = until / NS_PER_S, .tv_nsec = until % NS_PER_S};

	EXPECT_EQUAL(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL), 0);
	EXPECT(now_ns(CLOCK_MONOTONIC) >= until);
	/* What has passed does not wait. */
	EXPECT_EQUAL(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL), 0);
}

static void sleeping_costs_no_cpu_time(void)
{
	struct timespec duration = {.tv_nsec = 100000000};
	long long start = now_ns(CLOCK_PROCESS_CPUTIME_ID);

	EXPECT(start >= 0);
	EXPECT_EQUAL(nanosleep(&duration, NULL), 0);
	EXPECT(now_ns(CLOCK_PROCESS_CPUTIME_ID) - start < 50000000);
}

static void working_costs_cpu_time(void)
{
	long long start = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	long long end = now_ns(CLOCK_MONOTONIC) + 10 * NS_PER_S;

	while (now_ns(CLOCK_PROCESS_CPUTIME_ID) - start < 30000000)
		EXPECT(now_ns(CLOCK_MONOTONIC) < end);
}

static void wrong_arguments_are_refused(void)
{
	struct timespec bad = {.tv_nsec = NS_PER_S}, negative = {.tv_sec = -1}, time;

	EXPECT_ERRNO(EINVAL, nanosleep(&bad, NULL));
	EXPECT_ERRNO(EINVAL, nanosleep(&negative, NULL));
	EXPECT_ERRNO(EINVAL, clock_gettime(9999, &time));
}

static void resolution_is_given(void)
{
	struct timespec resolution;

	EXPECT_EQUAL(clock_getres(CLOCK_MONOTONIC, &resolution), 0);
	EXPECT_EQUAL(resolution.tv_sec, 0);
	EXPECT(resolution.tv_nsec >= 1 && resolution.tv_nsec <= 10000000);
}

int main(void)
{
	RUN(monotonic_time_never_goes_back);
	RUN(monotonic_time_goes_on);
	RUN(real_time_is_a_date_of_our_days);
	RUN(nanosleep_sleeps_at_least_so_long);
	RUN(sleep_until_a_time);
	RUN(sleeping_costs_no_cpu_time);
	RUN(working_costs_cpu_time);
	RUN(wrong_arguments_are_refused);
	RUN(resolution_is_given);
	return check_end();
}
