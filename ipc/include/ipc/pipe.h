/*
 * Pipes: 64 KiB between a writer and a reader, allocated page by page as they fill. Writes of up to
 * 4096 bytes are one piece. A writer without readers gets -EPIPE (the caller raises SIGPIPE).
 */
#ifndef IPC_PIPE_H
#define IPC_PIPE_H

#include <ipc/object.h>

#define PIPE_BYTES  (64 * KIB)
#define PIPE_ATOMIC 4096 /* PIPE_BUF */

/* Whose it is, as fstat tells it. */
struct pipe_owner {
	uint32_t uid, gid;
};

/* Two objects, one reference each for the caller. `flags`: O_NONBLOCK or 0. */
err_t must_check pipe_create(unsigned flags, struct pipe_owner owner, struct object **reader,
			     struct object **writer);

#endif
