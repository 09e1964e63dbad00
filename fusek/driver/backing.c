/*
 * Files that a driver has named by ids for its answers to OPEN (FOPEN_PASSTHROUGH). A connection's
 * are in its tree, each with one reference; its lock guards it and is never held when one is put.
 */
#include "connection.h"

#include "../passthrough.h"

#include <arch/user.h>
#include <fusek/driver.h>

static struct server_backing *backing_of(struct tree_node *node)
{
	return tree_entry(node, struct server_backing, by_id);
}

/* Where `id` is, or would be. */
static struct tree_node **place_of_locked(struct fuse_connection *connection, uint32_t id,
					  struct tree_node **parent) REQUIRES(connection->lock);
static struct tree_node **place_of_locked(struct fuse_connection *connection, uint32_t id,
					  struct tree_node **parent)
{
	struct tree_node **at = &connection->backings.root;

	*parent = NULL;
	while (*at && backing_of(*at)->id != id) {
		*parent = *at;
		at = id < backing_of(*at)->id ? &(*at)->left : &(*at)->right;
	}
	return at;
}

/* An id that was not used for long; there are fewer of them than numbers. */
static void insert_locked(struct fuse_connection *connection, struct server_backing *backing)
	REQUIRES(connection->lock);
static void insert_locked(struct fuse_connection *connection, struct server_backing *backing)
{
	struct tree_node **at, *parent;

	do {
		connection->last_backing =
			connection->last_backing < INT32_MAX ? connection->last_backing + 1 : 1;
		at = place_of_locked(connection, connection->last_backing, &parent);
	} while (*at);
	backing->id = connection->last_backing;
	tree_insert(&connection->backings, &backing->by_id, parent, at);
	connection->nbackings++;
}

static ssize_t add(struct fuse_connection *connection, struct server_backing *backing)
{
	ssize_t result;

	spin_lock(&connection->lock);
	if (connection->state == FUSE_ENDED) {
		result = -ENODEV;
	} else if (connection->nbackings >= FUSE_BACKINGS_MAX) {
		result = -ENFILE;
	} else {
		insert_locked(connection, backing);
		result = backing->id;
	}
	spin_unlock(&connection->lock);
	if (result < 0)
		server_backing_put(backing);
	return result;
}

/* Whose reference is the caller's then; NULL: there is none. */
static struct server_backing *take(struct fuse_connection *connection, uint32_t id)
{
	struct server_backing *backing;
	struct tree_node *parent;

	spin_lock(&connection->lock);
	backing = backing_of(*place_of_locked(connection, id, &parent));
	if (backing) {
		tree_remove(&connection->backings, &backing->by_id);
		connection->nbackings--;
	}
	spin_unlock(&connection->lock);
	return backing;
}

/* 0: it was not agreed on (yet). */
static uint32_t stack_depth_of(const struct fuse_connection *connection)
{
	if (load_acquire(&connection->state) == FUSE_STARTING)
		return 0;
	return connection->session.max_stack_depth;
}

static bool is_allowed(const struct fuse_connection *connection)
{
	return stack_depth_of(connection) &&
	       (server_caller_capabilities(NULL) & CAP_BIT(CAP_SYS_ADMIN));
}

ssize_t fuse_backing_open(struct fuse_connection *connection, uptr_t argument)
{
	struct server_backing *backing;
	struct fuse_backing_map map;
	struct object *object;
	err_t err;

	if (user_get(&map, argument))
		return -EFAULT;
	if (!is_allowed(connection))
		return -EPERM;
	if (map.flags || map.padding)
		return -EINVAL;
	object = vfs_descriptor(map.fd);
	if (!object)
		return -EBADF;
	err = server_backing_create(object, stack_depth_of(connection), &backing);
	object_put(object);
	return err ? err : add(connection, backing);
}

ssize_t fuse_backing_close(struct fuse_connection *connection, uptr_t argument)
{
	struct server_backing *backing;
	uint32_t id;

	if (user_get(&id, argument))
		return -EFAULT;
	if (!is_allowed(connection))
		return -EPERM;
	if (!id || id > INT32_MAX)
		return -EINVAL;
	backing = take(connection, id);
	if (!backing)
		return -ENOENT;
	server_backing_put(backing);
	return 0;
}

struct server_backing *fuse_backing_find(struct fuse_connection *connection, uint32_t id)
{
	struct server_backing *backing;
	struct tree_node *parent;

	spin_lock(&connection->lock);
	backing = backing_of(*place_of_locked(connection, id, &parent));
	if (backing)
		server_backing_get(backing);
	spin_unlock(&connection->lock);
	return backing;
}

static uint32_t first_id(struct fuse_connection *connection)
{
	struct server_backing *first;
	uint32_t id;

	spin_lock(&connection->lock);
	first = backing_of(tree_first(&connection->backings));
	id = first ? first->id : 0;
	spin_unlock(&connection->lock);
	return id;
}

void fuse_backings_end(struct fuse_connection *connection)
{
	uint32_t id;

	while ((id = first_id(connection)))
		server_backing_put(take(connection, id));
}
