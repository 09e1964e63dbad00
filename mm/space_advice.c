/*
 * What programs say of ranges of their memory, and ask of them: flags that a region keeps, pages
 * that shall be there, which are there, and what the objects behind shall do. A range is walked
 * region by region; the walks that wait for something do so without space->lock and look anew
 * afterwards.
 */
#include "space_priv.h"

#include <mm/fault.h>
#include <mm/frame.h>
#include <mm/pressure.h>

#include <abi/errno.h>

/* ---- flags ---- */

static err_t change_region_locked(struct space *space, struct region *region, vaddr_t start,
				  vaddr_t end, unsigned flags, struct doomed *doomed,
				  struct region **out) REQUIRES(space->lock)
{
	int64_t npages;
	err_t err;

	*out = region;
	if (region->flags == flags)
		return 0;
	err = space_cut_out_locked(space, &region, start, end, doomed);
	if (err)
		return err;
	npages = (int64_t)region_npages(region);
	space_count_locked(space, region, -npages);
	region->flags = (uint16_t)flags;
	space_count_locked(space, region, npages);
	*out = space_merge_locked(space, region, doomed);
	return 0;
}

err_t space_flag_range_locked(struct space *space, vaddr_t start, vaddr_t end,
			      const struct flag_change *change, struct doomed *doomed)
{
	err_t hole = 0;

	while (start < end) {
		struct region *region = region_from(&space->regions, start);
		err_t err;

		if (!region || region->start >= end)
			return -ENOMEM;
		if (region->start > start) {
			if (change->stop_at_hole)
				return -ENOMEM;
			hole = -ENOMEM;
			start = region->start;
		}
		if (change->anonymous_only && (region->object || region->flags & SPACE_SHARED))
			return -EINVAL;
		err = change_region_locked(space, region, start, end,
					   (region->flags & ~change->clear) | change->set, doomed,
					   &region);
		if (err)
			return err;
		start = region->end;
	}
	return hole;
}

err_t space_change_flags(struct space *space, vaddr_t start, uint64_t length_bytes, unsigned set,
			 unsigned clear, bool anonymous_only)
{
	const struct flag_change change = {
		.set = set, .clear = clear, .anonymous_only = anonymous_only};
	struct doomed doomed = {0};
	err_t err;

	mutex_lock(&space->lock);
	err = space_flag_range_locked(space, start, start + ALIGN_UP(length_bytes, PAGE_SIZE),
				      &change, &doomed);
	mutex_unlock(&space->lock);
	doomed_free(&doomed);
	return err;
}

err_t space_check_flags(struct space *space, vaddr_t start, uint64_t length_bytes,
			unsigned unwanted)
{
	vaddr_t end = start + ALIGN_UP(length_bytes, PAGE_SIZE);
	err_t err = 0;

	mutex_lock(&space->lock);
	while (start < end && !err) {
		const struct region *region = region_from(&space->regions, start);

		if (!region || region->start > start)
			err = -ENOMEM;
		else if (region->flags & unwanted)
			err = -EINVAL;
		else
			start = region->end;
	}
	mutex_unlock(&space->lock);
	return err;
}

/* ---- pages that shall be there, and that are ---- */

static unsigned usual_access(const struct region *region)
{
	return region->prot & SPACE_WRITE && !(region->flags & SPACE_SHARED) ? FAULT_WRITE
									     : FAULT_READ;
}

static err_t populate_page(struct space *space, vaddr_t address, unsigned fault_access,
			   struct page_wait *wait)
{
	struct region *region;
	err_t err = -EFAULT;

	mutex_lock(&space->lock);
	region = space_region_locked(space, address);
	if (region) {
		if (fault_access == SPACE_AS_MAPPED)
			fault_access = usual_access(region);
		err = region_allows(region, fault_access)
			      ? fault_page_locked(space, region, address, fault_access, wait)
			      : -EACCES;
	}
	mutex_unlock(&space->lock);
	return err;
}

err_t space_populate(struct space *space, vaddr_t start, uint64_t length_bytes,
		     unsigned fault_access)
{
	vaddr_t end = start + ALIGN_UP(length_bytes, PAGE_SIZE);

	while (start < end) {
		struct page_wait wait;
		err_t err = MEMORY_RETRY(populate_page(space, start, fault_access, &wait));

		if (err == MM_WAIT) {
			err = page_wait(&wait);
			if (err)
				return err;
			continue;
		}
		if (err)
			return err;
		if (thread_killed())
			return -EINTR;
		start += PAGE_SIZE;
	}
	return 0;
}

static bool is_resident(struct space *space, struct region *region, vaddr_t address)
	REQUIRES(space->lock)
{
	struct memory_object *object = region->object;
	struct page_ref page;
	unsigned level;
	const pte_t *entry = space_walk(space, address, &level);

	if (entry && pte_read(entry))
		return true;
	if (!object)
		return false;
	/* Whether others have read a file is not everybody's to know. */
	if (object->ops->is_own && !object->ops->is_own(object))
		return true;
	if (object->ops->get_page(object, region_page(region, address), FAULT_READ | FAULT_AHEAD,
				  &page))
		return false;
	if (page.frame)
		frame_put(page.frame);
	return true;
}

err_t space_residence(struct space *space, vaddr_t start, vaddr_t end, uint8_t *pages)
{
	err_t err = 0;

	mutex_lock(&space->lock);
	for (; start < end && !err; start += PAGE_SIZE) {
		struct region *region = space_region_locked(space, start);

		if (region)
			*pages++ = is_resident(space, region, start);
		else
			err = -ENOMEM;
	}
	mutex_unlock(&space->lock);
	return err;
}

/* ---- what the objects shall do ---- */

/* A part of the range that one region covers. */
struct part {
	struct memory_object *object; /* a reference */
	uint64_t offset_bytes;
	uint64_t len_bytes;
	bool shared;
	bool writable;
	bool locked;
};

/* The part that begins at *start or behind it; false: none does before `end`. */
static bool next_part(struct space *space, vaddr_t *start, vaddr_t end, struct part *out)
{
	struct region *region;

	mutex_lock(&space->lock);
	region = region_from(&space->regions, *start);
	if (region && region->start < end) {
		*start = MAX(*start, region->start);
		*out = (struct part){.offset_bytes = region_page(region, *start) << PAGE_SHIFT,
				     .len_bytes = MIN(region->end, end) - *start,
				     .shared = region->flags & SPACE_SHARED,
				     .writable = region->prot & SPACE_WRITE,
				     .locked = region->flags & SPACE_LOCKED};
		if (region->object)
			out->object = memory_object_get(region->object);
	} else {
		region = NULL;
	}
	mutex_unlock(&space->lock);
	return region;
}

static err_t for_each_part(struct space *space, vaddr_t start, uint64_t length_bytes,
			   err_t (*visit)(const struct part *part))
{
	vaddr_t end = start + ALIGN_UP(length_bytes, PAGE_SIZE);
	err_t hole = 0;

	while (start < end) {
		vaddr_t wanted = start;
		struct part part;
		err_t err;

		if (!next_part(space, &start, end, &part))
			return -ENOMEM;
		if (start > wanted)
			hole = -ENOMEM;
		err = visit(&part);
		memory_object_put(part.object);
		if (err)
			return err;
		start += part.len_bytes;
	}
	return hole;
}

static err_t sync_part(const struct part *part)
{
	if (!part->object || !part->shared || !part->object->ops->sync)
		return 0;
	return part->object->ops->sync(part->object);
}

err_t space_sync(struct space *space, vaddr_t start, uint64_t length_bytes)
{
	return for_each_part(space, start, length_bytes, sync_part);
}

static err_t punch_part(const struct part *part)
{
	if (part->locked || !part->object)
		return -EINVAL;
	if (!part->shared || !part->writable)
		return -EACCES;
	if (!part->object->ops->punch)
		return -EOPNOTSUPP;
	return part->object->ops->punch(part->object, part->offset_bytes, part->len_bytes);
}

err_t space_punch(struct space *space, vaddr_t start, uint64_t length_bytes)
{
	return for_each_part(space, start, length_bytes, punch_part);
}
