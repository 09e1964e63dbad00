/*
 * Copies of mounts, alone or with all that stands in them: for MS_BIND, for open_tree(2), and for
 * what comes to peers. A copy shows the same files and stands nowhere until it is put somewhere. No
 * state.
 */
#include "mount_tree.h"
#include "peers.h"

#include <mm/slab.h>

/* In one tree. Linux's fs.mount-max is ten times as much; each one has about a KiB. */
#define MOUNTS_MAX 10000

err_t mount_check_room_locked(const struct mount_tree *tree, uint64_t nmore)
{
	return tree->nmounts + nmore > MOUNTS_MAX ? -ENOSPC : 0;
}

static err_t relate_locked(struct mount *copy, struct mount *mount, enum mount_relation relation)
	REQUIRES(mounts_lock);
static err_t relate_locked(struct mount *copy, struct mount *mount, enum mount_relation relation)
{
	if (relation == COPY_IS_ALIKE || relation == COPY_OF_TREE) {
		peers_join_locked(copy, mount);
		return 0;
	}
	peers_set_master_locked(copy, mount->peers);
	return relation == COPY_PASSES_ON ? peers_begin_locked(copy) : 0;
}

/* NULL: no memory. */
static struct mount *copy_one_locked(struct mount *mount, struct dentry *root,
				     enum mount_relation relation) REQUIRES(mounts_lock);
static struct mount *copy_one_locked(struct mount *mount, struct dentry *root,
				     enum mount_relation relation)
{
	bool of_tree = relation == COPY_OF_TREE;
	struct mount *copy = mount_alloc(mount->fs, root,
					 read_once(&mount->flags) & ~(of_tree ? 0 : MS_UNBINDABLE));

	if (copy)
		copy->locked = mount->locked;
	if (copy && of_tree)
		copy->copied_from = mount->id;
	if (!copy || !relate_locked(copy, mount, relation))
		return copy;
	peers_leave_locked(copy);
	mount_put(copy);
	return NULL;
}

/* Of what stands at `at` there shall be a copy. A directory that is removed just now has none. */
static err_t copy_to_locked(struct mount *mount, const struct path *at,
			    enum mount_relation relation) REQUIRES(mounts_lock);
static err_t copy_to_locked(struct mount *mount, const struct path *at,
			    enum mount_relation relation)
{
	struct mount_place *place = mount_place_alloc();
	struct mount *copy = place ? copy_one_locked(mount, mount->root, relation) : NULL;
	err_t err = copy ? mount_attach_locked(copy, at, place) : -ENOMEM;

	mount->copy = err ? NULL : copy;
	if (err)
		kfree(place);
	if (err && copy)
		peers_leave_locked(copy);
	if (copy)
		mount_put(copy); /* its place has another */
	return err == -ENOENT ? 0 : err;
}

/* What stands in `from`, below `root`, stands in its copy as well. */
static err_t copy_children_locked(struct mount *from, struct dentry *root, struct mount *copy,
				  enum mount_relation relation) REQUIRES(mounts_lock);
static err_t copy_children_locked(struct mount *from, struct dentry *root, struct mount *copy,
				  enum mount_relation relation)
{
	struct mount *mount;
	err_t err = 0;

	from->copy = copy;
	for (mount = mount_next_in(from, from); mount && !err; mount = mount_next_in(mount, from)) {
		const struct path *at = &mount->place->path;
		const struct path copied_at = {.mount = at->mount->copy, .dentry = at->dentry};

		mount->copy = NULL;
		if (relation != COPY_OF_TREE && mount->flags & MS_UNBINDABLE &&
		    mount->locked & MOUNT_STAYS)
			return -EPERM;
		/* Nor is what stands in one that is left out. */
		if (copied_at.mount &&
		    (relation == COPY_OF_TREE || !(mount->flags & MS_UNBINDABLE)) &&
		    (at->mount != from || dentry_is_below(at->dentry, root)))
			err = copy_to_locked(mount, &copied_at, relation);
	}
	return err;
}

err_t mount_copy_locked(struct mount *from, struct dentry *root, bool recursive,
			enum mount_relation relation, struct mount **out)
{
	*out = copy_one_locked(from, root, relation);
	if (!*out)
		return -ENOMEM;
	return recursive ? copy_children_locked(from, root, *out, relation) : 0;
}

err_t mount_copy_tree_locked(struct mount *from, struct mount *copy)
{
	return copy_children_locked(from, from->root, copy, COPY_OF_TREE);
}

bool mount_flags_are_free_locked(const struct mount *mount, unsigned flags)
{
	if (mount->locked & MOUNT_FLAGS & ~ATIME_FLAGS & ~flags)
		return false;
	return !(mount->locked & ATIME_FLAGS) || !((flags ^ mount->flags) & ATIME_FLAGS);
}

bool mount_has_staying_locked(const struct mount *mount, const struct dentry *root)
{
	struct mount *child;

	list_for_each (child, &mount->children, sibling) {
		if (child->locked & MOUNT_STAYS && dentry_is_below(child->place->path.dentry, root))
			return true;
	}
	return false;
}

err_t mount_copy(const struct path *from, bool recursive, struct mount **out)
{
	err_t err = -EINVAL;

	*out = NULL;
	mutex_lock(&mounts_lock);
	if (mount_is_callers(from->mount) && !(from->mount->flags & MS_UNBINDABLE))
		err = recursive ? mount_check_room_locked(from->mount->tree,
							  mount_count_locked(from->mount))
				: 0;
	if (!err && !recursive && mount_has_staying_locked(from->mount, from->dentry))
		err = -EINVAL;
	if (!err)
		err = mount_copy_locked(from->mount, from->dentry, recursive, COPY_IS_ALIKE, out);
	if (!err)
		(*out)->locked &= ~MOUNT_STAYS;
	mutex_unlock(&mounts_lock);
	if (err) {
		mount_discard(*out);
		*out = NULL;
	}
	return err;
}

void mount_lock_tree_locked(struct mount *top)
{
	const unsigned rights = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
	struct mount *mount;

	for (mount = top; mount; mount = mount_next_in(mount, top))
		mount->locked |= (read_once(&mount->flags) & rights) | ATIME_FLAGS |
				 (mount == top ? 0 : MOUNT_STAYS);
}

void mount_discard(struct mount *mount)
{
	if (!mount)
		return;
	mount_dissolve(mount);
	mount_put(mount);
}
