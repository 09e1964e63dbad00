/* sources: @driver */
/*
 * What a driver says without being asked, beside what driver.c has: STORE, RETRIEVE, RESEND,
 * INC_EPOCH, PRUNE; and the forms of a request that INIT or the driver's ignorance chooses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake/mounted.h"

#include <abi/fuse_notify.h>
#include <abi/xattr.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <string.h>

static ssize_t store_with(uint64_t node, uint64_t offset, uint32_t size, const char *bytes)
{
	_Alignas(8) char message[8192];
	const struct fuse_notify_store_out out = {.nodeid = node, .offset = offset, .size = size};

	memcpy(message, &out, sizeof(out));
	memcpy(message + sizeof(out), bytes, strlen(bytes));
	return fake_driver_notify(FUSE_NOTIFY_STORE, message, sizeof(out) + strlen(bytes));
}

static ssize_t store(uint64_t offset, const char *bytes)
{
	return store_with(MOCK_FILE, offset, (uint32_t)strlen(bytes), bytes);
}

static ssize_t retrieve(uint64_t node, uint64_t offset, uint32_t size)
{
	const struct fuse_notify_retrieve_out out = {
		.notify_unique = 4711, .nodeid = node, .offset = offset, .size = size};

	return fake_driver_notify(FUSE_NOTIFY_RETRIEVE, &out, sizeof(out));
}

/* ---- data ---- */

static void what_was_stored_is_read(void **state)
{
	char text[32] = "";

	mock.open_flags = FOPEN_KEEP_CACHE;
	assert_int_equal(look(AT "/file"), 0);
	assert_true(store(0, "stored!!!!") > 0); /* to the end of the file: the page is whole */
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	assert_memory_equal(text, "stored!!!!", 10);
	assert_int_equal(mock.nasked[FUSE_READ], 0);
	assert_true(store(2, "XY") > 0);
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	assert_memory_equal(text, "stXYed!!!!", 10);
	assert_int_equal(mock.nasked[FUSE_READ], 0);
}

static void a_part_of_a_page_that_is_not_there_is_nothing(void **state)
{
	char text[32] = "";

	mock.open_flags = FOPEN_KEEP_CACHE;
	assert_int_equal(look(AT "/file"), 0);
	assert_true(store(0, "not") > 0);
	assert_true(store(5, "not!!") > 0);
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	assert_memory_equal(text, "0123456789", 10);
	assert_int_equal(mock.nasked[FUSE_READ], 1);
}

static void what_is_stored_makes_the_file_longer(void **state)
{
	mock.attr_valid = 0;
	assert_int_equal(look(AT "/file"), 0);
	memset(mock.data, 'd', 20);
	mock.size = 20;
	assert_true(store(10, "ssssssssss") > 0);
	assert_int_equal(stat_ok(AT "/file").st_size, 20);
}

static void what_cannot_be_stored_is_refused(void **state)
{
	static const struct {
		uint64_t node, offset;
		uint32_t size;
		ssize_t result;
	} rows[] = {
		{999, 0, 4, -ENOENT},        {MOCK_FILE, 0, 5, -EINVAL},
		{MOCK_FILE, 0, 3, -EINVAL},  {MOCK_FILE, INT64_MAX, 4, -EINVAL},
		{MOCK_FILE, -1, 4, -EINVAL}, {1, 0, 4, -EINVAL},
	};

	assert_int_equal(look(AT "/file"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(store_with(rows[i].node, rows[i].offset, rows[i].size, "four"),
				 rows[i].result);
	assert_int_equal(fake_driver_notify(FUSE_NOTIFY_STORE, "short", 5), -EINVAL);
}

static void what_is_cached_is_given_to_the_driver(void **state)
{
	const struct fuse_notify_retrieve_in *in = (const void *)mock.last_reply_bytes;
	char text[32];
	static const struct {
		uint64_t offset;
		uint32_t size, given;
	} rows[] = {{0, 10, 10}, {3, 4, 4}, {8, 100, 2}, {10, 5, 0}, {INT64_MAX, 5, 0}, {0, 0, 0}};

	mock.open_flags = FOPEN_KEEP_CACHE;
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_true(retrieve(MOCK_FILE, rows[i].offset, rows[i].size) > 0);
		fake_driver_serve();
		assert_int_equal(mock.nasked[FUSE_NOTIFY_REPLY], i + 1);
		assert_int_equal(mock.last_reply.unique, 4711);
		assert_int_equal(mock.last_reply.nodeid, MOCK_FILE);
		assert_int_equal(mock.last_reply.len,
				 sizeof(mock.last_reply) + sizeof(*in) + rows[i].given);
		assert_int_equal(in->offset, rows[i].offset);
		assert_int_equal(in->size, rows[i].given);
		assert_memory_equal(in + 1, mock.data + rows[i].offset % 16, rows[i].given);
	}
	assert_int_equal(retrieve(999, 0, 5), -ENOENT);
	assert_int_equal(retrieve(1, 0, 5), -EINVAL);
	assert_int_equal(retrieve(MOCK_FILE, -1, 5), -EINVAL);
	assert_int_equal(fake_driver_notify(FUSE_NOTIFY_RETRIEVE, "short", 5), -EINVAL);
}

/* ---- once more ---- */

static void what_was_read_comes_again_in_its_order(void **state)
{
	struct object *objects[3];

	for (int i = 0; i < 3; i++)
		objects[i] = open_ok(AT "/file", O_RDONLY);
	object_put(objects[0]);
	mock.hold_at = FUSE_RELEASE;
	fake_driver_serve();
	assert_int_equal(mock.nopen, 3); /* read, and not answered */
	object_put(objects[1]);
	object_put(objects[2]);
	assert_true(fake_driver_notify(FUSE_NOTIFY_RESEND, NULL, 0) > 0);
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_RELEASE], 4);
	assert_int_equal(mock.nopen, 0);
	fake_driver_answer_late(); /* by the old number: nobody waits */
	mock.nopen = 0;
	assert_int_equal(fake_driver_notify(FUSE_NOTIFY_RESEND, "x", 1), -EINVAL);
}

static void its_number_says_that_it_comes_again(void **state)
{
	struct object *object = open_ok(AT "/file", O_RDONLY);
	uint64_t before;

	object_put(object);
	mock.hold_at = FUSE_RELEASE;
	fake_driver_serve();
	before = mock.last_unique;
	assert_true(fake_driver_notify(FUSE_NOTIFY_RESEND, NULL, 0) > 0);
	fake_driver_serve();
	assert_int_equal(mock.last_unique, before | FUSE_UNIQUE_RESEND);
}

/* Its caller is gone: with it what there was to ask. */
static void what_nobody_waits_for_does_not_come_again(void **state)
{
	assert_int_equal(look(AT), 0);
	mock.kill_at = FUSE_LOOKUP;
	mock.ignores_interrupts = true;
	assert_int_equal(look(AT "/file"), -EINTR);
	fake_pending = 0;
	assert_true(fake_driver_notify(FUSE_NOTIFY_RESEND, NULL, 0) > 0);
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_LOOKUP], 1);
	assert_int_equal(look(AT "/file"), 0);
}

/* ---- names ---- */

static void all_names_expire(void **state)
{
	unsigned nlookups;

	assert_int_equal(look(AT "/file"), 0);
	assert_int_equal(look(AT "/dir"), 0);
	nlookups = mock.nasked[FUSE_LOOKUP];
	assert_true(fake_driver_notify(FUSE_NOTIFY_INC_EPOCH, NULL, 0) > 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(look(AT "/file"), 0);
		assert_int_equal(look(AT "/dir"), 0);
		assert_int_equal(mock.nasked[FUSE_LOOKUP], nlookups + 2);
	}
	assert_int_equal(fake_driver_notify(FUSE_NOTIFY_INC_EPOCH, "x", 1), -EINVAL);
}

static ssize_t prune(uint32_t count, const uint64_t *nodes, size_t nsent)
{
	_Alignas(8) char message[4096];
	const struct fuse_notify_prune_out out = {.count = count};

	memcpy(message, &out, sizeof(out));
	memcpy(message + sizeof(out), nodes, nsent * sizeof(*nodes));
	return fake_driver_notify(FUSE_NOTIFY_PRUNE, message, sizeof(out) + nsent * sizeof(*nodes));
}

static void unused_nodes_are_forgotten(void **state)
{
	uint64_t nodes[200] = {MOCK_DIR, 999};
	struct object *object;

	nodes[150] = MOCK_FILE;
	object = open_ok(AT "/file", O_RDONLY);
	assert_int_equal(look(AT "/dir"), 0);
	assert_int_equal(mock.nremembered, 2);
	assert_true(prune(200, nodes, 200) > 0);
	fake_driver_serve();
	assert_int_equal(mock.nremembered, 1); /* the file is open */
	object_put(object);
	assert_true(prune(200, nodes, 200) > 0);
	fake_driver_serve();
	assert_int_equal(mock.nremembered, 0);
	assert_int_equal(prune(3, nodes, 2), -EINVAL);
	assert_int_equal(prune(1, nodes, 2), -EINVAL);
}

/* ---- what INIT chooses ---- */

static void modes_come_as_they_were_given_to_who_masks_them(void **state)
{
	static const struct {
		uint32_t flags, mode;
	} rows[] = {{0, 0750}, {FUSE_DONT_MASK, 0777}};
	struct vfs_context context = kernel;

	context.umask = 027;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(vfs_umount(&kernel, AT, 0), 0);
		fake_driver_stop();
		fake_driver_start();
		mock.init_flags = rows[i].flags;
		assert_int_equal(vfs_mount(&kernel, "x", AT, "fuse", 0, fake_driver_options), 0);
		assert_int_equal(look(AT "/file"), 0);
		assert_int_equal(vfs_mkdir(&context, NULL, AT "/newdir", 0777), 0);
		assert_int_equal(mock.last_mkdir.mode & 07777, rows[i].mode);
		assert_int_equal(mock.last_mkdir.umask, 027);
	}
}

/* What INIT said, another size or time, whether data is read again. */
static void data_is_read_again_when_the_driver_wants_that(void **state)
{
	static const struct {
		uint32_t flags;
		bool longer, later;
		unsigned nreads;
	} rows[] = {
		{FUSE_AUTO_INVAL_DATA, false, false, 0},
		{FUSE_AUTO_INVAL_DATA, false, true, 1},
		{FUSE_AUTO_INVAL_DATA, true, false, 1},
		{0, false, true, 0},
		{0, true, false, 1},
		{FUSE_EXPLICIT_INVAL, true, true, 0},
	};
	char text[32];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(vfs_umount(&kernel, AT, 0), 0);
		fake_driver_stop();
		fake_driver_start();
		mock.init_flags = rows[i].flags;
		mock.open_flags = FOPEN_KEEP_CACHE;
		mock.attr_valid = 0;
		assert_int_equal(vfs_mount(&kernel, "x", AT, "fuse", 0, fake_driver_options), 0);
		assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
		assert_int_equal(mock.nasked[FUSE_READ], 1);
		mock.size += rows[i].longer;
		mock.mtime += rows[i].later;
		assert_int_equal(read_file(AT "/file", text, 5), 5);
		if (mock.nasked[FUSE_READ] != 1 + rows[i].nreads)
			fail_msg("row %zu: %u reads", i, mock.nasked[FUSE_READ] - 1);
	}
}

static void attributes_are_set_in_the_form_that_was_agreed(void **state)
{
	static const uint32_t flags[] = {0, FUSE_SETXATTR_EXT};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		assert_int_equal(vfs_umount(&kernel, AT, 0), 0);
		fake_driver_stop();
		fake_driver_start();
		mock.init_flags = flags[i];
		assert_int_equal(vfs_mount(&kernel, "x", AT, "fuse", 0, fake_driver_options), 0);
		assert_int_equal(vfs_setxattr(&kernel, NULL, AT "/file", 0, "user.mock", "v", 1, 0),
				 0);
		assert_string_equal(mock.xattr, "v");
	}
}

static void again_with(uint32_t flags)
{
	assert_int_equal(vfs_umount(&kernel, AT, 0), 0);
	fake_driver_stop();
	fake_driver_start();
	mock.init_flags = flags;
	assert_int_equal(vfs_mount(&kernel, "x", AT, "fuse", 0, fake_driver_options), 0);
}

static void set_id_bits_are_the_driver_s_to_take(void **state)
{
	static const uint32_t flags[] = {0, FUSE_HANDLE_KILLPRIV, FUSE_KILLPRIV_V2};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		struct object *object;

		again_with(flags[i]);
		mock.mode = 06777;
		object = open_ok(AT "/file", O_RDWR);
		fake_caller_uid = 1000;
		assert_int_equal(object_write_kernel(object, "a", 1), 1);
		assert_int_equal(mock.nasked[FUSE_SETATTR], flags[i] ? 0 : 1);
		assert_int_equal(object_truncate(object, 1), 0);
		fake_caller_uid = 0;
		assert_int_equal(mock.mode, flags[i] ? 06777 : 0777);
		object_put(object);
	}
}

static void texts_of_links_are_kept_where_that_was_agreed(void **state)
{
	static const uint32_t flags[] = {0, FUSE_CACHE_SYMLINKS};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		again_with(flags[i]);
		for (int round = 0; round < 3; round++)
			assert_int_equal(read_link(), 4);
		assert_int_equal(look(AT "/link"), 0);
		assert_int_equal(mock.nasked[FUSE_READLINK], flags[i] ? 1 : 4);
		assert_true(fake_driver_notify_inode(MOCK_LINK, -1) > 0);
		assert_int_equal(read_link(), 4);
		assert_int_equal(mock.nasked[FUSE_READLINK], flags[i] ? 2 : 5);
	}
}

int main(void)
{
#define MOUNTED(test) cmocka_unit_test_setup_teardown(test, mounted, gone)
	const struct CMUnitTest tests[] = {
		MOUNTED(what_was_stored_is_read),
		MOUNTED(a_part_of_a_page_that_is_not_there_is_nothing),
		MOUNTED(what_is_stored_makes_the_file_longer),
		MOUNTED(what_cannot_be_stored_is_refused),
		MOUNTED(what_is_cached_is_given_to_the_driver),
		MOUNTED(what_was_read_comes_again_in_its_order),
		MOUNTED(its_number_says_that_it_comes_again),
		MOUNTED(what_nobody_waits_for_does_not_come_again),
		MOUNTED(all_names_expire),
		MOUNTED(unused_nodes_are_forgotten),
		MOUNTED(modes_come_as_they_were_given_to_who_masks_them),
		MOUNTED(data_is_read_again_when_the_driver_wants_that),
		MOUNTED(attributes_are_set_in_the_form_that_was_agreed),
		MOUNTED(set_id_bits_are_the_driver_s_to_take),
		MOUNTED(texts_of_links_are_kept_where_that_was_agreed),
	};

	return cmocka_run_group_tests(tests, mounted_begin, NULL);
}
