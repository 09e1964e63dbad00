/*
 * A copy of a space: the same regions, the same frames, and no right to write to the private ones
 * until somebody tries. Costs what the parent has mapped. The parent is locked for the whole time;
 * nobody else knows the child yet, so it is not.
 */
#include "space_priv.h"

#include <mm/frame.h>
#include <mm/slab.h>

#include <abi/errno.h>

/* The child's entry, and the parent's from now on. */
static pte_t shared_entry(const struct region *region, pte_t entry)
{
	unsigned flags = pte_flags(entry);
	pte_t shared;

	if (region->flags & SPACE_SHARED || flags & PAGE_SOFT_KEEP)
		return entry;
	shared = pte_make(pte_frame(entry), (flags & ~(unsigned)PAGE_WRITE) | PAGE_SOFT_COW, 0);
	return pte_hidden(entry) ? pte_hide(shared) : shared;
}

/* The entries of one table from `entry` on. */
static err_t fork_table(struct space *parent, struct space *child, const struct region *region,
			vaddr_t address, vaddr_t stop, pte_t *entry) NO_THREAD_SAFETY
{
	pte_t *to = NULL;

	for (; address < stop; address += PAGE_SIZE, entry++, to = to ? to + 1 : NULL) {
		pte_t value = pte_read(entry);

		if (!value)
			continue;
		if (!to)
			to = pagetable_walk_alloc(&child->pagetable, address, 0);
		if (!to)
			return -ENOMEM;
		value = shared_entry(region, value);
		if (pte_flags(value) & PAGE_SOFT_KEEP) {
			child->in_place_pages++;
		} else {
			frame_get(frame_from_phys(pte_frame(value)));
			child->resident_pages++;
		}
		pte_exchange(entry, value);
		pte_exchange(to, value);
	}
	return 0;
}

static err_t fork_pages(struct space *parent, struct space *child,
			const struct region *region) NO_THREAD_SAFETY
{
	vaddr_t address = region->start;
	err_t err = 0;
	pte_t *entry;

	while (!err && (entry = space_next_table(parent, &address, region->end, NULL))) {
		vaddr_t stop = space_table_end(address, region->end);

		err = fork_table(parent, child, region, address, stop, entry);
		address = stop;
	}
	return err;
}

static err_t fork_region(struct space *parent, struct space *child,
			 const struct region *region) NO_THREAD_SAFETY
{
	struct region *copy;

	if (region->flags & SPACE_NO_FORK)
		return 0;
	if (region_commit_check(region))
		return -ENOMEM;
	copy = region_alloc();
	if (!copy)
		return -ENOMEM;
	region_copy_from(region, region->start, copy);
	copy->flags &= (uint16_t)~SPACE_LOCKED; /* locks are the parent's */
	if (copy->object)
		memory_object_get(copy->object);
	region_link(&child->regions, copy);
	child->nregions++;
	space_count_locked(child, copy, (int64_t)region_npages(copy));
	return region->flags & SPACE_WIPE_FORK ? 0 : fork_pages(parent, child, region);
}

err_t space_fork(struct space *parent, struct space **out) NO_THREAD_SAFETY
{
	struct region *region;
	struct space *child;
	err_t err = space_create(&child, parent->map_top);

	if (err)
		return err;
	space_inherit_refusal(child, parent);
	mutex_lock(&parent->lock);
	child->brk_start = parent->brk_start;
	child->brk_end = parent->brk_end;
	child->limits = parent->limits;
	child->no_huge = read_once(&parent->no_huge);
	child->barriers = read_once(&parent->barriers);
	tree_for_each (region, &parent->regions, node) {
		err = fork_region(parent, child, region);
		if (err)
			break;
	}
	/* Only now can others find the child's pages: there is nothing that they could miss. */
	if (!err) {
		tree_for_each (region, &child->regions, node)
			places_attach_locked(child, region);
		space_watch_locked(child);
	}
	/* The parent has lost rights, even if it came to nothing. */
	tlb_flush_all(&parent->pagetable);
	mutex_unlock(&parent->lock);
	if (err)
		space_put(child);
	else
		*out = child;
	return err;
}
