/*
 * System calls that name files by handles. Owns no state.
 */
#include "../process/capability.h"
#include "../process/uthread.h"
#include "../sys_path.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>

#define OUR_BYTES ((uint32_t)sizeof(struct file_handle))

static uptr_t bytes_of(uptr_t handle)
{
	return uptr_add(handle, sizeof(struct abi_file_handle));
}

static err_t put_handle(uptr_t to, uint32_t room_bytes, const struct file_handle *handle)
{
	const struct abi_file_handle head = {.handle_bytes = OUR_BYTES,
					     .handle_type = FILE_HANDLE_TYPE};

	if (user_put(to, &head))
		return -EFAULT;
	if (room_bytes < OUR_BYTES)
		return -EOVERFLOW; /* it is told how many there are */
	return user_put(bytes_of(to), handle);
}

int sys_name_to_handle_at(int dirfd, uptr_t path, uptr_t handle, uptr_t mount_id, unsigned at_flags)
{
	struct file_handle found;
	struct abi_file_handle head;
	struct at_path from;
	uint32_t mount_number;
	err_t err;

	if (at_flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | AT_HANDLE_FID))
		return -EINVAL;
	err = at_path_get(dirfd, path, &from);
	if (err)
		return err;
	err = vfs_handle(uthread_fs(), from.at, from.name, at_flags & ~AT_HANDLE_FID, &found,
			 &mount_number);
	at_path_put(&from);
	if (err)
		return err;
	if (user_get(&head, handle))
		return -EFAULT;
	if (head.handle_bytes > FILE_HANDLE_BYTES_MAX)
		return -EINVAL;
	if (user_put(mount_id, &mount_number))
		return -EFAULT;
	return put_handle(handle, head.handle_bytes, &found);
}

static err_t get_handle(uptr_t from, struct file_handle *out)
{
	struct abi_file_handle head;

	if (user_get(&head, from))
		return -EFAULT;
	if (!head.handle_bytes || head.handle_bytes > FILE_HANDLE_BYTES_MAX)
		return -EINVAL;
	if (head.handle_bytes != OUR_BYTES || head.handle_type != FILE_HANDLE_TYPE)
		return -ESTALE;
	return user_get(out, bytes_of(from));
}

static int open_handle(struct object *at, const struct file_handle *handle, unsigned flags)
{
	struct object *object;
	int fd;
	err_t err = fd_reserve(current_fds(), 0, flags & O_CLOEXEC, &fd);

	if (err)
		return err;
	err = vfs_open_handle(uthread_fs(), at, handle, flags, &object);
	if (err) {
		fd_unreserve(current_fds(), fd);
		return err;
	}
	fd_install(current_fds(), fd, object);
	return fd;
}

int sys_open_by_handle_at(int mount_fd, uptr_t handle, unsigned open_flags)
{
	struct file_handle wanted;
	struct object *at = NULL;
	int fd;

	if (!capable(CAP_DAC_READ_SEARCH))
		return -EPERM;
	fd = get_handle(handle, &wanted);
	if (fd)
		return fd;
	if (mount_fd != AT_FDCWD) {
		at = fd_get(current_fds(), mount_fd);
		if (!at)
			return -EBADF;
	}
	fd = open_handle(at, &wanted, open_flags);
	object_put(at);
	return fd;
}
