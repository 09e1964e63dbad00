/*
 * System calls that say how a file will be used, or when its bytes should be on their way. No
 * server holds anything back, and read-ahead follows what is read, so all that is left is to check
 * what the program says. Owns no state.
 */
#include "../process/uthread.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <fusek/file.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>

/* The flags and the type of what `fd` names. -EBADF: nothing, or a mere place. */
static err_t look(int fd, unsigned *flags, uint32_t *type)
{
	struct object *object = fd_get(current_fds(), fd);
	struct abi_stat stat;
	err_t err;

	if (!object)
		return -EBADF;
	*flags = object_flags(object);
	err = (*flags & O_PATH) ? -EBADF : object_stat(object, &stat);
	*type = err ? 0 : stat.st_mode & S_IFMT;
	object_put(object);
	return err;
}

ssize_t sys_readahead(int fd, int64_t offset, size_t len)
{
	unsigned flags;
	uint32_t type;
	err_t err = look(fd, &flags, &type);

	if (err)
		return err;
	if ((flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (type != S_IFREG && type != S_IFBLK)
		return -EINVAL;
	return offset < 0 || (int64_t)len < 0 ? -EINVAL : 0;
}

int sys_fadvise64(int fd, UNUSED int64_t offset, int64_t len, int advice)
{
	unsigned flags;
	uint32_t type;
	err_t err = look(fd, &flags, &type);

	if (err)
		return err;
	if (type == S_IFIFO)
		return -ESPIPE;
	return len < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE ? -EINVAL : 0;
}

/* The whole file, which is more than was asked for. */
static err_t write_back(int fd, bool wait)
{
	struct object *object = fd_get(current_fds(), fd);

	if (!object)
		return -EBADF;
	vfs_write_back(object, wait);
	object_put(object);
	return 0;
}

int sys_sync_file_range(int fd, int64_t offset, int64_t len, unsigned flags)
{
	unsigned open_flags;
	uint32_t type;
	int64_t end;
	err_t err = look(fd, &open_flags, &type);

	if (err)
		return err;
	if ((flags &
	     ~(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER)) ||
	    offset < 0 || len < 0 || __builtin_add_overflow(offset, len, &end))
		return -EINVAL;
	if (type != S_IFREG && type != S_IFBLK && type != S_IFDIR)
		return -ESPIPE;
	return flags ? write_back(fd, flags & ~(unsigned)SYNC_FILE_RANGE_WRITE) : 0;
}
