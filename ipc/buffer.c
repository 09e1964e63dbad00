/*
 * Walking a buffer's pieces. The pieces of a program are copied by the checked copies of
 * arch/user.h, which may fault; those of the kernel by plain copies. No lock, no state of its own.
 */
#include <ipc/buffer.h>

#include <arch/user.h>
#include <lib/string.h>

static void init_single(struct buffer *buffer, uint64_t address, size_t len_bytes, bool user)
{
	*buffer = (struct buffer){.single = {.address = address, .len_bytes = len_bytes},
				  .remaining_bytes = len_bytes,
				  .user = user};
	buffer->segments = &buffer->single;
}

void buffer_init_kernel(struct buffer *buffer, void *memory, size_t len_bytes)
{
	init_single(buffer, (uint64_t)memory, len_bytes, false);
}

err_t buffer_init_user(struct buffer *buffer, uptr_t address, size_t len_bytes)
{
	if (!user_range_ok(address, len_bytes))
		return -EFAULT;
	init_single(buffer, address.value, MIN(len_bytes, BUFFER_BYTES_MAX), true);
	return 0;
}

err_t buffer_init_segments(struct buffer *buffer, const struct buffer_segment *segments,
			   unsigned nsegments)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < nsegments; i++) {
		if (segments[i].len_bytes > (uint64_t)INT64_MAX - sum)
			return -EINVAL;
		if (!user_range_ok(uptr(segments[i].address), segments[i].len_bytes))
			return -EFAULT;
		sum += segments[i].len_bytes;
	}
	buffer->segments = segments;
	buffer->skip_bytes = 0;
	buffer->remaining_bytes = MIN(sum, BUFFER_BYTES_MAX);
	buffer->user = true;
	buffer->call_flags = 0;
	return 0;
}

/* Moves up to `len_bytes` of one piece; returns how much of it was not moved. */
typedef size_t (*move_t)(bool user, uint64_t address, void *kernel, size_t len_bytes);

static size_t move_to(bool user, uint64_t address, void *kernel, size_t len_bytes)
{
	if (user)
		return user_copy_out_partial(uptr(address), kernel, len_bytes);
	memcpy((void *)address, kernel, len_bytes);
	return 0;
}

static size_t move_from(bool user, uint64_t address, void *kernel, size_t len_bytes)
{
	if (user)
		return user_copy_in_partial(kernel, uptr(address), len_bytes);
	memcpy(kernel, (const void *)address, len_bytes);
	return 0;
}

/* remaining_bytes > 0, so there is a piece that is not done; empty ones are stepped over. */
static struct buffer_segment current_piece(struct buffer *buffer)
{
	while (buffer->segments->len_bytes == buffer->skip_bytes) {
		buffer->segments++;
		buffer->skip_bytes = 0;
	}
	return (struct buffer_segment){.address = buffer->segments->address + buffer->skip_bytes,
				       .len_bytes =
					       buffer->segments->len_bytes - buffer->skip_bytes};
}

static void advance(struct buffer *buffer, size_t len_bytes)
{
	buffer->skip_bytes += len_bytes;
	buffer->remaining_bytes -= len_bytes;
	if (buffer->skip_bytes == buffer->segments->len_bytes && buffer->remaining_bytes) {
		buffer->segments++;
		buffer->skip_bytes = 0;
	}
}

/* What is not all in the piece that comes next. */
static ALWAYS_INLINE size_t move_pieces(struct buffer *buffer, char *kernel, size_t len_bytes,
					move_t one)
{
	size_t todo = MIN(len_bytes, buffer->remaining_bytes);
	size_t done = 0;

	while (done < todo) {
		struct buffer_segment piece = current_piece(buffer);
		size_t step = MIN(piece.len_bytes, todo - done);
		size_t uncopied = one(buffer->user, piece.address, kernel + done, step);

		done += step - uncopied;
		advance(buffer, step - uncopied);
		if (uncopied)
			break;
	}
	return done;
}

static NOINLINE size_t pieces_to(struct buffer *buffer, char *from, size_t len_bytes)
{
	return move_pieces(buffer, from, len_bytes, move_to);
}

static NOINLINE size_t pieces_from(struct buffer *buffer, char *to, size_t len_bytes)
{
	return move_pieces(buffer, to, len_bytes, move_from);
}

/* The piece that comes next has all of it: the usual case. */
static bool is_in_one(const struct buffer *buffer, size_t len_bytes)
{
	return len_bytes <= buffer->remaining_bytes &&
	       len_bytes <= buffer->segments->len_bytes - buffer->skip_bytes;
}

static ALWAYS_INLINE size_t move_in_one(struct buffer *buffer, char *kernel, size_t len_bytes,
					move_t one)
{
	size_t done = len_bytes;

	done -= one(buffer->user, buffer->segments->address + buffer->skip_bytes, kernel,
		    len_bytes);
	advance(buffer, done);
	return done;
}

size_t buffer_copy_to(struct buffer *buffer, const void *from, size_t len_bytes)
{
	/* move_to() only reads what it is given. */
	if (likely(is_in_one(buffer, len_bytes)))
		return move_in_one(buffer, (char *)from, len_bytes, move_to);
	return pieces_to(buffer, (char *)from, len_bytes);
}

size_t buffer_copy_from(struct buffer *buffer, void *to, size_t len_bytes)
{
	if (likely(is_in_one(buffer, len_bytes)))
		return move_in_one(buffer, to, len_bytes, move_from);
	return pieces_from(buffer, to, len_bytes);
}

bool buffer_user_place(const struct buffer *buffer, size_t len_bytes, uint64_t *address)
{
	if (!buffer->user || !len_bytes || !is_in_one(buffer, len_bytes))
		return false;
	*address = buffer->segments->address + buffer->skip_bytes;
	return true;
}

void buffer_skip(struct buffer *buffer, size_t len_bytes)
{
	if (len_bytes)
		advance(buffer, len_bytes);
}

void buffer_go_back(struct buffer *buffer, size_t len_bytes)
{
	buffer->remaining_bytes += len_bytes;
	while (buffer->skip_bytes < len_bytes) {
		len_bytes -= buffer->skip_bytes;
		buffer->segments--;
		buffer->skip_bytes = buffer->segments->len_bytes;
	}
	buffer->skip_bytes -= len_bytes;
}

size_t buffer_clear(struct buffer *buffer, size_t len_bytes)
{
	static const char zeros[PAGE_SIZE]; /* in one go what /dev/zero is mostly asked for */
	size_t done = 0;

	while (done < len_bytes && buffer->remaining_bytes) {
		size_t step = MIN(len_bytes - done, sizeof(zeros));
		size_t moved;

		step = MIN(step, buffer->remaining_bytes);
		moved = buffer_copy_to(buffer, zeros, step);
		done += moved;
		if (moved < step)
			break;
	}
	return done;
}
