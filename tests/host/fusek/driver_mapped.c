/* sources: @driver */
/*
 * Pages of a driver's file that were changed in memory: by shared mappings, and on their way back.
 * See driver.c for the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake/mounted.h"
#include "pages.h"

#include <abi/errno.h>
#include <fusek/file.h>
#include <mm/object.h>
#include <mm/pageset.h>
#include <string.h>

#define FILE_AT AT "/file"
#define SIZE    (3 * PAGE_SIZE)

static struct object *object;
static struct memory_object *memory;

static void map_file(void)
{
	const struct object_map_request request = {.shared = true, .write = true};

	mock.size = SIZE;
	mock.open_flags = FOPEN_KEEP_CACHE;
	object = open_ok(FILE_AT, O_RDWR);
	assert_int_equal(object->ops->map(object, &request, &memory), 0);
}

static void unmap_file(void)
{
	memory_object_put(memory);
	object_put(object);
}

/* As a program's write to its memory does. */
static err_t touch(uint64_t index)
{
	const unsigned access = FAULT_WRITE | FAULT_SHARED;
	struct page_ref page;
	err_t err = memory->ops->get_page(memory, index, access, &page);

	for (int i = 0; err == MM_WAIT && i < 3; i++) {
		err = memory->ops->wait_page(memory, index);
		if (!err)
			err = memory->ops->get_page(memory, index, access, &page);
	}
	if (err)
		return err;
	strcpy((char *)frame_virt(page.frame), "changed");
	frame_put(page.frame);
	return 0;
}

static void what_is_changed_reaches_the_driver(void **state)
{
	map_file();
	assert_int_equal(touch(0), 0);
	assert_int_equal(touch(2), 0);
	assert_int_equal(mock.nasked[FUSE_WRITE], 0);
	assert_int_equal(object_sync(object), 0);
	assert_int_equal(mock.nasked[FUSE_WRITE], 2);
	assert_int_equal(mock.last_write.write_flags, FUSE_WRITE_CACHE);
	assert_int_equal(mock.last_write.size, PAGE_SIZE);
	assert_string_equal(mock.data, "changed");
	assert_string_equal(mock.data + 2 * PAGE_SIZE, "changed");
	assert_int_equal(fake_unmapped_first, 2);
	assert_int_equal(fake_unmapped_end, 3);
	assert_false(fake_unmapped_copies);
	assert_int_equal(object_sync(object), 0);
	assert_int_equal(mock.nasked[FUSE_WRITE], 2);
	unmap_file();
}

static void neighbours_go_together(void **state)
{
	map_file(); /* the driver takes two pages at a time */
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(touch(i), 0);
	assert_int_equal(object_sync(object), 0);
	assert_int_equal(mock.nasked[FUSE_WRITE], 2);
	assert_int_equal(mock.last_write.offset, 2 * PAGE_SIZE);
	unmap_file();
}

static void the_last_mapping_s_end_sends_it(void **state)
{
	map_file();
	object_put(object_get(object));
	assert_int_equal(touch(1), 0);
	memory_object_put(memory);
	assert_int_equal(mock.nasked[FUSE_WRITE], 1);
	object_put(object);
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_RELEASE], 1);
}

static void who_is_killed_sends_without_waiting(void **state)
{
	map_file();
	assert_int_equal(touch(1), 0);
	fake_pending = THREAD_KILLED;
	unmap_file();
	fake_pending = 0;
	assert_int_equal(mock.nasked[FUSE_WRITE], 0);
	assert_int_equal(mock.nasked[FUSE_RELEASE], 0);
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_WRITE], 1);
	assert_int_equal(mock.nasked[FUSE_RELEASE], 1);
}

static void what_was_changed_is_not_reclaimed(void **state)
{
	map_file();
	assert_int_equal(touch(0), 0);
	(void)pages_reclaim(100);
	assert_int_equal(fake_driver_notify_inode(MOCK_FILE, 0) > 0, 1); /* sent first */
	assert_int_equal(object_sync(object), 0);
	assert_string_equal(mock.data, "changed");
	unmap_file();
}

static void (*serve)(void);

/* As a driver of several threads may: what it was asked last comes first. */
static void answer_the_last_first(void)
{
	fake_block = serve;
	fake_driver_serve();
	fake_driver_answer_late();
}

static void what_is_on_its_way_is_not_read_before_it_is_there(void **state)
{
	char text[8];

	map_file();
	assert_int_equal(touch(0), 0);
	mock.hold_at = FUSE_WRITE;
	assert_true(fake_driver_notify_inode(MOCK_FILE, 0) > 0); /* it is sent, and dropped */
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_WRITE], 1);
	assert_int_equal(stat_ok(FILE_AT).st_size, SIZE);
	mock.nasked[FUSE_READ] = 0;
	serve = fake_block;
	fake_block = answer_the_last_first;
	assert_int_equal(object_read_kernel(object, text, sizeof(text), 0), sizeof(text));
	assert_memory_equal(text, "changed", sizeof(text));
	assert_int_equal(mock.nasked[FUSE_READ], 1);
	unmap_file();
}

static void truncation_cuts_it(void **state)
{
	map_file();
	assert_int_equal(touch(0), 0);
	assert_int_equal(touch(2), 0);
	assert_int_equal(object_truncate(object, 100), 0);
	assert_int_equal(object_sync(object), 0);
	assert_int_equal(mock.nasked[FUSE_WRITE], 1);
	assert_int_equal(mock.last_write.size, 100);
	assert_int_equal(mock.size, 100);
	assert_int_equal(touch(0), 0);
	assert_int_equal(object_truncate(object, 0), 0);
	assert_int_equal(object_sync(object), 0);
	assert_int_equal(mock.nasked[FUSE_WRITE], 1);
	unmap_file();
}

static void a_truncation_waits_for_what_is_on_its_way(void **state)
{
	map_file();
	assert_int_equal(touch(0), 0);
	mock.hold_at = FUSE_WRITE;
	assert_true(fake_driver_notify_inode(MOCK_FILE, 0) > 0); /* sends it, waits not */
	fake_driver_serve();
	assert_int_equal(mock.nasked[FUSE_WRITE], 1);
	fake_pending = THREAD_KILLED;
	assert_int_equal(object_truncate(object, 0), -EINTR);
	fake_pending = 0;
	assert_int_equal(mock.nasked[FUSE_SETATTR], 0);
	fake_driver_answer_late();
	assert_int_equal(object_truncate(object, 0), 0);
	unmap_file();
}

static void what_was_lost_is_told_once(void **state)
{
	map_file();
	assert_int_equal(touch(0), 0);
	mock.stale_at = FUSE_WRITE;
	mock.nstale = 1;
	assert_int_equal(object_sync(object), -ESTALE);
	assert_int_equal(object_sync(object), 0);
	assert_int_equal(touch(0), 0);
	mock.lie = LIE_COUNT;
	mock.lie_opcode = FUSE_WRITE;
	assert_int_equal(object->ops->closed(object, 1), -EIO);
	assert_int_equal(object->ops->closed(object, 1), 0);
	unmap_file();
}

static void a_dead_driver_keeps_nobody(void **state)
{
	map_file();
	assert_int_equal(touch(0), 0);
	mock.die_at = FUSE_WRITE;
	assert_int_equal(object_sync(object), -ECONNABORTED);
	assert_int_equal(touch(0), 0);
	unmap_file();
	mock.nremembered = mock.nopen = 0;
}

static void running_out_of_memory_loses_nothing(void **state)
{
	map_file();
	assert_int_equal(touch(0), 0);
	for (unsigned left = 0; left < 12; left++) {
		err_t err;

		assert_int_equal(touch(0), 0);
		fake_fail_allocation_after = left;
		err = object_sync(object);
		fake_fail_allocation_after = UINT64_MAX;
		assert_true(err == 0 || err == -ENOMEM || err == -EIO);
	}
	unmap_file();
}

/* ---- marks ---- */

static void marks_are_found_and_go_with_their_pages(void **state)
{
	static const uint64_t places[] = {0, 31, 32, 1000, 1031};
	struct pageset set;
	uint64_t at = 0;

	pageset_init(&set);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		assert_int_equal(pageset_add(&set, places[i], frame_alloc(0, 0)), 0);
		assert_int_equal(pageset_add(&set, places[i] + 5, frame_alloc(0, 0)), 0);
		assert_true(pageset_mark(&set, places[i]));
		assert_false(pageset_mark(&set, places[i]));
	}
	assert_int_equal(set.nmarked, ARRAY_SIZE(places));
	for (size_t i = 0; i < ARRAY_SIZE(places); i++, at++) {
		assert_non_null(pageset_next_marked(&set, &at));
		assert_int_equal(at, places[i]);
	}
	assert_null(pageset_next_marked(&set, &at));
	pageset_cut_unmarked(&set, 0, UINT64_MAX);
	assert_int_equal(set.npages, ARRAY_SIZE(places));
	assert_int_equal(pageset_drop_unused(&set), 0);
	assert_true(pageset_unmark(&set, 31));
	assert_false(pageset_unmark(&set, 31));
	assert_int_equal(pageset_drop_unused(&set), 1);
	pageset_cut(&set, 0, 1001);
	assert_int_equal(set.nmarked, 1);
	pageset_cut(&set, 0, UINT64_MAX);
	assert_int_equal(set.nmarked, 0);
	assert_int_equal(set.npages, 0);
}

int main(void)
{
#define MOUNTED(test) cmocka_unit_test_setup_teardown(test, mounted, gone)
	const struct CMUnitTest tests[] = {
		MOUNTED(what_is_changed_reaches_the_driver),
		MOUNTED(neighbours_go_together),
		MOUNTED(the_last_mapping_s_end_sends_it),
		MOUNTED(who_is_killed_sends_without_waiting),
		MOUNTED(what_was_changed_is_not_reclaimed),
		MOUNTED(what_is_on_its_way_is_not_read_before_it_is_there),
		MOUNTED(truncation_cuts_it),
		MOUNTED(a_truncation_waits_for_what_is_on_its_way),
		MOUNTED(what_was_lost_is_told_once),
		MOUNTED(a_dead_driver_keeps_nobody),
		MOUNTED(running_out_of_memory_loses_nothing),
		cmocka_unit_test(marks_are_found_and_go_with_their_pages),
	};

	return cmocka_run_group_tests(tests, mounted_begin, NULL);
}
