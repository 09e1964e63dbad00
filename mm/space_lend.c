/*
 * Whole pages that change hands instead of being copied: a server's frames become a program's, a
 * program's are used by who serves it. Only pages that are there, small and counted take part; the
 * first other one ends it, and the rest is copied. To get frames a place may be empty. Under
 * space->lock; frames that were given up are
 * released when no CPU can reach them any more.
 */
#include <mm/lend.h>

#include "space_priv.h"

#define BATCH_PAGES 64u

/* Memory of the space alone, whose pages nobody else's operations bring or miss. */
static bool is_own_memory(const struct region *region)
{
	return region && !region->object && !(region->flags & SPACE_SHARED);
}

/* The entries of the pages from `address` on, as far as one table has them: how many of `npages`.
 * 0: there is no such table. */
static uint32_t entries_of_table(struct space *space, vaddr_t address, uint32_t npages,
				 pte_t **entries) REQUIRES(space->lock);
static uint32_t entries_of_table(struct space *space, vaddr_t address, uint32_t npages,
				 pte_t **entries)
{
	vaddr_t end = address + npages * PAGE_SIZE;

	*entries = pagetable_find(&space->pagetable, address);
	return *entries ? (uint32_t)((space_table_end(address, end) - address) >> PAGE_SHIFT) : 0;
}

/* How many of `npages` pages from `address` on one region of its own memory has; 0: none. */
static uint32_t pages_of_region(struct space *space, vaddr_t address, uint32_t npages,
				struct region **region) REQUIRES(space->lock);
static uint32_t pages_of_region(struct space *space, vaddr_t address, uint32_t npages,
				struct region **region)
{
	*region = space_region_locked(space, address);
	if (!is_own_memory(*region) || !(*region)->prot)
		return 0;
	return (uint32_t)MIN((uint64_t)npages, ((*region)->end - address) >> PAGE_SHIFT);
}

/* The same for a place that no page may have had yet: the table is made. */
static uint32_t entries_of_place(struct space *space, vaddr_t address, uint32_t npages,
				 pte_t **entries) REQUIRES(space->lock);
static uint32_t entries_of_place(struct space *space, vaddr_t address, uint32_t npages,
				 pte_t **entries)
{
	uint32_t count = entries_of_table(space, address, npages, entries);

	if (likely(count))
		return count;
	return space_walk_alloc(space, address) ? entries_of_table(space, address, npages, entries)
						: 0;
}

/* ---- a program gets frames ---- */

static uint32_t give_batch_locked(struct space *space, vaddr_t address, struct frame *const *frames,
				  uint32_t npages, pte_t entry) REQUIRES(space->lock);
static uint32_t give_batch_locked(struct space *space, vaddr_t address, struct frame *const *frames,
				  uint32_t npages, pte_t entry)
{
	struct frame *old[BATCH_PAGES];
	uint32_t nold = 0, done;
	pte_t *entries;

	npages = entries_of_place(space, address, npages, &entries);
	for (done = 0; done < npages; done++) {
		pte_t value = pte_read(&entries[done]);

		if (!value) { /* no CPU has anything to forget */
			frame_get(frames[done]);
			pte_exchange(&entries[done], pte_of_frame(entry, frame_phys(frames[done])));
			space->resident_pages++;
			continue;
		}
		if (!pte_counted(value))
			break;
		if (pte_frame(value) == frame_phys(frames[done]) && pte_copied_first(value))
			continue; /* nobody could have written to it since */
		frame_get(frames[done]);
		pte_exchange(&entries[done], pte_of_frame(entry, frame_phys(frames[done])));
		old[nold++] = frame_from_phys(pte_frame(value));
	}
	if (nold)
		tlb_flush_range(&space->pagetable, address, done);
	for (uint32_t i = 0; i < nold; i++)
		frame_put(old[i]);
	return done;
}

uint32_t space_give_frames(struct space *space, vaddr_t address, struct frame *const *frames,
			   uint32_t npages, bool shared)
{
	struct region *region;
	uint32_t done = 0;
	unsigned flags;
	pte_t entry;

	mutex_lock(&space->lock);
	npages = pages_of_region(space, address, npages, &region);
	if (npages && region->prot & SPACE_WRITE) {
		flags = region_page_flags(region);
		if (shared)
			flags = (flags & ~(unsigned)PAGE_WRITE) | PAGE_SOFT_COW;
		entry = region_entry(region, 0, flags);
		for (uint32_t given = 1; given && done < npages; done += given)
			given = give_batch_locked(space, address + done * PAGE_SIZE, frames + done,
						  MIN(npages - done, BATCH_PAGES), entry);
	}
	mutex_unlock(&space->lock);
	return done;
}

bool space_is_elsewhere(const struct space *space)
{
	return read_once(&space->pagetable.cpus) & ~cpuset_of(cpu_id());
}

void space_drop_frames(struct space *space, vaddr_t address, uint32_t npages)
{
	struct region *region;

	mutex_lock(&space->lock);
	npages = pages_of_region(space, address, npages, &region);
	if (npages)
		space_clear_pages_locked(space, address, address + npages * PAGE_SIZE, 0);
	mutex_unlock(&space->lock);
}

/* ---- a program's frames are used ---- */

/* Of one table: how many. `freeze`: *lost says whether rights went that CPUs may still know. */
static ALWAYS_INLINE uint32_t take_batch_locked(struct space *space, vaddr_t address,
						struct frame **frames, uint32_t npages, bool freeze,
						bool *lost) REQUIRES(space->lock)
{
	pte_t *entries;
	uint32_t done;

	npages = entries_of_table(space, address, npages, &entries);
	for (done = 0; done < npages; done++) {
		pte_t value = pte_read(&entries[done]);

		if (!pte_counted(value))
			break;
		frames[done] = frame_from_phys(pte_frame(value));
		frame_get(frames[done]);
		if (!freeze || pte_copied_first(value))
			continue;
		*lost = true;
		pte_exchange(&entries[done], pte_to_copy_first(value));
	}
	return done;
}

static ALWAYS_INLINE uint32_t take_frames(struct space *space, vaddr_t address,
					  struct frame **frames, uint32_t npages, bool freeze)
{
	struct region *region;
	uint32_t done = 0;
	bool lost = false;

	mutex_lock(&space->lock);
	npages = pages_of_region(space, address, npages, &region);
	for (uint32_t got = 1; got && done < npages; done += got)
		got = take_batch_locked(space, address + done * PAGE_SIZE, frames + done,
					npages - done, freeze, &lost);
	if (lost) /* before anybody relies on what is in them */
		tlb_flush_range(&space->pagetable, address, done);
	mutex_unlock(&space->lock);
	return done;
}

uint32_t space_lend_frames(struct space *space, vaddr_t address, struct frame **frames,
			   uint32_t npages)
{
	return take_frames(space, address, frames, npages, true);
}

uint32_t space_hold_frames(struct space *space, vaddr_t address, struct frame **frames,
			   uint32_t npages)
{
	return take_frames(space, address, frames, npages, false);
}
