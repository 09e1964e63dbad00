/*
 * Pipes: 64 KiB to begin with between writers and readers, allocated page by page as they fill.
 * Writes of up to 4096 bytes are one piece. A writer without readers gets -EPIPE (the caller raises
 * SIGPIPE).
 */
#ifndef IPC_PIPE_H
#define IPC_PIPE_H

#include <ipc/object.h>

#define PIPE_BYTES (64 * KIB)
/* That who is not privileged may set: /proc/sys/fs/pipe-max-size. A power of two, read and written
 * by read_once and write_once. */
#define PIPE_BYTES_MAX (UINT64_C(1) << 31) /* of any, whoever sets it; Linux: round_pipe_size() */
extern uint32_t pipe_bytes_max;
/* The next possible size. -EINVAL: larger than any. */
err_t must_check pipe_round_size(uint64_t size_bytes, uint64_t *out);

#define PIPE_ATOMIC 4096 /* PIPE_BUF */

struct pipe;

/* Whose it is, as fstat tells it. */
struct pipe_owner {
	uint32_t uid, gid;
};

/* Two objects, one reference each for the caller. `flags`: O_NONBLOCK or 0. */
err_t must_check pipe_create(unsigned flags, struct pipe_owner owner, struct object **reader,
			     struct object **writer);

/* ---- of an end, which object_pipe_end() has told ---- */

/* How much goes in. */
size_t pipe_size(struct object *end);
/* Rounded up to pages and to a power of two: *set_bytes. -EINVAL: too much for anybody; -EPERM: for
 * who is not privileged; -EBUSY: more is in it; -ENOMEM; -EINTR. */
err_t must_check pipe_set_size(struct object *end, uint64_t size_bytes, bool privileged,
			       size_t *set_bytes);

/* Two ends of one pipe. */
bool pipe_is_same(struct object *one, struct object *other);
/* Copies out what there is, and keeps it from others until pipe_lend_end() says how much of it is
 * used up: to be called for a result above 0. `wait`: until there is some. 0: the end; -EAGAIN,
 * -EINTR. */
ssize_t must_check pipe_lend(struct object *end, void *to, size_t len_bytes, bool wait);
void pipe_lend_end(struct object *end, size_t used_bytes);
/* How many bytes would go in, by now. `wait`: until it is one. -EPIPE, -EAGAIN, -EINTR. */
ssize_t must_check pipe_wait_room(struct object *end, bool wait);

/* ---- pipes with a name ---- */

/* NULL: no memory. */
struct pipe *fifo_create(void);
/* When nobody has an end of it. Takes NULL. */
void fifo_put(struct pipe *pipe);
/* As open(2) of a FIFO, an end for the caller: waits for who opens the other one, unless `flags`
 * has O_NONBLOCK or both ends are asked for. -ENXIO: nobody reads; -EINTR, -ENOMEM. */
err_t must_check fifo_open(struct pipe *pipe, unsigned flags, struct object **out);

#endif
