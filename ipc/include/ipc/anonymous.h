/*
 * What objects without a name have in common: how one waits for them, and those that are read and
 * written as numbers of 64 bits.
 */
#ifndef IPC_ANONYMOUS_H
#define IPC_ANONYMOUS_H

#include <ipc/object.h>
#include <sched/wait.h>

/* Until `attempt`, an expression that does not sleep, is true: 0; -EAGAIN: it is not, and the
 * object is not to be waited for; -EINTR. `queue` is woken whenever it may have become true. */
#define object_wait(object, queue, attempt)                                                        \
	((attempt)                           ? 0                                                   \
	 : object_flags(object) & O_NONBLOCK ? -EAGAIN                                             \
					     : wait_event_interruptible((queue), (attempt)))

/* As Linux: no type of file at all. */
err_t anonymous_stat(struct object *object, struct abi_stat *out);

/* Whether a number can be read to, or written from, the buffer. -ESPIPE, -EINVAL. */
err_t must_check number_check(const struct buffer *buffer, const uint64_t *offset);
/* What the read of it returns. */
ssize_t must_check number_give(struct buffer *buffer, uint64_t number);

#endif
