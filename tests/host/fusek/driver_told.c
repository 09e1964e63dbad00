/* sources: @driver */
/*
 * What is believed of a driver that changes its files by itself: no longer than it said, and no
 * less than it said last. See driver.c for the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake/mounted.h"

#include <abi/cuse.h>
#include <fusek/driver.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <string.h>

/* What the driver said is too old. */
static void time_goes_by(void)
{
	fake_now_ns += 1000 * NSEC_PER_SEC;
}

/* The mount is everybody's. */
static void let_others_in(void)
{
	assert_int_equal(vfs_umount(&kernel, AT, 0), 0);
	fake_driver_stop();
	fake_driver_start();
	assert_int_equal(vfs_mount(&kernel, "mock", AT, "fuse", 0,
				   "fd=3,rootmode=40000,user_id=0,group_id=0,allow_other"),
			 0);
}

static err_t run(void)
{
	struct object *object;
	err_t err = vfs_open_exec(&kernel, NULL, AT "/file", 0, &object);

	if (!err)
		object_put(object);
	return err;
}

/* ---- modes and owners ---- */

static void a_file_becomes_a_program_at_the_driver(void **state)
{
	mock.mode = 0644;
	assert_int_equal(run(), -EACCES);
	mock.mode = 0755;
	assert_int_equal(run(), -EACCES); /* it said for how long */
	time_goes_by();
	assert_int_equal(run(), 0);
	mock.mode = 0644;
	time_goes_by();
	assert_int_equal(run(), -EACCES);
}

static void a_directory_becomes_sticky_at_the_driver(void **state)
{
	let_others_in();
	assert_int_equal(look(AT "/file"), 0);
	mock.folder_mode = 01777;
	time_goes_by();
	assert_int_equal(vfs_unlink(&user, NULL, AT "/file", 0), -EPERM);
	mock.uid = user.uid;
	time_goes_by();
	assert_int_equal(vfs_unlink(&user, NULL, AT "/file", 0), 0);
	mock.uid = 0;
	mock.folder_mode = 0777;
	time_goes_by();
	assert_int_equal(vfs_unlink(&user, NULL, AT "/file", 0), 0);
}

static void an_owner_becomes_another_at_the_driver(void **state)
{
	struct object *object;

	let_others_in();
	mock.uid = user.uid;
	assert_int_equal(vfs_open(&user, NULL, AT "/file", O_RDONLY | O_NOATIME, 0, &object), 0);
	assert_int_equal(file_set_write_hint(object, &user, 1), 0);
	mock.uid = 0;
	time_goes_by();
	assert_int_equal(file_set_write_hint(object, &user, 1), -EPERM);
	assert_int_equal(file_set_lease(object, &user, 3, F_RDLCK), -EACCES);
	assert_int_equal(open_error(&user, AT "/file", O_RDONLY | O_NOATIME), -EPERM);
	mock.uid = user.uid;
	time_goes_by();
	assert_int_equal(file_set_lease(object, &user, 3, F_RDLCK), 0);
	object_put(object);
}

/* ---- what comes with a name ---- */

static uint64_t size_of_open(struct object *object)
{
	struct abi_stat stat;

	assert_int_equal(object_stat(object, &stat), 0);
	return (uint64_t)stat.st_size;
}

static void what_a_look_up_says_is_what_an_open_file_is(void **state)
{
	struct object *object = open_ok(AT "/file", O_RDONLY);
	unsigned ngetattrs;

	mock.names_expire = true;
	time_goes_by();
	assert_int_equal(size_of_open(object), 10);
	mock.size = 20;
	assert_int_equal(size_of_open(object), 10);
	ngetattrs = mock.nasked[FUSE_GETATTR];
	time_goes_by();
	assert_int_equal(stat_ok(AT "/file").st_size, 20);
	assert_int_equal(size_of_open(object), 20);
	assert_int_equal(mock.nasked[FUSE_GETATTR], ngetattrs);
	object_put(object);
}

static void a_look_up_says_that_cached_pages_are_old(void **state)
{
	struct object *object;
	char text[32];

	mock.names_expire = true;
	mock.open_flags = FOPEN_KEEP_CACHE;
	object = open_ok(AT "/file", O_RDONLY);
	assert_int_equal(object_read_kernel(object, text, sizeof(text), 0), 10);
	memcpy(mock.data, "abcdefghijkl", 12);
	mock.size = 12;
	assert_int_equal(stat_ok(AT "/file").st_size, 12);
	assert_int_equal(object_read_kernel(object, text, sizeof(text), 0), 12);
	assert_memory_equal(text, "abcdefghijkl", 12);
	object_put(object);
}

static void a_listing_with_entries_says_what_is_known_already(void **state)
{
	struct object *object = open_ok(AT "/file", O_RDONLY);

	mock.init_flags = FUSE_DO_READDIRPLUS;
	assert_int_equal(size_of_open(object), 10);
	mock.size = 30;
	assert_true(list(AT) > 0);
	assert_int_equal(size_of_open(object), mock.nasked[FUSE_READDIRPLUS] ? 30 : 10);
	object_put(object);
}

/* ---- files without a name ---- */

static void what_was_found_by_number_names_nothing(void **state)
{
	struct object *object = open_ok(AT "/file", O_RDONLY);
	struct object *root = open_ok(AT, O_PATH | O_DIRECTORY);
	struct file_handle handle;
	struct object *found;
	uint32_t mount_id;

	assert_int_equal(vfs_handle(&kernel, NULL, AT "/file", 0, &handle, &mount_id), 0);
	assert_int_equal(vfs_unlink(&kernel, NULL, AT "/file", 0), 0);
	assert_int_equal(vfs_open_handle(&kernel, root, &handle, O_RDONLY, &found), 0);
	object_put(found);
	assert_int_equal(fake_driver_notify_entry(MOCK_FILE, "x"), -ENOENT);
	assert_int_equal(vfs_open_handle(&kernel, root, &handle, O_RDONLY, &found), 0);
	object_put(found);
	object_put(root);
	object_put(object);
}

static void what_was_found_by_number_has_the_name_that_is_known(void **state)
{
	struct object *root = open_ok(AT, O_PATH | O_DIRECTORY);
	struct file_handle handle;
	struct object *found;
	char name[64];
	uint32_t mount_id;

	assert_int_equal(vfs_handle(&kernel, NULL, AT "/file", 0, &handle, &mount_id), 0);
	assert_int_equal(vfs_open_handle(&kernel, root, &handle, O_RDONLY, &found), 0);
	object_describe(found, name, sizeof(name));
	assert_string_equal(name, AT "/file");
	object_put(found);
	object_put(root);
}

static void what_it_was_asked_is_counted_by_kind(void **state)
{
	uint32_t number = fuse_control_next(1);
	struct fuse_counted before, after;

	assert_int_equal(fuse_control_counted(number, FUSE_LOOKUP, &before), 0);
	assert_int_equal(look(AT "/file"), 0);
	assert_int_equal(fuse_control_counted(number, FUSE_LOOKUP, &after), 0);
	assert_int_equal(after.nrequests, before.nrequests + 1);
	assert_int_equal(after.latencies[0], before.latencies[0] + 1); /* no time goes by here */
	assert_int_equal(after.nbytes, before.nbytes + sizeof(struct fuse_entry_out));
	assert_string_equal(fuse_opcode_name(FUSE_LOOKUP), "LOOKUP");
	assert_string_equal(fuse_opcode_name(CUSE_INIT), "other");
	assert_int_equal(fuse_control_counted(number + 1000, FUSE_LOOKUP, &after), -ENOENT);
}

#define MOUNTED(test) cmocka_unit_test_setup_teardown(test, mounted, gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MOUNTED(a_file_becomes_a_program_at_the_driver),
		MOUNTED(a_directory_becomes_sticky_at_the_driver),
		MOUNTED(an_owner_becomes_another_at_the_driver),
		MOUNTED(what_a_look_up_says_is_what_an_open_file_is),
		MOUNTED(a_look_up_says_that_cached_pages_are_old),
		MOUNTED(a_listing_with_entries_says_what_is_known_already),
		MOUNTED(what_was_found_by_number_names_nothing),
		MOUNTED(what_was_found_by_number_has_the_name_that_is_known),
		MOUNTED(what_it_was_asked_is_counted_by_kind),
	};

	return cmocka_run_group_tests(tests, mounted_begin, NULL);
}
