/*
 * Physical memory in frames of 4 KiB, and the record of each (struct frame).
 *
 * Records lie in one table at FRAME_TABLE_BASE, so that record, frame number and address follow
 * from each other by arithmetic. The table is populated by sections of 4 MiB when memory is first
 * needed, so a frame whose section has never been used has no record: only frames that came from
 * frame_alloc() have one for sure. The ramdisk's have none.
 *
 * None of this sleeps. None of it may be called by an interrupt handler.
 */
#ifndef MM_FRAME_H
#define MM_FRAME_H

#include <arch/paging.h>
#include <lib/atomic.h>
#include <lib/list.h>
#include <lib/types.h>

#define FRAME_ORDER_MAX 10 /* blocks of 4 KiB << 0 .. 10 */

enum frame_state {
	FRAME_RESERVED, /* not ours to give: firmware, image, records, hole */
	FRAME_FREE,     /* first frame of a block on a free list; `order` tells its size */
	FRAME_TAIL,     /* inside a free block */
	FRAME_CACHED,   /* in a CPU's stock */
	FRAME_USED,     /* handed out */
	FRAME_SLAB,     /* handed out to a slab cache */
	FRAME_KVA,      /* the first one of an area of mm/kva.h; `owner` is the area */
};

/*
 * No lock of its own: while free it is the buddy allocator's (LOCK_FRAME), in stock the CPU's,
 * handed out its owner's. `refs` is atomic, for those who share a frame.
 */
struct frame {
	struct list link; /* the owner's, for whatever list it likes */
	void *owner;      /* the owner's; set to NULL by nobody else */
	union {
		int32_t refs; /* atomic: 1 when it comes from frame_alloc() */
		struct {
			uint16_t slab_free; /* slab: first free block, and how many are in use */
			uint16_t slab_used;
		};
	};
	uint8_t state; /* enum frame_state */
	uint8_t order; /* of the block that it is the first one of */
	uint16_t spare;
};
_Static_assert(sizeof(struct frame) == 32, "the frame table must stay small");

enum frame_flags {
	FRAME_ZERO = 1 << 0,  /* filled with zeros */
	FRAME_DMA32 = 1 << 1, /* below 4 GiB */
	/* For a program's memory: NULL when it is short (mm/pressure.h), though the kernel would
	 * still get some. */
	FRAME_PROGRAM = 1 << 2,
};

#define FRAME_TABLE ((struct frame *)FRAME_TABLE_BASE)

static inline paddr_t frame_phys(const struct frame *frame)
{
	return (paddr_t)(frame - FRAME_TABLE) << PAGE_SHIFT;
}

static inline void *frame_virt(const struct frame *frame)
{
	return phys_to_virt(frame_phys(frame));
}

/* Only of memory that came from frame_alloc(). */
static inline struct frame *frame_from_phys(paddr_t address)
{
	return FRAME_TABLE + (address >> PAGE_SHIFT);
}

/* A block of 1 << order frames, aligned to its size; the caller owns it, refs is 1. NULL: no
 * memory. */
struct frame *frame_alloc(unsigned order, unsigned flags);
/* What frame_alloc() gave becomes single frames with one reference each. */
void frame_split(struct frame *frame, unsigned order);
/* Takes back what frame_alloc() gave, whole, from the one who owns it alone. */
void frame_free(struct frame *frame, unsigned order);

/* For single frames that are shared: one more owner; one less, the last one frees it. */
static inline void frame_get(struct frame *frame)
{
	__atomic_fetch_add(&frame->refs, 1, __ATOMIC_RELAXED);
}

/* Acquire: pairs with the release in frame_put(): what others did to it has happened. */
static inline bool frame_is_shared(const struct frame *frame)
{
	return load_acquire(&frame->refs) != 1;
}

void frame_put(struct frame *frame);

struct frame_stats {
	uint64_t total;     /* frames that were usable at boot */
	uint64_t free;      /* of them: that frame_alloc() could still give */
	uint64_t untouched; /* of the free ones: in sections that have no records yet */
	uint64_t cached;    /* of the free ones: in the stock of CPUs */
	uint64_t records;   /* taken by the frame table */
	uint64_t sections;  /* that have records */
	uint64_t blocks[FRAME_ORDER_MAX + 1]; /* free blocks of each order */
	uint64_t allocs;   /* trips to the buddy allocator, not single allocations */
	uint64_t failures; /* times that there was no memory */
};

/* Exact while nobody else allocates. */
void frame_stats(struct frame_stats *out);
uint64_t frames_free(void);
uint64_t frames_total(void);

/* For the idle loop: puts one zeroed frame into this CPU's stock. False: the stock is full, there
 * is nothing to do. */
bool frame_stock_zeroed(void);

#endif
