/*
 * A ring of bytes in memory that somebody else writes too: one producer, one consumer, one of them
 * outside of the kernel (the host's tool). The counts are read once, checked, and never believed
 * to be in range; a ring that lies moves no bytes and is `broken` for good. The waiting flags tell
 * the other side that somebody sleeps: it takes the flag down and sends a frame.
 */
#ifndef KERNEL_SHARED_RING_H
#define KERNEL_SHARED_RING_H

#include <lib/types.h>

/* As both sides see it; 64 bytes, so that two rings share no cache line. */
struct shared_ring_words {
	uint32_t head;           /* atomic: bytes ever put; the producer's */
	uint32_t tail;           /* atomic: bytes ever taken; the consumer's */
	uint32_t offset_bytes;   /* of the data, from the start of the shared block */
	uint32_t size_bytes;     /* a power of two */
	uint32_t producer_waits; /* atomic: set by the producer, cleared by the consumer */
	uint32_t consumer_waits; /* atomic: the other way */
	uint32_t unused[10];
};

/* Our side of it. Used under a lock of the caller's, but for the waiting flags. */
struct shared_ring {
	struct shared_ring_words *words;
	uint8_t *data;
	uint32_t size_bytes; /* our own copy: theirs may change */
	bool broken;
};

/* `size_bytes` is a power of two. */
void shared_ring_init(struct shared_ring *ring, struct shared_ring_words *words, uint8_t *data,
		      uint32_t offset_bytes, uint32_t size_bytes);

/* As much as fits; returns how much that was. For the producer. */
size_t shared_ring_put(struct shared_ring *ring, const void *from, size_t len_bytes);
/* For the consumer. */
size_t shared_ring_take(struct shared_ring *ring, void *to, size_t max_bytes);

/* Before the producer sleeps: sets its flag and looks once more. False: there is space, or the ring
 * is broken: do not sleep. */
bool shared_ring_must_wait_for_space(struct shared_ring *ring);
bool shared_ring_must_wait_for_data(struct shared_ring *ring);

/* After taking: true once if the producer waits for space, and is to be told. */
bool shared_ring_producer_waits(struct shared_ring *ring);

size_t shared_ring_filled(struct shared_ring *ring);

#endif
