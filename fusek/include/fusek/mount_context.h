/*
 * The calls that make a mount in steps (fsopen(2) and those after it): an object gathers what a
 * filesystem is to be, becomes it, and gives mounts of it; what went wrong is read from it.
 */
#ifndef FUSEK_MOUNT_CONTEXT_H
#define FUSEK_MOUNT_CONTEXT_H

#include <fusek/path.h>
#include <ipc/object.h>

/* Whether the caller may (CAP_SYS_ADMIN) is for all of these the system call's to ask; all sleep.
 * *out is a reference. */

/* -ENODEV: no such type. */
err_t must_check fs_context_open(const char *type, struct object **out);
/* For changing the filesystem of the mount whose root `at` is. -EINVAL: it is none. */
err_t must_check fs_context_pick(const struct path *at, struct object **out);
bool object_is_fs_context(const struct object *object);

/* "key" or (value not NULL) "key=value". -EINVAL: not known to this type; -EBUSY: too late. */
err_t must_check fs_context_set(struct object *context, const char *key, const char *value);
/* Of a kind that nothing here takes. -EINVAL, -EBUSY. */
err_t must_check fs_context_refuse(struct object *context, const char *key);
/* Makes the filesystem, for `who`. -EBUSY: it was tried already, or (`exclusive`) it is one that is
 * there; else the type's errors. */
err_t must_check fs_context_create(const struct vfs_context *who, struct object *context,
				   bool exclusive);
/* Changes the one that is there. */
err_t must_check fs_context_reconfigure(struct object *context);
/* A mount of it that stands nowhere, as mount_detached.c has them. `flags`: MS_* of a mount.
 * -EINVAL: not created; -EBUSY: it has one. */
err_t must_check fs_context_mount(struct object *context, unsigned flags, struct object **out);

/* ---- trees of mounts by descriptors (mount_detached.c) ---- */

/* open_tree(2): *out names the place; `clone`: of a copy of what is mounted there, `recursive` with
 * all in it, which stands nowhere and goes with the object unless it was moved somewhere. */
err_t must_check vfs_open_tree(const struct path *at, bool clone, bool recursive,
			       struct object **out);
/* move_mount(2); `beneath`: under what is at `to`. -EINVAL: `from` is not the root of a mount that
 * can be moved there; -ELOOP. */
err_t must_check vfs_move_mount(const struct vfs_context *context, const struct path *from,
				const struct path *to, bool beneath);
/* `to` shares what is mounted in it with whom `from` does, and receives of whom `from` does.
 * -EINVAL: it shares or receives already; `from` does neither; they are not roots of mounts of one
 * filesystem of which `from` shows as much. -EPERM: the tree of one of them is not the caller's to
 * change. */
err_t must_check mount_set_peers(const struct path *from, const struct path *to);

/* What mount_setattr(2) asks for. */
struct mount_change {
	unsigned set, clear;  /* MS_* */
	unsigned propagation; /* MS_PRIVATE ...; 0: as it is */
	bool recursive;
};
/* -EINVAL: not a mount's root; -EBUSY: files are open for writing. */
err_t must_check vfs_mount_setattr(const struct path *at, const struct mount_change *change);

#endif
