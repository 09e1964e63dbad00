/*
 * The frame table, populated by sections of 4 MiB. Owns which memory has records. Invariant: the
 * records of a section exist before any of its frames is in a buddy list, and for good.
 *
 * The records take the first frames of their own section, so that memory which nobody uses costs
 * nothing. The page tables that map them come from there, too: populating must not allocate, since
 * it happens inside of allocations. Nobody else maps anything in the table's part of the address
 * space, so the pool's lock alone serialises it.
 */
#include "frame_priv.h"

#include <arch/cpu.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/frame.h>

#define RECORD_FRAMES (SECTION_FRAMES * sizeof(struct frame) / PAGE_SIZE)
/* Tables of three levels at most; a section with less is not worth its records. */
#define SECTION_MIN_FRAMES (RECORD_FRAMES + 3 + 1)

/* The section that is being populated: a cursor over its usable frames. */
struct section_fill {
	uint64_t next; /* frame number */
	uint64_t end;  /* of the section */
};

struct frame_pool frame_pool = {
	.lock = SPINLOCK_INIT(LOCK_FRAME),
	.zones =
		{
			[ZONE_DMA32] = {.name = "dma32", .first_section = 0, .end_section = 1024},
			[ZONE_NORMAL] = {.name = "normal",
					 .first_section = 1024,
					 .end_section = UINT64_MAX},
		},
};

/* The part of the next usable range that lies in the section. */
static bool fill_piece(const struct section_fill *fill, struct frame_range *piece)
{
	if (!boot_ranges_next(&frame_pool.ranges, fill->next, piece) || piece->first >= fill->end)
		return false;
	piece->end = MIN(piece->end, fill->end);
	return true;
}

static uint64_t fill_take(struct section_fill *fill)
{
	struct frame_range piece;

	if (!fill_piece(fill, &piece))
		panic("frame table: a section has fewer frames than were counted");
	fill->next = piece.first + 1;
	frame_pool.records++;
	memset(phys_to_virt(piece.first << PAGE_SHIFT), 0, PAGE_SIZE);
	return piece.first;
}

bool section_fill_frame(paddr_t *out)
{
	bool mine;

	preempt_disable(); /* the number must still be ours when it is compared */
	mine = read_once(&frame_pool.populating_cpu) == cpu_id() + 1;
	preempt_enable();
	if (mine)
		*out = fill_take(frame_pool.fill) << PAGE_SHIFT;
	return mine;
}

static void map_records(struct section_fill *fill, uint64_t section)
{
	vaddr_t start = (vaddr_t)(FRAME_TABLE + section * SECTION_FRAMES);

	frame_pool.fill = fill;
	write_once(&frame_pool.populating_cpu, cpu_id() + 1);
	for (unsigned i = 0; i < RECORD_FRAMES; i++) {
		pte_t *entry = pagetable_walk_alloc(pagetable_kernel(), start + i * PAGE_SIZE, 0);

		assert(entry && !pte_present(pte_read(entry)));
		pte_exchange(entry,
			     pte_make(fill_take(fill) << PAGE_SHIFT, PAGE_WRITE | PAGE_GLOBAL, 0));
	}
	write_once(&frame_pool.populating_cpu, 0);
	frame_pool.fill = NULL;
}

static uint64_t section_usable(uint64_t section)
{
	struct section_fill fill = {.next = section * SECTION_FRAMES,
				    .end = (section + 1) * SECTION_FRAMES};
	struct frame_range piece;
	uint64_t usable = 0;

	for (; fill_piece(&fill, &piece); fill.next = piece.end)
		usable += piece.end - piece.first;
	return usable;
}

bool zone_populate_locked(struct zone *zone)
{
	struct frame_range range;
	struct section_fill fill;
	uint64_t section;
	uint64_t usable;

	do {
		if (!boot_ranges_next(&frame_pool.ranges, zone->next_section * SECTION_FRAMES,
				      &range))
			return false;
		section = range.first / SECTION_FRAMES;
		if (section >= zone->end_section)
			return false;
		zone->next_section = section + 1;
		usable = section_usable(section);
		zone->untouched -= usable;
		if (usable < SECTION_MIN_FRAMES)
			frame_pool.total -= usable;
	} while (usable < SECTION_MIN_FRAMES);

	fill = (struct section_fill){.next = section * SECTION_FRAMES,
				     .end = (section + 1) * SECTION_FRAMES};
	map_records(&fill, section);
	for (; fill_piece(&fill, &range); fill.next = range.end)
		buddy_add(&zone->buddy, range.first, range.end);
	frame_pool.sections++;
	return true;
}

/* Usable frames in [first, end). */
static uint64_t frames_between(const struct boot_ranges *ranges, uint64_t first, uint64_t end)
{
	struct frame_range range;
	uint64_t frames = 0;

	for (; boot_ranges_next(ranges, first, &range) && range.first < end; first = range.end)
		frames += MIN(range.end, end) - range.first;
	return frames;
}

void frame_pool_init(const struct boot_ranges *ranges)
{
	frame_pool.ranges = *ranges;
	frame_pool.total = boot_ranges_frames(ranges);
	for (unsigned i = 0; i < ZONES; i++) {
		struct zone *zone = &frame_pool.zones[i];
		uint64_t end = zone->end_section == UINT64_MAX ? UINT64_MAX
							       : zone->end_section * SECTION_FRAMES;

		buddy_init(&zone->buddy, FRAME_TABLE);
		zone->next_section = zone->first_section;
		zone->untouched = frames_between(ranges, zone->first_section * SECTION_FRAMES, end);
	}
}
