/*
 * What mount(2), umount2(2) and pivot_root(2) do to the tree of mounts: each finds its places,
 * makes what may fail, and changes the tree under mounts_lock, in which it checks all that others
 * may have changed meanwhile. References that it gives up go without the lock. No state.
 */
#include "mount_tree.h"
#include "peers.h"

#include <mm/slab.h>

static bool is_root_of_mount(const struct path *path)
{
	return path->dentry == path->mount->root;
}

static bool is_directory(const struct dentry *dentry)
{
	return node_type(dentry->node) == S_IFDIR;
}

static bool has_unbindable_locked(struct mount *top) REQUIRES(mounts_lock);
static bool has_unbindable_locked(struct mount *top)
{
	struct mount *mount = top;

	while (mount && !(mount->flags & MS_UNBINDABLE))
		mount = mount_next_in(mount, top);
	return mount;
}

/* ---- to a place ---- */

/* What a mount needs to come to a place, made before. */
struct graft {
	struct path at; /* borrowed: the lock keeps what stands in the tree */
	struct mount_place *place, *above;
	struct list coming; /* elsewhere: peers.h */
};

static void graft_free(struct graft *graft)
{
	propagation_discard(&graft->coming);
	kfree(graft->place);
	kfree(graft->above);
}

static err_t graft_prepare(struct graft *graft, const struct path *at)
{
	err_t err = dentry_keep(at->dentry);

	*graft = (struct graft){.at = *at};
	list_init(&graft->coming);
	if (err)
		return err;
	graft->place = mount_place_alloc();
	graft->above = mount_place_alloc();
	if (graft->place && graft->above)
		return 0;
	graft_free(graft);
	return -ENOMEM;
}

/* Under what is at `at`, which is the topmost there: not where a copy that comes with it to others
 * would cover one of the two. */
static err_t go_beneath_locked(const struct mount *mount, struct path *at) REQUIRES(mounts_lock);
static err_t go_beneath_locked(const struct mount *mount, struct path *at)
{
	struct mount *over = at->mount;
	const struct path *below;

	if (!is_root_of_mount(at) || !mount_is_callers(over) || mount_is_absolute(over))
		return -EINVAL;
	if (over->locked & MOUNT_STAYS)
		return -EINVAL; /* it would stand on the other, and go with it */
	below = &over->place->path;
	if (mount_is_absolute(below->mount) || mount_at(mount, mount->root) ||
	    mount_is_in((struct mount *)mount, over))
		return -EINVAL;
	if (propagation_covers_locked(below, over) || propagation_covers_locked(below, mount))
		return -EINVAL;
	*at = *below;
	return 0;
}

/* graft->at is then where it comes to. */
static err_t graft_find_locked(struct graft *graft, const struct mount *mount, unsigned flags)
	REQUIRES(mounts_lock);
static err_t graft_find_locked(struct graft *graft, const struct mount *mount, unsigned flags)
{
	path_cross_rcu(&graft->at);
	if (flags & GRAFT_BENEATH)
		return go_beneath_locked(mount, &graft->at);
	return mount_is_callers(graft->at.mount) ? 0 : -EINVAL;
}

/* `mount` has come to its place; `over` stood there. */
static void graft_done_locked(struct graft *graft, struct mount *mount, struct mount *over)
	REQUIRES(mounts_lock);
static void graft_done_locked(struct graft *graft, struct mount *mount, struct mount *over)
{
	graft->place = NULL;
	if (over) {
		mount_raise_locked(over, mount, graft->above);
		graft->above = NULL;
	}
	propagation_commit_locked(mount, &graft->coming);
}

/* Whether `mount` may come to `at`. */
static err_t check_graft_locked(struct mount *mount, const struct path *at, unsigned flags)
	REQUIRES(mounts_lock);
static err_t check_graft_locked(struct mount *mount, const struct path *at, unsigned flags)
{
	if ((flags & GRAFT_DETACHED) && !mount->detached)
		return -EINVAL; /* somebody else has put it somewhere */
	if (is_directory(at->dentry) != is_directory(mount->root))
		return flags & GRAFT_DETACHED ? -EINVAL : -ENOTDIR;
	if ((flags & GRAFT_FRESH) && is_root_of_mount(at) && at->mount->fs == mount->fs)
		return -EBUSY; /* the same, over itself */
	if (at->mount->peers && has_unbindable_locked(mount))
		return -EINVAL;
	return mount_check_room_locked(at->mount->tree, mount_count_locked(mount));
}

static err_t graft_locked(struct graft *graft, struct mount *mount, unsigned flags)
	REQUIRES(mounts_lock);
static err_t graft_locked(struct graft *graft, struct mount *mount, unsigned flags)
{
	struct mount *over;
	err_t err = graft_find_locked(graft, mount, flags);

	if (!err)
		err = check_graft_locked(mount, &graft->at, flags);
	if (!err)
		err = propagation_begin_locked(mount, &graft->at, &graft->coming);
	if (!err) {
		over = mount_at(graft->at.mount, graft->at.dentry);
		err = mount_attach_locked(mount, &graft->at, graft->place);
	}
	if (err) {
		propagation_cancel_locked(mount);
		return err;
	}
	mount->detached = false;
	graft_done_locked(graft, mount, over);
	return 0;
}

err_t mount_graft(struct mount *mount, const struct path *at, unsigned graft_flags)
{
	struct graft graft;
	err_t err = graft_prepare(&graft, at);

	if (err)
		return err;
	mutex_lock(&mounts_lock);
	err = graft_locked(&graft, mount, graft_flags);
	mutex_unlock(&mounts_lock);
	graft_free(&graft);
	return err;
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

static void remove_from(struct dentry *removed)
{
	const struct mount_place *place;
	LIST_HEAD(going);

	mutex_lock(&mounts_lock);
	for (place = removed->mounted; place; place = place->next_here)
		mounts_gather_locked(place->mount, &going);
	mounts_take_out_locked(&going, NULL);
	mutex_unlock(&mounts_lock);
	mounts_left(&going);
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

/* The root of a mount that has a place in the caller's tree. */
static err_t check_root_locked(const struct path *at) REQUIRES(mounts_lock);
static err_t check_root_locked(const struct path *at)
{
	return is_root_of_mount(at) && mount_is_callers(at->mount) && !mount_is_absolute(at->mount)
		       ? 0
		       : -EINVAL;
}

err_t mount_check_root(const struct path *at)
{
	err_t err;

	mutex_lock(&mounts_lock);
	err = check_root_locked(at);
	mutex_unlock(&mounts_lock);
	return err;
}

static err_t check_move_locked(const struct path *from, const struct path *to)
	REQUIRES(mounts_lock);
static err_t check_move_locked(const struct path *from, const struct path *to)
{
	struct mount *mount = from->mount;

	if (mount->locked & MOUNT_STAYS || mount->place->path.mount->peers) /* it left them all */
		return -EINVAL;
	if (is_directory(from->dentry) != is_directory(to->dentry))
		return -EINVAL;
	if (to->mount->peers && has_unbindable_locked(mount))
		return -EINVAL;
	if (mount_is_in(to->mount, mount))
		return -ELOOP;
	return read_once(&to->dentry->removed) ? -ENOENT : 0;
}

static err_t move_locked(struct graft *graft, const struct path *from, unsigned flags,
			 struct mount_place **before) REQUIRES(mounts_lock);
static err_t move_locked(struct graft *graft, const struct path *from, unsigned flags,
			 struct mount_place **before)
{
	struct mount *mount = from->mount, *over;
	err_t err = check_root_locked(from);

	if (!err)
		err = graft_find_locked(graft, mount, flags);
	if (!err)
		err = check_move_locked(from, &graft->at);
	if (!err)
		err = propagation_begin_locked(mount, &graft->at, &graft->coming);
	if (err) {
		propagation_cancel_locked(mount);
		return err;
	}
	over = mount_at(graft->at.mount, graft->at.dentry);
	*before = mount_move_locked(mount, &graft->at, graft->place);
	graft_done_locked(graft, mount, over);
	return 0;
}

err_t mount_move(const struct path *from, const struct path *at, unsigned graft_flags)
{
	struct mount_place *before = NULL;
	struct path to;
	struct graft graft;
	err_t err = graft_prepare(&graft, at);

	if (err)
		return err;
	mutex_lock(&mounts_lock);
	err = move_locked(&graft, from, graft_flags, &before);
	if (!err)
		to = path_get(&graft.at);
	mutex_unlock(&mounts_lock);
	if (!err)
		look_again(&to);
	mount_place_free(before);
	graft_free(&graft);
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
	if (!mount_is_callers(root->mount) || !mount_is_callers(fresh->mount) ||
	    !mount_is_callers(old->mount))
		return -EINVAL;
	if (read_once(&fresh->dentry->removed) || read_once(&old->dentry->removed))
		return -ENOENT;
	if (fresh->mount == root->mount || old->mount == root->mount)
		return -EBUSY;
	if (check_root_locked(root) || check_root_locked(fresh) ||
	    fresh->mount->locked & MOUNT_STAYS)
		return -EINVAL;
	if (old->mount->peers || fresh->mount->place->path.mount->peers ||
	    root->mount->place->path.mount->peers)
		return -EINVAL; /* it would have to happen to all of them */
	return is_reachable_locked(old, fresh) && is_reachable_locked(fresh, root) ? 0 : -EINVAL;
}

/* The new one covers what the old one did before the old one leaves: there is always a root. */
static void pivot_locked(struct mount *root, struct mount *fresh, const struct path *old,
			 struct mount_place *places[2]) REQUIRES(mounts_lock);
static void pivot_locked(struct mount *root, struct mount *fresh, const struct path *old,
			 struct mount_place *places[2])
{
	const struct path below = root->place->path;

	fresh->locked |= root->locked & MOUNT_STAYS; /* what it covers stays so */
	root->locked &= ~MOUNT_STAYS;
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

	if (!mount_flags_are_free_locked(mount, flags))
		return -EPERM;
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

static void set_propagation_locked(struct mount *mount, unsigned type) REQUIRES(mounts_lock);
static void set_propagation_locked(struct mount *mount, unsigned type)
{
	if (type == MS_SLAVE) {
		peers_become_receiver_locked(mount);
		return;
	}
	if (type != MS_SHARED)
		peers_leave_locked(mount);
	write_once(&mount->flags, type == MS_UNBINDABLE ? mount->flags | MS_UNBINDABLE
							: mount->flags & ~MS_UNBINDABLE);
}

err_t mount_set_propagation(const struct path *at, unsigned type, bool recursive)
{
	struct mount *top = at->mount, *mount;
	err_t err;

	if (type & (type - 1))
		return -EINVAL;
	mutex_lock(&mounts_lock);
	err = check_changeable_locked(at);
	if (!err && type == MS_SHARED) {
		err = peers_begin_all_locked(top, recursive);
		peers_settle_locked(top, err);
	}
	for (mount = err ? NULL : top; mount; mount = recursive ? mount_next_in(mount, top) : NULL)
		set_propagation_locked(mount, type);
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

	return !err && (at->mount->locked & MOUNT_STAYS ||
			mount_is_absolute(at->mount->place->path.mount))
		       ? -EINVAL
		       : err;
}

err_t mount_remove(struct path *at)
{
	struct mount_place *place;
	LIST_HEAD(elsewhere);
	err_t err;

	mutex_lock(&mounts_lock);
	err = check_removable_locked(at);
	if (!err && (!list_empty(&at->mount->children) ||
		     propagation_is_busy_locked(&at->mount->place->path)))
		err = -EBUSY;
	if (!err)
		err = mount_leave_locked(at->mount, 2, &place); /* its place, and the caller */
	if (!err) {
		propagation_gather_locked(&place->path, &elsewhere);
		mounts_take_out_locked(&elsewhere, NULL);
	}
	mutex_unlock(&mounts_lock);
	if (!err)
		mount_left(place);
	mounts_left(&elsewhere);
	path_put(at);
	return err;
}

err_t mount_detach(const struct path *at)
{
	struct mount_place *place;
	LIST_HEAD(elsewhere);
	LIST_HEAD(going);
	err_t err;

	mutex_lock(&mounts_lock);
	err = check_removable_locked(at);
	if (!err) {
		mounts_gather_locked(at->mount, &going);
		list_for_each (place, &going, link)
			propagation_gather_locked(&place->path, &elsewhere);
		list_splice_tail(&going, &elsewhere);
		mounts_take_out_locked(&going, NULL);
	}
	mutex_unlock(&mounts_lock);
	mounts_left(&going);
	return err;
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
