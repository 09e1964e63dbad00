/*
 * Where the bytes of a read or a write lie: one or many pieces of the running program's memory, or
 * of the kernel's own. A buffer remembers how far it has come; readers and writers of objects only
 * ever see this, so none of them knows who asked. Used by one thread, on whose stack it lies; no
 * lock.
 */
#ifndef IPC_BUFFER_H
#define IPC_BUFFER_H

#include <abi/errno.h>
#include <lib/types.h>

/* One piece. `address` is a user address if the buffer says so, else a kernel pointer. */
struct buffer_segment {
	uint64_t address;
	size_t len_bytes;
};

/* In call_flags: as if the object had no O_APPEND. */
#define CALL_NO_APPEND (1u << 31)

struct buffer {
	const struct buffer_segment *segments; /* the piece that comes next */
	size_t skip_bytes;                     /* of it that are done */
	size_t remaining_bytes;                /* of all pieces */
	bool user;
	unsigned call_flags; /* O_APPEND, O_NONBLOCK, as if the object had them, for this call */
	struct buffer_segment single; /* where there is only one */
};

/* At most this much goes through one call, as on Linux (MAX_RW_COUNT). */
#define BUFFER_BYTES_MAX (UINT64_C(0x7ffff000))

void buffer_init_kernel(struct buffer *buffer, void *memory, size_t len_bytes);

/* Cut to BUFFER_BYTES_MAX. -EFAULT: the range is not the program's half. */
err_t must_check buffer_init_user(struct buffer *buffer, uptr_t address, size_t len_bytes);

/* `segments` stay the caller's and must outlive the buffer. -EINVAL: the sum exceeds what ssize_t
 * holds; -EFAULT as above. A sum above BUFFER_BYTES_MAX is cut. */
err_t must_check buffer_init_segments(struct buffer *buffer, const struct buffer_segment *segments,
				      unsigned nsegments);

static inline size_t buffer_remaining(const struct buffer *buffer)
{
	return buffer->remaining_bytes;
}

/* No more than this moves from now on. */
static inline void buffer_cut(struct buffer *buffer, uint64_t len_bytes)
{
	buffer->remaining_bytes = MIN(buffer->remaining_bytes, len_bytes);
}

/* Both return how many bytes were moved: min(len, remaining), or less when the program's memory
 * ended there (then the caller reports -EFAULT if it moved nothing at all). The buffer advances by
 * as much. They may sleep for a page; a buffer of kernel memory never does. */
size_t must_check buffer_copy_to(struct buffer *buffer, const void *from, size_t len_bytes);
size_t must_check buffer_copy_from(struct buffer *buffer, void *to, size_t len_bytes);
size_t must_check buffer_clear(struct buffer *buffer, size_t len_bytes);

/* The next `len_bytes` lie in one piece of a program's memory: where. False: they do not. */
bool buffer_user_place(const struct buffer *buffer, size_t len_bytes, uint64_t *address);
/* They were moved by who asked. */
void buffer_skip(struct buffer *buffer, size_t len_bytes);
/* The last `len_bytes` that were moved are still to come. */
void buffer_go_back(struct buffer *buffer, size_t len_bytes);

/* What a read or write returns that wanted `wanted` and moved `moved` bytes. */
static inline ssize_t buffer_result(size_t moved, size_t wanted)
{
	return moved || !wanted ? (ssize_t)moved : -EFAULT;
}

#endif
