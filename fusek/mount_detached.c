/*
 * Mounts that stand nowhere and belong to a descriptor: what fsmount(2) makes and open_tree(2)
 * copies. `mount->detached` (mounts_lock) says so of the topmost one: whoever clears it first
 * decides what becomes of the tree, move_mount(2) that puts it somewhere or the close that takes it
 * down. No state of its own.
 */
#include <fusek/mount_context.h>

#include "mount_tree.h"
#include "open_file.h"
#include "peers.h"

#include <abi/capability.h>
#include <ipc/user_namespace.h>

err_t mount_open_detached(struct mount *mount, struct object **out)
{
	const struct path at = {.mount = mount_get(mount), .dentry = dentry_get(mount->root)};
	struct file *file;
	err_t err = file_create(&at, O_PATH, &file);

	if (err) {
		mount_discard(mount);
		return err;
	}
	mutex_lock(&mounts_lock);
	mount->detached = true;
	mutex_unlock(&mounts_lock);
	file->owns_mount = true;
	mount_put(mount);
	*out = &file->object;
	return 0;
}

void mount_abandon(struct mount *mount)
{
	bool was;

	mutex_lock(&mounts_lock);
	was = mount->detached;
	mount->detached = false;
	mutex_unlock(&mounts_lock);
	if (was)
		mount_dissolve(mount);
}

err_t vfs_open_tree(const struct path *at, bool clone, bool recursive, struct object **out)
{
	struct path place;
	struct mount *mount;
	struct file *file;
	err_t err;

	if (clone) {
		err = mount_copy(at, recursive, &mount);
		return err ? err : mount_open_detached(mount, out);
	}
	place = path_get(at);
	err = file_create(&place, O_PATH, &file);
	if (!err)
		*out = &file->object;
	return err;
}

err_t vfs_move_mount(const struct vfs_context *context, const struct path *from,
		     const struct path *to, bool beneath)
{
	unsigned flags = beneath ? GRAFT_BENEATH : 0;
	bool detached;

	if (beneath && to->mount == context->root.mount)
		return -EINVAL;
	mutex_lock(&mounts_lock);
	detached = from->mount->detached;
	mutex_unlock(&mounts_lock);
	if (!detached)
		return mount_move(from, to, flags);
	return path_is_mount_root(from) ? mount_graft(from->mount, to, flags | GRAFT_DETACHED)
					: -EINVAL;
}

/* In whatever tree. */
static bool has_peers_to_be_locked(const struct path *at) REQUIRES(mounts_lock);
static bool has_peers_to_be_locked(const struct path *at)
{
	const struct mount *mount = at->mount;

	return path_is_mount_root(at) &&
	       (mount->detached || (mount_in_tree(mount) && !mount_is_absolute(mount)));
}

/* The caller may change what is mounted in the tree that it is in. */
static bool is_changeable_locked(const struct mount *mount) REQUIRES(mounts_lock);
static bool is_changeable_locked(const struct mount *mount)
{
	return !mount->tree ||
	       user_namespace_caller_capable(mount_tree_owner(mount->tree), CAP_SYS_ADMIN);
}

static err_t check_same_peers_locked(const struct path *from, const struct path *to)
	REQUIRES(mounts_lock);
static err_t check_same_peers_locked(const struct path *from, const struct path *to)
{
	if (!has_peers_to_be_locked(from) || !has_peers_to_be_locked(to))
		return -EINVAL;
	if (!is_changeable_locked(from->mount) || !is_changeable_locked(to->mount))
		return -EPERM;
	if (mount_has_staying_locked(from->mount, to->dentry))
		return -EINVAL; /* what it covers would be seen in `to` */
	if (from->mount->fs != to->mount->fs || !dentry_is_below(to->dentry, from->dentry))
		return -EINVAL;
	if (to->mount->peers || to->mount->master)
		return -EINVAL;
	return from->mount->peers || from->mount->master ? 0 : -EINVAL;
}

err_t mount_set_peers(const struct path *from, const struct path *to)
{
	err_t err;

	mutex_lock(&mounts_lock);
	err = check_same_peers_locked(from, to);
	if (!err)
		peers_join_locked(to->mount, from->mount);
	mutex_unlock(&mounts_lock);
	return err;
}

err_t vfs_mount_setattr(const struct path *at, const struct mount_change *change)
{
	err_t err;

	if (!path_is_mount_root(at))
		return -EINVAL;
	err = mount_set_flags(at, change->set, change->clear, change->recursive);
	if (!err && change->propagation)
		err = mount_set_propagation(at, change->propagation, change->recursive);
	return err;
}
