/*
 * System calls that move bytes through descriptors: read and write in all their forms, and the
 * position. Owns no state. read and write themselves are the hot path: a look-up without a lock,
 * one buffer on the stack, the object's own function.
 */
#include "sys_rw.h"

#include "process/uthread.h"
#include "signal/signal.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <arch/user.h>
#include <ipc/buffer.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>
#include <mm/kva.h>

ssize_t write_result(ssize_t result)
{
	if (unlikely(result == -EPIPE))
		signal_raise(SIGPIPE);
	return result;
}

ssize_t sys_read(int fd, uptr_t buf, size_t len)
{
	struct object *object = fd_get(current_fds(), fd);
	struct buffer buffer;
	ssize_t result;

	if (!object)
		return -EBADF;
	result = buffer_init_user(&buffer, buf, len);
	if (!result)
		result = object_read(object, &buffer, NULL);
	object_put(object);
	return result;
}

ssize_t sys_write(int fd, uptr_t data, size_t len)
{
	struct object *object = fd_get(current_fds(), fd);
	struct buffer buffer;
	ssize_t result;

	if (!object)
		return -EBADF;
	result = buffer_init_user(&buffer, data, len);
	if (!result)
		result = write_result(object_write(object, &buffer, NULL));
	object_put(object);
	return result;
}

ssize_t sys_pread64(int fd, uptr_t buf, size_t len, int64_t offset)
{
	uint64_t offset_bytes = (uint64_t)offset;
	struct object *object;
	struct buffer buffer;
	ssize_t result;

	if (offset < 0)
		return -EINVAL;
	object = fd_get(current_fds(), fd);
	if (!object)
		return -EBADF;
	result = buffer_init_user(&buffer, buf, len);
	if (!result)
		result = object_read(object, &buffer, &offset_bytes);
	object_put(object);
	return result;
}

ssize_t sys_pwrite64(int fd, uptr_t data, size_t len, int64_t offset)
{
	uint64_t offset_bytes = (uint64_t)offset;
	struct object *object;
	struct buffer buffer;
	ssize_t result;

	if (offset < 0)
		return -EINVAL;
	object = fd_get(current_fds(), fd);
	if (!object)
		return -EBADF;
	result = buffer_init_user(&buffer, data, len);
	if (!result)
		result = write_result(object_write(object, &buffer, &offset_bytes));
	object_put(object);
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

static ssize_t read_pieces(int fd, uptr_t from, int npieces, const uint64_t *offset_bytes)
{
	struct object *object = fd_get(current_fds(), fd);
	struct pieces pieces;
	struct buffer buffer;
	ssize_t result;

	if (!object)
		return -EBADF;
	result = pieces_get(&pieces, from, npieces, &buffer);
	if (!result) {
		result = object_read(object, &buffer, offset_bytes);
		pieces_put(&pieces);
	}
	object_put(object);
	return result;
}

static ssize_t write_pieces(int fd, uptr_t from, int npieces, const uint64_t *offset_bytes)
{
	struct object *object = fd_get(current_fds(), fd);
	struct pieces pieces;
	struct buffer buffer;
	ssize_t result;

	if (!object)
		return -EBADF;
	result = pieces_get(&pieces, from, npieces, &buffer);
	if (!result) {
		result = write_result(object_write(object, &buffer, offset_bytes));
		pieces_put(&pieces);
	}
	object_put(object);
	return result;
}

ssize_t sys_readv(int fd, uptr_t pieces, int npieces)
{
	return read_pieces(fd, pieces, npieces, NULL);
}

ssize_t sys_writev(int fd, uptr_t pieces, int npieces)
{
	return write_pieces(fd, pieces, npieces, NULL);
}

ssize_t sys_preadv(int fd, uptr_t pieces, int npieces, uint64_t offset)
{
	if ((int64_t)offset < 0)
		return -EINVAL;
	return read_pieces(fd, pieces, npieces, &offset);
}

ssize_t sys_pwritev(int fd, uptr_t pieces, int npieces, uint64_t offset)
{
	if ((int64_t)offset < 0)
		return -EINVAL;
	return write_pieces(fd, pieces, npieces, &offset);
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
