/*
 * The exec channel's rings in memory that the host's tool has mapped too (`exec.shared=1` on the
 * command line): a hundred times faster than ports, where QEMU handles each byte alone. The frames
 * stay: M tells where the rings are, K that something is in them or was taken out; the host answers
 * with F (standard input was filled) and T (space was made).
 */
#ifndef KERNEL_EXEC_SHARED_H
#define KERNEL_EXEC_SHARED_H

#include <lib/types.h>

enum exec_ring {
	EXEC_RING_STDIN,
	EXEC_RING_STDOUT,
	EXEC_RING_STDERR,
	EXEC_RING_ARCHIVE,
	EXEC_RINGS
};

/* Makes the rings and tells the host, if it offered to share and there is memory that both can
 * name; everything goes through the ports otherwise. */
void exec_shared_init(void);
bool exec_shared_active(void);

/* Puts all of it into the ring of an output stream; sleeps while that is full. One caller a ring.
 * The host is told by exec_shared_kick(), or here when the ring is full. -EINTR: killed; -EIO: the
 * host broke the ring. */
err_t must_check exec_shared_put(enum exec_ring ring, const void *bytes, size_t len_bytes);
void exec_shared_kick(void);

/* Standard input: takes what is there. One caller at a time. *kick: the host waits for that, tell
 * it with exec_shared_kick(). */
size_t exec_shared_take(void *to, size_t max_bytes, bool *kick);
/* 0: nothing is there, and the host will send F when that changes. -EIO: the host broke the ring.
 */
ssize_t exec_shared_input_bytes(void);

/* The host sent T. */
void exec_shared_got_space(void);

#endif
