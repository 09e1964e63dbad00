/*
 * System calls on mounts: the strings come in here, fusek/mount.h does the rest. Owns no state.
 */
#include "process/uthread.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <arch/user.h>
#include <fusek/driver.h>
#include <fusek/mount.h>
#include <fusek/server.h>
#include <ipc/fdtable.h>
#include <lib/string.h>
#include <mm/slab.h>

#define TYPE_BYTES 64

struct object *vfs_descriptor(int fd)
{
	return process_current() ? fd_get(current_fds(), fd) : NULL;
}

struct server_caller server_caller_current(void)
{
	const struct vfs_context *context;

	if (!process_current())
		return (struct server_caller){0};
	context = &uthread_current()->fs; /* the ids, which are there to its end */
	return (struct server_caller){.uid = context->uid,
				      .gid = context->gid,
				      .pid = context->pid,
				      .umask = context->umask};
}

uint64_t server_caller_capabilities(uint64_t *own)
{
	const struct vfs_context *context = process_current() ? &uthread_current()->fs : NULL;

	if (own)
		*own = context ? context->own_capabilities : CAPABILITIES_ALL;
	return context ? context->capabilities : CAPABILITIES_ALL;
}

/* A string of the program's; NULL is an empty one. What is too long is `too_long`. */
static err_t get_string(char *to, uptr_t from, size_t to_bytes, err_t too_long)
{
	ssize_t len;

	*to = 0;
	if (uptr_is_null(from))
		return 0;
	len = user_copy_string(to, from, to_bytes);
	if (len >= 0)
		return 0;
	return len == -ENAMETOOLONG ? too_long : (err_t)len;
}

/* Each of PATH_MAX, one block of the heap. */
struct mount_strings {
	char *source, *target, *options;
	char type[TYPE_BYTES];
};

static err_t get_strings(struct mount_strings *to, uptr_t source, uptr_t target, uptr_t type,
			 uptr_t options)
{
	err_t err = get_string(to->source, source, PATH_MAX, -ENAMETOOLONG);

	if (!err)
		err = get_string(to->type, type, sizeof(to->type), -ENODEV);
	if (!err)
		err = uptr_is_null(target)
			      ? -EFAULT
			      : get_string(to->target, target, PATH_MAX, -ENAMETOOLONG);
	return err ? err : get_string(to->options, options, PATH_MAX, -EINVAL);
}

int sys_mount(uptr_t source, uptr_t target, uptr_t type, unsigned mount_flags, uptr_t options)
{
	struct mount_strings strings = {.source = kmalloc(PATH_MAX),
					.target = kmalloc(PATH_MAX),
					.options = kmalloc(PATH_MAX)};
	err_t err = strings.source && strings.target && strings.options ? 0 : -ENOMEM;

	if (!err)
		err = get_strings(&strings, source, target, type, options);
	if (!err)
		err = vfs_mount(uthread_fs(), strings.source, strings.target, strings.type,
				mount_flags, strings.options);
	kfree(strings.options);
	kfree(strings.target);
	kfree(strings.source);
	return err;
}

int sys_pivot_root(uptr_t new_root, uptr_t put_old)
{
	char *fresh = kmalloc(PATH_MAX), *old = kmalloc(PATH_MAX);
	err_t err = fresh && old ? 0 : -ENOMEM;

	if (!err && (uptr_is_null(new_root) || uptr_is_null(put_old)))
		err = -EFAULT;
	if (!err)
		err = get_string(fresh, new_root, PATH_MAX, -ENAMETOOLONG);
	if (!err)
		err = get_string(old, put_old, PATH_MAX, -ENAMETOOLONG);
	if (!err)
		err = vfs_pivot_root(uthread_fs(), fresh, old);
	kfree(fresh);
	kfree(old);
	return err;
}

int sys_umount2(uptr_t target, unsigned unmount_flags)
{
	char *name = kmalloc(PATH_MAX);
	err_t err;

	if (!name)
		return -ENOMEM;
	err = uptr_is_null(target) ? -EFAULT : get_string(name, target, PATH_MAX, -ENAMETOOLONG);
	if (!err)
		err = vfs_umount(uthread_fs(), name, unmount_flags);
	kfree(name);
	return err;
}
