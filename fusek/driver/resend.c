/*
 * Requests that come once more: those that a driver has read and not answered, for the one that has
 * taken its place. No state; connection->lock guards what moves.
 */
#include "connection.h"

#include "ring.h"

/* Among those that nobody has read yet, by the order of asking: few stand before it. */
static void queue_again_locked(struct fuse_connection *connection, struct fuse_request *request)
	REQUIRES(connection->lock);
static void queue_again_locked(struct fuse_connection *connection, struct fuse_request *request)
{
	struct list *before = &connection->queued;

	while (before->next != &connection->queued &&
	       container_of(before->next, struct fuse_request, link)->order < request->order)
		before = before->next;
	list_insert_between(&request->link, before, before->next);
}

void fuse_request_untake_locked(struct fuse_connection *connection, struct fuse_request *request)
{
	list_del(&request->link);
	if (request->interrupt_queued) { /* told when it is read */
		list_del(&request->interrupt_link);
		request->interrupt_queued = false;
	}
	request->state = FUSE_REQUEST_QUEUED;
	queue_again_locked(connection, request);
}

/* One that a device has read. Without a caller or its arguments: onto `lost`. */
static void take_back_locked(struct fuse_connection *connection, struct fuse_request *request,
			     struct list *lost) REQUIRES(connection->lock);
static void take_back_locked(struct fuse_connection *connection, struct fuse_request *request,
			     struct list *lost)
{
	list_del(&request->link);
	if (request->ended == fuse_orphan_ended) {
		list_add_tail(lost, &request->link);
		return;
	}
	if (request->interrupt_queued) { /* told again, after it was read again */
		list_del(&request->interrupt_link);
		request->interrupt_queued = false;
	}
	request->unique |= FUSE_UNIQUE_RESEND;
	request->state = FUSE_REQUEST_QUEUED;
	queue_again_locked(connection, request);
}

void fuse_resend(struct fuse_connection *connection)
{
	struct fuse_request *request, *next;
	struct fuse_device *device;
	LIST_HEAD(lost);

	spin_lock(&connection->lock);
	list_for_each (device, &connection->devices, link) {
		fuse_ring_take_all_back_locked(connection, device); /* nobody has read these */
		for (unsigned i = 0; i < FUSE_SENT_BUCKETS; i++) {
			list_for_each_safe (request, next, &device->sent[i], link)
				take_back_locked(connection, request, &lost);
		}
	}
	while (!list_empty(&lost)) {
		request = list_first_entry(&lost, struct fuse_request, link);
		fuse_request_fail(connection, request, -ECONNABORTED);
		spin_lock(&connection->lock);
	}
	spin_unlock(&connection->lock);
	fuse_tell_readers(connection);
}
