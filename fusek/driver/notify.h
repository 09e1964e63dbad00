/*
 * What a driver says without being asked.
 */
#ifndef FUSEK_DRIVER_NOTIFY_H
#define FUSEK_DRIVER_NOTIFY_H

#include "connection.h"

#include <ipc/buffer.h>

/* A notification `code`, whose payload is what is left of `buffer`. -EINVAL: of another length than
 * it must have, or none that we know; -ENOENT: nobody knows the node. Sleeps. */
err_t must_check fuse_notified(struct fuse_connection *connection, int32_t code,
			       struct buffer *buffer);

#endif
