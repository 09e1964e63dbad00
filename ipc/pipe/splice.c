/*
 * What splice(2) and tee(2) need of pipes: bytes that are lent, so that they are gone only when
 * they have arrived elsewhere, and room that is waited for. A server may be asked meanwhile, so
 * nothing is locked; the pipe knows that it has lent its bytes, and whoever else wants some waits.
 */
#include "pipe_priv.h"

#include <abi/fcntl.h>

ssize_t pipe_lend(struct object *object, void *to, size_t len_bytes, bool wait)
{
	struct pipe *pipe = end_of(object)->pipe;
	struct buffer buffer;
	size_t lent = 0;
	bool ended;
	err_t err;

	buffer_init_kernel(&buffer, to, len_bytes);
	for (;;) {
		mutex_lock(&pipe->lock);
		if (pipe_readable(pipe))
			lent = ring_peek(&pipe->ring, &buffer);
		pipe->lent = pipe->lent || lent;
		ended = pipe_ended(pipe);
		mutex_unlock(&pipe->lock);
		if (lent)
			return (ssize_t)lent;
		if (ended)
			return 0;
		if (!wait)
			return -EAGAIN;
		err = wait_event_interruptible(&pipe->readers,
					       pipe_readable(pipe) || pipe_ended(pipe));
		if (err)
			return err;
	}
}

void pipe_lend_end(struct object *object, size_t used_bytes)
{
	struct pipe *pipe = end_of(object)->pipe;

	mutex_lock(&pipe->lock);
	write_once(&pipe->lent, false);
	ring_drop(&pipe->ring, used_bytes);
	mutex_unlock(&pipe->lock);
	waitq_wake_all(&pipe->readers);
	if (used_bytes)
		pipe_wake_writers(pipe);
}

ssize_t pipe_wait_room(struct object *object, bool wait)
{
	struct pipe *pipe = end_of(object)->pipe;
	err_t err;

	for (;;) {
		size_t room = ring_room(&pipe->ring);

		if (!read_once(&pipe->nreaders))
			return -EPIPE;
		if (room)
			return (ssize_t)room;
		if (!wait)
			return -EAGAIN;
		err = wait_event_interruptible(&pipe->writers, ring_room(&pipe->ring) ||
								       !read_once(&pipe->nreaders));
		if (err)
			return err;
	}
}

bool pipe_is_same(struct object *one, struct object *other)
{
	return end_of(one)->pipe == end_of(other)->pipe;
}
