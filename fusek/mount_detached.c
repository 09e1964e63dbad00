/*
 * Mounts that stand nowhere and belong to a descriptor: what fsmount(2) makes and open_tree(2)
 * copies. `mount->detached` (mounts_lock) says so of the topmost one: whoever clears it first
 * decides what becomes of the tree, move_mount(2) that puts it somewhere or the close that takes it
 * down. No state of its own.
 */
#include <fusek/mount_context.h>

#include "mount_tree.h"
#include "open_file.h"

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
