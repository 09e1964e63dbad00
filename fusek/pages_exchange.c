/*
 * What a driver puts into the page cache and takes out of it without being asked: NOTIFY_STORE and
 * NOTIFY_RETRIEVE. No state.
 */
#include "pages_priv.h"

#include <lib/string.h>
#include <mm/pressure.h>

/* ---- putting in ---- */

/* Bytes that belong into one page. */
struct piece {
	struct frame *frame; /* they lie where they belong, the rest of it is zeros */
	uint64_t offset_bytes;
	size_t len_bytes;
};

static bool is_whole(const struct piece *piece, uint64_t size_bytes)
{
	return piece->offset_bytes % PAGE_SIZE == 0 &&
	       (piece->len_bytes == PAGE_SIZE ||
		piece->offset_bytes + piece->len_bytes >= size_bytes);
}

static err_t put_piece(struct node *node, struct node_pages *pages, const struct piece *piece)
{
	uint64_t index = piece->offset_bytes / PAGE_SIZE;
	size_t skip = piece->offset_bytes % PAGE_SIZE;
	struct frame *there;
	err_t err = 0;

	mutex_lock(&pages->lock);
	pages->version++; /* what was asked for before is older */
	there = pageset_find(&pages->pages, index);
	if (there)
		memcpy((char *)frame_virt(there) + skip, (char *)frame_virt(piece->frame) + skip,
		       piece->len_bytes);
	else if (is_whole(piece, read_once(&node->attr.size_bytes)))
		err = node_pages_add_locked(pages, index, piece->frame);
	mutex_unlock(&pages->lock);
	return err;
}

static err_t store_piece(struct node *node, struct node_pages *pages, struct buffer *buffer,
			 struct piece *piece)
{
	err_t err = frame_alloc_waiting(FRAME_ZERO, &piece->frame);
	char *at;

	if (err)
		return err;
	at = (char *)frame_virt(piece->frame) + piece->offset_bytes % PAGE_SIZE;
	if (buffer_copy_from(buffer, at, piece->len_bytes) < piece->len_bytes)
		err = -EFAULT;
	else
		err = put_piece(node, pages, piece);
	frame_put(piece->frame);
	return err;
}

err_t node_pages_store(struct node *node, struct buffer *buffer, uint64_t offset_bytes,
		       uint32_t len_bytes)
{
	struct node_pages *pages = node_pages_of(node);
	uint64_t end_bytes = offset_bytes + len_bytes;
	err_t err = 0;

	if (!pages)
		return -ENOMEM;
	if (end_bytes > read_once(&node->attr.size_bytes))
		node_attr_written(node, end_bytes);
	while (!err && offset_bytes < end_bytes) {
		struct piece piece = {.offset_bytes = offset_bytes};

		piece.len_bytes = MIN(PAGE_SIZE - offset_bytes % PAGE_SIZE,
				      (size_t)(end_bytes - offset_bytes));
		err = store_piece(node, pages, buffer, &piece);
		offset_bytes += piece.len_bytes;
	}
	pages_note_filled(pages);
	return err;
}

/* ---- taking out ---- */

uint32_t node_pages_copy_out(struct node *node, uint64_t offset_bytes, uint32_t len_bytes,
			     struct frame *const *frames)
{
	struct node_pages *pages = load_acquire(&node->pages);
	uint32_t done = 0;

	if (!pages)
		return 0;
	mutex_lock(&pages->lock);
	while (done < len_bytes) {
		size_t from = (offset_bytes + done) % PAGE_SIZE, to = done % PAGE_SIZE;
		size_t room = MIN(PAGE_SIZE - from, PAGE_SIZE - to);
		size_t step = MIN(room, (size_t)(len_bytes - done));
		struct frame *frame =
			pageset_find(&pages->pages, (offset_bytes + done) / PAGE_SIZE);

		if (!frame)
			break;
		memcpy((char *)frame_virt(frames[done / PAGE_SIZE]) + to,
		       (char *)frame_virt(frame) + from, step);
		done += (uint32_t)step;
	}
	mutex_unlock(&pages->lock);
	return done;
}
