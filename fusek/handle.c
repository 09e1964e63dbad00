/*
 * Files by number (name_to_handle_at(2)): what a server that keeps its numbers says of one, and the
 * way back to it, past all names and their rights. What is found is opened by a name that the cache
 * knows; a file that has none there gets a place of its own that no directory has. No state.
 */
#include <fusek/file.h>

#include "mount_tree.h"
#include "open_file.h"

static err_t handle_of(struct node *node, struct file_handle *out)
{
	struct server *server = node_server(node);

	if (!server->ops->number)
		return -EOPNOTSUPP;
	*out = (struct file_handle){.number = server->ops->number(server, node->id),
				    .generation = node->generation};
	return 0;
}

err_t vfs_handle(const struct vfs_context *context, struct object *at, const char *name,
		 unsigned at_flags, struct file_handle *out, uint32_t *mount_id)
{
	unsigned walk_flags = at_flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0;
	struct path path;
	err_t err = vfs_resolve(context, at, name, at_flags & AT_EMPTY_PATH, walk_flags, &path);

	if (err)
		return err;
	err = handle_of(path.dentry->node, out);
	*mount_id = path.mount->id;
	path_put(&path);
	return err;
}

/* ---- back ---- */

/* One that is in use, whose server has no other way. */
static err_t find_used(struct server *server, const struct file_handle *handle, struct node **out)
{
	*out = node_find(server, (struct nodeid){handle->number});
	if (!*out)
		return -ESTALE;
	if ((*out)->generation == handle->generation)
		return 0;
	node_put(*out);
	return -ESTALE;
}

static err_t find_node(struct filesystem *fs, const struct file_handle *handle, struct node **out)
{
	struct server *server = fs->server;
	struct node *root = fs->root->node;
	struct server_entry entry;
	uint64_t version;
	err_t err;

	if (!server->ops->number)
		return -EOPNOTSUPP;
	if (handle->number == server->ops->number(server, SERVER_ROOT)) {
		*out = node_get(root);
		return handle->generation == root->generation ? 0 : (node_put(root), -ESTALE);
	}
	version = filesystem_attr_version(fs);
	err = server->ops->by_number
		      ? server->ops->by_number(server, handle->number, handle->generation, &entry)
		      : -ENOSYS;
	if (err)
		return err == -ENOSYS ? find_used(server, handle, out) : err;
	err = node_from_entry(fs, &entry, version, out);
	if (err)
		node_refuse_entry(fs, &entry);
	return err;
}

/* Consumes the reference to the node. */
static err_t find_dentry(struct filesystem *fs, struct node *node, struct dentry **out)
{
	bool is_directory = node_type(node) == S_IFDIR;

	*out = dentry_of_node(node);
	if (*out && !is_directory && read_once(&(*out)->removed)) {
		dentry_put(*out); /* it may have other names */
		*out = NULL;
	}
	if (!*out && !is_directory) {
		*out = dentry_create_nameless(fs, node);
		return *out ? 0 : -ENOMEM;
	}
	node_put(node);
	return *out ? 0 : -ESTALE;
}

err_t vfs_open_handle(const struct vfs_context *context, struct object *at,
		      const struct file_handle *handle, unsigned flags, struct object **out)
{
	const struct path where = at ? file_path(at) : context->cwd;
	struct path place;
	struct node *node;
	err_t err;

	if (path_is_none(&where))
		return -EBADF;
	err = find_node(where.mount->fs, handle, &node);
	if (!err)
		err = find_dentry(where.mount->fs, node, &place.dentry);
	if (err)
		return err;
	place.mount = mount_get(where.mount);
	return vfs_open_place(context, &place, flags, out);
}
