/*
 * Notifications of a driver: what it knows better than the caches. No state.
 */
#include "notify.h"

#include "../names.h"
#include "../pages.h"
#include "server.h"

/* Attributes are asked for again; with an offset that is not negative, pages are read again too. */
static err_t invalidate_inode(struct fuse_connection *connection, struct buffer *buffer)
{
	struct fuse_notify_inval_inode_out out;
	struct node *node;

	if (buffer_remaining(buffer) != sizeof(out))
		return -EINVAL;
	if (buffer_copy_from(buffer, &out, sizeof(out)) < sizeof(out))
		return -EFAULT;
	node = node_find(connection->server, (struct nodeid){out.ino});
	if (!node)
		return -ENOENT;
	node_attr_changed(node);
	if (out.off >= 0)
		node_pages_drop(node, (uint64_t)out.off,
				out.len > 0 ? (uint64_t)out.len : UINT64_MAX);
	node_put(node);
	return 0;
}

err_t fuse_notified(struct fuse_connection *connection, int32_t code, struct buffer *buffer)
{
	switch (code) {
	case FUSE_NOTIFY_INVAL_INODE:
		return invalidate_inode(connection, buffer);
	default:
		return -EINVAL;
	}
}
