/*
 * System calls that move bytes through pipes without a program's memory between: splice, tee,
 * vmsplice. The bytes are copied, by way of pages of the kernel's own. What leaves a pipe is lent
 * until it has arrived (ipc/pipe.h), so nothing is lost where the other side takes less. Owns the
 * last large piece of such pages.
 */
#include "splice.h"

#include "../process/uthread.h"
#include "../sys_rw.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <arch/user.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>
#include <ipc/pipe.h>
#include <ipc/socket.h>
#include <lib/atomic.h>
#include <mm/kva.h>
#include <mm/pressure.h>

#define PIECE_BYTES (16 * PAGE_SIZE)
/* What is no pipe, no socket and has no positions may take and give whole messages alone, as a
 * driver's connection does: of this length at most. */
#define WHOLE_BYTES (MIB + 16 * PAGE_SIZE)

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

static bool may_read(const struct object *object)
{
	return !(object_flags(object) & O_PATH) && (object_flags(object) & O_ACCMODE) != O_WRONLY;
}

static bool may_write(const struct object *object)
{
	return !(object_flags(object) & O_PATH) && (object_flags(object) & O_ACCMODE) != O_RDONLY;
}

/* A pipe is waited for, unless the call or the open file says otherwise. */
static bool waits(const struct object *object, unsigned flags)
{
	return !(flags & SPLICE_F_NONBLOCK) && !(object_flags(object) & O_NONBLOCK);
}

/* Of one side: the open file, the pipe that it is or NULL, and where: NULL: at its position. */
struct side {
	struct object *object;
	struct object *pipe;
	uint64_t *at;
};

/* The kernel's own memory on the way. */
struct piece {
	char *bytes;
	size_t len_bytes;
};

/* WHOLE_BYTES, for who is next: a driver that reads by splice asks for as much again and again, and
 * to map and unmap that is most of its work. Whoever exchanges it for NULL has it. */
static char *spare;

static uint64_t spare_reclaim(uint64_t nframes)
{
	char *bytes = atomic_exchange_full(&spare, NULL);

	(void)nframes;
	kva_free(bytes);
	return bytes ? WHOLE_BYTES / PAGE_SIZE : 0;
}

static struct memory_reclaimer spare_reclaimer = {.name = "splice", .reclaim = spare_reclaim};

void splice_init(void)
{
	memory_register_reclaimer(&spare_reclaimer);
}

static err_t piece_alloc(struct piece *piece, size_t len_bytes)
{
	bool is_large = len_bytes > PIECE_BYTES;

	piece->len_bytes = is_large ? WHOLE_BYTES : ALIGN_UP(len_bytes, PAGE_SIZE);
	piece->bytes = is_large ? atomic_exchange_full(&spare, NULL) : NULL;
	if (!piece->bytes)
		piece->bytes = kva_alloc(piece->len_bytes / PAGE_SIZE);
	return piece->bytes ? 0 : -ENOMEM;
}

static void piece_free(const struct piece *piece)
{
	char *nobody = NULL;

	if (piece->len_bytes < WHOLE_BYTES || !atomic_cas(&spare, &nobody, piece->bytes))
		kva_free(piece->bytes);
}

static void piece_buffer(struct buffer *buffer, const struct piece *piece, size_t len_bytes,
			 unsigned call_flags)
{
	buffer_init_kernel(buffer, piece->bytes, len_bytes);
	buffer->call_flags = call_flags;
}

/* What goes at once. */
static size_t shorter(const struct piece *piece, size_t len_bytes, size_t room)
{
	size_t piece_bytes = MIN(room, piece->len_bytes);

	return MIN(len_bytes, piece_bytes);
}

/* ---- from a pipe ---- */

/* Into what is no pipe. As much as goes at once. */
static ssize_t pipe_to_file(const struct side *from, const struct side *to,
			    const struct piece *piece, size_t len_bytes, bool wait)
{
	ssize_t lent = pipe_lend(from->pipe, piece->bytes, MIN(len_bytes, piece->len_bytes), wait),
		done;
	struct buffer buffer;

	if (lent <= 0)
		return lent;
	piece_buffer(&buffer, piece, (size_t)lent, 0);
	done = object_write(to->object, &buffer, to->at);
	pipe_lend_end(from->pipe, done > 0 ? (size_t)done : 0);
	return done;
}

/* Into another pipe: when both have something for each other. */
static ssize_t pipe_to_pipe(const struct side *from, const struct side *to,
			    const struct piece *piece, size_t len_bytes, unsigned flags, bool takes)
{
	bool wait = waits(from->object, flags) && waits(to->object, flags);
	struct buffer buffer;
	ssize_t room, lent, done;

	do {
		room = pipe_wait_room(to->pipe, wait);
		if (room < 0)
			return room;
		len_bytes = shorter(piece, len_bytes, (size_t)room);
		lent = pipe_lend(from->pipe, piece->bytes, len_bytes, wait);
		if (lent <= 0)
			return lent;
		piece_buffer(&buffer, piece, (size_t)lent, O_NONBLOCK);
		done = object_write(to->pipe, &buffer, NULL);
		pipe_lend_end(from->pipe, takes && done > 0 ? (size_t)done : 0);
	} while (done == -EAGAIN && wait); /* somebody else has filled it */
	return done;
}

/* ---- into a pipe ---- */

/* One piece, for which there was room. If others were faster, what has positions is read again; the
 * rest would be lost, and waits. */
static ssize_t read_into_pipe(const struct side *from, const struct side *to,
			      const struct piece *piece, size_t len_bytes, bool *again)
{
	struct buffer buffer;
	uint64_t at = 0;
	bool moves = !from->at && !object_seek(from->object, 0, SEEK_CUR, &at);
	ssize_t got, done;

	*again = false;
	piece_buffer(&buffer, piece, len_bytes, 0);
	got = object_read(from->object, &buffer, from->at);
	if (got <= 0)
		return got;
	piece_buffer(&buffer, piece, (size_t)got, moves || from->at ? O_NONBLOCK : 0);
	done = object_write(to->pipe, &buffer, NULL);
	*again = done == -EAGAIN; /* somebody else has filled it */
	if (moves && done < got) {
		at += done > 0 ? (uint64_t)done : 0;
		(void)!object_seek(from->object, (int64_t)at, SEEK_SET, &at);
	}
	return done;
}

static ssize_t file_to_pipe(const struct side *from, const struct side *to,
			    const struct piece *piece, size_t len_bytes, bool wait)
{
	ssize_t room, done;
	bool again;

	do {
		room = pipe_wait_room(to->pipe, wait);
		if (room < 0)
			return room;
		done = read_into_pipe(from, to, piece, shorter(piece, len_bytes, (size_t)room),
				      &again);
	} while (again && wait);
	return done;
}

/* ---- splice ---- */

static ssize_t move_piece(const struct side *from, const struct side *to, const struct piece *piece,
			  size_t len_bytes, unsigned flags)
{
	if (from->pipe && to->pipe)
		return pipe_to_pipe(from, to, piece, len_bytes, flags, true);
	if (from->pipe)
		return pipe_to_file(from, to, piece, len_bytes, waits(from->object, flags));
	return file_to_pipe(from, to, piece, len_bytes, waits(to->object, flags));
}

static bool has_positions(const struct side *side)
{
	uint64_t position;

	return !object_seek(side->object, 0, SEEK_CUR, &position);
}

static size_t piece_limit(const struct side *side)
{
	return object_is_socket(side->object) || has_positions(side) ? PIECE_BYTES : WHOLE_BYTES;
}

/* The first piece is waited for, what follows is taken as far as it is there; of what has no
 * positions nobody knows that before. */
static ssize_t move(const struct side *from, const struct side *to, size_t len_bytes,
		    unsigned flags)
{
	struct piece piece;
	const struct side *file = from->pipe ? to : from;
	bool once = !from->pipe && !has_positions(from);
	size_t done = 0;
	ssize_t n;

	n = piece_alloc(&piece, MIN(len_bytes, file->pipe ? PIECE_BYTES : piece_limit(file)));
	if (n)
		return n;
	while (done < len_bytes && !(done && once)) {
		n = move_piece(from, to, &piece, len_bytes - done,
			       done ? flags | SPLICE_F_NONBLOCK : flags);
		if (n <= 0)
			break;
		done += (size_t)n;
		if (from->at)
			*from->at += (size_t)n;
		if (to->at)
			*to->at += (size_t)n;
	}
	piece_free(&piece);
	return done ? (ssize_t)done : n;
}

/* `word`: the program's offset, or nothing. A pipe has none, and what has no positions neither. */
static err_t get_offset(const struct side *side, uptr_t word, uint64_t *offset)
{
	uint64_t position;

	if (uptr_is_null(word))
		return 0;
	if (side->pipe)
		return -ESPIPE;
	if (object_seek(side->object, 0, SEEK_CUR, &position))
		return -EINVAL;
	if (user_get(offset, word))
		return -EFAULT;
	return (int64_t)*offset < 0 ? -EINVAL : 0;
}

static ssize_t splice(struct object *in, uptr_t in_offset, struct object *out, uptr_t out_offset,
		      size_t len, unsigned flags)
{
	struct side from = {in, object_pipe_end(in), NULL};
	struct side to = {out, object_pipe_end(out), NULL};
	uint64_t from_bytes, to_bytes;
	ssize_t done;
	err_t err;

	if (!may_read(in) || !may_write(out))
		return -EBADF;
	if (!from.pipe && !to.pipe)
		return -EINVAL;
	err = get_offset(&from, in_offset, &from_bytes);
	if (!err)
		err = get_offset(&to, out_offset, &to_bytes);
	if (err)
		return err;
	if (from.pipe && to.pipe && pipe_is_same(from.pipe, to.pipe))
		return -EINVAL;
	if (!to.pipe && (object_flags(out) & O_APPEND))
		return -EINVAL;
	from.at = uptr_is_null(in_offset) ? NULL : &from_bytes;
	to.at = uptr_is_null(out_offset) ? NULL : &to_bytes;
	done = write_result(out, move(&from, &to, MIN(len, BUFFER_BYTES_MAX), flags));
	if (done > 0 && from.at && user_put(in_offset, &from_bytes))
		return -EFAULT;
	if (done > 0 && to.at && user_put(out_offset, &to_bytes))
		return -EFAULT;
	return done;
}

ssize_t sys_splice(int in_fd, uptr_t in_offset, int out_fd, uptr_t out_offset, size_t len,
		   unsigned flags)
{
	struct object *in, *out;
	ssize_t result;

	if (!len)
		return 0;
	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	in = fd_get(current_fds(), in_fd);
	out = fd_get(current_fds(), out_fd);
	result = in && out ? splice(in, in_offset, out, out_offset, len, flags) : -EBADF;
	object_put(out);
	object_put(in);
	return result;
}

/* ---- tee ---- */

static ssize_t tee(struct object *in, struct object *out, size_t len, unsigned flags)
{
	struct side from = {in, object_pipe_end(in), NULL};
	struct side to = {out, object_pipe_end(out), NULL};
	ssize_t done;
	struct piece piece;

	if (!may_read(in) || !may_write(out))
		return -EBADF;
	if (!from.pipe || !to.pipe || pipe_is_same(from.pipe, to.pipe))
		return -EINVAL;
	if (piece_alloc(&piece, MIN(len, PIECE_BYTES)))
		return -ENOMEM;
	done = write_result(out, pipe_to_pipe(&from, &to, &piece, len, flags, false));
	piece_free(&piece);
	return done;
}

ssize_t sys_tee(int in_fd, int out_fd, size_t len, unsigned flags)
{
	struct object *in, *out;
	ssize_t result;

	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	if (!len)
		return 0;
	in = fd_get(current_fds(), in_fd);
	out = fd_get(current_fds(), out_fd);
	result = in && out ? tee(in, out, len, flags) : -EBADF;
	object_put(out);
	object_put(in);
	return result;
}

/* ---- vmsplice ---- */

/* What fits goes in: as Linux, this waits for room once. */
static ssize_t give_pages(struct object *object, struct object *pipe, struct buffer *buffer,
			  unsigned flags)
{
	ssize_t room = pipe_wait_room(pipe, waits(object, flags));

	if (room < 0)
		return write_result(object, room);
	buffer->remaining_bytes = MIN(buffer->remaining_bytes, (size_t)room);
	buffer->call_flags = waits(object, flags) ? 0 : O_NONBLOCK;
	return write_result(object, object_write(pipe, buffer, NULL));
}

static ssize_t take_bytes(struct object *object, struct object *pipe, struct buffer *buffer,
			  unsigned flags)
{
	buffer->call_flags = waits(object, flags) ? 0 : O_NONBLOCK;
	return object_read(pipe, buffer, NULL);
}

ssize_t sys_vmsplice(int fd, uptr_t pieces, size_t npieces, unsigned flags)
{
	struct pieces list;
	struct buffer buffer;
	struct object *object, *pipe;
	ssize_t result;

	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	object = fd_get(current_fds(), fd);
	pipe = object ? object_pipe_end(object) : NULL;
	result = pipe ? pieces_get(&list, pieces, npieces > IOV_MAX ? -1 : (int)npieces, &buffer)
		      : -EBADF;
	if (!result) {
		if (!buffer_remaining(&buffer))
			result = 0;
		else if (may_write(object))
			result = give_pages(object, pipe, &buffer, flags);
		else
			result = take_bytes(object, pipe, &buffer, flags);
		pieces_put(&list);
	}
	object_put(object);
	return result;
}
