/*
 * The driver's side of a ring (<fuselage/fuse_ring.h>). Threads share it: each place is taken by an
 * atomic change of its word. Nobody waits here; who finds nothing makes the call.
 */
#include <errno.h>
#include <fuselage/fuse.h>
#include <string.h>
#include <sys/mman.h>

#define ERROR_MAX 511 /* others go by the call, which says what is wrong with them */

int fuselage_fuse_ring_open(struct fuselage_fuse_ring *ring, int fd)
{
	void *shared = mmap(NULL, FUSE_RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	*ring = (struct fuselage_fuse_ring){.fd = fd};
	if (shared != MAP_FAILED)
		ring->shared = shared;
	return shared != MAP_FAILED || errno == ENODEV ? 0 : -1;
}

void fuselage_fuse_ring_close(struct fuselage_fuse_ring *ring)
{
	if (ring->shared)
		munmap(ring->shared, FUSE_RING_BYTES);
	ring->shared = NULL;
}

/* Acquire: pairs with the kernel's release of what is in the place, or of its having been read. */
static int take_place(uint32_t *word, uint32_t from)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED) == from &&
	       __atomic_compare_exchange_n(word, &from, FUSE_RING_BUSY, 0, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

/* Release: what was read or written there comes before. */
static void set_place(uint32_t *word, uint32_t to)
{
	__atomic_store_n(word, to, __ATOMIC_RELEASE);
}

static int has_room_for(const struct abi_fuse_reply *reply)
{
	return reply->len >= FUSE_SERVE_HEADER_BYTES &&
	       reply->len <= FUSE_SERVE_HEADER_BYTES + FUSE_RING_PAYLOAD_BYTES && reply->unique &&
	       reply->error <= 0 && reply->error >= -ERROR_MAX && !reply->flags && !reply->reserved;
}

/* The place of the oldest request, as far as threads do not race for it; taken. -1: there is none.
 */
static int take_request(struct abi_fuse_ring *shared)
{
	const struct fuse_header_words {
		uint32_t len, opcode;
		uint64_t unique;
	} * header;
	uint64_t oldest = UINT64_MAX;
	int found = -1;

	for (int i = 0; i < FUSE_RING_PLACES; i++) {
		header = (const void *)shared->request[i];
		if (__atomic_load_n(&shared->requests[i], __ATOMIC_ACQUIRE) == FUSE_RING_FULL &&
		    header->unique < oldest) {
			oldest = header->unique;
			found = i;
		}
	}
	return found >= 0 && take_place(&shared->requests[found], FUSE_RING_FULL) ? found : -1;
}

static int take_answer(struct abi_fuse_ring *shared)
{
	for (int i = 0; i < FUSE_RING_PLACES; i++) {
		if (take_place(&shared->answers[i], FUSE_RING_FREE))
			return i;
	}
	return -1;
}

static void put_answer(struct abi_fuse_ring *shared, int place, const struct abi_fuse_reply *reply)
{
	struct abi_fuse_ring_answer *answer = &shared->answer[place];

	answer->len = reply->len;
	answer->error = reply->error;
	answer->unique = reply->unique;
	if (reply->len > FUSE_SERVE_HEADER_BYTES)
		memcpy(answer->payload, (const void *)reply->payload,
		       reply->len - FUSE_SERVE_HEADER_BYTES);
	set_place(&shared->answers[place], FUSE_RING_FULL);
}

/* Its length; 0: nothing has happened. */
static size_t exchange_here(struct abi_fuse_ring *shared, const struct abi_fuse_reply *reply,
			    void *request, size_t len)
{
	int to = -1, from = reply && !has_room_for(reply) ? -1 : take_request(shared);
	uint32_t bytes;

	if (from < 0)
		return 0;
	bytes = *(const uint32_t *)shared->request[from];
	if (reply)
		to = take_answer(shared);
	if (bytes > len || bytes > FUSE_RING_REQUEST_BYTES || (reply && to < 0)) {
		set_place(&shared->requests[from], FUSE_RING_FULL); /* as it was */
		if (to >= 0)
			set_place(&shared->answers[to], FUSE_RING_FREE);
		return 0;
	}
	memcpy(request, shared->request[from], bytes);
	set_place(&shared->requests[from], FUSE_RING_FREE);
	if (reply)
		put_answer(shared, to, reply);
	return bytes;
}

ssize_t fuselage_fuse_ring_exchange(const struct fuselage_fuse_ring *ring,
				    const struct abi_fuse_reply *reply, void *request, size_t len,
				    void *window, size_t window_bytes)
{
	size_t bytes = ring->shared ? exchange_here(ring->shared, reply, request, len) : 0;

	return bytes ? (ssize_t)bytes
		     : fuselage_fuse_exchange_pages(ring->fd, reply, request, len, window,
						    window_bytes);
}
