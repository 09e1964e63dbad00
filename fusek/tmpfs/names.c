/*
 * tmpfs as a server: the names. Each operation is one step for all others, under tree_lock.
 */
#include "inode.h"

#include <lib/string.h>
#include <mm/slab.h>

static void fill_entry(struct tmpfs_inode *inode, struct server_entry *out)
{
	*out = (struct server_entry){.node = tmpfs_nodeid(inode),
				     .generation = inode->ino, /* addresses are used again */
				     .entry_valid_ns = SERVER_VALID_FOREVER,
				     .attr_valid_ns = SERVER_VALID_FOREVER};
	tmpfs_fill_attr(inode, &out->attr);
	inode->nlookup++;
}

static err_t tmpfs_lookup(struct server *server, const struct server_caller *caller,
			  struct nodeid parent, struct server_name name, struct server_entry *out)
{
	struct tmpfs *fs = tmpfs_of(server);
	struct tmpfs_entry *entry;

	mutex_lock(&fs->tree_lock);
	entry = tmpfs_entry_find(tmpfs_inode(server, parent), name);
	if (entry)
		fill_entry(entry->inode, out);
	else
		*out = (struct server_entry){.entry_valid_ns = SERVER_VALID_FOREVER};
	mutex_unlock(&fs->tree_lock);
	return 0;
}

static uint64_t tmpfs_number(struct server *server, struct nodeid node)
{
	return tmpfs_inode(server, node)->ino;
}

static err_t tmpfs_by_number(struct server *server, uint64_t number, uint64_t generation,
			     struct server_entry *out)
{
	struct tmpfs *fs = tmpfs_of(server);
	struct tmpfs_inode *inode;
	err_t err = -ESTALE;

	if (number != generation)
		return -ESTALE;
	mutex_lock(&fs->tree_lock);
	list_for_each (inode, &fs->inodes, all) {
		if (inode->ino == number && inode != fs->root) {
			fill_entry(inode, out);
			err = 0;
			break;
		}
	}
	mutex_unlock(&fs->tree_lock);
	return err;
}

static err_t tmpfs_above(struct server *server, struct nodeid node, struct server_entry *out)
{
	struct tmpfs *fs = tmpfs_of(server);
	struct tmpfs_inode *parent;

	mutex_lock(&fs->tree_lock);
	parent = tmpfs_inode(server, node)->parent;
	if (parent == fs->root)
		*out = (struct server_entry){.node = SERVER_ROOT};
	else if (parent)
		fill_entry(parent, out);
	mutex_unlock(&fs->tree_lock);
	return parent ? 0 : -ESTALE;
}

static void tmpfs_forget(struct server *server, struct nodeid node, uint64_t nlookup)
{
	struct tmpfs *fs = tmpfs_of(server);
	struct tmpfs_inode *inode = tmpfs_inode(server, node);

	mutex_lock(&fs->tree_lock);
	debug_assert(inode->nlookup >= nlookup);
	inode->nlookup -= nlookup;
	tmpfs_inode_settle_locked(fs, inode);
	mutex_unlock(&fs->tree_lock);
}

/* ---- making ---- */

static void set_nlink(struct tmpfs_inode *inode, uint32_t nlink)
{
	write_once(&inode->nlink, nlink);
}

/* Gives `inode` the name. tree_lock is held. */
static err_t add_name(struct tmpfs_inode *directory, struct server_name name,
		      struct tmpfs_inode *inode)
{
	struct tmpfs_entry *entry;

	if (!directory->parent)
		return -ENOENT; /* removed: nothing is made in it any more */
	if (tmpfs_entry_find(directory, name))
		return -EEXIST;
	entry = tmpfs_entry_create(name, inode);
	if (!entry)
		return -ENOMEM;
	tmpfs_entry_add(directory, entry);
	if (inode->type == S_IFDIR) {
		inode->parent = directory;
		set_nlink(inode, 2);
		set_nlink(directory, directory->nlink + 1);
	} else {
		set_nlink(inode, inode->nlink + 1);
	}
	tmpfs_touch(directory, true);
	return 0;
}

/* What a new file takes from the directory: the group, and the bit that says so. */
static void inherit(const struct tmpfs_inode *directory, uint32_t *mode, uint32_t *gid)
{
	if (!(directory->mode & S_ISGID))
		return;
	*gid = directory->gid;
	if (S_ISDIR(*mode))
		*mode |= S_ISGID;
}

/* A new inode with its first name (empty: it has none); `target` of a link. */
static err_t make(struct server *server, const struct server_caller *caller, struct nodeid parent,
		  struct server_name name, uint32_t mode, uint64_t rdev,
		  const struct server_name *target, struct server_entry *out)
{
	struct tmpfs *fs = tmpfs_of(server);
	struct tmpfs_inode *directory = tmpfs_inode(server, parent);
	struct tmpfs_inode *inode;
	uint32_t gid = caller->gid;
	err_t err;

	mutex_lock(&fs->tree_lock);
	inherit(directory, &mode, &gid);
	err = tmpfs_inode_create_locked(fs, mode, caller->uid, gid, &inode);
	if (err)
		goto unlock;
	inode->rdev = rdev;
	if (!target)
		err = tmpfs_acls_inherit(directory, inode, caller->umask);
	if (err)
		goto free_inode;
	if (target)
		err = tmpfs_inode_set_target(inode, target->text, target->len_bytes);
	if (!err && name.len_bytes)
		err = add_name(directory, name, inode);
	if (err)
		goto free_inode;
	fill_entry(inode, out);
	mutex_unlock(&fs->tree_lock);
	return 0;

free_inode:
	tmpfs_inode_free(inode);
unlock:
	mutex_unlock(&fs->tree_lock);
	return err;
}

static err_t tmpfs_mknod(struct server *server, const struct server_caller *caller,
			 struct nodeid parent, struct server_name name, uint32_t mode,
			 uint64_t rdev, struct server_entry *out)
{
	return make(server, caller, parent, name, mode, rdev, NULL, out);
}

static err_t tmpfs_mkdir(struct server *server, const struct server_caller *caller,
			 struct nodeid parent, struct server_name name, uint32_t mode,
			 struct server_entry *out)
{
	return make(server, caller, parent, name, S_IFDIR | mode, 0, NULL, out);
}

static err_t tmpfs_symlink(struct server *server, const struct server_caller *caller,
			   struct nodeid parent, struct server_name name, struct server_name target,
			   struct server_entry *out)
{
	return make(server, caller, parent, name, S_IFLNK | 0777, 0, &target, out);
}

static err_t tmpfs_create_file(struct server *server, const struct server_caller *caller,
			       struct nodeid parent, struct server_name name, uint32_t mode,
			       unsigned flags, struct server_entry *entry, struct server_open *out)
{
	*out = (struct server_open){.flags = SERVER_KEEP_CACHE};
	return make(server, caller, parent, name, mode, 0, NULL, entry);
}

/* One more name. The first of a file that was made without one counts already, as the file. */
static err_t add_link(struct tmpfs_inode *directory, struct server_name name,
		      struct tmpfs_inode *inode)
{
	bool further = inode->nlink != 0;
	err_t err = further ? tmpfs_inode_charge(inode->pages.room) : 0;

	if (err)
		return err;
	err = add_name(directory, name, inode);
	if (err && further)
		tmpfs_inode_uncharge(inode->pages.room);
	return err;
}

static err_t tmpfs_link(struct server *server, const struct server_caller *caller,
			struct nodeid node, struct nodeid parent, struct server_name name,
			struct server_entry *out)
{
	struct tmpfs *fs = tmpfs_of(server);
	struct tmpfs_inode *inode = tmpfs_inode(server, node);
	err_t err;

	mutex_lock(&fs->tree_lock);
	if (inode->type == S_IFDIR)
		err = -EPERM;
	else if (inode->nlink == 0 && !inode->linkable)
		err = -ENOENT; /* without a name it stays without, as on Linux */
	else if (inode->nlink == UINT32_MAX)
		err = -EMLINK;
	else
		err = add_link(tmpfs_inode(server, parent), name, inode);
	if (!err) {
		inode->linkable = false;
		tmpfs_touch(inode, false);
		fill_entry(inode, out);
	}
	mutex_unlock(&fs->tree_lock);
	return err;
}

static err_t tmpfs_tmpfile(struct server *server, const struct server_caller *caller,
			   struct nodeid parent, uint32_t mode, unsigned flags,
			   struct server_entry *entry, struct server_open *out)
{
	const struct server_name none = {0};
	struct tmpfs *fs = tmpfs_of(server);
	err_t err = make(server, caller, parent, none, mode, 0, NULL, entry);

	if (err)
		return err;
	*out = (struct server_open){.flags = SERVER_KEEP_CACHE};
	mutex_lock(&fs->tree_lock);
	tmpfs_inode(server, entry->node)->linkable = !(flags & O_EXCL);
	mutex_unlock(&fs->tree_lock);
	return 0;
}

static err_t tmpfs_birth(struct server *server, struct nodeid node, struct abi_timespec *out)
{
	*out = tmpfs_inode(server, node)->btime;
	return 0;
}

static ssize_t tmpfs_readlink(struct server *server, struct nodeid node, char *to, size_t to_bytes)
{
	const struct tmpfs_inode *inode = tmpfs_inode(server, node);
	size_t len_bytes = MIN(inode->target_bytes, to_bytes);

	if (inode->type != S_IFLNK)
		return -EINVAL;
	memcpy(to, inode->target, len_bytes);
	return (ssize_t)len_bytes;
}

/* ---- removing ---- */

/* The inode has lost one name; tree_lock is held. It may be gone afterwards. */
static void drop_link(struct tmpfs *fs, struct tmpfs_inode *directory, struct tmpfs_inode *inode)
	REQUIRES(fs->tree_lock)
{
	if (inode->type == S_IFDIR) {
		inode->parent = NULL;
		set_nlink(inode, 0);
		set_nlink(directory, directory->nlink - 1);
	} else {
		set_nlink(inode, inode->nlink - 1);
		if (inode->nlink)
			tmpfs_inode_uncharge(inode->pages.room);
	}
	tmpfs_touch(inode, false);
	tmpfs_inode_settle_locked(fs, inode);
}

static err_t remove_name(struct server *server, struct nodeid parent, struct server_name name,
			 bool directory_wanted)
{
	struct tmpfs *fs = tmpfs_of(server);
	struct tmpfs_inode *directory = tmpfs_inode(server, parent);
	struct tmpfs_entry *entry;
	err_t err = 0;

	mutex_lock(&fs->tree_lock);
	entry = tmpfs_entry_find(directory, name);
	if (!entry)
		err = -ENOENT;
	else if (directory_wanted && entry->inode->type != S_IFDIR)
		err = -ENOTDIR;
	else if (!directory_wanted && entry->inode->type == S_IFDIR)
		err = -EISDIR;
	else if (directory_wanted && !tree_empty(&entry->inode->by_name))
		err = -ENOTEMPTY;
	if (!err) {
		tmpfs_entry_remove(directory, entry);
		tmpfs_touch(directory, true);
		drop_link(fs, directory, entry->inode);
		kfree(entry);
	}
	mutex_unlock(&fs->tree_lock);
	return err;
}

static err_t tmpfs_unlink(struct server *server, const struct server_caller *caller,
			  struct nodeid parent, struct server_name name)
{
	return remove_name(server, parent, name, false);
}

static err_t tmpfs_rmdir(struct server *server, const struct server_caller *caller,
			 struct nodeid parent, struct server_name name)
{
	return remove_name(server, parent, name, true);
}

/* ---- renaming; tree_lock is held ---- */

static bool is_below(const struct tmpfs_inode *inode, const struct tmpfs_inode *ancestor)
{
	for (; inode; inode = inode->parent) {
		if (inode == ancestor)
			return true;
		if (inode->parent == inode)
			break;
	}
	return false;
}

static err_t check_replace(const struct tmpfs_inode *moved, const struct tmpfs_inode *target)
{
	if (moved->type == S_IFDIR && target->type != S_IFDIR)
		return -ENOTDIR;
	if (moved->type != S_IFDIR && target->type == S_IFDIR)
		return -EISDIR;
	if (target->type == S_IFDIR && !tree_empty(&target->by_name))
		return -ENOTEMPTY;
	return 0;
}

static void reparent(struct tmpfs_inode *inode, struct tmpfs_inode *from, struct tmpfs_inode *to)
{
	if (inode->type != S_IFDIR || from == to)
		return;
	inode->parent = to;
	set_nlink(from, from->nlink - 1);
	set_nlink(to, to->nlink + 1);
}

static void touch_renamed(struct tmpfs_inode *inode, struct tmpfs_inode *from,
			  struct tmpfs_inode *to)
{
	tmpfs_touch(inode, false);
	tmpfs_touch(from, true);
	tmpfs_touch(to, true);
}

static err_t exchange(struct tmpfs_inode *from, struct tmpfs_entry *old, struct tmpfs_inode *to,
		      struct tmpfs_entry *target)
{
	struct tmpfs_inode *a = old->inode, *b = target->inode;

	if (is_below(from, b))
		return -EINVAL;
	reparent(a, from, to);
	reparent(b, to, from);
	old->inode = b;
	target->inode = a;
	touch_renamed(a, from, to);
	tmpfs_touch(b, false);
	return 0;
}

static err_t move(struct tmpfs *fs, struct tmpfs_inode *from, struct tmpfs_entry *old,
		  struct tmpfs_inode *to, struct server_name new_name, struct tmpfs_entry *target)
	REQUIRES(fs->tree_lock)
{
	struct tmpfs_inode *moved = old->inode, *replaced = NULL;
	struct tmpfs_entry *entry = target;
	err_t err;

	if (target) {
		err = check_replace(moved, target->inode);
		if (err)
			return err;
		replaced = target->inode;
	} else {
		entry = tmpfs_entry_create(new_name, moved);
		if (!entry)
			return -ENOMEM;
		tmpfs_entry_add(to, entry);
	}
	entry->inode = moved;
	tmpfs_entry_remove(from, old);
	kfree(old);
	reparent(moved, from, to);
	touch_renamed(moved, from, to);
	if (replaced)
		drop_link(fs, to, replaced);
	return 0;
}

static err_t tmpfs_rename(struct server *server, const struct server_caller *caller,
			  struct nodeid old_parent, struct server_name old_name,
			  struct nodeid new_parent, struct server_name new_name, unsigned flags)
{
	struct tmpfs *fs = tmpfs_of(server);
	struct tmpfs_inode *from = tmpfs_inode(server, old_parent);
	struct tmpfs_inode *to = tmpfs_inode(server, new_parent);
	struct tmpfs_entry *old, *target;
	err_t err;

	mutex_lock(&fs->tree_lock);
	old = tmpfs_entry_find(from, old_name);
	target = tmpfs_entry_find(to, new_name);
	if (!old || !to->parent || ((flags & RENAME_EXCHANGE) && !target))
		err = -ENOENT;
	else if (target && (flags & RENAME_NOREPLACE))
		err = -EEXIST;
	else if (target && target->inode == old->inode)
		err = 0; /* two names of one thing: both stay */
	else if (old->inode->type == S_IFDIR && is_below(to, old->inode))
		err = -EINVAL;
	else if (flags & RENAME_EXCHANGE)
		err = exchange(from, old, to, target);
	else
		err = move(fs, from, old, to, new_name, target);
	mutex_unlock(&fs->tree_lock);
	return err;
}

/* ---- reading directories ---- */

static err_t tmpfs_readdir(struct server *server, struct nodeid node, struct handle handle,
			   uint64_t cookie, struct dirent_sink *sink)
{
	struct tmpfs *fs = tmpfs_of(server);
	struct tmpfs_inode *directory = tmpfs_inode(server, node);
	struct tmpfs_entry *entry;

	mutex_lock(&fs->tree_lock);
	entry = tmpfs_entry_after(directory, cookie);
	while (entry) {
		const struct server_name name = {.text = entry->text,
						 .len_bytes = entry->len_bytes};

		if (!sink->emit(sink, name, entry->inode->ino, entry->inode->type, entry->cookie))
			break;
		entry = tree_entry(tree_next(&entry->by_cookie), struct tmpfs_entry, by_cookie);
	}
	mutex_unlock(&fs->tree_lock);
	return 0;
}

static err_t tmpfs_statfs(struct server *server, struct server_statfs *out)
{
	const struct tmpfs_room *room = &tmpfs_of(server)->room;
	uint64_t frames_max = read_once(&room->frames_max), free = tmpfs_pages_left(room);
	uint64_t inodes_max = read_once(&room->inodes_max);

	*out = (struct server_statfs){.blocks = frames_max ? frames_max : tmpfs_frames_max(),
				      .blocks_free = free,
				      .blocks_available = MIN(free, frames_free()),
				      .files = inodes_max ? inodes_max : tmpfs_frames_max(),
				      .files_free = tmpfs_inodes_left(room),
				      .block_bytes = PAGE_SIZE,
				      .name_bytes = NAME_MAX,
				      .magic = TMPFS_MAGIC};
	return 0;
}

/* ---- the server ---- */

/* Nothing of it is in use: all that is left are names. Emptied from the leaves, step by step. */
static void tmpfs_destroy(struct server *server)
{
	struct tmpfs *fs = tmpfs_of(server);
	struct tmpfs_inode *at = fs->root;
	struct tmpfs_entry *entry;

	mutex_lock(&fs->tree_lock);
	for (;;) {
		entry = tmpfs_entry_after(at, 0);
		if (entry && entry->inode->type == S_IFDIR && !tree_empty(&entry->inode->by_name)) {
			at = entry->inode;
		} else if (entry) {
			tmpfs_entry_remove(at, entry);
			entry->inode->nlookup = 0;
			drop_link(fs, at, entry->inode);
			kfree(entry);
		} else if (at != fs->root) {
			at = at->parent;
		} else {
			break;
		}
	}
	mutex_unlock(&fs->tree_lock);
	tmpfs_inode_free(fs->root);
	kfree(fs);
}

static uint64_t tmpfs_held_bytes(struct server *server, struct nodeid node)
{
	const struct tmpfs_inode *inode = tmpfs_inode(server, node);

	return read_once(&inode->nlink) ? 0 : read_once(&inode->pages.nframes) * PAGE_SIZE;
}

const struct server_ops tmpfs_ops = {
	.held_bytes = tmpfs_held_bytes,
	.number = tmpfs_number,
	.by_number = tmpfs_by_number,
	.above = tmpfs_above,
	.lookup = tmpfs_lookup,
	.forget = tmpfs_forget,
	.getattr = tmpfs_getattr,
	.setattr = tmpfs_setattr,
	.readlink = tmpfs_readlink,
	.mknod = tmpfs_mknod,
	.mkdir = tmpfs_mkdir,
	.symlink = tmpfs_symlink,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rmdir = tmpfs_rmdir,
	.rename = tmpfs_rename,
	.getxattr = tmpfs_getxattr,
	.listxattr = tmpfs_listxattr,
	.setxattr = tmpfs_setxattr,
	.removexattr = tmpfs_removexattr,
	.create = tmpfs_create_file,
	.tmpfile = tmpfs_tmpfile,
	.birth = tmpfs_birth,
	.read = tmpfs_read,
	.accessed = tmpfs_accessed,
	.write = tmpfs_write,
	.fallocate = tmpfs_fallocate,
	.lseek = tmpfs_lseek,
	.readdir = tmpfs_readdir,
	.statfs = tmpfs_statfs,
	.reconfigure = tmpfs_reconfigure,
	.describe = tmpfs_describe,
	.get_page = tmpfs_get_page,
	.seal = tmpfs_seal,
	.map_writable = tmpfs_map_writable,
	.unmap_writable = tmpfs_unmap_writable,
	.destroy = tmpfs_destroy,
};
