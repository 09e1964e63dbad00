/*
 * The texts of links, kept with their nodes where the server allows that (FUSE_CACHE_SYMLINKS). No
 * state of its own; a node's attr_lock guards its text.
 */
#include "names.h"

#include <abi/errno.h>
#include <lib/string.h>
#include <mm/slab.h>

/* -ENOENT: it is not kept. */
static ssize_t copy_kept(struct node *node, char *to, size_t to_bytes)
{
	ssize_t len_bytes = -ENOENT;

	spin_lock(&node->attr_lock);
	if (node->link) {
		len_bytes = (ssize_t)MIN(strlen(node->link), to_bytes);
		memcpy(to, node->link, (size_t)len_bytes);
	}
	spin_unlock(&node->attr_lock);
	return len_bytes;
}

/* What was read after `version`; no memory for it is no matter. */
static void keep(struct node *node, const char *text, size_t len_bytes, uint64_t version)
{
	char *copy = kzalloc(len_bytes + 1);

	if (!copy)
		return;
	memcpy(copy, text, len_bytes);
	spin_lock(&node->attr_lock);
	if (!node->link && node->attr_version <= version) {
		node->link = copy;
		copy = NULL;
	}
	spin_unlock(&node->attr_lock);
	kfree(copy);
}

ssize_t node_readlink(struct node *node, char *to, size_t to_bytes)
{
	struct server *server = node_server(node);
	bool keeps = read_once(&server->agreed) & SERVER_KEEPS_LINKS;
	ssize_t len_bytes = keeps ? copy_kept(node, to, to_bytes) : -ENOENT;
	uint64_t version;

	if (len_bytes >= 0)
		return len_bytes;
	version = filesystem_attr_version(node->fs);
	len_bytes = server->ops->readlink(server, node->id, to, to_bytes);
	/* What fills the room may be cut. */
	if (keeps && len_bytes >= 0 && (size_t)len_bytes < to_bytes)
		keep(node, to, (size_t)len_bytes, version);
	return len_bytes;
}

void node_forget_link(struct node *node)
{
	char *text;

	spin_lock(&node->attr_lock);
	text = node->link;
	node->link = NULL;
	spin_unlock(&node->attr_lock);
	kfree(text);
}
