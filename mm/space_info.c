/*
 * What others may know of a space: its regions and its figures, copied out under space->lock.
 */
#include "space_priv.h"

#include <lib/string.h>

#include <abi/errno.h>

static uint64_t resident_pages(struct space *space, const struct region *region)
	REQUIRES(space->lock)
{
	uint64_t count = 0;

	for (vaddr_t address = region->start; address < region->end;) {
		unsigned level;
		const pte_t *entry = space_walk(space, address, &level);

		vaddr_t next = ALIGN_DOWN(address, level_bytes(level)) + level_bytes(level);

		if (entry && pte_read(entry))
			count += (MIN(next, region->end) - address) >> PAGE_SHIFT;
		address = next;
	}
	return count;
}

void region_describe(const struct region *region, struct region_info *out, char *name,
		     size_t name_bytes)
{
	*out = (struct region_info){
		.start = region->start,
		.end = region->end,
		.prot = region->prot,
		.max_prot = region->max_prot,
		.flags = region->flags,
		.offset_bytes = region->page_offset << PAGE_SHIFT,
		.anonymous = !region->object,
		.is_device = region->object && region->object->page_flags,
	};
	*name = '\0';
	if (region->name)
		string_copy(name, name_bytes, region->name);
	else if (region->object && region->object->ops->name)
		region->object->ops->name(region->object, name, name_bytes);
	if (region->object && region->object->ops->identity)
		region->object->ops->identity(region->object, &out->device, &out->inode);
}

bool space_next(struct space *space, vaddr_t address, struct region_info *out)
{
	const struct region *region;

	mutex_lock(&space->lock);
	region = region_from(&space->regions, address);
	if (region) {
		region_describe(region, out, out->name, sizeof(out->name));
		out->resident_pages = resident_pages(space, region);
	}
	mutex_unlock(&space->lock);
	return region;
}

bool space_next_named(struct space *space, vaddr_t address, struct region_info *out, char *name,
		      size_t name_bytes)
{
	const struct region *region;

	mutex_lock(&space->lock);
	region = region_from(&space->regions, address);
	if (region)
		region_describe(region, out, name, name_bytes);
	mutex_unlock(&space->lock);
	return region;
}

vaddr_t space_next_page(struct space *space, vaddr_t from, vaddr_t end)
{
	mutex_lock(&space->lock);
	while (from < end) {
		unsigned level;
		const pte_t *entry = pagetable_walk(&space->pagetable, from, &level);

		if (entry && pte_read(entry))
			break;
		from = ALIGN_DOWN(from, level_bytes(level)) + level_bytes(level);
	}
	mutex_unlock(&space->lock);
	return MIN(from, end);
}

void space_kinds(struct space *space, struct space_kinds *out)
{
	const struct memory_object *program = NULL;
	const struct region *region;

	*out = (struct space_kinds){0};
	mutex_lock(&space->lock);
	for (region = region_from(&space->regions, 0); region;
	     region = region_from(&space->regions, region->end)) {
		uint64_t npages = (region->end - region->start) >> PAGE_SHIFT;

		if (region->flags & SPACE_STACK)
			out->stack_pages += npages;
		if ((region->prot & (SPACE_EXEC | SPACE_WRITE)) == SPACE_EXEC) {
			/* The program's own code lies below that of its libraries. */
			if (!program)
				program = region->object;
			if (region->object != program)
				out->library_pages += npages;
			out->code_pages += npages;
		}
		if (region->prot & SPACE_WRITE && !(region->flags & SPACE_SHARED))
			out->data_pages += npages;
	}
	mutex_unlock(&space->lock);
}

bool space_find(struct space *space, vaddr_t address, struct region_info *out)
{
	return space_next(space, address, out) && out->start <= address;
}

err_t space_shared_place(struct space *space, vaddr_t address, struct memory_object **object,
			 uint64_t *offset_bytes)
{
	const struct region *region;

	*object = NULL;
	mutex_lock(&space->lock);
	region = space_region_locked(space, address);
	if (region && region->object && region->flags & SPACE_SHARED) {
		*object = memory_object_get(region->object);
		*offset_bytes =
			(region_page(region, address) << PAGE_SHIFT) + (address & (PAGE_SIZE - 1));
	}
	mutex_unlock(&space->lock);
	return region ? 0 : -EFAULT;
}

void space_stats(struct space *space, struct space_stats *out)
{
	mutex_lock(&space->lock);
	*out = (struct space_stats){
		.mapped_pages = space->mapped_pages,
		.mapped_peak_pages = space->mapped_peak_pages,
		.table_pages = space->pagetable.ntables,
		.data_pages = space->data_pages,
		.locked_pages = space->locked_pages,
		.resident_pages = space->resident_pages,
		.in_place_pages = space->in_place_pages,
		.peak_pages = MAX(space->peak_pages, space->resident_pages),
		.faults = space->faults,
		.major_faults = read_once(&space->major_faults),
		.nregions = space->nregions,
	};
	mutex_unlock(&space->lock);
}
