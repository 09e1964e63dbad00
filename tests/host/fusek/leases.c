/* sources: @servers */
/*
 * Leases against who truncates: while the server is asked, that is a writer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fusek/file.h>
#include <fusek/mount.h>

#include "fake/kernel.h"
#include "fake/server.h"

static struct vfs_context context;
static struct object *holder;
static err_t taken; /* by another, while the server truncates */

static int start(void **state)
{
	fake_init();
	fake.server = (struct server){.ops = &fake_ops, .type = "fake", .source = "fake"};
	fake.node = 5;
	fake.mode = S_IFREG | 0644;
	fake.entry_valid_ns = fake.attr_valid_ns = SERVER_VALID_FOREVER;
	if (mount_create(&fake.server, NULL, 0))
		return -1;
	context = vfs_kernel_context();
	return 0;
}

static int opened(void **state)
{
	taken = 1;
	return vfs_open(&context, NULL, "name", O_RDONLY, 0, &holder);
}

static int closed(void **state)
{
	object_put(holder);
	return fake_locks_held ? -1 : 0;
}

static void take_one(void)
{
	taken = file_set_lease(holder, &context, 3, F_RDLCK);
}

static void expect_none_taken(void)
{
	assert_int_equal(taken, -EAGAIN);
	assert_int_equal(file_set_lease(holder, &context, 3, F_RDLCK), 0); /* it has ended */
}

static void no_lease_is_taken_of_what_is_truncated(void **state)
{
	fake.meanwhile = take_one;
	assert_int_equal(vfs_truncate(&context, "name", 5), 0);
	expect_none_taken();
}

static void no_lease_is_taken_of_what_is_truncated_by_who_only_reads(void **state)
{
	struct object *object;

	fake.meanwhile = take_one;
	assert_int_equal(vfs_open(&context, NULL, "name", O_RDONLY | O_TRUNC, 0, &object), 0);
	expect_none_taken();
	object_put(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_lease_is_taken_of_what_is_truncated, opened,
						closed),
		cmocka_unit_test_setup_teardown(
			no_lease_is_taken_of_what_is_truncated_by_who_only_reads, opened, closed),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
