/*
 * System calls on attributes: stat and its kin, access, modes, owners, sizes, and reading
 * directories. Owns no state.
 */
#include "process/capability.h"
#include "process/uthread.h"
#include "sys_path.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>
#include <ipc/user_namespace.h>

#define STAT_AT_FLAGS                                                                              \
	((unsigned)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))

static struct vfs_context *context(void)
{
	return uthread_fs();
}

/* ---- stat ---- */

/* The owners as the program calls them. */
static void name_owners(struct abi_stat *stat)
{
	const struct user_namespace *user = uthread_current()->ids.user;

	stat->st_uid = id_shown_in(user, ID_USER, stat->st_uid);
	stat->st_gid = id_shown_in(user, ID_GROUP, stat->st_gid);
}

static err_t stat_at(int dirfd, uptr_t path, unsigned at_flags, struct abi_stat *out)
{
	struct at_path from;
	err_t err;

	if (at_flags & ~STAT_AT_FLAGS)
		return -EINVAL;
	err = at_path_get(dirfd, path, &from);
	if (err)
		return err;
	/* fstat by another name: any kind of object has attributes. */
	if (from.at && !from.name[0] && (at_flags & AT_EMPTY_PATH))
		err = object_stat(from.at, out);
	else
		err = vfs_stat(context(), from.at, from.name, at_flags, out);
	at_path_put(&from);
	if (!err)
		name_owners(out);
	return err;
}

int sys_newfstatat(int dirfd, uptr_t path, uptr_t out, unsigned at_flags)
{
	struct abi_stat stat;
	err_t err = stat_at(dirfd, path, at_flags, &stat);

	return err ? err : user_put(out, &stat);
}

int sys_stat(uptr_t path, uptr_t out)
{
	return sys_newfstatat(AT_FDCWD, path, out, 0);
}

int sys_lstat(uptr_t path, uptr_t out)
{
	return sys_newfstatat(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

int sys_fstat(int fd, uptr_t out)
{
	struct fd_use use = fd_use(current_fds(), fd);
	struct object *object = use.object;
	struct abi_stat stat;
	err_t err;

	if (!object)
		return -EBADF;
	err = object_stat(object, &stat);
	fd_used(use);
	if (err)
		return err;
	name_owners(&stat);
	return user_put(out, &stat);
}

static struct abi_statx_timestamp statx_time(const struct abi_timespec *time)
{
	return (struct abi_statx_timestamp){.tv_sec = time->tv_sec,
					    .tv_nsec = (uint32_t)time->tv_nsec};
}

/* Of what is no file nothing is said. */
static void add_details(int dirfd, uptr_t path, unsigned at_flags, struct abi_statx *statx)
{
	struct vfs_details details;
	struct at_path from;

	if (at_path_get(dirfd, path, &from))
		return;
	if (!vfs_details(context(), from.at, from.name, at_flags, &details)) {
		statx->stx_mnt_id = details.mount_id;
		statx->stx_mask |= STATX_MNT_ID;
		statx->stx_attributes_mask |= STATX_ATTR_MOUNT_ROOT;
		if (details.is_mount_root)
			statx->stx_attributes |= STATX_ATTR_MOUNT_ROOT;
		if (!details.no_birth) {
			statx->stx_btime = statx_time(&details.birth);
			statx->stx_mask |= STATX_BTIME;
		}
	}
	at_path_put(&from);
}

int sys_statx(int dirfd, uptr_t path, unsigned at_flags, unsigned mask, uptr_t out)
{
	struct abi_statx statx = {.stx_mask = STATX_BASIC_STATS};
	struct abi_stat stat;
	err_t err;

	if ((mask & STATX_RESERVED) || (at_flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	err = stat_at(dirfd, path, at_flags, &stat);
	if (err)
		return err;
	statx.stx_blksize = (uint32_t)stat.st_blksize;
	statx.stx_nlink = (uint32_t)stat.st_nlink;
	statx.stx_uid = stat.st_uid;
	statx.stx_gid = stat.st_gid;
	statx.stx_mode = (uint16_t)stat.st_mode;
	statx.stx_ino = stat.st_ino;
	statx.stx_size = (uint64_t)stat.st_size;
	statx.stx_blocks = (uint64_t)stat.st_blocks;
	statx.stx_atime = statx_time(&stat.st_atim);
	statx.stx_mtime = statx_time(&stat.st_mtim);
	statx.stx_ctime = statx_time(&stat.st_ctim);
	statx.stx_rdev_major = abi_major(stat.st_rdev);
	statx.stx_rdev_minor = abi_minor(stat.st_rdev);
	statx.stx_dev_major = abi_major(stat.st_dev);
	statx.stx_dev_minor = abi_minor(stat.st_dev);
	if (mask & (STATX_BTIME | STATX_MNT_ID))
		add_details(dirfd, path, at_flags, &statx);
	return user_put(out, &statx);
}

/* ---- access ---- */

int sys_faccessat2(int dirfd, uptr_t path, unsigned mode, unsigned at_flags)
{
	struct vfs_context as;
	struct at_path from;
	err_t err;

	if ((mode & ~(unsigned)(R_OK | W_OK | X_OK)) ||
	    (at_flags & ~(unsigned)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	err = at_path_get(dirfd, path, &from);
	if (err)
		return err;
	/* access(2): with the real ids, unless it is asked otherwise. */
	as = *context();
	if (!(at_flags & AT_EACCESS)) {
		as.uid = uthread_current()->ids.uid;
		as.gid = uthread_current()->ids.gid;
		as.own_capabilities = credentials_real_capabilities(&uthread_current()->ids);
		as.capabilities = as.user == &user_namespace_first ? as.own_capabilities : 0;
	}
	err = vfs_access(&as, from.at, from.name, mode, at_flags);
	at_path_put(&from);
	return err;
}

int sys_faccessat(int dirfd, uptr_t path, unsigned mode)
{
	return sys_faccessat2(dirfd, path, mode, 0);
}

int sys_access(uptr_t path, unsigned mode)
{
	return sys_faccessat2(AT_FDCWD, path, mode, 0);
}

/* ---- modes and owners ---- */

int sys_fchmodat(int dirfd, uptr_t path, unsigned mode)
{
	struct at_path from;
	err_t err = at_path_get(dirfd, path, &from);

	if (err)
		return err;
	err = vfs_chmod(context(), from.at, from.name, mode & 07777, 0);
	at_path_put(&from);
	return err;
}

int sys_chmod(uptr_t path, unsigned mode)
{
	return sys_fchmodat(AT_FDCWD, path, mode);
}

int sys_fchmod(int fd, unsigned mode)
{
	struct object *object = fd_get(current_fds(), fd);
	err_t err = -EBADF;

	if (!object)
		return -EBADF;
	if (!(object_flags(object) & O_PATH))
		err = vfs_chmod(context(), object, "", mode & 07777, AT_EMPTY_PATH);
	object_put(object);
	return err;
}

/* Those that the program names, but UINT32_MAX: as it is. */
static err_t take_owners(unsigned *uid, unsigned *gid)
{
	const struct user_namespace *user = uthread_current()->ids.user;
	unsigned named_uid = *uid, named_gid = *gid;

	*uid = id_to_global(user, ID_USER, named_uid);
	*gid = id_to_global(user, ID_GROUP, named_gid);
	return (*uid == ID_NONE && named_uid != ID_NONE) ||
			       (*gid == ID_NONE && named_gid != ID_NONE)
		       ? -EINVAL
		       : 0;
}

int sys_fchownat(int dirfd, uptr_t path, unsigned uid, unsigned gid, unsigned at_flags)
{
	struct at_path from;
	err_t err;

	if (at_flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = take_owners(&uid, &gid);
	if (err)
		return err;
	err = at_path_get(dirfd, path, &from);
	if (err)
		return err;
	err = vfs_chown(context(), from.at, from.name, uid, gid, at_flags);
	at_path_put(&from);
	return err;
}

int sys_chown(uptr_t path, unsigned uid, unsigned gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, 0);
}

int sys_lchown(uptr_t path, unsigned uid, unsigned gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

int sys_fchown(int fd, unsigned uid, unsigned gid)
{
	struct object *object = fd_get(current_fds(), fd);
	err_t err;

	if (!object)
		return -EBADF;
	err = object_flags(object) & O_PATH ? -EBADF : take_owners(&uid, &gid);
	if (!err)
		err = vfs_chown(context(), object, "", uid, gid, AT_EMPTY_PATH);
	object_put(object);
	return err;
}

/* ---- sizes ---- */

int sys_truncate(uptr_t path, int64_t size)
{
	struct at_path from;
	err_t err;

	if (size < 0)
		return -EINVAL;
	err = at_path_get(AT_FDCWD, path, &from);
	if (err)
		return err;
	err = vfs_truncate(context(), from.name, (uint64_t)size);
	at_path_put(&from);
	return err;
}

int sys_ftruncate(int fd, int64_t size)
{
	struct object *object;
	err_t err;

	if (size < 0)
		return -EINVAL;
	object = fd_get(current_fds(), fd);
	if (!object)
		return -EBADF;
	err = object_truncate(object, (uint64_t)size);
	object_put(object);
	return err;
}

int sys_fallocate(int fd, unsigned mode, int64_t offset, int64_t len)
{
	struct object *object = fd_get(current_fds(), fd);
	err_t err;

	if (!object)
		return -EBADF;
	err = object_allocate(object, mode, offset, len);
	object_put(object);
	return err;
}

/* ---- directories ---- */

static ssize_t get_entries(int fd, uptr_t buf, size_t len, enum dirent_form form)
{
	struct object *object = fd_get(current_fds(), fd);
	struct buffer buffer;
	ssize_t result;

	if (!object)
		return -EBADF;
	result = buffer_init_user(&buffer, buf, len);
	if (!result)
		result = object_getdents(object, &buffer, form);
	object_put(object);
	return result;
}

ssize_t sys_getdents64(int fd, uptr_t buf, size_t len)
{
	return get_entries(fd, buf, len, DIRENT_64);
}

/* Its length is an unsigned int. */
ssize_t sys_getdents(int fd, uptr_t buf, unsigned len)
{
	return get_entries(fd, buf, len, DIRENT_OLD);
}
