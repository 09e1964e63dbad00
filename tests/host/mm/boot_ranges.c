/* sources: mm/boot_ranges.c */
/*
 * Usable memory as ranges, against one flag a frame.
 */
#include "boot_ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FRAMES 400

static bool model[FRAMES];

static void compare(const struct boot_ranges *ranges)
{
	uint64_t count = 0;

	for (uint64_t frame = 0; frame < FRAMES; frame++) {
		struct frame_range range;
		uint64_t next = frame;
		uint64_t end;

		count += model[frame];
		while (next < FRAMES && !model[next])
			next++;
		for (end = next; end < FRAMES && model[end];)
			end++;
		if (next == FRAMES) {
			assert_false(boot_ranges_next(ranges, frame, &range));
			continue;
		}
		assert_true(boot_ranges_next(ranges, frame, &range));
		assert_int_equal(range.first, next);
		assert_int_equal(range.end, end);
	}
	assert_int_equal(boot_ranges_frames(ranges), count);
}

static void agrees_with_a_flag_for_each_frame(void **state)
{
	(void)state;
	srand(5);
	for (unsigned round = 0; round < 200; round++) {
		struct boot_ranges ranges = {0};

		memset(model, 0, sizeof(model));
		for (unsigned step = 0; step < 60; step++) {
			uint64_t start = (uint64_t)rand() % (FRAMES * PAGE_SIZE);
			uint64_t end = start + (uint64_t)rand() % (FRAMES * PAGE_SIZE - start + 1);
			bool add = rand() % 2;

			if (rand() % 2)
				end = MIN(end, start + 9 * PAGE_SIZE);
			(add ? boot_ranges_add : boot_ranges_remove)(&ranges, start, end);
			for (uint64_t frame = 0; frame < FRAMES; frame++) {
				uint64_t frame_start = frame * PAGE_SIZE;
				uint64_t frame_end = frame_start + PAGE_SIZE;

				if (add && frame_start >= start && frame_end <= end)
					model[frame] = true;
				if (!add && start < end && frame_start < end && frame_end > start)
					model[frame] = false;
			}
			compare(&ranges);
		}
		assert_int_equal(ranges.dropped, 0);
	}
}

static void a_full_list_loses_the_smallest_and_nothing_twice(void **state)
{
	struct boot_ranges ranges = {0};

	(void)state;
	for (uint64_t i = 0; i < BOOT_USABLE_MAX; i++)
		boot_ranges_add(&ranges, i * 16 * PAGE_SIZE,
				(i * 16 + (i == 7 ? 1 : 8)) * PAGE_SIZE);
	assert_int_equal(ranges.count, BOOT_USABLE_MAX);
	boot_ranges_remove(&ranges, 4 * PAGE_SIZE, 5 * PAGE_SIZE); /* cuts one in two */
	assert_int_equal(ranges.count, BOOT_USABLE_MAX);
	assert_int_equal(ranges.dropped, 1);
	assert_int_equal(boot_ranges_frames(&ranges), (BOOT_USABLE_MAX - 1) * 8 - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_flag_for_each_frame),
		cmocka_unit_test(a_full_list_loses_the_smallest_and_nothing_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
