/*
 * The pages of tmpfs files, and how much memory all of them may take. A table entry is NULL, or the
 * next table, or at the lowest level a page's frame, of which the tree owns one reference; mappings
 * and copies in progress own others, so a page that is cut off lives until they are done.
 */
#include "inode.h"

#include <fusek/figures.h>
#include <lib/string.h>
#include <mm/commit.h>
#include <mm/slab.h>

#define TABLE_SHIFT 9
#define TABLE_SLOTS (1u << TABLE_SHIFT)

struct table {
	void *slots[TABLE_SLOTS];
};
_Static_assert(sizeof(struct table) <= KMALLOC_MAX, "a table is one block of the heap");

static uint64_t frames_used; /* atomic: of all tmpfs together */
static uint64_t inodes_used; /* atomic */
static uint64_t data_frames; /* atomic: of frames_used, those of files */

uint64_t tmpfs_frames_max(void)
{
	return frames_total() / 2;
}

/* Within what all of them share, and what this one may. */
static err_t charge(uint64_t *all, uint64_t *used, const uint64_t *max)
{
	uint64_t limit = read_once(max);

	if (atomic_fetch_add_full(all, 1) >= tmpfs_frames_max()) {
		(void)atomic_fetch_sub_full(all, 1);
		return -ENOSPC;
	}
	if (atomic_fetch_add_full(used, 1) < limit || !limit)
		return 0;
	(void)atomic_fetch_sub_full(used, 1);
	(void)atomic_fetch_sub_full(all, 1);
	return -ENOSPC;
}

static uint64_t below(uint64_t limit, uint64_t used)
{
	return limit - MIN(used, limit);
}

static uint64_t left(uint64_t all, uint64_t used, uint64_t limit)
{
	uint64_t in_all = below(tmpfs_frames_max(), all), here = below(limit, used);

	return limit ? MIN(in_all, here) : in_all;
}

/* As Linux: no more files than pages. */
err_t tmpfs_inode_charge(struct tmpfs_room *room)
{
	return charge(&inodes_used, &room->inodes_used, &room->inodes_max);
}

void tmpfs_inode_uncharge(struct tmpfs_room *room)
{
	(void)atomic_fetch_sub_full(&room->inodes_used, 1);
	(void)atomic_fetch_sub_full(&inodes_used, 1);
}

uint64_t tmpfs_inodes_left(const struct tmpfs_room *room)
{
	return left(read_once(&inodes_used), read_once(&room->inodes_used),
		    read_once(&room->inodes_max));
}

err_t tmpfs_page_charge(struct tmpfs_room *room)
{
	return charge(&frames_used, &room->frames_used, &room->frames_max);
}

void tmpfs_page_uncharge(struct tmpfs_room *room)
{
	(void)atomic_fetch_sub_full(&room->frames_used, 1);
	(void)atomic_fetch_sub_full(&frames_used, 1);
}

uint64_t tmpfs_pages_left(const struct tmpfs_room *room)
{
	return left(read_once(&frames_used), read_once(&room->frames_used),
		    read_once(&room->frames_max));
}

/* As on Linux each page is promised memory from when it is there. */
err_t tmpfs_frame_alloc(struct tmpfs_room *room, struct frame **out)
{
	err_t err = commit_check(1) ? -ENOSPC : tmpfs_page_charge(room);

	if (err)
		return err;
	*out = frame_alloc(0, FRAME_ZERO | FRAME_PROGRAM);
	if (!*out) {
		tmpfs_page_uncharge(room);
		return -ENOMEM;
	}
	commit_add(1);
	(void)atomic_fetch_add_full(&data_frames, 1);
	return 0;
}

void tmpfs_frame_free(struct tmpfs_room *room, struct frame *frame)
{
	frame_put(frame);
	commit_add(-1);
	(void)atomic_fetch_sub_full(&data_frames, 1);
	tmpfs_page_uncharge(room);
}

uint64_t tmpfs_pages_used(void)
{
	return read_once(&data_frames);
}

/* A table is the share's: what a tmpfs was told that it may hold are pages of files. */
static struct tmpfs_room tables;

static err_t table_alloc(struct tmpfs_pages *pages, struct table **out)
{
	err_t err = tmpfs_page_charge(&tables);

	if (err)
		return err;
	*out = kzalloc(sizeof(**out));
	if (!*out) {
		tmpfs_page_uncharge(&tables);
		return -ENOMEM;
	}
	write_once(&pages->nframes, pages->nframes + 1);
	return 0;
}

static void table_free(struct tmpfs_pages *pages, struct table *table)
{
	kfree(table);
	tmpfs_page_uncharge(&tables);
	write_once(&pages->nframes, pages->nframes - 1);
}

void tmpfs_pages_init(struct tmpfs_pages *pages, struct tmpfs_room *room)
{
	*pages = (struct tmpfs_pages){.room = room};
	mutex_init(&pages->lock, LOCK_OBJECT);
}

/* Pages that a tree of this height reaches. */
static uint64_t reach(unsigned height)
{
	return UINT64_C(1) << (TABLE_SHIFT * height);
}

static unsigned slot_of(uint64_t index, unsigned level)
{
	return (index >> (TABLE_SHIFT * (level - 1))) & (TABLE_SLOTS - 1);
}

struct frame *tmpfs_pages_find_locked(const struct tmpfs_pages *pages, uint64_t index)
{
	void *at = pages->root;

	if (index >= reach(pages->height))
		return NULL;
	for (unsigned level = pages->height; at && level; level--)
		at = ((struct table *)at)->slots[slot_of(index, level)];
	return at;
}

/* Puts tables above the root until it reaches `index`. */
static err_t grow(struct tmpfs_pages *pages, uint64_t index) REQUIRES(pages->lock);
static err_t grow(struct tmpfs_pages *pages, uint64_t index)
{
	while (index >= reach(pages->height)) {
		struct table *table;
		err_t err;

		if (!pages->root) {
			pages->height++;
			continue;
		}
		err = table_alloc(pages, &table);
		if (err)
			return err;
		table->slots[0] = pages->root;
		pages->root = table;
		pages->height++;
	}
	return 0;
}

err_t tmpfs_pages_add_locked(struct tmpfs_pages *pages, uint64_t index, struct frame *frame)
{
	void **slot = &pages->root;
	err_t err = grow(pages, index);

	for (unsigned level = pages->height; !err && level; level--) {
		if (!*slot) {
			struct table *table;

			err = table_alloc(pages, &table);
			if (err)
				return err;
			*slot = table;
		}
		slot = &((struct table *)*slot)->slots[slot_of(index, level)];
	}
	if (err)
		return err;
	debug_assert(!*slot);
	*slot = frame;
	write_once(&pages->nframes, pages->nframes + 1);
	return 0;
}

/* Empties [first, end) (counted from this subtree's beginning); at most TMPFS_HEIGHT_MAX deep.
 * True: nothing is left in it. */
static bool cut_subtree(struct tmpfs_pages *pages, void **at, unsigned level, uint64_t first,
			uint64_t end) REQUIRES(pages->lock);
static bool cut_subtree(struct tmpfs_pages *pages, void **at, unsigned level, uint64_t first,
			uint64_t end)
{
	struct table *table = *at;
	bool empty = true;

	if (!*at)
		return true;
	if (level == 0) {
		if (first || !end)
			return false;
		tmpfs_frame_free(pages->room, *at);
		write_once(&pages->nframes, pages->nframes - 1);
		*at = NULL;
		return true;
	}
	for (unsigned slot = 0; slot < TABLE_SLOTS; slot++) {
		uint64_t begin = slot * reach(level - 1);
		uint64_t from = first > begin ? first - begin : 0;
		uint64_t to = end > begin ? end - begin : 0;

		if (from >= reach(level - 1) || !to) {
			empty = empty && !table->slots[slot];
			continue;
		}
		if (!cut_subtree(pages, &table->slots[slot], level - 1, from, to))
			empty = false;
	}
	if (empty) {
		table_free(pages, table);
		*at = NULL;
	}
	return empty;
}

void tmpfs_pages_cut(struct tmpfs_pages *pages, uint64_t first, uint64_t end)
{
	mutex_lock(&pages->lock);
	if (cut_subtree(pages, &pages->root, pages->height, first, end))
		pages->height = 0;
	mutex_unlock(&pages->lock);
}

/* The same as tmpfs_pages_next_locked() in a subtree, whose beginning is 0; `first` is in it. */
static uint64_t next_in(const void *at, unsigned level, uint64_t first, bool used)
{
	if (!at)
		return used ? UINT64_MAX : first;
	if (level == 0)
		return used ? 0 : UINT64_MAX;
	for (unsigned slot = slot_of(first, level); slot < TABLE_SLOTS; slot++) {
		uint64_t begin = slot * reach(level - 1);
		uint64_t found = next_in(((const struct table *)at)->slots[slot], level - 1,
					 first > begin ? first - begin : 0, used);

		if (found != UINT64_MAX)
			return begin + found;
	}
	return UINT64_MAX;
}

uint64_t tmpfs_pages_next_locked(const struct tmpfs_pages *pages, uint64_t index, bool used)
{
	uint64_t found;

	if (index >= reach(pages->height))
		return used ? UINT64_MAX : index;
	found = next_in(pages->root, pages->height, index, used);
	return !used && found == UINT64_MAX ? reach(pages->height) : found;
}
