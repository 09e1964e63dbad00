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

/* A whole page, which takes a reference; there is none at that place. -ENOMEM. */
err_t must_check node_pages_add_locked(struct node_pages *pages, uint64_t index,
				       struct frame *frame) REQUIRES(pages->lock);
/* Pages were added: those of the file are the youngest, and the oldest go if there are too many.
 */
void node_pages_filled(struct node_pages *pages);

/* Pages on their way. */
struct fill {
	struct page_fill io;
	struct refcount references; /* the server's and those of who waits */
	struct list link;           /* [l] or nowhere: it does not go into the cache */
	struct node *node;          /* [c] a reference */
	uint64_t version;           /* [c] before the server was asked */
	bool over;                  /* atomic: released after `result` */
	ssize_t result;             /* bytes, or an error */
	struct frame *frames[];     /* [c] a reference each */
};

/* With frames of its own, for the server and for the caller. NULL: no memory. */
struct fill *pages_fill_create(struct node *node, uint64_t first, uint32_t npages);
void pages_fill_put(struct fill *fill);
/* Asks the server, once. */
void pages_fill_start(struct file *file, struct fill *fill);
/* Its error, or -EINTR, -ETIMEDOUT. */
err_t must_check pages_fill_wait(struct node_pages *pages, struct fill *fill);

/* pages_direct.c */
ssize_t must_check pages_read_direct(struct file *file, struct node_pages *pages,
				     struct buffer *buffer, uint64_t offset);

#endif
