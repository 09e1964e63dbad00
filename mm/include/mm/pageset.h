/*
 * Frames by page number, sparse: the pages that a memory object has. No lock of its own.
 */
#ifndef MM_PAGESET_H
#define MM_PAGESET_H

#include <lib/tree.h>
#include <mm/frame.h>

struct pageset {
	struct tree chunks; /* struct pageset_chunk by first page */
	uint64_t npages;
	uint64_t nmarked; /* of those: what their owner marked */
};

void pageset_init(struct pageset *set);
/* NULL: there is none. */
struct frame *pageset_find(const struct pageset *set, uint64_t page_index);
/* Takes over the caller's reference. The place is empty. -ENOMEM: nothing was taken. */
err_t must_check pageset_add(struct pageset *set, uint64_t page_index, struct frame *frame);
/* Drops the references of all pages from `first` on, before `end`. */
void pageset_cut(struct pageset *set, uint64_t first, uint64_t end);
/* The same but for those that are marked. */
void pageset_cut_unmarked(struct pageset *set, uint64_t first, uint64_t end);
/* The same for those that nobody else has a reference to. How many went. */
uint64_t pageset_drop_unused(struct pageset *set);

/* Of a page that is there. False: it was marked already. */
bool pageset_mark(struct pageset *set, uint64_t page_index);
/* False: it was not. */
bool pageset_unmark(struct pageset *set, uint64_t page_index);
/* The first marked page from *page_index on, which *page_index is then. NULL: there is none. */
struct frame *pageset_next_marked(const struct pageset *set, uint64_t *page_index);

#endif
