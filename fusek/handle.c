/*
 * Files by number (name_to_handle_at(2)): what a server that keeps its numbers says of one, and the
 * way back to it, past all names and their rights. What is found is opened by a name that the cache
 * knows. A file that has none there gets a place of its own that no directory has; of a directory
 * the name is asked for, and of those above it up to one that is known. No state.
 */
#include <fusek/file.h>

#include "mount_tree.h"
#include "open_file.h"

#include <lib/string.h>
#include <mm/kva.h>

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

/* ---- directories that no name in the cache leads to ---- */

#define ABOVE_MAX (PATH_MAX / 2) /* how deep a name can say that one is */
#define TRIES     3              /* while others rename them */

/* The name of one entry. */
struct name_sink {
	struct dirent_sink sink;
	uint64_t ino;  /* whose */
	uint64_t next; /* where to go on */
	bool any, found;
	size_t len_bytes;
	char text[NAME_MAX];
};

static bool emit_name(struct dirent_sink *base, struct server_name name, uint64_t ino,
		      UNUSED uint32_t mode, uint64_t cookie_after)
{
	struct name_sink *sink = container_of(base, struct name_sink, sink);

	sink->any = true;
	sink->next = cookie_after;
	if (ino != sink->ino || name.len_bytes > sizeof(sink->text))
		return true;
	sink->found = true;
	sink->len_bytes = name.len_bytes;
	memcpy(sink->text, name.text, name.len_bytes);
	return false;
}

/* Reads the directory until the sink has found what it looks for. -ESTALE: it is not there. */
static err_t read_names(struct server *server, const struct server_caller *caller,
			struct nodeid directory, struct name_sink *sink)
{
	const struct server_ops *ops = server->ops;
	struct server_open open = {0};
	err_t err = ops->opendir ? ops->opendir(server, caller, directory, &open) : 0;
	bool is_open = ops->opendir && !err;

	if (err == -ENOSYS)
		err = 0; /* it is read without */
	do {
		sink->any = false;
		if (!err)
			err = ops->readdir ? ops->readdir(server, directory, open.handle,
							  sink->next, &sink->sink)
					   : -ESTALE;
	} while (!err && sink->any && !sink->found);
	if (is_open && ops->releasedir)
		ops->releasedir(server, directory, open.handle);
	return err || sink->found ? err : -ESTALE;
}

/* Makes the name of `child` in `parent` known. */
static err_t find_name(const struct vfs_context *context, struct dentry *parent, struct node *child,
		       struct dentry **out)
{
	const struct server_caller caller = server_caller_of(context);
	struct name_sink sink = {.sink = {.emit = emit_name}, .ino = child->attr.ino};
	err_t err = read_names(node_server(child), &caller, parent->node->id, &sink);

	if (!err)
		err = dentry_lookup(parent, (struct server_name){sink.text, sink.len_bytes},
				    context, NULL, out);
	if (err || (*out)->node == child)
		return err;
	dentry_put(*out);
	return -ESTALE;
}

static err_t node_above(struct filesystem *fs, struct node *node, struct node **out)
{
	struct server *server = fs->server;
	uint64_t version = filesystem_attr_version(fs);
	struct server_entry entry;
	err_t err = server->ops->above ? server->ops->above(server, node->id, &entry) : -ESTALE;

	if (err)
		return err;
	if (nodeid_equal(entry.node, SERVER_ROOT)) {
		*out = node_get(fs->root->node);
		return 0;
	}
	err = node_from_entry(fs, &entry, version, out);
	if (err)
		node_refuse_entry(fs, &entry);
	else if (node_type(*out) != S_IFDIR || *out == node)
		err = (node_put(*out), -EIO);
	return err;
}

/* From nodes[0] up, each with a reference, to one of which *top is a name. */
static err_t climb(struct filesystem *fs, struct node **nodes, unsigned *count, struct dentry **top)
{
	struct node *above;
	err_t err;

	*top = NULL;
	while (!*top) {
		if (*count == ABOVE_MAX)
			return -ENAMETOOLONG;
		err = node_above(fs, nodes[*count - 1], &above);
		if (err)
			return err;
		*top = dentry_of_node(above);
		if (*top)
			node_put(above);
		else
			nodes[(*count)++] = above;
	}
	return 0;
}

/* `nodes` has room for ABOVE_MAX. */
static err_t connect_by(const struct vfs_context *context, struct filesystem *fs, struct node *node,
			struct node **nodes, struct dentry **out)
{
	unsigned count = 1;
	struct dentry *top;
	err_t err;

	nodes[0] = node_get(node);
	err = climb(fs, nodes, &count, &top);
	for (unsigned i = count; i-- > 0 && !err;) {
		struct dentry *parent = top;

		err = find_name(context, parent, nodes[i], &top);
		dentry_put(parent);
	}
	for (unsigned i = 0; i < count; i++)
		node_put(nodes[i]);
	*out = err ? NULL : top;
	return err;
}

static err_t connect_directory(const struct vfs_context *context, struct filesystem *fs,
			       struct node *node, struct dentry **out)
{
	size_t bytes = ABOVE_MAX * sizeof(struct node *);
	struct node **nodes = kvmalloc(bytes);
	err_t err = nodes ? -ESTALE : -ENOMEM;

	for (unsigned i = 0; i < TRIES && err == -ESTALE; i++)
		err = connect_by(context, fs, node, nodes, out);
	kvfree(nodes, bytes);
	return err;
}

/* Consumes the reference to the node. */
static err_t find_dentry(const struct vfs_context *context, struct filesystem *fs,
			 struct node *node, struct dentry **out)
{
	bool is_directory = node_type(node) == S_IFDIR;
	err_t err;

	*out = dentry_of_node(node);
	if (*out && !is_directory && read_once(&(*out)->removed)) {
		dentry_put(*out); /* it may have other names */
		*out = NULL;
	}
	if (!*out && !is_directory) {
		*out = dentry_create_nameless(fs, node);
		return *out ? 0 : -ENOMEM;
	}
	err = *out ? 0 : connect_directory(context, fs, node, out);
	node_put(node);
	return err;
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
		err = find_dentry(context, where.mount->fs, node, &place.dentry);
	if (err)
		return err;
	place.mount = mount_get(where.mount);
	return vfs_open_place(context, &place, flags, out);
}
