/*
 * Names of unix sockets in the file tree: a node of type socket, which has no data. Which socket
 * was bound to it ipc/socket.h knows, by what path_identity() says of it. No state, no locks.
 */
#include <fusek/file.h>

#include "change.h"
#include "mount_tree.h"
#include "open_file.h"

err_t vfs_make_socket(const struct vfs_context *context, const char *name, uint32_t mode,
		      struct object **out)
{
	struct path made = {0};
	struct walk walk;
	struct file *file;
	err_t err = change_find_new(&walk, context, NULL, name, false);

	if (!err)
		err = change_mknod(
			&walk, S_IFSOCK | change_masked(context, walk.at.dentry->node, mode & 0777),
			0, &made.dentry);
	if (!err)
		made.mount = mount_get(walk.at.mount);
	walk_end(&walk);
	if (!err)
		err = file_create(&made, O_PATH, &file);
	if (!err)
		*out = &file->object;
	return err;
}

err_t vfs_find_socket(const struct vfs_context *context, const char *name, struct path *out)
{
	struct server_attr attr;
	err_t err = vfs_resolve(context, NULL, name, 0, WALK_FOLLOW, out);

	if (err)
		return err;
	err = node_attr(out->dentry->node, &attr);
	if (!err)
		err = node_may(out->dentry->node, context, W_OK);
	if (!err && !S_ISSOCK(attr.mode))
		err = -ECONNREFUSED;
	if (err)
		path_put(out);
	return err;
}

const void *path_identity(const struct path *path)
{
	return path->dentry->node;
}
