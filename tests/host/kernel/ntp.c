/* sources: kernel/time/ntp.c */
/*
 * How the clock follows what adjtimex says: offsets are gained whole, frequencies learned, leap
 * seconds come at the end of the day.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "set.h"

static const struct ntp fresh = {.tick_us = 10000, .constant = 2, .status = STA_PLL | STA_NANO};

/* What it gains in so many seconds, in nanoseconds. */
static int64_t gained(struct ntp *ntp, int64_t now_s, int seconds)
{
	int64_t sum = 0;

	while (seconds--) {
		assert_int_equal(ntp_second(ntp, now_s++), 0);
		sum += (int64_t)((__int128)ntp_rate(ntp) * 1000000000 >> 32);
	}
	return sum;
}

static void apply(struct ntp *ntp, struct abi_timex wanted, int64_t now_s)
{
	assert_int_equal(ntp_check(&wanted), 0);
	ntp_apply(ntp, &wanted, now_s);
}

static void a_single_offset_is_gained_by_half_a_millisecond_a_second(void **state)
{
	struct ntp ntp = fresh;

	apply(&ntp, (struct abi_timex){.modes = ADJ_ADJTIME | ADJ_OFFSET, .offset = -1200}, 5);
	assert_true(ntp_is_busy(&ntp));
	assert_in_range(-gained(&ntp, 5, 1), 499990, 500010);
	assert_in_range(-gained(&ntp, 6, 1), 499990, 500010);
	assert_in_range(-gained(&ntp, 7, 1), 199990, 200010);
	assert_in_range(10 + gained(&ntp, 8, 1), 9, 11);
	assert_false(ntp_is_busy(&ntp));
	/* Only looked at. */
	apply(&ntp,
	      (struct abi_timex){.modes = ADJ_ADJTIME | ADJ_OFFSET | ADJ_OFFSET_READONLY,
				 .offset = 99},
	      9);
	assert_int_equal(ntp.adjust_us, 0);
}

static void an_offset_is_gained_whole(void **state)
{
	struct ntp ntp = fresh;

	ntp.status = STA_NANO;
	apply(&ntp, (struct abi_timex){.modes = ADJ_STATUS, .status = STA_PLL}, 1000);
	apply(&ntp, (struct abi_timex){.modes = ADJ_OFFSET, .offset = 40000000}, 1000);
	assert_int_equal(ntp.frequency, 0); /* no time has passed to learn from */
	assert_in_range(gained(&ntp, 1000, 600), 39990000, 40010000);
	/* 16 s later some again: the clock is slow. */
	apply(&ntp, (struct abi_timex){.modes = ADJ_OFFSET, .offset = 1000000},
	      ntp.reference_s + 16);
	assert_true(ntp.frequency > 0);
	apply(&ntp, (struct abi_timex){.modes = ADJ_STATUS, .status = STA_UNSYNC}, 2000);
	assert_int_equal(ntp.offset_ns, 0);
}

static void without_the_loop_an_offset_is_ignored(void **state)
{
	struct ntp ntp = fresh;

	ntp.status = 0;
	apply(&ntp, (struct abi_timex){.modes = ADJ_OFFSET, .offset = 1000}, 10);
	assert_int_equal(ntp.offset_ns, 0);
	ntp.status = STA_PLL; /* microseconds */
	apply(&ntp, (struct abi_timex){.modes = ADJ_OFFSET, .offset = INT64_MAX}, 10);
	assert_int_equal(ntp.offset_ns, 500000000);
}

static void speeds_add_up(void **state)
{
	struct ntp ntp = fresh;

	apply(&ntp,
	      (struct abi_timex){
		      .modes = ADJ_TICK | ADJ_FREQUENCY, .tick = 10001, .freq = 65536 * 50},
	      0);
	assert_in_range(gained(&ntp, 0, 1), 149990, 150010); /* 100 + 50 ppm */
	assert_int_equal(ntp_check(&(struct abi_timex){.modes = ADJ_TICK, .tick = 11001}), -22);
	assert_int_equal(ntp_check(&(struct abi_timex){.modes = ADJ_TICK, .tick = 8999}), -22);
	assert_int_equal(ntp_check(&(struct abi_timex){.modes = ADJ_ADJTIME}), -22);
}

static void a_leap_second_comes_at_the_end_of_the_day(void **state)
{
	const int64_t day = 86400;
	struct ntp ntp = fresh;

	apply(&ntp, (struct abi_timex){.modes = ADJ_STATUS, .status = STA_PLL | STA_INS}, 100);
	assert_int_equal(ntp_second(&ntp, 101), 0);
	assert_int_equal(ntp.state, TIME_INS);
	assert_int_equal(ntp_second(&ntp, day - 1), 0);
	assert_int_equal(ntp_second(&ntp, day), -1);
	assert_int_equal(ntp.state, TIME_OOP);
	assert_int_equal(ntp_second(&ntp, day - 1), 0); /* that was counted */
	assert_int_equal(ntp.state, TIME_OOP);
	assert_int_equal(ntp_second(&ntp, day), 0);
	assert_int_equal(ntp.state, TIME_WAIT);
	apply(&ntp, (struct abi_timex){.modes = ADJ_STATUS, .status = STA_PLL | STA_DEL}, day);
	assert_int_equal(ntp_second(&ntp, day + 1), 0);
	assert_int_equal(ntp.state, TIME_WAIT); /* until it was taken back */
	apply(&ntp, (struct abi_timex){.modes = ADJ_STATUS, .status = STA_PLL}, day);
	(void)ntp_second(&ntp, day + 2);
	assert_int_equal(ntp.state, TIME_OK);
	apply(&ntp, (struct abi_timex){.modes = ADJ_STATUS, .status = STA_PLL | STA_DEL}, day);
	(void)ntp_second(&ntp, day + 3);
	assert_int_equal(ntp.state, TIME_DEL);
	assert_int_equal(ntp_second(&ntp, 2 * day - 1), 1); /* 23:59:59 is none */
	assert_int_equal(ntp.state, TIME_WAIT);
}

static void seconds_that_were_missed_count(void **state)
{
	struct ntp ntp = fresh;

	apply(&ntp, (struct abi_timex){.modes = ADJ_ADJTIME | ADJ_OFFSET, .offset = 2000}, 5);
	(void)ntp_second(&ntp, 5);
	(void)ntp_second(&ntp, 5);
	assert_int_equal(ntp.adjust_us, 1500);
	(void)ntp_second(&ntp, 7); /* it went on in the sixth */
	assert_int_equal(ntp.adjust_us, 500);
	assert_in_range(gained(&ntp, 8, 1), 499990, 500010);
	assert_in_range(10 + gained(&ntp, 9, 1), 9, 11);
}

static void what_was_said_ends_when_the_clock_is_set(void **state)
{
	struct ntp ntp = fresh;

	apply(&ntp, (struct abi_timex){.modes = ADJ_STATUS, .status = STA_PLL | STA_INS}, 100);
	apply(&ntp, (struct abi_timex){.modes = ADJ_OFFSET, .offset = 1000000}, 100);
	apply(&ntp, (struct abi_timex){.modes = ADJ_ADJTIME | ADJ_OFFSET, .offset = 2000}, 100);
	(void)ntp_second(&ntp, 101);
	assert_int_equal(ntp.state, TIME_INS);
	ntp.frequency = 0;
	ntp_clear(&ntp);
	assert_int_equal(ntp_rate(&ntp), 0);
	assert_int_equal(ntp.offset_ns, 0);
	assert_int_equal(ntp.adjust_us, 0);
	assert_true(ntp.status & STA_UNSYNC);
	assert_int_equal(ntp.maxerror_us, NTP_PHASE_LIMIT_US);
	/* Far behind where the leap was to be. */
	assert_int_equal(ntp_second(&ntp, 3 * 86400), 0);
	assert_int_equal(ntp.state, TIME_INS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_single_offset_is_gained_by_half_a_millisecond_a_second),
		cmocka_unit_test(an_offset_is_gained_whole),
		cmocka_unit_test(without_the_loop_an_offset_is_ignored),
		cmocka_unit_test(speeds_add_up),
		cmocka_unit_test(a_leap_second_comes_at_the_end_of_the_day),
		cmocka_unit_test(seconds_that_were_missed_count),
		cmocka_unit_test(what_was_said_ends_when_the_clock_is_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
