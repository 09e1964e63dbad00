/*
 * inotify's system calls. What they do is in fusek/inotify.h. Owns no state.
 */
#include "process/uthread.h"
#include "sys_path.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <fusek/inotify.h>
#include <ipc/fdtable.h>

int sys_inotify_init1(unsigned flags)
{
	struct object *inotify;
	err_t err;

	if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = inotify_create(flags & O_NONBLOCK, &inotify);
	return err ? err : fd_add(current_fds(), inotify, flags & O_CLOEXEC);
}

int sys_inotify_init(void)
{
	return sys_inotify_init1(0);
}

/* A reference. -EBADF; -EINVAL: it is something else. */
static err_t inotify_get(int fd, struct object **out)
{
	*out = fd_get(current_fds(), fd);
	if (!*out)
		return -EBADF;
	if (object_is_inotify(*out))
		return 0;
	object_put(*out);
	return -EINVAL;
}

int sys_inotify_add_watch(int fd, uptr_t path, unsigned mask)
{
	struct object *inotify;
	struct at_path from;
	err_t err = inotify_get(fd, &inotify);

	if (err)
		return err;
	err = at_path_get(AT_FDCWD, path, &from);
	if (!err) {
		err = inotify_add(inotify, uthread_fs(), from.name, mask);
		at_path_put(&from);
	}
	object_put(inotify);
	return err;
}

int sys_inotify_rm_watch(int fd, int wd)
{
	struct object *inotify;
	err_t err = inotify_get(fd, &inotify);

	if (err)
		return err;
	err = inotify_remove(inotify, wd);
	object_put(inotify);
	return err;
}
