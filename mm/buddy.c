/*
 * The buddy allocator. Invariant: a free block of order n starts at a multiple of 1 << n, its first
 * record says FRAME_FREE and n and is on free[n]; its other records never say FRAME_FREE; the two
 * halves of a larger block are never both free. Blocks of FRAME_ORDER_MAX are not joined, so no
 * record outside of such a block is ever read. Locks are the caller's.
 */
#include "buddy.h"

#include <lib/panic.h>

void buddy_init(struct buddy *buddy, struct frame *table)
{
	*buddy = (struct buddy){.table = table};
	for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
		list_init(&buddy->free[order]);
}

static void push(struct buddy *buddy, struct frame *frame, unsigned order)
{
	frame->state = FRAME_FREE;
	frame->order = (uint8_t)order;
	list_add_head(&buddy->free[order], &frame->link);
	buddy->blocks[order]++;
	buddy->orders |= 1u << order;
}

static void take(struct buddy *buddy, struct frame *frame, unsigned order)
{
	list_del(&frame->link);
	frame->state = FRAME_TAIL;
	if (--buddy->blocks[order] == 0)
		buddy->orders &= ~(1u << order);
}

struct frame *buddy_alloc(struct buddy *buddy, unsigned order)
{
	uint32_t enough = buddy->orders & ~((1u << order) - 1);
	struct frame *frame;
	unsigned have;

	if (!enough)
		return NULL;
	have = (unsigned)__builtin_ctz(enough);
	frame = list_first_entry(&buddy->free[have], struct frame, link);
	take(buddy, frame, have);
	while (have > order) {
		have--;
		push(buddy, frame + (1u << have), have);
	}
	frame->order = (uint8_t)order;
	buddy->nfree -= UINT64_C(1) << order;
	return frame;
}

void buddy_free(struct buddy *buddy, struct frame *frame, unsigned order)
{
	uint64_t number = (uint64_t)(frame - buddy->table);

	assert(order <= FRAME_ORDER_MAX && IS_ALIGNED(number, UINT64_C(1) << order));
	buddy->nfree += UINT64_C(1) << order;
	for (; order < FRAME_ORDER_MAX; order++) {
		struct frame *other = &buddy->table[number ^ UINT64_C(1) << order];

		if (other->state != FRAME_FREE || other->order != order)
			break;
		take(buddy, other, order);
		buddy->table[number].state = FRAME_TAIL;
		number &= ~(UINT64_C(1) << order);
	}
	push(buddy, &buddy->table[number], order);
}

void buddy_add(struct buddy *buddy, uint64_t first, uint64_t end)
{
	while (first < end) {
		unsigned order = FRAME_ORDER_MAX;

		while (!IS_ALIGNED(first, UINT64_C(1) << order) ||
		       first + (UINT64_C(1) << order) > end)
			order--;
		buddy_free(buddy, &buddy->table[first], order);
		first += UINT64_C(1) << order;
	}
}
