/*
 * The ring of one descriptor of /dev/fuse: memory that kernel and driver share, beside the call
 * fuse_serve (abi/fuse_native.h). A thread of the driver that is at work takes further requests out
 * of it and leaves answers in it without a call. It is mapped once the descriptor is mounted (or a
 * clone of one that is):
 *
 *	mmap(NULL, FUSE_RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
 *
 * A second mapping is the same ring. EPERM: not mounted; EINVAL: private, executable, or of another
 * part or length.
 *
 * While no thread of the driver waits, the kernel puts small requests here (no payload, a program
 * waits for the answer) by turns, as long as the next place is free and nothing else is queued.
 * A thread takes the request in place i by changing requests[i] from FUSE_RING_FULL to
 * FUSE_RING_BUSY, atomically; copies it; and stores FUSE_RING_FREE. What nobody has taken when a
 * thread of the connection looks for work by a call goes to that thread, the oldest first. So
 * nothing is lost that stays in the ring, and who finds nothing there makes the call.
 *
 * An answer to any request that came through this descriptor may be left in a place whose
 * answers[i] was changed from FUSE_RING_FREE to FUSE_RING_BUSY, atomically; then FUSE_RING_FULL is
 * stored. It is found by the next fuse_serve or read on the descriptor (poll: if a program waits
 * for it), and by the next program that puts a request into a ring; until then nobody is told, so a
 * driver makes the call before it does what may take long. What cannot be an answer is passed over;
 *one of the wrong length is EIO for who waits for it. Notifications are written.
 *
 * Both sides store a word with release semantics after what it says is true, and read it with
 * acquire. Nothing here is believed: what a driver breaks is its own answers.
 */
#ifndef ABI_FUSE_RING_H
#define ABI_FUSE_RING_H

#include <stdint.h>

#define FUSE_RING_PLACES        16
#define FUSE_RING_BYTES         (4 * 4096)
#define FUSE_RING_REQUEST_BYTES 704
#define FUSE_RING_PAYLOAD_BYTES 144

enum { FUSE_RING_FREE, FUSE_RING_FULL, FUSE_RING_BUSY };

struct abi_fuse_ring_answer {
	uint32_t len; /* of the first 16 bytes and the payload */
	int32_t error;
	uint64_t unique;
	uint8_t payload[FUSE_RING_PAYLOAD_BYTES];
	uint8_t reserved[32];
};

struct abi_fuse_ring {
	uint32_t requests[FUSE_RING_PLACES]; /* FUSE_RING_*; a cache line */
	uint32_t answers[FUSE_RING_PLACES];  /* the same */
	struct abi_fuse_ring_answer answer[FUSE_RING_PLACES];
	/* struct fuse_in_header, whose `len` is the message's, and what follows it. */
	uint64_t request[FUSE_RING_PLACES][FUSE_RING_REQUEST_BYTES / 8];
};

#endif
