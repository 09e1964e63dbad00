/* sources: fusek/attributes.c fusek/change.c fusek/dentry.c fusek/devfs.c fusek/file.c
	fusek/filesystems.c fusek/getdents.c fusek/init.c fusek/mount.c fusek/node.c fusek/open.c
	fusek/pages.c fusek/pages_write.c fusek/path.c fusek/ramdisk.c fusek/remove.c
   fusek/ext2/super.c fusek/ext2/inode.c fusek/ext2/directory.c fusek/tmpfs/data.c
   fusek/tmpfs/entries.c fusek/tmpfs/inode.c fusek/tmpfs/names.c fusek/tmpfs/pages.c
   fusek/tmpfs/seed.c fusek/driver/connection.c fusek/driver/device.c fusek/driver/files.c
	fusek/driver/stream.c fusek/driver/notify.c
	fusek/driver/options.c fusek/driver/request.c fusek/driver/server.c fusek/proto/close.c
	fusek/proto/control.c fusek/proto/data.c fusek/proto/forget.c fusek/proto/getattr.c
	fusek/proto/init.c fusek/proto/lookup.c fusek/proto/make.c fusek/proto/message.c
	fusek/proto/open.c fusek/proto/readdir.c fusek/proto/readlink.c fusek/proto/remove.c
	fusek/proto/setattr.c fusek/proto/statfs.c ipc/buffer.c ipc/object.c lib/tree.c
	lib/string.c mm/pageset.c tests/host/fusek/fake/kernel.c tests/host/support/image.c
	tests/host/fusek/fake/tree.c tests/host/fusek/fake/driver.c */
/*
 * /dev/fuse against a mock driver: for each operation what is asked, and for each lie of a driver
 * what its caller and the driver itself are told. The driver runs where the caller would sleep, in
 * the same thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake/driver.h"
#include "fake/kernel.h"
#include "fake/tree.h"

#include <fusek/mount.h>
#include <mm/slab.h>
#include <string.h>

#define AT "/tmp/m"

static int begin(void **state)
{
	return tree_begin(state) || fake_driver_register() || vfs_mkdir(&kernel, NULL, AT, 0755);
}

static int mounted(void **state)
{
	fake_driver_start();
	fake_log[0] = 0;
	return mount_by_type(&kernel, "mock", AT, "fuse.mock", 0, fake_driver_options);
}

/* All that the driver gave out has come back: before the mount goes, which takes the rest away. */
static int gone(void **state)
{
	names_evict();
	fake_driver_serve();
	if (mock.nremembered || mock.nopen)
		fail_msg("%ld look-ups and %ld handles were kept", (long)mock.nremembered,
			 (long)mock.nopen);
	if (mount_remove_by_name(&kernel, AT, MNT_DETACH))
		fail_msg("the mount stays");
	fake_driver_stop();
	return fake_locks_held || fake_pending;
}

static err_t look(const char *name)
{
	struct abi_stat stat;

	return vfs_stat(&kernel, NULL, name, 0, &stat);
}

static ssize_t read_file(const char *name, char *to, size_t to_bytes)
{
	struct object *object;
	ssize_t got;
	err_t err = vfs_open(&kernel, NULL, name, O_RDONLY, 0, &object);

	if (err)
		return err;
	got = object_read_kernel(object, to, to_bytes, 0);
	object_put(object);
	return got;
}

static ssize_t write_to(const char *name, const char *text, unsigned flags)
{
	struct object *object;
	ssize_t done;
	err_t err = vfs_open(&kernel, NULL, name, O_WRONLY | flags, 0644, &object);

	if (err)
		return err;
	done = object_write_kernel(object, text, strlen(text));
	object_put(object);
	return done;
}

static ssize_t read_link(void)
{
	char text[PATH_MAX];

	return vfs_readlink(&kernel, NULL, AT "/link", text, sizeof(text));
}

static ssize_t list(const char *name)
{
	char bytes[1024];
	struct object *object;
	struct buffer buffer;
	ssize_t got;
	err_t err = vfs_open(&kernel, NULL, name, O_RDONLY | O_DIRECTORY, 0, &object);

	if (err)
		return err;
	buffer_init_kernel(&buffer, bytes, sizeof(bytes));
	got = object_getdents(object, &buffer);
	object_put(object);
	return got;
}

/* ---- what a good driver gives ---- */

static void a_file_is_found_and_read(void **state)
{
	char text[32];

	assert_int_equal(look(AT "/nope"), -ENOENT);
	assert_int_equal(look(AT "/file"), 0);
	assert_int_equal(stat_ok(AT "/file").st_size, 10);
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	assert_memory_equal(text, "0123456789", 10);
	assert_int_equal(read_link(), 4);
	assert_int_equal(look(AT "/link/"), -ENOTDIR);
	assert_int_equal(read_file(AT "/link", text, sizeof(text)), 10);
	assert_true(list(AT) > 0);
}

static void what_was_read_is_not_asked_for_again(void **state)
{
	char text[32];
	unsigned nreads, nlookups;

	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	nreads = mock.nasked[FUSE_READ];
	nlookups = mock.nasked[FUSE_LOOKUP];
	mock.open_flags = FOPEN_KEEP_CACHE;
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	assert_int_equal(mock.nasked[FUSE_READ], nreads);
	assert_int_equal(mock.nasked[FUSE_LOOKUP], nlookups);
	mock.open_flags = 0; /* dropped at open */
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	assert_int_equal(mock.nasked[FUSE_READ], nreads + 1);
}

static void lookup_s_attributes_answer_the_stat(void **state)
{
	assert_int_equal(look(AT "/file"), 0);
	assert_int_equal(mock.nasked[FUSE_GETATTR], 1); /* of the root, for the walk */
	assert_int_equal(look(AT "/file"), 0);
	assert_int_equal(mock.nasked[FUSE_GETATTR], 1);
}

static void writing_goes_through_and_is_read_back(void **state)
{
	char text[32];

	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	assert_int_equal(write_to(AT "/file", "abc", 0), 3);
	assert_int_equal(mock.nasked[FUSE_WRITE], 1);
	assert_memory_equal(mock.data, "abc3456789", 10);
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	assert_memory_equal(text, "abc3456789", 10);
	assert_int_equal(write_to(AT "/file", "XY", O_APPEND), 2);
	assert_int_equal(stat_ok(AT "/file").st_size, 12);
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 12);
	assert_memory_equal(text, "abc3456789XY", 12);
}

static void truncation_is_seen_at_once(void **state)
{
	char text[32];

	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	assert_int_equal(vfs_truncate(&kernel, AT "/file", 4), 0);
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 4);
	assert_int_equal(write_to(AT "/file", "z", O_TRUNC), 1);
	assert_int_equal(stat_ok(AT "/file").st_size, 1);
}

static void direct_io_asks_each_time(void **state)
{
	char text[32];

	mock.open_flags = FOPEN_DIRECT_IO;
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	assert_int_equal(read_file(AT "/file", text, 5), 5);
	assert_int_equal(mock.nasked[FUSE_READ], 3); /* once more for the end */
	assert_memory_equal(text, "01234", 5);
}

static void names_are_made_and_removed(void **state)
{
	assert_int_equal(write_to(AT "/new", "n", O_CREAT), 1);
	assert_int_equal(mock.nasked[FUSE_CREATE], 1);
	assert_int_equal(vfs_mkdir(&kernel, NULL, AT "/newdir", 0755), 0);
	assert_int_equal(vfs_symlink(&kernel, "target", NULL, AT "/newlink"), 0);
	assert_string_equal(mock.last_target, "target");
	assert_int_equal(vfs_link(&kernel, NULL, AT "/file", NULL, AT "/hard", 0), 0);
	assert_int_equal(vfs_rename(&kernel, NULL, AT "/file", NULL, AT "/moved", 0), 0);
	assert_int_equal(mock.nasked[FUSE_RENAME], 1);
	assert_int_equal(vfs_unlink(&kernel, NULL, AT "/link", 0), 0);
	assert_int_equal(vfs_unlink(&kernel, NULL, AT "/dir", AT_REMOVEDIR), 0);
}

static void who_does_not_own_the_mount_stays_outside(void **state)
{
	struct abi_stat stat;

	assert_int_equal(vfs_stat(&user, NULL, AT, 0, &stat), -EACCES);
	assert_int_equal(vfs_stat(&user, NULL, AT "/file", 0, &stat), -EACCES);
	assert_int_equal(look(AT), 0);
}

static void closing_flushes_once_and_releases_once(void **state)
{
	struct object *object = open_ok(AT "/file", O_RDONLY);

	assert_int_equal(object->ops->closed(object, 1), 0);
	assert_int_equal(object->ops->closed(object, 2), 0);
	assert_int_equal(mock.nasked[FUSE_FLUSH], 2);
	object_put(object);
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_RELEASE], 1);
}

static void an_inode_is_invalidated_by_the_driver(void **state)
{
	char text[32];

	mock.open_flags = FOPEN_KEEP_CACHE;
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	memcpy(mock.data, "changed!!!", 10);
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	assert_memory_equal(text, "0123456789", 10);
	assert_true(fake_driver_notify_inode(MOCK_FILE, 0) > 0);
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	assert_memory_equal(text, "changed!!!", 10);
	assert_int_equal(fake_driver_notify_inode(999, 0), -ENOENT);
}

/* ---- what is unknown is not asked again ---- */

static void operations_that_a_driver_does_not_know(void **state)
{
	char text[32];

	mock.unknown = 1ull << FUSE_OPEN | 1ull << FUSE_OPENDIR | 1ull << FUSE_CREATE |
		       1ull << FUSE_FLUSH | 1ull << FUSE_RENAME2 | 1ull << FUSE_ACCESS;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
		assert_true(list(AT) > 0);
	}
	assert_int_equal(mock.nasked[FUSE_OPEN], 1);
	assert_int_equal(mock.nasked[FUSE_OPENDIR], 1);
	assert_int_equal(write_to(AT "/new1", "n", O_CREAT), 1);
	assert_int_equal(write_to(AT "/new2", "n", O_CREAT), 1);
	assert_int_equal(mock.nasked[FUSE_CREATE], 1);
	assert_int_equal(mock.nasked[FUSE_MKNOD], 2);
	assert_int_equal(vfs_rename(&kernel, NULL, AT "/file", NULL, AT "/x", RENAME_NOREPLACE),
			 -EINVAL);
}

/* ---- lies: the driver's write, and the caller ---- */

static ssize_t look_file(void)
{
	return look(AT "/file");
}

static ssize_t stat_root(void)
{
	return look(AT);
}

static ssize_t read_it(void)
{
	char text[32];

	return read_file(AT "/file", text, sizeof(text));
}

static ssize_t write_it(void)
{
	return write_to(AT "/file", "abc", 0);
}

static ssize_t list_it(void)
{
	return list(AT);
}

static ssize_t link_it(void)
{
	return read_link();
}

static ssize_t open_it(void)
{
	return read_it();
}

static ssize_t make_directory(void)
{
	return vfs_mkdir(&kernel, NULL, AT "/newdir", 0755);
}

static ssize_t make_file(void)
{
	return write_to(AT "/new", "n", O_CREAT);
}

static ssize_t make_link(void)
{
	return vfs_link(&kernel, NULL, AT "/file", NULL, AT "/hard", 0);
}

static const struct lie {
	const char *what;
	uint32_t opcode;
	enum mock_lie lie;
	ssize_t (*act)(void);
	ssize_t caller, driver;
} lies[] = {
	{"an entry that is the root", FUSE_LOOKUP, LIE_ROOT, look_file, -EIO, 0},
	{"an entry without a type", FUSE_LOOKUP, LIE_TYPE, look_file, -EIO, 0},
	{"an entry of an impossible size", FUSE_LOOKUP, LIE_SIZE, look_file, -EIO, 0},
	{"a short entry", FUSE_LOOKUP, LIE_SHORT, look_file, -EIO, -EINVAL},
	{"a long entry", FUSE_LOOKUP, LIE_LONG, look_file, -EIO, -EINVAL},
	{"an error with a payload", FUSE_LOOKUP, LIE_ERROR_AND_PAYLOAD, look_file, -EIO, -EINVAL},
	{"a positive error, then the truth", FUSE_LOOKUP, LIE_POSITIVE_ERROR, look_file, 0,
	 -EINVAL},
	{"an error of -512, then the truth", FUSE_LOOKUP, LIE_FAR_ERROR, look_file, 0, -EINVAL},
	{"a wrong length, then the truth", FUSE_LOOKUP, LIE_HEADER, look_file, 0, -EINVAL},
	{"another number, then the truth", FUSE_LOOKUP, LIE_UNIQUE, look_file, 0, -ENOENT},
	{"an answer twice", FUSE_LOOKUP, LIE_TWICE, look_file, 0, -ENOENT},
	{"attributes of another type", FUSE_GETATTR, LIE_OTHER_TYPE, stat_root, -EIO, 0},
	{"short attributes", FUSE_GETATTR, LIE_SHORT, stat_root, -EIO, -EINVAL},
	{"more data than was asked for", FUSE_READ, LIE_LONG, read_it, -EIO, -EINVAL},
	{"more written than was sent", FUSE_WRITE, LIE_COUNT, write_it, -EIO, 0},
	{"a link of 4096 bytes", FUSE_READLINK, LIE_LONG, link_it, -EIO, -EINVAL},
	{"a link with a NUL", FUSE_READLINK, LIE_NUL, link_it, -EIO, 0},
	{"a name with a slash", FUSE_READDIR, LIE_NAME, list_it, -EIO, 0},
	{"a file for a directory", FUSE_MKDIR, LIE_FILE, make_directory, -EIO, 0},
	{"a directory for a file", FUSE_CREATE, LIE_OTHER_TYPE, make_file, -EIO, 0},
	{"a link without a type", FUSE_LINK, LIE_TYPE, make_link, -EIO, 0},
	{"a short handle", FUSE_OPEN, LIE_SHORT, open_it, -EIO, -EINVAL},
};

static void each_lie_is_told_apart(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		ssize_t result;

		names_evict();
		fake_now_ns += 200 * NSEC_PER_SEC; /* nothing is known any more */
		mock.lie = lies[i].lie;
		mock.lie_opcode = lies[i].opcode;
		mock.lie_result = 1;
		result = lies[i].act();
		if (mock.lie != LIE_NONE)
			fail_msg("%s: the driver was not asked", lies[i].what);
		if (result != lies[i].caller)
			fail_msg("%s: the caller got %ld", lies[i].what, (long)result);
		if ((lies[i].driver ? lies[i].driver : 1) !=
		    (mock.lie_result > 0 ? 1 : mock.lie_result))
			fail_msg("%s: the driver got %ld", lies[i].what, (long)mock.lie_result);
		assert_int_equal(read_it(), 10); /* the mount lives on */
	}
}

/* ---- ends ---- */

static void a_driver_that_dies_fails_what_waits_and_what_comes(void **state)
{
	mock.die_at = FUSE_LOOKUP;
	assert_int_equal(look(AT "/file"), -ECONNABORTED);
	assert_int_equal(look(AT "/file"), -ENOTCONN);
	mock.nremembered = 0; /* with nobody who would remember */
}

static void a_driver_of_another_version_is_refused(void **state)
{
	assert_int_equal(mount_remove_by_name(&kernel, AT, 0), 0);
	fake_driver_stop();
	fake_driver_start();
	mock.major = 8;
	assert_int_equal(mount_by_type(&kernel, "mock", AT, "fuse", 0, fake_driver_options), 0);
	assert_int_equal(look(AT "/file"), -ECONNREFUSED);
}

static void an_old_driver_works(void **state)
{
	char text[32];

	assert_int_equal(mount_remove_by_name(&kernel, AT, 0), 0);
	fake_driver_stop();
	fake_driver_start();
	mock.minor = 8;
	assert_int_equal(mount_by_type(&kernel, "mock", AT, "fuse", 0, fake_driver_options), 0);
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	assert_int_equal(write_to(AT "/file", "abc", 0), 3);
	assert_int_equal(vfs_mkdir(&kernel, NULL, AT "/newdir", 0755), 0);
}

static void who_is_killed_before_it_was_read_leaves(void **state)
{
	assert_int_equal(look(AT), 0);
	fake_pending = THREAD_KILLED;
	assert_int_equal(look(AT "/file"), -EINTR);
	fake_pending = 0;
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_LOOKUP], 0);
}

/* The late answer's look-up is given back, its handle is released: gone() counts them. */
static void who_is_killed_while_it_is_served_leaves_no_debt(void **state)
{
	assert_int_equal(look(AT), 0);
	mock.kill_at = FUSE_LOOKUP;
	assert_int_equal(look(AT "/file"), -EINTR);
	fake_pending = 0;
	fake_driver_answer_late();
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_FORGET] + mock.nasked[FUSE_BATCH_FORGET], 1);

	assert_int_equal(look(AT "/file"), 0);
	mock.kill_at = FUSE_OPEN;
	assert_int_equal(read_it(), -EINTR);
	fake_pending = 0;
	fake_driver_answer_late();
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_RELEASE], 1);
}

static void who_is_killed_tells_the_driver(void **state)
{
	assert_int_equal(look(AT), 0);
	mock.kill_at = FUSE_LOOKUP;
	assert_int_equal(look(AT "/file"), -EINTR);
	fake_pending = 0;
	fake_driver_serve(); /* which answers when it is told */
	assert_int_equal(mock.nasked[FUSE_INTERRUPT], 1);
}

/* With many threads a driver serves what it has read in any order. */
static void nothing_is_taken_away_while_a_request_needs_it(void **state)
{
	struct object *object = open_ok(AT "/file", O_RDONLY);
	char text[32];

	mock.kill_at = FUSE_READ;
	assert_int_equal(object_read_kernel(object, text, sizeof(text), 0), -EINTR);
	fake_pending = 0;
	object_put(object);
	names_evict();
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_RELEASE], 0); /* the READ is still there */
	mock.hold_at = FUSE_RELEASE;
	fake_driver_answer_late();
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_RELEASE], 1);
	assert_int_equal(mock.nasked[FUSE_FORGET] + mock.nasked[FUSE_BATCH_FORGET], 0);
	fake_driver_answer_late();
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_FORGET] + mock.nasked[FUSE_BATCH_FORGET], 1);
}

static void a_file_that_was_written_can_be_mapped_to_its_end(void **state)
{
	struct object *object = open_ok(AT "/file", O_RDWR);
	const struct object_map_request request = {0};
	struct memory_object *memory;
	struct page_ref page;
	char block[5000] = {0};

	mock.size = 0;
	assert_int_equal(vfs_truncate(&kernel, AT "/file", 0), 0);
	assert_int_equal(object_write_kernel(object, block, sizeof(block)), sizeof(block));
	assert_int_equal(object->ops->map(object, &request, &memory), 0);
	assert_int_equal(memory->ops->get_page(memory, 1, FAULT_READ, &page), MM_WAIT);
	assert_int_equal(memory->ops->wait_page(memory, 1), 0);
	assert_int_equal(memory->ops->get_page(memory, 1, FAULT_READ, &page), 0);
	frame_put(page.frame);
	assert_int_equal(memory->ops->get_page(memory, 2, FAULT_READ, &page), -EIO);
	memory_object_put(memory);
	object_put(object);
}

static void what_the_driver_refuses_once_is_asked_again(void **state)
{
	mock.unknown = 1ull << FUSE_MKDIR;
	assert_int_equal(vfs_mkdir(&kernel, NULL, AT "/newdir", 0755), -EPERM);
	mock.unknown = 0;
	assert_int_equal(vfs_mkdir(&kernel, NULL, AT "/newdir", 0755), 0);
}

static void a_notification_after_the_end_finds_nothing(void **state)
{
	assert_int_equal(look(AT "/file"), 0);
	assert_int_equal(mount_remove_by_name(&kernel, AT, MNT_DETACH), 0);
	mock.nremembered = 0; /* the mount took them along */
	assert_int_equal(fake_driver_notify_inode(MOCK_FILE, 0), -ENOENT);
	fake_driver_stop();
	fake_driver_start();
	assert_int_equal(mount_by_type(&kernel, "mock", AT, "fuse", 0, fake_driver_options), 0);
}

/* Pages 0 to 2 are cached; one goes. */
static void only_the_range_that_changed_is_read_again(void **state)
{
	static char bytes[3 * PAGE_SIZE];
	unsigned nreads;

	mock.open_flags = FOPEN_KEEP_CACHE;
	mock.size = sizeof(bytes);
	fake_now_ns += 200 * NSEC_PER_SEC;
	names_evict();
	assert_int_equal(read_file(AT "/file", bytes, sizeof(bytes)), sizeof(bytes));
	nreads = mock.nasked[FUSE_READ];
	assert_true(fake_driver_notify_range(MOCK_FILE, PAGE_SIZE, 1) > 0);
	assert_int_equal(read_file(AT "/file", bytes, PAGE_SIZE), PAGE_SIZE);
	assert_int_equal(mock.nasked[FUSE_READ], nreads);
	assert_int_equal(read_file(AT "/file", bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(mock.nasked[FUSE_READ], nreads + 1);
	assert_int_equal(mock.last_read_bytes, PAGE_SIZE);
}

static void a_signal_tells_the_driver(void **state)
{
	assert_int_equal(look(AT), 0);
	mock.signal_at = FUSE_LOOKUP;
	assert_int_equal(look(AT "/file"), 0); /* the driver did not care */
	fake_pending = 0;
	assert_int_equal(mock.nasked[FUSE_INTERRUPT], 1);
}

static void a_buffer_that_is_too_short_loses_nothing(void **state)
{
	struct abi_stat stat;

	assert_int_equal(fake_driver_read_short(), -EINVAL);
	assert_int_equal(vfs_stat(&kernel, NULL, AT "/file", 0, &stat), 0);
}

static void the_device_says_what_it_is(void **state)
{
	struct object *other = open_ok("/dev/fuse", O_RDWR);
	char bytes[FUSE_MIN_READ_BUFFER];
	struct buffer buffer;

	buffer_init_kernel(&buffer, bytes, sizeof(bytes));
	assert_int_equal(object_read(other, &buffer, NULL), -EPERM);
	assert_int_equal(object_write_kernel(other, bytes, 16), -EPERM);
	object_put(other);
	assert_int_equal(mount_by_type(&kernel, "mock", "/run", "fuse", 0, fake_driver_options),
			 -EBUSY);
}

static void of_two_who_unmount_one_comes_too_late(void **state)
{
	struct path first, second;

	assert_int_equal(path_walk(&kernel, NULL, AT, WALK_DIRECTORY, &first), 0);
	assert_int_equal(path_walk(&kernel, NULL, AT, WALK_DIRECTORY, &second), 0);
	assert_int_equal(mount_detach(&first), 0);
	path_put(&first);
	assert_int_equal(mount_remove(&second), -EINVAL);
	fake_driver_stop();
	fake_driver_start();
	assert_int_equal(mount_by_type(&kernel, "mock", AT, "fuse", 0, fake_driver_options), 0);
}

static void a_mount_that_fails_for_memory_leaves_nothing(void **state)
{
	uint64_t after = 0;
	err_t err;

	assert_int_equal(mount_remove_by_name(&kernel, AT, 0), 0);
	do {
		fake_driver_stop();
		fake_driver_start();
		fake_fail_allocation_after = after++;
		err = mount_by_type(&kernel, "mock", AT, "fuse", 0, fake_driver_options);
		fake_fail_allocation_after = UINT64_MAX;
		if (err)
			assert_int_equal(look(AT "/file"), -ENOENT);
	} while (err);
	assert_int_equal(look(AT "/file"), 0);
}

static void options_are_checked(void **state)
{
	static const char *const wrong[] = {"",
					    "fd=3",
					    "fd=3,rootmode=40000,user_id=0",
					    "fd=x,rootmode=40000,user_id=0,group_id=0",
					    "fd=3,rootmode=100000,user_id=0,group_id=0",
					    "fd=3,rootmode=40000,user_id=0,group_id=0,nonsense",
					    "fd=99,rootmode=40000,user_id=0,group_id=0",
					    "fd=3,rootmode=40000,user_id=4294967296,group_id=0"};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (mount_by_type(&kernel, "mock", "/run", "fuse", 0, wrong[i]) != -EINVAL)
			fail_msg("'%s' was taken", wrong[i]);
	}
	assert_int_equal(mount_by_type(&kernel, "mock", "/run", "ext9", 0, ""), -ENODEV);
	assert_int_equal(mount_by_type(&user, "mock", "/run", "fuse", 0, ""), -EPERM);
	assert_int_equal(mount_remove_by_name(&kernel, "/run/nothing", 0), -ENOENT);
	assert_int_equal(mount_remove_by_name(&kernel, AT "/dir", 0), -EINVAL);
}

static void running_out_of_memory_is_an_error_and_no_leak(void **state)
{
	char text[32];

	for (uint64_t after = 0;; after++) {
		uint64_t left;

		names_evict();
		fake_fail_allocation_after = after;
		(void)!read_file(AT "/file", text, sizeof(text));
		(void)!write_to(AT "/new", "n", O_CREAT);
		left = fake_fail_allocation_after;
		fake_fail_allocation_after = UINT64_MAX;
		fake_driver_serve();
		if (left)
			break;
	}
}

int main(void)
{
#define MOUNTED(test) cmocka_unit_test_setup_teardown(test, mounted, gone)
	const struct CMUnitTest tests[] = {
		MOUNTED(a_file_is_found_and_read),
		MOUNTED(what_was_read_is_not_asked_for_again),
		MOUNTED(lookup_s_attributes_answer_the_stat),
		MOUNTED(writing_goes_through_and_is_read_back),
		MOUNTED(truncation_is_seen_at_once),
		MOUNTED(direct_io_asks_each_time),
		MOUNTED(names_are_made_and_removed),
		MOUNTED(who_does_not_own_the_mount_stays_outside),
		MOUNTED(closing_flushes_once_and_releases_once),
		MOUNTED(an_inode_is_invalidated_by_the_driver),
		MOUNTED(operations_that_a_driver_does_not_know),
		MOUNTED(each_lie_is_told_apart),
		MOUNTED(a_driver_that_dies_fails_what_waits_and_what_comes),
		MOUNTED(a_driver_of_another_version_is_refused),
		MOUNTED(an_old_driver_works),
		MOUNTED(who_is_killed_before_it_was_read_leaves),
		MOUNTED(who_is_killed_while_it_is_served_leaves_no_debt),
		MOUNTED(who_is_killed_tells_the_driver),
		MOUNTED(nothing_is_taken_away_while_a_request_needs_it),
		MOUNTED(a_file_that_was_written_can_be_mapped_to_its_end),
		MOUNTED(what_the_driver_refuses_once_is_asked_again),
		MOUNTED(a_notification_after_the_end_finds_nothing),
		MOUNTED(only_the_range_that_changed_is_read_again),
		MOUNTED(of_two_who_unmount_one_comes_too_late),
		MOUNTED(a_mount_that_fails_for_memory_leaves_nothing),
		MOUNTED(a_signal_tells_the_driver),
		MOUNTED(a_buffer_that_is_too_short_loses_nothing),
		MOUNTED(the_device_says_what_it_is),
		MOUNTED(options_are_checked),
		MOUNTED(running_out_of_memory_is_an_error_and_no_leak),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
