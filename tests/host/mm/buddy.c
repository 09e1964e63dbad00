/* sources: mm/buddy.c */
/*
 * The buddy allocator against a map of who owns which frame.
 */
#include "buddy.h"

#include <lib/panic.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define FRAMES (4 * 1024)
#define BLOCKS 600

static struct frame table[FRAMES];
static int owner[FRAMES]; /* 0: free or not ours, else the number of the block + 1 */

static struct block {
	struct frame *frame;
	unsigned order;
} blocks[BLOCKS];

void panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	abort();
}

static void own(struct frame *frame, unsigned order, int from, int to)
{
	size_t first = (size_t)(frame - table);

	assert_true(first + (1ul << order) <= FRAMES);
	assert_true(IS_ALIGNED(first, 1ul << order));
	for (size_t i = first; i < first + (1ul << order); i++) {
		assert_int_equal(owner[i], from);
		owner[i] = to;
	}
}

/* Free blocks: on the right list, aligned, nobody's, not joinable, and as many as were counted. */
static void check(struct buddy *buddy)
{
	uint64_t nfree = 0;

	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
		struct frame *frame;
		uint64_t count = 0;

		list_for_each (frame, &buddy->free[order], link) {
			size_t number = (size_t)(frame - table);
			const struct frame *other = &table[number ^ 1ul << order];

			assert_int_equal(frame->state, FRAME_FREE);
			assert_int_equal(frame->order, order);
			own(frame, order, 0, 0);
			assert_false(order < FRAME_ORDER_MAX && other->state == FRAME_FREE &&
				     other->order == order);
			nfree += 1ul << order;
			count++;
		}
		assert_int_equal(buddy->blocks[order], count);
		assert_int_equal(buddy->orders >> order & 1, count > 0);
	}
	assert_int_equal(buddy->nfree, nfree);
}

static void start(struct buddy *buddy)
{
	for (size_t i = 0; i < FRAMES; i++)
		table[i] = (struct frame){.state = FRAME_RESERVED};
	for (size_t i = 0; i < BLOCKS; i++)
		blocks[i].frame = NULL;
	buddy_init(buddy, table);
}

static void random_blocks_never_overlap_and_join_again(void **state)
{
	struct buddy buddy;
	uint64_t all;

	(void)state;
	srand(3);
	start(&buddy);
	/* With holes: a reserved frame in the middle, a piece missing at the end. */
	buddy_add(&buddy, 8, 1500);
	buddy_add(&buddy, 1501, 3 * 1024);
	buddy_add(&buddy, 3 * 1024, FRAMES - 7);
	all = buddy.nfree;
	assert_int_equal(all, FRAMES - 8 - 1 - 7);
	check(&buddy);
	for (unsigned step = 0; step < 40000; step++) {
		int i = rand() % BLOCKS;

		if (blocks[i].frame) {
			own(blocks[i].frame, blocks[i].order, i + 1, 0);
			buddy_free(&buddy, blocks[i].frame, blocks[i].order);
			blocks[i].frame = NULL;
		} else {
			blocks[i].order = rand() % 8 ? (unsigned)rand() % 3 : (unsigned)rand() % 11;
			blocks[i].frame = buddy_alloc(&buddy, blocks[i].order);
			if (blocks[i].frame) {
				own(blocks[i].frame, blocks[i].order, 0, i + 1);
				assert_int_equal(blocks[i].frame->order, blocks[i].order);
				blocks[i].frame->state = FRAME_USED;
			}
		}
		if (step % 101 == 0)
			check(&buddy);
	}
	for (int i = 0; i < BLOCKS; i++) {
		if (!blocks[i].frame)
			continue;
		own(blocks[i].frame, blocks[i].order, i + 1, 0);
		buddy_free(&buddy, blocks[i].frame, blocks[i].order);
	}
	check(&buddy);
	assert_int_equal(buddy.nfree, all);
	/* All joined: the one whole block of the largest order is there. */
	assert_int_equal(buddy.blocks[FRAME_ORDER_MAX], 1);
}

static void gives_every_frame_and_then_none(void **state)
{
	struct buddy buddy;
	unsigned given = 0;

	(void)state;
	start(&buddy);
	buddy_add(&buddy, 3, 1000);
	for (struct frame *frame; (frame = buddy_alloc(&buddy, 0)); given++)
		frame->state = FRAME_USED;
	assert_int_equal(given, 997);
	assert_int_equal(buddy.nfree, 0);
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
		assert_null(buddy_alloc(&buddy, order));
	for (unsigned i = 3; i < 1000; i++)
		buddy_free(&buddy, &table[i], 0);
	check(&buddy);
	assert_non_null(buddy_alloc(&buddy, 8)); /* 256..511, whole again */
}

static void blocks_of_the_largest_order_are_not_joined(void **state)
{
	struct buddy buddy;

	(void)state;
	start(&buddy);
	buddy_add(&buddy, 0, FRAMES);
	assert_int_equal(buddy.blocks[FRAME_ORDER_MAX], FRAMES >> FRAME_ORDER_MAX);
	check(&buddy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_blocks_never_overlap_and_join_again),
		cmocka_unit_test(gives_every_frame_and_then_none),
		cmocka_unit_test(blocks_of_the_largest_order_are_not_joined),
	};

	for (size_t i = 0; i < FRAMES; i++)
		owner[i] = 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
