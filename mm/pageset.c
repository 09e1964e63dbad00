/*
 * Sparse rows of frames: a balanced tree of chunks with 32 neighbouring pages each. Invariant: a
 * chunk holds at least one page, and marks none that it does not hold; npages and nmarked are the
 * numbers of all.
 */
#include <mm/pageset.h>

#include <lib/panic.h>
#include <mm/slab.h>

#include <abi/errno.h>

#define CHUNK_PAGES 32

struct pageset_chunk {
	struct tree_node node;
	uint64_t first; /* a multiple of CHUNK_PAGES */
	uint32_t used;
	uint32_t marks; /* a bit for each page */
	struct frame *frames[CHUNK_PAGES];
};
_Static_assert(CHUNK_PAGES == 32, "marks has a bit for each");

SLAB_CACHE(chunk_cache, struct pageset_chunk);

static struct pageset_chunk *chunk_of(struct tree_node *node)
{
	return tree_entry(node, struct pageset_chunk, node);
}

void pageset_init(struct pageset *set)
{
	*set = (struct pageset){0};
}

/* The chunk around a page; where it would hang if there is none. */
static struct pageset_chunk *find_chunk(const struct pageset *set, uint64_t page_index,
					struct tree_node **parent, struct tree_node ***where)
{
	uint64_t first = ALIGN_DOWN(page_index, CHUNK_PAGES);
	struct tree_node *const *at = &set->chunks.root;

	*parent = NULL;
	while (*at) {
		struct pageset_chunk *chunk = chunk_of(*at);

		if (chunk->first == first)
			return chunk;
		*parent = *at;
		at = first < chunk->first ? &(*parent)->left : &(*parent)->right;
	}
	*where = (struct tree_node **)at;
	return NULL;
}

struct frame *pageset_find(const struct pageset *set, uint64_t page_index)
{
	struct tree_node *parent;
	struct tree_node **where;
	const struct pageset_chunk *chunk = find_chunk(set, page_index, &parent, &where);

	return chunk ? chunk->frames[page_index % CHUNK_PAGES] : NULL;
}

err_t pageset_add(struct pageset *set, uint64_t page_index, struct frame *frame)
{
	struct tree_node *parent;
	struct tree_node **where;
	struct pageset_chunk *chunk = find_chunk(set, page_index, &parent, &where);

	if (!chunk) {
		chunk = slab_alloc_zeroed(&chunk_cache);
		if (!chunk)
			return -ENOMEM;
		chunk->first = ALIGN_DOWN(page_index, CHUNK_PAGES);
		tree_insert(&set->chunks, &chunk->node, parent, where);
	}
	chunk->frames[page_index % CHUNK_PAGES] = frame;
	chunk->used++;
	set->npages++;
	return 0;
}

static bool is_marked(const struct pageset_chunk *chunk, uint64_t i)
{
	return chunk->marks & (1u << i);
}

static void drop_frame(struct pageset *set, struct pageset_chunk *chunk, uint64_t i)
{
	frame_put(chunk->frames[i]);
	chunk->frames[i] = NULL;
	chunk->used--;
	set->npages--;
	if (is_marked(chunk, i)) {
		chunk->marks &= ~(1u << i);
		set->nmarked--;
	}
}

static void free_if_empty(struct pageset *set, struct pageset_chunk *chunk)
{
	if (chunk->used)
		return;
	tree_remove(&set->chunks, &chunk->node);
	slab_free(&chunk_cache, chunk);
}

static void cut_chunk(struct pageset *set, struct pageset_chunk *chunk, uint64_t first,
		      uint64_t end, bool marked_too)
{
	for (uint64_t i = 0; i < CHUNK_PAGES; i++) {
		if (chunk->frames[i] && chunk->first + i >= first && chunk->first + i < end &&
		    (marked_too || !is_marked(chunk, i)))
			drop_frame(set, chunk, i);
	}
	free_if_empty(set, chunk);
}

uint64_t pageset_drop_unused(struct pageset *set)
{
	struct pageset_chunk *chunk = chunk_of(tree_first(&set->chunks));
	uint64_t before = set->npages;

	while (chunk) {
		struct pageset_chunk *next = chunk_of(tree_next(&chunk->node));

		for (uint64_t i = 0; i < CHUNK_PAGES; i++) {
			/* Who wants one more reference asks the set's owner, who is the caller. */
			if (chunk->frames[i] && !is_marked(chunk, i) &&
			    !frame_is_shared(chunk->frames[i]))
				drop_frame(set, chunk, i);
		}
		free_if_empty(set, chunk);
		chunk = next;
	}
	return before - set->npages;
}

static void cut(struct pageset *set, uint64_t first, uint64_t end, bool marked_too)
{
	struct pageset_chunk *chunk = chunk_of(tree_last(&set->chunks));

	while (chunk && chunk->first + CHUNK_PAGES > first) {
		struct pageset_chunk *lower = chunk_of(tree_prev(&chunk->node));

		cut_chunk(set, chunk, first, end, marked_too);
		chunk = lower;
	}
}

void pageset_cut(struct pageset *set, uint64_t first, uint64_t end)
{
	cut(set, first, end, true);
}

void pageset_cut_unmarked(struct pageset *set, uint64_t first, uint64_t end)
{
	cut(set, first, end, false);
}

/* ---- marks ---- */

bool pageset_mark(struct pageset *set, uint64_t page_index)
{
	struct tree_node *parent;
	struct tree_node **where;
	struct pageset_chunk *chunk = find_chunk(set, page_index, &parent, &where);

	debug_assert(chunk && chunk->frames[page_index % CHUNK_PAGES]);
	if (is_marked(chunk, page_index % CHUNK_PAGES))
		return false;
	chunk->marks |= 1u << page_index % CHUNK_PAGES;
	set->nmarked++;
	return true;
}

bool pageset_unmark(struct pageset *set, uint64_t page_index)
{
	struct tree_node *parent;
	struct tree_node **where;
	struct pageset_chunk *chunk = find_chunk(set, page_index, &parent, &where);

	if (!chunk || !is_marked(chunk, page_index % CHUNK_PAGES))
		return false;
	chunk->marks &= ~(1u << page_index % CHUNK_PAGES);
	set->nmarked--;
	return true;
}

/* The first chunk that ends behind a page. */
static struct pageset_chunk *chunk_from(const struct pageset *set, uint64_t page_index)
{
	struct tree_node *at = set->chunks.root;
	struct pageset_chunk *found = NULL;

	while (at) {
		struct pageset_chunk *chunk = chunk_of(at);

		if (chunk->first + CHUNK_PAGES > page_index) {
			found = chunk;
			at = at->left;
		} else {
			at = at->right;
		}
	}
	return found;
}

struct frame *pageset_next_marked(const struct pageset *set, uint64_t *page_index)
{
	struct pageset_chunk *chunk = set->nmarked ? chunk_from(set, *page_index) : NULL;

	while (chunk) {
		uint32_t marks = chunk->marks;

		if (chunk->first < *page_index)
			marks &= ~0u << (*page_index - chunk->first);
		if (marks) {
			unsigned i = (unsigned)__builtin_ctz(marks);

			*page_index = chunk->first + i;
			return chunk->frames[i];
		}
		chunk = chunk_of(tree_next(&chunk->node));
	}
	return NULL;
}
