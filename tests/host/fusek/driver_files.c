/* sources: @driver */
/*
 * What /dev/fuse can do with a file beside reading and writing it, against the mock driver of
 * driver.c: extended attributes, room and holes, copying, locks, ioctl, poll, files without
 * a name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake/mounted.h"

#include <abi/xattr.h>
#include <fusek/file.h>
#include <string.h>

#define FILE_AT AT "/file"

static ssize_t get(const char *attribute, void *to, size_t to_bytes)
{
	return vfs_getxattr(&kernel, NULL, FILE_AT, 0, attribute, to, to_bytes);
}

static ssize_t set(const char *attribute, const char *value)
{
	return vfs_setxattr(&kernel, NULL, FILE_AT, 0, attribute, value, strlen(value), 0);
}

static ssize_t list_names(char *to, size_t to_bytes)
{
	return vfs_listxattr(&kernel, NULL, FILE_AT, 0, to, to_bytes);
}

static ssize_t drop(const char *attribute)
{
	return vfs_removexattr(&kernel, NULL, FILE_AT, 0, attribute);
}

/* ---- extended attributes ---- */

static void attributes_are_set_read_listed_and_removed(void **state)
{
	char bytes[64];

	assert_int_equal(get("user.mock", NULL, 0), -ENODATA);
	assert_int_equal(set("user.mock", "a value"), 0);
	assert_string_equal(mock.xattr, "a value");
	assert_int_equal(get("user.mock", NULL, 0), 7);
	assert_int_equal(get("user.mock", bytes, 6), -ERANGE);
	assert_int_equal(get("user.mock", bytes, sizeof(bytes)), 7);
	assert_memory_equal(bytes, "a value", 7);
	assert_int_equal(list_names(NULL, 0), 10);
	assert_int_equal(list_names(bytes, sizeof(bytes)), 10);
	assert_memory_equal(bytes, "user.mock", 10);
	assert_int_equal(set("user.other", "x"), -ENOSPC); /* the driver's word */
	assert_int_equal(drop("user.mock"), 0);
	assert_int_equal(drop("user.mock"), -ENODATA);
}

/* Even one that does not fit into a request's arguments: it goes into pages. */
static void a_value_of_several_pages_goes_to_the_driver_whole(void **state)
{
	static char value[3 * PAGE_SIZE];

	assert_int_equal(vfs_setxattr(&kernel, NULL, FILE_AT, 0, "user.mock", value, 5000, 0),
			 -ENOSPC);
	assert_int_equal(mock.nasked[FUSE_SETXATTR], 1);
	/* The mock's read buffer takes 16 KiB: what does not fit is too big, and the mount lives.
	 */
	static char large[XATTR_SIZE_MAX];
	assert_int_equal(
		vfs_setxattr(&kernel, NULL, FILE_AT, 0, "user.mock", large, sizeof(large), 0),
		-E2BIG);
	assert_int_equal(look(FILE_AT), 0);
}

static void whose_attributes_are_not_served_is_asked_once(void **state)
{
	char bytes[64];

	mock.unknown = 1ull << FUSE_SETXATTR | 1ull << FUSE_GETXATTR | 1ull << FUSE_LISTXATTR |
		       1ull << FUSE_REMOVEXATTR;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(set("user.mock", "x"), -EOPNOTSUPP);
		assert_int_equal(get("user.mock", bytes, sizeof(bytes)), -EOPNOTSUPP);
		assert_int_equal(list_names(bytes, sizeof(bytes)), -EOPNOTSUPP);
		assert_int_equal(drop("user.mock"), -EOPNOTSUPP);
	}
	assert_int_equal(mock.nasked[FUSE_SETXATTR], 1);
	assert_int_equal(mock.nasked[FUSE_GETXATTR], 1);
	assert_int_equal(mock.nasked[FUSE_LISTXATTR], 1);
	assert_int_equal(mock.nasked[FUSE_REMOVEXATTR], 1);
}

/* ---- room and holes ---- */

static void room_is_made_by_the_driver_and_the_size_follows(void **state)
{
	struct object *object = open_ok(FILE_AT, O_RDWR);
	char text[32];

	assert_int_equal(object_allocate(object, 0, 4, 16), 0);
	assert_int_equal(mock.last_fallocate.fh, 77);
	assert_int_equal(mock.last_fallocate.length, 16);
	assert_int_equal(stat_ok(FILE_AT).st_size, 20);
	assert_int_equal(object_read_kernel(object, text, sizeof(text), 0), 20);
	assert_memory_equal(text, "0123456789", 10);
	/* What was read before is not kept. */
	assert_int_equal(object_allocate(object, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 4),
			 0);
	assert_int_equal(object_read_kernel(object, text, sizeof(text), 0), 20);
	assert_memory_equal(text,
			    "01\0\0\0\0"
			    "6789",
			    10);
	assert_int_equal(object_allocate(object, FALLOC_FL_COLLAPSE_RANGE, 0, 4), -EOPNOTSUPP);
	assert_int_equal(object_allocate(object, FALLOC_FL_PUNCH_HOLE, 0, 4), -EOPNOTSUPP);
	assert_int_equal(object_allocate(object, 0, -1, 4), -EINVAL);
	assert_int_equal(object_allocate(object, 0, 0, 0), -EINVAL);
	assert_int_equal(object_allocate(object, 0, INT64_MAX, 1), -EFBIG);
	mock.unknown = 1ull << FUSE_FALLOCATE;
	assert_int_equal(object_allocate(object, 0, 0, 4), -EOPNOTSUPP);
	assert_int_equal(object_allocate(object, 0, 0, 4), -EOPNOTSUPP);
	assert_int_equal(mock.nasked[FUSE_FALLOCATE], 3);
	object_put(object);
	object = open_ok(FILE_AT, O_RDONLY);
	assert_int_equal(object_allocate(object, 0, 0, 4), -EBADF);
	object_put(object);
}

static uint64_t seek_to(struct object *object, int64_t offset, int whence)
{
	uint64_t position = UINT64_MAX;
	err_t err = object_seek(object, offset, whence, &position);

	return err ? (uint64_t)err : position;
}

static void holes_are_where_the_driver_says(void **state)
{
	struct object *object = open_ok(FILE_AT, O_RDONLY);

	assert_int_equal(seek_to(object, 0, SEEK_HOLE), 0);
	assert_int_equal(seek_to(object, 0, SEEK_DATA), 8);
	assert_int_equal(seek_to(object, 0, SEEK_CUR), 8); /* it has moved */
	assert_int_equal(seek_to(object, 8, SEEK_HOLE), 10);
	assert_int_equal(seek_to(object, 10, SEEK_DATA), -ENXIO);
	assert_int_equal(seek_to(object, -1, SEEK_DATA), -ENXIO);
	mock.unknown = 1ull << FUSE_LSEEK; /* then a file is all data */
	for (int round = 0; round < 2; round++) {
		assert_int_equal(seek_to(object, 3, SEEK_DATA), 3);
		assert_int_equal(seek_to(object, 3, SEEK_HOLE), 10);
		assert_int_equal(seek_to(object, 10, SEEK_HOLE), -ENXIO);
	}
	assert_int_equal(mock.nasked[FUSE_LSEEK], 5);
	object_put(object);
}

static void the_driver_copies_and_what_was_cached_goes(void **state)
{
	struct object *object = open_ok(FILE_AT, O_RDWR);
	struct object *other = open_ok("/tmp/seeded", O_RDONLY);
	char text[32];

	assert_int_equal(object_read_kernel(object, text, sizeof(text), 0), 10);
	assert_int_equal(object_copy_range(object, 0, object, 8, 4), 4);
	assert_int_equal(stat_ok(FILE_AT).st_size, 12);
	assert_int_equal(object_read_kernel(object, text, sizeof(text), 0), 12);
	assert_memory_equal(text, "012345670123", 12);
	assert_int_equal(object_copy_range(other, 0, object, 0, 4), -EOPNOTSUPP);
	mock.unknown = 1ull << FUSE_COPY_FILE_RANGE;
	assert_int_equal(object_copy_range(object, 0, object, 8, 4), -EOPNOTSUPP);
	assert_int_equal(object_copy_range(object, 0, object, 8, 4), -EOPNOTSUPP);
	assert_int_equal(mock.nasked[FUSE_COPY_FILE_RANGE], 2);
	object_put(other);
	object_put(object);
}

/* Its caller is killed while the driver copies: both handles live until the driver is done. */
static void a_copy_that_was_left_keeps_both_handles(void **state)
{
	struct object *from = open_ok(FILE_AT, O_RDONLY), *to = open_ok(FILE_AT, O_RDWR);

	mock.unknown = 1ull << FUSE_INTERRUPT; /* it goes on copying */
	mock.kill_at = FUSE_COPY_FILE_RANGE;
	assert_int_equal(object_copy_range(from, 0, to, 8, 4), -EINTR);
	fake_pending = 0;
	object_put(from);
	object_put(to);
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_RELEASE], 0);
	fake_driver_answer_late();
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_RELEASE], 2);
}

/* ---- locks ---- */

static const struct object_lock wanted = {.kind = OBJECT_LOCK_PROCESS,
					  .owner = 42,
					  .start = 10,
					  .end = 19,
					  .pid = 7,
					  .type = F_WRLCK};
static const struct object_lock whole = {
	.kind = OBJECT_LOCK_WHOLE, .end = INT64_MAX, .type = F_RDLCK};

static void a_driver_that_keeps_locks_is_asked(void **state)
{
	struct object *object;
	struct object_lock lock = wanted;

	mock.init_flags |= FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS;
	object = open_ok(FILE_AT, O_RDWR);
	assert_int_equal(object_lock(object, &wanted, false), 0);
	assert_int_equal(mock.nasked[FUSE_SETLK], 1);
	assert_int_equal(mock.last_lock.owner, 42);
	assert_int_equal(mock.last_lock.lk.start, 10);
	assert_int_equal(mock.last_lock.lk.end, 19);
	assert_int_equal(mock.last_lock.lk.pid, 7);
	assert_int_equal(mock.last_lock.lk_flags, 0);
	assert_int_equal(object_lock(object, &wanted, true), 0);
	assert_int_equal(mock.nasked[FUSE_SETLKW], 1);
	assert_int_equal(object_lock_test(object, &lock), 0);
	assert_int_equal(lock.type, F_UNLCK);
	mock.blocker = (struct fuse_file_lock){.start = 12, .end = 14, .type = F_RDLCK, .pid = 99};
	lock = wanted;
	assert_int_equal(object_lock_test(object, &lock), 0);
	assert_int_equal(lock.type, F_RDLCK);
	assert_int_equal(lock.start, 12);
	assert_int_equal(lock.pid, 99);
	assert_int_equal(object_lock(object, &wanted, false), -EAGAIN);
	mock.blocker.type = F_UNLCK;
	/* flock's goes with the open file, whose owner is a number that says nothing. */
	assert_int_equal(object_lock(object, &whole, false), 0);
	assert_int_equal(mock.last_lock.lk_flags, FUSE_LK_FLOCK);
	assert_true(mock.last_lock.owner >> 63);
	object_put(object);
	fake_driver_serve();
	assert_int_equal(mock.last_release.release_flags, FUSE_RELEASE_FLOCK_UNLOCK);
	assert_int_equal(mock.last_release.lock_owner, mock.last_lock.owner);
}

static void else_locks_are_the_kernel_s(void **state)
{
	struct object *object = open_ok(FILE_AT, O_RDWR), *other = open_ok(FILE_AT, O_RDWR);
	struct object_lock of_other = wanted;

	of_other.owner = 43;
	assert_int_equal(object_lock(object, &wanted, false), 0);
	assert_int_equal(object_lock(other, &of_other, false), -EAGAIN);
	assert_int_equal(object_lock_test(other, &of_other), 0);
	assert_int_equal(of_other.pid, 7);
	assert_int_equal(object->ops->closed(object, 42), 0);
	assert_int_equal(object_lock_test(other, &of_other), 0);
	assert_int_equal(of_other.type, F_UNLCK);
	assert_int_equal(object_lock(object, &whole, false), 0);
	object_put(object);
	object_put(other);
	fake_driver_serve();
	assert_int_equal(mock.last_release.release_flags, 0);
	assert_int_equal(mock.nasked[FUSE_SETLK] + mock.nasked[FUSE_GETLK], 0);
}

/* ---- ioctl, poll ---- */

#define READABLE (POLLIN | POLLRDNORM)
#define WRITABLE (POLLOUT | POLLWRNORM)

#define ECHO_BOTH 0xc0040001u /* four bytes in, four out */
#define ECHO_OUT  0x80040001u

static ssize_t control(struct object *object, unsigned command, char *bytes)
{
	return object_ioctl(object, command, uptr((uint64_t)bytes));
}

static void an_ioctl_moves_what_its_number_says(void **state)
{
	struct object *object = open_ok(FILE_AT, O_RDONLY), *directory;
	char bytes[8] = "abcdefg";

	assert_int_equal(control(object, ECHO_BOTH, bytes), 5);
	assert_string_equal(bytes, "bcdeefg");
	assert_int_equal(mock.last_ioctl.in_size, 4);
	assert_int_equal(mock.last_ioctl.arg, (uint64_t)bytes);
	assert_int_equal(control(object, ECHO_OUT, bytes), 5); /* it gave fewer */
	assert_string_equal(bytes, "bcdeefg");
	fake_bad_address = (uint64_t)bytes;
	assert_int_equal(control(object, ECHO_BOTH, bytes), -EFAULT);
	fake_bad_address = 0;
	mock.unknown = 1ull << FUSE_IOCTL;
	assert_int_equal(control(object, ECHO_BOTH, bytes), -ENOTTY);
	mock.unknown = 0;
	directory = open_ok(AT, O_RDONLY | O_DIRECTORY);
	assert_int_equal(control(directory, ECHO_BOTH, bytes), -ENOTTY); /* has not said so */
	object_put(directory);
	object_put(object);
}

static void an_ioctl_of_a_directory_says_so(void **state)
{
	struct object *directory;
	char bytes[8] = "abcdefg";

	mock.init_flags |= FUSE_HAS_IOCTL_DIR;
	directory = open_ok(AT, O_RDONLY);
	assert_int_equal(control(directory, ECHO_BOTH, bytes), 5);
	assert_int_equal(mock.last_ioctl.flags, FUSE_IOCTL_DIR);
	object_put(directory);
}

static void who_polls_is_woken_by_the_driver(void **state)
{
	struct object *object = open_ok(FILE_AT, O_RDONLY), *other = open_ok(FILE_AT, O_RDONLY);
	struct waitq *queue = NULL, *second = NULL;
	uint64_t kh;

	mock.revents = POLLIN | 0x8000;
	object_poll_ask(object);
	assert_int_equal(object_poll(object, &queue), READABLE);
	assert_non_null(queue);
	kh = mock.last_poll.kh;
	assert_int_equal(mock.last_poll.flags, FUSE_POLL_SCHEDULE_NOTIFY);
	mock.revents = 0;
	object_poll_ask(other);
	assert_int_equal(object_poll(other, &second), 0);
	assert_int_equal(object_poll(other, &second), 0); /* it will say when that changes */
	assert_int_equal(mock.nasked[FUSE_POLL], 2);
	assert_true(mock.last_poll.kh != kh && second != queue);
	fake_woken = NULL;
	assert_true(fake_driver_notify_poll(kh) > 0);
	assert_ptr_equal(fake_woken, queue);
	object_put(object);
	fake_driver_serve();
	fake_woken = NULL;
	assert_true(fake_driver_notify_poll(kh) > 0); /* closed: nobody */
	assert_null(fake_woken);
	mock.unknown = 1ull << FUSE_POLL;
	for (int round = 0; round < 2; round++) {
		object_poll_ask(other);
		assert_int_equal(object_poll(other, &second), READABLE | WRITABLE);
	}
	assert_int_equal(mock.nasked[FUSE_POLL], 3);
	object_put(other);
}

/* As epoll looks: nobody waits for the driver, and its answer wakes. */
static void who_looks_without_waiting_is_woken_by_the_answer(void **state)
{
	struct object *object = open_ok(FILE_AT, O_RDONLY);
	struct waitq *queue;

	mock.revents = POLLIN;
	assert_int_equal(object_poll(object, &queue), 0);
	assert_int_equal(object_poll(object, &queue), 0); /* it is being asked already */
	fake_woken = NULL;
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_POLL], 1);
	assert_ptr_equal(fake_woken, queue);
	assert_int_equal(object_poll(object, &queue), READABLE);
	mock.revents = 0;
	assert_int_equal(object_poll(object, &queue), 0); /* asked anew: it may have been read */
	mock.hold_at = FUSE_POLL;
	fake_driver_serve();
	assert_true(fake_driver_notify_poll(mock.last_poll.kh) > 0); /* then the old answer comes */
	fake_woken = NULL;
	fake_driver_answer_late();
	assert_ptr_equal(fake_woken, queue);
	mock.revents = POLLIN;
	assert_int_equal(object_poll(object, &queue), 0);
	fake_driver_serve();
	assert_int_equal(object_poll(object, &queue), READABLE);
	object_put(object);
}

static void a_directory_is_synced_as_one(void **state)
{
	struct object *object = open_ok(FILE_AT, O_RDONLY), *directory = open_ok(AT, O_RDONLY);

	assert_int_equal(object_sync(object), 0);
	assert_int_equal(object_sync(directory), 0);
	assert_int_equal(mock.nasked[FUSE_FSYNC], 1);
	assert_int_equal(mock.nasked[FUSE_FSYNCDIR], 1);
	object_put(directory);
	object_put(object);
}

/* ---- files without a name, births ---- */

static void a_file_without_a_name_is_made_and_linked(void **state)
{
	struct object *object = open_ok(AT, O_TMPFILE | O_RDWR), *other;

	assert_int_equal(mock.nasked[FUSE_TMPFILE], 1);
	assert_int_equal(object_write_kernel(object, "xy", 2), 2);
	assert_int_equal(vfs_link(&kernel, object, "", NULL, AT "/now", AT_EMPTY_PATH), 0);
	object_put(object);
	assert_int_equal(vfs_open(&kernel, NULL, AT, O_TMPFILE | O_RDONLY, 0600, &other), -EINVAL);
	assert_int_equal(vfs_open(&kernel, NULL, FILE_AT, O_TMPFILE | O_RDWR, 0600, &other),
			 -ENOTDIR);
	mock.unknown = 1ull << FUSE_TMPFILE;
	for (int round = 0; round < 2; round++)
		assert_int_equal(vfs_open(&kernel, NULL, AT, O_TMPFILE | O_RDWR, 0600, &other),
				 -EOPNOTSUPP);
	assert_int_equal(mock.nasked[FUSE_TMPFILE], 2);
}

static void the_driver_knows_when_a_file_was_made(void **state)
{
	struct vfs_details details;

	assert_int_equal(vfs_details(&kernel, NULL, FILE_AT, 0, &details), 0);
	assert_int_equal(details.no_birth, 0);
	assert_int_equal(details.birth.tv_sec, 1234);
	assert_int_equal(details.birth.tv_nsec, 56);
	mock.unknown = 1ull << FUSE_STATX;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(vfs_details(&kernel, NULL, FILE_AT, 0, &details), 0);
		assert_int_equal(details.no_birth, -ENOSYS);
	}
	assert_int_equal(mock.nasked[FUSE_STATX], 2);
}

int main(void)
{
#define MOUNTED(test) cmocka_unit_test_setup_teardown(test, mounted, gone)
	const struct CMUnitTest tests[] = {
		MOUNTED(attributes_are_set_read_listed_and_removed),
		MOUNTED(a_value_of_several_pages_goes_to_the_driver_whole),
		MOUNTED(whose_attributes_are_not_served_is_asked_once),
		MOUNTED(room_is_made_by_the_driver_and_the_size_follows),
		MOUNTED(holes_are_where_the_driver_says),
		MOUNTED(the_driver_copies_and_what_was_cached_goes),
		MOUNTED(a_copy_that_was_left_keeps_both_handles),
		MOUNTED(a_driver_that_keeps_locks_is_asked),
		MOUNTED(else_locks_are_the_kernel_s),
		MOUNTED(an_ioctl_moves_what_its_number_says),
		MOUNTED(an_ioctl_of_a_directory_says_so),
		MOUNTED(who_polls_is_woken_by_the_driver),
		MOUNTED(who_looks_without_waiting_is_woken_by_the_answer),
		MOUNTED(a_directory_is_synced_as_one),
		MOUNTED(a_file_without_a_name_is_made_and_linked),
		MOUNTED(the_driver_knows_when_a_file_was_made),
	};

	return cmocka_run_group_tests(tests, mounted_begin, NULL);
}
