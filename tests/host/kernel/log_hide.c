/* sources: kernel/log_hide.c lib/utf8.c */
/*
 * What of a log line is not shown: numbers to a program, commands to a terminal.
 */
#include "../../../kernel/log_hide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void becomes(const char *line, const char *expected)
{
	char text[128];

	snprintf(text, sizeof(text), "%s", line);
	log_hide_addresses(text);
	assert_string_equal(text, expected);
}

static void addresses_of_the_kernel_are_hidden(void **state)
{
	(void)state;
	becomes("at 0xffffffff81234567 in x", "at 0xxxxxxxxxxxxxxxxx in x");
	becomes("rax FFFF888000000000", "rax xxxxxxxxxxxxxxxx");
	becomes("ffff800000000000,ffffea0000001234", "xxxxxxxxxxxxxxxx,xxxxxxxxxxxxxxxx");
}

static void everything_else_stays(void **state)
{
	(void)state;
	becomes("", "");
	becomes("crash[7]: read of 0x00007fffffffe000 at 0x401234",
		"crash[7]: read of 0x00007fffffffe000 at 0x401234");
	becomes("error ffffffffffffffea", "error ffffffffffffffea");
	becomes("deadbeef ffff8000 feed", "deadbeef ffff8000 feed");
	becomes("ffffffff812345678", "ffffffff812345678"); /* 17 digits are no address */
}

static void shown_as(const char *line, const char *expected)
{
	char text[128];

	snprintf(text, sizeof(text), "%s", line);
	log_hide_controls(text, strlen(text));
	assert_string_equal(text, expected);
}

static void nothing_draws_but_text(void **state)
{
	(void)state;
	shown_as("plain, gr\xc3\xbc\xc3\x9f\x65, \xe2\x82\xac",
		 "plain, gr\xc3\xbc\xc3\x9f\x65, \xe2\x82\xac");
	shown_as("a\033[2Jb\rc\x7f", "a?[2Jb?c?");
	shown_as("\xc2\x9b"
		 "2J \xc2\x80 \xc2\xa0",
		 "??2J ?? \xc2\xa0"); /* CSI; NBSP is a blank */
	shown_as("\x9b"
		 "6n \xff \xe2\x82",
		 "?6n ? ??"); /* alone, never, cut off */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_the_kernel_are_hidden),
		cmocka_unit_test(everything_else_stays),
		cmocka_unit_test(nothing_draws_but_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
