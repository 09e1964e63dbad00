/*
 * Changes of a space's regions: linking, joining, cutting, taking out. Invariant: neighbours that
 * are alike are one; nregions and the sums of pages follow the tree. All under space->lock; what is
 * taken out is freed by the caller afterwards, without it.
 */
#include "space_priv.h"

#include <lib/panic.h>
#include <mm/commit.h>
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

/* ---- counting ---- */

static bool is_data(unsigned prot, unsigned flags)
{
	return prot & SPACE_WRITE && !(flags & (SPACE_SHARED | SPACE_STACK));
}

/* Stacks too. */
static bool is_promised(unsigned prot, unsigned flags)
{
	return prot & SPACE_WRITE && !(flags & (SPACE_SHARED | SPACE_UNPROMISED));
}

static bool fits(uint64_t have, uint64_t more, uint64_t limit)
{
	return more <= limit && have <= limit - more;
}

err_t space_lock_fits_locked(const struct space *space, uint64_t npages)
{
	return fits(space->locked_pages, npages, space->limits.locked_pages) ||
			       space_lock_is_unlimited()
		       ? 0
		       : -EAGAIN;
}

err_t space_fits_locked(const struct space *space, uint64_t npages, unsigned prot, unsigned flags)
{
	const struct space_limits *limits = &space->limits;

	if (!fits(space->mapped_pages, npages, limits->mapped_pages) ||
	    (is_data(prot, flags) && !fits(space->data_pages, npages, limits->data_pages)))
		return -ENOMEM;
	if (is_promised(prot, flags) && commit_check(npages))
		return -ENOMEM;
	return flags & SPACE_LOCKED ? space_lock_fits_locked(space, npages) : 0;
}

err_t space_data_fits_locked(const struct space *space, uint64_t npages, unsigned flags)
{
	if (is_data(SPACE_WRITE, flags) &&
	    !fits(space->data_pages, npages, space->limits.data_pages))
		return -ENOMEM;
	return is_promised(SPACE_WRITE, flags) ? commit_check(npages) : 0;
}

err_t region_commit_check(const struct region *region)
{
	return is_promised(region->prot, region->flags) ? commit_check(region_npages(region)) : 0;
}

void space_count_locked(struct space *space, const struct region *region, int64_t npages)
{
	space->mapped_pages += (uint64_t)npages;
	space->mapped_peak_pages = MAX(space->mapped_peak_pages, space->mapped_pages);
	if (is_data(region->prot, region->flags))
		space->data_pages += (uint64_t)npages;
	if (region->flags & SPACE_LOCKED)
		space->locked_pages += (uint64_t)npages;
	if (is_promised(region->prot, region->flags)) {
		space->committed_pages += (uint64_t)npages;
		commit_add(npages);
	}
}

void space_set_limits(struct space *space, const struct space_limits *limits)
{
	mutex_lock(&space->lock);
	space->limits = *limits;
	mutex_unlock(&space->lock);
}

/* ---- linking ---- */

static void take_out(struct space *space, struct region *region, struct doomed *doomed)
	REQUIRES(space->lock)
{
	region_unlink(&space->regions, region);
	space->nregions--;
	space_count_locked(space, region, -(int64_t)region_npages(region));
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
	space_count_locked(space, region, (int64_t)region_npages(region));
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

err_t space_cut_out_locked(struct space *space, struct region **region, vaddr_t start, vaddr_t end,
			   struct doomed *doomed)
{
	struct region *part = *region;

	if (part->start < start) {
		part = space_split_locked(space, part, start);
		if (!part)
			return -ENOMEM;
	}
	if (part->end > end && !space_split_locked(space, part, end)) {
		*region = space_merge_locked(space, part, doomed);
		return -ENOMEM;
	}
	*region = part;
	return 0;
}

struct region *space_grow_stack_locked(struct space *space, vaddr_t address)
{
	struct region *region = region_from(&space->regions, address);
	vaddr_t start = ALIGN_DOWN(address, PAGE_SIZE);
	const struct region *below;
	uint64_t npages;

	if (!region || !(region->flags & SPACE_STACK) || start < USER_MIN ||
	    region->end - start > space->limits.stack_bytes)
		return NULL;
	/* What nobody may touch is as good as a gap (Linux: stack_guard_gap). */
	below = region_prev(region);
	if (below && below->prot && start - below->end < SPACE_STACK_GUARD_GAP)
		return NULL;
	npages = (region->start - start) >> PAGE_SHIFT;
	if (space_fits_locked(space, npages, region->prot, region->flags))
		return NULL;
	region_lower(&space->regions, region, start);
	space_count_locked(space, region, (int64_t)npages);
	return region;
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
