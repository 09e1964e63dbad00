/*
 * The bytes in a pipe: a ring of pages, each there only while it holds any. The caller holds the
 * pipe's lock for everything but the counts, which those who are about to wait read without it.
 */
#ifndef IPC_PIPE_RING_H
#define IPC_PIPE_RING_H

#include <ipc/buffer.h>
#include <lib/atomic.h>
#include <lib/types.h>

struct frame;

#define RING_FEW_PAGES 16

struct pipe_ring {
	uint64_t written;     /* bytes ever put in */
	uint64_t taken;       /* bytes ever taken out */
	uint32_t npages;      /* a power of two */
	struct frame **pages; /* `few`, or npages of kvmalloc(); NULL: nothing in it */
	struct frame *few[RING_FEW_PAGES];
};

/* Of RING_FEW_PAGES pages. */
void ring_init(struct pipe_ring *ring);
/* Gives all pages back. */
void ring_free(struct pipe_ring *ring);

static inline size_t ring_bytes(const struct pipe_ring *ring)
{
	return read_once(&ring->written) - read_once(&ring->taken);
}

static inline size_t ring_capacity(const struct pipe_ring *ring)
{
	return (size_t)read_once(&ring->npages) * PAGE_SIZE;
}

static inline size_t ring_room(const struct pipe_ring *ring)
{
	return ring_capacity(ring) - ring_bytes(ring);
}

/* As much as there is, or the buffer takes; it stays in the ring. */
size_t must_check ring_peek(struct pipe_ring *ring, struct buffer *buffer);
/* Takes out what is not read. At most ring_bytes(). */
void ring_drop(struct pipe_ring *ring, size_t len_bytes);
/* Both. */
size_t must_check ring_take(struct pipe_ring *ring, struct buffer *buffer);

/* There is room, and something to write. Bytes moved, or if it is none -ENOMEM or -EFAULT. */
ssize_t must_check ring_put(struct pipe_ring *ring, struct buffer *buffer);

/* -EBUSY: more is in it; -ENOMEM. `npages` is a power of two. */
err_t must_check ring_resize(struct pipe_ring *ring, uint32_t npages);

#endif
