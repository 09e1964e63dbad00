/* sources: @vfs */
/*
 * tmpfs through the calls that programs make: data, names, links, attributes, limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <abi/errno.h>
#include <abi/xattr.h>
#include <arch/paging.h>
#include <fusek/devfs.h>
#include <fusek/file.h>
#include <fusek/inotify.h>
#include <fusek/mount.h>
#include <mm/frame.h>

#include "fake/kernel.h"
#include "fake/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- tmpfs ---- */

static void seeded_files_show_through_until_written(void **state)
{
	uint64_t frames = fake_frames_left;
	struct object *object = open_ok("/tmp/seeded", O_RDWR);
	struct abi_stat stat = stat_ok("/tmp/seeded");
	char text[16];

	assert_int_equal(stat.st_mode, S_IFREG | 0600);
	assert_int_equal(stat.st_size, 23893);
	assert_int_equal(stat.st_blocks, 0);
	assert_int_equal(object_read_kernel(object, text, 10, 23883), 10);
	assert_memory_equal(text, "4999\n5000\n", 10);
	assert_int_equal(fake_frames_left, frames);

	/* One page becomes the file's own; its neighbours and the rest of it stay as they were. */
	assert_int_equal(object_seek(object, 4096 + 10, SEEK_SET, &frames), 0);
	assert_int_equal(object_write_kernel(object, "XY", 2), 2);
	assert_int_equal(object_read_kernel(object, text, 4, 4096 + 9), 4);
	assert_memory_equal(text + 1, "XY", 2);
	assert_true(text[0] != 0 && text[3] != 0);
	assert_int_equal(object_read_kernel(object, text, 10, 23883), 10);
	assert_memory_equal(text, "4999\n5000\n", 10);
	assert_int_equal(stat_ok("/tmp/seeded").st_size, 23893);

	/* Cut and grown again: what was cut does not come back. */
	assert_int_equal(object_truncate(object, 8195), 0);
	assert_int_equal(object_truncate(object, 23893), 0);
	assert_int_equal(object_read_kernel(object, text, 5, 8193), 5);
	assert_true(text[1] != 0);
	assert_memory_equal(text + 2, "\0\0\0", 3);
	assert_int_equal(object_read_kernel(object, text, 4, 23883), 4);
	assert_memory_equal(text, "\0\0\0\0", 4);
	object_put(object);
	expect_text("/tmp/up", "data\n");
	assert_int_equal(stat_ok("/tmp/up").st_mode, S_IFLNK | 0777);
	assert_int_equal(stat_ok("/tmp").st_mode, S_IFDIR | 01777);
}

static void sparse_files_take_only_what_was_written(void **state)
{
	struct object *object = open_ok("/tmp/sparse", O_CREAT | O_RDWR);
	uint64_t position;
	char text[8];

	assert_int_equal(object_seek(object, 5l << 30, SEEK_SET, &position), 0);
	assert_int_equal(object_write_kernel(object, "end", 3), 3);
	assert_int_equal(stat_ok("/tmp/sparse").st_size, (5l << 30) + 3);
	assert_true(stat_ok("/tmp/sparse").st_blocks <= 8 * 5);
	assert_int_equal(object_read_kernel(object, text, 4, (5l << 30) - 1), 4);
	assert_memory_equal(text, "\0end", 4);
	assert_int_equal(object_read_kernel(object, text, 4, 1l << 30), 4);
	assert_memory_equal(text, "\0\0\0\0", 4);
	assert_int_equal(object_truncate(object, 0), 0);
	assert_int_equal(stat_ok("/tmp/sparse").st_blocks, 0);
	assert_int_equal(object_truncate(object, UINT64_C(1) << 62), -EFBIG);
	object_put(object);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/sparse", 0), 0);
}

static void append_and_positions_work(void **state)
{
	struct object *object = open_ok("/tmp/log", O_CREAT | O_WRONLY | O_APPEND);
	uint64_t position;

	assert_int_equal(object_write_kernel(object, "one ", 4), 4);
	assert_int_equal(object_seek(object, 0, SEEK_SET, &position), 0);
	assert_int_equal(object_write_kernel(object, "two", 3), 3);
	assert_int_equal(object_seek(object, 0, SEEK_CUR, &position), 0);
	assert_int_equal(position, 7);
	assert_int_equal(object_seek(object, -1, SEEK_END, &position), 0);
	assert_int_equal(position, 6);
	assert_int_equal(object_seek(object, -8, SEEK_END, &position), -EINVAL);
	assert_int_equal(object_seek(object, INT64_MAX, SEEK_END, &position), -EOVERFLOW);
	assert_int_equal(object_seek(object, 0, 77, &position), -EINVAL);
	object_put(object);
	expect_text("/tmp/log", "one two");
}

static void a_fault_in_the_program_ends_the_copy_there(void **state)
{
	static char memory[3 * 4096];
	struct object *object = open_ok("/tmp/fault", O_CREAT | O_RDWR);
	struct buffer buffer;

	memset(memory, 'm', sizeof(memory));
	fake_bad_address = (uint64_t)memory + 5000;
	assert_int_equal(buffer_init_user(&buffer, uptr((uint64_t)memory), sizeof(memory)), 0);
	assert_int_equal(object_write(object, &buffer, NULL), 5000);
	assert_int_equal(stat_ok("/tmp/fault").st_size, 5000);
	fake_bad_address = (uint64_t)memory;
	assert_int_equal(buffer_init_user(&buffer, uptr((uint64_t)memory), 10), 0);
	assert_int_equal(object_write(object, &buffer, NULL), -EFAULT);
	assert_int_equal(stat_ok("/tmp/fault").st_size, 5000);
	fake_bad_address = 0;
	object_put(object);
}

static void removed_files_live_while_they_are_open(void **state)
{
	uint64_t frames = fake_frames_left, blocks;
	struct object *object;
	char text[4];

	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/d", 0755), 0);
	blocks = fake_live_blocks;
	write_file("/tmp/d/victim", "alive");
	object = open_ok("/tmp/d/victim", O_RDONLY);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/d/victim", 0), 0);
	assert_int_equal(stat_error("/tmp/d/victim"), -ENOENT);
	assert_int_equal(object_read_kernel(object, text, 4, 0), 4);
	assert_memory_equal(text, "aliv", 4);
	object_put(object);
	assert_int_equal(fake_frames_left, frames);
	assert_int_equal(fake_live_blocks, blocks + 2); /* the negative entry and its name */
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/d", AT_REMOVEDIR), 0);
}

static void directories_are_removed_when_empty(void **state)
{
	struct object *object;
	struct path path;
	char text[32];

	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/a", 0755), 0);
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/a/b/", 0755), 0);
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/a", 0755), -EEXIST);
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/no/b", 0755), -ENOENT);
	assert_int_equal(stat_ok("/tmp/a").st_nlink, 3);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/a", AT_REMOVEDIR), -ENOTEMPTY);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/a", 0), -EISDIR);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/a/.", AT_REMOVEDIR), -EINVAL);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/a/..", AT_REMOVEDIR), -ENOTEMPTY);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/", AT_REMOVEDIR), -EBUSY);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp", AT_REMOVEDIR), -EBUSY);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/log", AT_REMOVEDIR), -ENOTDIR);
	assert_int_equal(vfs_find_directory(&kernel, NULL, "/tmp/a/b", &path), 0);
	assert_int_equal(path_getcwd(&kernel.root, &path, text, sizeof(text)), sizeof("/tmp/a/b"));
	assert_string_equal(text, "/tmp/a/b");
	/* Not below what is the root for somebody. */
	assert_int_equal(path_getcwd(&path, &kernel.root, text, sizeof(text)), -ENOENT);
	assert_int_equal(path_getcwd(&path, &path, text, sizeof(text)), sizeof("/"));
	object = open_ok("/tmp/a/b", O_RDONLY);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/a/b", AT_REMOVEDIR), 0);
	assert_int_equal(path_name(&kernel.root, &path, text, sizeof(text)),
			 sizeof("/tmp/a/b (deleted)"));
	assert_string_equal(text, "/tmp/a/b (deleted)");
	assert_int_equal(path_getcwd(&kernel.root, &path, text, sizeof(text)), -ENOENT);
	/* Nothing is made in what is gone. */
	struct object *made;

	assert_int_equal(vfs_open(&kernel, object, "x", O_CREAT | O_WRONLY, 0600, &made), -ENOENT);
	object_put(object);
	path_put(&path);
	assert_int_equal(stat_ok("/tmp/a").st_nlink, 2);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/a", AT_REMOVEDIR), 0);
}

static err_t rename_to(const char *from, const char *to, unsigned flags)
{
	return vfs_rename(&kernel, NULL, from, NULL, to, flags);
}

static void renames_follow_the_rules(void **state)
{
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/r", 0755), 0);
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/r/one", 0755), 0);
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/r/two", 0755), 0);
	write_file("/tmp/r/one/file", "1");
	write_file("/tmp/r/other", "2");

	assert_int_equal(rename_to("/tmp/r/no", "/tmp/r/x", 0), -ENOENT);
	assert_int_equal(rename_to("/tmp/r/one", "/tmp/r/one/below", 0), -EINVAL);
	assert_int_equal(rename_to("/tmp/r/one", "/tmp/r/other", 0), -ENOTDIR);
	assert_int_equal(rename_to("/tmp/r/other", "/tmp/r/one", 0), -EISDIR);
	assert_int_equal(rename_to("/tmp/r/two", "/tmp/r/one", 0), -ENOTEMPTY);
	assert_int_equal(rename_to("/tmp/r/one/file", "/tmp/r/one", 0), -ENOTEMPTY);
	assert_int_equal(rename_to("/tmp/r/other", "/bin/other", 0), -EXDEV);
	assert_int_equal(rename_to("/tmp/r/other", "/tmp/r/one/file", RENAME_NOREPLACE), -EEXIST);
	assert_int_equal(rename_to("/tmp/r/other", "/tmp/r/no", RENAME_EXCHANGE), -ENOENT);
	assert_int_equal(rename_to("/tmp/r/other", "/tmp/r/x/", 0), -ENOTDIR);
	assert_int_equal(rename_to("/tmp/r/.", "/tmp/r/x", 0), -EBUSY);
	assert_int_equal(rename_to("/tmp/r/other", "/tmp/r/x", 8), -EINVAL);
	assert_int_equal(rename_to("/bin/data", "/bin/x", 0), -EROFS);

	/* Over a file; a directory over an empty one; names below move along. */
	assert_int_equal(rename_to("/tmp/r/other", "/tmp/r/one/file", 0), 0);
	expect_text("/tmp/r/one/file", "2");
	assert_int_equal(stat_error("/tmp/r/other"), -ENOENT);
	assert_int_equal(rename_to("/tmp/r/one", "/tmp/r/two", 0), 0);
	expect_text("/tmp/r/two/file", "2");
	expect_name("/tmp/r/two/file", "/tmp/r/two/file");
	assert_int_equal(stat_error("/tmp/r/one"), -ENOENT);
	assert_int_equal(stat_ok("/tmp/r").st_nlink, 3);

	/* Exchange, also of different kinds. */
	write_file("/tmp/r/file", "3");
	assert_int_equal(rename_to("/tmp/r/two", "/tmp/r/file", RENAME_EXCHANGE), 0);
	expect_text("/tmp/r/two", "3");
	expect_text("/tmp/r/file/file", "2");

	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/r/file/file", 0), 0);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/r/file", AT_REMOVEDIR), 0);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/r/two", 0), 0);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/r", AT_REMOVEDIR), 0);
}

static void a_moved_working_directory_knows_its_new_name(void **state)
{
	struct path path;
	char text[64];

	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/m", 0755), 0);
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/m/n", 0755), 0);
	assert_int_equal(vfs_find_directory(&kernel, NULL, "/tmp/m/n", &path), 0);
	assert_int_equal(rename_to("/tmp/m", "/tmp/moved", 0), 0);
	assert_true(path_name(&kernel.root, &path, text, sizeof(text)) > 0);
	assert_string_equal(text, "/tmp/moved/n");
	path_put(&path);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/moved/n", AT_REMOVEDIR), 0);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/moved", AT_REMOVEDIR), 0);
}

static void hard_links_are_counted(void **state)
{
	write_file("/tmp/first", "shared");
	assert_int_equal(vfs_link(&kernel, NULL, "/tmp/first", NULL, "/tmp/second", 0), 0);
	assert_int_equal(stat_ok("/tmp/first").st_nlink, 2);
	assert_int_equal(stat_ok("/tmp/first").st_ino, stat_ok("/tmp/second").st_ino);
	assert_int_equal(vfs_link(&kernel, NULL, "/tmp/first", NULL, "/tmp/second", 0), -EEXIST);
	assert_int_equal(vfs_link(&kernel, NULL, "/tmp/sub", NULL, "/tmp/s", 0), -EPERM);
	assert_int_equal(vfs_link(&kernel, NULL, "/bin/data", NULL, "/tmp/s", 0), -EXDEV);
	assert_int_equal(rename_to("/tmp/first", "/tmp/second", 0),
			 0); /* the same thing: nothing */
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/first", 0), 0);
	assert_int_equal(stat_ok("/tmp/second").st_nlink, 1);
	expect_text("/tmp/second", "shared");
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/second", 0), 0);
}

static void attributes_change_and_are_guarded(void **state)
{
	const struct abi_timespec times[2] = {{.tv_sec = 11, .tv_nsec = 12},
					      {.tv_nsec = UTIME_OMIT}};
	const struct abi_timespec bad[2] = {{.tv_nsec = -1}, {0}};
	struct abi_stat stat;

	write_file("/tmp/attr", "x");
	assert_int_equal(vfs_chmod(&user, NULL, "/tmp/attr", 0777, 0), -EPERM);
	assert_int_equal(vfs_chown(&user, NULL, "/tmp/attr", OTHER_UID, OTHER_UID, 0), -EPERM);
	assert_int_equal(vfs_utimens(&user, NULL, "/tmp/attr", times, 0), -EPERM);
	assert_int_equal(vfs_utimens(&user, NULL, "/tmp/attr", NULL, 0), -EACCES);
	assert_int_equal(vfs_chmod(&kernel, NULL, "/tmp/attr", 04755, 0), 0);
	assert_int_equal(vfs_chown(&kernel, NULL, "/tmp/attr", OTHER_UID, UINT32_MAX, 0), 0);
	stat = stat_ok("/tmp/attr");
	assert_int_equal(stat.st_mode, S_IFREG | 0755); /* a new owner: no setuid */
	assert_int_equal(stat.st_uid, OTHER_UID);
	assert_int_equal(stat.st_gid, 0);
	assert_int_equal(vfs_utimens(&kernel, NULL, "/tmp/attr", bad, 0), -EINVAL);
	assert_int_equal(vfs_utimens(&user, NULL, "/tmp/attr", times, 0), 0);
	stat = stat_ok("/tmp/attr");
	assert_int_equal(stat.st_atim.tv_sec, 11);
	assert_int_equal(stat.st_atim.tv_nsec, 12);
	assert_true(stat.st_mtim.tv_sec > 1600000000);
	fake_now_ns += NSEC_PER_SEC;
	assert_int_equal(vfs_truncate(&kernel, "/tmp/attr", 100), 0);
	assert_int_equal(stat_ok("/tmp/attr").st_size, 100);
	assert_int_equal(stat_ok("/tmp/attr").st_mtim.tv_sec, stat.st_mtim.tv_sec + 1);
	assert_int_equal(vfs_truncate(&kernel, "/tmp", 0), -EISDIR);
	/* The sticky bit of /tmp: others' files stay. */
	assert_int_equal(vfs_unlink(&user, NULL, "/tmp/log", 0), -EPERM);
	assert_int_equal(vfs_unlink(&user, NULL, "/tmp/attr", 0), 0);
}

static void memory_is_limited_and_comes_back(void **state)
{
	uint64_t frames = fake_frames_left;
	struct object *object = open_ok("/var/big", O_CREAT | O_WRONLY);
	static char block[65536];
	ssize_t done = 0;
	uint64_t total = 0;

	while (done >= 0 && total < FAKE_MEMORY_BYTES) {
		struct buffer buffer;

		buffer_init_kernel(&buffer, block, sizeof(block));
		done = object_write(object, &buffer, NULL);
		total += done > 0 ? (uint64_t)done : 0;
	}
	assert_int_equal(done, -ENOSPC);
	assert_true(total > FAKE_MEMORY_BYTES * 2 / 5 && total <= FAKE_MEMORY_BYTES / 2);
	object_put(object);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/var/big", 0), 0);
	assert_int_equal(fake_frames_left, frames);
}

#define TEST(test) cmocka_unit_test_teardown(test, nothing_is_held)

/* ---- parts of files ---- */

static uint64_t seek_to(struct object *object, int64_t offset, int whence)
{
	uint64_t position = UINT64_MAX;
	err_t err = object_seek(object, offset, whence, &position);

	return err ? (uint64_t)err : position;
}

/* Of 23893 bytes of the seed, in six pages. */
static void what_is_punched_out_of_a_seed_does_not_show_again(void **state)
{
	const unsigned punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	struct object *object = open_ok("/tmp/punched", O_RDWR);
	static char before[24000], after[24000];

	assert_int_equal(object_read_kernel(object, before, sizeof(before), 0), 23893);
	assert_int_equal(seek_to(object, 5, SEEK_DATA), 5);
	assert_int_equal(seek_to(object, 5, SEEK_HOLE), 23893);
	assert_int_equal(object_allocate(object, punch, 4000, 9000), 0);
	assert_int_equal(object_read_kernel(object, after, sizeof(after), 0), 23893);
	memset(before + 4000, 0, 9000);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(object_allocate(object, FALLOC_FL_ZERO_RANGE, 23890, 10), 0);
	assert_int_equal(stat_ok("/tmp/punched").st_size, 23900);
	memset(before + 23890, 0, 3);
	assert_int_equal(object_read_kernel(object, after, sizeof(after), 0), 23900);
	assert_memory_equal(before, after, sizeof(before));
	object_put(object);
}

static void room_behind_the_end_is_no_part_of_the_file(void **state)
{
	struct object *object = open_ok("/tmp/room", O_RDWR | O_CREAT);
	uint64_t frames = fake_frames_left;

	assert_int_equal(object_allocate(object, FALLOC_FL_KEEP_SIZE, 0, 5 * PAGE_SIZE), 0);
	assert_int_equal(fake_frames_left, frames - 5);
	assert_int_equal(stat_ok("/tmp/room").st_size, 0);
	assert_int_equal(object_truncate(object, 0), 0);
	assert_int_equal(object_truncate(object, 3 * PAGE_SIZE), 0);
	assert_int_equal(object_truncate(object, PAGE_SIZE), 0);
	assert_int_equal(fake_frames_left, frames - 1);
	assert_int_equal(object_allocate(object, 0, 0, (int64_t)(frames_total() * PAGE_SIZE)),
			 -ENOSPC);
	assert_int_equal(fake_frames_left, frames - 1); /* not begun with */
	object_put(object);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/room", 0), 0);
}

/* Takes all that waits in a queue: how many bytes, and what the last event is. */
static size_t drain(struct object *inotify, uint32_t *last_mask)
{
	static char bytes[4096] __attribute__((aligned(8)));
	struct buffer buffer;
	size_t total_bytes = 0;
	ssize_t n;

	*last_mask = 0;
	for (;;) {
		buffer_init_kernel(&buffer, bytes, sizeof(bytes));
		n = object_read(inotify, &buffer, NULL);
		if (n <= 0)
			break;
		for (char *at = bytes; at < bytes + n;) {
			const struct abi_inotify_event *event = (const void *)at;

			*last_mask = event->mask;
			at += sizeof(*event) + event->name_bytes;
		}
		total_bytes += (size_t)n;
	}
	assert_int_equal(n, -EAGAIN);
	return total_bytes;
}

static void events_that_nobody_reads_are_bounded_together(void **state)
{
	const size_t max_bytes = frames_total() * PAGE_SIZE / 64;
	struct object *inotifys[32];
	char name[200] = "/tmp/";
	size_t total_bytes = 0;
	uint32_t last;

	memset(name + 5, 'n', sizeof(name) - 6);
	object_put(open_ok(name, O_RDWR | O_CREAT));
	for (size_t i = 0; i < ARRAY_SIZE(inotifys); i++) {
		assert_int_equal(inotify_create(O_NONBLOCK, &inotifys[i]), 0);
		assert_true(inotify_add(inotifys[i], &kernel, "/tmp", IN_ALL_EVENTS) > 0);
	}
	/* Each queue alone would have room for all of them. */
	for (size_t i = 0; i * 2 * ARRAY_SIZE(inotifys) * sizeof(name) < 2 * max_bytes; i++)
		object_put(open_ok(name, O_RDWR));
	for (size_t i = 0; i < ARRAY_SIZE(inotifys); i++) {
		total_bytes += drain(inotifys[i], &last);
		assert_int_equal(last, IN_Q_OVERFLOW);
	}
	assert_in_range(total_bytes, max_bytes / 2, max_bytes);

	/* What was read has made room. */
	object_put(open_ok(name, O_RDWR));
	for (size_t i = 0; i < ARRAY_SIZE(inotifys); i++) {
		drain(inotifys[i], &last);
		assert_int_equal(last, IN_CLOSE_WRITE);
		object_put(inotifys[i]);
	}
	assert_int_equal(vfs_unlink(&kernel, NULL, name, 0), 0);
}

static void holes_far_apart_are_found(void **state)
{
	struct object *object = open_ok("/tmp/far", O_RDWR | O_CREAT);
	const uint64_t far = UINT64_C(600) * 512 * PAGE_SIZE;

	assert_int_equal(object_truncate(object, far + 10), 0);
	assert_int_equal(seek_to(object, 0, SEEK_DATA), -ENXIO);
	assert_int_equal(seek_to(object, (int64_t)far, SEEK_SET), far);
	assert_int_equal(object_write_kernel(object, "x", 1), 1);
	assert_int_equal(seek_to(object, 0, SEEK_DATA), far);
	assert_int_equal(seek_to(object, 0, SEEK_HOLE), 0);
	assert_int_equal(seek_to(object, (int64_t)far, SEEK_HOLE), far + 10);
	assert_int_equal(seek_to(object, (int64_t)far + 10, SEEK_HOLE), -ENXIO);
	object_put(object);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/far", 0), 0);
}

/* ---- extended attributes ---- */

static err_t set(const char *attribute, size_t len_bytes)
{
	static const char value[XATTR_SIZE_MAX];

	return vfs_setxattr(&kernel, NULL, "/tmp/x", 0, attribute, value, len_bytes, 0);
}

static void attributes_have_limits(void **state)
{
	uint64_t blocks;
	char attribute[XATTR_NAME_MAX + 1];
	err_t err = 0;
	int n = 0;

	object_put(open_ok("/tmp/x", O_RDWR | O_CREAT));
	blocks = fake_live_blocks;
	assert_int_equal(set("user.", 1), -EINVAL);
	assert_int_equal(set("system.other", 1), -EOPNOTSUPP);
	assert_int_equal(set("system.posix_acl_access", 1), -EINVAL);
	assert_int_equal(set("user.large", XATTR_SIZE_MAX), 0);
	for (; !err; n++) { /* all names fit into one list */
		snprintf(attribute, sizeof(attribute), "user.%0200d", n);
		err = set(attribute, 1);
	}
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(n - 1, (XATTR_LIST_MAX - 11) / 206);
	assert_in_range(vfs_listxattr(&kernel, NULL, "/tmp/x", 0, NULL, 0), 1, XATTR_LIST_MAX);
	assert_int_equal(set("user.large", 0), 0); /* no name more */
	for (n = 0, err = 0; !err; n++) {          /* until tmpfs has had its part of memory */
		char name[32];

		snprintf(name, sizeof(name), "/tmp/x%d", n);
		object_put(open_ok(name, O_RDWR | O_CREAT));
		err = vfs_setxattr(&kernel, NULL, name, 0, "user.a", fake_memory, XATTR_SIZE_MAX,
				   0);
	}
	assert_int_equal(err, -ENOSPC);
	while (n--) {
		char name[32];

		snprintf(name, sizeof(name), "/tmp/x%d", n);
		assert_int_equal(vfs_unlink(&kernel, NULL, name, 0), 0);
	}
	names_evict();
	assert_int_equal(set("user.large", XATTR_SIZE_MAX), 0); /* there is room again */
	assert_true(fake_live_blocks > blocks);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/x", 0), 0);
}

static void attributes_of_others_are_not_seen(void **state)
{
	char names[64];

	object_put(open_ok("/tmp/y", O_RDWR | O_CREAT));
	assert_int_equal(vfs_setxattr(&kernel, NULL, "/tmp/y", 0, "trusted.a", "1", 1, 0), 0);
	assert_int_equal(vfs_listxattr(&kernel, NULL, "/tmp/y", 0, names, sizeof(names)), 10);
	fake_caller_uid = 1000; /* who is asked for his capabilities */
	assert_int_equal(vfs_listxattr(&user, NULL, "/tmp/y", 0, names, sizeof(names)), 0);
	fake_caller_uid = 0;
	assert_int_equal(vfs_getxattr(&user, NULL, "/tmp/y", 0, "trusted.a", NULL, 0), -ENODATA);
	assert_int_equal(vfs_setxattr(&user, NULL, "/tmp/y", 0, "security.a", "1", 1, 0), -EPERM);
	assert_int_equal(vfs_setxattr(&user, NULL, "/tmp", 0, "user.a", "1", 1, 0), -EPERM);
	assert_int_equal(vfs_setxattr(&kernel, NULL, "/bin/data", 0, "user.a", "1", 1, 0), -EROFS);
	assert_int_equal(vfs_getxattr(&kernel, NULL, "/bin/data", 0, "user.a", NULL, 0),
			 -EOPNOTSUPP);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/y", 0), 0);
}

static void pages_are_promised_memory(void **state)
{
	int64_t before = fake_committed_pages;
	struct object *object = open_ok("/tmp/promised", O_RDWR | O_CREAT);

	assert_int_equal(fake_committed_pages, before); /* a file without bytes */
	assert_int_equal(object_write_kernel(object, fake_memory, 3 * 4096), 3 * 4096);
	assert_int_equal(fake_committed_pages, before + 3);
	assert_int_equal(vfs_truncate(&kernel, "/tmp/promised", 1), 0);
	assert_int_equal(fake_committed_pages, before + 1);
	object_put(object);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/promised", 0), 0);
	names_evict();
	assert_int_equal(fake_committed_pages, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pages_are_promised_memory),
		TEST(seeded_files_show_through_until_written),
		TEST(sparse_files_take_only_what_was_written),
		TEST(append_and_positions_work),
		TEST(a_fault_in_the_program_ends_the_copy_there),
		TEST(removed_files_live_while_they_are_open),
		TEST(directories_are_removed_when_empty),
		TEST(renames_follow_the_rules),
		TEST(a_moved_working_directory_knows_its_new_name),
		TEST(hard_links_are_counted),
		TEST(attributes_change_and_are_guarded),
		TEST(what_is_punched_out_of_a_seed_does_not_show_again),
		TEST(room_behind_the_end_is_no_part_of_the_file),
		TEST(events_that_nobody_reads_are_bounded_together),
		TEST(holes_far_apart_are_found),
		TEST(attributes_have_limits),
		TEST(attributes_of_others_are_not_seen),
		TEST(memory_is_limited_and_comes_back),
	};

	return cmocka_run_group_tests(tests, tree_begin, NULL);
}
