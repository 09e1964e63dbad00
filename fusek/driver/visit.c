/*
 * Looks into directories of drivers that take one at a time: a driver without FUSE_PARALLEL_DIROPS
 * gets no LOOKUP and no READDIR while it has another one for the same directory. Owns no state but
 * connection->visits; nothing is held while the driver is asked.
 */
#include "connection.h"

static bool enter(struct fuse_connection *connection, struct fuse_visit *visit)
{
	struct fuse_visit *other;
	bool free = true;

	spin_lock(&connection->lock);
	list_for_each (other, &connection->visits, link) {
		if (nodeid_equal(other->node, visit->node))
			free = false;
	}
	if (free)
		list_add_tail(&connection->visits, &visit->link);
	spin_unlock(&connection->lock);
	return free;
}

err_t fuse_visit_begin(struct fuse_connection *connection, struct nodeid node,
		       struct fuse_visit *visit)
{
	uint64_t deadline_ns;

	list_init(&visit->link);
	visit->node = node;
	if (likely(connection->session.flags & FUSE_PARALLEL_DIROPS))
		return 0;
	deadline_ns = server_deadline_ns();
	return wait_event_killable_timeout(&connection->visited, enter(connection, visit),
					   deadline_ns);
}

void fuse_visit_end(struct fuse_connection *connection, struct fuse_visit *visit)
{
	if (likely(!list_linked(&visit->link)))
		return;
	spin_lock(&connection->lock);
	list_del(&visit->link);
	spin_unlock(&connection->lock);
	waitq_wake_all(&connection->visited);
}
