/*
 * Filesystems: a server with its nodes and names, whatever mounts show it. Owns their numbers. No
 * lock: the references say when one has lost its last mount, and the count of its nodes when
 * nothing of it is in use.
 */
#define LOG_SUBSYSTEM "fusek"
#include "names.h"

#include "notify.h"

#include <fusek/mount.h>
#include <lib/string.h>
#include <mm/slab.h>

static uint32_t last_number; /* atomic */

static err_t get_root_node(struct filesystem *fs, struct node **out)
{
	struct server *server = fs->server;
	struct server_entry entry = {.node = SERVER_ROOT};
	err_t err = server->ops->root ? server->ops->root(server, &entry)
				      : server->ops->getattr(server, SERVER_ROOT, &entry.attr,
							     &entry.attr_valid_ns);

	if (err)
		return err;
	if (!S_ISDIR(entry.attr.mode) && !S_ISREG(entry.attr.mode))
		return -ENOTDIR;
	return node_from_entry(fs, &entry, ATTR_VERSION_NONE, out);
}

static void free_filesystem(struct rcu_head *head)
{
	struct filesystem *fs = container_of(head, struct filesystem, rcu);

	user_namespace_put(fs->user);
	kfree(fs->source);
	kfree(fs);
}

static err_t copy_source(const char *source, char **out)
{
	size_t bytes = strlen(source) + 1;

	*out = kmalloc(bytes);
	if (!*out)
		return -ENOMEM;
	memcpy(*out, source, bytes);
	return 0;
}

const char *filesystem_source(const struct filesystem *fs)
{
	return fs->source ? fs->source : fs->server->source;
}

err_t filesystem_create(struct server *server, const char *source, struct filesystem **out)
{
	struct filesystem *fs = kzalloc(sizeof(*fs));
	struct node *node;
	err_t err;

	if (!fs)
		return -ENOMEM;
	refcount_init(&fs->references);
	fs->server = server;
	fs->user = user_namespace_get(server->user ? server->user : &user_namespace_first);
	fs->attr_version = 1;
	fs->number = atomic_fetch_add_full(&last_number, 1) + 1;
	server->fs_number = fs->number;
	err = source ? copy_source(source, &fs->source) : 0;
	if (!err)
		err = get_root_node(fs, &node);
	if (!err) {
		fs->root = dentry_create_root(fs, node);
		err = fs->root ? 0 : -ENOMEM;
	}
	if (err)
		rcu_call(&fs->rcu, free_filesystem); /* a node that it had may be looked at still */
	else
		*out = fs;
	return err;
}

struct filesystem *filesystem_get(struct filesystem *fs)
{
	refcount_get(&fs->references);
	return fs;
}

void filesystem_put(struct filesystem *fs)
{
	if (!refcount_put(&fs->references))
		return;
	notify_unmount(fs);
	dentry_drop_all(fs);
	write_once(&fs->ending, true);
	dentry_put(fs->root); /* its node may be the last: filesystem_gone() */
}

void filesystem_gone(struct filesystem *fs)
{
	struct server *server = fs->server;

	rcu_call(&fs->rcu, free_filesystem);
	if (server->ops->destroy)
		server->ops->destroy(server);
}
