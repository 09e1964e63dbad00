/*
 * Objects that no tree has a name for (pipes, a terminal that was handed down) as places, so that a
 * walk can come to them by a link of /proc: they have attributes, and can be opened again. One
 * built-in server, mounted nowhere. A node's number is the object's address, and each look-up is a
 * reference to it, so an object that is such a place is there.
 */
#include <fusek/file.h>

#include "mount_tree.h"

#include <ipc/socket.h>

static struct object *object_at(struct nodeid node)
{
	return (struct object *)node.value;
}

static err_t nameless_getattr(UNUSED struct server *server, struct nodeid node,
			      struct server_attr *out, uint64_t *attr_valid_ns)
{
	struct abi_stat stat;
	err_t err = object_stat(object_at(node), &stat);

	*attr_valid_ns = 0;
	*out = (struct server_attr){.ino = stat.st_ino,
				    .size_bytes = (uint64_t)stat.st_size,
				    .atime = stat.st_atim,
				    .mtime = stat.st_mtim,
				    .ctime = stat.st_ctim,
				    .mode = stat.st_mode,
				    .nlink = (uint32_t)stat.st_nlink,
				    .uid = stat.st_uid,
				    .gid = stat.st_gid,
				    .rdev = stat.st_rdev,
				    .block_bytes = (uint32_t)stat.st_blksize};
	return err;
}

/* A place does not keep a socket open, only its memory: it may lie in that socket's own queue. */
static void keep(struct object *object)
{
	if (object_is_socket(object))
		(void)socket_get_of(object);
	else
		object_get(object);
}

static void let_go(struct object *object)
{
	if (object_is_socket(object))
		socket_put_of(object);
	else
		object_put(object);
}

static void nameless_forget(UNUSED struct server *server, struct nodeid node, uint64_t nlookup)
{
	while (nlookup--)
		let_go(object_at(node));
}

static err_t nameless_reopen(UNUSED struct server *server, struct nodeid node, unsigned flags,
			     struct object **out)
{
	return object_reopen(object_at(node), flags, out);
}

static const struct server_ops nameless_ops = {
	.getattr = nameless_getattr,
	.forget = nameless_forget,
	.reopen = nameless_reopen,
};

static struct server nameless = {.ops = &nameless_ops, .type = "nameless", .source = "none"};
/* Its number is that of objects' st_dev. */
static struct filesystem nameless_fs = {
	.server = &nameless, .references = REFCOUNT_INIT, .attr_version = 1};
static struct mount *nameless_mount; /* constant after nameless_init(); each thing is a root */

err_t nameless_init(void)
{
	nameless_mount = mount_alloc(&nameless_fs, NULL, 0);
	return nameless_mount ? 0 : -ENOMEM;
}

err_t path_of_object(struct object *object, struct path *out)
{
	struct server_entry entry = {.node = {(uint64_t)object}};
	struct path own = file_path(object);
	struct dentry *dentry;
	struct node *node;
	err_t err;

	if (!path_is_none(&own)) {
		*out = path_get(&own);
		return 0;
	}
	err = nameless_getattr(&nameless, entry.node, &entry.attr, &entry.attr_valid_ns);
	if (!err && !(entry.attr.mode & S_IFMT))
		err = -ENXIO;
	if (!err && !nameless_mount)
		err = -ENOMEM;
	if (err)
		return err;
	keep(object);
	err = node_from_entry(&nameless_fs, &entry, ATTR_VERSION_NONE, &node);
	if (err) {
		let_go(object);
		return err;
	}
	dentry = dentry_create_nameless(&nameless_fs, node);
	if (!dentry)
		return -ENOMEM;
	*out = (struct path){.mount = mount_get(nameless_mount), .dentry = dentry};
	return 0;
}
