/*
 * Data of open files that is in files of other filesystems: naming such a file, opening it anew for
 * each who opens the one in front, reading and writing there. Owns the two fields of a node that
 * say what those use who have it open, under its attr_lock; nothing else is taken with it.
 */
#include "passthrough.h"

#include <abi/errno.h>
#include <fusek/file.h>
#include <mm/slab.h>

/* ---- files that are named ---- */

static err_t check_place(const struct path *place, uint32_t stack_depth)
{
	const struct node *node = place->dentry ? place->dentry->node : NULL;
	const struct server *server;

	if (node && node_type(node) == S_IFDIR)
		return -EISDIR;
	if (!node || node_type(node) != S_IFREG)
		return -EINVAL;
	server = node_server(node);
	if (server->ops->reopen) /* a name of something else, such as a queue */
		return -EINVAL;
	return read_once(&server->stack_depth) >= stack_depth ? -ELOOP : 0;
}

err_t server_backing_create(struct object *object, uint32_t stack_depth,
			    struct server_backing **out)
{
	const struct path place = file_path(object);
	struct server_backing *backing;
	err_t err = check_place(&place, stack_depth);

	if (err)
		return err;
	backing = kzalloc(sizeof(*backing));
	if (!backing)
		return -ENOMEM;
	refcount_init(&backing->references);
	backing->place = path_get(&place);
	backing->context = vfs_caller_context();
	*out = backing;
	return 0;
}

void server_backing_put(struct server_backing *backing)
{
	if (!backing || !refcount_put(&backing->references))
		return;
	path_put(&backing->place);
	kfree(backing);
}

void server_open_refuse(struct server *server, struct nodeid node, const struct server_open *opened,
			unsigned flags)
{
	if (server->ops->release)
		server->ops->release(server, node, opened->handle, flags);
	server_backing_put(opened->backing);
}

/* ---- what a node's data is ---- */

/* Counts the file (once) among those that use the page cache (NULL) or `backing`. False: others use
 * something else. */
static bool use_data(struct file *file, struct server_backing *backing)
{
	struct node *node = file->node;
	bool fits;

	spin_lock(&node->attr_lock);
	fits = !node->ndata_users || node->backing == backing;
	if (fits && !file->uses_data) {
		write_once(&node->backing, backing);
		node->ndata_users++;
		file->uses_data = true;
	}
	spin_unlock(&node->attr_lock);
	return fits;
}

/* By the rights of who has named it, as a file of its own: its flags are this open's. It is written
 * at the end where the call says so. */
static err_t open_data(struct file *file)
{
	const struct server_backing *backing = file->open.backing;
	const struct path at = path_get(&backing->place);
	struct vfs_context context = backing->context;
	struct object *object;
	err_t err;

	context.pid = server_caller_current().pid;
	err = file_open_unchecked(&at, &context, object_flags(&file->object) & ~(unsigned)O_APPEND,
				  &object);
	if (!err)
		file->data = file_of(object);
	return err;
}

err_t file_data_begin_slowly(struct file *file)
{
	const unsigned flags = file->open.flags;

	if (node_type(file->node) != S_IFREG)
		return 0;
	if (!(flags & SERVER_PASSTHROUGH)) {
		/* What goes past the cache uses nothing that others could miss. */
		if (flags & SERVER_DIRECT_IO)
			return read_once(&file->node->backing) ? -EIO : 0;
		return use_data(file, NULL) ? 0 : -EIO;
	}
	if (!file->open.backing || !use_data(file, file->open.backing))
		return -EIO;
	return open_data(file) ? -EIO : 0;
}

void file_data_end_slowly(struct file *file)
{
	struct node *node = file->node;

	if (file->data)
		object_put(&file->data->object);
	spin_lock(&node->attr_lock);
	if (file->uses_data && !--node->ndata_users)
		write_once(&node->backing, NULL);
	spin_unlock(&node->attr_lock);
	server_backing_put(file->open.backing);
}

err_t file_data_map_slowly(struct file *file, bool shared)
{
	if (!(file->open.flags & SERVER_DIRECT_IO))
		return 0; /* it is counted, or there was no open */
	if (shared)
		return use_data(file, NULL) ? 0 : -ENODEV;
	return read_once(&file->node->backing) ? -ENODEV : 0;
}

/* ---- reading and writing ---- */

ssize_t file_read_through(struct file *file, struct buffer *buffer, uint64_t offset_bytes)
{
	ssize_t done = file_read_at(file->data, buffer, offset_bytes);

	if (done > 0)
		file_accessed(file);
	return done;
}

ssize_t file_write_through(struct file *file, struct buffer *buffer, uint64_t offset_bytes,
			   uint64_t *end_bytes)
{
	const unsigned call_flags = buffer->call_flags;
	ssize_t done;

	buffer->call_flags |= object_write_flags(&file->object, buffer) & O_APPEND;
	done = file_write_at(file->data, buffer, offset_bytes, end_bytes);
	buffer->call_flags = call_flags;
	if (done > 0)
		node_attr_written(file->node, *end_bytes);
	return done;
}
