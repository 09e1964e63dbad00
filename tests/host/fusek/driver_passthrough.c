/* sources: @driver */
/*
 * Files of the mock driver whose data is in files of tmpfs: what goes there, who may have which
 * open at a time, and that nothing of it is left when it is over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake/mounted.h"

#include <abi/errno.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <mm/object.h>
#include <string.h>

#define FILE_AT AT "/file"
#define BACK_AT "/tmp/back"

static ssize_t device_ioctl(unsigned command, const void *argument)
{
	struct object *device = vfs_descriptor(3);
	ssize_t result = object_ioctl(device, command, (uptr_t){(uint64_t)argument});

	object_put(device);
	return result;
}

static ssize_t name_backing(const char *name)
{
	const struct fuse_backing_map map = {.fd = 4};
	ssize_t result;

	mock.named = open_ok(name, O_PATH);
	result = device_ioctl(FUSE_DEV_IOC_BACKING_OPEN, &map);
	object_put(mock.named);
	mock.named = NULL;
	return result;
}

static ssize_t forget_backing(uint32_t id)
{
	return device_ioctl(FUSE_DEV_IOC_BACKING_CLOSE, &id);
}

/* The driver has a backing file, which all opens get. */
static int begin(void **state)
{
	if (mounted(state))
		return -1;
	mock.init_flags |= (uint32_t)FUSE_INIT_EXT;
	mock.init_flags2 = (uint32_t)(FUSE_PASSTHROUGH >> 32);
	mock.max_stack_depth = 1;
	write_file(BACK_AT, "in the back");
	if (look(FILE_AT)) /* INIT is answered */
		return -1;
	mock.open_flags = FOPEN_PASSTHROUGH;
	mock.backing_id = (uint32_t)name_backing(BACK_AT);
	return 0;
}

static int end(void **state)
{
	int left = gone(state);

	/* Nothing holds it: its memory goes with its name. */
	return left || vfs_unlink(&kernel, NULL, BACK_AT, 0);
}

static void data_goes_to_the_backing_file(void **state)
{
	struct object *object = open_ok(FILE_AT, O_RDWR);
	uint64_t at = 7;
	char text[32];

	assert_int_equal(object_read_kernel(object, text, sizeof(text), 0), 11);
	assert_memory_equal(text, "in the back", 11);
	assert_int_equal(object_seek(object, 7, SEEK_SET, &at), 0);
	assert_int_equal(object_write_kernel(object, "beginning", 9), 9);
	object_put(object);
	expect_text(BACK_AT, "in the beginning");
	assert_int_equal(mock.nasked[FUSE_READ] + mock.nasked[FUSE_WRITE], 0);
	assert_int_equal(write_to(FILE_AT, "!", O_APPEND), 1);
	expect_text(BACK_AT, "in the beginning!");
}

static void attributes_are_asked_for_anew_after_a_write(void **state)
{
	unsigned nasked;

	assert_int_equal(stat_ok(FILE_AT).st_size, 10);
	nasked = mock.nasked[FUSE_GETATTR];
	mock.size = 20;
	assert_int_equal(stat_ok(FILE_AT).st_size, 10);
	assert_int_equal(write_to(FILE_AT, "x", 0), 1);
	assert_int_equal(stat_ok(FILE_AT).st_size, 20);
	assert_int_equal(mock.nasked[FUSE_GETATTR], nasked + 1);
}

static void it_is_opened_with_the_rights_of_who_named_it(void **state)
{
	struct object *object;

	assert_int_equal(vfs_chmod(&kernel, NULL, BACK_AT, 0, 0), 0);
	assert_int_equal(open_error(&user, BACK_AT, O_RDONLY), -EACCES);
	object = open_ok(FILE_AT, O_RDWR);
	object_put(object);
}

static void pages_are_the_backing_file_s(void **state)
{
	const struct object_map_request request = {.shared = true, .write = true};
	struct object *object = open_ok(FILE_AT, O_RDWR);
	struct memory_object *memory;
	struct page_ref page;
	char name[64];

	assert_int_equal(object->ops->map(object, &request, &memory), 0);
	object_put(object);
	assert_int_equal(memory->ops->get_page(memory, 0, FAULT_WRITE | FAULT_SHARED, &page), 0);
	assert_memory_equal(frame_virt(page.frame), "in the back", 11);
	memcpy(frame_virt(page.frame), "AT", 2);
	frame_put(page.frame);
	expect_text(BACK_AT, "AT the back");
	memory->ops->name(memory, name, sizeof(name));
	assert_string_equal(name, FILE_AT);
	memory_object_put(memory);
}

static void all_use_the_same_at_a_time(void **state)
{
	uint32_t id = mock.backing_id;
	struct object *object = open_ok(FILE_AT, O_RDONLY);

	mock.open_flags = 0;
	assert_int_equal(open_error(&kernel, FILE_AT, O_RDONLY), -EIO);
	mock.open_flags = FOPEN_DIRECT_IO;
	assert_int_equal(open_error(&kernel, FILE_AT, O_RDONLY), -EIO);
	mock.open_flags = FOPEN_PASSTHROUGH;
	mock.backing_id = (uint32_t)name_backing(BACK_AT);
	assert_int_not_equal(mock.backing_id, id);
	assert_int_equal(open_error(&kernel, FILE_AT, O_RDONLY), -EIO);
	object_put(object);
	object = open_ok(FILE_AT, O_RDONLY);
	object_put(object);
	mock.open_flags = 0;
	object = open_ok(FILE_AT, O_RDONLY);
	mock.open_flags = FOPEN_PASSTHROUGH;
	assert_int_equal(open_error(&kernel, FILE_AT, O_RDONLY), -EIO);
	object_put(object);
}

static void what_is_made_can_have_its_data_there(void **state)
{
	expect_text(BACK_AT, "in the back");
	assert_int_equal(write_to(AT "/new", "ON", O_CREAT), 2);
	expect_text(BACK_AT, "ON the back");
	mock.backing_id = 999;
	assert_int_equal(write_to(AT "/other", "x", O_CREAT), -EIO);
	assert_int_equal(mock.nasked[FUSE_WRITE], 0);
}

static void a_directory_has_no_data(void **state)
{
	assert_true(list(AT "/dir") >= 0);
}

/* Also when a read-only mount does not let it be opened. */
static void who_cannot_open_it_is_told_eio(void **state)
{
	assert_int_equal(forget_backing(mock.backing_id), 0);
	assert_int_equal(forget_backing(mock.backing_id), -ENOENT);
	assert_int_equal(open_error(&kernel, FILE_AT, O_RDONLY), -EIO);
	assert_int_equal(forget_backing(0), -EINVAL);
	assert_int_equal(forget_backing(1u << 31), -EINVAL);
	assert_int_equal(name_backing("/tmp"), -EISDIR);
	assert_int_equal(name_backing("/dev/null"), -EINVAL);
	assert_int_equal(name_backing(FILE_AT), -ELOOP);
	fake_caller_uid = OTHER_UID;
	assert_int_equal(name_backing(BACK_AT), -EPERM);
	fake_caller_uid = 0;
}

static void a_connection_has_a_bounded_number(void **state)
{
	uint32_t last = mock.backing_id;
	ssize_t result;

	while ((result = name_backing(BACK_AT)) > 0)
		last = (uint32_t)result;
	assert_int_equal(result, -ENFILE);
	assert_int_equal(last, 16384);
	assert_int_equal(forget_backing(77), 0);
	assert_int_equal(name_backing(BACK_AT), last + 1);
	/* They go with the connection, and who has one open keeps it. */
	struct object *object = open_ok(FILE_AT, O_RDONLY);
	char text[32];

	assert_int_equal(vfs_umount(&kernel, AT, MNT_FORCE), -EBUSY);
	assert_int_equal(name_backing(BACK_AT), -ENODEV);
	assert_int_equal(object_read_kernel(object, text, sizeof(text), 0), 11);
	object_put(object);
	mock.nopen = mock.nremembered = 0; /* it is told no more */
}

int main(void)
{
#define PASSING(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		PASSING(data_goes_to_the_backing_file),
		PASSING(attributes_are_asked_for_anew_after_a_write),
		PASSING(it_is_opened_with_the_rights_of_who_named_it),
		PASSING(pages_are_the_backing_file_s),
		PASSING(all_use_the_same_at_a_time),
		PASSING(what_is_made_can_have_its_data_there),
		PASSING(a_directory_has_no_data),
		PASSING(who_cannot_open_it_is_told_eio),
		PASSING(a_connection_has_a_bounded_number),
	};

	return cmocka_run_group_tests(tests, mounted_begin, NULL);
}
