/*
 * Mappings that are taken away by where they were put, whatever has become of them since: what is
 * left of one are the regions of its object that still lie where they would from its beginning.
 * And an object in the place of another.
 */
#include "space_priv.h"

#include <abi/errno.h>

static bool lies_from(const struct region *region, vaddr_t start)
{
	return region->start >= start &&
	       (region->start - start) >> PAGE_SHIFT == region->page_offset;
}

struct memory_object *space_find_object(struct space *space, vaddr_t start,
					const struct memory_object_ops *ops)
{
	struct memory_object *found = NULL;
	const struct region *region;

	mutex_lock(&space->lock);
	for (region = region_from(&space->regions, start); region && !found;
	     region = region_next(region)) {
		if (region->object && region->object->ops == ops && lies_from(region, start))
			found = memory_object_get(region->object);
	}
	mutex_unlock(&space->lock);
	return found;
}

err_t space_unmap_object(struct space *space, vaddr_t start, uint64_t len_bytes,
			 const struct memory_object *object)
{
	vaddr_t end = start + ALIGN_UP(len_bytes, PAGE_SIZE);
	struct doomed doomed = {0};
	struct region *region, *next;
	err_t err = -EINVAL;

	mutex_lock(&space->lock);
	for (region = region_from(&space->regions, start); region && region->start < end;
	     region = next) {
		next = region_next(region);
		if (region->object != object || !lies_from(region, start))
			continue;
		/* A whole region: nothing is cut, so it does not fail. */
		err = space_unmap_locked(space, region->start, region->end, &doomed);
		if (err)
			break;
	}
	mutex_unlock(&space->lock);
	doomed_free(&doomed);
	return err;
}

void space_exchange_object(struct space *space, struct memory_object *from,
			   struct memory_object *to)
{
	unsigned nregions = 0;
	struct region *region;

	debug_assert(!from->places && !to->places);
	mutex_lock(&space->lock);
	tree_for_each (region, &space->regions, node) {
		if (region->object != from)
			continue;
		space_clear_pages_locked(space, region->start, region->end, CLEAR_COPIES_STAY);
		region->object = memory_object_get(to);
		nregions++;
	}
	mutex_unlock(&space->lock);
	while (nregions--)
		memory_object_put(from);
}
