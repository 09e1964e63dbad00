/*
 * What tmpfs files hold. A page of a file is one of three things: a frame of its own; a page of the
 * seed that shows through, as long as nobody wrote to it; or nothing, which reads as zeros. A page
 * becomes the file's own when it is written, or mapped shared: from then on all who map it see the
 * same frame.
 *
 * Invariant: bytes of a page behind the end of the file are zero, so that a file that grows shows
 * zeros. Where the seed ends inside a page, that page becomes the file's own before the file grows.
 *
 * What is mapped of a file that is cut, the layer above takes out of the spaces (node_unmap()).
 */
#include "inode.h"

#include <lib/string.h>
#include <mm/pressure.h>

static uint64_t get_size(struct tmpfs_inode *inode)
{
	return read_once(&inode->size_bytes);
}

void tmpfs_set_size_field(struct tmpfs_inode *inode, uint64_t size_bytes)
{
	spin_lock(&inode->attr_lock);
	write_once(&inode->size_bytes, size_bytes);
	spin_unlock(&inode->attr_lock);
}

/* How many bytes of page `index` the seed has; 0: it does not show there. pages.lock is held. */
static size_t seed_part(const struct tmpfs_inode *inode, uint64_t index)
{
	uint64_t begin = index * PAGE_SIZE;

	if (begin >= inode->seed_bytes)
		return 0;
	return MIN(inode->seed_bytes - begin, PAGE_SIZE);
}

/* The seed's page; it stays for good and is not counted. */
static err_t seed_page(struct tmpfs *fs, const struct tmpfs_inode *inode, uint64_t index,
		       struct page_ref *out)
{
	return fs->seed->ops->get_page(fs->seed, inode->seed, index, FAULT_READ, out);
}

/* The file's own page, made if there is none. Borrowed: pages.lock is held. */
static err_t own_page_locked(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t index,
			     struct frame **out) REQUIRES(inode->pages.lock);
static err_t own_page_locked(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t index,
			     struct frame **out)
{
	size_t from_seed = seed_part(inode, index);
	struct page_ref seed;
	struct frame *frame;
	err_t err;

	*out = tmpfs_pages_find_locked(&inode->pages, index);
	if (*out)
		return 0;
	if (from_seed) {
		err = seed_page(fs, inode, index, &seed);
		if (err)
			return err;
	}
	err = tmpfs_frame_alloc(&fs->room, &frame);
	if (err)
		return err;
	if (from_seed)
		memcpy(frame_virt(frame), phys_to_virt(seed.phys), from_seed);
	err = tmpfs_pages_add_locked(&inode->pages, index, frame);
	if (err) {
		tmpfs_frame_free(&fs->room, frame);
		return err;
	}
	*out = frame;
	return 0;
}

static err_t try_own_page(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t index,
			  struct frame **out)
{
	err_t err;

	mutex_lock(&inode->pages.lock);
	err = own_page_locked(fs, inode, index, out);
	if (!err)
		frame_get(*out);
	mutex_unlock(&inode->pages.lock);
	return err;
}

/* The same with a reference for the caller. May wait for memory. */
err_t tmpfs_own_page(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t index,
		     struct frame **out)
{
	return MEMORY_RETRY(try_own_page(fs, inode, index, out));
}

/* A page for reading: frame NULL and phys 0 is a hole. With a frame: a reference for the caller. */
static err_t find_page(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t index,
		       struct page_ref *out)
{
	err_t err = 0;

	*out = (struct page_ref){0};
	mutex_lock(&inode->pages.lock);
	out->frame = tmpfs_pages_find_locked(&inode->pages, index);
	if (out->frame) {
		frame_get(out->frame);
		out->phys = frame_phys(out->frame);
	} else if (seed_part(inode, index)) {
		err = seed_page(fs, inode, index, out);
	}
	mutex_unlock(&inode->pages.lock);
	return err;
}

/* ---- reading ---- */

static size_t copy_out(struct buffer *buffer, const struct page_ref *page, size_t in_page,
		       size_t len_bytes)
{
	if (!page->frame && !page->phys)
		return buffer_clear(buffer, len_bytes);
	return buffer_copy_to(buffer, (const char *)phys_to_virt(page->phys) + in_page, len_bytes);
}

ssize_t tmpfs_read(struct server *server, struct nodeid node, struct handle handle,
		   struct buffer *buffer, uint64_t offset_bytes, unsigned flags)
{
	struct tmpfs_inode *inode = tmpfs_inode(server, node);
	uint64_t size_bytes = get_size(inode);
	size_t wanted, done = 0;

	if (offset_bytes >= size_bytes)
		return 0;
	wanted = MIN(buffer_remaining(buffer), size_bytes - offset_bytes);
	while (done < wanted) {
		uint64_t here = offset_bytes + done;
		size_t in_page = here % PAGE_SIZE;
		size_t step = MIN(wanted - done, PAGE_SIZE - in_page);
		struct page_ref page;
		size_t moved;
		err_t err = find_page(tmpfs_of(server), inode, here / PAGE_SIZE, &page);

		if (err)
			return done ? (ssize_t)done : err;
		moved = copy_out(buffer, &page, in_page, step);
		if (page.frame)
			frame_put(page.frame);
		done += moved;
		if (moved < step)
			break;
	}
	return buffer_result(done, wanted);
}

/* ---- growing and cutting; data_lock is held ---- */

err_t tmpfs_settle_seed_end(struct tmpfs *fs, struct tmpfs_inode *inode)
{
	struct frame *frame;
	err_t err = 0;

	mutex_lock(&inode->pages.lock);
	if (inode->seed_bytes % PAGE_SIZE)
		err = own_page_locked(fs, inode, inode->seed_bytes / PAGE_SIZE, &frame);
	mutex_unlock(&inode->pages.lock);
	return err;
}

static err_t cut(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t size_bytes)
{
	size_t in_page = size_bytes % PAGE_SIZE;
	struct page_ref page = {0};
	struct frame *frame = NULL;
	err_t err;

	if (in_page) {
		err = find_page(fs, inode, size_bytes / PAGE_SIZE, &page);
		if (err)
			return err;
		if (page.frame)
			frame_put(page.frame);
	}
	/* A hole at the new end may stay one. */
	if (page.phys) {
		err = tmpfs_own_page(fs, inode, size_bytes / PAGE_SIZE, &frame);
		if (err)
			return err;
	}
	tmpfs_set_size_field(inode, size_bytes);
	mutex_lock(&inode->pages.lock);
	inode->seed_bytes = MIN(inode->seed_bytes, size_bytes);
	mutex_unlock(&inode->pages.lock);
	tmpfs_pages_cut(&inode->pages, (size_bytes + PAGE_MASK) >> PAGE_SHIFT, UINT64_MAX);
	if (frame) {
		memset((char *)frame_virt(frame) + in_page, 0, PAGE_SIZE - in_page);
		frame_put(frame);
	}
	return 0;
}

err_t tmpfs_set_size(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t size_bytes)
{
	err_t err;

	if (inode->type != S_IFREG)
		return inode->type == S_IFDIR ? -EISDIR : -EINVAL;
	if (size_bytes > TMPFS_FILE_BYTES_MAX)
		return -EFBIG;
	err = mutex_lock_killable(&inode->data_lock);
	if (err)
		return err;
	err = tmpfs_seals_allow_size_locked(inode, size_bytes);
	if (err)
		goto unlock;
	if (size_bytes < get_size(inode)) {
		err = cut(fs, inode, size_bytes);
	} else if (size_bytes > get_size(inode)) {
		err = tmpfs_settle_seed_end(fs, inode);
		if (!err)
			tmpfs_set_size_field(inode, size_bytes);
	}
	if (!err)
		tmpfs_touch(inode, true);
unlock:
	mutex_unlock(&inode->data_lock);
	return err;
}

/* ---- writing ---- */

/* Up to the end of one page. The bytes moved, or an error if none were. */
static ssize_t write_page(struct tmpfs *fs, struct tmpfs_inode *inode, struct buffer *buffer,
			  uint64_t here) REQUIRES(inode->data_lock);
static ssize_t write_page(struct tmpfs *fs, struct tmpfs_inode *inode, struct buffer *buffer,
			  uint64_t here)
{
	size_t in_page = here % PAGE_SIZE;
	size_t step = MIN(buffer_remaining(buffer), PAGE_SIZE - in_page);
	struct frame *frame;
	size_t moved;
	err_t err = 0;

	if (here + step > get_size(inode))
		err = tmpfs_seals_allow_size_locked(inode, here + step);
	if (!err)
		err = tmpfs_own_page(fs, inode, here / PAGE_SIZE, &frame);
	if (err)
		return err;
	moved = buffer_copy_from(buffer, (char *)frame_virt(frame) + in_page, step);
	frame_put(frame);
	if (!moved)
		return -EFAULT;
	if (here + moved > get_size(inode))
		tmpfs_set_size_field(inode, here + moved);
	return (ssize_t)moved;
}

static ssize_t write_locked(struct tmpfs *fs, struct tmpfs_inode *inode, struct buffer *buffer,
			    uint64_t offset_bytes) REQUIRES(inode->data_lock);
static ssize_t write_locked(struct tmpfs *fs, struct tmpfs_inode *inode, struct buffer *buffer,
			    uint64_t offset_bytes)
{
	err_t err = tmpfs_seals_allow_write_locked(inode);
	size_t done = 0;

	if (err)
		return err;
	if (offset_bytes >= TMPFS_FILE_BYTES_MAX ||
	    buffer_remaining(buffer) > TMPFS_FILE_BYTES_MAX - offset_bytes)
		return -EFBIG;
	if (offset_bytes + buffer_remaining(buffer) > get_size(inode)) {
		err = tmpfs_settle_seed_end(fs, inode);
		if (err)
			return err;
	}
	while (buffer_remaining(buffer)) {
		size_t in_page = (offset_bytes + done) % PAGE_SIZE;
		size_t step = MIN(buffer_remaining(buffer), PAGE_SIZE - in_page);
		ssize_t moved = write_page(fs, inode, buffer, offset_bytes + done);

		if (moved < 0)
			return done ? (ssize_t)done : moved;
		done += (size_t)moved;
		if ((size_t)moved < step)
			break;
	}
	return (ssize_t)done;
}

ssize_t tmpfs_write(struct server *server, const struct server_caller *caller, struct nodeid node,
		    struct handle handle, struct buffer *buffer, uint64_t offset_bytes,
		    unsigned flags, uint64_t *end_bytes)
{
	struct tmpfs_inode *inode = tmpfs_inode(server, node);
	ssize_t done;
	err_t err;

	if (!buffer_remaining(buffer)) {
		*end_bytes = offset_bytes;
		return 0;
	}
	err = mutex_lock_killable(&inode->data_lock);
	if (err)
		return err;
	if (flags & O_APPEND)
		offset_bytes = get_size(inode);
	done = write_locked(tmpfs_of(server), inode, buffer, offset_bytes);
	if (done > 0) {
		*end_bytes = offset_bytes + (uint64_t)done;
		tmpfs_touch(inode, true);
	}
	mutex_unlock(&inode->data_lock);
	return done;
}

/* ---- mapping ---- */

err_t tmpfs_get_page(struct server *server, struct nodeid node, uint64_t page_index,
		     unsigned fault_access, struct page_ref *out)
{
	struct tmpfs_inode *inode = tmpfs_inode(server, node);
	struct tmpfs *fs = tmpfs_of(server);
	struct frame *frame;
	err_t err = 0;

	mutex_lock(&inode->pages.lock);
	frame = tmpfs_pages_find_locked(&inode->pages, page_index);
	/* Under the lock: whoever cuts the file off has set its size before it takes the pages. */
	if (page_index >= (get_size(inode) + PAGE_MASK) >> PAGE_SHIFT)
		err = -EIO;
	else if (!frame && seed_part(inode, page_index) &&
		 !(fault_access & (FAULT_WRITE | FAULT_SHARED)))
		err = seed_page(fs, inode, page_index, out);
	else if (!frame && (fault_access & FAULT_AHEAD))
		err = -EAGAIN;
	else if (!frame)
		err = own_page_locked(fs, inode, page_index, &frame);
	if (!err && frame) {
		frame_get(frame);
		*out = (struct page_ref){.phys = frame_phys(frame), .frame = frame};
	}
	mutex_unlock(&inode->pages.lock);
	return err == -ENOSPC ? -ENOMEM : err;
}
