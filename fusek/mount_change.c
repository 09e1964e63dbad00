/*
 * What mount(2), umount2(2) and pivot_root(2) do to the tree of mounts: each finds its places,
 * makes what may fail, and changes the tree under mounts_lock, in which it checks all that others
 * may have changed meanwhile. References that it gives up go without the lock. No state.
 */
#include "mount_tree.h"

#include <lib/string.h>
#include <mm/slab.h>

/* Linux's fs.mount-max is ten times as much; each one has about a KiB. */
#define MOUNTS_MAX 10000

static bool is_root_of_mount(const struct path *path)
{
	return path->dentry == path->mount->root;
}

static bool is_directory(const struct dentry *dentry)
{
	return node_type(dentry->node) == S_IFDIR;
}

/* How many mounts `top` and what stands in it are; the tree has room for as many. */
static err_t check_room_locked(struct mount *top) REQUIRES(mounts_lock);
static err_t check_room_locked(struct mount *top)
{
	const struct list *link;
	uint32_t nmounts = 0;

	for (struct mount *mount = top; mount; mount = mount_next_in(mount, top))
		nmounts++;
	for (link = mounts_in_tree.next; link != &mounts_in_tree; link = link->next)
		nmounts++;
	return nmounts > MOUNTS_MAX ? -ENOSPC : 0;
}

/* Whether `mount` may come to `top`. */
static err_t check_graft_locked(struct mount *mount, const struct path *top, unsigned flags)
	REQUIRES(mounts_lock);
static err_t check_graft_locked(struct mount *mount, const struct path *top, unsigned flags)
{
	if (!mount_in_tree(top->mount))
		return -EINVAL;
	if ((flags & GRAFT_DETACHED) && !mount->detached)
		return -EINVAL; /* somebody else has put it somewhere */
	if (is_directory(top->dentry) != is_directory(mount->root))
		return flags & GRAFT_DETACHED ? -EINVAL : -ENOTDIR;
	if ((flags & GRAFT_FRESH) && is_root_of_mount(top) && top->mount->fs == mount->fs)
		return -EBUSY; /* the same, over itself */
	return check_room_locked(mount);
}

err_t mount_graft(struct mount *mount, const struct path *at, unsigned graft_flags)
{
	struct mount_place *place = mount_place_alloc();
	struct path top = *at; /* borrowed: the lock keeps what stands in the tree */
	err_t err = place ? dentry_keep(at->dentry) : -ENOMEM;

	if (err) {
		kfree(place);
		return err;
	}
	mutex_lock(&mounts_lock);
	path_cross_rcu(&top);
	err = check_graft_locked(mount, &top, graft_flags);
	if (!err)
		err = mount_attach_locked(mount, &top, place);
	if (!err)
		mount->detached = false;
	mutex_unlock(&mounts_lock);
	if (err)
		kfree(place);
	return err;
}

/* ---- bind ---- */

static struct mount *clone(const struct mount *mount, struct dentry *root)
{
	return mount_alloc(mount->fs, root, read_once(&mount->flags) & ~MS_UNBINDABLE);
}

/* Of what stands at `at` there shall be a copy; *out may be NULL. A directory that is removed just
 * now has none. */
static err_t copy_one_locked(struct mount *mount, const struct path *at) REQUIRES(mounts_lock);
static err_t copy_one_locked(struct mount *mount, const struct path *at)
{
	struct mount_place *place = mount_place_alloc();
	struct mount *copy = place ? clone(mount, mount->root) : NULL;
	err_t err = copy ? mount_attach_locked(copy, at, place) : -ENOMEM;

	mount->copy = err ? NULL : copy;
	if (err)
		kfree(place);
	if (copy)
		mount_put(copy); /* its place has another */
	return err == -ENOENT ? 0 : err;
}

/* What stands in `from`, below `root`, stands in its copy as well. */
static err_t copy_children_locked(struct mount *from, struct dentry *root, struct mount *copy)
	REQUIRES(mounts_lock);
static err_t copy_children_locked(struct mount *from, struct dentry *root, struct mount *copy)
{
	struct mount *mount;
	err_t err = 0;

	from->copy = copy;
	for (mount = mount_next_in(from, from); mount && !err; mount = mount_next_in(mount, from)) {
		const struct path *at = &mount->place->path;
		const struct path copied_at = {.mount = at->mount->copy, .dentry = at->dentry};

		mount->copy = NULL;
		/* Nor is what stands in one that is left out. */
		if (copied_at.mount && !(mount->flags & MS_UNBINDABLE) &&
		    (at->mount != from || dentry_is_below(at->dentry, root)))
			err = copy_one_locked(mount, &copied_at);
	}
	return err;
}

err_t mount_copy(const struct path *from, bool recursive, struct mount **out)
{
	struct mount *copy = NULL;
	err_t err = -EINVAL;

	mutex_lock(&mounts_lock);
	if (mount_in_tree(from->mount) && !(from->mount->flags & MS_UNBINDABLE)) {
		copy = clone(from->mount, from->dentry);
		err = copy ? 0 : -ENOMEM;
	}
	if (!err && recursive)
		err = check_room_locked(from->mount); /* at most so many; alone: mount_graft() */
	if (!err && recursive)
		err = copy_children_locked(from->mount, from->dentry, copy);
	mutex_unlock(&mounts_lock);
	if (err && copy)
		mount_discard(copy);
	*out = copy;
	return err;
}

void mount_discard(struct mount *mount)
{
	mount_dissolve(mount);
	mount_put(mount);
}

err_t mount_bind(const struct path *from, const struct path *at, bool recursive)
{
	struct mount *copy;
	err_t err = mount_copy(from, recursive, &copy);

	if (err)
		return err;
	err = mount_graft(copy, at, 0);
	if (err)
		mount_discard(copy);
	else
		mount_put(copy);
	return err;
}

/* ---- what stands on what is removed ---- */

/* What stands on `removed` leaves the tree; NULL: nothing. */
static struct mount *take_out_of(struct dentry *removed, struct mount_place **place)
{
	struct mount *mount;

	mutex_lock(&mounts_lock);
	mount = removed->mounted;
	if (mount) {
		(void)mount_get(mount);
		*place = mount_take_out_locked(mount);
	}
	mutex_unlock(&mounts_lock);
	return mount;
}

static void remove_from(struct dentry *removed)
{
	struct mount_place *place;
	struct mount *mount;

	while ((mount = take_out_of(removed, &place))) {
		mount_left(mount, place);
		mount_dissolve(mount);
		mount_put(mount);
	}
}

void dentry_set_removed(struct dentry *dentry)
{
	write_once(&dentry->removed, true);
	memory_barrier(); /* pairs with a mount that comes here: one of us sees the other */
	if (unlikely(read_once(&dentry->mounted)))
		remove_from(dentry);
}

/* After a mount has come to `at`, without the lock. Consumes the reference. */
static void look_again(struct path *at)
{
	if (unlikely(read_once(&at->dentry->removed)))
		remove_from(at->dentry);
	path_put(at);
}

/* ---- move ---- */

/* The root of a mount that has a place in the tree. */
static err_t check_root_locked(const struct path *at) REQUIRES(mounts_lock);
static err_t check_root_locked(const struct path *at)
{
	return is_root_of_mount(at) && mount_in_tree(at->mount) && at->mount != mount_absolute
		       ? 0
		       : -EINVAL;
}

static err_t check_move_locked(const struct path *from, const struct path *to)
	REQUIRES(mounts_lock);
static err_t check_move_locked(const struct path *from, const struct path *to)
{
	if (check_root_locked(from) || !mount_in_tree(to->mount))
		return -EINVAL;
	if (is_directory(from->dentry) != is_directory(to->dentry))
		return -EINVAL;
	if (mount_is_in(to->mount, from->mount))
		return -ELOOP;
	return read_once(&to->dentry->removed) ? -ENOENT : 0;
}

err_t mount_move(const struct path *from, const struct path *at)
{
	struct mount_place *place = mount_place_alloc(), *before = NULL;
	struct path to = *at;
	err_t err = place ? dentry_keep(at->dentry) : -ENOMEM;

	if (err) {
		kfree(place);
		return err;
	}
	mutex_lock(&mounts_lock);
	path_cross_rcu(&to);
	err = check_move_locked(from, &to);
	if (!err) {
		to = path_get(&to);
		before = mount_move_locked(from->mount, &to, place);
	}
	mutex_unlock(&mounts_lock);
	if (err)
		kfree(place);
	else
		look_again(&to);
	mount_place_free(before);
	return err;
}

/* ---- pivot_root ---- */

/* Below `top`, in mounts that stand in it perhaps. */
static bool is_reachable_locked(const struct path *path, const struct path *top)
	REQUIRES(mounts_lock);
static bool is_reachable_locked(const struct path *path, const struct path *top)
{
	struct path at = *path;

	while (at.mount != top->mount && at.mount->place)
		at = at.mount->place->path;
	return at.mount == top->mount && dentry_is_below(at.dentry, top->dentry);
}

static err_t check_pivot_locked(const struct path *root, const struct path *fresh,
				const struct path *old) REQUIRES(mounts_lock);
static err_t check_pivot_locked(const struct path *root, const struct path *fresh,
				const struct path *old)
{
	if (!mount_in_tree(root->mount) || !mount_in_tree(fresh->mount) ||
	    !mount_in_tree(old->mount))
		return -EINVAL;
	if (read_once(&fresh->dentry->removed) || read_once(&old->dentry->removed))
		return -ENOENT;
	if (fresh->mount == root->mount || old->mount == root->mount)
		return -EBUSY;
	if (check_root_locked(root) || check_root_locked(fresh))
		return -EINVAL;
	return is_reachable_locked(old, fresh) && is_reachable_locked(fresh, root) ? 0 : -EINVAL;
}

/* The new one covers what the old one did before the old one leaves: there is always a root. */
static void pivot_locked(struct mount *root, struct mount *fresh, const struct path *old,
			 struct mount_place *places[2]) REQUIRES(mounts_lock);
static void pivot_locked(struct mount *root, struct mount *fresh, const struct path *old,
			 struct mount_place *places[2])
{
	const struct path below = root->place->path;

	places[0] = mount_move_locked(fresh, &below, places[0]);
	places[1] = mount_move_locked(root, old, places[1]);
}

err_t mount_pivot(const struct path *root, const struct path *fresh, const struct path *put_old)
{
	struct mount_place *places[2] = {mount_place_alloc(), mount_place_alloc()};
	struct path old = *put_old;
	err_t err = places[0] && places[1] ? dentry_keep(put_old->dentry) : -ENOMEM;

	mutex_lock(&mounts_lock);
	path_cross_rcu(&old);
	if (!err)
		err = check_pivot_locked(root, fresh, &old);
	if (!err) {
		old = path_get(&old);
		pivot_locked(root->mount, fresh->mount, &old, places);
	}
	mutex_unlock(&mounts_lock);
	if (err) {
		kfree(places[0]);
		kfree(places[1]);
		return err;
	}
	look_again(&old);
	mount_place_free(places[0]);
	mount_place_free(places[1]);
	vfs_replace_root(root, fresh);
	return 0;
}

/* ---- flags ---- */

/* The root of one that has a place, or is a descriptor's. */
static err_t check_changeable_locked(const struct path *at) REQUIRES(mounts_lock);
static err_t check_changeable_locked(const struct path *at)
{
	return is_root_of_mount(at) && at->mount->detached ? 0 : check_root_locked(at);
}

/* One that is to be read-only has no file open for writing. */
static err_t set_flags_locked(struct mount *mount, unsigned flags) REQUIRES(mounts_lock);
static err_t set_flags_locked(struct mount *mount, unsigned flags)
{
	unsigned before = mount->flags;

	flags = mount_flags_of(mount->fs->server, flags) | (before & MS_UNBINDABLE);
	/* Full order: pairs with mount_write_begin(). */
	(void)atomic_exchange_full(&mount->flags, flags);
	if (!(flags & MS_RDONLY) || (before & MS_RDONLY) || !read_once(&mount->nwriters))
		return 0;
	write_once(&mount->flags, before);
	return -EBUSY;
}

err_t mount_set_flags(const struct path *at, unsigned set, unsigned clear, bool recursive)
{
	struct mount *top = at->mount, *mount, *failed = NULL;
	err_t err;

	mutex_lock(&mounts_lock);
	err = check_changeable_locked(at);
	for (mount = err ? NULL : top; mount;
	     mount = recursive ? mount_next_in(mount, top) : NULL) {
		mount->flags_before = mount->flags;
		err = set_flags_locked(mount, (mount->flags & MOUNT_FLAGS & ~clear) | set);
		if (err) {
			failed = mount;
			break;
		}
	}
	for (mount = failed ? top : NULL; mount != failed; mount = mount_next_in(mount, top))
		write_once(&mount->flags, mount->flags_before);
	mutex_unlock(&mounts_lock);
	return err;
}

err_t mount_set_propagation(const struct path *at, unsigned type, bool recursive)
{
	struct mount *top = at->mount, *mount;
	bool unbindable = type == MS_UNBINDABLE;
	err_t err;

	if ((type & (type - 1)) || type == MS_SHARED)
		return -EINVAL;
	mutex_lock(&mounts_lock);
	err = check_changeable_locked(at);
	for (mount = err ? NULL : top; mount; mount = recursive ? mount_next_in(mount, top) : NULL)
		write_once(&mount->flags, unbindable ? mount->flags | MS_UNBINDABLE
						     : mount->flags & ~MS_UNBINDABLE);
	mutex_unlock(&mounts_lock);
	return err;
}

/* All of the filesystem, whatever mounts show it. */
static err_t set_read_only_locked(struct filesystem *fs, bool read_only) REQUIRES(mounts_lock);
static err_t set_read_only_locked(struct filesystem *fs, bool read_only)
{
	struct server *server = fs->server;

	if (!read_only) {
		if (server->flags & SERVER_UNCHANGING)
			return -EROFS;
		write_once(&server->flags, server->flags & ~SERVER_READ_ONLY);
		return 0;
	}
	if (server->flags & SERVER_READ_ONLY)
		return 0;
	(void)atomic_fetch_or_full(&server->flags, SERVER_READ_ONLY);
	if (!read_once(&fs->nwriters))
		return 0;
	write_once(&server->flags, server->flags & ~SERVER_READ_ONLY);
	return -EBUSY;
}

err_t filesystem_set_read_only(struct filesystem *fs, bool read_only)
{
	err_t err;

	mutex_lock(&mounts_lock);
	err = set_read_only_locked(fs, read_only);
	mutex_unlock(&mounts_lock);
	return err;
}

err_t filesystem_reconfigure(struct filesystem *fs, const char *options)
{
	struct server *server = fs->server;

	return server->ops->reconfigure ? server->ops->reconfigure(server, options) : -EINVAL;
}

err_t mount_set_read_only(const struct path *at, bool read_only)
{
	err_t err;

	mutex_lock(&mounts_lock);
	err = check_root_locked(at);
	if (!err)
		err = set_read_only_locked(at->mount->fs, read_only);
	mutex_unlock(&mounts_lock);
	return err;
}

/* ---- away with it ---- */

/* One that stands in the tree, over something else than the root of everything. */
static err_t check_removable_locked(const struct path *at) REQUIRES(mounts_lock);
static err_t check_removable_locked(const struct path *at)
{
	err_t err = check_root_locked(at);

	return !err && at->mount->place->path.mount == mount_absolute ? -EINVAL : err;
}

err_t mount_remove(struct path *at)
{
	struct mount_place *place;
	err_t err;

	mutex_lock(&mounts_lock);
	err = check_removable_locked(at);
	if (!err && !list_empty(&at->mount->children))
		err = -EBUSY;
	if (!err)
		err = mount_leave_locked(at->mount, 2, &place); /* its place, and the caller */
	mutex_unlock(&mounts_lock);
	if (!err)
		mount_left(at->mount, place);
	path_put(at);
	return err;
}

err_t mount_detach(const struct path *at)
{
	struct mount_place *place;
	err_t err;

	mutex_lock(&mounts_lock);
	err = check_removable_locked(at);
	if (!err)
		place = mount_take_out_locked(at->mount);
	mutex_unlock(&mounts_lock);
	if (err)
		return err;
	mount_left(at->mount, place);
	mount_dissolve(at->mount);
	return 0;
}

err_t mount_expire(struct path *at)
{
	err_t err;

	mutex_lock(&mounts_lock);
	err = check_removable_locked(at);
	if (!err && (!list_empty(&at->mount->children) || mount_users(at->mount) > 2))
		err = -EBUSY;
	if (!err && !mount_mark_to_expire(at->mount))
		err = -EAGAIN;
	mutex_unlock(&mounts_lock);
	if (!err)
		return mount_remove(at);
	dentry_put(at->dentry);
	mount_put_slowly(at->mount, err == -EAGAIN);
	return err;
}
