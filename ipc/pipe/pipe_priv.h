/*
 * A pipe from inside: what its ends, splicers and FIFOs share.
 */
#ifndef IPC_PIPE_PRIV_H
#define IPC_PIPE_PRIV_H

#include "ring.h"

#include <ipc/pipe.h>
#include <lib/refcount.h>
#include <sched/lock.h>
#include <sched/wait.h>

/*
 *   [c] constant after pipe_alloc()
 *   [l] lock; read without it by those who are about to wait
 */
struct pipe {
	struct mutex lock; /* LOCK_STREAM */
	struct waitq readers;
	struct waitq writers;
	struct pipe_ring ring;      /* [l] */
	bool lent;                  /* [l] the bytes are with a splice: nobody else takes any */
	uint32_t nreaders;          /* [l] ends that read */
	uint32_t nwriters;          /* [l] ends that write */
	uint32_t nboth;             /* [l] ends that do both, and wait among the readers */
	uint64_t nread_opens;       /* [l] how many there have been */
	uint64_t nwrite_opens;      /* [l] */
	uint64_t number;            /* [c] its inode number */
	uint64_t created_ns;        /* [c] wall clock */
	struct pipe_owner owner;    /* [c] */
	struct refcount references; /* its ends, and the name that a FIFO has */
};

struct pipe_end {
	struct object object;
	struct pipe *pipe; /* [c] */
	bool reads;        /* [c] */
	bool writes;       /* [c] */
	/* [c] how often the other side had been opened when this end was, nobody having it open; 0
	 * if somebody had. While it is still that, nobody has come, and nobody can have hung up. */
	uint64_t nopens_before;
};

static inline struct pipe_end *end_of(struct object *object)
{
	return container_of(object, struct pipe_end, object);
}

/* Bytes that a reader may take now. */
static inline size_t pipe_readable(const struct pipe *pipe)
{
	return read_once(&pipe->lent) ? 0 : ring_bytes(&pipe->ring);
}

/* No bytes and nobody who could bring any. */
static inline bool pipe_ended(const struct pipe *pipe)
{
	return !read_once(&pipe->nwriters) && !ring_bytes(&pipe->ring);
}

/* Without ends. NULL: no memory. */
struct pipe *pipe_alloc(struct pipe_owner owner);
void pipe_put(struct pipe *pipe);
/* One end more; a reference for the caller. `flags`: O_ACCMODE, O_NONBLOCK ... NULL: no memory. */
struct object *pipe_add_end(struct pipe *pipe, unsigned flags);

/* Bytes were taken out, or readers have gone. */
void pipe_wake_writers(struct pipe *pipe);

#endif
