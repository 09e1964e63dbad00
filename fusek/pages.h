/*
 * The page cache: pages of files whose server is a driver, as far as they have been read. Reading
 * and mapping share them. Built-in servers have their pages in memory anyway and do without.
 */
#ifndef FUSEK_PAGES_H
#define FUSEK_PAGES_H

#include "open_file.h"

/* As read(2) and write(2) at `offset_bytes`, by way of the cache or (SERVER_DIRECT_IO, and
 * for reading O_DIRECT) past it. Sleep; the waits can be killed. */
ssize_t must_check node_pages_read(struct file *file, struct buffer *buffer, uint64_t offset_bytes);
/* *end_bytes: where it ended. O_APPEND goes to the end, one writer at a time. */
ssize_t must_check node_pages_write(struct file *file, struct buffer *buffer, uint64_t offset_bytes,
				    uint64_t *end_bytes);

/* As memory_object_ops.get_page and wait_page. */
err_t must_check node_pages_get(struct file *file, uint64_t page_index, unsigned fault_access,
				struct page_ref *out);
err_t must_check node_pages_wait(struct file *file, uint64_t page_index);

/* What lies from `offset_bytes` on is read anew (len_bytes UINT64_MAX: all of it), in whole pages.
 */
void node_pages_drop(struct node *node, uint64_t offset_bytes, uint64_t len_bytes);
/* What is mapped of the pages [first, end) is asked for again; private copies stay unless
 * `copies_too`. */
void node_unmap(struct node *node, uint64_t first, uint64_t end, bool copies_too);
/* What was changed by mappings goes to the server; waits until it is there (not if the program is
 * killed), and then says what was wrong with any of it since the last time. Sleeps. */
err_t must_check node_pages_write_back(struct node *node);
/* The same, and tells nothing. */
void node_pages_settle(struct node *node);
/* The same of all files of a filesystem (NULL: of all). */
void pages_settle_all(const struct filesystem *fs);
/* The same without waiting. */
void node_pages_begin_write_back(struct node *node);
/* Around a change of the size by the server: nothing is on its way to it meanwhile. -EINTR,
 * -ETIMEDOUT. */
err_t must_check node_pages_freeze(struct node *node);
void node_pages_thaw(struct node *node);
/* The file ends at `size_bytes` now: what is mapped beyond is there no more. */
void node_pages_resize(struct node *node, uint64_t size_bytes);
/* It will grow beyond `size_bytes`: what a mapping has written behind the end is no part of it. */
void node_pages_clear_tail(struct node *node, uint64_t size_bytes);
/* With the node's last reference. */
void node_pages_free(struct node *node);

/* ---- what a driver puts in and takes out (pages_exchange.c) ---- */

/* The file has these bytes; whole pages, and what goes into those that are there already, are kept.
 * -EFAULT, -ENOMEM. Sleeps. */
err_t must_check node_pages_store(struct node *node, struct buffer *buffer, uint64_t offset_bytes,
				  uint32_t len_bytes);
/* A copy, from the beginning of the first frame on, of what is cached without a gap from there; how
 * many bytes, at most `len_bytes`. */
uint32_t node_pages_copy_out(struct node *node, uint64_t offset_bytes, uint32_t len_bytes,
			     struct frame *const *frames);

/* Drops about `nframes` pages that are cached and not in use, those of files that were read the
 * longest ago first. How many it was. Takes no lock that it would have to wait for. */
uint64_t pages_reclaim(uint64_t nframes);
/* The same with those that are mapped, and sleeps: they are taken out of their spaces, at first
 * those that nobody has used for a while. */
uint64_t pages_reclaim_mapped(uint64_t nframes);

#endif
