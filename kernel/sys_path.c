/*
 * System calls on names: making, removing, renaming, the working directory. Each copies
 * the path, finds where it starts, and hands both to fusek/file.h, which does the checks that are
 * about files. Owns no state.
 */
#include "sys_path.h"

#include "process/capability.h"
#include "process/uthread.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <ipc/fdtable.h>
#include <lib/string.h>
#include <mm/slab.h>

static struct vfs_context *context(void)
{
	return uthread_fs();
}

err_t at_path_get(int dirfd, uptr_t name, struct at_path *out)
{
	ssize_t len;

	out->at = NULL;
	out->name = kmalloc(PATH_MAX);
	if (!out->name)
		return -ENOMEM;
	len = user_copy_string(out->name, name, PATH_MAX);
	if (len < 0) {
		kfree(out->name);
		return (err_t)len;
	}
	if (dirfd == AT_FDCWD || out->name[0] == '/')
		return 0;
	out->at = fd_get(current_fds(), dirfd);
	if (!out->at) {
		kfree(out->name);
		return -EBADF;
	}
	return 0;
}

void at_path_put(struct at_path *path)
{
	if (path->at)
		object_put(path->at);
	kfree(path->name);
}

/* ---- making and removing names ---- */

int sys_mkdirat(int dirfd, uptr_t path, unsigned mode)
{
	struct at_path from;
	err_t err = at_path_get(dirfd, path, &from);

	if (err)
		return err;
	err = vfs_mkdir(context(), from.at, from.name, mode & 01777);
	at_path_put(&from);
	return err;
}

int sys_mkdir(uptr_t path, unsigned mode)
{
	return sys_mkdirat(AT_FDCWD, path, mode);
}

int sys_mknodat(int dirfd, uptr_t path, unsigned mode, unsigned dev)
{
	struct at_path from;
	err_t err;

	if (!(mode & S_IFMT))
		mode |= S_IFREG;
	err = at_path_get(dirfd, path, &from);
	if (err)
		return err;
	err = vfs_mknod(context(), from.at, from.name, mode, dev);
	at_path_put(&from);
	return err;
}

int sys_mknod(uptr_t path, unsigned mode, unsigned dev)
{
	return sys_mknodat(AT_FDCWD, path, mode, dev);
}

int sys_unlinkat(int dirfd, uptr_t path, unsigned at_flags)
{
	struct at_path from;
	err_t err;

	if (at_flags & ~(unsigned)AT_REMOVEDIR)
		return -EINVAL;
	err = at_path_get(dirfd, path, &from);
	if (err)
		return err;
	err = vfs_unlink(context(), from.at, from.name, at_flags);
	at_path_put(&from);
	return err;
}

int sys_unlink(uptr_t path)
{
	return sys_unlinkat(AT_FDCWD, path, 0);
}

int sys_rmdir(uptr_t path)
{
	return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int sys_renameat2(int olddirfd, uptr_t oldpath, int newdirfd, uptr_t newpath, unsigned flags)
{
	struct at_path from;
	struct at_path to;
	err_t err;

	err = at_path_get(olddirfd, oldpath, &from);
	if (err)
		return err;
	err = at_path_get(newdirfd, newpath, &to);
	if (err)
		goto put_from;
	err = vfs_rename(context(), from.at, from.name, to.at, to.name, flags);
	at_path_put(&to);
put_from:
	at_path_put(&from);
	return err;
}

int sys_renameat(int olddirfd, uptr_t oldpath, int newdirfd, uptr_t newpath)
{
	return sys_renameat2(olddirfd, oldpath, newdirfd, newpath, 0);
}

int sys_rename(uptr_t oldpath, uptr_t newpath)
{
	return sys_renameat2(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

int sys_linkat(int olddirfd, uptr_t oldpath, int newdirfd, uptr_t newpath, unsigned at_flags)
{
	struct at_path from;
	struct at_path to;
	err_t err;

	if (at_flags & ~(unsigned)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = at_path_get(olddirfd, oldpath, &from);
	if (err)
		return err;
	err = at_path_get(newdirfd, newpath, &to);
	if (err)
		goto put_from;
	err = vfs_link(context(), from.at, from.name, to.at, to.name, at_flags);
	at_path_put(&to);
put_from:
	at_path_put(&from);
	return err;
}

int sys_link(uptr_t oldpath, uptr_t newpath)
{
	return sys_linkat(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

int sys_symlinkat(uptr_t target, int dirfd, uptr_t path)
{
	struct at_path text;
	struct at_path to;
	err_t err;

	err = at_path_get(AT_FDCWD, target, &text);
	if (err)
		return err;
	err = at_path_get(dirfd, path, &to);
	if (err)
		goto put_text;
	err = text.name[0] ? vfs_symlink(context(), text.name, to.at, to.name) : -ENOENT;
	at_path_put(&to);
put_text:
	at_path_put(&text);
	return err;
}

int sys_symlink(uptr_t target, uptr_t path)
{
	return sys_symlinkat(target, AT_FDCWD, path);
}

ssize_t sys_readlinkat(int dirfd, uptr_t path, uptr_t out, size_t len)
{
	struct at_path from;
	ssize_t got;
	char *text;
	err_t err;

	if ((int)len <= 0)
		return -EINVAL;
	err = at_path_get(dirfd, path, &from);
	if (err)
		return err;
	text = kmalloc(PATH_MAX);
	if (!text) {
		got = -ENOMEM;
		goto put_path;
	}
	got = vfs_readlink(context(), from.at, from.name, text, MIN(len, (size_t)PATH_MAX));
	if (got > 0) {
		err = user_copy_out(out, text, (size_t)got);
		got = err ? err : got;
	}
	kfree(text);
	if (got == -EINVAL && !from.name[0])
		got = -ENOENT; /* the descriptor itself was meant, and it is no link */
put_path:
	at_path_put(&from);
	return got;
}

ssize_t sys_readlink(uptr_t path, uptr_t out, size_t len)
{
	return sys_readlinkat(AT_FDCWD, path, out, len);
}

/* ---- the working directory ---- */

int sys_getcwd(uptr_t buf, size_t len)
{
	char *text = kmalloc(PATH_MAX);
	ssize_t bytes;
	err_t err;

	if (!text)
		return -ENOMEM;
	bytes = path_getcwd(&context()->root, &context()->cwd, text, PATH_MAX);
	if (bytes >= 0 && (size_t)bytes > len)
		bytes = -ERANGE;
	if (bytes > 0) {
		err = user_copy_out(buf, text, (size_t)bytes);
		bytes = err ? err : bytes;
	}
	kfree(text);
	return (int)bytes;
}

static int change_directory(struct object *at, const char *name)
{
	struct path found;
	err_t err = vfs_find_directory(context(), at, name, &found);

	if (!err)
		place_set_cwd(found);
	return err;
}

int sys_chdir(uptr_t path)
{
	struct at_path from;
	err_t err = at_path_get(AT_FDCWD, path, &from);

	if (err)
		return err;
	/* fchdir is what an empty name means below. */
	err = from.name[0] ? change_directory(NULL, from.name) : -ENOENT;
	at_path_put(&from);
	return err;
}

int sys_fchdir(int fd)
{
	struct object *object = fd_get(current_fds(), fd);
	err_t err;

	if (!object)
		return -EBADF;
	err = change_directory(object, "");
	object_put(object);
	return err;
}

/* The working directory stays where it is. */
int sys_chroot(uptr_t path)
{
	struct at_path from;
	struct path found;
	err_t err = at_path_get(AT_FDCWD, path, &from);

	if (err)
		return err;
	err = from.name[0] ? vfs_find_directory(context(), NULL, from.name, &found) : -ENOENT;
	at_path_put(&from);
	if (err)
		return err;
	if (!capable_in(uthread_current()->ids.user, CAP_SYS_CHROOT)) {
		path_put(&found);
		return -EPERM;
	}
	place_set_root(found);
	return 0;
}

int sys_umask(unsigned mode)
{
	return (int)place_set_umask(mode & 0777);
}
