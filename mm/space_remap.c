/*
 * mremap: cutting, growing where it is, moving with all pages. Under space->lock for its whole
 * length. What may fail is done before the first page moves.
 */
#include "space_priv.h"

#include <lib/panic.h>
#include <mm/frame.h>

#include <abi/errno.h>

#define REMAP_MAYMOVE   1u /* Linux: MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP */
#define REMAP_FIXED     2u
#define REMAP_DONTUNMAP 4u

struct remap {
	struct doomed doomed;
	struct region *fresh; /* the new place's region, until it is used */
	vaddr_t start;
	uint64_t old_bytes; /* 0: what is there stays, and is seen at the new place as well */
	uint64_t new_bytes;
	unsigned flags;
};

/* Every table that the moved pages will need. */
static err_t make_tables(struct space *space, struct remap *remap, vaddr_t to) REQUIRES(space->lock)
{
	vaddr_t end = remap->start + MIN(remap->old_bytes, remap->new_bytes);

	/* Pages of 2 MiB become small ones here: they rarely fit at the other place. */
	for (vaddr_t from = remap->start; space_next_table(space, &from, end, NULL);
	     from = space_table_end(from, end)) {
		vaddr_t last = space_table_end(from, end) - PAGE_SIZE;

		if (!space_walk_alloc(space, from - remap->start + to) ||
		    !space_walk_alloc(space, last - remap->start + to))
			return -ENOMEM;
	}
	return 0;
}

static void move_pages(struct space *space, struct remap *remap, vaddr_t to) REQUIRES(space->lock)
{
	vaddr_t end = remap->start + MIN(remap->old_bytes, remap->new_bytes);
	struct pagetable *table = &space->pagetable;
	vaddr_t from = remap->start;
	pte_t *entry;

	while ((entry = space_next_table(space, &from, end, NULL))) {
		for (vaddr_t stop = space_table_end(from, end); from < stop;
		     from += PAGE_SIZE, entry++) {
			unsigned level;
			pte_t value = pte_read(entry);

			if (!value)
				continue;
			pte_exchange(entry, 0);
			pte_exchange(pagetable_walk(table, from - remap->start + to, &level),
				     value);
		}
	}
	tlb_flush_range(table, remap->start, (end - remap->start) >> PAGE_SHIFT);
}

/* `region` is the old place, whose pages have moved. */
static void leave_old(struct space *space, struct remap *remap, struct region *region)
	REQUIRES(space->lock)
{
	int64_t npages = (int64_t)region_npages(region);
	err_t err;

	if (!remap->old_bytes)
		return;
	if (remap->flags & REMAP_DONTUNMAP) {
		space_count_locked(space, region, -npages);
		region->flags &= (uint16_t)~SPACE_LOCKED;
		space_count_locked(space, region, npages);
		space_merge_locked(space, region, &remap->doomed);
		return;
	}
	err = space_unmap_locked(space, remap->start, remap->start + remap->old_bytes,
				 &remap->doomed);
	assert(!err); /* its borders are regions' borders already */
}

static err_t move_to(struct space *space, struct remap *remap, vaddr_t to) REQUIRES(space->lock)
{
	struct region *region = space_region_locked(space, remap->start);
	struct region *fresh = remap->fresh;
	err_t err;

	/* What had to give way to the new place may have been it, where its length is 0. */
	if (!region)
		return -EFAULT;
	if (space->nregions + 2 >= SPACE_REGIONS_MAX)
		return -ENOMEM;
	err = make_tables(space, remap, to);
	if (!err && remap->old_bytes)
		err = space_cut_out_locked(space, &region, remap->start,
					   remap->start + remap->old_bytes, &remap->doomed);
	if (err)
		return err;

	/* ---- committed ---- */
	region_copy_from(region, remap->start, fresh);
	fresh->start = to;
	fresh->end = to + remap->new_bytes;
	if (fresh->object)
		memory_object_get(fresh->object);
	remap->fresh = NULL;
	move_pages(space, remap, to);
	leave_old(space, remap, region);
	space_link_locked(space, fresh, &remap->doomed);
	return 0;
}

static bool grow_here(struct space *space, struct remap *remap, struct region *region)
	REQUIRES(space->lock)
{
	vaddr_t old_end = remap->start + remap->old_bytes;
	vaddr_t new_end = remap->start + remap->new_bytes;

	if (region->end != old_end || new_end > USER_MAX ||
	    !region_is_free(&space->regions, old_end, new_end))
		return false;
	region_resize(&space->regions, region, new_end);
	space_count_locked(space, region, (int64_t)((new_end - old_end) >> PAGE_SHIFT));
	space_merge_locked(space, region, &remap->doomed);
	return true;
}

static bool overlap(vaddr_t a, uint64_t a_bytes, vaddr_t b, uint64_t b_bytes)
{
	return a < b + b_bytes && b < a + a_bytes;
}

static err_t move_to_fixed(struct space *space, struct remap *remap, vaddr_t wanted)
	REQUIRES(space->lock)
{
	err_t err;

	if (!IS_ALIGNED(wanted, PAGE_SIZE) || wanted < USER_MIN ||
	    wanted > USER_MAX - remap->new_bytes ||
	    overlap(remap->start, remap->old_bytes, wanted, remap->new_bytes))
		return -EINVAL;
	err = space_unmap_locked(space, wanted, wanted + remap->new_bytes, &remap->doomed);
	return err ? err : move_to(space, remap, wanted);
}

/* Room for what there will be more than there is. */
static err_t check_limits(const struct space *space, const struct remap *remap,
			  const struct region *region) REQUIRES(space->lock)
{
	uint64_t kept = remap->old_bytes;
	unsigned flags = region->flags;

	if (remap->flags & REMAP_DONTUNMAP) {
		kept = 0;
		flags &= ~(unsigned)SPACE_LOCKED; /* the lock moves along */
	}
	if (remap->new_bytes <= kept)
		return 0;
	return space_fits_locked(space, (remap->new_bytes - kept) >> PAGE_SHIFT, region->prot,
				 flags);
}

static err_t remap_locked(struct space *space, struct remap *remap, vaddr_t wanted,
			  vaddr_t *address) REQUIRES(space->lock)
{
	struct region *region = space_region_locked(space, remap->start);
	err_t err;

	if (!region || region->end - remap->start < remap->old_bytes)
		return -EFAULT;
	if (!remap->old_bytes && !(region->flags & SPACE_SHARED))
		return -EINVAL;
	err = check_limits(space, remap, region);
	if (err)
		return err;
	*address = wanted;
	if (remap->flags & REMAP_FIXED)
		return move_to_fixed(space, remap, wanted);
	*address = remap->start;
	if (!(remap->flags & REMAP_DONTUNMAP) && remap->old_bytes) {
		if (remap->new_bytes == remap->old_bytes)
			return 0;
		if (remap->new_bytes < remap->old_bytes)
			return space_unmap_locked(space, remap->start + remap->new_bytes,
						  remap->start + remap->old_bytes, &remap->doomed);
		if (grow_here(space, remap, region))
			return 0;
	}
	if (!(remap->flags & REMAP_MAYMOVE))
		return -ENOMEM;
	*address = region_find_gap(&space->regions, remap->new_bytes, USER_MIN, space->map_top);
	return *address ? move_to(space, remap, *address) : -ENOMEM;
}

err_t space_remap(struct space *space, vaddr_t start, uint64_t old_bytes, uint64_t new_bytes,
		  unsigned flags, vaddr_t wanted, vaddr_t *address)
{
	struct remap remap = {.start = start,
			      .old_bytes = ALIGN_UP(old_bytes, PAGE_SIZE),
			      .new_bytes = ALIGN_UP(new_bytes, PAGE_SIZE),
			      .flags = flags};
	bool populate;
	err_t err;

	if (!IS_ALIGNED(start, PAGE_SIZE) || !new_bytes || start > USER_MAX ||
	    old_bytes > USER_MAX - start || new_bytes > USER_MAX ||
	    flags & ~(REMAP_MAYMOVE | REMAP_FIXED | REMAP_DONTUNMAP))
		return -EINVAL;
	if (flags & REMAP_DONTUNMAP &&
	    (!(flags & REMAP_MAYMOVE) || remap.old_bytes != remap.new_bytes))
		return -EINVAL;
	remap.fresh = region_alloc();
	if (!remap.fresh)
		return -ENOMEM;
	mutex_lock(&space->lock);
	err = remap_locked(space, &remap, wanted, address);
	populate = !err && remap.new_bytes > remap.old_bytes &&
		   space_region_locked(space, *address)->flags & SPACE_LOCKED;
	mutex_unlock(&space->lock);
	if (remap.fresh) {
		remap.fresh->object = NULL;
		doomed_add(&remap.doomed, remap.fresh);
	}
	doomed_free(&remap.doomed);
	if (populate)
		(void)!space_populate(space, *address, remap.new_bytes, SPACE_AS_MAPPED);
	return err;
}
