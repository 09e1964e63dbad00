/*
 * All files that have pages in the cache: how many pages these are, and who loses its own. They
 * take at most half of memory, and less when that is short: the file that was read the longest ago
 * goes first. `all_lock` (LOCK_PAGES) has the list; the number is atomic.
 */
#include "pages_priv.h"

#include <fusek/figures.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <mm/frame.h>

static MUTEX(all_lock, LOCK_PAGES);
static LIST_HEAD(all_pages);  /* all_lock */
static uint64_t npages_total; /* atomic */

uint64_t node_pages_cached(void)
{
	return read_once(&npages_total);
}

void pages_count(int64_t npages)
{
	(void)atomic_fetch_add_full(&npages_total, (uint64_t)npages);
}

void pages_forget(struct node_pages *pages)
{
	mutex_lock(&all_lock);
	if (list_linked(&pages->all))
		list_del(&pages->all);
	mutex_unlock(&all_lock);
}

void pages_note_filled(struct node_pages *pages)
{
	struct node_pages *oldest;

	mutex_lock(&all_lock);
	if (list_linked(&pages->all))
		list_del(&pages->all);
	list_add_head(&all_pages, &pages->all);
	while (read_once(&npages_total) > frames_total() / 2) {
		oldest = list_last_entry(&all_pages, struct node_pages, all);
		list_del(&oldest->all);
		mutex_lock(&oldest->lock);
		if (!oldest->nwrites) /* or it would be asked for before it is there */
			node_pages_cut_locked(oldest, 0, UINT64_MAX);
		mutex_unlock(&oldest->lock);
		if (oldest == pages)
			break;
	}
	mutex_unlock(&all_lock);
}

/* ---- giving back ---- */

static uint64_t drop_unused(struct node_pages *pages)
{
	uint64_t ndropped;

	if (!mutex_trylock(&pages->lock))
		return 0;
	ndropped = pageset_drop_unused(&pages->pages);
	pages_count(-(int64_t)ndropped);
	mutex_unlock(&pages->lock);
	return ndropped;
}

static uint64_t reclaim_locked(uint64_t nframes) REQUIRES(all_lock);
static uint64_t reclaim_locked(uint64_t nframes)
{
	uint64_t ndropped = 0;

	for (struct list *link = all_pages.prev; link != &all_pages && ndropped < nframes;
	     link = link->prev)
		ndropped += drop_unused(container_of(link, struct node_pages, all));
	return ndropped;
}

uint64_t pages_reclaim(uint64_t nframes)
{
	uint64_t ndropped;

	if (!mutex_trylock(&all_lock))
		return 0;
	ndropped = reclaim_locked(nframes);
	mutex_unlock(&all_lock);
	return ndropped;
}

void page_caches_drop(void)
{
	mutex_lock(&all_lock);
	(void)reclaim_locked(UINT64_MAX);
	mutex_unlock(&all_lock);
}

/* The file that was read the longest ago and still is there, with a reference to its node: it is
 * the youngest now, so that each has its turn. NULL: none. */
static struct node_pages *next_turn(void)
{
	struct node_pages *pages = NULL;

	mutex_lock(&all_lock);
	if (!list_empty(&all_pages)) {
		pages = list_last_entry(&all_pages, struct node_pages, all);
		list_del(&pages->all);
		list_add_head(&all_pages, &pages->all);
		/* One whose node goes just now waits for all_lock to be taken off. */
		if (!refcount_try_get(&pages->node->references))
			pages = NULL;
	}
	mutex_unlock(&all_lock);
	return pages;
}

static uint64_t nfiles(void)
{
	uint64_t n = 0;

	mutex_lock(&all_lock);
	for (const struct list *link = all_pages.next; link != &all_pages; link = link->next)
		n++;
	mutex_unlock(&all_lock);
	return n;
}

/* All that is there now, once. */
static uint64_t reclaim_mapped(uint64_t nframes, bool used_too)
{
	uint64_t ndropped = 0;

	for (uint64_t left = nfiles(); left && ndropped < nframes; left--) {
		struct node_pages *pages = next_turn();

		if (!pages)
			continue;
		mapped_places_reclaim(&pages->node->places, 0, UINT64_MAX, used_too);
		ndropped += drop_unused(pages);
		node_put(pages->node);
	}
	return ndropped;
}

uint64_t pages_reclaim_mapped(uint64_t nframes)
{
	uint64_t ndropped = reclaim_mapped(nframes, false);

	return ndropped < nframes ? ndropped + reclaim_mapped(nframes - ndropped, true) : ndropped;
}

void vfs_sync(struct object *object)
{
	if (!object)
		pages_settle_all(NULL);
	else if (object->ops == &file_ops)
		pages_settle_all(file_of(object)->node->fs);
}

void vfs_write_back(struct object *object, bool wait)
{
	if (object->ops != &file_ops)
		return;
	if (wait)
		node_pages_settle(file_of(object)->node);
	else
		node_pages_begin_write_back(file_of(object)->node);
}
