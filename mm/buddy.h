/*
 * The buddy allocator as pure logic: it knows records of frames and their numbers, not memory. One
 * struct buddy for each zone; the caller serialises.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include <lib/list.h>
#include <lib/types.h>
#include <mm/frame.h>

struct buddy {
	struct frame *table;                   /* the record of frame number 0 */
	struct list free[FRAME_ORDER_MAX + 1]; /* blocks, by frame->link of their first frame */
	uint64_t blocks[FRAME_ORDER_MAX + 1];  /* how many */
	uint64_t nfree;                        /* frames in all of them */
	uint32_t orders;                       /* bit n: free[n] is not empty */
};

void buddy_init(struct buddy *buddy, struct frame *table);

/* The first frame of a block of 1 << order; its state is the caller's to set. NULL: none so large.
 */
struct frame *buddy_alloc(struct buddy *buddy, unsigned order);

/* Takes a block, joins it with its free neighbours. The records of its whole surroundings, up to
 * the block of FRAME_ORDER_MAX that it lies in, must exist. */
void buddy_free(struct buddy *buddy, struct frame *frame, unsigned order);

/* Takes [first, end), frame numbers of fresh memory, in the largest blocks that fit. */
void buddy_add(struct buddy *buddy, uint64_t first, uint64_t end);

#endif
