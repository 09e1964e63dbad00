/*
 * FIFOs: pipes that a name leads to. Who opens one to read waits for a writer, and the other way
 * round; the counts of opens tell that somebody came, even if he has gone again.
 */
#include "pipe_priv.h"

#include <abi/fcntl.h>

struct pipe *fifo_create(void)
{
	return pipe_alloc((struct pipe_owner){0});
}

void fifo_put(struct pipe *pipe)
{
	pipe_put(pipe);
}

/* Until somebody has the other end, or had it. */
static err_t wait_for_partner(struct pipe *pipe, const struct pipe_end *end)
{
	uint64_t before = end->nopens_before;

	if (end->writes)
		return wait_event_interruptible(&pipe->writers,
						read_once(&pipe->nreaders) ||
							read_once(&pipe->nread_opens) != before);
	return wait_event_interruptible(&pipe->readers,
					read_once(&pipe->nwriters) ||
						read_once(&pipe->nwrite_opens) != before);
}

err_t fifo_open(struct pipe *pipe, unsigned flags, struct object **out)
{
	unsigned access = flags & O_ACCMODE;
	struct object *end;
	err_t err = 0;

	if (access == O_WRONLY && (flags & O_NONBLOCK) && !read_once(&pipe->nreaders))
		return -ENXIO;
	end = pipe_add_end(pipe, flags & (O_ACCMODE | O_NONBLOCK));
	if (!end)
		return -ENOMEM;
	waitq_wake_all(&pipe->readers);
	waitq_wake_all(&pipe->writers);
	if (access == O_WRONLY || (access == O_RDONLY && !(flags & O_NONBLOCK)))
		err = wait_for_partner(pipe, end_of(end));
	if (err)
		object_put(end);
	else
		*out = end;
	return err;
}
