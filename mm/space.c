/*
 * Address spaces: their life, and mapping. space->lock (LOCK_SPACE) serialises regions and page
 * tables; the objects' own locks are taken inside of it, their release runs without it.
 */
#include "space_priv.h"

#include <lib/panic.h>
#include <mm/commit.h>
#include <mm/frame.h>
#include <mm/slab.h>

#include <abi/errno.h>

SLAB_CACHE(space_cache, struct space);

err_t space_create(struct space **out, vaddr_t map_top)
{
	struct space *space = slab_alloc_zeroed(&space_cache);

	if (!space)
		return -ENOMEM;
	if (pagetable_init(&space->pagetable)) {
		slab_free(&space_cache, space);
		return -ENOMEM;
	}
	refcount_init(&space->refs);
	list_init(&space->parked);
	mutex_init(&space->lock, LOCK_SPACE);
	space->regions = (struct tree)REGION_TREE_INIT;
	space->map_top = map_top;
	space->limits = (struct space_limits){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
	*out = space;
	return 0;
}

void space_put(struct space *space)
{
	struct doomed doomed = {0};
	struct region *region;

	if (!refcount_put(&space->refs))
		return;
	mutex_lock(
		&space->lock); /* nobody else has it: for the order checker and the annotations */
	tree_for_each (region, &space->regions, node)
		space_clear_pages_locked(space, region->start, region->end, CLEAR_NO_FLUSH);
	parked_free_locked(space, 0, USER_MAX);
	space_unwatch_locked(space);
	while ((region = tree_entry(tree_first(&space->regions), struct region, node))) {
		region_unlink(&space->regions, region);
		doomed_add(&doomed, region);
	}
	mutex_unlock(&space->lock);
	commit_add(-(int64_t)space->committed_pages);
	doomed_free(&doomed);
	debug_assert(space->resident_pages == 0 && space->in_place_pages == 0);
	pagetable_destroy(&space->pagetable);
	slab_free(&space_cache, space);
}

static void reap_locked(struct space *space, struct doomed *doomed) REQUIRES(space->lock)
{
	struct region *region, *next;

	space->reaped = true;
	for (region = region_from(&space->regions, 0); region; region = next) {
		err_t err = 0;

		next = region_next(region);
		/* Without an object: nobody's release is called. Whole regions: nothing is cut. */
		if (!region->object)
			err = space_unmap_locked(space, region->start, region->end, doomed);
		else if (!(region->flags & SPACE_SHARED))
			space_clear_pages_locked(space, region->start, region->end, 0);
		assert(!err);
	}
}

bool space_try_reap(struct space *space)
{
	struct doomed doomed = {0};

	if (!mutex_trylock(&space->lock))
		return false;
	reap_locked(space, &doomed);
	mutex_unlock(&space->lock);
	doomed_free(&doomed);
	return true;
}

err_t space_reap(struct space *space)
{
	struct doomed doomed = {0};
	err_t err = mutex_lock_killable(&space->lock);

	if (err)
		return err;
	reap_locked(space, &doomed);
	mutex_unlock(&space->lock);
	doomed_free(&doomed);
	return 0;
}

/* ---- mapping ---- */

static unsigned max_prot_of(const struct space_request *request)
{
	unsigned max_prot = request->max_prot ? request->max_prot : SPACE_PROT_ALL;

	if (request->object && request->object->never_exec)
		max_prot &= ~(unsigned)SPACE_EXEC;
	return max_prot;
}

static err_t check_request(const struct space_request *request)
{
	uint64_t end;

	if (!request->length_bytes)
		return -EINVAL;
	if (request->length_bytes > USER_MAX)
		return -ENOMEM;
	if (request->prot & ~(unsigned)SPACE_PROT_ALL ||
	    !IS_ALIGNED(request->offset_bytes, PAGE_SIZE))
		return -EINVAL;
	if (__builtin_add_overflow(request->offset_bytes,
				   ALIGN_UP(request->length_bytes, PAGE_SIZE), &end))
		return -EOVERFLOW;
	if (request->prot & ~max_prot_of(request))
		return -EACCES;
	if (!(request->flags & (SPACE_FIXED | SPACE_NOREPLACE)))
		return 0;
	if (!IS_ALIGNED(request->address, PAGE_SIZE))
		return -EINVAL;
	if (request->address > USER_MAX - ALIGN_UP(request->length_bytes, PAGE_SIZE))
		return -ENOMEM;
	return request->address < USER_MIN ? -EPERM : 0;
}

/* Where the request goes. */
static err_t choose_place_locked(struct space *space, const struct space_request *request,
				 vaddr_t *start) REQUIRES(space->lock)
{
	uint64_t len_bytes = ALIGN_UP(request->length_bytes, PAGE_SIZE);
	vaddr_t hint = ALIGN_DOWN(request->address, PAGE_SIZE);

	if (request->flags & (SPACE_FIXED | SPACE_NOREPLACE)) {
		*start = request->address;
		if (request->flags & SPACE_NOREPLACE &&
		    !region_is_free(&space->regions, *start, *start + len_bytes))
			return -EEXIST;
		return 0;
	}
	if (hint >= USER_MIN && hint <= USER_MAX - len_bytes && !(request->flags & SPACE_LOW) &&
	    region_is_free(&space->regions, hint, hint + len_bytes)) {
		*start = hint;
		return 0;
	}
	if (request->flags & SPACE_LOW) {
		*start =
			region_find_gap(&space->regions, len_bytes, SPACE_LOW_START, SPACE_LOW_END);
		return *start ? 0 : -ENOMEM;
	}
	*start = region_find_gap(&space->regions, len_bytes, USER_MIN, space->map_top);
	if (!*start)
		*start = region_find_gap(&space->regions, len_bytes, USER_MIN, USER_MAX);
	return *start ? 0 : -ENOMEM;
}

static err_t map_locked(struct space *space, const struct space_request *request,
			struct region *region, struct doomed *doomed) REQUIRES(space->lock)
{
	uint64_t len_bytes = ALIGN_UP(request->length_bytes, PAGE_SIZE);
	err_t err;

	if (space->nregions >= SPACE_REGIONS_MAX)
		return -ENOMEM;
	if (space_refuses_exec_locked(space, request->prot, request->prot))
		return -EACCES;
	region->flags |= space->future_flags & SPACE_LOCKED;
	err = space_fits_locked(space, len_bytes >> PAGE_SHIFT, request->prot, region->flags);
	if (err)
		return err;
	err = choose_place_locked(space, request, &region->start);
	if (err)
		return err;
	region->end = region->start + len_bytes;
	if (request->flags & SPACE_FIXED) {
		err = space_unmap_locked(space, region->start, region->end, doomed);
		if (err)
			return err;
	}
	if (region->object)
		memory_object_get(region->object);
	space_link_locked(space, region, doomed);
	return 0;
}

err_t space_map(struct space *space, const struct space_request *request, vaddr_t *address)
{
	struct doomed doomed = {0};
	struct region *region;
	unsigned wanted = request->flags;
	vaddr_t start;
	err_t err;

	err = check_request(request);
	if (err)
		return err;
	region = region_alloc();
	if (!region)
		return -ENOMEM;
	region->prot = (uint8_t)request->prot;
	region->max_prot = (uint8_t)max_prot_of(request);
	region->flags = request->flags & SPACE_LASTING;
	region->object = request->object;
	region->page_offset = request->object ? request->offset_bytes >> PAGE_SHIFT : 0;
	region->name = request->name;

	mutex_lock(&space->lock);
	err = map_locked(space, request, region, &doomed);
	start = region->start;
	wanted |= space->future_flags;
	if (err) {
		region->object = NULL; /* it never got a reference of its own */
		doomed_add(&doomed, region);
	}
	mutex_unlock(&space->lock);
	doomed_free(&doomed);
	if (err)
		return err;
	/* What is missing comes by faults, as in Linux. */
	if (wanted & SPACE_POPULATE)
		(void)!space_populate(space, start, request->length_bytes, SPACE_AS_MAPPED);
	*address = start;
	return 0;
}
