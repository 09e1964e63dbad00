/*
 * Pages of 2 MiB for large anonymous memory. Such a page has one owner, the space that it is mapped
 * in: what must be shared (fork), or is wanted in parts, is split into small ones first. Whoever
 * forks mostly executes another program, and copying 2 MiB for the first byte that is written costs
 * more than the larger page ever gave; so there is nothing to count and nothing to copy.
 *
 * Invariant: the block of frames of a page is one of HUGE_ORDER, and `owner` of its first record is
 * the frame for the table that it becomes when it is split, so that splitting never lacks memory.
 * That table is counted as one of the space's from the beginning. An entry of 2 MiB is never hidden
 * and has none of the marks of fault.c. All under space->lock.
 */
#include "huge.h"

#include "space_priv.h"

#include <arch/boot.h>
#include <lib/atomic.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/pressure.h>

static enum space_huge mode = SPACE_HUGE_ALWAYS; /* atomic */
static uint64_t nhuge;                           /* atomic: of all spaces */

void space_set_huge_mode(enum space_huge new_mode)
{
	write_once(&mode, new_mode);
}

enum space_huge space_huge_mode(void)
{
	return read_once(&mode);
}

uint64_t space_huge_pages(void)
{
	return read_once(&nhuge);
}

static bool is_wanted(const struct space *space, const struct region *region)
{
	const unsigned never = SPACE_SHARED | SPACE_STACK | SPACE_NO_HUGE;

	if (region->object || region->flags & never || !region->prot || space->no_huge)
		return false;
	switch (read_once(&mode)) {
	case SPACE_HUGE_ALWAYS:
		return true;
	case SPACE_HUGE_ADVISED:
		return region->flags & SPACE_HUGE;
	default:
		return false;
	}
}

bool huge_is_eligible(const struct space *space, const struct region *region)
{
	return ALIGN_UP(region->start, HUGE_BYTES) + HUGE_BYTES <= region->end &&
	       is_wanted(space, region);
}

/* Small pages shall not be missing because of large ones. */
static bool is_plenty(void)
{
	struct memory_marks marks;

	memory_marks(&marks);
	return frames_free() > 4 * marks.high + 2 * HUGE_PAGES;
}

static struct frame *alloc_with_table(struct space *space, vaddr_t address)
{
	struct frame *block = frame_alloc(HUGE_ORDER, FRAME_ZERO | FRAME_PROGRAM);
	paddr_t table;

	if (!block)
		return NULL;
	table = pagetable_frame_alloc(address);
	if (!table) {
		frame_free(block, HUGE_ORDER);
		return NULL;
	}
	block->owner = frame_from_phys(table);
	write_once(&space->pagetable.ntables, space->pagetable.ntables + 1);
	return block;
}

bool huge_install_locked(struct space *space, const struct region *region, vaddr_t address)
{
	vaddr_t start = ALIGN_DOWN(address, HUGE_BYTES);
	struct frame *block;
	pte_t *entry;

	if (start < region->start || start + HUGE_BYTES > region->end ||
	    !is_wanted(space, region) || !is_plenty())
		return false;
	entry = pagetable_walk_alloc(&space->pagetable, start, 1);
	if (!entry)
		return false;
	debug_assert(!pte_read(entry)); /* the caller has found no table */
	block = alloc_with_table(space, start);
	if (!block)
		return false;
	pte_exchange(entry, pte_make(frame_phys(block), region_page_flags(region), 1));
	space->resident_pages += HUGE_PAGES;
	(void)atomic_fetch_add_full(&nhuge, 1);
	return true;
}

void huge_split_locked(struct space *space, vaddr_t address)
{
	unsigned level;
	pte_t *entry = pagetable_walk(&space->pagetable, address, &level);
	struct frame *block = frame_from_phys(pte_frame(pte_read(entry)));
	struct frame *table = block->owner;

	debug_assert(level == 1);
	block->owner = NULL;
	frame_split(block, HUGE_ORDER);
	pagetable_split(&space->pagetable, ALIGN_DOWN(address, HUGE_BYTES), frame_phys(table));
	(void)atomic_fetch_sub_full(&nhuge, 1);
}

void huge_protect_locked(const struct region *region, pte_t *entry)
{
	pte_exchange(entry, pte_make(pte_frame(pte_read(entry)), region_page_flags(region), 1));
}

void huge_take_out_locked(struct space *space, pte_t *entry, struct list *taken)
{
	struct frame *block = frame_from_phys(pte_frame(pte_exchange(entry, 0)));

	list_add_tail(taken, &block->link);
	space->resident_pages -= HUGE_PAGES;
	write_once(&space->pagetable.ntables, space->pagetable.ntables - 1);
	(void)atomic_fetch_sub_full(&nhuge, 1);
}

void huge_free(struct list *taken)
{
	while (!list_empty(taken)) {
		struct frame *block = list_first_entry(taken, struct frame, link);
		struct frame *table = block->owner;

		list_del(&block->link);
		block->owner = NULL;
		pagetable_frame_free(frame_phys(table));
		frame_free(block, HUGE_ORDER);
	}
}
