/* sources: arch/x86_64/clock/drift.h */
/*
 * Whether a clock is wrong: what a counter that begins anew after each round can tell, and what an
 * error of the measurement is not taken for.
 */
#include "drift.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The HPET of a usual machine, and ACPI's timer with 24 bits. */
#define LONG_ROUND  UINT64_C(42949672960)
#define SHORT_ROUND UINT64_C(4686918812)

static const uint64_t rounds[] = {LONG_ROUND, SHORT_ROUND};

/* The clock says `clock_ns`, true are `true_ns`. */
static bool is_wrong(int64_t clock_ns, uint64_t true_ns, uint64_t round_ns)
{
	struct drift drift = drift_between((uint64_t)clock_ns, true_ns % round_ns, round_ns);

	return drift_is_too_much(&drift);
}

static void a_right_clock_is_right_for_ever(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rounds); i++) {
		for (int64_t ns = 0; ns < (int64_t)(200 * NSEC_PER_SEC); ns += 77 * NSEC_PER_MSEC)
			assert_false(is_wrong(ns, (uint64_t)ns, rounds[i]));
	}
}

static void a_rate_that_was_measured_badly_is_no_drift(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rounds); i++) {
		for (int64_t ns = 0; ns < (int64_t)(20 * NSEC_PER_SEC); ns += 77 * NSEC_PER_MSEC) {
			assert_false(is_wrong(ns + ns / 50, (uint64_t)ns, rounds[i]));
			assert_false(is_wrong(ns - ns / 50, (uint64_t)ns, rounds[i]));
		}
	}
}

static void a_clock_that_drifts_jumps_or_stands_is_wrong(void **state)
{
	const int64_t second = NSEC_PER_SEC;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rounds); i++) {
		assert_true(is_wrong(second + second / 10, NSEC_PER_SEC, rounds[i]));
		assert_true(is_wrong(second - second / 10, NSEC_PER_SEC, rounds[i]));
		assert_true(is_wrong(2 * second, NSEC_PER_SEC, rounds[i]));
		assert_true(is_wrong(second / 2, NSEC_PER_SEC, rounds[i]));
		assert_true(is_wrong(second + 2 * second, NSEC_PER_SEC, rounds[i]));
		assert_true(is_wrong(0, NSEC_PER_SEC, rounds[i]));
		assert_true(is_wrong(-second, NSEC_PER_SEC, rounds[i]));
	}
	assert_true(is_wrong(11 * second, NSEC_PER_SEC, LONG_ROUND));
	assert_true(is_wrong(-second * 100, NSEC_PER_SEC, LONG_ROUND));
}

static void it_is_said_by_how_much(void **state)
{
	struct drift drift = drift_between(11 * NSEC_PER_SEC, NSEC_PER_SEC, LONG_ROUND);

	(void)state;
	assert_int_equal(drift.ahead_ns, 10 * NSEC_PER_SEC);
	drift = drift_between(0, NSEC_PER_SEC, LONG_ROUND);
	assert_int_equal(drift.ahead_ns, -(int64_t)NSEC_PER_SEC);
	assert_int_equal(drift.limit_ns, NSEC_PER_SEC / 16 + NSEC_PER_MSEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_clock_is_right_for_ever),
		cmocka_unit_test(a_rate_that_was_measured_badly_is_no_drift),
		cmocka_unit_test(a_clock_that_drifts_jumps_or_stands_is_wrong),
		cmocka_unit_test(it_is_said_by_how_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
