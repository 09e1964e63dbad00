/*
 * What is in files: pages that have been written, in a radix tree; where there is none, a file is
 * zero. All of a filesystem's pages are counted against one limit. The caller locks a tree; the
 * count is shared and atomic.
 */
#ifndef MEMFS_PAGES_H
#define MEMFS_PAGES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES 4096
#define PAGE_NONE  UINT64_MAX

/* Something that is limited. */
struct quota {
	atomic_ulong used;
	unsigned long limit;
};

/* False: it is used up. */
bool quota_take(struct quota *quota);
void quota_give(struct quota *quota, unsigned long n);

struct pages {
	void *root;      /* NULL; a page if height is 0; else a table */
	unsigned height; /* tables above a page */
	uint64_t n;
};

/* The page with this index, or NULL. */
char *pages_get(const struct pages *pages, uint64_t index);
/* The same, made of zeros if there is none. NULL: the quota (*full) or the memory is used up. */
char *pages_make(struct pages *pages, struct quota *quota, uint64_t index, bool *full);
/* Frees those from `first` to `last`, inclusive. */
void pages_drop(struct pages *pages, struct quota *quota, uint64_t first, uint64_t last);
/* The first one from `index` on that is there, PAGE_NONE if none is. */
uint64_t pages_next(const struct pages *pages, uint64_t index);

#endif
