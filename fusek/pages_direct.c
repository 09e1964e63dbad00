/*
 * Reading past the page cache, where a server asks for that: each read is a request of its own. No
 * state.
 */
#include "pages_priv.h"

#include <fusek/driver.h>
#include <mm/lend.h>
#include <mm/pressure.h>

/* Whole pages become the program's in place of its own: how many bytes that were. */
static size_t give_pages(struct buffer *buffer, const struct fill *fill, size_t len_bytes)
{
	size_t whole_bytes = ALIGN_DOWN(len_bytes, PAGE_SIZE);
	struct space *space = vfs_space();
	uint64_t address;
	size_t given_bytes;

	if (!space || !buffer_user_place(buffer, whole_bytes, &address) || address & PAGE_MASK)
		return 0;
	given_bytes =
		PAGE_SIZE * space_give_frames(space, address, fill->frames,
					      (uint32_t)(whole_bytes / PAGE_SIZE), fill->io.lent);
	buffer_skip(buffer, given_bytes);
	return given_bytes;
}

/* One request past the cache. */
static ssize_t read_past(struct file *file, struct node_pages *pages, struct buffer *buffer,
			 uint64_t offset, size_t len_bytes)
{
	uint32_t npages = (uint32_t)(ALIGN_UP(len_bytes, PAGE_SIZE) / PAGE_SIZE);
	struct fill *fill;
	size_t moved = 0, got;
	err_t err =
		MEMORY_RETRY((fill = pages_fill_create_bare(file->node, 0, npages)) ? 0 : -ENOMEM);

	if (err)
		return err;
	fill->io.offset_bytes = offset;
	fill->io.len_bytes = len_bytes;
	pages_fill_start(file, fill);
	err = pages_fill_wait(pages, fill);
	if (err)
		goto out;
	got = MIN((size_t)fill->result, len_bytes);
	moved = give_pages(buffer, fill, got);
	while (moved < got) {
		size_t step = MIN(got - moved, PAGE_SIZE);
		size_t copied =
			buffer_copy_to(buffer, frame_virt(fill->frames[moved / PAGE_SIZE]), step);

		moved += copied;
		if (copied < step) {
			err = moved ? 0 : -EFAULT;
			break;
		}
	}
out:
	pages_fill_put(fill);
	return err ? err : (ssize_t)moved;
}

static ssize_t read_one(struct file *file, struct node_pages *pages, struct buffer *buffer,
			uint64_t offset, size_t len_bytes)
{
	const struct server_ops *ops = file->server->ops;

	if (len_bytes > PAGE_SIZE || !ops->read_direct)
		return read_past(file, pages, buffer, offset, len_bytes);
	return ops->read_direct(file->server, file->id, file->open.handle,
				object_flags(&file->object), offset, len_bytes, buffer);
}

ssize_t pages_read_direct(struct file *file, struct node_pages *pages, struct buffer *buffer,
			  uint64_t offset)
{
	uint32_t most = file->server->ops->transfer_bytes(file->server, false);
	size_t done = 0;
	ssize_t moved = node_pages_write_back(file->node);

	if (moved)
		return moved;
	while (buffer_remaining(buffer)) {
		size_t len = MIN(buffer_remaining(buffer), (size_t)most);

		moved = read_one(file, pages, buffer, offset + done, len);
		if (moved <= 0)
			break;
		done += (size_t)moved;
		if ((size_t)moved < len)
			break;
	}
	if (done)
		node_attr_changed(file->node); /* the driver has seen an access */
	return done ? (ssize_t)done : moved;
}
