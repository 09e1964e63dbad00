/*
 * A radix tree of pages: tables of 512, as many levels as the highest page needs. A table that has
 * become empty is freed.
 */
#include "pages.h"

#include <stdlib.h>

#define BITS  9
#define SLOTS (1u << BITS)

struct table {
	unsigned n; /* slots in use */
	void *slots[SLOTS];
};

bool quota_take(struct quota *quota)
{
	if (atomic_fetch_add(&quota->used, 1) < quota->limit)
		return true;
	atomic_fetch_sub(&quota->used, 1);
	return false;
}

void quota_give(struct quota *quota, unsigned long n)
{
	atomic_fetch_sub(&quota->used, n);
}

/* Is this index beyond what a tree of this height holds? */
static bool is_beyond(uint64_t index, unsigned height)
{
	return height * BITS < 64 && index >> (height * BITS);
}

static unsigned slot_of(uint64_t index, unsigned height)
{
	return (unsigned)(index >> ((height - 1) * BITS)) & (SLOTS - 1);
}

char *pages_get(const struct pages *pages, uint64_t index)
{
	void *at = pages->root;

	if (is_beyond(index, pages->height))
		return NULL;
	for (unsigned height = pages->height; at && height; height--)
		at = ((struct table *)at)->slots[slot_of(index, height)];
	return at;
}

/* One more level above all. */
static bool make_higher(struct pages *pages)
{
	struct table *table;

	if (pages->root) {
		table = calloc(1, sizeof(*table));
		if (!table)
			return false;
		table->slots[0] = pages->root;
		table->n = 1;
		pages->root = table;
	}
	pages->height++;
	return true;
}

/* Frees what has become empty on the way to `index`, below *at, and that itself. */
static void prune(void **at, unsigned height, uint64_t index)
{
	struct table *table = *at;
	void **slot;

	if (!table || !height)
		return;
	slot = &table->slots[slot_of(index, height)];
	if (*slot) {
		prune(slot, height - 1, index);
		if (!*slot)
			table->n--;
	}
	if (!table->n) {
		free(table);
		*at = NULL;
	}
}

char *pages_make(struct pages *pages, struct quota *quota, uint64_t index, bool *full)
{
	char *page = pages_get(pages, index);
	void **at = &pages->root;
	struct table *above = NULL;

	*full = false;
	if (page)
		return page;
	*full = !quota_take(quota);
	if (*full)
		return NULL;
	while (is_beyond(index, pages->height)) {
		if (!make_higher(pages))
			goto no_memory;
	}
	for (unsigned height = pages->height;; height--) {
		if (!*at) {
			*at = calloc(1, height ? sizeof(struct table) : PAGE_BYTES);
			if (!*at)
				goto no_memory;
			if (above)
				above->n++;
		}
		if (!height)
			break;
		above = *at;
		at = &above->slots[slot_of(index, height)];
	}
	pages->n++;
	return *at;

no_memory:
	prune(&pages->root, pages->height, index);
	quota_give(quota, 1);
	return NULL;
}

/* Those of a subtree whose first page is `base`. */
static void drop(struct pages *pages, struct quota *quota, void **at, unsigned height,
		 uint64_t base, uint64_t first, uint64_t last)
{
	struct table *table = *at;
	uint64_t step;
	unsigned i;

	if (!height) {
		free(*at);
		*at = NULL;
		pages->n--;
		quota_give(quota, 1);
		return;
	}
	step = UINT64_C(1) << ((height - 1) * BITS);
	i = first > base ? (unsigned)((first - base) / step) : 0;
	for (; i < SLOTS && table->n && base + i * step <= last; i++) {
		if (!table->slots[i])
			continue;
		drop(pages, quota, &table->slots[i], height - 1, base + i * step, first, last);
		table->n -= !table->slots[i];
	}
	if (!table->n) {
		free(table);
		*at = NULL;
	}
}

void pages_drop(struct pages *pages, struct quota *quota, uint64_t first, uint64_t last)
{
	if (pages->root && first <= last && !is_beyond(first, pages->height))
		drop(pages, quota, &pages->root, pages->height, 0, first, last);
	if (!pages->root)
		pages->height = 0;
}

static uint64_t next(const void *at, unsigned height, uint64_t base, uint64_t index)
{
	const struct table *table = at;
	uint64_t step, found;

	if (!height)
		return base;
	step = UINT64_C(1) << ((height - 1) * BITS);
	for (unsigned i = index > base ? (unsigned)((index - base) / step) : 0; i < SLOTS; i++) {
		if (!table->slots[i])
			continue;
		found = next(table->slots[i], height - 1, base + i * step, index);
		if (found != PAGE_NONE)
			return found;
	}
	return PAGE_NONE;
}

uint64_t pages_next(const struct pages *pages, uint64_t index)
{
	if (!pages->root || is_beyond(index, pages->height))
		return PAGE_NONE;
	return next(pages->root, pages->height, 0, index);
}
