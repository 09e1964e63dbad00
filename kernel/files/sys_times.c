/*
 * System calls that set the times of files, from utime to utimensat: one act in four forms. Owns no
 * state.
 */
#include "../process/uthread.h"
#include "../sys_path.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>

static bool is_time(const struct abi_timespec *time)
{
	return time->tv_nsec == UTIME_NOW || time->tv_nsec == UTIME_OMIT ||
	       (time->tv_nsec >= 0 && time->tv_nsec < (int64_t)NSEC_PER_SEC);
}

static err_t set_times(int dirfd, uptr_t path, const struct abi_timespec *times, unsigned at_flags)
{
	struct at_path from;
	struct object *object;
	err_t err;

	if (!uptr_is_null(path)) {
		err = at_path_get(dirfd, path, &from);
		if (err)
			return err;
		err = vfs_utimens(uthread_fs(), from.at, from.name, times, at_flags);
		at_path_put(&from);
		return err;
	}
	/* futimens: no name, the descriptor itself. */
	if (dirfd == AT_FDCWD)
		return -EFAULT;
	if (at_flags)
		return -EINVAL;
	object = fd_get(current_fds(), dirfd);
	if (!object)
		return -EBADF;
	err = vfs_utimens(uthread_fs(), object, "", times, AT_EMPTY_PATH);
	object_put(object);
	return err;
}

int sys_utimensat(int dirfd, uptr_t path, uptr_t times, unsigned at_flags)
{
	struct abi_timespec values[2];

	if (at_flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (uptr_is_null(times))
		return set_times(dirfd, path, NULL, at_flags);
	if (user_copy_in(values, times, sizeof(values)))
		return -EFAULT;
	if (!is_time(&values[0]) || !is_time(&values[1]))
		return -EINVAL;
	return set_times(dirfd, path, values, at_flags);
}

/* ---- the older forms ---- */

struct abi_utimbuf {
	int64_t actime; /* seconds */
	int64_t modtime;
};

int sys_utime(uptr_t path, uptr_t times)
{
	struct abi_timespec values[2] = {{0}, {0}};
	struct abi_utimbuf given;

	if (uptr_is_null(path))
		return -EFAULT;
	if (uptr_is_null(times))
		return set_times(AT_FDCWD, path, NULL, 0);
	if (user_get(&given, times))
		return -EFAULT;
	values[0].tv_sec = given.actime;
	values[1].tv_sec = given.modtime;
	return set_times(AT_FDCWD, path, values, 0);
}

/* Without a path: `dirfd` itself, as utimensat has it. */
int sys_futimesat(int dirfd, uptr_t path, uptr_t times)
{
	struct abi_timespec values[2];
	struct abi_timeval given[2];

	if (uptr_is_null(times))
		return set_times(dirfd, path, NULL, 0);
	if (user_copy_in(given, times, sizeof(given)))
		return -EFAULT;
	for (unsigned i = 0; i < ARRAY_SIZE(given); i++) {
		if (given[i].tv_usec < 0 ||
		    given[i].tv_usec >= (int64_t)(NSEC_PER_SEC / NSEC_PER_USEC))
			return -EINVAL;
		values[i] =
			(struct abi_timespec){.tv_sec = given[i].tv_sec,
					      .tv_nsec = given[i].tv_usec * (int64_t)NSEC_PER_USEC};
	}
	return set_times(dirfd, path, values, 0);
}

int sys_utimes(uptr_t path, uptr_t times)
{
	return sys_futimesat(AT_FDCWD, path, times);
}
