/*
 * Changes of a space's regions: linking, joining, cutting, taking out. Invariant: neighbours that
 * are alike are one; nregions and mapped_pages follow the tree. All under space->lock; what is
 * taken out is freed by the caller afterwards, without it.
 */
#include "space_priv.h"

#include <lib/panic.h>
#include <mm/slab.h>

#include <abi/errno.h>

SLAB_CACHE(region_cache, struct region);

struct region *region_alloc(void)
{
	return slab_alloc_zeroed(&region_cache);
}

void doomed_add(struct doomed *doomed, struct region *region)
{
	places_detach(region);
	region->doomed_next = doomed->first;
	doomed->first = region;
}

void doomed_free(struct doomed *doomed)
{
	while (doomed->first) {
		struct region *region = doomed->first;

		doomed->first = region->doomed_next;
		memory_object_put(region->object);
		slab_free(&region_cache, region);
	}
}

struct region *space_region_locked(struct space *space, vaddr_t address)
{
	struct region *region = space->last_found;

	if (region && region->start <= address && address < region->end)
		return region;
	region = region_from(&space->regions, address);
	if (!region || address < region->start)
		return NULL;
	space->last_found = region;
	return region;
}

bool space_fits_locked(const struct space *space, uint64_t npages)
{
	return npages <= space->limit_pages && space->mapped_pages <= space->limit_pages - npages;
}

static void take_out(struct space *space, struct region *region, struct doomed *doomed)
	REQUIRES(space->lock)
{
	region_unlink(&space->regions, region);
	space->nregions--;
	space->mapped_pages -= region_npages(region);
	if (space->last_found == region)
		space->last_found = NULL;
	doomed_add(doomed, region);
}

/* `upper` goes into `lower`. */
static void join(struct space *space, struct region *lower, struct region *upper,
		 struct doomed *doomed) REQUIRES(space->lock)
{
	region_join(&space->regions, lower, upper);
	space->nregions--;
	if (space->last_found == upper)
		space->last_found = lower;
	doomed_add(doomed, upper);
}

struct region *space_merge_locked(struct space *space, struct region *region, struct doomed *doomed)
{
	struct region *next = region_next(region);
	struct region *prev = region_prev(region);

	if (next && region_mergeable(region, next))
		join(space, region, next, doomed);
	if (prev && region_mergeable(prev, region)) {
		join(space, prev, region, doomed);
		return prev;
	}
	return region;
}

struct region *space_link_locked(struct space *space, struct region *region, struct doomed *doomed)
{
	region_link(&space->regions, region);
	space->nregions++;
	space->mapped_pages += region_npages(region);
	places_attach_locked(space, region);
	return space_merge_locked(space, region, doomed);
}

struct region *space_split_locked(struct space *space, struct region *region, vaddr_t at)
{
	struct region *upper;

	debug_assert(region->start < at && at < region->end);
	if (space->nregions >= SPACE_REGIONS_MAX)
		return NULL;
	upper = region_alloc();
	if (!upper)
		return NULL;
	region_split(&space->regions, region, at, upper);
	if (upper->object)
		memory_object_get(upper->object);
	places_attach_locked(space, upper);
	space->nregions++;
	return upper;
}

err_t space_unmap_locked(struct space *space, vaddr_t start, vaddr_t end, struct doomed *doomed)
{
	struct region *region = region_from(&space->regions, start);
	struct region *last;

	if (!region || region->start >= end)
		return 0;
	/* Both cuts first: after them nothing can fail. */
	if (region->start < start) {
		struct region *upper = space_split_locked(space, region, start);

		if (!upper)
			return -ENOMEM;
		region = upper;
	}
	last = region_from(&space->regions, end - 1);
	if (last && last->start < end && last->end > end) {
		if (!space_split_locked(space, last, end)) {
			space_merge_locked(space, region, doomed);
			return -ENOMEM;
		}
	}
	while (region && region->start < end) {
		struct region *next = region_next(region);

		take_out(space, region, doomed);
		region = next;
	}
	space_clear_pages_locked(space, start, end, CLEAR_TABLES);
	return 0;
}
