/*
 * The ring shared with the host (see the header).
 *
 * Who sleeps sets its flag and then looks at the other's count; who moves a count then looks at the
 * flag. Both have a full fence between the two, so at least one of them sees the other: a flag is
 * never left standing over a ring that has what its owner waits for.
 */
#include "shared_ring.h"

#include <lib/atomic.h>
#include <lib/string.h>

void shared_ring_init(struct shared_ring *ring, struct shared_ring_words *words, uint8_t *data,
		      uint32_t offset_bytes, uint32_t size_bytes)
{
	*words = (struct shared_ring_words){
		.offset_bytes = offset_bytes,
		.size_bytes = size_bytes,
	};
	*ring = (struct shared_ring){
		.words = words,
		.data = data,
		.size_bytes = size_bytes,
	};
}

size_t shared_ring_filled(struct shared_ring *ring)
{
	/* Acquire, both: pairs with the other side's store after it has moved its bytes. */
	uint32_t filled = load_acquire(&ring->words->head) - load_acquire(&ring->words->tail);

	if (filled > ring->size_bytes)
		ring->broken = true;
	return ring->broken ? 0 : filled;
}

static size_t space(struct shared_ring *ring)
{
	size_t filled = shared_ring_filled(ring);

	return ring->broken ? 0 : ring->size_bytes - filled;
}

size_t shared_ring_put(struct shared_ring *ring, const void *from, size_t len_bytes)
{
	uint32_t head = read_once(&ring->words->head);
	uint32_t place = head & (ring->size_bytes - 1);
	size_t n = MIN(len_bytes, space(ring));
	size_t first = MIN(n, (size_t)(ring->size_bytes - place));

	memcpy(ring->data + place, from, first);
	memcpy(ring->data, (const uint8_t *)from + first, n - first);
	/* Release: the bytes are there before the count says so. */
	store_release(&ring->words->head, head + (uint32_t)n);
	return n;
}

size_t shared_ring_take(struct shared_ring *ring, void *to, size_t max_bytes)
{
	uint32_t tail = read_once(&ring->words->tail);
	uint32_t place = tail & (ring->size_bytes - 1);
	size_t n = MIN(max_bytes, shared_ring_filled(ring));
	size_t first = MIN(n, (size_t)(ring->size_bytes - place));

	memcpy(to, ring->data + place, first);
	memcpy((uint8_t *)to + first, ring->data, n - first);
	/* Release: the bytes were copied out before the producer may write over them. */
	store_release(&ring->words->tail, tail + (uint32_t)n);
	return n;
}

bool shared_ring_must_wait_for_space(struct shared_ring *ring)
{
	write_once(&ring->words->producer_waits, 1);
	memory_barrier();
	return space(ring) == 0 && !ring->broken;
}

bool shared_ring_must_wait_for_data(struct shared_ring *ring)
{
	write_once(&ring->words->consumer_waits, 1);
	memory_barrier();
	return shared_ring_filled(ring) == 0 && !ring->broken;
}

bool shared_ring_producer_waits(struct shared_ring *ring)
{
	memory_barrier();
	return read_once(&ring->words->producer_waits) &&
	       atomic_exchange_full(&ring->words->producer_waits, 0);
}
