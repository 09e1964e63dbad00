/* sources: @driver */
/*
 * How things with a driver end: it dies, its callers are killed, it is unmounted, memory runs out;
 * and what it was given out is given back. See driver.c for the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake/mounted.h"

#include "pages.h"

#include <abi/inotify.h>
#include <fusek/by_clock.h>
#include <fusek/file.h>
#include <fusek/inotify.h>
#include <fusek/mount.h>
#include <mm/object.h>
#include <mm/slab.h>
#include <string.h>
#include <unistd.h>

static ssize_t read_it(void)
{
	char text[32];

	return read_file(AT "/file", text, sizeof(text));
}

static void a_driver_that_dies_fails_what_waits_and_what_comes(void **state)
{
	mock.die_at = FUSE_LOOKUP;
	assert_int_equal(look(AT "/file"), -ECONNABORTED);
	assert_int_equal(look(AT "/file"), -ENOTCONN);
	mock.nremembered = 0; /* with nobody who would remember */
}

/* `mounts` and fusetop show answers. */
static void what_was_never_answered_is_not_counted(void **state)
{
	uint32_t number = fuse_control_next(0);
	struct fuse_counted counted;

	assert_int_equal(look(AT "/none"), -ENOENT);
	mock.die_at = FUSE_LOOKUP;
	assert_int_equal(look(AT "/file"), -ECONNABORTED);
	assert_int_equal(fuse_control_counted(number, FUSE_LOOKUP, &counted), 0);
	assert_int_equal(counted.nrequests, 1);
	mock.nremembered = 0;
}

static void mount_again(void)
{
	assert_int_equal(vfs_umount(&kernel, AT, 0), 0);
	fake_driver_stop();
	fake_driver_start();
	mock.init_flags = FUSE_INIT_EXT;
	mock.init_flags2 = FUSE_REQUEST_TIMEOUT >> 32;
}

static err_t mount_it(void)
{
	return vfs_mount(&kernel, "mock", AT, "fuse", 0, fake_driver_options);
}

/* A RELEASE is not answered for so long: whether the driver is there afterwards. */
static err_t wait_for(uint64_t seconds)
{
	char text[16];

	mock.hold_at = FUSE_RELEASE;
	assert_int_equal(read_file(AT "/file", text, sizeof(text)), 10);
	fake_now_ns += seconds * NSEC_PER_SEC;
	vfs_look_at_clock(fake_now_ns);
	return look(AT "/none");
}

static void a_driver_that_is_too_late_is_left(void **state)
{
	mount_again();
	mock.request_timeout_s = 20;
	assert_int_equal(mount_it(), 0);
	assert_int_equal(wait_for(19), -ENOENT);
	fake_driver_answer_late();
	assert_int_equal(wait_for(21), -ENOTCONN);
	mock.nopen = mock.nremembered = 0;
}

static void how_late_a_driver_may_be_is_a_setting(void **state)
{
	const struct {
		uint16_t default_s, max_s, said_s;
		uint64_t patience_s;
	} rows[] = {
		{0, 0, 1, 15}, {30, 0, 0, 30}, {0, 40, 0, 40}, {0, 40, 50, 40}, {60, 40, 20, 20}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		mount_again();
		mock.request_timeout_s = rows[i].said_s;
		fuse_default_timeout_s = rows[i].default_s;
		fuse_max_timeout_s = rows[i].max_s;
		assert_int_equal(mount_it(), 0);
		assert_int_equal(wait_for(rows[i].patience_s - 1), -ENOENT);
		fake_driver_answer_late();
		assert_int_equal(wait_for(rows[i].patience_s + 1), -ENOTCONN);
		mock.nopen = mock.nremembered = 0;
	}
	fuse_default_timeout_s = fuse_max_timeout_s = 0;
}

static void a_driver_of_another_version_is_refused(void **state)
{
	assert_int_equal(vfs_umount(&kernel, AT, 0), 0);
	fake_driver_stop();
	fake_driver_start();
	mock.major = 8;
	assert_int_equal(vfs_mount(&kernel, "mock", AT, "fuse", 0, fake_driver_options), 0);
	assert_int_equal(look(AT "/file"), -ECONNREFUSED);
}

static void an_old_driver_works(void **state)
{
	char text[32];

	assert_int_equal(vfs_umount(&kernel, AT, 0), 0);
	fake_driver_stop();
	fake_driver_start();
	mock.minor = 8;
	assert_int_equal(vfs_mount(&kernel, "mock", AT, "fuse", 0, fake_driver_options), 0);
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

	mock.ignores_interrupts = true;
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

/* What is mapped of a file as well, if nothing else helps. */
static void mapped_pages_are_given_back(void **state)
{
	struct object *object = open_ok(AT "/file", O_RDONLY);
	struct memory_object *memory;
	struct page_ref page;
	char text[32];

	assert_int_equal(object_read_kernel(object, text, sizeof(text), 0), 10);
	assert_int_equal(object_map(object, &(struct object_map_request){0}, &memory), 0);
	for (unsigned used = 0; used < 2; used++) {
		assert_int_equal(memory->ops->get_page(memory, 0, FAULT_READ, &page), 0);
		fake_mapped = page.frame;
		fake_mapped_is_used = used;
		assert_int_equal(pages_reclaim(1), 0); /* somebody has it */
		assert_int_equal(pages_reclaim_mapped(1), 1);
		assert_null(fake_mapped);
		assert_int_equal(memory->ops->get_page(memory, 0, FAULT_READ, &page), MM_WAIT);
		assert_int_equal(memory->ops->wait_page(memory, 0), 0);
	}
	memory_object_put(memory);
	object_put(object);
}

/* Whoever asks after a write does not wait for an answer to what was asked for before it. */
static void a_read_after_a_write_gets_nothing_older(void **state)
{
	struct object *object = open_ok(AT "/file", O_RDWR);
	char text[5] = "";

	mock.ignores_interrupts = true;
	mock.kill_at = FUSE_READ; /* and is not answered for long */
	assert_int_equal(object_read_kernel(object, text, 4, 0), -EINTR);
	fake_pending = 0;
	assert_int_equal(object_write_kernel(object, "new!", 4), 4);
	alarm(10); /* or it waits for ever */
	assert_int_equal(object_read_kernel(object, text, 4, 0), 4);
	alarm(0);
	assert_string_equal(text, "new!");
	assert_int_equal(mock.nasked[FUSE_READ], 2);
	fake_driver_answer_late();
	object_put(object);
}

static void look_ups_taken_back_wait_as_one(void **state)
{
	struct object *object = open_ok(AT "/file", O_RDONLY);

	mock.hold_at = FUSE_RELEASE;
	object_put(object);
	fake_driver_serve();
	for (unsigned i = 0; i < 200; i++) {
		names_evict();
		assert_int_equal(look(AT "/file"), 0);
	}
	names_evict();
	assert_int_equal(mock.nasked[FUSE_FORGET] + mock.nasked[FUSE_BATCH_FORGET], 0);
	fake_driver_answer_late();
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_FORGET], 1);
	assert_int_equal(mock.nasked[FUSE_BATCH_FORGET], 0);
}

static void a_listing_that_nobody_waits_for_is_given_back(void **state)
{
	mock.init_flags = FUSE_DO_READDIRPLUS;
	mock.kill_at = FUSE_READDIRPLUS;
	assert_int_equal(list(AT), -EINTR);
	fake_pending = 0;
	fake_driver_answer_late();
	assert_int_equal(mock.nremembered, 2);
	fake_driver_serve();
	assert_int_equal(mock.nremembered, 0);
}

static void a_lock_granted_to_who_was_killed_is_given_back(void **state)
{
	const struct object_lock wanted = {.kind = OBJECT_LOCK_PROCESS,
					   .owner = 42,
					   .start = 10,
					   .end = 19,
					   .pid = 7,
					   .type = F_WRLCK};
	struct object *object;

	mock.init_flags |= FUSE_POSIX_LOCKS;
	object = open_ok(AT "/file", O_RDWR);
	mock.kill_at = FUSE_SETLKW;
	assert_int_equal(object_lock(object, &wanted, true), -EINTR);
	fake_pending = 0;
	fake_driver_answer_late();
	assert_int_equal(mock.last_lock.lk.type, F_WRLCK);
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_SETLK], 1);
	assert_int_equal(mock.last_lock.lk.type, F_UNLCK);
	assert_int_equal(mock.last_lock.owner, 42);
	assert_int_equal(mock.last_lock.lk.start, 10);
	assert_int_equal(mock.last_lock.lk.end, 19);
	object_put(object);
}

static void a_driver_that_answers_none_of_the_killed_is_left(void **state)
{
	unsigned nkilled = 0;
	err_t err;

	assert_int_equal(look(AT), 0);
	mock.ignores_interrupts = true;
	do {
		mock.kill_at = FUSE_LOOKUP;
		err = look(AT "/file");
		fake_pending = 0;
	} while (err == -EINTR && ++nkilled < 10000);
	assert_int_equal(err, -ENOTCONN);
	assert_in_range(nkilled, 1000, 9999);
}

static void a_notification_after_the_end_finds_nothing(void **state)
{
	assert_int_equal(look(AT "/file"), 0);
	assert_int_equal(vfs_umount(&kernel, AT, MNT_DETACH), 0);
	mock.nremembered = 0; /* the mount took them along */
	assert_int_equal(fake_driver_notify_inode(MOCK_FILE, 0), -ENOENT);
	fake_driver_stop();
	fake_driver_start();
	assert_int_equal(vfs_mount(&kernel, "mock", AT, "fuse", 0, fake_driver_options), 0);
}

static void the_kernel_s_own_threads_do_not_wait_for_ever(void **state)
{
	struct object *object;
	char text[32];

	fake_caller_pid = 0;
	mock.hangs = true; /* before its first answer */
	assert_int_equal(look(AT "/file"), -ETIMEDOUT);
	mock.hangs = false;
	object = open_ok(AT "/file", O_RDONLY);
	mock.hangs = true;
	assert_int_equal(look(AT "/dir"), -ETIMEDOUT);
	assert_int_equal(object_read_kernel(object, text, sizeof(text), 0), -ETIMEDOUT);
	mock.hangs = false;
	assert_int_equal(look(AT "/dir"), 0);
	object_put(object);
	fake_caller_pid = 1;
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
	assert_int_equal(vfs_mount(&kernel, "mock", "/run", "fuse", 0, fake_driver_options),
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
	assert_int_equal(vfs_mount(&kernel, "mock", AT, "fuse", 0, fake_driver_options), 0);
}

static void a_mount_that_fails_for_memory_leaves_nothing(void **state)
{
	uint64_t after = 0;
	err_t err;

	assert_int_equal(vfs_umount(&kernel, AT, 0), 0);
	do {
		fake_driver_stop();
		fake_driver_start();
		fake_fail_allocation_after = after++;
		err = vfs_mount(&kernel, "mock", AT, "fuse", 0, fake_driver_options);
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
					    "fd=3,rootmode=120000,user_id=0,group_id=0",
					    "fd=3,rootmode=40000,user_id=0,group_id=0,nonsense",
					    "fd=99,rootmode=40000,user_id=0,group_id=0",
					    "fd=3,rootmode=40000,user_id=4294967296,group_id=0"};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (vfs_mount(&kernel, "mock", "/run", "fuse", 0, wrong[i]) != -EINVAL)
			fail_msg("'%s' was taken", wrong[i]);
	}
	assert_int_equal(vfs_mount(&kernel, "mock", "/run", "ext9", 0, ""), -ENODEV);
	assert_int_equal(vfs_mount(&user, "mock", "/run", "fuse", 0, ""), -EPERM);
	assert_int_equal(vfs_umount(&kernel, "/run/nothing", 0), -ENOENT);
	assert_int_equal(vfs_umount(&kernel, AT "/dir", 0), -EINVAL);
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

/* Some know files by their names alone. */
static void an_open_file_is_looked_at_by_its_handle(void **state)
{
	struct object *object;
	struct abi_stat stat;

	mock.attr_valid = 0;
	object = open_ok(AT "/file", O_RDONLY);
	assert_int_equal(object_stat(object, &stat), 0);
	assert_int_equal(mock.last_getattr.getattr_flags, FUSE_GETATTR_FH);
	assert_int_equal(mock.last_getattr.fh, 77);
	assert_int_equal(look(AT "/file"), 0);
	assert_int_equal(mock.last_getattr.getattr_flags, 0);
	object_put(object);
}

static void a_driver_without_open_hears_of_closing(void **state)
{
	struct object *object;

	mock.unknown = 1ull << FUSE_OPEN;
	object = open_ok(AT "/file", O_RDONLY);
	assert_int_equal(object->ops->closed(object, 5), 0);
	assert_int_equal(mock.nasked[FUSE_FLUSH], 1);
	object_put(object);
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_RELEASE], 0);
}

/* It waits for its own write, and answers nothing meanwhile. */
static void a_driver_that_deletes_what_is_watched_is_not_asked(void **state)
{
	struct object *inotify;
	char events[64];
	struct buffer buffer;

	mock.attr_valid = 0;
	assert_int_equal(inotify_create(O_NONBLOCK, &inotify), 0);
	assert_true(inotify_add(inotify, &kernel, AT "/file", IN_DELETE_SELF) > 0);
	mock.nasked[FUSE_GETATTR] = 0;
	assert_true(fake_driver_notify_delete(1, MOCK_FILE, "file") > 0);
	assert_int_equal(mock.nasked[FUSE_GETATTR], 0);
	buffer_init_kernel(&buffer, events, sizeof(events));
	assert_int_equal(object_read(inotify, &buffer, NULL), 32); /* and IN_IGNORED */
	object_put(inotify);
}

static void a_listing_ends_whatever_its_last_cookie_is(void **state)
{
	static const uint64_t cookies[] = {INT64_MAX - 1, INT64_MAX, UINT64_MAX - 1, UINT64_MAX};
	struct buffer buffer;
	struct object *object;
	uint64_t position;
	char bytes[1024];

	for (unsigned i = 0; i < ARRAY_SIZE(cookies); i++) {
		mock.last_cookie = cookies[i];
		object = open_ok(AT, O_RDONLY | O_DIRECTORY);
		buffer_init_kernel(&buffer, bytes, sizeof(bytes));
		assert_in_range(object_getdents(object, &buffer, DIRENT_64), 1, 512);
		buffer_init_kernel(&buffer, bytes, sizeof(bytes));
		assert_int_equal(object_getdents(object, &buffer, DIRENT_64), 0);
		if (cookies[i] <= INT64_MAX)
			assert_int_equal(object_seek(object, 0, SEEK_CUR, &position), 0);
		object_put(object);
	}
}

int main(void)
{
#define MOUNTED(test) cmocka_unit_test_setup_teardown(test, mounted, gone)
	const struct CMUnitTest tests[] = {
		MOUNTED(a_driver_that_dies_fails_what_waits_and_what_comes),
		MOUNTED(what_was_never_answered_is_not_counted),
		MOUNTED(a_driver_that_is_too_late_is_left),
		MOUNTED(how_late_a_driver_may_be_is_a_setting),
		MOUNTED(a_driver_of_another_version_is_refused),
		MOUNTED(an_old_driver_works),
		MOUNTED(who_is_killed_before_it_was_read_leaves),
		MOUNTED(who_is_killed_while_it_is_served_leaves_no_debt),
		MOUNTED(who_is_killed_tells_the_driver),
		MOUNTED(nothing_is_taken_away_while_a_request_needs_it),
		MOUNTED(a_read_after_a_write_gets_nothing_older),
		MOUNTED(look_ups_taken_back_wait_as_one),
		MOUNTED(a_listing_that_nobody_waits_for_is_given_back),
		MOUNTED(mapped_pages_are_given_back),
		MOUNTED(a_lock_granted_to_who_was_killed_is_given_back),
		MOUNTED(a_driver_that_answers_none_of_the_killed_is_left),
		MOUNTED(a_notification_after_the_end_finds_nothing),
		MOUNTED(the_kernel_s_own_threads_do_not_wait_for_ever),
		MOUNTED(a_signal_tells_the_driver),
		MOUNTED(a_buffer_that_is_too_short_loses_nothing),
		MOUNTED(the_device_says_what_it_is),
		MOUNTED(of_two_who_unmount_one_comes_too_late),
		MOUNTED(a_mount_that_fails_for_memory_leaves_nothing),
		MOUNTED(options_are_checked),
		MOUNTED(running_out_of_memory_is_an_error_and_no_leak),
		MOUNTED(an_open_file_is_looked_at_by_its_handle),
		MOUNTED(a_driver_without_open_hears_of_closing),
		MOUNTED(a_driver_that_deletes_what_is_watched_is_not_asked),
		MOUNTED(a_listing_ends_whatever_its_last_cookie_is),
	};

	return cmocka_run_group_tests(tests, mounted_begin, NULL);
}
