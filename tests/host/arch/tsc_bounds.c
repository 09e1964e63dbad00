/* sources: arch/x86_64/smp/tsc_bounds.h */
/*
 * How far one TSC is from another: what the readings cannot tell apart is no difference, and what
 * they show is found to within the length of the shortest exchange.
 */
#include "tsc_bounds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* One exchange that begins at `at`: `there` cycles to the other, `back` from it. */
static void exchange(struct tsc_bounds *bounds, uint64_t at, uint64_t there, uint64_t back,
		     int64_t difference)
{
	tsc_bounds_add(bounds, at, at + there + (uint64_t)difference, at + there + back);
}

static void equal_counters_do_not_differ(void **state)
{
	struct tsc_bounds bounds = TSC_BOUNDS_INIT;

	(void)state;
	exchange(&bounds, 1000, 0, 500, 0);
	exchange(&bounds, 2000, 300, 0, 0);
	exchange(&bounds, 3000, 10, 10, 0);
	assert_int_equal(tsc_bounds_difference(&bounds), 0);
}

static void a_difference_that_cannot_be_seen_is_none(void **state)
{
	struct tsc_bounds bounds = TSC_BOUNDS_INIT;

	(void)state;
	exchange(&bounds, 1000, 100, 120, 90);
	exchange(&bounds, 2000, 110, 100, 90);
	assert_int_equal(tsc_bounds_difference(&bounds), 0);
}

static void a_difference_is_found(void **state)
{
	static const int64_t differences[] = {
		200, -200, 1000000, -1000000, INT64_C(1) << 50, -(INT64_C(1) << 50)};

	(void)state;
	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
		struct tsc_bounds bounds = TSC_BOUNDS_INIT;
		int64_t found;

		exchange(&bounds, UINT64_C(1) << 52, 5000, 9000, differences[i]);
		exchange(&bounds, (UINT64_C(1) << 52) + 20000, 60, 40, differences[i]);
		found = tsc_bounds_difference(&bounds);
		assert_true(found != 0);
		assert_in_range((uint64_t)(found - differences[i] + 60), 0, 120);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_counters_do_not_differ),
		cmocka_unit_test(a_difference_that_cannot_be_seen_is_none),
		cmocka_unit_test(a_difference_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
