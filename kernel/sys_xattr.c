/*
 * System calls on extended attributes, by name, by name without following a link, and by
 * descriptor. Each copies what it needs of the program's memory, and hands it to fusek/file.h. Owns
 * no state.
 */
#include "process/uthread.h"
#include "sys_path.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/xattr.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <ipc/fdtable.h>
#include <mm/kva.h>
#include <mm/slab.h>

/* What a call is about: `from.at` alone for a descriptor. */
struct target {
	struct at_path from;
	unsigned at_flags;
	char attribute[XATTR_NAME_MAX + 1];
};

static err_t target_by_path(uptr_t path, unsigned at_flags, struct target *out)
{
	out->at_flags = at_flags;
	return at_path_get(AT_FDCWD, path, &out->from);
}

static err_t target_by_fd(int fd, struct target *out)
{
	struct object *object = fd_get(current_fds(), fd);
	struct path here = file_path(object);
	err_t err = 0;

	if (!object || (object_flags(object) & O_PATH))
		err = -EBADF;
	else if (path_is_none(&here))
		err = -EOPNOTSUPP; /* a pipe, say */
	out->at_flags = AT_EMPTY_PATH;
	out->from = (struct at_path){.at = object};
	if (!err) {
		out->from.name = kmalloc(1);
		err = out->from.name ? 0 : -ENOMEM;
	}
	if (err) {
		object_put(object);
		return err;
	}
	out->from.name[0] = 0;
	return 0;
}

static err_t get_attribute(struct target *target, uptr_t name)
{
	ssize_t len = user_copy_string(target->attribute, name, sizeof(target->attribute));

	if (len == -ENAMETOOLONG)
		return -ERANGE;
	if (len < 0)
		return (err_t)len;
	return target->attribute[0] ? 0 : -ERANGE;
}

/* ---- reading ---- */

/* `name` NULL: all names. `err` is what came of finding the target. */
static ssize_t read_bytes(err_t err, struct target *target, const uptr_t *name, uptr_t out,
			  size_t len)
{
	void *bytes = NULL;
	ssize_t got = err;

	if (err)
		return err;
	len = MIN(len, (size_t)XATTR_SIZE_MAX);
	if (name)
		got = get_attribute(target, *name);
	if (!got && len) {
		bytes = kvmalloc(len);
		got = bytes ? 0 : -ENOMEM;
	}
	if (!got)
		got = name ? vfs_getxattr(uthread_fs(), target->from.at, target->from.name,
					  target->at_flags, target->attribute, bytes, len)
			   : vfs_listxattr(uthread_fs(), target->from.at, target->from.name,
					   target->at_flags, bytes, len);
	if (got > 0 && len && user_copy_out(out, bytes, (size_t)got))
		got = -EFAULT;
	kvfree(bytes, len);
	at_path_put(&target->from);
	/* There is no larger room to ask with. */
	return got == -ERANGE && len == XATTR_SIZE_MAX ? -E2BIG : got;
}
_Static_assert(XATTR_SIZE_MAX == XATTR_LIST_MAX, "one limit for both");

ssize_t sys_getxattr(uptr_t path, uptr_t name, uptr_t out, size_t len)
{
	struct target target;
	err_t err = target_by_path(path, 0, &target);

	return read_bytes(err, &target, &name, out, len);
}

ssize_t sys_lgetxattr(uptr_t path, uptr_t name, uptr_t out, size_t len)
{
	struct target target;
	err_t err = target_by_path(path, AT_SYMLINK_NOFOLLOW, &target);

	return read_bytes(err, &target, &name, out, len);
}

ssize_t sys_fgetxattr(int fd, uptr_t name, uptr_t out, size_t len)
{
	struct target target;
	err_t err = target_by_fd(fd, &target);

	return read_bytes(err, &target, &name, out, len);
}

ssize_t sys_listxattr(uptr_t path, uptr_t out, size_t len)
{
	struct target target;
	err_t err = target_by_path(path, 0, &target);

	return read_bytes(err, &target, NULL, out, len);
}

ssize_t sys_llistxattr(uptr_t path, uptr_t out, size_t len)
{
	struct target target;
	err_t err = target_by_path(path, AT_SYMLINK_NOFOLLOW, &target);

	return read_bytes(err, &target, NULL, out, len);
}

ssize_t sys_flistxattr(int fd, uptr_t out, size_t len)
{
	struct target target;
	err_t err = target_by_fd(fd, &target);

	return read_bytes(err, &target, NULL, out, len);
}

/* ---- changing ---- */

static err_t get_value(uptr_t value, size_t len, void **out)
{
	*out = NULL;
	if (!len)
		return 0;
	*out = kvmalloc(len);
	if (!*out)
		return -ENOMEM;
	if (!user_copy_in(*out, value, len))
		return 0;
	kvfree(*out, len);
	return -EFAULT;
}

static err_t set(err_t err, struct target *target, uptr_t name, uptr_t value, size_t len,
		 unsigned flags)
{
	void *bytes;

	if (err)
		return err;
	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		err = -EINVAL;
	if (!err)
		err = get_attribute(target, name);
	if (!err && len > XATTR_SIZE_MAX)
		err = -E2BIG;
	if (!err)
		err = get_value(value, len, &bytes);
	if (!err) {
		err = vfs_setxattr(uthread_fs(), target->from.at, target->from.name,
				   target->at_flags, target->attribute, bytes, len, flags);
		kvfree(bytes, len);
	}
	at_path_put(&target->from);
	return err;
}

int sys_setxattr(uptr_t path, uptr_t name, uptr_t value, size_t len, unsigned flags)
{
	struct target target;
	err_t err = target_by_path(path, 0, &target);

	return set(err, &target, name, value, len, flags);
}

int sys_lsetxattr(uptr_t path, uptr_t name, uptr_t value, size_t len, unsigned flags)
{
	struct target target;
	err_t err = target_by_path(path, AT_SYMLINK_NOFOLLOW, &target);

	return set(err, &target, name, value, len, flags);
}

int sys_fsetxattr(int fd, uptr_t name, uptr_t value, size_t len, unsigned flags)
{
	struct target target;
	err_t err = target_by_fd(fd, &target);

	return set(err, &target, name, value, len, flags);
}

static err_t remove(err_t err, struct target *target, uptr_t name)
{
	if (err)
		return err;
	err = get_attribute(target, name);
	if (!err)
		err = vfs_removexattr(uthread_fs(), target->from.at, target->from.name,
				      target->at_flags, target->attribute);
	at_path_put(&target->from);
	return err;
}

int sys_removexattr(uptr_t path, uptr_t name)
{
	struct target target;
	err_t err = target_by_path(path, 0, &target);

	return remove(err, &target, name);
}

int sys_lremovexattr(uptr_t path, uptr_t name)
{
	struct target target;
	err_t err = target_by_path(path, AT_SYMLINK_NOFOLLOW, &target);

	return remove(err, &target, name);
}

int sys_fremovexattr(int fd, uptr_t name)
{
	struct target target;
	err_t err = target_by_fd(fd, &target);

	return remove(err, &target, name);
}
