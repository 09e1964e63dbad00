/*
 * The operations of fatfs on names and attributes, for libfuse's low level; one thread serves.
 *
 * A name may be asked for in any case of letters, and the kernel, which does not know that, must
 * not keep one name when another of the same file is removed: names are valid for no time.
 * Attributes are: nobody changes them but through us.
 */
#include "front.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define ATTRIBUTES_VALID_S 60.0

static mode_t mode_of(const struct front *front, const struct node *node)
{
	mode_t mode;

	if (node_is_directory(node))
		return S_IFDIR | (0777 & ~front->directory_mask);
	mode = 0777 & ~front->file_mask;
	if (node->entry.attributes & ATTRIBUTE_READ_ONLY)
		mode &= ~0222u;
	return S_IFREG | mode;
}

/* Links of a directory: its name, its ".", and what its directories call "..": nobody counts those.
 */
static int attributes(struct front *front, struct node *node, struct stat *out)
{
	struct node_times times = node_times(&front->volume, node);
	uint32_t size_bytes, bytes = front->volume.cluster_bytes;
	int err = node_size(&front->volume, node, &size_bytes);

	if (err)
		return err;
	*out = (struct stat){
		.st_ino = node->ino,
		.st_mode = mode_of(front, node),
		.st_nlink = node->is_removed          ? 0
			    : node_is_directory(node) ? 2
						      : 1,
		.st_uid = front->uid,
		.st_gid = front->gid,
		.st_size = size_bytes,
		.st_blksize = bytes,
		.st_blocks = (blkcnt_t)(((uint64_t)size_bytes + bytes - 1) / bytes * (bytes / 512)),
		.st_atim = times.accessed,
		.st_mtim = times.modified,
		.st_ctim = times.modified,
	};
	return 0;
}

static int make_entry(struct front *front, struct node *node, struct fuse_entry_param *out)
{
	*out = (struct fuse_entry_param){.ino = (fuse_ino_t)(uintptr_t)node,
					 .attr_timeout = ATTRIBUTES_VALID_S};
	return attributes(front, node, &out->attr);
}

/* For a node that has been looked up once more. */
static void answer_entry(fuse_req_t request, struct node *node, int err)
{
	struct front *front = front_of(request);
	struct fuse_entry_param entry;

	if (!err) {
		err = make_entry(front, node, &entry);
		if (!err && !fuse_reply_entry(request, &entry))
			return;
		node_forget(&front->volume, node, 1); /* nobody has heard of it */
	}
	if (err)
		front_answer(request, err);
}

static void do_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
	struct front *front = front_of(request);
	struct node *node = NULL;
	int err = node_lookup(&front->volume, front_node(front, parent), name, &node);

	answer_entry(request, node, err);
}

static void do_forget(fuse_req_t request, fuse_ino_t ino, uint64_t nlookups)
{
	struct front *front = front_of(request);

	node_forget(&front->volume, front_node(front, ino), nlookups);
	fuse_reply_none(request);
}

static void do_forget_multi(fuse_req_t request, size_t n, struct fuse_forget_data *forgets)
{
	struct front *front = front_of(request);

	for (size_t i = 0; i < n; i++)
		node_forget(&front->volume, front_node(front, forgets[i].ino), forgets[i].nlookup);
	fuse_reply_none(request);
}

static void answer_attributes(fuse_req_t request, struct node *node, int err)
{
	struct stat stat;

	if (!err)
		err = attributes(front_of(request), node, &stat);
	if (err)
		front_answer(request, err);
	else
		fuse_reply_attr(request, &stat, ATTRIBUTES_VALID_S);
}

static void do_getattr(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info)
{
	(void)info;
	answer_attributes(request, front_node(front_of(request), ino), 0);
}

/* ---- attributes that are set ---- */

/* The disk has one bit: a mode is possible if it has all of the mask's bits, or all but the
 * writers'. Returns what Linux's vfat does. */
static int set_mode(struct front *front, struct node *node, mode_t mode)
{
	mode_t all = 0777 & ~(node_is_directory(node) ? front->directory_mask : front->file_mask);

	mode &= 07777 & ~(0777 & ~all);
	if (mode == all)
		node->entry.attributes &= (uint8_t)~ATTRIBUTE_READ_ONLY;
	else if (mode == (all & ~0222u) && !node_is_directory(node))
		node->entry.attributes |= ATTRIBUTE_READ_ONLY;
	else
		return -EPERM;
	node->is_touched = true;
	return 0;
}

static void set_times(struct front *front, struct node *node, const struct stat *stat, int what)
{
	struct timespec now, accessed = stat->st_atim, modified = stat->st_mtim;

	clock_gettime(CLOCK_REALTIME, &now);
	if (what & FUSE_SET_ATTR_ATIME_NOW)
		accessed = now;
	if (what & FUSE_SET_ATTR_MTIME_NOW || !(what & FUSE_SET_ATTR_MTIME))
		modified = now;
	what |= what & FUSE_SET_ATTR_SIZE ? FUSE_SET_ATTR_MTIME : 0;
	node_set_times(&front->volume, node, what & FUSE_SET_ATTR_ATIME ? &accessed : NULL,
		       what & FUSE_SET_ATTR_MTIME ? &modified : NULL);
}

static void do_setattr(fuse_req_t request, fuse_ino_t ino, struct stat *stat, int what,
		       struct fuse_file_info *info)
{
	struct front *front = front_of(request);
	struct node *node = front_node(front, ino);
	int err = 0;

	(void)info;
	if ((what & FUSE_SET_ATTR_UID && stat->st_uid != front->uid) ||
	    (what & FUSE_SET_ATTR_GID && stat->st_gid != front->gid))
		err = -EPERM;
	if (!err && what & FUSE_SET_ATTR_MODE)
		err = set_mode(front, node, stat->st_mode);
	if (!err && what & FUSE_SET_ATTR_SIZE)
		err = file_resize(&front->volume, node, (uint64_t)stat->st_size);
	if (!err && what & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_SIZE))
		set_times(front, node, stat, what);
	if (!err)
		err = node_flush(&front->volume, node);
	answer_attributes(request, node, err);
}

/* ---- names ---- */

static uint8_t attributes_of_mode(mode_t mode)
{
	return ATTRIBUTE_ARCHIVE | (mode & 0222 ? 0 : ATTRIBUTE_READ_ONLY);
}

static void do_mknod(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
		     dev_t device)
{
	struct front *front = front_of(request);
	struct node *node = NULL;
	int err = -EPERM; /* the disk knows files and directories */

	(void)device;
	if (S_ISREG(mode))
		err = node_create(&front->volume, front_node(front, parent), name,
				  attributes_of_mode(mode), &node);
	answer_entry(request, node, err);
}

static void do_mkdir(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct front *front = front_of(request);
	struct node *node = NULL;
	int err = node_create(&front->volume, front_node(front, parent), name, ATTRIBUTE_DIRECTORY,
			      &node);

	(void)mode;
	answer_entry(request, node, err);
}

static void do_create(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *info)
{
	struct front *front = front_of(request);
	struct fuse_entry_param entry;
	struct node *node;
	int err = node_create(&front->volume, front_node(front, parent), name,
			      attributes_of_mode(mode), &node);

	if (err) {
		front_answer(request, err);
		return;
	}
	node_hold(node);
	info->keep_cache = 1;
	err = make_entry(front, node, &entry);
	if (!err && !fuse_reply_create(request, &entry, info))
		return;
	node_release(&front->volume, node);
	node_forget(&front->volume, node, 1);
	if (err)
		front_answer(request, err);
}

static void do_unlink(fuse_req_t request, fuse_ino_t parent, const char *name)
{
	struct front *front = front_of(request);

	front_answer(request, node_unlink(&front->volume, front_node(front, parent), name));
}

static void do_rmdir(fuse_req_t request, fuse_ino_t parent, const char *name)
{
	struct front *front = front_of(request);

	front_answer(request, node_rmdir(&front->volume, front_node(front, parent), name));
}

static void do_rename(fuse_req_t request, fuse_ino_t parent, const char *name,
		      fuse_ino_t new_parent, const char *new_name, unsigned flags)
{
	struct front *front = front_of(request);
	int err = -EINVAL;

	if (!(flags & ~(unsigned)RENAME_NOREPLACE))
		err = node_rename(&front->volume, front_node(front, parent), name,
				  front_node(front, new_parent), new_name,
				  flags & RENAME_NOREPLACE);
	front_answer(request, err);
}

static void do_symlink(fuse_req_t request, const char *target, fuse_ino_t parent, const char *name)
{
	(void)target, (void)parent, (void)name;
	front_answer(request, -EPERM);
}

static void do_link(fuse_req_t request, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	(void)ino, (void)parent, (void)name;
	front_answer(request, -EPERM);
}

static void do_statfs(fuse_req_t request, fuse_ino_t ino)
{
	struct front *front = front_of(request);
	struct statvfs stat = {.f_bsize = front->volume.cluster_bytes,
			       .f_frsize = front->volume.cluster_bytes,
			       .f_blocks = front->volume.nclusters,
			       .f_namemax = NAME_BYTES_MAX};
	uint32_t nfree;
	int err = table_free_count(&front->volume, &nfree);

	(void)ino;
	if (err) {
		front_answer(request, err);
		return;
	}
	stat.f_bfree = stat.f_bavail = nfree;
	fuse_reply_statfs(request, &stat);
}

const struct fuse_lowlevel_ops front_ops = {
	.lookup = do_lookup,
	.forget = do_forget,
	.forget_multi = do_forget_multi,
	.getattr = do_getattr,
	.setattr = do_setattr,
	.mknod = do_mknod,
	.mkdir = do_mkdir,
	.symlink = do_symlink,
	.link = do_link,
	.create = do_create,
	.unlink = do_unlink,
	.rmdir = do_rmdir,
	.rename = do_rename,
	.statfs = do_statfs,
	.open = front_open,
	.release = front_release,
	.read = front_read,
	.write = front_write,
	.fallocate = front_fallocate,
	.flush = front_flush,
	.fsync = front_fsync,
	.opendir = front_opendir,
	.readdir = front_readdir,
	.releasedir = front_release,
	.fsyncdir = front_fsync,
};
