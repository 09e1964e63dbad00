/* sources: kernel/log_hide.c */
/*
 * Which numbers of a log line a program gets to see.
 */
#include "../../../kernel/log_hide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_the_kernel_are_hidden),
		cmocka_unit_test(everything_else_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
