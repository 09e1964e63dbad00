/* sources: kernel/core/name.c lib/fmt.c */
/*
 * Names of core files from patterns.
 */
#include "name.h"

#include <abi/errno.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct core_facts facts = {
	.pid = 12,
	.tid = 13,
	.own_pid = 2,
	.own_tid = 3,
	.uid = 1000,
	.gid = 100,
	.signal = 11,
	.dumpable = true,
	.time_s = 1700000000,
	.limit_bytes = 4096,
	.cpu = 3,
	.host = "here",
	.name = "a/b",
	.program = "/usr/bin/prog",
};

static void assert_name(const char *pattern, bool uses_pid, const char *expected)
{
	char name[64];

	assert_int_equal(core_name(name, sizeof(name), pattern, uses_pid, &facts), 0);
	assert_string_equal(name, expected);
}

static void each_letter_has_its_fact(void **state)
{
	(void)state;
	assert_name("core", false, "core");
	assert_name("%p-%P-%i-%I", false, "2-12-3-13");
	assert_name("%u.%g.%s.%d", false, "1000.100.11.1");
	assert_name("%t.%c.%C", false, "1700000000.4096.3");
	assert_name("/var/%h/%f", false, "/var/here/prog");
	assert_name("%E", false, "!usr!bin!prog");
	assert_name("%%p", false, "%p");
}

static void what_is_no_letter_is_left_out(void **state)
{
	(void)state;
	assert_name("a%zb%", false, "ab");
}

static void the_number_is_put_behind_once(void **state)
{
	(void)state;
	assert_name("core", true, "core.2");
	assert_name("core.%p", true, "core.2");
	assert_name("%%p", true, "%p.2");
}

static void a_programs_name_leads_nowhere(void **state)
{
	struct core_facts odd = facts;
	char name[64];

	(void)state;
	assert_name("x/%e", false, "x/a!b");
	odd.name = "..";
	assert_int_equal(core_name(name, sizeof(name), "x/%e", false, &odd), 0);
	assert_string_equal(name, "x/!.");
	odd.name = ".";
	assert_int_equal(core_name(name, sizeof(name), "%e", false, &odd), 0);
	assert_string_equal(name, "!");
	odd.name = "../../etc";
	assert_int_equal(core_name(name, sizeof(name), "%e", false, &odd), 0);
	assert_string_equal(name, "..!..!etc");
}

static void one_that_does_not_fit_is_none(void **state)
{
	char name[5] = "####";

	(void)state;
	assert_int_equal(core_name(name, 4, "core", false, &facts), -ENAMETOOLONG);
	assert_int_equal(name[4], '\0');
	assert_int_equal(core_name(name, 5, "core", false, &facts), 0);
	assert_int_equal(core_name(name, 5, "core", true, &facts), -ENAMETOOLONG);
	assert_int_equal(core_name(name, 5, "", false, &facts), -ENOENT);
	assert_int_equal(core_name(name, 5, "%", false, &facts), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_letter_has_its_fact),
		cmocka_unit_test(what_is_no_letter_is_left_out),
		cmocka_unit_test(the_number_is_put_behind_once),
		cmocka_unit_test(a_programs_name_leads_nowhere),
		cmocka_unit_test(one_that_does_not_fit_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
