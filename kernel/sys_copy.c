/*
 * System calls that move bytes from one descriptor to another: sendfile and copy_file_range. Both
 * go through pages of the kernel's own, a few at a time, so neither side waits for a program's
 * memory. Owns no state.
 */
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
#include <mm/kva.h>

#define PIECE_PAGES 16
#define PIECE_BYTES (PIECE_PAGES * PAGE_SIZE)

/* One side. `at` NULL: where the object itself is, which moves. */
struct side {
	struct object *object;
	uint64_t *at;
};

static ssize_t read_piece(const struct side *from, void *piece, size_t len_bytes)
{
	struct buffer buffer;

	buffer_init_kernel(&buffer, piece, len_bytes);
	return object_read(from->object, &buffer, from->at);
}

/* As much as goes; an error only if nothing went. */
static ssize_t write_piece(const struct side *to, char *piece, size_t len_bytes)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < len_bytes && n > 0) {
		struct buffer buffer;

		buffer_init_kernel(&buffer, piece + done, len_bytes - done);
		n = object_write(to->object, &buffer, to->at);
		if (n <= 0)
			break;
		done += (size_t)n;
		if (to->at)
			*to->at += (size_t)n;
	}
	return done ? (ssize_t)done : n;
}

/* Bytes that came over: fewer than asked at the end of the source, when the target takes no more,
 * or for a signal; an error only if there was none. from->at moves by as much. */
static ssize_t copy(const struct side *from, const struct side *to, uint64_t len_bytes)
{
	char *piece = kva_alloc(PIECE_PAGES);
	uint64_t done = 0;
	ssize_t n = 0;

	if (!piece)
		return -ENOMEM;
	while (done < len_bytes) {
		ssize_t written;

		n = thread_interrupted() ? -EINTR : 0;
		if (!n)
			n = read_piece(from, piece, MIN(len_bytes - done, PIECE_BYTES));
		if (n <= 0)
			break;
		written = write_piece(to, piece, (size_t)n);
		if (written > 0) {
			done += (uint64_t)written;
			*from->at += (uint64_t)written;
		}
		if (written < n) {
			n = written;
			break;
		}
	}
	kva_free(piece);
	return done ? (ssize_t)done : n;
}

static bool may_read(const struct object *object)
{
	return !(object_flags(object) & O_PATH) && (object_flags(object) & O_ACCMODE) != O_WRONLY;
}

static bool may_write(const struct object *object)
{
	return !(object_flags(object) & O_PATH) && (object_flags(object) & O_ACCMODE) != O_RDONLY;
}

/* Where a side begins: what the program's word says, or the object's position. -ESPIPE: the object
 * has none. */
static err_t get_position(struct object *object, uptr_t word, uint64_t *position)
{
	err_t err = object_seek(object, 0, SEEK_CUR, position);

	if (err || uptr_is_null(word))
		return err;
	if (user_get(position, word))
		return -EFAULT;
	return (int64_t)*position < 0 ? -EINVAL : 0;
}

static err_t put_position(struct object *object, uptr_t word, uint64_t position)
{
	if (uptr_is_null(word))
		return object_seek(object, (int64_t)position, SEEK_SET, &position);
	return user_put(word, &position);
}

/* ---- sendfile ---- */

static ssize_t send(struct object *out, struct object *in, uptr_t offset, size_t len)
{
	struct abi_stat stat;
	uint64_t position;
	ssize_t done;
	err_t err;

	if (!may_read(in) || !may_write(out))
		return -EBADF;
	err = get_position(in, offset, &position);
	if (err == -ESPIPE && uptr_is_null(offset))
		return -EINVAL; /* a pipe or a terminal is no source */
	if (!err)
		err = object_stat(in, &stat);
	if (!err && (S_ISDIR(stat.st_mode) || object_flags(out) & O_APPEND))
		err = -EINVAL;
	if (err)
		return err;
	done = copy(&(struct side){in, &position}, &(struct side){out, NULL},
		    MIN(len, BUFFER_BYTES_MAX));
	if (done >= 0) {
		err = put_position(in, offset, position);
		if (err)
			return err;
	}
	if (done == -EPIPE)
		signal_raise(SIGPIPE);
	return done;
}

ssize_t sys_sendfile(int out_fd, int in_fd, uptr_t offset, size_t len)
{
	struct object *in = fd_get(current_fds(), in_fd);
	struct object *out = fd_get(current_fds(), out_fd);
	ssize_t result = in && out ? send(out, in, offset, len) : -EBADF;

	object_put(out);
	object_put(in);
	return result;
}

/* ---- copy_file_range ---- */

/* *within_bytes: the size of the file if both are the same one, else 0. */
static err_t check_kinds(struct object *in, struct object *out, uint64_t *within_bytes)
{
	struct abi_stat from, to;
	err_t err = object_stat(in, &from);

	if (!err)
		err = object_stat(out, &to);
	if (err)
		return err;
	if (S_ISDIR(from.st_mode) || S_ISDIR(to.st_mode))
		return -EISDIR;
	if (!S_ISREG(from.st_mode) || !S_ISREG(to.st_mode))
		return -EINVAL;
	if (!may_read(in) || !may_write(out) || object_flags(out) & O_APPEND)
		return -EBADF;
	*within_bytes = 0;
	if (from.st_dev == to.st_dev && from.st_ino == to.st_ino)
		*within_bytes = (uint64_t)from.st_size;
	return 0;
}

static ssize_t copy_range(struct object *in, uptr_t in_offset, struct object *out,
			  uptr_t out_offset, size_t len)
{
	uint64_t from, to, within_bytes;
	ssize_t done;
	err_t err = check_kinds(in, out, &within_bytes);

	if (!err)
		err = get_position(in, in_offset, &from);
	if (!err)
		err = get_position(out, out_offset, &to);
	if (err)
		return err;
	len = MIN(len, BUFFER_BYTES_MAX);
	if (from + len > INT64_MAX || to + len > INT64_MAX)
		return -EOVERFLOW;
	if (from < within_bytes) {
		len = MIN(len, within_bytes - from);
		if (len && from < to + len && to < from + len)
			return -EINVAL; /* one over the other */
	}
	done = object_copy_range(in, from, out, to, (uint32_t)len);
	if (done > 0) {
		from += (uint64_t)done;
		to += (uint64_t)done;
	} else if (done == -EOPNOTSUPP) {
		done = copy(&(struct side){in, &from}, &(struct side){out, &to}, len);
	}
	if (done <= 0)
		return done;
	err = put_position(in, in_offset, from);
	if (!err)
		err = put_position(out, out_offset, to);
	return err ? err : done;
}

ssize_t sys_copy_file_range(int in_fd, uptr_t in_offset, int out_fd, uptr_t out_offset, size_t len,
			    unsigned flags)
{
	struct object *in = fd_get(current_fds(), in_fd);
	struct object *out = fd_get(current_fds(), out_fd);
	ssize_t result = -EBADF;

	if (in && out)
		result = flags ? -EINVAL : copy_range(in, in_offset, out, out_offset, len);
	object_put(out);
	object_put(in);
	return result;
}
