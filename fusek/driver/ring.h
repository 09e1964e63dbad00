/*
 * The ring of a device (abi/fuse_ring.h): requests that lie where the driver finds them without a
 * call, and answers that it has left there. All of it is the driver's to spoil; what the kernel
 * knows of it is here.
 *
 * A request in the ring was sent, like one that was read: it is on the device's list, fails with
 * it, and its caller may leave. So the ring can lose nothing: who looks for work takes back what
 * nobody has taken, under the lock that those hold who put something in, and sleeps only then.
 */
#ifndef FUSEK_DRIVER_RING_H
#define FUSEK_DRIVER_RING_H

#include "connection.h"

struct fuse_outgoing;
struct object_map_request;
struct memory_object;

/* For mmap of the device: a reference. -EPERM, -EINVAL, -ENOMEM, -ENOSPC. */
err_t must_check fuse_ring_map(struct fuse_device *device, const struct object_map_request *request,
			       struct memory_object **out);
/* Nothing is put into it any more, and what nobody has taken is queued again; it lives on where it
 * is mapped. Sleeps. */
void fuse_ring_detach(struct fuse_device *device);

/* Another request can be put into it. False also where there is no ring. */
bool fuse_ring_has_room_locked(struct fuse_connection *connection, struct fuse_device *device)
	REQUIRES(connection->lock);
/* The bytes of one that was sent to the device. */
void fuse_ring_put_locked(struct fuse_connection *connection, struct fuse_device *device,
			  const struct fuse_outgoing *out, size_t len_bytes)
	REQUIRES(connection->lock);
/* The oldest that no thread has taken from a ring of the connection is queued again, if nothing
 * older is queued. */
void fuse_rings_take_back_locked(struct fuse_connection *connection) REQUIRES(connection->lock);
/* All that no thread has taken from the device's ring is queued again. Takes one without a ring. */
void fuse_ring_take_all_back_locked(struct fuse_connection *connection, struct fuse_device *device)
	REQUIRES(connection->lock);
/* Whoever waits for an answer that is in it has it. Others stay. Takes a device without a ring. */
void fuse_ring_settle_locked(struct fuse_connection *connection, struct fuse_device *device)
	REQUIRES(connection->lock);
/* All answers in it, by a thread of the driver. Takes a device without a ring. Sleeps. */
void fuse_ring_collect(struct fuse_device *device);

/* Off the device's list and queued again under the same number: no thread has it. (resend.c) */
void fuse_request_untake_locked(struct fuse_connection *connection, struct fuse_request *request)
	REQUIRES(connection->lock);

#endif
