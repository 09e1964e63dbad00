/*
 * What the files behind mm/space.h share.
 */
#ifndef MM_SPACE_PRIV_H
#define MM_SPACE_PRIV_H

#include "region.h"

#include <lib/annotate.h>
#include <mm/space.h>

/* ---- regions of a space (space_regions.c) ---- */

/* Regions that were taken out: freed when no lock is held, since an object's release may take locks
 * that stand before the space's. */
struct doomed {
	struct region *first;
};
void doomed_add(struct doomed *doomed, struct region *region);
void doomed_free(struct doomed *doomed);

struct region *region_alloc(void);

/* Where a page is asked for; NULL: nothing is mapped there. */
struct region *space_region_locked(struct space *space, vaddr_t address) REQUIRES(space->lock);
/* Puts a new region into its free place; it may become one with its neighbours and is then doomed.
 */
struct region *space_link_locked(struct space *space, struct region *region, struct doomed *doomed)
	REQUIRES(space->lock);
/* Joins with the neighbours if they are alike. Returns the region that is left. */
struct region *space_merge_locked(struct space *space, struct region *region, struct doomed *doomed)
	REQUIRES(space->lock);
/* Makes `at` a border: `region` keeps what is below, the result is what is above. NULL: no memory,
 * or too many regions. */
struct region *space_split_locked(struct space *space, struct region *region, vaddr_t at)
	REQUIRES(space->lock);
/* Takes out every region in [start, end) and empties the pages. -ENOMEM: nothing was changed. */
err_t must_check space_unmap_locked(struct space *space, vaddr_t start, vaddr_t end,
				    struct doomed *doomed) REQUIRES(space->lock);
/* `npages` more of this kind are within the limits. -ENOMEM; -EAGAIN: too much would be locked. */
err_t must_check space_fits_locked(const struct space *space, uint64_t npages, unsigned prot,
				   unsigned flags) REQUIRES(space->lock);
/* The same for what is mapped and becomes locked: -EAGAIN. */
err_t must_check space_lock_fits_locked(const struct space *space, uint64_t npages)
	REQUIRES(space->lock);
/* The same for what is mapped and becomes writable. */
err_t must_check space_data_fits_locked(const struct space *space, uint64_t npages, unsigned flags)
	REQUIRES(space->lock);
/* A copy of the region's memory may be promised. */
err_t must_check region_commit_check(const struct region *region);
/* The region has become longer by `npages` (or shorter: negative). */
void space_count_locked(struct space *space, const struct region *region, int64_t npages)
	REQUIRES(space->lock);
/* Splits so that the part of *region in [start, end) is a region of its own, which *region is then.
 * -ENOMEM: nothing was changed. */
err_t must_check space_cut_out_locked(struct space *space, struct region **region, vaddr_t start,
				      vaddr_t end, struct doomed *doomed) REQUIRES(space->lock);
/* What a range's regions become (space_advice.c). */
struct flag_change {
	unsigned set, clear;
	bool anonymous_only; /* -EINVAL at what is something else */
	bool stop_at_hole;   /* -ENOMEM at once; else when the rest is done */
};
err_t must_check space_flag_range_locked(struct space *space, vaddr_t start, vaddr_t end,
					 const struct flag_change *change, struct doomed *doomed)
	REQUIRES(space->lock);
/* The stack above `address` grows down to it; NULL: there is none, or it may not. */
struct region *space_grow_stack_locked(struct space *space, vaddr_t address) REQUIRES(space->lock);

/* ---- where objects are mapped (places.c) ---- */

/* The region can have pages of its object from now on; until it is doomed. */
void places_attach_locked(struct space *space, struct region *region) REQUIRES(space->lock);
void places_detach(struct region *region);

/* ---- tables of programs that sleep (parking.c) ---- */

/* The entry of a page of 4 KiB, tables made on the way or put back; NULL: no memory, or a larger
 * page is there. */
pte_t *space_walk_alloc(struct space *space, vaddr_t address) REQUIRES(space->lock);
/* pagetable_walk() among those tables alone, once it has ended at *level without an entry. */
pte_t *parked_walk(struct space *space, vaddr_t address, unsigned *level) REQUIRES(space->lock);
/* pagetable_walk(), whether the table is in the tree or not. */
static inline pte_t *space_walk(struct space *space, vaddr_t address, unsigned *level)
	REQUIRES(space->lock);
static inline pte_t *space_walk(struct space *space, vaddr_t address, unsigned *level)
{
	pte_t *entry = pagetable_walk(&space->pagetable, address, level);

	return entry || list_empty(&space->parked) ? entry : parked_walk(space, address, level);
}
/* The table for `address` goes back into the tree, if it is parked. False: no memory. */
bool must_check parked_attach_locked(struct space *space, vaddr_t address) REQUIRES(space->lock);
/* Frees the parked tables of [start, end), which have no pages any more. */
void parked_free_locked(struct space *space, vaddr_t start, vaddr_t end) REQUIRES(space->lock);
/* It has got tables: they are parked when it sleeps, unless it is unwatched before. */
void space_watch_locked(struct space *space) REQUIRES(space->lock);
void space_unwatch_locked(struct space *space) REQUIRES(space->lock);
/* Now, if it is a small one. */
void space_park_locked(struct space *space) REQUIRES(space->lock);

/* ---- pages (space_pages.c) ---- */

/* The entry at *address, or at the next address before `end` that has a table; NULL: none. A page
 * of 2 MiB on the way is split; but if `huge` is not NULL, and the range has all of it, *huge is
 * true and the entry is its one. */
pte_t *space_next_table(struct space *space, vaddr_t *address, vaddr_t end, bool *huge)
	REQUIRES(space->lock);
/* The end of the part of [address, end) whose entries lie in the same table, side by side. */
vaddr_t space_table_end(vaddr_t address, vaddr_t end);

/* What the pages of a region may do, apart from the write bit's delays. */
unsigned region_page_flags(const struct region *region);
/* The entry of a page of the region: hidden where nobody may use it, not even read. */
pte_t region_entry(const struct region *region, paddr_t phys, unsigned page_flags);
/* Puts a page of the region where none is. Counts it. */
void space_install_locked(struct space *space, const struct region *region, pte_t *entry,
			  paddr_t phys, unsigned page_flags) REQUIRES(space->lock);
enum clear_flags {
	CLEAR_NO_FLUSH = 1 << 0,    /* no CPU uses the space any more */
	CLEAR_COPIES_STAY = 1 << 2, /* but for private copies of an object's pages */
	CLEAR_USED_STAY = 1 << 3,   /* but for those used since space_age_pages_locked() */
	CLEAR_TABLES = 1 << 1,      /* the range is free from now on: its empty tables go, too */
};
void space_clear_pages_locked(struct space *space, vaddr_t start, vaddr_t end, unsigned clear_flags)
	REQUIRES(space->lock);
/* From now on it counts who is used. A CPU that has a page in its TLB may not say so. */
void space_age_pages_locked(struct space *space, vaddr_t start, vaddr_t end) REQUIRES(space->lock);
/* Makes the entries of the region's part [start, end) follow its rights. */
void space_protect_pages_locked(struct space *space, const struct region *region, vaddr_t start,
				vaddr_t end) REQUIRES(space->lock);

/* ---- what others may know (space_info.c) ---- */

void region_describe(const struct region *region, struct region_info *out, char *name,
		     size_t name_bytes);

/* ---- faults (fault.c) ---- */

/* Makes the page at `address` (page-aligned, inside `region`) usable for `fault_access`, whatever
 * the region's rights say. Results as space_fault(). */
err_t must_check fault_page_locked(struct space *space, struct region *region, vaddr_t address,
				   unsigned fault_access, struct page_wait *wait)
	REQUIRES(space->lock);
bool region_allows(const struct region *region, unsigned fault_access);

/* What had these rights may not get those (space_change.c). */
bool space_refuses_exec_locked(const struct space *space, unsigned before, unsigned prot)
	REQUIRES(space->lock);

#endif
