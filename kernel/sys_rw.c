/*
 * System calls that move bytes through descriptors: read and write in all their forms, and the
 * position. Owns no state. read and write themselves are the hot path: a look-up without a lock,
 * one buffer on the stack, the object's own function.
 */
#include "sys_rw.h"

#include "devices.h"
#include "process/uthread.h"
#include "signal/signal.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <arch/user.h>
#include <ipc/buffer.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>
#include <ipc/socket.h>
#include <mm/kva.h>

ssize_t write_result(const struct object *object, ssize_t result)
{
	if (unlikely(result == -EPIPE) && object->kind != OBJECT_PACKETS)
		signal_raise(SIGPIPE);
	return result;
}

ssize_t sys_read(int fd, uptr_t buf, size_t len)
{
	struct fd_use use = fd_use(current_fds(), fd);
	struct object *object = use.object;
	struct buffer buffer;
	ssize_t result;

	if (!object)
		return -EBADF;
	result = buffer_init_user(&buffer, buf, len);
	if (!result)
		result = object_read(object, &buffer, NULL);
	fd_used(use);
	return result;
}

ssize_t sys_write(int fd, uptr_t data, size_t len)
{
	struct fd_use use = fd_use(current_fds(), fd);
	struct object *object = use.object;
	struct buffer buffer;
	ssize_t result;

	if (!object)
		return -EBADF;
	result = buffer_init_user(&buffer, data, len);
	if (!result)
		result = write_result(object, object_write(object, &buffer, NULL));
	fd_used(use);
	return result;
}

ssize_t sys_pread64(int fd, uptr_t buf, size_t len, int64_t offset)
{
	uint64_t offset_bytes = (uint64_t)offset;
	struct fd_use use;
	struct object *object;
	struct buffer buffer;
	ssize_t result;

	if (offset < 0)
		return -EINVAL;
	use = fd_use(current_fds(), fd);
	object = use.object;
	if (!object)
		return -EBADF;
	result = buffer_init_user(&buffer, buf, len);
	if (!result)
		result = object_read(object, &buffer, &offset_bytes);
	fd_used(use);
	return result;
}

ssize_t sys_pwrite64(int fd, uptr_t data, size_t len, int64_t offset)
{
	uint64_t offset_bytes = (uint64_t)offset;
	struct fd_use use;
	struct object *object;
	struct buffer buffer;
	ssize_t result;

	if (offset < 0)
		return -EINVAL;
	use = fd_use(current_fds(), fd);
	object = use.object;
	if (!object)
		return -EBADF;
	result = buffer_init_user(&buffer, data, len);
	if (!result)
		result = write_result(object, object_write(object, &buffer, &offset_bytes));
	fd_used(use);
	return result;
}

/* ---- many pieces ---- */

_Static_assert(sizeof(struct buffer_segment) == sizeof(struct abi_iovec), "the same words");
_Static_assert(offsetof(struct buffer_segment, len_bytes) == offsetof(struct abi_iovec, len_bytes),
	       "in the same order");

void pieces_put(struct pieces *pieces)
{
	if (pieces->list != pieces->few)
		kvfree(pieces->list, pieces->len_bytes);
}

err_t pieces_get(struct pieces *pieces, uptr_t from, int npieces, struct buffer *buffer)
{
	err_t err;

	if (npieces < 0 || npieces > IOV_MAX)
		return -EINVAL;
	pieces->len_bytes = (size_t)npieces * sizeof(struct buffer_segment);
	pieces->list = pieces->few;
	if (npieces > PIECES_ON_STACK)
		pieces->list = kvmalloc(pieces->len_bytes);
	if (!pieces->list)
		return -ENOMEM;
	err = user_copy_in(pieces->list, from, pieces->len_bytes);
	if (!err)
		err = buffer_init_segments(buffer, pieces->list, (unsigned)npieces);
	if (err)
		pieces_put(pieces);
	return err;
}

/* `call_flags`: as in struct buffer. */
static ssize_t read_pieces(int fd, uptr_t from, int npieces, const uint64_t *offset_bytes,
			   unsigned call_flags)
{
	struct fd_use use = fd_use(current_fds(), fd);
	struct object *object = use.object;
	struct pieces pieces;
	struct buffer buffer;
	ssize_t result;

	if (!object)
		return -EBADF;
	result = pieces_get(&pieces, from, npieces, &buffer);
	if (!result) {
		buffer.call_flags = call_flags;
		result = object_read(object, &buffer, offset_bytes);
		pieces_put(&pieces);
	}
	fd_used(use);
	return result;
}

/* `silent`: no SIGPIPE. */
static ssize_t write_pieces(int fd, uptr_t from, int npieces, const uint64_t *offset_bytes,
			    unsigned call_flags, bool silent)
{
	struct fd_use use = fd_use(current_fds(), fd);
	struct object *object = use.object;
	struct pieces pieces;
	struct buffer buffer;
	ssize_t result;

	if (!object)
		return -EBADF;
	result = pieces_get(&pieces, from, npieces, &buffer);
	if (!result) {
		buffer.call_flags = call_flags;
		result = object_write(object, &buffer, offset_bytes);
		if (!silent)
			result = write_result(object, result);
		pieces_put(&pieces);
	}
	fd_used(use);
	return result;
}

ssize_t sys_readv(int fd, uptr_t pieces, int npieces)
{
	return read_pieces(fd, pieces, npieces, NULL, 0);
}

ssize_t sys_writev(int fd, uptr_t pieces, int npieces)
{
	return write_pieces(fd, pieces, npieces, NULL, 0, false);
}

ssize_t sys_preadv(int fd, uptr_t pieces, int npieces, uint64_t offset)
{
	if ((int64_t)offset < 0)
		return -EINVAL;
	return read_pieces(fd, pieces, npieces, &offset, 0);
}

ssize_t sys_pwritev(int fd, uptr_t pieces, int npieces, uint64_t offset)
{
	if ((int64_t)offset < 0)
		return -EINVAL;
	return write_pieces(fd, pieces, npieces, &offset, 0, false);
}

/* ---- with flags for the one call ---- */

#define OFFSET_NONE UINT64_MAX /* at the object's position, as readv and writev */

/* Pipes, sockets and the devices that never wait; of the filesystems that are here, Linux's know
 * nothing of it either. */
static bool knows_nowait(struct object *object)
{
	struct abi_stat stat;

	if (object_pipe_end(object) || object_is_socket(object))
		return true;
	return !object_stat(object, &stat) && S_ISCHR(stat.st_mode) &&
	       device_never_waits(stat.st_rdev);
}

static err_t check_nowait(int fd)
{
	struct object *object = fd_get(current_fds(), fd);
	bool knows;

	if (!object)
		return -EBADF;
	knows = knows_nowait(object);
	object_put(object);
	return knows ? 0 : -EOPNOTSUPP;
}

/* HIPRI is a hint. */
static err_t decode_flags(int fd, unsigned flags, unsigned *call_flags)
{
	const unsigned both = RWF_APPEND | RWF_NOAPPEND;

	if (flags & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | both | RWF_NOSIGNAL))
		return -EOPNOTSUPP;
	if ((flags & both) == both)
		return -EINVAL;
	*call_flags = (flags & RWF_APPEND ? O_APPEND : 0) |
		      (flags & RWF_NOAPPEND ? CALL_NO_APPEND : 0) |
		      (flags & RWF_NOWAIT ? O_NONBLOCK : 0);
	return flags & RWF_NOWAIT ? check_nowait(fd) : 0;
}

ssize_t sys_preadv2(int fd, uptr_t pieces, int npieces, uint64_t offset, UNUSED uint64_t high,
		    unsigned flags)
{
	unsigned call_flags;
	err_t err = decode_flags(fd, flags, &call_flags);

	if ((int64_t)offset < 0 && offset != OFFSET_NONE)
		return -EINVAL;
	if (err)
		return err;
	return read_pieces(fd, pieces, npieces, offset == OFFSET_NONE ? NULL : &offset, call_flags);
}

ssize_t sys_pwritev2(int fd, uptr_t pieces, int npieces, uint64_t offset, UNUSED uint64_t high,
		     unsigned flags)
{
	unsigned call_flags;
	ssize_t done;
	err_t err = decode_flags(fd, flags, &call_flags);

	if ((int64_t)offset < 0 && offset != OFFSET_NONE)
		return -EINVAL;
	if (err)
		return err;
	done = write_pieces(fd, pieces, npieces, offset == OFFSET_NONE ? NULL : &offset, call_flags,
			    flags & RWF_NOSIGNAL);
	if (done > 0 && (flags & (RWF_DSYNC | RWF_SYNC))) {
		err = sys_fsync(fd);
		if (err && err != -EINVAL) /* what has nothing to sync is written */
			return err;
	}
	return done;
}

/* ---- the position ---- */

int64_t sys_lseek(int fd, int64_t offset, int whence)
{
	struct object *object = fd_get(current_fds(), fd);
	uint64_t position = 0;
	err_t err;

	if (!object)
		return -EBADF;
	err = object_seek(object, offset, whence, &position);
	object_put(object);
	return err ? err : (int64_t)position;
}
