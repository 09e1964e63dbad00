/*
 * What the pages of a region are: for smaps and status of /proc. A frame's references say who else
 * maps it: each mapping has one, and the object whose page it is another one. Requests and copies
 * in progress have some as well, so a page may pass for shared for a moment.
 */
#include "huge.h"
#include "space_priv.h"

#include <mm/frame.h>

/* How many spaces map the page of this entry; 0: nobody counts. */
static int64_t mappers(const struct region *region, pte_t entry)
{
	bool is_objects = region->object && !(pte_flags(entry) & PAGE_SOFT_COPY);
	int64_t nrefs;

	if (pte_flags(entry) & PAGE_SOFT_KEEP)
		return 0;
	nrefs = read_once(&frame_from_phys(pte_frame(entry))->refs);
	return MAX(nrefs - is_objects, INT64_C(1));
}

/* The object's page, and not a copy of it, is dirty if this space may write to it by now. */
static bool is_dirty(const struct region *region, pte_t entry)
{
	unsigned flags = pte_flags(entry);

	if (!region->object || flags & PAGE_SOFT_COPY)
		return true;
	return region->flags & SPACE_SHARED && flags & PAGE_WRITE;
}

static void add_kind(const struct region *region, pte_t entry, uint64_t npages, uint64_t part_bytes,
		     struct space_usage *sum)
{
	if (!region->object || pte_flags(entry) & PAGE_SOFT_COPY) {
		sum->anonymous += npages;
		sum->proportional_anonymous_bytes += part_bytes;
	} else if (region->object->ops->identity) {
		sum->file += npages;
		sum->proportional_file_bytes += part_bytes;
	} else {
		sum->shmem += npages;
		sum->proportional_shmem_bytes += part_bytes;
	}
}

static void add_entry(const struct region *region, pte_t entry, uint64_t npages,
		      struct space_usage *sum)
{
	int64_t nmappers = mappers(region, entry);
	bool dirty = is_dirty(region, entry);
	uint64_t part_bytes = npages * PAGE_SIZE / (uint64_t)MAX(nmappers, INT64_C(1));

	sum->resident += npages;
	add_kind(region, entry, npages, part_bytes, sum);
	if (nmappers == 1)
		*(dirty ? &sum->private_dirty : &sum->private_clean) += npages;
	else
		*(dirty ? &sum->shared_dirty : &sum->shared_clean) += npages;
	sum->proportional_bytes += part_bytes;
	if (region->flags & SPACE_LOCKED)
		sum->proportional_locked_bytes += part_bytes;
	if (dirty)
		sum->proportional_dirty_bytes += part_bytes;
}

static void add_region(struct space *space, const struct region *region, struct space_usage *sum)
	REQUIRES(space->lock)
{
	for (vaddr_t address = region->start; address < region->end;) {
		unsigned level;
		const pte_t *entry = space_walk(space, address, &level);
		vaddr_t next = ALIGN_DOWN(address, level_bytes(level)) + level_bytes(level);
		uint64_t npages = (MIN(next, region->end) - address) >> PAGE_SHIFT;

		if (entry && pte_read(entry)) {
			add_entry(region, pte_read(entry), npages, sum);
			if (level == 1)
				sum->huge += npages;
		}
		address = next;
	}
	sum->huge_eligible |= huge_is_eligible(space, region);
}

bool space_next_usage(struct space *space, vaddr_t address, struct region_info *out, char *name,
		      size_t name_bytes, struct space_usage *sum)
{
	const struct region *region;

	mutex_lock(&space->lock);
	region = region_from(&space->regions, address);
	if (region) {
		region_describe(region, out, name, name_bytes);
		add_region(space, region, sum);
	}
	mutex_unlock(&space->lock);
	return region;
}

bool space_try_proportional(struct space *space, uint64_t *pages)
{
	struct space_usage sum = {0};
	const struct region *region;

	if (!mutex_trylock(&space->lock))
		return false;
	tree_for_each (region, &space->regions, node)
		add_region(space, region, &sum);
	mutex_unlock(&space->lock);
	*pages = sum.proportional_bytes >> PAGE_SHIFT;
	return true;
}
