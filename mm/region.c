/*
 * The tree of regions, augmented with the largest gap of each subtree, so that room is found in
 * logarithmic time. Invariant: regions do not overlap; `gap` of each is what lies free between the
 * region below (or USER_MIN) and itself, less the guard gap below a stack.
 */
#include "region.h"

#include <arch/paging.h>
#include <lib/panic.h>
#include <mm/space.h>

static struct region *region_of(struct tree_node *node)
{
	return tree_entry(node, struct region, node);
}

bool region_update(struct tree_node *node)
{
	struct region *region = region_of(node);
	uint64_t largest = region->gap;

	if (node->left)
		largest = MAX(largest, region_of(node->left)->max_gap);
	if (node->right)
		largest = MAX(largest, region_of(node->right)->max_gap);
	if (region->max_gap == largest)
		return false;
	region->max_gap = largest;
	return true;
}

struct region *region_next(const struct region *region)
{
	return region_of(tree_next(&region->node));
}

struct region *region_prev(const struct region *region)
{
	return region_of(tree_prev(&region->node));
}

struct region *region_from(const struct tree *regions, vaddr_t address)
{
	struct tree_node *node = regions->root;
	struct region *best = NULL;

	while (node) {
		struct region *region = region_of(node);

		if (region->end > address) {
			best = region;
			if (region->start <= address)
				break;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return best;
}

static uint64_t guard_gap(const struct region *region)
{
	return region->flags & SPACE_STACK ? SPACE_STACK_GUARD_GAP : 0;
}

static uint64_t gap_below(const struct region *region, const struct region *below)
{
	vaddr_t from = below ? below->end : USER_MIN;
	uint64_t guard = guard_gap(region);

	return region->start > from + guard ? region->start - from - guard : 0;
}

static void set_gap(struct tree *regions, struct region *region, const struct region *below)
{
	region->gap = gap_below(region, below);
	tree_update(regions, &region->node);
}

void region_link(struct tree *regions, struct region *region)
{
	struct tree_node **at = &regions->root;
	struct tree_node *parent = NULL;
	struct region *below = NULL;
	struct region *next = NULL;

	while (*at) {
		parent = *at;
		if (region->start < region_of(parent)->start) {
			next = region_of(parent);
			at = &parent->left;
		} else {
			below = region_of(parent);
			at = &parent->right;
		}
	}
	region->gap = gap_below(region, below);
	region->max_gap = 0;
	tree_insert(regions, &region->node, parent, at);
	if (next)
		set_gap(regions, next, region);
}

void region_unlink(struct tree *regions, struct region *region)
{
	struct region *below = region_prev(region);
	struct region *next = region_next(region);

	tree_remove(regions, &region->node);
	if (next)
		set_gap(regions, next, below);
}

void region_resize(struct tree *regions, struct region *region, vaddr_t end)
{
	struct region *next = region_next(region);

	debug_assert(region->start < end);
	region->end = end;
	if (next)
		set_gap(regions, next, region);
}

void region_lower(struct tree *regions, struct region *region, vaddr_t start)
{
	debug_assert(start <= region->start && !region->object);
	region->start = start;
	set_gap(regions, region, region_prev(region));
}

/* No gap changes: the two touch, and what is above still follows upon the same end. */
void region_split(struct tree *regions, struct region *region, vaddr_t at, struct region *upper)
{
	struct tree_node *parent = &region->node;
	struct tree_node **where = &region->node.right;

	region_copy_from(region, at, upper);
	region->end = at;
	while (*where) {
		parent = *where;
		where = &parent->left;
	}
	tree_insert(regions, &upper->node, parent, where);
}

void region_join(struct tree *regions, struct region *lower, struct region *upper)
{
	lower->end = upper->end;
	tree_remove(regions, &upper->node);
}

bool region_is_free(const struct tree *regions, vaddr_t start, vaddr_t end)
{
	const struct region *region = region_from(regions, start);

	return !region || region->start >= end;
}

static vaddr_t place_in(vaddr_t from, vaddr_t to, uint64_t len_bytes, vaddr_t low, vaddr_t top)
{
	from = MAX(from, low);
	to = MIN(to, top);
	return from < to && to - from >= len_bytes ? to - len_bytes : 0;
}

/* Right before left, and not into subtrees without room: the depth of the tree is the depth of the
 * calls. */
static vaddr_t find_below(struct tree_node *node, uint64_t len_bytes, vaddr_t low, vaddr_t top)
{
	const struct region *region = region_of(node);
	vaddr_t gap_end;
	vaddr_t found = 0;

	if (!node || region->max_gap < len_bytes)
		return 0;
	if (region->end < top)
		found = find_below(node->right, len_bytes, low, top);
	if (found)
		return found;
	gap_end = region->start - guard_gap(region);
	if (region->gap)
		found = place_in(gap_end - region->gap, gap_end, len_bytes, low, top);
	return found ? found : find_below(node->left, len_bytes, low, top);
}

vaddr_t region_find_gap(const struct tree *regions, uint64_t len_bytes, vaddr_t low, vaddr_t top)
{
	const struct region *last = region_of(tree_last(regions));
	vaddr_t found = place_in(last ? last->end : low, top, len_bytes, low, top);

	return found ? found : find_below(regions->root, len_bytes, low, top);
}

bool region_mergeable(const struct region *lower, const struct region *upper)
{
	return lower->end == upper->start && lower->prot == upper->prot &&
	       lower->max_prot == upper->max_prot && lower->flags == upper->flags &&
	       lower->object == upper->object && lower->name == upper->name &&
	       (!lower->object || region_page(lower, lower->end) == upper->page_offset);
}

void region_copy_from(const struct region *region, vaddr_t at, struct region *copy)
{
	*copy = *region;
	copy->node = (struct tree_node){0};
	copy->place = (struct place_link){0};
	copy->gap = 0;
	copy->max_gap = 0;
	copy->start = at;
	copy->page_offset = region_page(region, at);
}
