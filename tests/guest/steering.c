/*
 * Steering the clock (adjtimex): its speed, offsets that it gains bit by bit, and what goes by it.
 * Where another may keep the clock it is left alone, but for what is refused.
 */
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"

#define MS 1000000L

static int steer(void)
{
	struct timex timex = {.modes = ADJ_FREQUENCY};

	NEED(syscall(SYS_adjtimex, &timex) == -1 && errno == EPERM);
	timex.modes = ADJ_OFFSET_SINGLESHOT;
	NEED(syscall(SYS_adjtimex, &timex) == -1 && errno == EPERM);
	timex.modes = ADJ_OFFSET_SS_READ; /* everybody's */
	NEED(syscall(SYS_adjtimex, &timex) >= 0);
	return 0;
}

static void the_clock_is_the_administrator_s(void)
{
	EXPECT_EQUAL(as_user(steer), 0);
}

/* By how much the time of day went further than the machine's clock did. */
static int64_t gained_ns(void)
{
	struct timespec wall, raw;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_MONOTONIC_RAW, &raw);
	return (wall.tv_sec - raw.tv_sec) * 1000000000LL + wall.tv_nsec - raw.tv_nsec;
}

/* What is gained in about 40 ms. */
static int64_t gains_ns(void)
{
	int64_t before_ns = gained_ns();

	nanosleep(&(struct timespec){.tv_nsec = 40 * MS}, NULL);
	return gained_ns() - before_ns;
}

static void the_clock_is_steered(void)
{
	struct timex timex = {.modes = ADJ_TICK, .tick = 8999};
	struct timespec time, other;
	int64_t gains;

	if (may_be_restricted())
		return;
	EXPECT_ERRNO(EINVAL, syscall(SYS_adjtimex, &timex));
	timex = (struct timex){.modes = 0x8000, .offset = 1};
	EXPECT_ERRNO(EINVAL, syscall(SYS_adjtimex, &timex));
	timex = (struct timex){.modes = 0x0040};
	EXPECT_ERRNO(EINVAL, syscall(SYS_adjtimex, &timex));

	/* A tenth faster: 4 ms in 40. */
	timex = (struct timex){.modes = ADJ_TICK, .tick = 11000};
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	EXPECT_EQUAL(timex.tick, 11000);
	gains = gains_ns();
	EXPECT(gains >= 4 * MS && gains < 4000 * MS);
	/* By both ways to ask, in order. */
	clock_gettime(CLOCK_REALTIME, &time);
	EXPECT_EQUAL(syscall(SYS_clock_gettime, CLOCK_REALTIME, &other), 0);
	EXPECT(other.tv_sec > time.tv_sec ||
	       (other.tv_sec == time.tv_sec && other.tv_nsec >= time.tv_nsec));
	/* Slower; it never goes back. */
	timex = (struct timex){.modes = ADJ_TICK, .tick = 9000};
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	gains = gains_ns();
	EXPECT(gains <= -4 * MS);
	clock_gettime(CLOCK_REALTIME, &time);
	for (int i = 0; i < 1000; i++) {
		clock_gettime(CLOCK_REALTIME, &other);
		EXPECT(other.tv_sec > time.tv_sec ||
		       (other.tv_sec == time.tv_sec && other.tv_nsec >= time.tv_nsec));
		time = other;
	}
	timex = (struct timex){.modes = ADJ_TICK | ADJ_FREQUENCY, .tick = 10000, .freq = 1 << 30};
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	EXPECT_EQUAL(timex.freq, 32768000); /* the most */
	gains = gains_ns();
	EXPECT(gains >= 10000); /* 20000, but for the time between two looks */
	timex = (struct timex){.modes = ADJ_FREQUENCY};
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	EXPECT_EQUAL(timex.freq, 0);
	gains = gains_ns();
	EXPECT(gains > -1 * MS && gains < 1 * MS);
}

/* A time of day that is far away comes when it is there, however the clock goes on the way. */
static void who_sleeps_until_a_time_of_day_is_not_early(void)
{
	struct timex timex = {.modes = ADJ_TICK, .tick = 9000};
	struct timespec until, now;

	if (may_be_restricted())
		return;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 50 * MS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	EXPECT_EQUAL(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL), 0);
	clock_gettime(CLOCK_REALTIME, &now);
	EXPECT(now.tv_sec > until.tv_sec ||
	       (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
	timex.tick = 10000;
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
}

static void offsets_are_gained_bit_by_bit(void)
{
	struct timex timex = {.modes = ADJ_OFFSET_SINGLESHOT, .offset = 300000};
	struct timespec time, tai;

	if (may_be_restricted())
		return;
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	EXPECT_EQUAL(timex.offset, 0); /* of before */
	timex = (struct timex){.modes = ADJ_OFFSET_SS_READ};
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	EXPECT(timex.offset > 200000 && timex.offset <= 300000);
	timex = (struct timex){.modes = ADJ_OFFSET_SINGLESHOT};
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	timex = (struct timex){.modes = ADJ_OFFSET_SS_READ};
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	EXPECT_EQUAL(timex.offset, 0);

	timex = (struct timex){.modes = ADJ_STATUS | ADJ_NANO | ADJ_OFFSET | ADJ_MAXERROR,
			       .status = STA_PLL,
			       .offset = 1000000,
			       .maxerror = 1000};
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	EXPECT(timex.status & STA_NANO && timex.offset > 500000 && timex.offset <= 1000000);
	timex = (struct timex){.modes = ADJ_MICRO};
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	EXPECT(!(timex.status & STA_NANO) && timex.offset > 500 && timex.offset <= 1000 &&
	       timex.time.tv_usec < 1000000);
	timex = (struct timex){.modes = ADJ_STATUS | ADJ_FREQUENCY, .status = STA_UNSYNC};
	EXPECT_EQUAL(syscall(SYS_adjtimex, &timex), TIME_ERROR);
	EXPECT_EQUAL(timex.offset, 0); /* without a PLL there is none */

	timex = (struct timex){.modes = ADJ_TAI, .constant = 37};
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
	clock_gettime(CLOCK_REALTIME, &time);
	clock_gettime(CLOCK_TAI, &tai);
	EXPECT(tai.tv_sec >= time.tv_sec + 37 && tai.tv_sec < time.tv_sec + 60);
	timex = (struct timex){.modes = ADJ_TAI};
	EXPECT(syscall(SYS_adjtimex, &timex) >= 0);
}

int main(void)
{
	RUN(the_clock_is_the_administrator_s);
	RUN(the_clock_is_steered);
	RUN(who_sleeps_until_a_time_of_day_is_not_early);
	RUN(offsets_are_gained_bit_by_bit);
	return check_end();
}
