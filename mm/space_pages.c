/*
 * The pages of a space: putting entries in, taking them out, changing their rights. Invariant: each
 * present or hidden entry without PAGE_SOFT_KEEP owns one reference to its frame; a reference is
 * dropped only after every CPU has forgotten the entry. All under space->lock, which also
 * serialises the page tables.
 */
#include "space_priv.h"

#include "huge.h"
#include "table_frames.h"

#include <lib/panic.h>
#include <mm/frame.h>

/* Frames whose entries are gone, but which a CPU may still reach. */
struct release_batch {
	struct space *space;
	vaddr_t start; /* of what must be flushed; start == end: nothing */
	vaddr_t end;
	bool no_flush;
	struct list huge; /* of frames: blocks of 2 MiB */
	unsigned count;
	struct frame *frames[128];
};

vaddr_t space_table_end(vaddr_t address, vaddr_t end)
{
	return MIN(end, ALIGN_DOWN(address, level_bytes(1)) + level_bytes(1));
}

/* An entry of 2 MiB. True: it is the caller's as a whole. */
static bool whole_or_split(struct space *space, vaddr_t address, vaddr_t end, bool *huge)
	REQUIRES(space->lock)
{
	if (huge && IS_ALIGNED(address, HUGE_BYTES) && end - address >= HUGE_BYTES)
		return *huge = true;
	huge_split_locked(space, address);
	return false;
}

pte_t *space_next_table(struct space *space, vaddr_t *address, vaddr_t end, bool *huge)
{
	if (huge)
		*huge = false;
	while (*address < end) {
		unsigned level;
		pte_t *entry = space_walk(space, *address, &level);

		if (entry && (likely(level == 0) || whole_or_split(space, *address, end, huge)))
			return entry;
		if (!entry)
			*address = ALIGN_DOWN(*address, level_bytes(level)) + level_bytes(level);
	}
	return NULL;
}

unsigned region_page_flags(const struct region *region)
{
	unsigned flags = PAGE_USER;

	if (region->prot & SPACE_WRITE)
		flags |= PAGE_WRITE;
	if (region->prot & SPACE_EXEC)
		flags |= PAGE_EXEC;
	if (region->object)
		flags |= region->object->page_flags;
	return flags;
}

pte_t region_entry(const struct region *region, paddr_t phys, unsigned page_flags)
{
	pte_t entry = pte_make(phys, page_flags, 0);

	return region->prot ? entry : pte_hide(entry);
}

void space_install_locked(struct space *space, const struct region *region, pte_t *entry,
			  paddr_t phys, unsigned page_flags)
{
	debug_assert(!pte_read(entry));
	/* Nothing was there, so no CPU has anything to forget. */
	pte_exchange(entry, region_entry(region, phys, page_flags));
	if (page_flags & PAGE_SOFT_KEEP)
		space->in_place_pages++;
	else
		space->resident_pages++;
}

static void batch_release(struct release_batch *batch)
{
	if (batch->start < batch->end && !batch->no_flush)
		tlb_flush_range(&batch->space->pagetable, batch->start,
				(batch->end - batch->start) >> PAGE_SHIFT);
	for (unsigned i = 0; i < batch->count; i++)
		frame_put(batch->frames[i]);
	huge_free(&batch->huge);
	batch->count = 0;
	batch->start = batch->end;
}

static void batch_add(struct release_batch *batch, vaddr_t address, pte_t entry)
{
	if (batch->start == batch->end)
		batch->start = address;
	batch->end = address + PAGE_SIZE;
	/* One that is hidden may be counted, too. */
	if (unlikely(!pte_counted(entry)) && pte_flags(entry) & PAGE_SOFT_KEEP) {
		batch->space->in_place_pages--;
		return;
	}
	batch->space->resident_pages--;
	batch->frames[batch->count++] = frame_from_phys(pte_frame(entry));
	if (batch->count == ARRAY_SIZE(batch->frames))
		batch_release(batch);
}

static void batch_add_huge(struct space *space, struct release_batch *batch, vaddr_t address,
			   pte_t *entry) REQUIRES(space->lock)
{
	if (batch->start == batch->end)
		batch->start = address;
	batch->end = address + HUGE_BYTES;
	huge_take_out_locked(space, entry, &batch->huge);
}

/* Gives back the tables of [start, end) that are whole in it. Its pages are gone already. Smaller
 * pieces keep theirs: the next mapping there will want it. */
static void clear_tables(struct space *space, vaddr_t start, vaddr_t end) REQUIRES(space->lock)
{
	LIST_HEAD(limbo);
	vaddr_t first = ALIGN_UP(start, level_bytes(1));
	vaddr_t last = ALIGN_DOWN(end, level_bytes(1));

	parked_free_locked(space, first, last);
	for (vaddr_t at = first; at < last && space_next_table(space, &at, last, NULL);
	     at += level_bytes(1)) {
		table_limbo_begin(&limbo);
		pagetable_clear(&space->pagetable, at, at + level_bytes(1), NULL, NULL);
		table_limbo_end();
	}
	if (list_empty(&limbo))
		return;
	tlb_flush_all(&space->pagetable);
	table_limbo_free(&limbo);
}

void space_clear_pages_locked(struct space *space, vaddr_t start, vaddr_t end, unsigned clear_flags)
{
	unsigned spared = (clear_flags & CLEAR_COPIES_STAY ? PAGE_SOFT_COPY : 0u) |
			  (clear_flags & CLEAR_USED_STAY ? PAGE_ACCESSED : 0u);
	struct release_batch batch;
	vaddr_t address = start;
	pte_t *entry;
	bool huge;

	/* Not an initialiser: that would fill the whole array with zeros. */
	batch.space = space;
	batch.start = batch.end = start;
	batch.no_flush = clear_flags & CLEAR_NO_FLUSH;
	batch.count = 0;
	list_init(&batch.huge);
	space->peak_pages = MAX(space->peak_pages, space->resident_pages);
	while ((entry = space_next_table(space, &address, end, &huge))) {
		vaddr_t stop = space_table_end(address, end);

		if (unlikely(huge)) {
			batch_add_huge(space, &batch, address, entry);
			address = stop;
			continue;
		}
		for (; address < stop; address += PAGE_SIZE, entry++) {
			pte_t value = pte_read(entry);

			if (value && !(spared && pte_flags(value) & spared))
				batch_add(&batch, address, pte_exchange(entry, 0));
		}
	}
	batch_release(&batch);
	if (clear_flags & CLEAR_TABLES && end - start >= level_bytes(1))
		clear_tables(space, start, end);
}

void space_age_pages_locked(struct space *space, vaddr_t start, vaddr_t end)
{
	vaddr_t address = start;
	pte_t *entry;

	while ((entry = space_next_table(space, &address, end, NULL))) {
		vaddr_t stop = space_table_end(address, end);

		for (; address < stop; address += PAGE_SIZE, entry++)
			pte_age(entry);
	}
}

#define PAGE_SOFT_ALL ((unsigned)(PAGE_SOFT_COW | PAGE_SOFT_KEEP | PAGE_SOFT_COPY))

/* The entry that a page has under the region's rights as they are now. */
static pte_t entry_for(const struct region *region, pte_t before)
{
	unsigned had = pte_flags(before);
	unsigned flags = region_page_flags(region) | (had & PAGE_SOFT_ALL);

	/* A copy is still due, or the object must hear of the first write. */
	if (had & PAGE_SOFT_COW || (region->flags & SPACE_SHARED && !(had & PAGE_WRITE)))
		flags &= ~(unsigned)PAGE_WRITE;
	return region_entry(region, pte_frame(before), flags);
}

void space_protect_pages_locked(struct space *space, const struct region *region, vaddr_t start,
				vaddr_t end)
{
	vaddr_t address = start;
	vaddr_t changed_start = end;
	vaddr_t changed_end = start;
	pte_t *entry;
	bool huge;

	/* Where nobody may do anything, entries are hidden: small ones. */
	while ((entry = space_next_table(space, &address, end, region->prot ? &huge : NULL))) {
		vaddr_t stop = space_table_end(address, end);

		if (region->prot && unlikely(huge)) {
			huge_protect_locked(region, entry);
			changed_start = MIN(changed_start, address);
			changed_end = address = stop;
			continue;
		}
		for (; address < stop; address += PAGE_SIZE, entry++) {
			pte_t before = pte_read(entry);

			if (!before)
				continue;
			pte_exchange(entry, entry_for(region, before));
			if (pte_hidden(before))
				continue;
			changed_start = MIN(changed_start, address);
			changed_end = address + PAGE_SIZE;
		}
	}
	if (changed_start < changed_end)
		tlb_flush_range(&space->pagetable, changed_start,
				(changed_end - changed_start) >> PAGE_SHIFT);
}
