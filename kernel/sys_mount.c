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

#define TYPE_BYTES    64
#define SOURCE_BYTES  256
#define OPTIONS_BYTES PAGE_SIZE

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

uint64_t server_caller_capabilities(void)
{
	return process_current() ? uthread_current()->fs.capabilities : CAPABILITIES_ALL;
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

struct mount_strings {
	char source[SOURCE_BYTES];
	char type[TYPE_BYTES];
	char target[PATH_MAX - SOURCE_BYTES - TYPE_BYTES];
};
_Static_assert(sizeof(struct mount_strings) <= KMALLOC_MAX, "one block of the heap");

static err_t get_strings(struct mount_strings *to, uptr_t source, uptr_t target, uptr_t type)
{
	err_t err = get_string(to->source, source, sizeof(to->source), -ENAMETOOLONG);

	if (!err)
		err = get_string(to->type, type, sizeof(to->type), -ENODEV);
	if (!err)
		err = uptr_is_null(target)
			      ? -EFAULT
			      : get_string(to->target, target, sizeof(to->target), -ENAMETOOLONG);
	return err;
}

int sys_mount(uptr_t source, uptr_t target, uptr_t type, unsigned mount_flags, uptr_t options)
{
	struct mount_strings *strings = kmalloc(sizeof(*strings));
	char *text = kmalloc(OPTIONS_BYTES);
	err_t err = strings && text ? 0 : -ENOMEM;

	if (!err)
		err = get_strings(strings, source, target, type);
	if (!err)
		err = get_string(text, options, OPTIONS_BYTES, -EINVAL);
	if (!err)
		err = vfs_mount(uthread_fs(), strings->source, strings->target, strings->type,
				mount_flags, text);
	kfree(text);
	kfree(strings);
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
