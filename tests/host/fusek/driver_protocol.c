/* sources: @driver */
/*
 * What old drivers say, what a mount is told, how many requests a driver gets at a time, and what
 * whoever controls a connection sees of it. See driver.c for the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake/mounted.h"

#include <fusek/mount.h>
#include <fusek/path.h>
#include <string.h>

static void again(const char *type, uint32_t minor, const char *options)
{
	assert_int_equal(vfs_umount(&kernel, AT, 0), 0);
	fake_driver_stop();
	fake_driver_start();
	mock.minor = minor;
	assert_int_equal(vfs_mount(&kernel, "/tmp", AT, type, 0, options), 0);
}

/* ---- old drivers ---- */

static void drivers_of_every_age_work(void **state)
{
	static const uint32_t minors[] = {0, 3, 4, 5, 7, 8, 9, 11, 12, 22, 23, 45, 99};
	struct abi_statfs statfs;
	char text[32];

	for (size_t i = 0; i < ARRAY_SIZE(minors); i++) {
		again("fuse", minors[i], fake_driver_options);
		assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
		assert_int_equal(write_to(AT "/file", "abc", 0), 3);
		assert_int_equal(write_to(AT "/new", "n", O_CREAT), 1);
		assert_int_equal(vfs_mkdir(&kernel, NULL, AT "/newdir", 0755), 0);
		assert_int_equal(vfs_statfs(&kernel, NULL, AT, 0, &statfs), 0);
		assert_int_equal(statfs.f_blocks, 100);
		names_evict();
		fake_driver_serve();
		assert_int_equal(mock.nremembered, 0);
	}
}

/* ---- mounting ---- */

static void a_block_device_s_driver_is_asked_to_finish(void **state)
{
	assert_int_equal(vfs_umount(&kernel, AT, 0), 0);
	assert_int_equal(mock.nasked[FUSE_DESTROY], 0);
	fake_driver_stop();
	fake_driver_start();
	assert_int_equal(vfs_mount(&kernel, "/nope", AT, "fuseblk", 0, fake_driver_options),
			 -ENOENT);
	assert_int_equal(vfs_mount(&kernel, "/tmp", AT, "fuseblk", 0, fake_driver_options),
			 -ENOTBLK);
	assert_int_equal(write_to("/tmp/image", "x", O_CREAT), 1);
	assert_int_equal(
		vfs_mount(&kernel, "/tmp/image", AT, "fuseblk.mock", 0, fake_driver_options), 0);
	assert_int_equal(look(AT "/file"), 0);
	assert_int_equal(vfs_umount(&kernel, AT, 0), 0);
	assert_int_equal(mock.nasked[FUSE_DESTROY], 1);
	mock.nremembered = 0; /* what a driver that has finished was told is over */
	fake_driver_stop();
	fake_driver_start();
	assert_int_equal(vfs_mount(&kernel, "/tmp", AT, "fuse", 0, fake_driver_options), 0);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/image", 0), 0);
}

/* A name of who mounts, whatever is the root for others. */
static void the_disk_is_found_where_its_owner_looks(void **state)
{
	struct vfs_context inside = kernel;
	struct object *root;

	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/inside", 0755), 0);
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/inside/m", 0755), 0);
	assert_int_equal(write_to("/tmp/inside/image", "x", O_CREAT), 1);
	root = open_ok("/tmp/inside", O_PATH | O_DIRECTORY);
	inside.root = inside.cwd = file_path(root);
	assert_int_equal(vfs_umount(&kernel, AT, 0), 0);
	fake_driver_stop();
	fake_driver_start();
	assert_int_equal(vfs_mount(&inside, "/image", "/m", "fuseblk", 0, fake_driver_options), 0);
	assert_int_equal(vfs_umount(&inside, "/m", 0), 0);
	object_put(root);
	fake_driver_stop();
	fake_driver_start();
	assert_int_equal(vfs_mount(&kernel, "mock", AT, "fuse", 0, fake_driver_options), 0);
}

static const struct {
	const char *type, *more;
	err_t err;
	const char *shown;
} mounts[] = {
	{"fuse", "", 0, "rw,user_id=0,group_id=0"},
	{"fuse.mock", ",allow_other", 0, "rw,user_id=0,group_id=0,allow_other"},
	{"fuse", ",default_permissions,max_read=8192", 0,
	 "rw,user_id=0,group_id=0,default_permissions,max_read=8192"},
	{"fuse", ",blksize=1024", -EINVAL, NULL},
	{"fuseblk", ",blksize=1024", 0, "rw,user_id=0,group_id=0,blksize=1024"},
	{"fuseblk", ",blksize=512", 0, "rw,user_id=0,group_id=0"},
	{"fuseblk", ",blksize=1000", -EINVAL, NULL},
	{"fuseblk", ",blksize=256", -EINVAL, NULL},
	{"fuseblk", ",blksize=8192", -EINVAL, NULL},
	{"fuse.", "", -ENODEV, NULL},
	{"fuseblk.", "", -ENODEV, NULL},
	{"fuseblks", "", -ENODEV, NULL},
	{"fuse.a_name_that_is_longer_than_any", "", -EINVAL, NULL},
};

static void options_are_checked_and_shown(void **state)
{
	static struct mount_names names;
	struct mount_line line;

	assert_int_equal(write_to("/tmp/image", "x", O_CREAT), 1);
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		const struct path root = mount_root();
		char options[256];
		uint32_t after = 0;

		assert_int_equal(vfs_umount(&kernel, AT, 0), 0);
		fake_driver_stop();
		fake_driver_start();
		strcpy(options, fake_driver_options);
		strcat(options, mounts[i].more);
		assert_int_equal(vfs_mount(&kernel, "/tmp/image", AT, mounts[i].type, 0, options),
				 mounts[i].err);
		if (mounts[i].err) {
			assert_int_equal(
				vfs_mount(&kernel, "x", AT, "fuse", 0, fake_driver_options), 0);
			continue;
		}
		while (mount_next(after, &root, &line, &names) && strcmp(names.at, AT) != 0)
			after = line.id;
		assert_string_equal(names.at, AT);
		assert_string_equal(line.type, mounts[i].type);
		assert_string_equal(line.fs_options, mounts[i].shown);
	}
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/image", 0), 0);
}

/* ---- opening what is stale ---- */

static void a_stale_name_is_looked_up_once_more(void **state)
{
	char text[32];
	unsigned nlookups;

	assert_int_equal(look(AT "/file"), 0);
	nlookups = mock.nasked[FUSE_LOOKUP];
	mock.stale_at = FUSE_OPEN;
	mock.nstale = 1;
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	assert_int_equal(mock.nasked[FUSE_LOOKUP], nlookups + 1);
	assert_int_equal(mock.nasked[FUSE_OPEN], 2);
	mock.nstale = 2;
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), -ESTALE);
	mock.nstale = 1;
	assert_int_equal(write_to(AT "/file", "a", O_CREAT), 1);
}

/* ---- as many as the driver wants ---- */

/* What is released without anybody who waits goes out as the driver answers. */
static void no_more_go_out_than_the_driver_wants(void **state)
{
	enum { NFILES = 5 };
	struct object *objects[NFILES];
	struct fuse_control control;
	uint32_t number;

	mock.max_background = 2;
	for (int i = 0; i < NFILES; i++)
		objects[i] = open_ok(AT "/file", O_RDONLY);
	number = (uint32_t)stat_ok(AT).st_dev & 0xff;
	assert_int_equal(fuse_control_look(number, &control), 0);
	assert_int_equal(control.max_background, 2);
	assert_int_equal(control.congestion_threshold, 1);
	assert_int_equal(control.nwaiting, 0);
	for (int i = 0; i < NFILES; i++)
		object_put(objects[i]);
	assert_int_equal(fuse_control_look(number, &control), 0);
	assert_int_equal(control.nwaiting, NFILES);
	mock.hold_at = FUSE_RELEASE;
	fake_driver_serve(); /* one is held, and of the others one goes out at a time */
	assert_int_equal(mock.nasked[FUSE_RELEASE], NFILES);
	assert_int_equal(fuse_control_look(number, &control), 0);
	assert_int_equal(control.nwaiting, 1);
	fake_driver_answer_late();
}

static void what_waits_goes_out_when_more_may(void **state)
{
	struct object *objects[3];
	uint32_t number;

	for (int i = 0; i < 3; i++)
		objects[i] = open_ok(AT "/file", O_RDONLY);
	number = (uint32_t)stat_ok(AT).st_dev & 0xff;
	assert_int_equal(fuse_control_set_background(number, 0), 0);
	for (int i = 0; i < 3; i++)
		object_put(objects[i]);
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_RELEASE], 0);
	assert_int_equal(fuse_control_set_background(number, 2), 0);
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_RELEASE], 3);
}

/* ---- control ---- */

static void a_connection_is_found_by_its_filesystem_s_number(void **state)
{
	uint32_t number = (uint32_t)stat_ok(AT).st_dev & 0xff;
	struct fuse_control control;

	assert_int_equal(fuse_control_next(1), number);
	assert_int_equal(fuse_control_next(number), number);
	assert_int_equal(fuse_control_next(number + 1), 0);
	assert_int_equal(fuse_control_look(number + 1, &control), -ENOENT);
	assert_int_equal(fuse_control_look(0, &control), -ENOENT);
	assert_int_equal(fuse_control_set_congestion(number, 7), 0);
	assert_int_equal(fuse_control_look(number, &control), 0);
	assert_int_equal(control.congestion_threshold, 7);
	assert_int_equal(control.max_background, 12);
	assert_int_equal(vfs_umount(&kernel, AT, 0), 0);
	assert_int_equal(fuse_control_look(number, &control), -ENOENT);
	fake_driver_stop();
	fake_driver_start();
	assert_int_equal(vfs_mount(&kernel, "/tmp", AT, "fuse", 0, fake_driver_options), 0);
}

static void an_abort_ends_all(void **state)
{
	static const struct {
		uint32_t flags;
		ssize_t driver;
	} rows[] = {{0, -ENODEV}, {FUSE_ABORT_ERROR, -ECONNABORTED}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		again("fuse", 38, fake_driver_options);
		mock.init_flags = (uint32_t)rows[i].flags;
		assert_int_equal(look(AT "/file"), 0);
		assert_int_equal(fuse_control_abort((uint32_t)stat_ok(AT).st_dev & 0xff), 0);
		assert_int_equal(look(AT "/dir"), -ENOTCONN);
		assert_int_equal(fake_driver_read_end(), rows[i].driver);
		mock.nremembered = 0;
	}
}

int main(void)
{
#define MOUNTED(test) cmocka_unit_test_setup_teardown(test, mounted, gone)
	const struct CMUnitTest tests[] = {
		MOUNTED(drivers_of_every_age_work),
		MOUNTED(a_block_device_s_driver_is_asked_to_finish),
		MOUNTED(the_disk_is_found_where_its_owner_looks),
		MOUNTED(options_are_checked_and_shown),
		MOUNTED(a_stale_name_is_looked_up_once_more),
		MOUNTED(no_more_go_out_than_the_driver_wants),
		MOUNTED(what_waits_goes_out_when_more_may),
		MOUNTED(a_connection_is_found_by_its_filesystem_s_number),
		MOUNTED(an_abort_ends_all),
	};

	return cmocka_run_group_tests(tests, mounted_begin, NULL);
}
