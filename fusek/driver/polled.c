/*
 * Polling a driver's open files: what it has said is ready, and who waits for its word. Owns the
 * numbers that NOTIFY_POLL names handles by. Nobody is woken under the connection's lock.
 */
#include "connection.h"

static struct fuse_handle *handle_of_node(struct tree_node *node)
{
	return tree_entry(node, struct fuse_handle, polled_node);
}

uint64_t fuse_handle_number(struct fuse_handle *handle)
{
	struct fuse_connection *connection = handle->release->connection;

	spin_lock(&connection->lock);
	if (!handle->number) {
		struct tree_node *last = tree_last(&connection->polled);

		/* Numbers grow: it stands behind all others. */
		handle->number = ++connection->last_polled;
		tree_insert(&connection->polled, &handle->polled_node, last,
			    last ? &last->right : &connection->polled.root);
	}
	spin_unlock(&connection->lock);
	return handle->number; /* never changes again */
}

void fuse_polled_forget(struct fuse_handle *handle)
{
	struct fuse_connection *connection = handle->release->connection;

	if (!handle->number)
		return;
	spin_lock(&connection->lock);
	tree_remove(&connection->polled, &handle->polled_node);
	spin_unlock(&connection->lock);
}

/* The first one from this number on. */
static struct fuse_handle *polled_from_locked(struct fuse_connection *connection, uint64_t number)
	REQUIRES(connection->lock);
static struct fuse_handle *polled_from_locked(struct fuse_connection *connection, uint64_t number)
{
	struct tree_node *at = connection->polled.root;
	struct fuse_handle *found = NULL;

	while (at) {
		if (handle_of_node(at)->number < number) {
			at = at->right;
		} else {
			found = handle_of_node(at);
			at = at->left;
		}
	}
	return found;
}

/* What it said is old: of the handle of this number, or (`all`) of the first from there on. A
 * reference; NULL: there is none. */
static struct fuse_handle *take_polled(struct fuse_connection *connection, uint64_t number,
				       bool all)
{
	struct fuse_handle *handle;

	spin_lock(&connection->lock);
	handle = polled_from_locked(connection, number);
	if (handle && !all && handle->number != number)
		handle = NULL;
	while (handle && !refcount_try_get(&handle->references)) /* being closed */
		handle = all ? handle_of_node(tree_next(&handle->polled_node)) : NULL;
	if (handle) {
		handle->poll_known = false;
		handle->poll_version++;
	}
	spin_unlock(&connection->lock);
	return handle;
}

void fuse_polled(struct fuse_connection *connection, uint64_t number)
{
	bool all = !number;
	struct fuse_handle *handle;

	do {
		handle = take_polled(connection, number, all);
		if (!handle)
			return;
		number = handle->number + 1;
		waitq_wake_all(&handle->polled);
		fuse_handle_put(handle);
	} while (all);
}

bool fuse_poll_look(struct fuse_handle *handle, unsigned *events)
{
	struct fuse_connection *connection = handle->release->connection;
	bool ask;

	spin_lock(&connection->lock);
	*events = handle->poll_known ? handle->poll_events : 0;
	ask = !handle->poll_known && !handle->poll_asked;
	handle->poll_known = handle->poll_known && !handle->poll_events;
	handle->poll_asked = handle->poll_asked || ask;
	if (ask)
		handle->asked_version = handle->poll_version;
	spin_unlock(&connection->lock);
	return ask;
}

uint64_t fuse_poll_version(struct fuse_handle *handle)
{
	struct fuse_connection *connection = handle->release->connection;
	uint64_t version;

	spin_lock(&connection->lock);
	version = handle->poll_version;
	spin_unlock(&connection->lock);
	return version;
}

void fuse_poll_told(struct fuse_handle *handle, unsigned events, uint64_t version)
{
	struct fuse_connection *connection = handle->release->connection;
	bool current;

	spin_lock(&connection->lock);
	current = version == handle->poll_version;
	handle->poll_known = current;
	handle->poll_events = events;
	spin_unlock(&connection->lock);
	if (events || !current)
		waitq_wake_all(&handle->polled);
}

void fuse_poll_answered(struct fuse_handle *handle, unsigned events)
{
	struct fuse_connection *connection = handle->release->connection;
	uint64_t version;

	spin_lock(&connection->lock);
	handle->poll_asked = false;
	version = handle->asked_version;
	spin_unlock(&connection->lock);
	fuse_poll_told(handle, events, version);
}
