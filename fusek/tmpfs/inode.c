/*
 * tmpfs inodes: their life and their attributes. An inode lives while it has a name or the layer
 * above remembers it (nlookup); both counts change under tree_lock.
 */
#include "inode.h"

#include <abi/mman.h>
#include <arch/clock.h>
#include <lib/string.h>
#include <mm/slab.h>

struct abi_timespec tmpfs_now(void)
{
	uint64_t now_ns = clock_wall_ns();

	return (struct abi_timespec){.tv_sec = (int64_t)(now_ns / NSEC_PER_SEC),
				     .tv_nsec = (int64_t)(now_ns % NSEC_PER_SEC)};
}

err_t tmpfs_inode_create_locked(struct tmpfs *fs, uint32_t mode, uint32_t uid, uint32_t gid,
				struct tmpfs_inode **out)
{
	struct tmpfs_inode *inode;
	err_t err = tmpfs_inode_charge(&fs->room);

	if (err)
		return err;
	inode = kzalloc(sizeof(*inode));
	if (!inode) {
		tmpfs_inode_uncharge(&fs->room);
		return -ENOMEM;
	}
	inode->ino = ++fs->last_ino;
	list_add_head(&fs->inodes, &inode->all);
	inode->type = mode & S_IFMT;
	inode->mode = mode & 07777;
	inode->uid = uid;
	inode->gid = gid;
	inode->btime = inode->atime = inode->mtime = inode->ctime = tmpfs_now();
	spin_init(&inode->attr_lock, LOCK_DENTRY);
	mutex_init(&inode->data_lock, LOCK_NODE);
	tmpfs_pages_init(&inode->pages, &fs->room);
	list_init(&inode->seed_link);
	list_init(&inode->xattrs);
	inode->seals = F_SEAL_SEAL;
	*out = inode;
	return 0;
}

err_t tmpfs_inode_set_target(struct tmpfs_inode *inode, const char *text, size_t len_bytes)
{
	bool is_long = len_bytes > TMPFS_SHORT_TARGET;
	err_t err = is_long ? tmpfs_page_charge(inode->pages.room) : 0;

	if (err)
		return err;
	inode->target = kmalloc(len_bytes);
	if (!inode->target) {
		if (is_long)
			tmpfs_page_uncharge(inode->pages.room);
		return -ENOMEM;
	}
	memcpy(inode->target, text, len_bytes);
	inode->target_bytes = inode->size_bytes = len_bytes;
	return 0;
}

void tmpfs_inode_free(struct tmpfs_inode *inode)
{
	struct tmpfs_room *room = inode->pages.room;

	list_del(&inode->all);
	tmpfs_pages_cut(&inode->pages, 0, UINT64_MAX);
	if (inode->target_bytes > TMPFS_SHORT_TARGET)
		tmpfs_page_uncharge(room);
	tmpfs_xattrs_free(inode);
	kfree(inode->target);
	kfree(inode);
	tmpfs_inode_uncharge(room);
}

void tmpfs_inode_settle_locked(struct tmpfs *fs, struct tmpfs_inode *inode)
{
	if (inode->nlink == 0 && inode->nlookup == 0 && inode != fs->root)
		tmpfs_inode_free(inode);
}

void tmpfs_touch(struct tmpfs_inode *inode, bool modified)
{
	struct abi_timespec now = tmpfs_now();

	spin_lock(&inode->attr_lock);
	inode->ctime = now;
	if (modified)
		inode->mtime = now;
	spin_unlock(&inode->attr_lock);
}

static bool is_later(struct abi_timespec a, struct abi_timespec b)
{
	return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

/* Relatime without its rule of once a day, which would ask for the time at each read. A look
 * without the lock: who changes the file at this moment may make it one access more or less. */
bool tmpfs_accessed(struct server *server, struct nodeid node, bool is_strict)
{
	struct tmpfs_inode *inode = tmpfs_inode(server, node);
	struct abi_timespec now;

	if (!is_strict && is_later(inode->atime, inode->mtime) &&
	    is_later(inode->atime, inode->ctime))
		return false;
	now = tmpfs_now();
	spin_lock(&inode->attr_lock);
	inode->atime = now;
	spin_unlock(&inode->attr_lock);
	return true;
}

void tmpfs_fill_attr(struct tmpfs_inode *inode, struct server_attr *out)
{
	uint64_t nframes = read_once(&inode->pages.nframes);

	spin_lock(&inode->attr_lock);
	*out = (struct server_attr){.ino = inode->ino,
				    .size_bytes = inode->size_bytes,
				    .blocks = nframes * (PAGE_SIZE / 512),
				    .atime = inode->atime,
				    .mtime = inode->mtime,
				    .ctime = inode->ctime,
				    .mode = inode->type | inode->mode,
				    .nlink = read_once(&inode->nlink),
				    .uid = inode->uid,
				    .gid = inode->gid,
				    .rdev = inode->rdev,
				    .block_bytes = PAGE_SIZE};
	spin_unlock(&inode->attr_lock);
}

err_t tmpfs_getattr(struct server *server, struct nodeid node, struct server_attr *out,
		    uint64_t *attr_valid_ns)
{
	tmpfs_fill_attr(tmpfs_inode(server, node), out);
	*attr_valid_ns = SERVER_VALID_FOREVER; /* all changes come from the layer above */
	return 0;
}

static void set_times_locked(struct tmpfs_inode *inode, const struct server_setattr *set,
			     struct abi_timespec now)
{
	if (set->valid & SETATTR_ATIME_NOW)
		inode->atime = now;
	else if (set->valid & SETATTR_ATIME)
		inode->atime = set->atime;
	if (set->valid & SETATTR_MTIME_NOW)
		inode->mtime = now;
	else if (set->valid & SETATTR_MTIME)
		inode->mtime = set->mtime;
}

err_t tmpfs_setattr(struct server *server, const struct server_caller *caller, struct nodeid node,
		    const struct server_setattr *set, struct server_attr *out,
		    uint64_t *attr_valid_ns)
{
	struct tmpfs_inode *inode = tmpfs_inode(server, node);
	struct abi_timespec now = tmpfs_now();
	err_t err;

	if (set->valid & SETATTR_MODE) {
		err = tmpfs_seals_allow_mode(inode, set->mode);
		if (err)
			return err;
	}
	if (set->valid & SETATTR_SIZE) {
		err = tmpfs_set_size(tmpfs_of(server), inode, set->size_bytes);
		if (err)
			return err;
	}
	if (set->valid & SETATTR_MODE) {
		mutex_lock(&inode->data_lock); /* the size may be another one by now */
		tmpfs_acl_chmod_locked(inode, set->mode);
		mutex_unlock(&inode->data_lock);
	}
	spin_lock(&inode->attr_lock);
	if (set->valid & SETATTR_UID)
		inode->uid = set->uid;
	if (set->valid & SETATTR_GID)
		inode->gid = set->gid;
	set_times_locked(inode, set, now);
	inode->ctime = now;
	spin_unlock(&inode->attr_lock);
	return tmpfs_getattr(server, node, out, attr_valid_ns);
}
