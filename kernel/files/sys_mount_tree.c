/*
 * open_tree(2), move_mount(2), mount_setattr(2): what comes from the program is checked here, as
 * Linux does; fusek/mount_context.h does the rest. No state.
 */
#include "mount.h"

#include "../process/uthread.h"
#include "../sys_path.h"
#include "../user_struct.h"
#include "syscall_table.h"

#include <abi/capability.h>
#include <abi/fcntl.h>
#include <abi/mount.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <fusek/mount_context.h>
#include <ipc/fdtable.h>

err_t mount_path_get(int dirfd, uptr_t name, unsigned at_flags, struct path *out)
{
	struct at_path from;
	err_t err = at_path_get(dirfd, name, &from);

	if (err)
		return err;
	err = vfs_place(uthread_fs(), from.at, from.name, at_flags, out);
	at_path_put(&from);
	return err;
}

/* ---- attributes ---- */

#define ATTRIBUTES_KNOWN                                                                           \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |            \
	 MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW)
#define ATIMES (MS_RELATIME | MS_NOATIME)

/* All but the times. */
static unsigned plain_flags(uint64_t attributes)
{
	static const struct {
		unsigned attribute, flag;
	} names[] = {
		{MOUNT_ATTR_RDONLY, MS_RDONLY},         {MOUNT_ATTR_NOSUID, MS_NOSUID},
		{MOUNT_ATTR_NODEV, MS_NODEV},           {MOUNT_ATTR_NOEXEC, MS_NOEXEC},
		{MOUNT_ATTR_NODIRATIME, MS_NODIRATIME}, {MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW},
	};
	unsigned flags = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		flags |= attributes & names[i].attribute ? names[i].flag : 0;
	return flags;
}

static err_t atime_flags(uint64_t attributes, unsigned *out)
{
	switch (attributes & MOUNT_ATTR__ATIME) {
	case MOUNT_ATTR_RELATIME:
		*out = MS_RELATIME;
		return 0;
	case MOUNT_ATTR_NOATIME:
		*out = MS_NOATIME;
		return 0;
	case MOUNT_ATTR_STRICTATIME:
		*out = 0;
		return 0;
	default:
		return -EINVAL;
	}
}

err_t mount_flags_of_attributes(uint64_t attributes, unsigned *out)
{
	unsigned atime;
	err_t err = attributes & ~(uint64_t)ATTRIBUTES_KNOWN ? -EINVAL
							     : atime_flags(attributes, &atime);

	if (!err)
		*out = plain_flags(attributes) | atime;
	return err;
}

/* As of a Linux that is built without user namespaces: no descriptor is one's. */
static err_t check_id_map(const struct abi_mount_attr *attr)
{
	struct object *object;

	if (!((attr->attr_set | attr->attr_clr) & MOUNT_ATTR_IDMAP))
		return 0;
	if (attr->attr_clr & MOUNT_ATTR_IDMAP || attr->userns_fd > INT32_MAX)
		return -EINVAL;
	object = fd_get(current_fds(), (int)attr->userns_fd);
	if (!object)
		return -EBADF;
	object_put(object);
	return -EINVAL;
}

/* The times are one setting: whoever sets one clears all. */
static err_t change_of(const struct abi_mount_attr *attr, struct mount_change *out)
{
	unsigned atime = 0;
	err_t err = 0;

	if ((attr->attr_set | attr->attr_clr) & ~(uint64_t)(ATTRIBUTES_KNOWN | MOUNT_ATTR_IDMAP))
		return -EINVAL;
	if (attr->propagation & (attr->propagation - 1))
		return -EINVAL;
	if (attr->propagation & ~(uint64_t)(MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE))
		return -EINVAL;
	out->set = plain_flags(attr->attr_set);
	out->clear = plain_flags(attr->attr_clr);
	out->propagation = (unsigned)attr->propagation;
	if (attr->attr_clr & MOUNT_ATTR__ATIME) {
		if ((attr->attr_clr & MOUNT_ATTR__ATIME) != MOUNT_ATTR__ATIME)
			return -EINVAL;
		err = atime_flags(attr->attr_set, &atime);
		out->clear |= ATIMES;
		out->set |= atime;
	} else if (attr->attr_set & MOUNT_ATTR__ATIME) {
		return -EINVAL;
	}
	return err ? err : check_id_map(attr);
}

int sys_mount_setattr(int dirfd, uptr_t path, unsigned at_flags, uptr_t attributes, size_t len)
{
	struct abi_mount_attr attr;
	struct mount_change change = {.recursive = at_flags & AT_RECURSIVE};
	struct path at;
	err_t err;

	if (at_flags &
	    ~(unsigned)(AT_EMPTY_PATH | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
		return -EINVAL;
	if (len > PAGE_SIZE)
		return -E2BIG;
	if (len < MOUNT_ATTR_SIZE_VER0)
		return -EINVAL;
	if (!vfs_may_mount(uthread_fs()))
		return -EPERM;
	err = user_get_struct(&attr, sizeof(attr), MOUNT_ATTR_SIZE_VER0, attributes, len);
	if (err)
		return err;
	if (!attr.attr_set && !attr.attr_clr && !attr.propagation)
		return 0;
	err = change_of(&attr, &change);
	if (!err)
		err = mount_path_get(dirfd, path, at_flags, &at);
	if (err)
		return err;
	err = vfs_mount_setattr(&at, &change);
	path_put(&at);
	return err;
}

/* ---- trees ---- */

int sys_open_tree(int dirfd, uptr_t path, unsigned tree_flags)
{
	bool clone = tree_flags & OPEN_TREE_CLONE, recursive = tree_flags & AT_RECURSIVE;
	struct object *tree;
	struct path at;
	err_t err;

	if (tree_flags & ~(unsigned)(AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE |
				     AT_SYMLINK_NOFOLLOW | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC))
		return -EINVAL;
	if (recursive && !clone)
		return -EINVAL;
	if (clone && !vfs_may_mount(uthread_fs()))
		return -EPERM;
	err = mount_path_get(dirfd, path, tree_flags, &at);
	if (err)
		return err;
	err = vfs_open_tree(&at, clone, recursive, &tree);
	path_put(&at);
	return err ? err : fd_add(current_fds(), tree, tree_flags & OPEN_TREE_CLOEXEC);
}

/* MOVE_MOUNT_F_* as AT_*; those of the target are the same further up. */
static unsigned side_flags(unsigned flags)
{
	return (flags & MOVE_MOUNT_F_SYMLINKS ? 0 : AT_SYMLINK_NOFOLLOW) |
	       (flags & MOVE_MOUNT_F_EMPTY_PATH ? AT_EMPTY_PATH : 0);
}

#define ONE_OF_TWO (MOVE_MOUNT_SET_GROUP | MOVE_MOUNT_BENEATH)

int sys_move_mount(int from_fd, uptr_t from_path, int to_fd, uptr_t to_path, unsigned move_flags)
{
	struct path from, to;
	err_t err;

	if (!vfs_may_mount(uthread_fs()))
		return -EPERM;
	if ((move_flags & ~MOVE_MOUNT__KNOWN) || (move_flags & ONE_OF_TWO) == ONE_OF_TWO)
		return -EINVAL;
	err = mount_path_get(from_fd, from_path, side_flags(move_flags), &from);
	if (err)
		return err;
	err = mount_path_get(to_fd, to_path, side_flags(move_flags >> MOVE_MOUNT__T_SHIFT), &to);
	if (!err) {
		err = move_flags & MOVE_MOUNT_SET_GROUP
			      ? mount_set_peers(&from, &to)
			      : vfs_move_mount(uthread_fs(), &from, &to,
					       move_flags & MOVE_MOUNT_BENEATH);
		path_put(&to);
	}
	path_put(&from);
	return err;
}
