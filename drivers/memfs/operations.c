/*
 * Operations on names and attributes, and the table of all.
 */
#include "front.h"

#include <errno.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Under memfs->lock. */
void make_entry(const struct memfs *memfs, struct node *node, struct fuse_entry_param *out)
{
	*out = (struct fuse_entry_param){.ino = (fuse_ino_t)(uintptr_t)node,
					 .generation = node->ino,
					 .attr_timeout = memfs->valid_s,
					 .entry_timeout = memfs->valid_s};
	node_stat(node, &out->attr);
}

/*
 * For a node that has been looked up once more, with the lock held, which is given up here. The
 * answer is made with it: whoever removes the file next finds the look-up counted.
 */
static void answer_entry(fuse_req_t request, struct node *node)
{
	struct memfs *memfs = memfs_of(request);
	struct fuse_entry_param entry;

	make_entry(memfs, node, &entry);
	if (fuse_reply_entry(request, &entry)) /* nobody waits for it any more */
		node_forget(memfs, node, 1);
	pthread_mutex_unlock(&memfs->lock);
}

static void do_lookup(fuse_req_t request, fuse_ino_t parent, const char *text)
{
	struct memfs *memfs = memfs_of(request);
	struct name *name;

	if (strlen(text) > NAME_BYTES_MAX) { /* or Linux would make one of 256 bytes */
		fuse_reply_err(request, ENAMETOOLONG);
		return;
	}
	pthread_mutex_lock(&memfs->lock);
	name = name_find(memfs, node_of(request, parent), text);
	if (name) {
		name->node->nlookups++;
		answer_entry(request, name->node);
		return;
	}
	pthread_mutex_unlock(&memfs->lock);
	/* Nothing, and the kernel may remember that. */
	fuse_reply_entry(request, &(struct fuse_entry_param){.entry_timeout = memfs->valid_s});
}

static void do_forget(fuse_req_t request, fuse_ino_t ino, uint64_t nlookups)
{
	struct memfs *memfs = memfs_of(request);

	pthread_mutex_lock(&memfs->lock);
	node_forget(memfs, node_of(request, ino), nlookups);
	pthread_mutex_unlock(&memfs->lock);
	fuse_reply_none(request);
}

static void do_forget_multi(fuse_req_t request, size_t n, struct fuse_forget_data *forgets)
{
	struct memfs *memfs = memfs_of(request);

	pthread_mutex_lock(&memfs->lock);
	for (size_t i = 0; i < n; i++)
		node_forget(memfs, node_of(request, forgets[i].ino), forgets[i].nlookup);
	pthread_mutex_unlock(&memfs->lock);
	fuse_reply_none(request);
}

static void answer_attributes(fuse_req_t request, struct node *node)
{
	struct memfs *memfs = memfs_of(request);
	struct stat stat;

	pthread_mutex_lock(&memfs->lock);
	node_stat(node, &stat);
	pthread_mutex_unlock(&memfs->lock);
	fuse_reply_attr(request, &stat, memfs->valid_s);
}

static void do_getattr(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info)
{
	(void)info;
	answer_attributes(request, node_of(request, ino));
}

static void do_setattr(fuse_req_t request, fuse_ino_t ino, struct stat *stat, int what,
		       struct fuse_file_info *info)
{
	struct node *node = node_of(request, ino);
	struct timespec now = time_now();

	(void)info;
	pthread_rwlock_wrlock(&node->lock);
	if (what & FUSE_SET_ATTR_MODE)
		node->mode = node->type | (stat->st_mode & 07777);
	if (what & FUSE_SET_ATTR_UID)
		node->uid = stat->st_uid;
	if (what & FUSE_SET_ATTR_GID)
		node->gid = stat->st_gid;
	if (what & FUSE_SET_ATTR_SIZE) {
		data_resize(memfs_of(request), node, (uint64_t)stat->st_size);
		node->mtime = now;
	}
	if (what & FUSE_SET_ATTR_ATIME)
		node->atime = what & FUSE_SET_ATTR_ATIME_NOW ? now : stat->st_atim;
	if (what & FUSE_SET_ATTR_MTIME)
		node->mtime = what & FUSE_SET_ATTR_MTIME_NOW ? now : stat->st_mtim;
	node->ctime = now;
	pthread_rwlock_unlock(&node->lock);
	answer_attributes(request, node);
}

/* ---- new names ---- */

/* Who makes it owns it, but for the group of a directory that gives its own on. */
static struct node *make_node(fuse_req_t request, struct node *parent, mode_t mode, dev_t device,
			      int *err)
{
	const struct fuse_ctx *context = fuse_req_ctx(request);
	gid_t gid = context->gid;

	pthread_rwlock_rdlock(&parent->lock);
	if (parent->mode & S_ISGID) {
		gid = parent->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
	}
	pthread_rwlock_unlock(&parent->lock);
	return node_new(memfs_of(request), mode, device, context->uid, gid, err);
}

/*
 * A new file of any kind, with its name; NULL: *err says why not. It is looked up once. With the
 * lock, which stays held when there is one.
 */
static struct node *make(fuse_req_t request, fuse_ino_t ino, const char *text, mode_t mode,
			 dev_t device, const char *target, int *err)
{
	struct memfs *memfs = memfs_of(request);
	struct node *parent = node_of(request, ino), *node;

	pthread_mutex_lock(&memfs->lock);
	node = make_node(request, parent, mode, device, err);
	if (node && target) {
		node->target = strdup(target);
		node->size_bytes = strlen(target);
		*err = node->target ? 0 : -ENOMEM;
	}
	if (node && !*err)
		*err = names_add(memfs, parent, text, node);
	if (node && !*err)
		return node;
	if (node)
		node_forget(memfs, node, 1);
	pthread_mutex_unlock(&memfs->lock);
	return NULL;
}

static void answer_made(fuse_req_t request, fuse_ino_t parent, const char *text, mode_t mode,
			dev_t device, const char *target)
{
	int err;
	struct node *node = make(request, parent, text, mode, device, target, &err);

	if (node)
		answer_entry(request, node);
	else
		fuse_reply_err(request, -err);
}

static void do_mknod(fuse_req_t request, fuse_ino_t parent, const char *text, mode_t mode,
		     dev_t device)
{
	answer_made(request, parent, text, mode, device, NULL);
}

static void do_mkdir(fuse_req_t request, fuse_ino_t parent, const char *text, mode_t mode)
{
	answer_made(request, parent, text, S_IFDIR | mode, 0, NULL);
}

static void do_symlink(fuse_req_t request, const char *target, fuse_ino_t parent, const char *text)
{
	answer_made(request, parent, text, S_IFLNK | 0777, 0, target);
}

static void do_readlink(fuse_req_t request, fuse_ino_t ino)
{
	char target[PATH_MAX]; /* the node may be gone before the answer has returned */

	snprintf(target, sizeof(target), "%s", node_of(request, ino)->target);
	fuse_reply_readlink(request, target);
}

static void do_create(fuse_req_t request, fuse_ino_t parent, const char *text, mode_t mode,
		      struct fuse_file_info *info)
{
	struct memfs *memfs = memfs_of(request);
	struct fuse_entry_param entry;
	int err;
	struct node *node = make(request, parent, text, S_IFREG | (mode & 07777), 0, NULL, &err);

	if (!node) {
		fuse_reply_err(request, -err);
		return;
	}
	info->keep_cache = !memfs->direct_io;
	info->direct_io = memfs->direct_io;
	make_entry(memfs, node, &entry);
	if (fuse_reply_create(request, &entry, info))
		node_forget(memfs, node, 1);
	pthread_mutex_unlock(&memfs->lock);
}

static void do_link(fuse_req_t request, fuse_ino_t ino, fuse_ino_t parent, const char *text)
{
	struct memfs *memfs = memfs_of(request);
	struct node *node = node_of(request, ino);
	int err;

	pthread_mutex_lock(&memfs->lock);
	/* One without any name cannot get one again. */
	err = node->nlinks ? names_add(memfs, node_of(request, parent), text, node) : -ENOENT;
	if (err) {
		pthread_mutex_unlock(&memfs->lock);
		fuse_reply_err(request, -err);
		return;
	}
	node_touch(node, false, true);
	node->nlookups++;
	answer_entry(request, node);
}

/* ---- names that go ---- */

static void take(fuse_req_t request, fuse_ino_t parent, const char *text, bool is_rmdir)
{
	struct memfs *memfs = memfs_of(request);
	int err;

	pthread_mutex_lock(&memfs->lock);
	err = names_take(memfs, node_of(request, parent), text, is_rmdir);
	pthread_mutex_unlock(&memfs->lock);
	fuse_reply_err(request, -err);
}

static void do_unlink(fuse_req_t request, fuse_ino_t parent, const char *text)
{
	take(request, parent, text, false);
}

static void do_rmdir(fuse_req_t request, fuse_ino_t parent, const char *text)
{
	take(request, parent, text, true);
}

static void do_rename(fuse_req_t request, fuse_ino_t parent, const char *text,
		      fuse_ino_t new_parent, const char *new_text, unsigned flags)
{
	struct memfs *memfs = memfs_of(request);
	int err;

	pthread_mutex_lock(&memfs->lock);
	err = names_rename(memfs, node_of(request, parent), text, node_of(request, new_parent),
			   new_text, flags);
	pthread_mutex_unlock(&memfs->lock);
	fuse_reply_err(request, -err);
}

static unsigned long left_of(struct quota *quota)
{
	unsigned long used = atomic_load(&quota->used);

	return used < quota->limit ? quota->limit - used : 0;
}

static void do_statfs(fuse_req_t request, fuse_ino_t ino)
{
	struct memfs *memfs = memfs_of(request);
	struct statvfs stat = {.f_bsize = PAGE_BYTES,
			       .f_frsize = PAGE_BYTES,
			       .f_blocks = memfs->pages.limit,
			       .f_bfree = left_of(&memfs->pages),
			       .f_bavail = left_of(&memfs->pages),
			       .f_files = memfs->inodes.limit,
			       .f_ffree = left_of(&memfs->inodes),
			       .f_favail = left_of(&memfs->inodes),
			       .f_namemax = NAME_BYTES_MAX};

	(void)ino;
	fuse_reply_statfs(request, &stat);
}

/* libfuse asks for the locks of files since there are operations for them. */
static void do_init(void *userdata, struct fuse_conn_info *connection)
{
	struct memfs *memfs = userdata;

	if (!memfs->keeps_locks)
		connection->want &= ~(unsigned)(FUSE_CAP_POSIX_LOCKS | FUSE_CAP_FLOCK_LOCKS);
	if (memfs->writes_back)
		connection->want |= connection->capable & FUSE_CAP_WRITEBACK_CACHE;
}

const struct fuse_lowlevel_ops memfs_ops = {
	.init = do_init,
	.lookup = do_lookup,
	.forget = do_forget,
	.forget_multi = do_forget_multi,
	.getattr = do_getattr,
	.setattr = do_setattr,
	.readlink = do_readlink,
	.mknod = do_mknod,
	.mkdir = do_mkdir,
	.unlink = do_unlink,
	.rmdir = do_rmdir,
	.symlink = do_symlink,
	.rename = do_rename,
	.link = do_link,
	.open = do_open,
	.read = do_read,
	.write = do_write,
	.flush = do_flush,
	.release = do_release,
	.fsync = do_fsync,
	.readdir = do_readdir,
	.readdirplus = do_readdirplus,
	.fsyncdir = do_fsync,
	.statfs = do_statfs,
	.setxattr = do_setxattr,
	.getxattr = do_getxattr,
	.listxattr = do_listxattr,
	.removexattr = do_removexattr,
	.create = do_create,
	.getlk = do_getlk,
	.setlk = do_setlk,
	.flock = do_flock,
	.fallocate = do_fallocate,
	.lseek = do_lseek,
	.copy_file_range = do_copy_file_range,
};
