/* sources: kernel/percent.c */
/*
 * Percent-decoding and the cutting of argument lists.
 */
#include "percent.h"

#include <abi/errno.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_decoded(const char *encoded, const char *expected, size_t expected_len)
{
	char text[64];
	size_t len;

	strcpy(text, encoded);
	assert_int_equal(percent_decode(text, &len), 0);
	assert_int_equal(len, expected_len);
	assert_memory_equal(text, expected, len + 1);
}

static void decodes(void **state)
{
	(void)state;
	assert_decoded("", "", 0);
	assert_decoded("plain-text_1.2/3", "plain-text_1.2/3", 16);
	assert_decoded("a%20b%0ac", "a b\nc", 5);
	assert_decoded("%41%4a%4A", "AJJ", 3);
	assert_decoded("ls%00-l%00", "ls\0-l\0", 6);
	assert_decoded("%25%2541", "%%41", 4);
	assert_decoded("%ff", "\xff", 1);
}

static void bad_encodings_are_refused_with_their_place(void **state)
{
	static const char *const bad[] = {"abc%", "abc%4", "abc%zz", "abc%4g", "abc%%41"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[16];
		size_t len;

		strcpy(text, bad[i]);
		assert_int_equal(percent_decode(text, &len), -EINVAL);
		assert_int_equal(len, 3);
	}
}

static void splits_at_zero_bytes(void **state)
{
	char text[] = "ls\0-l\0\0x";
	char *list[8];

	(void)state;
	assert_int_equal(percent_split(text, sizeof(text) - 1, list, 8), 4);
	assert_string_equal(list[0], "ls");
	assert_string_equal(list[1], "-l");
	assert_string_equal(list[2], "");
	assert_string_equal(list[3], "x");
	assert_null(list[4]);
}

static void an_empty_text_is_one_empty_string(void **state)
{
	char text[] = "";
	char *list[2];

	(void)state;
	assert_int_equal(percent_split(text, 0, list, 2), 1);
	assert_string_equal(list[0], "");
	assert_null(list[1]);
}

static void more_strings_than_room_are_counted_not_written(void **state)
{
	char text[] = "a\0b\0c";
	char *list[4] = {NULL, NULL, NULL, text};

	(void)state;
	assert_int_equal(percent_split(text, sizeof(text) - 1, list, 3), 3);
	assert_string_equal(list[1], "b");
	assert_null(list[2]);
	assert_ptr_equal(list[3], text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes),
		cmocka_unit_test(bad_encodings_are_refused_with_their_place),
		cmocka_unit_test(splits_at_zero_bytes),
		cmocka_unit_test(an_empty_text_is_one_empty_string),
		cmocka_unit_test(more_strings_than_room_are_counted_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
