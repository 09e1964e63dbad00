/* sources: @driver */
/*
 * The write-back cache: what is written stays in memory until somebody syncs or closes. See
 * driver_mapped.c for how pages go back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake/mounted.h"

#include <abi/errno.h>
#include <fusek/by_clock.h>
#include <fusek/file.h>
#include <string.h>

#define FILE_AT AT "/file"

static struct object *object;

static int begin(void **state)
{
	int err = mounted(state);

	mock.init_flags = FUSE_WRITEBACK_CACHE | FUSE_ATOMIC_O_TRUNC;
	mock.open_flags = FOPEN_KEEP_CACHE;
	object = err ? NULL : open_ok(FILE_AT, O_RDWR);
	return err;
}

static int end(void **state)
{
	(void)!object->ops->closed(object, 1);
	object_put(object);
	return gone(state);
}

static ssize_t write_at(const char *text, uint64_t offset)
{
	struct buffer buffer;

	buffer_init_kernel(&buffer, (void *)(uintptr_t)text, strlen(text));
	return object_write(object, &buffer, &offset);
}

static void writes_of_one_page_become_one(void **state)
{
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(write_at("xy", 2 * i), 2);
	assert_int_equal(mock.nasked[FUSE_READ], 1);
	assert_int_equal(mock.nasked[FUSE_WRITE], 0);
	assert_int_equal(object_sync(object), 0);
	assert_int_equal(mock.nasked[FUSE_WRITE], 1);
	assert_int_equal(mock.last_write.size, 10);
	assert_memory_equal(mock.data, "xyxyxyxy89", 10);
	assert_int_equal(mock.nasked[FUSE_SETATTR], 1); /* the time */
	assert_int_equal(object_sync(object), 0);
	assert_int_equal(mock.nasked[FUSE_WRITE] + mock.nasked[FUSE_SETATTR], 2);
}

static void the_size_is_ours_whatever_the_driver_says(void **state)
{
	mock.attr_valid = 0;
	mock.names_expire = true;
	assert_int_equal(write_at("behind", 5000), 6);
	assert_int_equal(stat_ok(FILE_AT).st_size, 5006);
	assert_int_equal(mock.size, 10);
	mock.size = 7; /* somebody else's change: it does not count */
	assert_int_equal(stat_ok(FILE_AT).st_size, 5006);
	assert_int_equal(object->ops->closed(object, 1), 0);
	assert_int_equal(mock.size, 5006);
}

static void what_the_driver_does_not_have_is_zeros(void **state)
{
	char text[32];

	assert_int_equal(write_at("x", 3 * PAGE_SIZE), 1);
	assert_int_equal(object_read_kernel(object, text, sizeof(text), 2 * PAGE_SIZE), 32);
	for (int i = 0; i < 32; i++)
		assert_int_equal(text[i], 0);
	assert_int_equal(object_read_kernel(object, text, 16, 0), 16);
	assert_memory_equal(text, "0123456789\0\0\0\0\0\0", 16);
}

static void truncation_changes_both_sizes(void **state)
{
	assert_int_equal(write_at("0123456789", 5000), 10);
	assert_int_equal(object_truncate(object, 5005), 0);
	assert_int_equal(mock.size, 5005);
	assert_int_equal(stat_ok(FILE_AT).st_size, 5005);
	assert_int_equal(object_sync(object), 0);
	assert_int_equal(mock.size, 5005);
	assert_memory_equal(mock.data + 5000, "01234", 5);
	assert_int_equal(write_to(FILE_AT, "z", O_TRUNC), 1);
	assert_int_equal(stat_ok(FILE_AT).st_size, 1);
}

static void appending_takes_our_end(void **state)
{
	assert_int_equal(write_at("A", 10), 1);
	assert_int_equal(write_to(FILE_AT, "BC", O_APPEND), 2);
	assert_int_equal(stat_ok(FILE_AT).st_size, 13);
	assert_int_equal(object_sync(object), 0);
	assert_memory_equal(mock.data, "0123456789ABC", 13);
}

static void what_is_to_be_safe_is_sent_at_once(void **state)
{
	struct object *safe = open_ok(FILE_AT, O_RDWR | O_SYNC);

	assert_int_equal(object_write_kernel(safe, "safe", 4), 4);
	assert_memory_equal(mock.data, "safe456789", 10);
	object_put(safe);
}

static void times_that_were_set_are_not_sent_again(void **state)
{
	const struct abi_timespec times[] = {{.tv_sec = 5}, {.tv_sec = 5}};

	assert_int_equal(write_at("x", 0), 1);
	assert_int_equal(vfs_utimens(&kernel, NULL, FILE_AT, times, 0), 0);
	assert_int_equal(mock.nasked[FUSE_SETATTR], 1);
	assert_int_equal(object_sync(object), 0);
	assert_int_equal(mock.nasked[FUSE_SETATTR], 1);
}

static void a_driver_that_fails_to_read_fails_the_write(void **state)
{
	mock.stale_at = FUSE_READ;
	mock.nstale = 1;
	assert_int_equal(write_at("x", 3), -ESTALE);
	assert_int_equal(write_at("x", 3), 1);
}

static void after(uint64_t seconds)
{
	fake_now_ns += seconds * NSEC_PER_SEC;
	vfs_look_at_clock(fake_now_ns);
	fake_driver_serve();
}

static void what_is_old_is_sent_though_nobody_asks(void **state)
{
	assert_int_equal(write_at("old", 0), 3);
	after(29);
	assert_int_equal(mock.nasked[FUSE_WRITE], 0);
	after(2);
	assert_int_equal(mock.nasked[FUSE_WRITE], 1);
	assert_memory_equal(mock.data, "old3456789", 10);
	after(60);
	assert_int_equal(mock.nasked[FUSE_WRITE], 1);
	assert_int_equal(write_at("new", 0), 3);
	after(29);
	assert_int_equal(mock.nasked[FUSE_WRITE], 1);
	after(2);
	assert_int_equal(mock.nasked[FUSE_WRITE], 2);
	assert_memory_equal(mock.data, "new3456789", 10);
}

static void how_old_is_a_setting(void **state)
{
	dirty_writeback_cs = 0;
	assert_int_equal(write_at("x", 0), 1);
	after(1000);
	assert_int_equal(mock.nasked[FUSE_WRITE], 0);
	dirty_writeback_cs = 500;
	dirty_expire_cs = 0;
	after(1);
	assert_int_equal(mock.nasked[FUSE_WRITE], 1);
	dirty_expire_cs = 3000;
}

static void running_out_of_memory_is_an_error(void **state)
{
	for (unsigned left = 0; left < 12; left++) {
		ssize_t done;

		fake_fail_allocation_after = left;
		done = write_at("x", 4 * PAGE_SIZE - 1 - left);
		fake_fail_allocation_after = UINT64_MAX;
		assert_true(done == 1 || done == -ENOMEM);
	}
}

int main(void)
{
#define MOUNTED(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		MOUNTED(writes_of_one_page_become_one),
		MOUNTED(the_size_is_ours_whatever_the_driver_says),
		MOUNTED(what_the_driver_does_not_have_is_zeros),
		MOUNTED(truncation_changes_both_sizes),
		MOUNTED(appending_takes_our_end),
		MOUNTED(what_is_to_be_safe_is_sent_at_once),
		MOUNTED(times_that_were_set_are_not_sent_again),
		MOUNTED(a_driver_that_fails_to_read_fails_the_write),
		MOUNTED(what_is_old_is_sent_though_nobody_asks),
		MOUNTED(how_old_is_a_setting),
		MOUNTED(running_out_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, mounted_begin, NULL);
}
