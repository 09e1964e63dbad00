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
 *   [a] atomic
 *
 * A page that is marked in the set was changed in memory, and its server does not know
 * (pages_back.c).
 */
struct node_pages {
	struct node *node;    /* [c] whose they are, not counted */
	struct mutex lock;    /* LOCK_OBJECT */
	struct pageset pages; /* [l] */
	struct list fills;    /* [l] struct fill */
	uint64_t version;     /* [l] */
	uint32_t nwriters;    /* [l] changes in progress */
	struct waitq filled;  /* a fill is over */
	struct file *writer;  /* [l] a reference while pages are marked: their changes go by it */
	struct list changed;  /* changed_lock (pages_back.c), while there is a writer */
	uint64_t changed_ns;  /* changed_lock: since when, or since it began to be sent */
	uint64_t synced;      /* changed_lock: the last round that came by */
	struct list writes;   /* [l] struct write_back on their way */
	uint32_t nwrites;     /* [l], read [a]: of these */
	err_t write_error;    /* [l] of one, until somebody is told */
	uint32_t nfrozen;     /* [l] truncations in progress: nothing begins to be written */
	bool write_later;     /* [l] it was to */
	struct waitq written; /* a write is over */
	struct mutex append;  /* LOCK_APPEND: who writes at the end, while the server is asked */
	struct list all;      /* [g] most recently filled first */
};

/* The node's pages, made if there are none. NULL: no memory. */
struct node_pages *node_pages_of(struct node *node);
/* Drops the pages from `first` on, before `end`, but for those that were changed. */
void node_pages_cut_locked(struct node_pages *pages, uint64_t first, uint64_t end)
	REQUIRES(pages->lock);
/* The same with them. */
void node_pages_cut_all_locked(struct node_pages *pages, uint64_t first, uint64_t end)
	REQUIRES(pages->lock);
/* Zeros from `size_bytes` on in the page where that lies, if it is there. */
void pages_clear_tail_locked(struct node_pages *pages, uint64_t size_bytes) REQUIRES(pages->lock);
/* Around a change of the file by the server: no fill that overlaps it is kept, and no page begins
 * to be written back. pages_await_written() is to follow, and pages_thawed() without the lock. */
void node_pages_change_begin(struct node_pages *pages);
void node_pages_change_end_locked(struct node_pages *pages) REQUIRES(pages->lock);

/* A whole page, which takes a reference; there is none at that place. -ENOMEM. */
err_t must_check node_pages_add_locked(struct node_pages *pages, uint64_t index,
				       struct frame *frame) REQUIRES(pages->lock);

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

/* With frames of its own; the reference is the caller's. NULL: no memory. */
struct fill *pages_fill_create(struct node *node, uint64_t first, uint32_t npages);
/* The same without: the server brings them. */
struct fill *pages_fill_create_bare(struct node *node, uint64_t first, uint32_t npages);
void pages_fill_put(struct fill *fill);
/* Asks the server, once. */
void pages_fill_start(struct file *file, struct fill *fill);
/* Its error, or -EINTR, -ETIMEDOUT. */
err_t must_check pages_fill_wait(struct node_pages *pages, struct fill *fill);

/* pages_back.c: a page that is there is changed now, through `file`, which is open for writing.
 * MM_WAIT: there are too many of these, node_pages_write_back() first. */
err_t must_check pages_change_locked(struct node_pages *pages, struct file *file, uint64_t index)
	REQUIRES(pages->lock);
/* The same, whether there are too many or not. */
void pages_mark_locked(struct node_pages *pages, struct file *file, uint64_t index)
	REQUIRES(pages->lock);
/* Of the file's, so many were changed that its writer has to wait. */
bool pages_are_many(struct node_pages *pages);
/* What is on its way to the server is there, or the program is killed. */
void pages_await_written(struct node_pages *pages);
/* What was to be written back meanwhile is. */
void pages_thawed(struct node_pages *pages);
/* After a cut: who has changed pages that are gone is not needed. Without the lock. */
void pages_let_writer_go(struct node_pages *pages);

/* pages.c: the page, with a reference; *valid_bytes of it are the file's: fewer at a sudden end, 0
 * beyond. `wanted`: so many from there on will be. */
err_t must_check pages_get(struct file *file, struct node_pages *pages, uint64_t index,
			   uint32_t wanted, struct frame **out, size_t *valid_bytes);
/* pages_later.c: node_pages_write() of files that are ahead of their server. */
ssize_t must_check pages_write_later(struct file *file, struct node_pages *pages,
				     struct buffer *buffer, uint64_t offset, uint64_t *end_bytes);
/* ---- all of them together (pages_all.c) ---- */

/* `npages` more are in the cache. */
void pages_count(int64_t npages);
/* They were filled: the youngest. The oldest give way if there are too many. */
void pages_note_filled(struct node_pages *pages);
/* They go. */
void pages_forget(struct node_pages *pages);

/* pages_direct.c */
ssize_t must_check pages_read_direct(struct file *file, struct node_pages *pages,
				     struct buffer *buffer, uint64_t offset);

#endif
