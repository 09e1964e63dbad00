/*
 * Pages of 2 MiB in a space: what huge.c does for the others.
 */
#ifndef MM_HUGE_H
#define MM_HUGE_H

#include "region.h"

#include <arch/paging.h>
#include <lib/annotate.h>
#include <mm/frame.h>
#include <mm/space.h>

#define HUGE_ORDER 9
#define HUGE_PAGES (UINT64_C(1) << HUGE_ORDER)
#define HUGE_BYTES HUGE_PAGE_BYTES
_Static_assert(HUGE_BYTES == HUGE_PAGES * PAGE_SIZE && HUGE_ORDER <= FRAME_ORDER_MAX,
	       "the buddy allocator has blocks of that size");

/* Where no table is: maps the 2 MiB around `address` by one page of zeros, if the region has all of
 * it, it is wanted there, and there is plenty of memory. False: nothing was done. */
bool must_check huge_install_locked(struct space *space, const struct region *region,
				    vaddr_t address) REQUIRES(space->lock);
/* Such a page may come into being in it. */
bool huge_is_eligible(const struct space *space, const struct region *region);
/* The page's entry becomes a table of small ones: cannot fail. */
void huge_split_locked(struct space *space, vaddr_t address) REQUIRES(space->lock);
/* The page's rights follow the region's, which allow something. The caller flushes. */
void huge_protect_locked(const struct region *region, pte_t *entry);
/* Takes the page out, which is no longer counted. Onto the list until every CPU has forgotten it.
 */
void huge_take_out_locked(struct space *space, pte_t *entry, struct list *taken)
	REQUIRES(space->lock);
void huge_free(struct list *taken);

#endif
