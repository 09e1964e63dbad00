/* sources: @driver */
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

#include "fake/mounted.h"

#include <abi/xattr.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <mm/object.h>
#include <string.h>

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
	assert_int_equal(look(AT "/file"), 0);
	assert_int_equal(mock.nasked[FUSE_LOOKUP], 1);
	assert_int_equal(mock.nasked[FUSE_GETATTR], 0);
}

static void what_expires_at_once_is_asked_for_once_a_call(void **state)
{
	mock.names_expire = true;
	mock.attr_valid = 0;
	for (unsigned i = 1; i < 4; i++) {
		assert_int_equal(look(AT "/file"), 0);
		assert_int_equal(mock.nasked[FUSE_LOOKUP], i);
	}
	assert_int_equal(mock.nasked[FUSE_GETATTR], 0);
	assert_int_equal(mock.nasked[FUSE_FORGET] + mock.nasked[FUSE_BATCH_FORGET], 0);
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
	assert_int_equal(fake_unmapped_first, 1);
	assert_true(fake_unmapped_copies);
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 4);
	assert_int_equal(write_to(AT "/file", "z", O_TRUNC), 1);
	assert_int_equal(stat_ok(AT "/file").st_size, 1);
}

static void a_listing_with_entries_answers_the_stats(void **state)
{
	mock.init_flags = FUSE_DO_READDIRPLUS;
	assert_true(list(AT) > 0);
	assert_int_equal(mock.nasked[FUSE_READDIR], 0);
	assert_int_equal(stat_ok(AT "/file").st_size, 10);
	assert_int_equal(stat_ok(AT "/dir").st_ino, MOCK_DIR);
	assert_int_equal(mock.nasked[FUSE_LOOKUP], 0);
	assert_int_equal(look(AT "/link"), 0); /* was not listed */
	assert_int_equal(mock.nasked[FUSE_LOOKUP], 1);
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

static void a_name_is_invalidated_by_the_driver(void **state)
{
	unsigned nlookups;

	assert_int_equal(look(AT "/file"), 0);
	assert_int_equal(look(AT "/dir"), 0);
	nlookups = mock.nasked[FUSE_LOOKUP];
	assert_true(fake_driver_notify_entry(1, "file") > 0);
	assert_int_equal(look(AT "/dir"), 0);
	assert_int_equal(mock.nasked[FUSE_LOOKUP], nlookups);
	assert_int_equal(look(AT "/file"), 0);
	assert_int_equal(mock.nasked[FUSE_LOOKUP], nlookups + 1);
	assert_int_equal(fake_driver_notify_entry(1, "never"), -ENOENT);
	assert_int_equal(fake_driver_notify_entry(999, "file"), -ENOENT);
	assert_int_equal(fake_driver_notify_entry(1, "a/b"), -EINVAL);
	assert_int_equal(fake_driver_notify_entry(1, ""), -EINVAL);
}

static void a_name_is_deleted_by_the_driver(void **state)
{
	struct object *object = open_ok(AT "/dir", O_RDONLY | O_DIRECTORY);
	char bytes[256];
	struct buffer buffer;

	assert_int_equal(fake_driver_notify_delete(1, MOCK_FILE, "dir"), -ENOENT);
	assert_true(fake_driver_notify_delete(1, MOCK_DIR, "dir") > 0);
	buffer_init_kernel(&buffer, bytes, sizeof(bytes));
	assert_int_equal(object_getdents(object, &buffer, DIRENT_64), -ENOENT); /* removed */
	object_put(object);
}

static void what_strangers_write_to_loses_its_set_id_bits(void **state)
{
	struct object *object;

	mock.mode = 06777;
	assert_int_equal(write_to(AT "/file", "a", 0), 1);
	assert_int_equal(mock.nasked[FUSE_SETATTR], 0); /* user 0 may keep them */
	object = open_ok(AT "/file", O_RDWR);
	fake_caller_uid = 1000;
	assert_int_equal(object_write_kernel(object, "a", 1), 1);
	assert_int_equal(mock.nasked[FUSE_SETATTR], 1);
	assert_int_equal(mock.mode, 0777);
	assert_int_equal(object_write_kernel(object, "a", 1), 1);
	assert_int_equal(mock.nasked[FUSE_SETATTR], 1);
	assert_int_equal(vfs_chmod(&kernel, NULL, AT "/file", 04755, 0), 0);
	assert_int_equal(object_truncate(object, 1), 0); /* in one message */
	assert_int_equal(mock.nasked[FUSE_SETATTR], 3);
	assert_int_equal(mock.mode, 0755);
	assert_int_equal(vfs_chmod(&kernel, NULL, AT "/file", 04755, 0), 0);
	(void)!object->ops->allocate(object, 0, 0, 10);
	assert_int_equal(mock.mode, 0755);
	assert_int_equal(vfs_chmod(&kernel, NULL, AT "/file", 04755, 0), 0);
	assert_int_equal(write_to(AT "/file", "a", O_TRUNC), 1);
	assert_int_equal(mock.mode, 0755);
	fake_caller_uid = 0;
	object_put(object);
}

static void mount_for_everybody(uint32_t flags)
{
	char options[128] = "allow_other,default_permissions,";

	assert_int_equal(vfs_umount(&kernel, AT, MNT_DETACH), 0);
	fake_driver_stop();
	fake_driver_start();
	mock.init_flags |= flags;
	strcat(options, fake_driver_options);
	assert_int_equal(vfs_mount(&kernel, "mock", AT, "fuse.mock", 0, options), 0);
}

static void access_control_lists_are_the_owner_s(void **state)
{
	static const char list[] = "system.posix_acl_access";
	static const struct {
		uint32_t version;
		struct acl_entry entries[3];
	} value = {ACL_VERSION,
		   {{ACL_USER_OBJ, 6, ACL_NO_ID},
		    {ACL_GROUP_OBJ, 4, ACL_NO_ID},
		    {ACL_OTHER, 0, ACL_NO_ID}}};

	mount_for_everybody(0);
	mock.mode = 0777;
	assert_int_equal(vfs_setxattr(&user, NULL, AT "/file", 0, list, &value, sizeof(value), 0),
			 -EPERM);
	assert_int_equal(vfs_removexattr(&user, NULL, AT "/file", 0, list), -EPERM);
	assert_int_equal(mock.nasked[FUSE_SETXATTR] + mock.nasked[FUSE_REMOVEXATTR], 0);
	assert_int_equal(vfs_setxattr(&kernel, NULL, AT "/file", 0, list, "x", 1, 0), -EINVAL);
	assert_int_equal(mock.nasked[FUSE_SETXATTR], 0);
	(void)!vfs_setxattr(&kernel, NULL, AT "/file", 0, list, &value, sizeof(value), 0);
	assert_int_equal(mock.nasked[FUSE_SETXATTR], 1); /* the driver's to answer */
}

/* Kept as long as the attributes are, also where there is none. */
static void lists_that_decide_are_asked_for_once(void **state)
{
	static const uint32_t flags[] = {0, FUSE_POSIX_ACL};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		mount_for_everybody(flags[i]);
		mock.mode = 0640;
		memset(mock.nasked, 0, sizeof(mock.nasked));
		for (int round = 0; round < 3; round++)
			assert_int_equal(vfs_access(&user, NULL, AT "/file", R_OK, 0), -EACCES);
		assert_int_equal(mock.nasked[FUSE_GETXATTR], flags[i] ? 2 : 0);
	}
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
	assert_int_equal(fake_unmapped_first, 1);
	assert_int_equal(fake_unmapped_end, 2);
	assert_false(fake_unmapped_copies);
	assert_int_equal(read_file(AT "/file", bytes, PAGE_SIZE), PAGE_SIZE);
	assert_int_equal(mock.nasked[FUSE_READ], nreads);
	assert_int_equal(read_file(AT "/file", bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(mock.nasked[FUSE_READ], nreads + 1);
	assert_int_equal(mock.last_read_bytes, PAGE_SIZE);
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

static ssize_t get_value(void)
{
	char value[16];

	strcpy(mock.xattr, "value");
	return vfs_getxattr(&kernel, NULL, AT "/file", 0, "user.mock", value, sizeof(value));
}

static ssize_t get_value_size(void)
{
	strcpy(mock.xattr, "value");
	return vfs_getxattr(&kernel, NULL, AT "/file", 0, "user.mock", NULL, 0);
}

static ssize_t list_values(void)
{
	char names[64];

	strcpy(mock.xattr, "value");
	return vfs_listxattr(&kernel, NULL, AT "/file", 0, names, sizeof(names));
}

static ssize_t find_data(void)
{
	struct object *object = open_ok(AT "/file", O_RDWR);
	uint64_t position;
	err_t err = object_seek(object, 0, SEEK_DATA, &position);

	object_put(object);
	return err;
}

static ssize_t copy_inside(void)
{
	struct object *object = open_ok(AT "/file", O_RDWR);
	ssize_t done = object_copy_range(object, 0, object, 5, 5);

	object_put(object);
	return done;
}

static ssize_t test_lock(void)
{
	struct object *object = open_ok(AT "/file", O_RDWR);
	struct object_lock lock = {.owner = 3, .end = 9, .type = F_WRLCK};
	err_t err = object_lock_test(object, &lock);

	object_put(object);
	return err;
}

static ssize_t control(void)
{
	struct object *object = open_ok(AT "/file", O_RDWR);
	char bytes[4] = "abc";
	ssize_t result = object_ioctl(object, 0xc0040001, uptr((uint64_t)bytes));

	object_put(object);
	return result;
}

static ssize_t find_birth(void)
{
	struct vfs_details details;
	err_t err = vfs_details(&kernel, NULL, AT "/file", 0, &details);

	return err ? err : details.no_birth;
}

static ssize_t make_nameless(void)
{
	struct object *object;
	err_t err = vfs_open(&kernel, NULL, AT, O_TMPFILE | O_RDWR, 0600, &object);

	if (!err)
		object_put(object);
	return err;
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
	{"a value longer than the room", FUSE_GETXATTR, LIE_LONG, get_value, -EIO, -EINVAL},
	{"a short size of a value", FUSE_GETXATTR, LIE_SHORT, get_value_size, -EIO, -EINVAL},
	{"a size of 4 GiB of a value", FUSE_GETXATTR, LIE_SIZE, get_value_size, 65536, 0},
	{"a list without its last NUL", FUSE_LISTXATTR, LIE_NUL, list_values, -EIO, 0},
	{"a list with an empty name", FUSE_LISTXATTR, LIE_EMPTY, list_values, -EIO, 0},
	{"data at an impossible place", FUSE_LSEEK, LIE_SIZE, find_data, -EIO, 0},
	{"more copied than was asked for", FUSE_COPY_FILE_RANGE, LIE_COUNT, copy_inside, -EIO, 0},
	{"a lock of no type", FUSE_GETLK, LIE_TYPE, test_lock, -EIO, 0},
	{"a lock that ends before it begins", FUSE_GETLK, LIE_COUNT, test_lock, -EIO, 0},
	{"a lock beyond all files", FUSE_GETLK, LIE_SIZE, test_lock, -EIO, 0},
	{"an ioctl that wants more memory", FUSE_IOCTL, LIE_TYPE, control, -EIO, 0},
	{"an ioctl with an impossible error", FUSE_IOCTL, LIE_COUNT, control, -EIO, 0},
	{"an ioctl with too many bytes", FUSE_IOCTL, LIE_LONG, control, -EIO, -EINVAL},
	{"a birth between two seconds", FUSE_STATX, LIE_SIZE, find_birth, -EIO, 0},
	{"a directory without a name", FUSE_TMPFILE, LIE_OTHER_TYPE, make_nameless, -EIO, 0},
	{"a short handle", FUSE_OPEN, LIE_SHORT, open_it, -EIO, -EINVAL},
};

static void each_lie_is_told_apart(void **state)
{
	mock.init_flags |= FUSE_POSIX_LOCKS;
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

int main(void)
{
#define MOUNTED(test) cmocka_unit_test_setup_teardown(test, mounted, gone)
	const struct CMUnitTest tests[] = {
		MOUNTED(a_file_is_found_and_read),
		MOUNTED(what_was_read_is_not_asked_for_again),
		MOUNTED(lookup_s_attributes_answer_the_stat),
		MOUNTED(what_expires_at_once_is_asked_for_once_a_call),
		MOUNTED(writing_goes_through_and_is_read_back),
		MOUNTED(truncation_is_seen_at_once),
		MOUNTED(a_listing_with_entries_answers_the_stats),
		MOUNTED(direct_io_asks_each_time),
		MOUNTED(names_are_made_and_removed),
		MOUNTED(who_does_not_own_the_mount_stays_outside),
		MOUNTED(closing_flushes_once_and_releases_once),
		MOUNTED(what_strangers_write_to_loses_its_set_id_bits),
		MOUNTED(access_control_lists_are_the_owner_s),
		MOUNTED(lists_that_decide_are_asked_for_once),
		MOUNTED(an_inode_is_invalidated_by_the_driver),
		MOUNTED(a_name_is_invalidated_by_the_driver),
		MOUNTED(a_name_is_deleted_by_the_driver),
		MOUNTED(operations_that_a_driver_does_not_know),
		MOUNTED(a_file_that_was_written_can_be_mapped_to_its_end),
		MOUNTED(what_the_driver_refuses_once_is_asked_again),
		MOUNTED(only_the_range_that_changed_is_read_again),
		MOUNTED(each_lie_is_told_apart),
	};

	return cmocka_run_group_tests(tests, mounted_begin, NULL);
}
