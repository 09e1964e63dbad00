/* sources: @driver */
/*
 * Watching a driver: a line for each request that is over, with what came of it. See driver.c for
 * the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake/mounted.h"

#include <fusek/driver.h>
#include <fusek/mount.h>
#include <string.h>

/* The last line that has `text` in it. */
static const char *line_of(const char *text)
{
	const char *found = NULL;

	for (const char *at = fake_log; (at = strstr(at, text)); at++)
		found = at;
	return found;
}

static void watch(uint32_t number)
{
	fake_log[0] = 0;
	assert_int_equal(fuse_trace_set(number, true), 0);
}

static void each_request_is_shown(void **state)
{
	char text[32];

	watch(0);
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	assert_int_equal(look(AT "/none"), -ENOENT);
	assert_non_null(line_of(" LOOKUP(1, \"file\") = node 2 <"));
	assert_non_null(line_of(" OPEN(2, "));
	assert_non_null(line_of(" READ(2, fh "));
	assert_non_null(line_of(" = 10 <"));
	assert_non_null(line_of(" LOOKUP(1, \"none\") = -1 ENOENT <"));
	assert_int_equal(fuse_trace_set(0, false), 0);
	fake_log[0] = 0;
	assert_int_equal(look(AT "/nothing"), -ENOENT);
	assert_null(line_of("LOOKUP"));
}

static void one_filesystem_is_watched(void **state)
{
	uint32_t number = fuse_control_next(0);

	assert_int_equal(fuse_trace_set(number + 1, true), -ENOENT);
	watch(number);
	assert_int_equal(look(AT "/none"), -ENOENT);
	assert_non_null(line_of("LOOKUP"));
	assert_int_equal(fuse_trace_set(number, false), 0);
	fake_log[0] = 0;
	assert_int_equal(look(AT "/nothing"), -ENOENT);
	assert_null(line_of("LOOKUP"));
}

static void who_leaves_is_shown_and_so_is_the_late_answer(void **state)
{
	assert_int_equal(look(AT), 0);
	watch(0);
	mock.kill_at = FUSE_LOOKUP;
	assert_int_equal(look(AT "/file"), -EINTR);
	fake_pending = 0;
	assert_non_null(line_of(" LOOKUP(1, \"file\") = -1 EINTR <"));
	assert_null(line_of("= node 2"));
	fake_driver_answer_late();
	fake_driver_serve();
	assert_non_null(line_of(" LOOKUP(1, \"file\") = node 2 <"));
	assert_non_null(line_of(" FORGET(2, 1)"));
	assert_int_equal(fuse_trace_set(0, false), 0);
}

int main(void)
{
#define MOUNTED(test) cmocka_unit_test_setup_teardown(test, mounted, gone)
	const struct CMUnitTest tests[] = {
		MOUNTED(each_request_is_shown),
		MOUNTED(one_filesystem_is_watched),
		MOUNTED(who_leaves_is_shown_and_so_is_the_late_answer),
	};

	return cmocka_run_group_tests(tests, mounted_begin, NULL);
}
