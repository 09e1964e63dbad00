/*
 * Parts of tmpfs files: room that is made beforehand, holes that are punched, and where they are.
 * Linux's tmpfs has no FALLOC_FL_ZERO_RANGE; here it gives pages of zeros.
 */
#include "inode.h"

#include <lib/string.h>

/* ---- fallocate; data_lock is held ---- */

static size_t clip(uint64_t at_bytes, uint64_t begin_bytes)
{
	return at_bytes > begin_bytes ? (size_t)MIN(at_bytes - begin_bytes, PAGE_SIZE) : 0;
}

static bool shows_data(struct tmpfs_inode *inode, uint64_t index)
{
	bool shows;

	mutex_lock(&inode->pages.lock);
	shows = index * PAGE_SIZE < inode->seed_bytes ||
		tmpfs_pages_find_locked(&inode->pages, index);
	mutex_unlock(&inode->pages.lock);
	return shows;
}

/* Zeros in the part of page `index` that lies in [offset, end); a hole stays one unless `fill`. */
static err_t clear_page(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t index,
			uint64_t offset_bytes, uint64_t end_bytes, bool fill)
{
	size_t from = clip(offset_bytes, index * PAGE_SIZE);
	size_t to = clip(end_bytes, index * PAGE_SIZE);
	struct frame *frame;
	err_t err;

	if (!fill && !shows_data(inode, index))
		return 0;
	err = tmpfs_own_page(fs, inode, index, &frame);
	if (err)
		return err;
	memset((char *)frame_virt(frame) + from, 0, to - from);
	frame_put(frame);
	return 0;
}

/* Whole pages go; of the others, and where the seed would show again, the bytes become zeros. */
static err_t punch(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t offset_bytes,
		   uint64_t end_bytes)
{
	uint64_t first = ALIGN_UP(offset_bytes, PAGE_SIZE) / PAGE_SIZE, end = end_bytes / PAGE_SIZE;
	uint64_t seed_end = ALIGN_UP(inode->seed_bytes, PAGE_SIZE) / PAGE_SIZE;
	err_t err = 0;

	if (offset_bytes % PAGE_SIZE)
		err = clear_page(fs, inode, first - 1, offset_bytes, end_bytes, false);
	if (!err && end_bytes % PAGE_SIZE && end >= first)
		err = clear_page(fs, inode, end, offset_bytes, end_bytes, false);
	for (; !err && first < MIN(end, seed_end); first++)
		err = clear_page(fs, inode, first, offset_bytes, end_bytes, true);
	if (!err && first < end)
		tmpfs_pages_cut(&inode->pages, first, end);
	return err;
}

/* Pages for all of [offset, end), with zeros in them if `clear`. Those that there is no room for
 * are not begun with, as far as can be known. */
static err_t fill(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t offset_bytes,
		  uint64_t end_bytes, bool clear)
{
	uint64_t first = offset_bytes / PAGE_SIZE;
	uint64_t end = ALIGN_UP(end_bytes, PAGE_SIZE) / PAGE_SIZE;
	uint64_t missing = end - first, have = read_once(&inode->pages.nframes);
	struct frame *frame;
	err_t err = 0;

	if (missing > have && missing - have > tmpfs_pages_left(&fs->room))
		return -ENOSPC;
	for (uint64_t index = first; !err && index < end; index++) {
		if (thread_killed())
			return -EINTR;
		if (clear) {
			err = clear_page(fs, inode, index, offset_bytes, end_bytes, true);
			continue;
		}
		err = tmpfs_own_page(fs, inode, index, &frame);
		if (!err)
			frame_put(frame);
	}
	return err;
}

static err_t change_locked(struct tmpfs *fs, struct tmpfs_inode *inode, unsigned mode,
			   uint64_t offset_bytes, uint64_t end_bytes) REQUIRES(inode->data_lock);
static err_t change_locked(struct tmpfs *fs, struct tmpfs_inode *inode, unsigned mode,
			   uint64_t offset_bytes, uint64_t end_bytes)
{
	bool grows = !(mode & FALLOC_FL_KEEP_SIZE) && end_bytes > inode->size_bytes;
	err_t err = 0;

	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		err = tmpfs_seals_allow_write_locked(inode);
	if (!err && !(mode & FALLOC_FL_PUNCH_HOLE) && end_bytes > inode->size_bytes)
		err = tmpfs_seals_allow_size_locked(inode, end_bytes);
	if (err)
		return err;
	if (mode & FALLOC_FL_PUNCH_HOLE)
		return punch(fs, inode, offset_bytes, end_bytes);
	/* Before a page behind the end comes into being, so that it has no bytes of the seed. */
	if (end_bytes > inode->size_bytes)
		err = tmpfs_settle_seed_end(fs, inode);
	if (!err)
		err = fill(fs, inode, offset_bytes, end_bytes, mode & FALLOC_FL_ZERO_RANGE);
	if (!err && grows)
		tmpfs_set_size_field(inode, end_bytes);
	return err;
}

err_t tmpfs_fallocate(struct server *server, struct nodeid node, struct handle handle,
		      unsigned mode, uint64_t offset_bytes, uint64_t len_bytes)
{
	struct tmpfs_inode *inode = tmpfs_inode(server, node);
	err_t err;

	(void)handle;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (offset_bytes + len_bytes > TMPFS_FILE_BYTES_MAX) {
		if (!(mode & FALLOC_FL_PUNCH_HOLE))
			return -EFBIG;
		len_bytes = TMPFS_FILE_BYTES_MAX - MIN(offset_bytes, TMPFS_FILE_BYTES_MAX);
	}
	err = mutex_lock_killable(&inode->data_lock);
	if (err)
		return err;
	err = change_locked(tmpfs_of(server), inode, mode, offset_bytes, offset_bytes + len_bytes);
	if (!err)
		tmpfs_touch(inode, true);
	mutex_unlock(&inode->data_lock);
	return err;
}

/* ---- data and holes ---- */

err_t tmpfs_lseek(struct server *server, struct nodeid node, struct handle handle,
		  uint64_t offset_bytes, int whence, uint64_t *found_bytes)
{
	struct tmpfs_inode *inode = tmpfs_inode(server, node);
	uint64_t size_bytes = read_once(&inode->size_bytes);
	uint64_t index = offset_bytes / PAGE_SIZE, seed_end;

	(void)handle;
	if (offset_bytes >= size_bytes)
		return -ENXIO;
	mutex_lock(&inode->pages.lock);
	seed_end = ALIGN_UP(inode->seed_bytes, PAGE_SIZE) / PAGE_SIZE;
	if (index >= seed_end || whence == SEEK_HOLE)
		index = tmpfs_pages_next_locked(&inode->pages, MAX(index, seed_end),
						whence == SEEK_DATA);
	mutex_unlock(&inode->pages.lock);
	/* A hole is at the end of each file. */
	if (whence == SEEK_HOLE && index > size_bytes / PAGE_SIZE)
		*found_bytes = size_bytes;
	else if (index > size_bytes / PAGE_SIZE)
		return -ENXIO;
	else
		*found_bytes = MAX(index * PAGE_SIZE, offset_bytes);
	if (*found_bytes >= size_bytes) {
		*found_bytes = size_bytes;
		return whence == SEEK_HOLE ? 0 : -ENXIO;
	}
	return 0;
}
