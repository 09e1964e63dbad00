/*
 * Operations on open files.
 */
#include "front.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Attributes are given by what changes a size, so both of them are under the node's lock. */
static void modified(struct node *node)
{
	node->mtime = node->ctime = time_now();
}

void do_open(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info)
{
	const struct memfs *memfs = memfs_of(request);
	struct node *node = node_of(request, ino);

	if (info->flags & O_TRUNC) {
		pthread_rwlock_wrlock(&node->lock);
		data_resize(memfs_of(request), node, 0);
		modified(node);
		pthread_rwlock_unlock(&node->lock);
	}
	info->keep_cache = !memfs->direct_io; /* all changes come through the kernel */
	info->direct_io = memfs->direct_io;
	fuse_reply_open(request, info);
}

static void copy_out(const struct node *node, uint64_t offset, char *to, size_t len_bytes)
{
	while (len_bytes) {
		size_t within = offset % PAGE_BYTES, now = PAGE_BYTES - within;
		const char *page = pages_get(&node->pages, offset / PAGE_BYTES);

		if (now > len_bytes)
			now = len_bytes;
		if (page)
			memcpy(to, page + within, now);
		else
			memset(to, 0, now);
		to += now;
		offset += now;
		len_bytes -= now;
	}
}

/* With a copy: once the answer is out, the node may be closed, forgotten and freed by other
 * threads. */
void do_read(fuse_req_t request, fuse_ino_t ino, size_t len_bytes, off_t offset,
	     struct fuse_file_info *info)
{
	struct node *node = node_of(request, ino);
	char *buffer = malloc(len_bytes ? len_bytes : 1);
	uint64_t at = (uint64_t)offset;

	(void)info;
	if (!buffer) {
		fuse_reply_err(request, ENOMEM);
		return;
	}
	if (!(info->flags & O_NOATIME))
		node_accessed(node);
	pthread_rwlock_rdlock(&node->lock);
	if (at >= node->size_bytes)
		len_bytes = 0;
	else if (len_bytes > node->size_bytes - at)
		len_bytes = node->size_bytes - at;
	copy_out(node, at, buffer, len_bytes);
	pthread_rwlock_unlock(&node->lock);
	fuse_reply_buf(request, buffer, len_bytes);
	free(buffer);
}

void do_write(fuse_req_t request, fuse_ino_t ino, const char *from, size_t len_bytes, off_t offset,
	      struct fuse_file_info *info)
{
	struct node *node = node_of(request, ino);
	size_t done;
	int err;

	(void)info;
	pthread_rwlock_wrlock(&node->lock);
	err = data_write(memfs_of(request), node, (uint64_t)offset, from, len_bytes, &done);
	modified(node);
	pthread_rwlock_unlock(&node->lock);
	if (done || !err)
		fuse_reply_write(request, done);
	else
		fuse_reply_err(request, -err);
}

void do_flush(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info)
{
	locks_drop(memfs_of(request), node_of(request, ino), info->lock_owner, false);
	fuse_reply_err(request, 0);
}

void do_release(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info)
{
	if (info->flock_release)
		locks_drop(memfs_of(request), node_of(request, ino), info->lock_owner, true);
	fuse_reply_err(request, 0);
}

/* There is no disk. */
void do_fsync(fuse_req_t request, fuse_ino_t ino, int data_only, struct fuse_file_info *info)
{
	(void)ino, (void)data_only, (void)info;
	fuse_reply_err(request, 0);
}

static int allocate(struct memfs *memfs, struct node *node, int mode, uint64_t offset,
		    uint64_t len_bytes)
{
	int err;

	if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)) {
		data_punch(memfs, node, offset, len_bytes);
		return 0;
	}
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (mode & FALLOC_FL_ZERO_RANGE)
		data_punch(memfs, node, offset, len_bytes);
	err = data_reserve(memfs, node, offset, len_bytes);
	if (!err && !(mode & FALLOC_FL_KEEP_SIZE) && offset + len_bytes > node->size_bytes)
		node->size_bytes = offset + len_bytes;
	return err;
}

void do_fallocate(fuse_req_t request, fuse_ino_t ino, int mode, off_t offset, off_t len_bytes,
		  struct fuse_file_info *info)
{
	struct node *node = node_of(request, ino);
	int err;

	(void)info;
	pthread_rwlock_wrlock(&node->lock);
	err = allocate(memfs_of(request), node, mode, (uint64_t)offset, (uint64_t)len_bytes);
	if (!err)
		modified(node);
	pthread_rwlock_unlock(&node->lock);
	fuse_reply_err(request, -err);
}

void do_lseek(fuse_req_t request, fuse_ino_t ino, off_t offset, int whence,
	      struct fuse_file_info *info)
{
	struct node *node = node_of(request, ino);
	off_t found;

	(void)info;
	pthread_rwlock_rdlock(&node->lock);
	found = data_seek(node, offset, whence);
	pthread_rwlock_unlock(&node->lock);
	if (found < 0)
		fuse_reply_err(request, (int)-found);
	else
		fuse_reply_lseek(request, found);
}

/* ---- copying inside ---- */

/* One page's worth, through a buffer: both may be the same file. *done: how much. */
static int copy_piece(struct memfs *memfs, const struct node *from, uint64_t in, struct node *to,
		      uint64_t out, size_t len_bytes, size_t *done)
{
	char buffer[PAGE_BYTES] = {0};
	size_t room = PAGE_BYTES - in % PAGE_BYTES;
	const char *page = pages_get(&from->pages, in / PAGE_BYTES);

	if (len_bytes > room)
		len_bytes = room;
	if (page)
		memcpy(buffer, page + in % PAGE_BYTES, len_bytes);
	return data_write(memfs, to, out, buffer, len_bytes, done);
}

static void lock_both(struct node *from, struct node *to)
{
	if (from < to)
		pthread_rwlock_rdlock(&from->lock);
	pthread_rwlock_wrlock(&to->lock);
	if (from > to)
		pthread_rwlock_rdlock(&from->lock);
}

static void unlock_both(struct node *from, struct node *to)
{
	if (from != to)
		pthread_rwlock_unlock(&from->lock);
	pthread_rwlock_unlock(&to->lock);
}

void do_copy_file_range(fuse_req_t request, fuse_ino_t in, off_t in_offset,
			struct fuse_file_info *in_info, fuse_ino_t out, off_t out_offset,
			struct fuse_file_info *out_info, size_t len_bytes, int flags)
{
	struct node *from = node_of(request, in), *to = node_of(request, out);
	uint64_t at = (uint64_t)in_offset;
	size_t all = 0, now = 0;
	int err = 0;

	(void)in_info, (void)out_info;
	if (flags) {
		fuse_reply_err(request, EINVAL);
		return;
	}
	lock_both(from, to);
	if (at >= from->size_bytes)
		len_bytes = 0;
	else if (len_bytes > from->size_bytes - at)
		len_bytes = from->size_bytes - at;
	for (; all < len_bytes && !err; all += now)
		err = copy_piece(memfs_of(request), from, at + all, to, (uint64_t)out_offset + all,
				 len_bytes - all, &now);
	if (all)
		modified(to);
	unlock_both(from, to);
	if (all || !err)
		fuse_reply_write(request, all);
	else
		fuse_reply_err(request, -err);
}
