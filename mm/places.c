/*
 * Where a file's pages are mapped, and taking them back: when it is cut, or its server says that
 * they are old. Each region of an object that has places is on their list from before it can have
 * pages until it is out of its space.
 *
 * Whoever takes pages back has changed the file first, so a fault that comes later finds what is
 * right; one that came before holds its space's lock until the page is in, and the page is found. A
 * marker goes along the list, so that neither the list's lock is held while a space is locked nor
 * memory is needed; what is added meanwhile stands behind it. A copy of a space stands there, too:
 * it is added when it has all pages, with its parent locked.
 */
#include "space_priv.h"

#include <mm/object.h>

void places_attach_locked(struct space *space, struct region *region)
{
	struct mapped_places *places = region->object ? region->object->places : NULL;

	if (!places)
		return;
	region->place.space = space;
	spin_lock(&places->lock);
	list_add_tail(&places->links, &region->place.link);
	spin_unlock(&places->lock);
	if (region->object->ops->mapped)
		region->object->ops->mapped(region->object);
}

void places_detach(struct region *region)
{
	struct mapped_places *places;

	if (!region->place.space)
		return;
	places = region->object->places;
	spin_lock(&places->lock);
	list_del(&region->place.link);
	spin_unlock(&places->lock);
	region->place.space = NULL;
	if (region->object->ops->unmapped)
		region->object->ops->unmapped(region->object);
}

/* Which pages are taken. */
struct taking {
	uint64_t first, end;
	unsigned clear_flags; /* enum clear_flags */
	bool for_memory;      /* mapped_places_reclaim() */
};

/* What may be written to by way of the region is not to be had again. */
static bool must_stay(const struct region *region)
{
	return region->flags & SPACE_LOCKED ||
	       (region->flags & SPACE_SHARED && region->max_prot & SPACE_WRITE);
}

static void take_pages_locked(struct space *space, const struct region *region,
			      const struct taking *taking) REQUIRES(space->lock);
static void take_pages_locked(struct space *space, const struct region *region,
			      const struct taking *taking)
{
	uint64_t from = MAX(taking->first, region->page_offset);
	uint64_t to = MIN(taking->end, region->page_offset + region_npages(region));
	vaddr_t start = region->start + ((from - region->page_offset) << PAGE_SHIFT);
	vaddr_t end = region->start + ((to - region->page_offset) << PAGE_SHIFT);

	if (from >= to || (taking->for_memory && must_stay(region)))
		return;
	space_clear_pages_locked(space, start, end, taking->clear_flags);
	if (taking->clear_flags & CLEAR_USED_STAY)
		space_age_pages_locked(space, start, end);
}

/* The pages of all regions that belong to `places`. */
static void take_in_space(struct space *space, const struct mapped_places *places,
			  const struct taking *taking)
{
	struct region *region;

	mutex_lock(&space->lock);
	tree_for_each (region, &space->regions, node) {
		if (region->object && region->object->places == places)
			take_pages_locked(space, region, taking);
	}
	mutex_unlock(&space->lock);
}

/* Moves the marker behind the next place of another space than `last`: that space, with a
 * reference; NULL: the end. A space that nobody uses any more empties itself. */
static struct space *next_space_locked(struct mapped_places *places, struct place_link *marker,
				       const struct space *last) REQUIRES(places->lock);
static struct space *next_space_locked(struct mapped_places *places, struct place_link *marker,
				       const struct space *last)
{
	while (marker->link.next != &places->links) {
		struct place_link *next = list_next_entry(marker, link);

		list_del(&marker->link);
		list_add_head(&next->link, &marker->link);
		if (next->space && next->space != last && refcount_try_get(&next->space->refs))
			return next->space;
	}
	return NULL;
}

static void take_everywhere(struct mapped_places *places, const struct taking *taking)
{
	struct place_link marker = {0};
	struct space *last = NULL, *space;

	spin_lock(&places->lock);
	list_add_head(&places->links, &marker.link);
	/* The last one is kept: no other can come to have its address, and be passed over. */
	while ((space = next_space_locked(places, &marker, last))) {
		spin_unlock(&places->lock);
		if (last)
			space_put(last);
		last = space;
		take_in_space(space, places, taking);
		spin_lock(&places->lock);
	}
	list_del(&marker.link);
	spin_unlock(&places->lock);
	if (last)
		space_put(last);
}

void mapped_places_unmap(struct mapped_places *places, uint64_t first, uint64_t end,
			 bool copies_too)
{
	take_everywhere(places,
			&(struct taking){.first = first,
					 .end = end,
					 .clear_flags = copies_too ? 0 : CLEAR_COPIES_STAY});
}

void mapped_places_reclaim(struct mapped_places *places, uint64_t first, uint64_t end,
			   bool used_too)
{
	take_everywhere(places, &(struct taking){.first = first,
						 .end = end,
						 .clear_flags = CLEAR_COPIES_STAY |
								(used_too ? 0u : CLEAR_USED_STAY),
						 .for_memory = true});
}
