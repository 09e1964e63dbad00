/*
 * Writing to files of drivers: through to the server, and into what the page cache has. A chunk of
 * the writer's bytes is copied into frames first, so the driver never waits for its memory; past
 * the cache, where it is all there, the server copies it from where it lies.
 */
#include "pages_priv.h"

#include <lib/string.h>
#include <mm/pressure.h>
#include <mm/slab.h>

/* ---- writing: through to the server, and into what the cache has ---- */

/* The frames of one write. */
struct chunk {
	uint32_t npages;
	uint32_t len_bytes;
	struct frame *frames[];
};

static void chunk_free(struct chunk *chunk)
{
	for (uint32_t i = 0; i < chunk->npages; i++) {
		if (chunk->frames[i])
			frame_put(chunk->frames[i]);
	}
	kfree(chunk);
}

/* The next `len` bytes of the buffer, or as many as are there. */
static err_t chunk_fill(struct buffer *buffer, uint32_t len, struct chunk **out)
{
	uint32_t npages = (uint32_t)(ALIGN_UP((size_t)len, PAGE_SIZE) / PAGE_SIZE);
	struct chunk *chunk = kzalloc(sizeof(*chunk) + npages * sizeof(void *));
	err_t err = -ENOMEM;

	if (!chunk)
		return -ENOMEM;
	chunk->npages = npages;
	for (uint32_t i = 0; i < npages; i++) {
		size_t step = MIN((size_t)len - chunk->len_bytes, PAGE_SIZE);
		size_t moved;

		err = frame_alloc_waiting(0, &chunk->frames[i]);
		if (err)
			goto free_chunk;
		moved = buffer_copy_from(buffer, frame_virt(chunk->frames[i]), step);
		chunk->len_bytes += (uint32_t)moved;
		if (moved < step)
			break;
	}
	err = chunk->len_bytes ? 0 : -EFAULT;
	if (err)
		goto free_chunk;
	*out = chunk;
	return 0;

free_chunk:
	chunk_free(chunk);
	return err;
}

/* The first `len_bytes` of the chunk, now in the file at `offset`, go into the pages we have.
 * False: some are not there; whoever maps one from before does not see the change. */
static bool patch_locked(struct node_pages *pages, const struct chunk *chunk, uint64_t offset,
			 size_t len_bytes) REQUIRES(pages->lock);
static bool patch_locked(struct node_pages *pages, const struct chunk *chunk, uint64_t offset,
			 size_t len_bytes)
{
	size_t done = 0;
	bool all = true;

	while (done < len_bytes) {
		size_t to = (offset + done) % PAGE_SIZE, from = done % PAGE_SIZE;
		size_t room = MIN(PAGE_SIZE - to, PAGE_SIZE - from);
		size_t step = MIN(room, len_bytes - done);
		struct frame *frame = pageset_find(&pages->pages, (offset + done) / PAGE_SIZE);

		if (frame)
			memcpy((char *)frame_virt(frame) + to,
			       (char *)frame_virt(chunk->frames[done / PAGE_SIZE]) + from, step);
		all = all && frame;
		done += step;
	}
	return all;
}

/* Around a request to the server. */
static void write_begin(struct node_pages *pages)
{
	node_pages_change_begin(pages);
	pages_await_written(pages);
}

/* `done` came of it. `chunk`: the bytes; NULL: nobody has them any more. */
static void write_end(struct file *file, struct node_pages *pages, const struct chunk *chunk,
		      uint64_t offset, uint32_t len_bytes, ssize_t done)
{
	uint64_t first = offset / PAGE_SIZE, end = (offset + len_bytes) / PAGE_SIZE + 1;
	bool seen = false;

	mutex_lock(&pages->lock);
	node_pages_change_end_locked(pages);
	if (done > 0 && chunk)
		seen = patch_locked(pages, chunk, offset, (size_t)done);
	else if (done != -ENOSYS) /* nobody knows what it did */
		node_pages_cut_locked(pages, first, end);
	mutex_unlock(&pages->lock);
	pages_thawed(pages);
	if (!seen)
		node_unmap(file->node, first, end, false);
	node_attr_written(file->node, done > 0 ? offset + (uint64_t)done : 0);
}

static bool goes_past(const struct file *file)
{
	return file->open.flags & SERVER_DIRECT_IO || object_flags(&file->object) & O_DIRECT;
}

static ssize_t write_chunk(struct file *file, struct node_pages *pages, const struct chunk *chunk,
			   uint64_t offset)
{
	const struct page_write write = {.offset_bytes = offset,
					 .len_bytes = chunk->len_bytes,
					 .past_cache = goes_past(file),
					 .frames = chunk->frames};
	ssize_t done;

	write_begin(pages);
	done = file->server->ops->write_pages(file->server, file->id, file->open.handle,
					      object_flags(&file->object), &write);
	write_end(file, pages, chunk, offset, chunk->len_bytes, done);
	return done;
}

static ssize_t write_copied(struct file *file, struct node_pages *pages, struct buffer *buffer,
			    uint64_t offset, uint32_t *len_bytes)
{
	struct chunk *chunk;
	ssize_t done = chunk_fill(buffer, *len_bytes, &chunk);

	if (done)
		return done;
	*len_bytes = chunk->len_bytes;
	done = write_chunk(file, pages, chunk, offset);
	chunk_free(chunk);
	return done;
}

/* Less is copied at once. */
#define DIRECT_BYTES_MIN 1024u

/* Not where others' writes are kept in pages: one of these would be sent later, over this one. */
static bool may_write_direct(struct file *file, uint32_t len_bytes)
{
	return len_bytes >= DIRECT_BYTES_MIN && file->open.flags & SERVER_DIRECT_IO &&
	       file->server->ops->write_direct && !node_is_ahead(file->node);
}

/* The same without a copy, if the program's memory allows that. */
static bool write_direct(struct file *file, struct node_pages *pages, struct buffer *buffer,
			 uint64_t offset, uint32_t len_bytes, ssize_t *done)
{
	const struct server_write write = {
		.buffer = buffer, .offset_bytes = offset, .len_bytes = len_bytes};

	write_begin(pages);
	/* A page that is there would have to be patched; none comes while something is written. */
	if (read_once(&pages->pages.npages) ||
	    !file->server->ops->write_direct(file->server, file->id, file->open.handle,
					     object_flags(&file->object), &write, done)) {
		mutex_lock(&pages->lock);
		node_pages_change_end_locked(pages);
		mutex_unlock(&pages->lock);
		pages_thawed(pages);
		return false;
	}
	write_end(file, pages, NULL, offset, len_bytes, *done);
	buffer_skip(buffer, len_bytes);
	return true;
}

/* One request, of at most *len_bytes; then these are how many it had. */
static ssize_t write_one(struct file *file, struct node_pages *pages, struct buffer *buffer,
			 uint64_t offset, uint32_t *len_bytes)
{
	ssize_t done;

	if (may_write_direct(file, *len_bytes) &&
	    write_direct(file, pages, buffer, offset, *len_bytes, &done))
		return done;
	return write_copied(file, pages, buffer, offset, len_bytes);
}

static ssize_t write_from(struct file *file, struct node_pages *pages, struct buffer *buffer,
			  uint64_t offset, uint64_t *end_bytes)
{
	uint32_t most = file->server->ops->transfer_bytes(file->server, true);
	size_t total = 0;
	ssize_t done = 0;

	while (buffer_remaining(buffer)) {
		uint32_t len_bytes = (uint32_t)MIN(buffer_remaining(buffer), (size_t)most);

		done = write_one(file, pages, buffer, offset + total, &len_bytes);
		if (done <= 0)
			break;
		total += (size_t)done;
		if ((size_t)done < len_bytes)
			break;
	}
	*end_bytes = offset + total;
	return total ? (ssize_t)total : done;
}

static ssize_t append(struct file *file, struct node_pages *pages, struct buffer *buffer,
		      uint64_t *end_bytes)
{
	struct server_attr attr;
	ssize_t done = mutex_lock_killable(&pages->append);

	if (done)
		return done;
	done = node_attr(file->node, &attr);
	if (!done)
		done = write_from(file, pages, buffer, attr.size_bytes, end_bytes);
	mutex_unlock(&pages->append);
	return done;
}

/* Whether the server takes the set-id bits off by the WRITE itself, which is not to be sent later:
 * whose it was would not be known then. */
static err_t tells_ids(struct file *file, bool *tells)
{
	struct server_attr attr;
	err_t err;

	*tells = false;
	if (likely(!(read_once(&file->node->attr.mode) & MODE_ID_BITS)) ||
	    !(read_once(&file->server->agreed) & SERVER_IS_TOLD_IDS))
		return 0;
	err = node_attr(file->node, &attr);
	*tells = !err && node_ids_go(file->node, attr.mode);
	return err;
}

ssize_t node_pages_write(struct file *file, struct buffer *buffer, uint64_t offset_bytes,
			 uint64_t *end_bytes)
{
	struct node_pages *pages = node_pages_of(file->node);
	bool at_once;
	err_t err;

	if (!pages)
		return -ENOMEM;
	if (node_is_ahead(file->node) && !goes_past(file)) {
		err = tells_ids(file, &at_once);
		if (err)
			return err;
		if (!at_once)
			return pages_write_later(file, pages, buffer, offset_bytes, end_bytes);
	}
	if (object_write_flags(&file->object, buffer) & O_APPEND)
		return append(file, pages, buffer, end_bytes);
	if (offset_bytes > INT64_MAX - BUFFER_BYTES_MAX)
		return -EFBIG;
	return write_from(file, pages, buffer, offset_bytes, end_bytes);
}
