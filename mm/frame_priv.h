/*
 * What the files behind mm/frame.h share: the pool of all memory.
 */
#ifndef MM_FRAME_PRIV_H
#define MM_FRAME_PRIV_H

#include "boot_ranges.h"
#include "buddy.h"

#include <arch/spin.h>

#define SECTION_FRAMES UINT64_C(1024) /* 4 MiB: what one step of the frame table covers */

/* A part of physical memory that some devices can reach and others can not. */
struct zone {
	const char *name;
	struct buddy buddy;
	uint64_t first_section; /* constant */
	uint64_t end_section;   /* constant */
	uint64_t next_section;  /* sections from here on have no records yet */
	uint64_t untouched;     /* usable frames in those */
};

enum { ZONE_DMA32, ZONE_NORMAL, ZONES };

/*
 * Everything under `lock` (LOCK_FRAME), but for what is constant after frame_pool_init().
 */
struct frame_pool {
	struct spinlock lock;
	struct zone zones[ZONES];
	struct boot_ranges ranges; /* constant */
	uint64_t total;            /* usable frames, less those of sections not worth a record */
	uint64_t records;          /* frames that hold records, and the page tables that map them */
	uint64_t sections;
	uint64_t allocs;
	uint64_t failures;
	uint64_t min, low, high;   /* constant after pressure_init(): see mm/pressure.h */
	uint32_t populating_cpu;   /* number + 1 of the CPU that populates a section; 0: none. Read
				      without the lock by that CPU itself */
	struct section_fill *fill; /* by that CPU: where its page tables' frames come from */
};

extern struct frame_pool frame_pool;

/* Takes what is usable, and makes the first section ready. */
void frame_pool_init(const struct boot_ranges *ranges);

/* An empty stock for the calling CPU. */
void frame_init_cpu(void);
/* What it has in stock goes back to the pool. */
void frame_drain_cpu(void);

/* ---- pressure.c ---- */

/* The pool's marks. */
void pressure_init(void);
/* There is less than `low`: from anywhere, under any lock. */
void pressure_note(void);

/* Gives records to the zone's next section that has memory, and its frames to the zone's buddy.
 * False: there is none left. */
bool zone_populate_locked(struct zone *zone) REQUIRES(frame_pool.lock);

/* A frame of the section that is being populated, if this CPU does that. */
bool section_fill_frame(paddr_t *out);

#endif
