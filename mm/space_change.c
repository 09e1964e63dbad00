/*
 * Changes of what is mapped: unmapping, rights, dropping pages, the heap's end. Each takes
 * space->lock for its whole length, so others see it done or not begun.
 */
#include "space_priv.h"

#include <lib/panic.h>
#include <mm/frame.h>

#include <abi/errno.h>

/* The page-aligned range of a call; false: it is none in user space. */
static bool range_ok(vaddr_t start, uint64_t length_bytes, vaddr_t *end)
{
	if (!IS_ALIGNED(start, PAGE_SIZE) || start > USER_MAX || length_bytes > USER_MAX - start)
		return false;
	*end = start + ALIGN_UP(length_bytes, PAGE_SIZE);
	return true;
}

err_t space_unmap(struct space *space, vaddr_t start, uint64_t length_bytes)
{
	struct doomed doomed = {0};
	vaddr_t end;
	err_t err;

	if (!length_bytes || !range_ok(start, length_bytes, &end))
		return -EINVAL;
	mutex_lock(&space->lock);
	err = space_unmap_locked(space, start, end, &doomed);
	mutex_unlock(&space->lock);
	doomed_free(&doomed);
	return err;
}

/* ---- rights ---- */

bool space_refuses_exec_locked(const struct space *space, unsigned before, unsigned prot)
{
	return space->exec_refusal & REFUSE_EXEC_GAIN && prot & SPACE_EXEC &&
	       (prot & SPACE_WRITE || !(before & SPACE_EXEC));
}

err_t space_refuse_exec(struct space *space, unsigned refusal)
{
	err_t err = 0;

	mutex_lock(&space->lock);
	if (space->exec_refusal && space->exec_refusal != refusal)
		err = -EPERM;
	else
		space->exec_refusal = (uint8_t)refusal;
	mutex_unlock(&space->lock);
	return err;
}

unsigned space_exec_refusal(struct space *space)
{
	unsigned refusal;

	mutex_lock(&space->lock);
	refusal = space->exec_refusal;
	mutex_unlock(&space->lock);
	return refusal;
}

void space_inherit_refusal(struct space *space, struct space *from)
{
	unsigned refusal = space_exec_refusal(from);

	if (!(refusal & REFUSE_NO_INHERIT))
		space->exec_refusal = (uint8_t)refusal;
}

/* Changes the part of `region` that lies in [start, end); *out is what comes to lie there. */
static err_t protect_region_locked(struct space *space, struct region *region, vaddr_t start,
				   vaddr_t end, unsigned prot, struct doomed *doomed,
				   struct region **out) REQUIRES(space->lock)
{
	int64_t npages;
	err_t err;

	if (prot & ~(unsigned)region->max_prot ||
	    space_refuses_exec_locked(space, region->prot, prot))
		return -EACCES;
	*out = region;
	if (region->prot == prot)
		return 0;
	npages = (int64_t)((MIN(end, region->end) - MAX(start, region->start)) >> PAGE_SHIFT);
	if (prot & SPACE_WRITE && !(region->prot & SPACE_WRITE)) {
		/* As data it may be too much; locked and mapped it is already. */
		err = space_data_fits_locked(space, (uint64_t)npages, region->flags);
		if (err)
			return err;
	}
	err = space_cut_out_locked(space, &region, start, end, doomed);
	if (err)
		return err;
	space_count_locked(space, region, -npages);
	region->prot = (uint8_t)prot;
	space_count_locked(space, region, npages);
	space_protect_pages_locked(space, region, region->start, region->end);
	*out = space_merge_locked(space, region, doomed);
	return 0;
}

err_t space_protect(struct space *space, vaddr_t start, uint64_t length_bytes, unsigned prot)
{
	struct doomed doomed = {0};
	vaddr_t end;
	err_t err = 0;

	if (prot & ~(unsigned)SPACE_PROT_ALL || !IS_ALIGNED(start, PAGE_SIZE))
		return -EINVAL;
	if (!length_bytes)
		return 0;
	if (!range_ok(start, length_bytes, &end))
		return -ENOMEM;
	mutex_lock(&space->lock);
	while (start < end && !err) {
		struct region *region = region_from(&space->regions, start);

		if (!region || region->start > start) {
			err = -ENOMEM;
			break;
		}
		err = protect_region_locked(space, region, start, end, prot, &doomed, &region);
		start = region->end;
	}
	mutex_unlock(&space->lock);
	doomed_free(&doomed);
	return err;
}

/* ---- dropping pages ---- */

err_t space_discard(struct space *space, vaddr_t start, uint64_t length_bytes)
{
	struct region *region;
	vaddr_t end;
	err_t err = 0;

	if (!range_ok(start, length_bytes, &end))
		return -EINVAL;
	mutex_lock(&space->lock);
	for (region = region_from(&space->regions, start); start < end;
	     region = region_next(region)) {
		if (!region || region->start >= end) {
			err = -ENOMEM;
			break;
		}
		if (region->start > start)
			err = -ENOMEM; /* a hole: the rest is done all the same, as Linux does */
		start = MAX(start, region->start);
		space_clear_pages_locked(space, start, MIN(end, region->end), 0);
		start = region->end;
	}
	mutex_unlock(&space->lock);
	return err;
}

/* ---- the heap ---- */

void space_set_brk(struct space *space, vaddr_t start)
{
	mutex_lock(&space->lock);
	space->brk_start = start;
	space->brk_end = start;
	mutex_unlock(&space->lock);
}

err_t space_move_brk(struct space *space, bool start, vaddr_t to)
{
	vaddr_t first, last;
	err_t err = 0;

	mutex_lock(&space->lock);
	first = start ? to : space->brk_start;
	last = start ? space->brk_end : to;
	if (first > last || (last - first) >> PAGE_SHIFT > space->limits.data_pages) {
		err = -EINVAL;
	} else {
		space->brk_start = first;
		space->brk_end = last;
	}
	mutex_unlock(&space->lock);
	return err;
}

void space_heap(struct space *space, vaddr_t *start, vaddr_t *end)
{
	mutex_lock(&space->lock);
	*start = space->brk_start;
	*end = space->brk_end;
	mutex_unlock(&space->lock);
}

/* `region` becomes [start, end) of the heap; false: there is no room. */
static bool grow_heap_locked(struct space *space, struct region *region, vaddr_t start, vaddr_t end,
			     struct doomed *doomed) REQUIRES(space->lock)
{
	uint64_t npages = (end - start) >> PAGE_SHIFT;

	unsigned flags = SPACE_HEAP | (space->future_flags & SPACE_LOCKED);

	/* One page apart from what is above: running off the heap must fault. */
	if (space_fits_locked(space, npages, SPACE_READ | SPACE_WRITE, flags) ||
	    space->nregions >= SPACE_REGIONS_MAX ||
	    !region_is_free(&space->regions, start, end + PAGE_SIZE))
		return false;
	*region = (struct region){.start = start,
				  .end = end,
				  .prot = SPACE_READ | SPACE_WRITE,
				  .max_prot = SPACE_PROT_ALL,
				  .flags = (uint16_t)flags,
				  .name = "[heap]"};
	space_link_locked(space, region, doomed);
	return true;
}

vaddr_t space_brk(struct space *space, vaddr_t wanted)
{
	struct doomed doomed = {0};
	struct region *region = region_alloc();
	vaddr_t before;
	vaddr_t after;
	vaddr_t result;
	bool populate = false;

	mutex_lock(&space->lock);
	before = ALIGN_UP(space->brk_end, PAGE_SIZE);
	after = ALIGN_UP(wanted, PAGE_SIZE);
	if (!space->brk_start || wanted < space->brk_start || wanted > USER_MAX - PAGE_SIZE)
		goto unlock;
	if (after > before) {
		if (!region || !grow_heap_locked(space, region, before, after, &doomed))
			goto unlock;
		region = NULL;
		populate = space->future_flags & SPACE_POPULATE;
	} else if (after < before && space_unmap_locked(space, after, before, &doomed)) {
		goto unlock;
	}
	space->brk_end = wanted;
unlock:
	result = space->brk_end;
	mutex_unlock(&space->lock);
	if (region) {
		region->object = NULL;
		doomed_add(&doomed, region);
	}
	doomed_free(&doomed);
	if (populate)
		(void)!space_populate(space, before, after - before, SPACE_AS_MAPPED);
	return result;
}
