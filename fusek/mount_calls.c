/*
 * mount(2), umount2(2) and pivot_root(2): which of the changes of mount_change.c a call's flags ask
 * for, and of which places. No state.
 */
#include "mount_tree.h"
#include "walk.h"

#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
#define FLAGS_KNOWN                                                                                \
	(MOUNT_FLAGS | MS_STRICTATIME | MS_REMOUNT | MS_BIND | MS_MOVE | MS_REC | PROPAGATION |    \
	 MS_SYNCHRONOUS | MS_DIRSYNC | MS_MANDLOCK | MS_SILENT | MS_POSIXACL | MS_I_VERSION |      \
	 MS_LAZYTIME)

bool vfs_may_mount(const struct vfs_context *context)
{
	return vfs_capable_in(context, mount_tree_owner(vfs_caller_mounts()), CAP_SYS_ADMIN);
}

/* What the call says of the mount itself; times as Linux: as they were, or relatime. */
static unsigned mount_flags(unsigned flags, const struct path *remounted)
{
	unsigned result = flags & MOUNT_FLAGS;

	if (remounted && !(flags & (ATIME_FLAGS | MS_STRICTATIME)))
		return result | (read_once(&remounted->mount->flags) & ATIME_FLAGS);
	if (!(flags & MS_NOATIME))
		result |= MS_RELATIME;
	if (flags & MS_STRICTATIME)
		result &= ~(MS_RELATIME | MS_NOATIME);
	return result;
}

static err_t new_mount(const struct vfs_context *context, const struct path *at, const char *source,
		       const char *type, unsigned flags, const char *options)
{
	struct filesystem *fs;
	struct mount *mount;
	err_t err;

	if (!*type)
		return -EINVAL;
	if (filesystem_type_exists(type) &&
	    !vfs_capable_in(context, filesystem_owner(type), CAP_SYS_ADMIN))
		return -EPERM;
	err = filesystem_for_mount(context, type, source, options, flags & MS_RDONLY, &fs);
	if (err)
		return err;
	mount = mount_alloc(fs, fs->root, mount_flags(flags, NULL));
	filesystem_put(fs);
	if (!mount)
		return -ENOMEM;
	err = mount_graft(mount, at, GRAFT_FRESH);
	mount_put(mount);
	return err;
}

/* First all that can be said of the filesystem, then of the mount. */
static err_t remount(const struct vfs_context *context, const struct path *at, unsigned flags,
		     const char *options)
{
	err_t err = mount_check_root(at);

	if (err)
		return err;
	if (!(flags & MS_BIND)) {
		if (!vfs_capable_in(context, at->mount->fs->user, CAP_SYS_ADMIN))
			return -EPERM;
		if (*options)
			err = filesystem_reconfigure(at->mount->fs, options);
		if (!err)
			err = mount_set_read_only(at, flags & MS_RDONLY);
	}
	return err ? err : mount_set_flags(at, mount_flags(flags, at), MOUNT_FLAGS, false);
}

static err_t set_propagation(const struct path *at, unsigned flags)
{
	if (flags & ~(PROPAGATION | MS_REC | MS_SILENT))
		return -EINVAL;
	return mount_set_propagation(at, flags & PROPAGATION, flags & MS_REC);
}

/* MS_BIND and MS_MOVE: where it comes from is a name, too. */
static err_t from_place(const struct vfs_context *context, const char *name, const struct path *at,
			unsigned flags)
{
	struct path from;
	err_t err = *name ? path_walk(context, NULL, name, WALK_FOLLOW, &from) : -EINVAL;

	if (err)
		return err;
	err = flags & MS_BIND ? mount_bind(&from, at, flags & MS_REC) : mount_move(&from, at, 0);
	path_put(&from);
	return err;
}

static err_t change_at(const struct vfs_context *context, const struct path *at, const char *source,
		       const char *type, unsigned flags, const char *options)
{
	if (!vfs_may_mount(context))
		return -EPERM;
	if (flags & ~FLAGS_KNOWN)
		return -EINVAL;
	if (flags & MS_REMOUNT)
		return remount(context, at, flags, options);
	if (flags & MS_BIND)
		return from_place(context, source, at, flags);
	if (flags & PROPAGATION)
		return set_propagation(at, flags);
	if (flags & MS_MOVE)
		return from_place(context, source, at, flags);
	return new_mount(context, at, *source ? source : "none", type, flags, options);
}

err_t vfs_mount(const struct vfs_context *context, const char *source, const char *at,
		const char *type, unsigned flags, const char *options)
{
	struct path place;
	err_t err = path_walk(context, NULL, at, WALK_FOLLOW, &place);

	if (err)
		return err;
	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~MS_MGC_MSK;
	err = change_at(context, &place, source, type, flags, options);
	path_put(&place);
	return err;
}

/* Linux lets nobody lose his root; it becomes read-only, as at the end of a machine's life. */
static err_t umount_own_root(const struct vfs_context *context, struct path *at)
{
	err_t err = vfs_capable_in(context, at->mount->fs->user, CAP_SYS_ADMIN)
			    ? mount_set_read_only(at, true)
			    : -EPERM;

	path_put(at);
	return err;
}

err_t vfs_umount(const struct vfs_context *context, const char *at, unsigned flags)
{
	struct server *server;
	struct path place;
	bool own_root;
	err_t err;

	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	err = path_walk(context, NULL, at,
			WALK_ANY_MOUNT | ((flags & UMOUNT_NOFOLLOW) ? 0 : WALK_FOLLOW), &place);
	if (err)
		return err;
	path_cross(&place); /* a name that is a root, or "." under a mount, means the topmost */
	own_root = place.mount == context->root.mount;
	if (!vfs_may_mount(context) ||
	    ((flags & MNT_FORCE) && !vfs_capable(context, CAP_SYS_ADMIN)))
		err = -EPERM;
	else if (!path_is_mount_root(&place))
		err = -EINVAL;
	else if ((flags & MNT_EXPIRE) && (own_root || (flags & (MNT_FORCE | MNT_DETACH))))
		err = -EINVAL;
	if (err) {
		path_put(&place);
		return err;
	}
	server = place.mount->fs->server;
	if ((flags & MNT_FORCE) && server->ops->abort && !mount_check_root(&place))
		server->ops->abort(server);
	if (flags & MNT_EXPIRE)
		return mount_expire(&place);
	if (!(flags & MNT_DETACH))
		return own_root ? umount_own_root(context, &place) : mount_remove(&place);
	err = mount_detach(&place);
	path_put(&place);
	return err;
}

err_t vfs_pivot_root(const struct vfs_context *context, const char *new_root, const char *put_old)
{
	struct path fresh, old;
	err_t err;

	if (!vfs_may_mount(context))
		return -EPERM;
	err = path_walk(context, NULL, new_root, WALK_FOLLOW | WALK_DIRECTORY, &fresh);
	if (err)
		return err;
	err = path_walk(context, NULL, put_old, WALK_FOLLOW | WALK_DIRECTORY, &old);
	if (!err) {
		err = mount_pivot(&context->root, &fresh, &old);
		path_put(&old);
	}
	path_put(&fresh);
	return err;
}
