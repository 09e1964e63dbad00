/*
 * A thread of a driver that takes one request, whichever way the bytes go to it from here.
 */
#ifndef FUSEK_DRIVER_READER_H
#define FUSEK_DRIVER_READER_H

#include "connection.h"

#include <fusek/driver.h>
#include <ipc/buffer.h>

/* A request as a driver reads it. */
struct fuse_outgoing {
	struct fuse_in_header header;
	uint8_t arguments[FUSE_ARGUMENTS_MAX];
};

/* On the stack of the thread. */
struct fuse_reader {
	struct list link;      /* [q] connection->waiting; of no list: it has work or is to look */
	struct thread *thread; /* constant */
	struct fuse_device *device;       /* constant: what it takes must be answered through it */
	size_t cap_bytes;                 /* constant: the longest request that it can hold */
	const struct fuse_window *window; /* constant: where whole pages may go, or NULL */
	size_t head_bytes;                /* [q] of `out`; 0: it has none yet */
	struct fuse_pages *payload;       /* [q] a reference, or NULL */
	struct fuse_outgoing out;         /* [q] */
};

/* Of the calling thread; the device has a connection. */
void fuse_reader_init(struct fuse_reader *reader, struct fuse_device *device, size_t cap_bytes);
/* The oldest request, INTERRUPT or FORGET: in `out`, the rest in `payload`, which the caller gives
 * back. -EAGAIN: nothing is there (`nonblocking`); -EINTR; -ENODEV, -ECONNABORTED: the connection
 * has ended. Sleeps. */
err_t must_check fuse_reader_take(struct fuse_reader *reader, bool nonblocking);
/* The same after `request`, which a thread waits for, has ended: that thread gets the CPU. */
err_t must_check fuse_reader_end_and_take(struct fuse_connection *connection,
					  struct fuse_reader *reader, struct fuse_request *request,
					  err_t error, bool nonblocking) RELEASE(connection->lock);
/* What was taken goes to the driver's memory: the length of what is in `buffer`, which is all of it
 * unless the payload's pages are in the window; or -EFAULT, and the request has failed.
 * -ENOENT: it was over before its bytes were copied, the buffer is as before. Sleeps. */
ssize_t must_check fuse_reader_put(struct fuse_reader *reader, struct buffer *buffer);
/* The least that a buffer must hold, or a request could not be read. */
size_t fuse_least_bytes(struct fuse_connection *connection);

#endif
