/*
 * System calls that open files by name. Owns no state.
 */
#include "../process/uthread.h"
#include "../sys_path.h"
#include "../user_struct.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <fusek/file.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>

static int open_at(const struct vfs_context *context, const struct at_path *from, unsigned flags,
		   unsigned mode)
{
	struct fd_table *fds = current_fds();
	struct object *object;
	int fd;
	err_t err = fd_reserve(fds, 0, flags & O_CLOEXEC, &fd);

	if (err)
		return err;
	err = vfs_open(context, from->at, from->name, flags, mode, &object);
	if (err) {
		fd_unreserve(fds, fd);
		return err;
	}
	fd_install(fds, fd, object);
	return fd;
}

int sys_openat(int dirfd, uptr_t path, unsigned open_flags, unsigned mode)
{
	struct at_path from;
	int fd = at_path_get(dirfd, path, &from);

	if (fd)
		return fd;
	fd = open_at(uthread_fs(), &from, open_flags, mode & 07777);
	at_path_put(&from);
	return fd;
}

int sys_open(uptr_t path, unsigned open_flags, unsigned mode)
{
	return sys_openat(AT_FDCWD, path, open_flags, mode);
}

int sys_creat(uptr_t path, unsigned mode)
{
	return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* ---- openat2 ---- */

#define RESOLVE_FLAGS                                                                              \
	(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH |         \
	 RESOLVE_IN_ROOT | RESOLVE_CACHED)
#define PATH_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define OPEN_FLAGS                                                                                 \
	(PATH_FLAGS | O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK |  \
	 O_SYNC | O_DSYNC | O_ASYNC | O_DIRECT | O_LARGEFILE | O_NOATIME | O_TMPFILE)
#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)

/* What open() would ignore is refused. */
static err_t check_how(const struct abi_open_how *how)
{
	bool makes = how->flags & (O_CREAT | TMPFILE_BIT);

	if ((how->flags & ~(uint64_t)OPEN_FLAGS) || (how->resolve & ~(uint64_t)RESOLVE_FLAGS))
		return -EINVAL;
	if ((how->resolve & RESOLVE_BENEATH) && (how->resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (makes ? how->mode & ~UINT64_C(07777) : how->mode)
		return -EINVAL;
	if ((how->flags & TMPFILE_BIT) && !(how->flags & O_DIRECTORY))
		return -EINVAL;
	if ((how->flags & O_PATH) && (how->flags & ~(uint64_t)PATH_FLAGS))
		return -EINVAL;
	/* What is made or cut is in no cache. */
	if ((how->resolve & RESOLVE_CACHED) && (makes || (how->flags & O_TRUNC)))
		return -EAGAIN;
	return 0;
}

/* Where the name starts is the root for it. References: `context` is a copy. */
static err_t enter_scope(struct vfs_context *context, int dirfd, struct at_path *from)
{
	struct path start;

	/* An absolute name in a root of its own still means the directory. */
	if (!from->at && dirfd != AT_FDCWD && (context->resolve & RESOLVE_IN_ROOT)) {
		from->at = fd_get(current_fds(), dirfd);
		if (!from->at)
			return -EBADF;
	}
	start = from->at ? file_path(from->at) : context->cwd;
	if (path_is_none(&start))
		return -ENOTDIR;
	path_put(&context->root);
	context->root = path_get(&start);
	return 0;
}

int sys_openat2(int dirfd, uptr_t path, uptr_t how, size_t len)
{
	struct abi_open_how asked;
	struct vfs_context context;
	struct at_path from;
	int fd = user_get_struct(&asked, sizeof(asked), OPEN_HOW_SIZE_VER0, how, len);

	if (!fd)
		fd = check_how(&asked);
	if (!fd)
		fd = at_path_get(dirfd, path, &from);
	if (fd)
		return fd;
	context = *uthread_fs();
	context.root = path_get(&context.root);
	context.cwd = path_get(&context.cwd);
	context.resolve = (uint32_t)asked.resolve;
	if (asked.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT))
		fd = enter_scope(&context, dirfd, &from);
	if (!fd)
		fd = open_at(&context, &from, (unsigned)asked.flags, (unsigned)asked.mode);
	path_put(&context.root);
	path_put(&context.cwd);
	at_path_put(&from);
	return fd;
}
