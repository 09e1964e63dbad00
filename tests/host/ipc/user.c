/* sources: ipc/user.c tests/host/fusek/fake/kernel.c */
/*
 * Counts by user on the host, where ASan sees what is left behind or used too late.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ipc/user.h>

static void each_user_has_counts_of_his_own(void **state)
{
	struct user_counts *first = user_counts_of(1000);
	struct user_counts *again = user_counts_of(1000);
	struct user_counts *second = user_counts_of(1016); /* of the same bucket */

	assert_ptr_equal(first, again);
	assert_ptr_not_equal(first, second);
	assert_true(user_charge(first, USER_LOCKS, 3, 4));
	assert_true(user_charge(again, USER_LOCKS, 3, 4)); /* he had fewer than 4 */
	assert_false(user_charge(first, USER_LOCKS, 1, 4));
	assert_int_equal(user_count(first, USER_LOCKS), 6);
	assert_int_equal(user_count(first, USER_WATCHES), 0);
	assert_int_equal(user_count(second, USER_LOCKS), 0);
	assert_true(user_charge(second, USER_LOCKS, 1, 1));
	user_uncharge(first, USER_LOCKS, 6);
	assert_true(user_charge(first, USER_LOCKS, 1, 4));
	user_counts_put(first);
	user_counts_put(second);
	user_counts_put(again);
	user_counts_put(NULL);
}

static void who_has_nothing_is_forgotten(void **state)
{
	struct user_counts *user = user_counts_of(7);

	assert_true(user_charge(user, USER_FLIGHTS, 5, UINT64_MAX));
	user_counts_put(user_counts_get(user));
	assert_int_equal(user_count(user, USER_FLIGHTS), 5);
	user_counts_put(user);
	user = user_counts_of(7);
	assert_int_equal(user_count(user, USER_FLIGHTS), 0);
	user_counts_put(user);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_user_has_counts_of_his_own),
		cmocka_unit_test(who_has_nothing_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
