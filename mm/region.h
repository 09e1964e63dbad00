/*
 * The regions of one address space as pure logic: who lies where, where there is room. Knows
 * addresses and rights, no page tables; the caller serialises and frees.
 */
#ifndef MM_REGION_H
#define MM_REGION_H

#include <lib/list.h>
#include <lib/tree.h>
#include <lib/types.h>

struct memory_object;
struct space;

/* On the list of object->places; the space of a region that is not on one is NULL. */
struct place_link {
	struct list link; /* places->lock */
	struct space *space;
};

/*
 * All under its space's lock once it is in the tree.
 */
struct region {
	struct tree_node node;
	vaddr_t start;
	vaddr_t end;      /* exclusive */
	uint64_t gap;     /* free bytes right below, less the guard gap that is kept there */
	uint64_t max_gap; /* the largest one in this subtree */
	uint8_t prot;     /* enum space_prot */
	uint8_t max_prot;
	uint16_t flags;               /* enum space_flags, those that last */
	struct memory_object *object; /* a reference; NULL: anonymous */
	uint64_t page_offset;         /* of the first page, in the object */
	struct place_link place;      /* attached: mm/places.c */
	const char *name;             /* constant string, or NULL */
	struct region *doomed_next;   /* once it is out of the tree */
};

#define REGION_TREE_INIT TREE_INIT(region_update)
/* The tree's hook. */
bool region_update(struct tree_node *node);

static inline uint64_t region_npages(const struct region *region)
{
	return (region->end - region->start) >> PAGE_SHIFT;
}

/* The page of the object behind an address. */
static inline uint64_t region_page(const struct region *region, vaddr_t address)
{
	return region->page_offset + ((address - region->start) >> PAGE_SHIFT);
}

/* The first region that ends behind `address`: the one around it, or else the next; NULL: none. */
struct region *region_from(const struct tree *regions, vaddr_t address);
struct region *region_next(const struct region *region);
struct region *region_prev(const struct region *region);

/* Its range must be free. */
void region_link(struct tree *regions, struct region *region);
void region_unlink(struct tree *regions, struct region *region);
/* Moves the end of a linked region, within the free room behind it. */
void region_resize(struct tree *regions, struct region *region, vaddr_t end);
/* Moves the start of a linked region that has no object, down into the free room below it. */
void region_lower(struct tree *regions, struct region *region, vaddr_t start);
/* Cuts a linked region in two at `at`: `upper` is filled and linked. */
void region_split(struct tree *regions, struct region *region, vaddr_t at, struct region *upper);
/* Two linked neighbours that touch: `upper` goes into `lower`. */
void region_join(struct tree *regions, struct region *lower, struct region *upper);

/* Nothing in [start, end). */
bool region_is_free(const struct tree *regions, vaddr_t start, vaddr_t end);
/* The highest free place for `len_bytes` in [low, top), guard gaps left free; 0: none. */
vaddr_t region_find_gap(const struct tree *regions, uint64_t len_bytes, vaddr_t low, vaddr_t top);

/* Two that touch could be one. */
bool region_mergeable(const struct region *lower, const struct region *upper);
/* Fills `copy` as the part of `region` from `at` on; neither is linked or unlinked. */
void region_copy_from(const struct region *region, vaddr_t at, struct region *copy);

#endif
