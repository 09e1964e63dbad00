/* sources: lib/string.c */
/*
 * The helpers of lib/string.h that C has not; the others are the host's own here and are tested
 * inside the kernel.
 */
#include <lib/string.h>

#include <abi/errno.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void copy_cuts_and_ends_with_nul(void **state)
{
	char to[4];

	(void)state;
	assert_true(string_copy(to, sizeof(to), "abc"));
	assert_string_equal(to, "abc");
	assert_false(string_copy(to, sizeof(to), "abcd"));
	assert_string_equal(to, "abc");
	assert_true(string_copy(to, sizeof(to), ""));
	assert_string_equal(to, "");
}

static void bytes_are_equal_when_none_differs(void **state)
{
	char one[24], other[24];

	(void)state;
	memset(one, 'a', sizeof(one));
	for (size_t len = 0; len < sizeof(one); len++) {
		memset(other, 'a', sizeof(other));
		other[len] = 'b'; /* behind the end */
		assert_true(bytes_equal(one, other, len));
		for (size_t at = 0; at < len; at++) {
			other[at] = 'b';
			assert_false(bytes_equal(one, other, len));
			other[at] = 'a';
		}
	}
}

static void numbers_fill_the_whole_string(void **state)
{
	static const struct {
		const char *text;
		err_t err;
		uint64_t value;
	} cases[] = {
		{"0", 0, 0},
		{"42", 0, 42},
		{"0x2a", 0, 42},
		{"0XFF", 0, 255},
		{"017", 0, 15},
		{"18446744073709551615", 0, UINT64_MAX},
		{"", -EINVAL, 0},
		{"0x", -EINVAL, 0},
		{"12a", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"08", -EINVAL, 0},
		{"0xg", -EINVAL, 0},
		{"18446744073709551616", -ERANGE, 0},
		{"99999999999999999999999", -ERANGE, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 0;

		assert_int_equal(string_to_u64(cases[i].text, &value), cases[i].err);
		if (!cases[i].err)
			assert_true(value == cases[i].value);
	}
}

static void prefix(void **state)
{
	(void)state;
	assert_true(string_starts_with("ttyS0", "tty"));
	assert_true(string_starts_with("tty", ""));
	assert_false(string_starts_with("tt", "tty"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_equal_when_none_differs),
		cmocka_unit_test(copy_cuts_and_ends_with_nul),
		cmocka_unit_test(numbers_fill_the_whole_string),
		cmocka_unit_test(prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
