/*
 * The page cache from inside (pages.c, pages_write.c).
 */
#ifndef FUSEK_PAGES_PRIV_H
#define FUSEK_PAGES_PRIV_H

#include "pages.h"

#include <mm/pageset.h>
#include <sched/wait.h>

/*
 *   [c] constant
 *   [l] lock
 *   [g] all_lock
 */
struct node_pages {
	struct mutex lock;    /* LOCK_OBJECT */
	struct pageset pages; /* [l] */
	struct list fills;    /* [l] struct fill */
	uint64_t version;     /* [l] */
	uint32_t nwriters;    /* [l] changes in progress */
	struct waitq filled;  /* a fill is over */
	struct mutex append;  /* LOCK_APPEND: who writes at the end, while the server is asked */
	struct list all;      /* [g] most recently filled first */
};

/* The node's pages, made if there are none. NULL: no memory. */
struct node_pages *node_pages_of(struct node *node);
/* Drops the pages from `first` on, before `end`. */
void node_pages_cut_locked(struct node_pages *pages, uint64_t first, uint64_t end)
	REQUIRES(pages->lock);
/* Around a change of the file by the server: no fill that overlaps it is kept. */
void node_pages_change_begin(struct node_pages *pages);
void node_pages_change_end_locked(struct node_pages *pages) REQUIRES(pages->lock);

#endif
