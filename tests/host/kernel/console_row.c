/* sources: kernel/console/console_row.c lib/fmt.c */
/*
 * What the console believes to be in the cursor's row.
 */
#include "console_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct console_row row;

static void send(const char *text)
{
	console_row_feed(&row, (const uint8_t *)text, strlen(text));
}

static void assert_row(const char *expected, unsigned column)
{
	assert_int_equal(row.len_bytes, strlen(expected));
	assert_memory_equal(row.bytes, expected, row.len_bytes);
	assert_int_equal(row.column, column);
}

static void assert_erase(unsigned columns, const char *expected)
{
	char erase[CONSOLE_ROW_ERASE_BYTES];
	size_t n = console_row_erase(&row, columns, erase);

	assert_int_equal(n, strlen(expected));
	assert_memory_equal(erase, expected, n);
}

static void newline_and_return_begin_the_row_anew(void **state)
{
	(void)state;
	memset(&row, 0, sizeof(row));
	send("first line\r\nksh> ls");
	assert_row("ksh> ls", 7);
	assert_erase(80, "\r\033[J");
	send("\r\033[Kksh> l");
	assert_row("\033[Kksh> l", 6);
	send("\n");
	assert_row("", 0);
	assert_erase(80, "");
}

static void nothing_comes_between_the_bytes_of_a_sequence(void **state)
{
	static const char *const wholes[] = {
		"\033[31m", "\033[1;2H", "\033]0;title\007", "\033]0;title\033\\", "\0337",
		"\033(B",   "\xc3\xa9",  "\xe2\x82\xac",     "\xf0\x9f\x99\x82",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wholes); i++) {
		size_t len = strlen(wholes[i]);

		memset(&row, 0, sizeof(row));
		for (size_t n = 0; n < len; n++) {
			assert_int_equal(console_row_is_whole(&row), n == 0);
			console_row_feed(&row, (const uint8_t *)wholes[i] + n, 1);
		}
		assert_true(console_row_is_whole(&row));
	}
}

static void columns_count_characters_not_bytes(void **state)
{
	(void)state;
	memset(&row, 0, sizeof(row));
	send("\033[1;32m\xc3\xa9\xe2\x82\xac\033[0m\tx");
	assert_int_equal(row.column, 9);
	send("\033[3D");
	assert_int_equal(row.column, 6);
	send("\033[C\b\b");
	assert_int_equal(row.column, 5);
	send("\033[20G");
	assert_int_equal(row.column, 19);
	send("\033[999D");
	assert_int_equal(row.column, 0);
}

static void wrapped_rows_are_erased_from_their_first(void **state)
{
	(void)state;
	memset(&row, 0, sizeof(row));
	for (int i = 0; i < 20; i++)
		send("0123456789");
	assert_erase(80, "\033[2A\r\033[J");
	assert_erase(200, "\r\033[J");
	assert_erase(0, "\r\033[J");
}

static void too_long_rows_are_left_alone(void **state)
{
	(void)state;
	memset(&row, 0, sizeof(row));
	for (int i = 0; i < CONSOLE_ROW_BYTES + 1; i++)
		send("x");
	assert_erase(80, "\r\n");
	assert_int_equal(console_row_redraw_bytes(&row), 0);
	assert_row("", 0);
	send("ok");
	assert_int_equal(console_row_redraw_bytes(&row), 2);
}

static void an_endless_sequence_ends(void **state)
{
	(void)state;
	memset(&row, 0, sizeof(row));
	send("\033]");
	for (int i = 0; i < 300; i++)
		send("x");
	assert_true(console_row_is_whole(&row));
	send("\xe2x"); /* a character that breaks off */
	assert_true(console_row_is_whole(&row));
}

static void what_does_not_draw_is_not_kept(void **state)
{
	static const char *const asked[] = {
		"\033[6n",
		"\033[c",
		"\033[>c",
		"\033[?6n",
		"\033[18t",
		"\033[4$p",
		"\033[?25$p",
		"\033Z",
		"\005",
		"\033]4;1;?\007",
		"\033]0;t\033\\",
		"\033P$qm\033\\",
		"\033[?1049h",
		"\033%@",
		"\xc2\x9b"
		"6n",
		"\xc2\x9a",
		"\033[\033[6n",
		"\033[6\030",
		"\033]0;t\033[6n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		memset(&row, 0, sizeof(row));
		send("\033[1mone ");
		send(asked[i]);
		assert_true(console_row_is_whole(&row));
		send("\033[Ktwo");
		assert_row("\033[1mone \033[Ktwo", 7);
	}
	memset(&row, 0, sizeof(row));
	send("one\033[3\r1mtwo"); /* its beginning is not in this row */
	assert_row("two", 3);
	send("\xe2\rthree");
	assert_row("three", 5);
}

static void what_takes_long_to_draw_is_not_drawn_again(void **state)
{
	(void)state;
	memset(&row, 0, sizeof(row));
	send("\033[J\033[J$ ls\033[J");
	assert_true(console_row_redraw_bytes(&row) > 0);
	for (int i = 0; i < 10; i++)
		send("\033[J");
	assert_int_equal(console_row_redraw_bytes(&row), 0);
	send("x\033[9999b");
	assert_int_equal(console_row_redraw_bytes(&row), 0);
	send("x\033[9b");
	assert_int_equal(console_row_redraw_bytes(&row), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newline_and_return_begin_the_row_anew),
		cmocka_unit_test(nothing_comes_between_the_bytes_of_a_sequence),
		cmocka_unit_test(columns_count_characters_not_bytes),
		cmocka_unit_test(wrapped_rows_are_erased_from_their_first),
		cmocka_unit_test(too_long_rows_are_left_alone),
		cmocka_unit_test(an_endless_sequence_ends),
		cmocka_unit_test(what_does_not_draw_is_not_kept),
		cmocka_unit_test(what_takes_long_to_draw_is_not_drawn_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
