/*
 * The operations of fatfs on open files and directories.
 */
#include "front.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

static void touch_data(struct front *front, struct node *node)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	node_set_times(&front->volume, node, NULL, &now);
}

void front_open(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct front *front = front_of(request);
	struct node *node = front_node(front, ino);
	int err = 0;

	if (info->flags & O_TRUNC) {
		err = file_resize(&front->volume, node, 0);
		touch_data(front, node);
	}
	if (err) {
		front_answer(request, err);
		return;
	}
	node_hold(node);
	info->keep_cache = 1; /* nobody but the kernel changes it */
	if (fuse_reply_open(request, info))
		node_release(&front->volume, node);
}

void front_opendir(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct front *front = front_of(request);

	node_hold(front_node(front, ino));
	if (fuse_reply_open(request, info))
		node_release(&front->volume, front_node(front, ino));
}

void front_release(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct front *front = front_of(request);
	int err = node_flush(&front->volume, front_node(front, ino));

	(void)info;
	node_release(&front->volume, front_node(front, ino));
	front_answer(request, err);
}

void front_read(fuse_req_t request, fuse_ino_t ino, size_t len_bytes, off_t offset,
		struct fuse_file_info *info)
{
	struct front *front = front_of(request);
	char *buffer = malloc(len_bytes ? len_bytes : 1);
	ssize_t got = -ENOMEM;

	(void)info;
	if (buffer)
		got = file_read(&front->volume, front_node(front, ino), (uint64_t)offset, buffer,
				len_bytes);
	if (got < 0)
		front_answer(request, (int)got);
	else
		fuse_reply_buf(request, buffer, (size_t)got);
	free(buffer);
}

void front_write(fuse_req_t request, fuse_ino_t ino, const char *from, size_t len_bytes,
		 off_t offset, struct fuse_file_info *info)
{
	struct front *front = front_of(request);
	struct node *node = front_node(front, ino);
	int err = file_write(&front->volume, node, (uint64_t)offset, from, len_bytes);

	(void)info;
	if (err) {
		front_answer(request, err);
		return;
	}
	touch_data(front, node);
	fuse_reply_write(request, len_bytes);
}

/* Without holes, room is there as soon as the file is that long. */
void front_fallocate(fuse_req_t request, fuse_ino_t ino, int mode, off_t offset, off_t len_bytes,
		     struct fuse_file_info *info)
{
	struct front *front = front_of(request);
	struct node *node = front_node(front, ino);
	uint64_t end = (uint64_t)offset + (uint64_t)len_bytes;
	int err = mode ? -EOPNOTSUPP : 0;

	(void)info;
	if (!err && end > get32(node->entry.size_bytes)) {
		err = file_resize(&front->volume, node, end);
		touch_data(front, node);
	}
	front_answer(request, err);
}

void front_flush(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct front *front = front_of(request);

	(void)info;
	front_answer(request, node_flush(&front->volume, front_node(front, ino)));
}

void front_fsync(fuse_req_t request, fuse_ino_t ino, int data_only, struct fuse_file_info *info)
{
	struct front *front = front_of(request);
	int err = node_flush(&front->volume, front_node(front, ino));

	(void)info, (void)data_only;
	front_answer(request, err ? err : volume_sync(&front->volume));
}

/* ---- reading directories ---- */

/* Where a directory's reader stands: 0 and 1 are "." and "..", then come the slots. */
#define FIRST_SLOT 2

struct filling {
	fuse_req_t request;
	char *buffer;
	size_t used, room;
};

/* False: there is no room for it. */
static bool add(struct filling *filling, const char *name, uint64_t ino, mode_t type, off_t next)
{
	struct stat stat = {.st_ino = ino, .st_mode = type};
	size_t left = filling->room - filling->used;
	size_t needed = fuse_add_direntry(filling->request, filling->buffer + filling->used, left,
					  name, &stat, next);

	if (needed > left)
		return false;
	filling->used += needed;
	return true;
}

static bool add_found(struct front *front, struct filling *filling, const struct found *found,
		      off_t next)
{
	const struct node *node = node_known(&front->volume, found->offset);
	char name[NAME_BYTES_MAX + 1];

	name_to_utf8(&found->name, name);
	return add(filling, name, node ? node->ino : found->offset / ENTRY_BYTES,
		   found->entry.attributes & ATTRIBUTE_DIRECTORY ? S_IFDIR : S_IFREG, next);
}

static int fill(struct front *front, struct node *node, off_t offset, struct filling *filling)
{
	const struct node *parent = node->parent ? node->parent : node;
	uint32_t index;
	struct found found;
	int err = 0;

	if (node->is_removed || offset > FIRST_SLOT + DIRECTORY_SLOTS)
		return 0;
	if (offset == 0 && !add(filling, ".", node->ino, S_IFDIR, 1))
		return 0;
	if (offset <= 1 && !add(filling, "..", parent->ino, S_IFDIR, FIRST_SLOT))
		return 0;
	index = offset > FIRST_SLOT ? (uint32_t)(offset - FIRST_SLOT) : 0;
	do {
		err = directory_next(&front->volume, &node->directory, &index, &found);
	} while (!err && add_found(front, filling, &found, (off_t)index + FIRST_SLOT));
	/* What could be read is given first; the next call meets the error. */
	return err == -ENOENT || filling->used ? 0 : err;
}

void front_readdir(fuse_req_t request, fuse_ino_t ino, size_t len_bytes, off_t offset,
		   struct fuse_file_info *info)
{
	struct front *front = front_of(request);
	struct filling filling = {.request = request, .room = len_bytes};
	int err = -ENOMEM;

	(void)info;
	filling.buffer = malloc(len_bytes ? len_bytes : 1);
	if (filling.buffer)
		err = fill(front, front_node(front, ino), offset, &filling);
	if (err)
		front_answer(request, err);
	else
		fuse_reply_buf(request, filling.buffer, filling.used);
	free(filling.buffer);
}
