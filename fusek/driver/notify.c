/*
 * Notifications of a driver: what it knows better than the caches. No state.
 */
#include "notify.h"

#include "../names.h"
#include "../pages.h"
#include "server.h"

#include <abi/fuse_notify.h>
#include <lib/string.h>

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
	node_forget_link(node);
	node_forget_acl(node);
	if (out.off >= 0)
		node_pages_drop(node, (uint64_t)out.off,
				out.len > 0 ? (uint64_t)out.len : UINT64_MAX);
	node_put(node);
	return 0;
}

/* A name behind the structure of a notification, with its NUL. */
struct name_bytes {
	char text[NAME_MAX + 1];
	struct server_name name;
};

static err_t get_name(struct buffer *buffer, uint32_t len_bytes, struct name_bytes *out)
{
	if (len_bytes > NAME_MAX)
		return -ENAMETOOLONG;
	if (len_bytes == 0 || buffer_remaining(buffer) != len_bytes + 1)
		return -EINVAL;
	if (buffer_copy_from(buffer, out->text, len_bytes + 1) < len_bytes + 1)
		return -EFAULT;
	if (memchr(out->text, 0, len_bytes) || memchr(out->text, '/', len_bytes))
		return -EINVAL;
	out->name = (struct server_name){.text = out->text, .len_bytes = len_bytes};
	return 0;
}

/* What the cache has under a name; answers that are on their way are not kept. -ENOENT: nothing. */
static err_t find_changed(struct fuse_connection *connection, uint64_t parent,
			  struct server_name name, struct dentry **out)
{
	struct node *directory = node_find(connection->server, (struct nodeid){parent});
	struct names_change change;
	struct dentry *at;

	if (!directory)
		return -ENOENT;
	names_change_begin(&change, directory);
	(void)names_change_end(&change);
	at = dentry_of_directory(directory);
	*out = at ? dentry_find(at, name, name_hash(at, name.text, name.len_bytes)) : NULL;
	dentry_put(at);
	node_put(directory);
	return *out ? 0 : -ENOENT;
}

/* The name that is left of the notification, in the directory `parent`. */
static err_t find_named(struct fuse_connection *connection, struct buffer *buffer, uint64_t parent,
			uint32_t len_bytes, struct dentry **out)
{
	struct name_bytes bytes;
	err_t err = get_name(buffer, len_bytes, &bytes);

	return err ? err : find_changed(connection, parent, bytes.name, out);
}

/* The name is asked for again. What it means is the same thing still if the driver then says so:
 * with FUSE_EXPIRE_ONLY and without. */
static err_t invalidate_entry(struct fuse_connection *connection, struct buffer *buffer)
{
	struct fuse_notify_inval_entry_out out;
	struct dentry *dentry;
	err_t err;

	if (buffer_copy_from(buffer, &out, sizeof(out)) < sizeof(out))
		return -EINVAL;
	err = find_named(connection, buffer, out.parent, out.namelen, &dentry);
	if (err)
		return err;
	write_once(&dentry->valid_until_ns, 0);
	dentry_put(dentry);
	return 0;
}

/* The name is gone, and whoever is inside of what had it knows. */
static err_t name_deleted(struct fuse_connection *connection, struct buffer *buffer)
{
	struct fuse_notify_delete_out out;
	struct dentry *dentry;
	err_t err;

	if (buffer_copy_from(buffer, &out, sizeof(out)) < sizeof(out))
		return -EINVAL;
	err = find_named(connection, buffer, out.parent, out.namelen, &dentry);
	if (err)
		return err;
	if (dentry_is_negative(dentry) || dentry->node->id.value != out.child) {
		err = -ENOENT;
	} else if (read_once(&dentry->mounted)) {
		err = -EBUSY; /* as Linux: something is mounted there */
	} else {
		node_attr_linked(dentry->node, -1);
		dentry_set_removed(dentry);
		dentry_drop(dentry);
	}
	dentry_put(dentry);
	return err;
}

/* A file that somebody polls may be ready. One that is closed by now has nobody. */
static err_t poll_wakeup(struct fuse_connection *connection, struct buffer *buffer)
{
	struct fuse_notify_poll_wakeup_out out;

	if (buffer_remaining(buffer) != sizeof(out))
		return -EINVAL;
	if (buffer_copy_from(buffer, &out, sizeof(out)) < sizeof(out))
		return -EFAULT;
	if (out.kh)
		fuse_polled(connection, out.kh);
	return 0;
}

/* The structure that a notification begins with. */
static err_t get_head(struct buffer *buffer, void *to, size_t len_bytes)
{
	if (buffer_remaining(buffer) < len_bytes)
		return -EINVAL;
	return buffer_copy_from(buffer, to, len_bytes) < len_bytes ? -EFAULT : 0;
}

/* A file of a driver's that somebody uses, with a reference. */
static err_t find_file(struct fuse_connection *connection, uint64_t id, struct node **out)
{
	*out = node_find(connection->server, (struct nodeid){id});
	if (!*out)
		return -ENOENT;
	if (node_type(*out) == S_IFREG)
		return 0;
	node_put(*out);
	return -EINVAL;
}

/* Bytes of a file. */
static err_t store(struct fuse_connection *connection, struct buffer *buffer)
{
	struct fuse_notify_store_out out;
	struct node *node;
	err_t err = get_head(buffer, &out, sizeof(out));

	if (!err &&
	    (buffer_remaining(buffer) != out.size || out.offset > (uint64_t)INT64_MAX - out.size))
		err = -EINVAL;
	if (!err)
		err = find_file(connection, out.nodeid, &node);
	if (err)
		return err;
	err = node_pages_store(node, buffer, out.offset, out.size);
	node_put(node);
	return err;
}

/* What is to be sent of a file, in pages of its own; how much there is. */
static err_t collect(struct fuse_connection *connection, struct node *node,
		     const struct fuse_notify_retrieve_out *out, struct fuse_pages **pages,
		     uint32_t *len_bytes)
{
	uint64_t size_bytes = read_once(&node->attr.size_bytes);

	*len_bytes = MIN(out->size, connection->session.max_write_bytes);
	if (out->offset >= size_bytes)
		*len_bytes = 0;
	else
		*len_bytes = (uint32_t)MIN((uint64_t)*len_bytes, size_bytes - out->offset);
	*pages = fuse_pages_alloc(*len_bytes);
	if (!*pages)
		return -ENOMEM;
	*len_bytes = node_pages_copy_out(node, out->offset, *len_bytes, (*pages)->frames);
	return 0;
}

/* The answer is a request, whose number the driver has chosen. */
static err_t retrieve(struct fuse_connection *connection, struct buffer *buffer)
{
	static const struct server_caller kernel;
	struct fuse_notify_retrieve_out out;
	struct fuse_request *request;
	struct node *node = NULL;
	uint32_t len_bytes;
	err_t err = get_head(buffer, &out, sizeof(out));

	/* Before INIT nobody knows how much one message may carry. */
	if (!err && (buffer_remaining(buffer) || out.offset > INT64_MAX ||
		     load_acquire(&connection->state) == FUSE_STARTING))
		err = -EINVAL;
	if (!err)
		err = find_file(connection, out.nodeid, &node);
	if (err)
		return err;
	request = fuse_request_create(connection, &kernel, fuse_request_free);
	err = request ? collect(connection, node, &out, &request->payload, &len_bytes) : -ENOMEM;
	if (!err) {
		fuse_ask_notify_reply(&request->message, node->id, out.offset, len_bytes);
		request->unique = out.notify_unique;
		fuse_send(connection, request);
	} else if (request) {
		fuse_request_free(request);
	}
	node_put(node);
	return err;
}

/* Names of these nodes are of no use to the driver. */
static err_t prune(struct fuse_connection *connection, struct buffer *buffer)
{
	struct fuse_notify_prune_out out;
	struct node *root;
	uint64_t nodes[64];
	err_t err = get_head(buffer, &out, sizeof(out));

	if (!err && buffer_remaining(buffer) != out.count * sizeof(nodes[0]))
		err = -EINVAL;
	root = err ? NULL : node_find(connection->server, SERVER_ROOT);
	while (root && !err && buffer_remaining(buffer)) {
		size_t step = MIN(buffer_remaining(buffer), sizeof(nodes));

		if (buffer_copy_from(buffer, nodes, step) < step)
			err = -EFAULT;
		else
			dentry_prune(root->fs, nodes, step / sizeof(nodes[0]));
	}
	node_put(root);
	return err;
}

static err_t expire_all(struct fuse_connection *connection, const struct buffer *buffer)
{
	struct node *root;

	if (buffer_remaining(buffer))
		return -EINVAL;
	root = node_find(connection->server, SERVER_ROOT);
	if (root)
		dentry_expire_all(root->fs);
	node_put(root);
	return 0;
}

static err_t resend(struct fuse_connection *connection, const struct buffer *buffer)
{
	if (buffer_remaining(buffer))
		return -EINVAL;
	fuse_resend(connection);
	return 0;
}

err_t fuse_notified(struct fuse_connection *connection, int32_t code, struct buffer *buffer)
{
	switch (code) {
	case FUSE_NOTIFY_POLL:
		return poll_wakeup(connection, buffer);
	case FUSE_NOTIFY_INVAL_INODE:
		return invalidate_inode(connection, buffer);
	case FUSE_NOTIFY_INVAL_ENTRY:
		return invalidate_entry(connection, buffer);
	case FUSE_NOTIFY_STORE:
		return store(connection, buffer);
	case FUSE_NOTIFY_RETRIEVE:
		return retrieve(connection, buffer);
	case FUSE_NOTIFY_DELETE:
		return name_deleted(connection, buffer);
	case FUSE_NOTIFY_RESEND:
		return resend(connection, buffer);
	case FUSE_NOTIFY_INC_EPOCH:
		return expire_all(connection, buffer);
	case FUSE_NOTIFY_PRUNE:
		return prune(connection, buffer);
	default:
		return -EINVAL;
	}
}
