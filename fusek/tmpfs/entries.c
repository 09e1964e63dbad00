/*
 * The names of one tmpfs directory, in two orders: by hash and name for finding, by cookie for
 * reading. Cookies count up and are never used again, so reading goes on at the right place
 * whatever was made or removed meanwhile. tree_lock is held by all callers.
 */
#include "inode.h"

#include <lib/string.h>
#include <mm/slab.h>

static uint32_t hash_of(struct server_name name)
{
	uint32_t hash = UINT32_C(2166136261); /* FNV-1a; equal hashes only cost a comparison */

	for (size_t i = 0; i < name.len_bytes; i++)
		hash = (hash ^ (uint8_t)name.text[i]) * UINT32_C(16777619);
	return hash;
}

static int compare(uint32_t hash, struct server_name name, const struct tmpfs_entry *entry)
{
	if (hash != entry->hash)
		return hash < entry->hash ? -1 : 1;
	if (name.len_bytes != entry->len_bytes)
		return name.len_bytes < entry->len_bytes ? -1 : 1;
	return memcmp(name.text, entry->text, name.len_bytes);
}

static struct tmpfs_entry *of_name(struct tree_node *node)
{
	return container_of(node, struct tmpfs_entry, by_name);
}

static struct tmpfs_entry *of_cookie(struct tree_node *node)
{
	return container_of(node, struct tmpfs_entry, by_cookie);
}

struct tmpfs_entry *tmpfs_entry_create(struct server_name name, struct tmpfs_inode *inode)
{
	struct tmpfs_entry *entry = kzalloc(sizeof(*entry) + name.len_bytes);

	if (!entry)
		return NULL;
	entry->inode = inode;
	entry->hash = hash_of(name);
	entry->len_bytes = (uint16_t)name.len_bytes;
	memcpy(entry->text, name.text, name.len_bytes);
	return entry;
}

struct tmpfs_entry *tmpfs_entry_find(const struct tmpfs_inode *directory, struct server_name name)
{
	struct tree_node *at = directory->by_name.root;
	uint32_t hash = hash_of(name);

	while (at) {
		int order = compare(hash, name, of_name(at));

		if (order == 0)
			return of_name(at);
		at = order < 0 ? at->left : at->right;
	}
	return NULL;
}

struct tmpfs_entry *tmpfs_entry_after(const struct tmpfs_inode *directory, uint64_t cookie)
{
	struct tree_node *at = directory->by_cookie.root;
	struct tmpfs_entry *best = NULL;

	while (at) {
		if (of_cookie(at)->cookie > cookie) {
			best = of_cookie(at);
			at = at->left;
		} else {
			at = at->right;
		}
	}
	return best;
}

void tmpfs_entry_add(struct tmpfs_inode *directory, struct tmpfs_entry *entry)
{
	const struct server_name name = {.text = entry->text, .len_bytes = entry->len_bytes};
	struct tree_node **at = &directory->by_name.root, *parent = NULL;

	while (*at) {
		parent = *at;
		at = compare(entry->hash, name, of_name(parent)) < 0 ? &parent->left
								     : &parent->right;
	}
	tree_insert(&directory->by_name, &entry->by_name, parent, at);

	/* The newest cookie is the highest: to the right of all. */
	entry->cookie = ++directory->last_cookie;
	parent = tree_last(&directory->by_cookie);
	tree_insert(&directory->by_cookie, &entry->by_cookie, parent,
		    parent ? &parent->right : &directory->by_cookie.root);
}

void tmpfs_entry_remove(struct tmpfs_inode *directory, struct tmpfs_entry *entry)
{
	tree_remove(&directory->by_name, &entry->by_name);
	tree_remove(&directory->by_cookie, &entry->by_cookie);
}
