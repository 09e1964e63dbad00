/*
 * All connections that are mounted, by the numbers of their filesystems: for the control
 * filesystem. Owns the list; connections_lock (LOCK_DRIVERS) guards it, and whoever finds a
 * connection holds a reference.
 */
#define LOG_SUBSYSTEM "fuse"
#include "../by_clock.h"
#include "ring.h"
#include "server.h"
#include "trace.h"

#include <abi/errno.h>
#include <fusek/driver.h>
#include <lib/atomic.h>
#include <lib/log.h>

static struct spinlock connections_lock = SPINLOCK_INIT(LOCK_DRIVERS);
static LIST_HEAD(connections); /* connections_lock */

void fuse_connection_publish(struct fuse_connection *connection)
{
	spin_lock(&connections_lock);
	list_add_tail(&connections, &connection->all);
	spin_unlock(&connections_lock);
}

void fuse_connection_hide(struct fuse_connection *connection)
{
	spin_lock(&connections_lock);
	if (list_linked(&connection->all))
		list_del(&connection->all);
	spin_unlock(&connections_lock);
}

/* 0: its filesystem is being made still. */
static uint32_t number_of(const struct fuse_connection *connection)
{
	return read_once(&connection->server->fs_number);
}

uint32_t fuse_control_next(uint32_t from)
{
	struct fuse_connection *connection;
	uint32_t found = 0;

	spin_lock(&connections_lock);
	list_for_each (connection, &connections, all) {
		uint32_t number = number_of(connection);

		if (number && number >= from && (!found || number < found))
			found = number;
	}
	spin_unlock(&connections_lock);
	return found;
}

struct fuse_connection *fuse_connection_find(uint32_t number)
{
	struct fuse_connection *connection, *found = NULL;

	spin_lock(&connections_lock);
	list_for_each (connection, &connections, all) {
		if (number && number_of(connection) == number)
			found = fuse_connection_get(connection);
	}
	spin_unlock(&connections_lock);
	return found;
}

static uint32_t length(const struct list *list)
{
	const struct list *at;
	uint32_t count = 0;

	for (at = list->next; at != list; at = at->next)
		count++;
	return count;
}

static uint32_t count_waiting_locked(const struct fuse_connection *connection)
	REQUIRES(connection->lock);
static uint32_t count_waiting_locked(const struct fuse_connection *connection)
{
	uint32_t count = length(&connection->queued) + length(&connection->background);
	const struct fuse_device *device;

	list_for_each (device, &connection->devices, link) {
		for (unsigned i = 0; i < FUSE_SENT_BUCKETS; i++)
			count += length(&device->sent[i]);
	}
	return count;
}

err_t fuse_control_look(uint32_t number, struct fuse_control *out)
{
	struct fuse_connection *connection = fuse_connection_find(number);

	if (!connection)
		return -ENOENT;
	spin_lock(&connection->lock);
	*out = (struct fuse_control){
		.owner_uid = connection->server->owner_uid,
		.owner_gid = connection->server->owner_gid,
		.nwaiting = count_waiting_locked(connection),
		.max_background = connection->max_background,
		.congestion_threshold = connection->congestion_threshold,
	};
	spin_unlock(&connection->lock);
	fuse_connection_put(connection);
	return 0;
}

err_t fuse_control_set_background(uint32_t number, uint32_t max_background)
{
	struct fuse_connection *connection = fuse_connection_find(number);

	if (!connection)
		return -ENOENT;
	spin_lock(&connection->lock);
	connection->max_background = max_background;
	spin_unlock(&connection->lock);
	fuse_background_changed(connection);
	fuse_connection_put(connection);
	return 0;
}

err_t fuse_control_set_congestion(uint32_t number, uint32_t threshold)
{
	struct fuse_connection *connection = fuse_connection_find(number);

	if (!connection)
		return -ENOENT;
	spin_lock(&connection->lock);
	connection->congestion_threshold = threshold;
	spin_unlock(&connection->lock);
	fuse_connection_put(connection);
	return 0;
}

err_t fuse_control_abort(uint32_t number)
{
	struct fuse_connection *connection = fuse_connection_find(number);

	if (!connection)
		return -ENOENT;
	spin_lock(&connection->lock);
	connection->aborted = connection->session.flags & FUSE_ABORT_ERROR;
	spin_unlock(&connection->lock);
	fuse_connection_end(connection, -ENOTCONN);
	fuse_connection_put(connection);
	return 0;
}

err_t fuse_trace_set(uint32_t number, bool on)
{
	struct fuse_connection *connection;
	bool found = !number, any;

	spin_lock(&connections_lock);
	if (!number)
		write_once(&fuse_trace_everything, on);
	any = fuse_trace_everything;
	list_for_each (connection, &connections, all) {
		if (!number || number_of(connection) == number) {
			write_once(&connection->traced, number && on);
			found = true;
		}
		any |= connection->traced;
	}
	write_once(&fuse_trace_any, any);
	spin_unlock(&connections_lock);
	return found ? 0 : -ENOENT;
}

/* ---- time-outs ---- */

static bool is_timed(struct fuse_connection *connection)
{
	/* Acquire: pairs with the release in fuse_connection_ready(). */
	return load_acquire(&connection->state) == FUSE_READY && connection->session.timeout_s;
}

bool fuse_any_timed(void)
{
	struct fuse_connection *connection;
	bool any = false;

	spin_lock(&connections_lock);
	list_for_each (connection, &connections, all)
		any |= is_timed(connection);
	spin_unlock(&connections_lock);
	return any;
}

static bool any_before(const struct list *requests, uint64_t before_ns)
{
	const struct fuse_request *request;

	list_for_each (request, requests, link) {
		if (request->asked_ns < before_ns)
			return true;
	}
	return false;
}

/* Something was asked for so long ago. */
static bool is_late(struct fuse_connection *connection, uint64_t now_ns)
{
	uint64_t patience_ns = connection->session.timeout_s * NSEC_PER_SEC;
	uint64_t before_ns = now_ns - MIN(now_ns, patience_ns);
	struct fuse_device *device;
	bool late;

	spin_lock(&connection->lock);
	list_for_each (device, &connection->devices, link)
		fuse_ring_settle_locked(connection, device); /* these are answered */
	late = any_before(&connection->queued, before_ns) ||
	       any_before(&connection->background, before_ns);
	list_for_each (device, &connection->devices, link) {
		for (unsigned i = 0; i < FUSE_SENT_BUCKETS && !late; i++)
			late = any_before(&device->sent[i], before_ns);
	}
	spin_unlock(&connection->lock);
	return late;
}

/* A reference to one that is late. */
static struct fuse_connection *find_late(uint64_t now_ns)
{
	struct fuse_connection *connection, *found = NULL;

	spin_lock(&connections_lock);
	list_for_each (connection, &connections, all) {
		if (!found && is_timed(connection) && is_late(connection, now_ns))
			found = fuse_connection_get(connection);
	}
	spin_unlock(&connections_lock);
	return found;
}

void fuse_end_late(uint64_t now_ns)
{
	struct fuse_connection *connection;

	while ((connection = find_late(now_ns))) {
		log_limited(LOG_WARN, "connection %u: the driver took more than %u s for an answer",
			    connection->number, connection->session.timeout_s);
		fuse_connection_end(connection, -ENOTCONN);
		fuse_connection_put(connection);
	}
}
