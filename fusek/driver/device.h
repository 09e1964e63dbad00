/*
 * The stream transport from inside: what /dev/fuse does, for kernel buffers too (self-tests).
 */
#ifndef FUSEK_DRIVER_DEVICE_H
#define FUSEK_DRIVER_DEVICE_H

#include "connection.h"

#include <ipc/buffer.h>
#include <ipc/object.h>

/* The open /dev/fuse that `object` is; NULL: something else. Lives as long as the object. */
struct fuse_device *fuse_device_of(struct object *object);
/* -EBUSY: it belongs to a connection already. */
err_t must_check fuse_device_attach(struct fuse_device *device, struct fuse_connection *connection);

/* Makes /dev/cuse. Once. */
err_t must_check fuse_cuse_init(void);

/* One that belongs to no connection. NULL: no memory. */
struct fuse_device *fuse_device_create(void);
/* What was read through it fails; with the last one of a connection that ends. Sleeps. */
void fuse_device_free(struct fuse_device *device);
/* As object_ops.poll. */
unsigned fuse_device_poll(struct fuse_device *device, struct waitq **queue);
/* One request: its length; -EPERM: not mounted; -EINVAL: the buffer could be too short for one;
 * -EAGAIN, -EINTR, -ENODEV: the connection has ended, -EFAULT. Sleeps. */
ssize_t must_check fuse_device_read(struct fuse_device *device, struct buffer *buffer,
				    bool nonblocking);
/* One answer or notification, whole: its length; -ENOENT: nobody waits for it; -EINVAL: it cannot
 * be one, or (the request has failed then) it has an impossible length. Sleeps. */
ssize_t must_check fuse_device_write(struct fuse_device *device, struct buffer *buffer);
#define FUSE_ERROR_MAX 511 /* an answer's error is -511 .. 0 */

#endif
