/*
 * Writing to files that are ahead of their server (SERVER_WRITES_BACK): into the page cache, and
 * from there when somebody syncs, closes or has changed too much (pages_back.c). One writer of a
 * file at a time (pages->append), so that a write is seen as a whole. No state.
 */
#include "pages_priv.h"

#include <lib/string.h>
#include <mm/pressure.h>

/* What of a write goes into one page. */
struct part {
	uint64_t index;
	size_t skip_bytes;
	size_t len_bytes;
	struct frame *frame; /* the bytes where they belong, and zeros */
};

/* What is in the page still belongs to the file beside these bytes. */
static bool is_beside_others(const struct node *node, const struct part *part)
{
	uint64_t start_bytes = part->index * PAGE_SIZE;
	uint64_t size_bytes = read_once(&node->attr.size_bytes);

	if (start_bytes >= size_bytes)
		return false;
	return part->skip_bytes ||
	       (part->len_bytes < PAGE_SIZE && start_bytes + part->len_bytes < size_bytes);
}

/* From the server into the cache. */
static err_t bring_page(struct file *file, struct node_pages *pages, uint64_t index)
{
	struct frame *frame;
	size_t valid_bytes;
	err_t err = pages_get(file, pages, index, 1, &frame, &valid_bytes);

	if (err)
		return err;
	mutex_lock(&pages->lock);
	if (!pageset_find(&pages->pages, index))
		err = node_pages_add_locked(pages, index, frame);
	mutex_unlock(&pages->lock);
	frame_put(frame);
	return err;
}

/* 0: it is in the cache, and changed; MM_WAIT: the page has to be brought first. */
static err_t put_into_page(struct file *file, struct node_pages *pages, const struct part *part)
{
	uint64_t start_bytes = part->index * PAGE_SIZE + part->skip_bytes, size_bytes;
	struct frame *there;
	err_t err = 0;

	mutex_lock(&pages->lock);
	size_bytes = read_once(&file->node->attr.size_bytes);
	if (start_bytes > size_bytes)
		pages_clear_tail_locked(pages, size_bytes);
	there = pageset_find(&pages->pages, part->index);
	if (there)
		memcpy((char *)frame_virt(there) + part->skip_bytes,
		       (char *)frame_virt(part->frame) + part->skip_bytes, part->len_bytes);
	else if (is_beside_others(file->node, part))
		err = MM_WAIT;
	else
		err = node_pages_add_locked(pages, part->index, part->frame);
	if (!err) {
		pages_mark_locked(pages, file, part->index);
		node_attr_grown(file->node, start_bytes + part->len_bytes);
	}
	mutex_unlock(&pages->lock);
	return err;
}

static err_t put_part(struct file *file, struct node_pages *pages, const struct part *part)
{
	err_t err;

	if (pages_are_many(pages))
		node_pages_settle(file->node);
	while ((err = put_into_page(file, pages, part)) == MM_WAIT) {
		err = bring_page(file, pages, part->index);
		if (err)
			break;
	}
	return err;
}

/* As much of the buffer as one page takes at `offset`. How much it was. */
static ssize_t write_part(struct file *file, struct node_pages *pages, struct buffer *buffer,
			  uint64_t offset)
{
	struct part part = {.index = offset / PAGE_SIZE, .skip_bytes = offset % PAGE_SIZE};
	size_t wanted = MIN(PAGE_SIZE - part.skip_bytes, buffer_remaining(buffer));
	err_t err = frame_alloc_waiting(FRAME_ZERO, &part.frame);

	if (err)
		return err;
	part.len_bytes =
		buffer_copy_from(buffer, (char *)frame_virt(part.frame) + part.skip_bytes, wanted);
	err = part.len_bytes ? MEMORY_RETRY(put_part(file, pages, &part)) : -EFAULT;
	frame_put(part.frame);
	return err ? err : (ssize_t)part.len_bytes;
}

static ssize_t write_parts(struct file *file, struct node_pages *pages, struct buffer *buffer,
			   uint64_t offset, uint64_t *end_bytes)
{
	size_t total = 0;
	ssize_t done = 0;

	while (buffer_remaining(buffer)) {
		if (thread_killed())
			done = -EINTR;
		else
			done = write_part(file, pages, buffer, offset + total);
		if (done < 0)
			break;
		total += (size_t)done;
	}
	*end_bytes = offset + total;
	pages_note_filled(pages);
	return total ? (ssize_t)total : done;
}

ssize_t pages_write_later(struct file *file, struct node_pages *pages, struct buffer *buffer,
			  uint64_t offset, uint64_t *end_bytes)
{
	bool appends = object_write_flags(&file->object, buffer) & O_APPEND;
	ssize_t done = mutex_lock_killable(&pages->append);
	err_t lost = 0;

	if (done)
		return done;
	if (appends)
		offset = read_once(&file->node->attr.size_bytes);
	if (offset > INT64_MAX - BUFFER_BYTES_MAX)
		done = -EFBIG;
	else
		done = write_parts(file, pages, buffer, offset, end_bytes);
	mutex_unlock(&pages->append);
	if (done > 0 && object_flags(&file->object) & O_SYNC)
		lost = node_pages_write_back(file->node);
	return lost ? lost : done;
}
