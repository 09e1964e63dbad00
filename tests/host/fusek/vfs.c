/* sources: @vfs */
/*
 * The whole filesystem layer in one process, with the calls as programs make them: walking,
 * opening, listing, the ramdisk, devices, mounts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <abi/errno.h>
#include <arch/paging.h>
#include <fusek/devfs.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <mm/frame.h>

#include "dentry_priv.h"
#include "fake/kernel.h"
#include "fake/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- walking ---- */

static void paths_lead_where_they_should(void **state)
{
	expect_name("/", "/");
	expect_name("//bin///program", "/bin/program");
	expect_name("bin/./../bin/program", "/bin/program");
	expect_name("/../../bin", "/bin");
	expect_name("link", "/bin/program");
	expect_name("absolute/program", "/bin/program");
	expect_name("/tmp/..", "/");
	expect_name("/tmp/sub/deep/../../../bin", "/bin");
	expect_name("/tmp/up", "/bin/data");
	expect_name("/dev/null", "/dev/null");
	expect_name("/dev/../tmp/.", "/tmp");
}

/* A hundred numbered names over 4096 buckets: hardly any two in one, of whatever length. */
static void numbered_names_spread_over_the_buckets(void **state)
{
	static const char *const forms[] = {"%02u", "n%02u", "name%02u", "name0%02u",
					    "a-name-%02u"};
	static unsigned counts[DENTRY_BUCKETS];
	char name[24];

	for (unsigned form = 0; form < sizeof(forms) / sizeof(forms[0]); form++) {
		unsigned nshared = 0;

		memset(counts, 0, sizeof(counts));
		for (unsigned i = 0; i < 100; i++) {
			int len = snprintf(name, sizeof(name), forms[form], i);

			nshared +=
				counts[name_hash(NULL, name, (size_t)len) % DENTRY_BUCKETS]++ > 0;
		}
		assert_in_range(nshared, 0, 15);
	}
}

static void bad_paths_give_linux_errors(void **state)
{
	char name[PATH_MAX + 10];
	struct path path;

	assert_int_equal(stat_error(""), -ENOENT);
	assert_int_equal(stat_error("nothing"), -ENOENT);
	assert_int_equal(stat_error("nothing/below"), -ENOENT);
	assert_int_equal(stat_error("bin/program/"), -ENOTDIR);
	assert_int_equal(stat_error("bin/program/x"), -ENOTDIR);
	assert_int_equal(stat_error("bin/program/.."), -ENOTDIR);
	assert_int_equal(stat_error("loop"), -ELOOP);
	assert_int_equal(stat_error("dangling"), -ENOENT);
	memset(name, 'x', sizeof(name));
	name[256] = 0;
	assert_int_equal(stat_error(name), -ENAMETOOLONG);
	name[255] = 0;
	assert_int_equal(stat_error(name), -ENOENT);
	memset(name, '/', sizeof(name));
	name[sizeof(name) - 1] = 0;
	assert_int_equal(stat_error(name), -ENAMETOOLONG);
	name[PATH_MAX - 1] = 0;
	assert_int_equal(stat_error(name), 0);
	assert_int_equal(path_walk(&kernel, NULL, "bin/data", WALK_DIRECTORY, &path), -ENOTDIR);
	assert_int_equal(path_walk(&kernel, NULL, "", 0, &path), -ENOENT);
}

static void forty_links_are_followed_and_no_more(void **state)
{
	char name[32], target[32];

	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/links", 0755), 0);
	write_file("/tmp/links/0", "end");
	for (unsigned i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "/tmp/links/%u", i);
		snprintf(target, sizeof(target), "%u", i - 1);
		assert_int_equal(vfs_symlink(&kernel, target, NULL, name), 0);
	}
	expect_text("/tmp/links/40", "end");
	assert_int_equal(open_error(&kernel, "/tmp/links/41", O_RDONLY), -ELOOP);
}

static void a_cached_walk_asks_no_server(void **state)
{
	struct names_stats before, after;

	expect_name("/tmp/sub/deep", "/tmp/sub/deep");
	assert_int_equal(stat_error("/bin/missing"), -ENOENT);
	names_stats(&before);
	expect_name("/tmp/sub/deep", "/tmp/sub/deep");
	expect_name("/bin/program", "/bin/program");
	assert_int_equal(stat_error("/bin/missing"), -ENOENT); /* a negative entry */
	names_stats(&after);
	assert_int_equal(after.nlookups, before.nlookups);
	assert_int_equal(after.nwalks - before.nwalks, 3);
	assert_int_equal(after.nwalks_fast - before.nwalks_fast, 3);
}

static void a_changed_root_is_not_left(void **state)
{
	struct vfs_context jailed = kernel;
	struct path path;
	char text[64];

	assert_int_equal(vfs_find_directory(&kernel, NULL, "/tmp/sub", &jailed.root), 0);
	jailed.cwd = jailed.root;
	assert_int_equal(path_walk(&jailed, NULL, "/../../deep/..", 0, &path), 0);
	assert_true(path_equal(&path, &jailed.root));
	assert_int_equal(path_name(&jailed.root, &path, text, sizeof(text)), 2);
	assert_string_equal(text, "/");
	path_put(&path);
	path_put(&jailed.root);
}

/* ---- the ramdisk ---- */

static void the_ramdisk_is_read_only(void **state)
{
	expect_text("/bin/data", "data\n");
	assert_int_equal(open_error(&kernel, "/bin/data", O_WRONLY), -EROFS);
	assert_int_equal(open_error(&kernel, "/bin/new", O_CREAT | O_WRONLY), -EROFS);
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/bin/new", 0755), -EROFS);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/bin/data", 0), -EROFS);
	assert_int_equal(vfs_chmod(&kernel, NULL, "/bin/data", 0777, 0), -EROFS);
	assert_int_equal(vfs_access(&kernel, NULL, "/bin/data", W_OK, 0), -EROFS);
	assert_int_equal(vfs_access(&kernel, NULL, "/bin/data", R_OK, 0), 0);
	assert_int_equal(vfs_access(&kernel, NULL, "/bin/data", X_OK, 0), -EACCES);
}

static void its_pages_are_mapped_in_place(void **state)
{
	const struct object_map_request request = {.len_bytes = PAGE_SIZE};
	struct object *object = open_ok("/bin/data", O_RDONLY);
	struct memory_object *memory;
	struct page_ref page;

	assert_int_equal(object_map(object, &request, &memory), 0);
	object_put(object);
	assert_int_equal(memory->ops->get_page(memory, 0, FAULT_READ, &page), 0);
	assert_null(page.frame);
	assert_memory_equal(phys_to_virt(page.phys), "data\n", 6);
	assert_int_equal(memory->ops->get_page(memory, 1, FAULT_READ, &page), -EIO);
	memory_object_put(memory);

	object = open_ok("/holes", O_RDONLY);
	assert_int_equal(object_map(object, &request, &memory), 0);
	object_put(object);
	assert_int_equal(memory->ops->get_page(memory, 2, FAULT_READ, &page), 0);
	assert_null(page.frame);
	memory_object_put(memory);
}

static void modes_decide_for_who_is_not_root(void **state)
{
	struct object *object;

	assert_int_equal(open_error(&user, "/private/file", O_RDONLY), -EACCES);
	assert_int_equal(open_error(&user, "/tmp/seeded", O_RDONLY), -EACCES);
	assert_int_equal(open_error(&user, "/bin/data", O_RDONLY), 0);
	assert_int_equal(vfs_open_exec(&user, NULL, "/bin/data", 0, &object), -EACCES);
	assert_int_equal(vfs_open_exec(&kernel, NULL, "/bin/data", 0, &object), -EACCES);
	assert_int_equal(vfs_open_exec(&user, NULL, "/bin", 0, &object), -EACCES);
	assert_int_equal(vfs_open_exec(&user, NULL, "/link", 0, &object), 0);
	object_put(object);
}

/* ---- open ---- */

static void open_flags_do_what_they_say(void **state)
{
	struct object *object;
	struct buffer buffer;
	char byte;

	assert_int_equal(open_error(&kernel, "/bin", O_WRONLY), -EISDIR);
	assert_int_equal(open_error(&kernel, "/bin", O_CREAT), -EISDIR);
	assert_int_equal(open_error(&kernel, "/bin/data", O_DIRECTORY), -ENOTDIR);
	assert_int_equal(open_error(&kernel, "/link", O_NOFOLLOW), -ELOOP);
	assert_int_equal(open_error(&kernel, "/tmp/new/", O_CREAT | O_WRONLY), -EISDIR);
	assert_int_equal(open_error(&kernel, "/tmp", O_TMPFILE | O_RDWR), 0);
	assert_int_equal(open_error(&kernel, "/tmp", O_TMPFILE | O_RDONLY), -EINVAL);
	assert_int_equal(open_error(&kernel, "/bin", O_TMPFILE | O_RDWR), -EROFS);
	assert_int_equal(open_error(&kernel, "/dev", O_TMPFILE | O_RDWR), -EOPNOTSUPP);
	assert_int_equal(open_error(&kernel, "/bin/data", O_DIRECT), 0);
	assert_int_equal(open_error(&kernel, "/bin", O_DIRECT), -EINVAL);
	assert_int_equal(open_error(&kernel, "/link", O_NOFOLLOW | O_DIRECTORY), -ENOTDIR);
	assert_int_equal(open_error(&kernel, "/bin/data", 1u << 30), -EINVAL);
	assert_int_equal(open_error(&kernel, "/tmp/x", O_CREAT | O_EXCL | O_WRONLY), 0);
	assert_int_equal(open_error(&kernel, "/tmp/x", O_CREAT | O_EXCL | O_WRONLY), -EEXIST);
	assert_int_equal(vfs_symlink(&kernel, "made", NULL, "/tmp/tomake"), 0);
	assert_int_equal(open_error(&kernel, "/tmp/tomake", O_CREAT | O_EXCL), -EEXIST);
	assert_int_equal(open_error(&kernel, "/tmp/tomake", O_CREAT | O_WRONLY), 0);
	assert_int_equal(stat_ok("/tmp/made").st_size, 0);

	object = open_ok("/link", O_PATH | O_NOFOLLOW);
	buffer_init_kernel(&buffer, &byte, 1);
	assert_int_equal(object_read(object, &buffer, NULL), -EBADF);
	assert_int_equal(vfs_readlink(&kernel, object, "", &byte, 1), 1);
	assert_int_equal(byte, 'b');
	object_put(object);

	object = open_ok("/bin/data", O_RDONLY);
	assert_int_equal(object_write(object, &buffer, NULL), -EBADF);
	object_put(object);
}

static void relative_names_start_at_the_descriptor(void **state)
{
	struct object *bin = open_ok("/bin", O_RDONLY | O_DIRECTORY), *object;
	struct object *data = open_ok("/bin/data", O_RDONLY);
	struct abi_stat stat;

	assert_int_equal(vfs_open(&kernel, bin, "data", O_RDONLY, 0, &object), 0);
	object_put(object);
	assert_int_equal(vfs_open(&kernel, data, "data", O_RDONLY, 0, &object), -ENOTDIR);
	assert_int_equal(vfs_open(&kernel, data, "/bin/data", O_RDONLY, 0, &object), 0);
	object_put(object);
	assert_int_equal(vfs_stat(&kernel, data, "", AT_EMPTY_PATH, &stat), 0);
	assert_int_equal(stat.st_size, 5);
	assert_int_equal(vfs_stat(&kernel, data, "", 0, &stat), -ENOENT);
	object_put(data);
	object_put(bin);
}

/* ---- directories ---- */

static unsigned list(struct object *object, size_t buffer_bytes, bool seen[])
{
	char records[4096];
	unsigned count = 0;

	for (;;) {
		struct buffer buffer;
		ssize_t len_bytes;

		buffer_init_kernel(&buffer, records, buffer_bytes);
		len_bytes = object_getdents(object, &buffer, DIRENT_64);
		assert_true(len_bytes >= 0);
		if (!len_bytes)
			return count;
		for (ssize_t at = 0; at < len_bytes;) {
			struct abi_dirent64 *record = (void *)(records + at);
			unsigned number;

			assert_int_equal(record->d_reclen % 8, 0);
			assert_true(strlen(record->d_name) < record->d_reclen);
			if (sscanf(record->d_name, "f%u", &number) == 1) {
				assert_int_equal(record->d_type, DT_REG);
				assert_false(seen[number]);
				seen[number] = true;
			} else {
				assert_int_equal(record->d_type, DT_DIR);
			}
			count++;
			at += record->d_reclen;
		}
	}
}

static void listings_have_each_name_once_in_any_buffer(void **state)
{
	static const size_t sizes[] = {4096, 700, 32};
	struct object *object;
	struct buffer buffer;
	char name[32], small[16];

	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/list", 0755), 0);
	for (unsigned i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "/tmp/list/f%u", i);
		write_file(name, "");
	}
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		bool seen[500] = {false};

		object = open_ok("/tmp/list", O_RDONLY | O_DIRECTORY);
		assert_int_equal(list(object, sizes[i], seen), 502);
		object_put(object);
	}
	object = open_ok("/tmp/list", O_RDONLY);
	buffer_init_kernel(&buffer, small, sizeof(small));
	assert_int_equal(object_getdents(object, &buffer, DIRENT_64), -EINVAL);
	object_put(object);
	/* Removing while listing loses nothing and doubles nothing. */
	for (unsigned i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "/tmp/list/f%u", i);
		assert_int_equal(vfs_unlink(&kernel, NULL, name, 0), 0);
	}
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/list", AT_REMOVEDIR), 0);
	object = open_ok("/bin/data", O_RDONLY);
	buffer_init_kernel(&buffer, small, sizeof(small));
	assert_int_equal(object_getdents(object, &buffer, DIRENT_64), -ENOTDIR);
	object_put(object);
}

static void the_root_of_a_mount_names_the_directory_above(void **state)
{
	struct object *object = open_ok("/tmp", O_RDONLY);
	char records[128];
	struct buffer buffer;
	struct abi_dirent64 *record = (void *)records;

	buffer_init_kernel(&buffer, records, sizeof(records));
	assert_true(object_getdents(object, &buffer, DIRENT_64) >= 48);
	assert_string_equal(record->d_name, ".");
	assert_int_equal(record->d_ino, stat_ok("/tmp").st_ino);
	record = (void *)(records + record->d_reclen);
	assert_string_equal(record->d_name, "..");
	assert_int_equal(record->d_ino, stat_ok("/").st_ino);
	object_put(object);
}

/* ---- devices and mounts ---- */

static void devices_are_found_by_name_and_by_number(void **state)
{
	struct object *object = open_ok("/dev/null", O_RDWR);
	uint64_t position;

	assert_int_equal(nopened, 1);
	assert_int_equal(stat_ok("/dev/null").st_rdev, abi_makedev(1, 3));
	assert_int_equal(object_write_kernel(object, "gone", 4), 4);
	assert_int_equal(object_seek(object, 0, SEEK_SET, &position), -ESPIPE);
	assert_int_equal(object_ioctl(object, 1, uptr(0)), -ENOTTY);
	object_put(object);
	assert_int_equal(vfs_mknod(&user, NULL, "/tmp/dev", S_IFCHR | 0666, abi_makedev(1, 3)),
			 -EPERM);
	assert_int_equal(vfs_mknod(&kernel, NULL, "/tmp/dev", S_IFCHR | 0666, abi_makedev(1, 3)),
			 0);
	object = open_ok("/tmp/dev", O_WRONLY);
	assert_int_equal(nopened, 1);
	object_put(object);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/dev", 0), 0);
	assert_int_equal(vfs_mknod(&kernel, NULL, "/tmp/dev", S_IFCHR | 0666, abi_makedev(9, 9)),
			 0);
	assert_int_equal(open_error(&kernel, "/tmp/dev", O_RDONLY), -ENXIO);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/dev", 0), 0);
	/* A name that was not there may come. */
	assert_int_equal(stat_error("/dev/later"), -ENOENT);
	assert_int_equal(devfs_register("later", 1, 99, 0600, 0, &null_ops, &nopened), 0);
	assert_int_equal(stat_error("/dev/later"), 0);
	assert_int_equal(devfs_register("later", 1, 98, 0600, 0, &null_ops, NULL), -EEXIST);
	assert_int_equal(devfs_register("other", 1, 99, 0600, 0, &null_ops, NULL), -EEXIST);
}

static void mounts_are_listed(void **state)
{
	static const char *const places[] = {"/",    "/dev",  "/tmp",  "/var",
					     "/run", "/root", "/home", "/dev/shm"};
	struct mount_info info;

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		assert_true(mount_info(i, &info));
		assert_string_equal(info.at, places[i]);
		assert_string_equal(info.options, i == 0   ? "ro"
						  : i == 1 ? "rw"
						  : i == 7 ? "rw,nosuid,nodev,relatime"
							   : "rw,relatime");
	}
	assert_false(mount_info(ARRAY_SIZE(places), &info));
}

static void a_mount_in_use_stays(void **state)
{
	struct object *object = open_ok("/home", O_RDONLY);
	struct path here, path;
	struct mount_info info;

	write_file("/home/file", "x");
	here = file_path(object);
	path = path_get(&here);
	assert_int_equal(mount_remove(&path), -EBUSY);
	here = file_path(object);
	path = path_get(&here);
	object_put(object);
	assert_int_equal(mount_remove(&path), 0);
	assert_false(mount_info(7, &info));
	assert_int_equal(stat_error("/home/file"), -ENOENT);
	assert_int_equal(stat_error("/home"), 0); /* what was below shows again */
}

/* ---- memory running out ---- */

static void every_failed_allocation_is_an_error_and_no_leak(void **state)
{
	struct object *object;

	write_file("/run/warm", "x");
	for (unsigned n = 0; n < 60; n++) {
		err_t err;

		fake_fail_allocation_after = n;
		err = vfs_open(&kernel, NULL, "/run/fresh", O_CREAT | O_WRONLY, 0600, &object);
		fake_fail_allocation_after = UINT64_MAX;
		if (err) {
			assert_int_equal(err, -ENOMEM);
			(void)!vfs_unlink(&kernel, NULL, "/run/fresh", 0);
			continue;
		}
		fake_fail_allocation_after = 0;
		err = vfs_mkdir(&kernel, NULL, "/run/directory", 0700);
		assert_int_equal(err, -ENOMEM);
		err = vfs_rename(&kernel, NULL, "/run/warm", NULL, "/run/warm2", 0);
		assert_int_equal(err, -ENOMEM);
		fake_fail_allocation_after = UINT64_MAX;
		object_put(object);
		expect_text("/run/warm", "x");
		return;
	}
	fail_msg("it never worked");
}

#define TEST(test) cmocka_unit_test_teardown(test, nothing_is_held)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(paths_lead_where_they_should),
		TEST(numbered_names_spread_over_the_buckets),
		TEST(bad_paths_give_linux_errors),
		TEST(forty_links_are_followed_and_no_more),
		TEST(a_cached_walk_asks_no_server),
		TEST(a_changed_root_is_not_left),
		TEST(the_ramdisk_is_read_only),
		TEST(its_pages_are_mapped_in_place),
		TEST(modes_decide_for_who_is_not_root),
		TEST(open_flags_do_what_they_say),
		TEST(relative_names_start_at_the_descriptor),
		TEST(listings_have_each_name_once_in_any_buffer),
		TEST(the_root_of_a_mount_names_the_directory_above),
		TEST(devices_are_found_by_name_and_by_number),
		TEST(mounts_are_listed),
		TEST(a_mount_in_use_stays),
		TEST(every_failed_allocation_is_an_error_and_no_leak),
	};

	return cmocka_run_group_tests(tests, tree_begin, NULL);
}
