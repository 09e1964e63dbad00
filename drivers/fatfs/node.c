/*
 * Nodes: which there are, and when they go. A node that was renamed keeps its ino; should another
 * entry come to its old place while it lives, that one gets a number of which the disk has none.
 */
#include "node.h"

#include "times.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- which there are ---- */

struct node *node_known(const struct volume *volume, uint64_t offset)
{
	struct hash_link *link = hash_find(&volume->by_offset, offset);

	return link ? hash_entry(link, struct node, by_offset) : NULL;
}

static struct node *node_new(struct volume *volume, struct node *parent, uint64_t offset)
{
	struct node *node = calloc(1, sizeof(*node));
	uint64_t ino = offset ? offset / ENTRY_BYTES : 1; /* the root's: where the boot sector is */

	if (!node)
		return NULL;
	node->ino = hash_find(&volume->by_ino, ino) ? volume->ino_next++ : ino;
	hash_insert(&volume->by_ino, &node->by_ino, node->ino);
	node->parent = parent;
	if (parent)
		parent->nusers++;
	node->offset = offset;
	if (offset)
		hash_insert(&volume->by_offset, &node->by_offset, offset);
	node->nlookups = 1;
	return node;
}

int node_mount(struct volume *volume)
{
	int err = hash_init(&volume->by_ino);

	if (!err)
		err = hash_init(&volume->by_offset);
	volume->ino_next = volume->disk->len_bytes / ENTRY_BYTES + 1;
	volume->root = err ? NULL : node_new(volume, NULL, 0);
	if (!volume->root) {
		hash_destroy(&volume->by_ino);
		hash_destroy(&volume->by_offset);
		return -ENOMEM;
	}
	volume->root->entry.attributes = ATTRIBUTE_DIRECTORY;
	volume->root->directory.is_region = volume->width != 32;
	chain_init(&volume->root->directory.chain, volume->root_cluster);
	return 0;
}

/* Takes it out of the world; its parent may be unused then. */
static void node_free(struct volume *volume, struct node *node)
{
	(void)!node_flush(volume, node);
	if (node->is_removed) /* what is wrong with the chain has been reported */
		(void)!chain_cut(volume, &node->directory.chain, 0);
	if (node->offset)
		hash_remove(&volume->by_offset, &node->by_offset);
	chain_destroy(&node->directory.chain);
	free(node);
}

void node_unmount(struct volume *volume)
{
	struct hash_link *link;

	while ((link = hash_take(&volume->by_ino)))
		node_free(volume, hash_entry(link, struct node, by_ino));
	hash_destroy(&volume->by_ino);
	hash_destroy(&volume->by_offset);
	volume->root = NULL;
}

static void free_if_unused(struct volume *volume, struct node *node)
{
	while (node && !node->nlookups && !node->nusers && node != volume->root) {
		struct node *parent = node->parent;

		hash_remove(&volume->by_ino, &node->by_ino);
		node_free(volume, node);
		node = parent;
		if (node)
			node->nusers--;
	}
}

void node_forget(struct volume *volume, struct node *node, uint64_t nlookups)
{
	node->nlookups -= nlookups < node->nlookups ? nlookups : node->nlookups;
	free_if_unused(volume, node);
}

void node_hold(struct node *node)
{
	node->nusers++;
}

void node_release(struct volume *volume, struct node *node)
{
	node->nusers--;
	free_if_unused(volume, node);
}

void node_move(struct volume *volume, struct node *node, struct node *parent, uint64_t offset,
	       uint32_t first_slot, uint32_t slot)
{
	struct node *old = node->parent;

	if (node->offset)
		hash_remove(&volume->by_offset, &node->by_offset);
	node->offset = offset;
	if (offset)
		hash_insert(&volume->by_offset, &node->by_offset, offset);
	node->first_slot = first_slot;
	node->slot = slot;
	node->parent = parent;
	parent->nusers++;
	old->nusers--;
	free_if_unused(volume, old);
}

/* ---- from an entry ---- */

/* A directory that is its own ancestor would have no end. */
static int check_directory(struct volume *volume, const struct node *parent,
			   const struct found *found)
{
	uint32_t cluster = entry_cluster(volume, &found->entry);

	if (!volume_has(volume, cluster))
		return volume_report(
			volume, "directory entry at byte %llu: a directory at cluster %u, of %u",
			(unsigned long long)found->offset, cluster, volume->nclusters + 1);
	for (; parent; parent = parent->parent) {
		if (!parent->directory.is_region && parent->directory.chain.first == cluster)
			return volume_report(
				volume,
				"directory entry at byte %llu: cluster %u is a directory above",
				(unsigned long long)found->offset, cluster);
	}
	return 0;
}

int node_get(struct volume *volume, struct node *parent, const struct found *found,
	     struct node **out)
{
	struct node *node = node_known(volume, found->offset);
	int err;

	if (node && node->parent != parent)
		return volume_report(volume,
				     "directory entry at byte %llu: it is in two directories",
				     (unsigned long long)found->offset);
	if (node) {
		node->nlookups++;
		*out = node;
		return 0;
	}
	if (found->entry.attributes & ATTRIBUTE_DIRECTORY) {
		err = check_directory(volume, parent, found);
		if (err)
			return err;
	}
	node = node_new(volume, parent, found->offset);
	if (!node)
		return -ENOMEM;
	node->first_slot = found->first_slot;
	node->slot = found->slot;
	node->entry = found->entry;
	chain_init(&node->directory.chain, entry_cluster(volume, &found->entry));
	*out = node;
	return 0;
}

int node_lookup(struct volume *volume, struct node *parent, const char *name, struct node **out)
{
	struct found found;
	struct name wanted;
	int err;

	if (!node_is_directory(parent))
		return -ENOTDIR;
	if (parent->is_removed)
		return -ENOENT;
	err = name_from_utf8(name, &wanted);
	if (err)
		return err == -EINVAL ? -ENOENT : err; /* what cannot be a name is none */
	err = directory_find(volume, &parent->directory, &wanted, &found);
	return err ? err : node_get(volume, parent, &found, out);
}

/* ---- what an entry says ---- */

int node_size(struct volume *volume, struct node *node, uint32_t *size_bytes)
{
	uint32_t length;
	int err;

	*size_bytes = get32(node->entry.size_bytes);
	if (!node_is_directory(node))
		return 0;
	*size_bytes = volume->root_slots * ENTRY_BYTES;
	if (node->directory.is_region)
		return 0;
	err = chain_length(volume, &node->directory.chain,
			   DIRECTORY_SLOTS * ENTRY_BYTES / volume->cluster_bytes, &length);
	if (!err)
		*size_bytes = length * volume->cluster_bytes;
	return err;
}

int node_write_entry(struct volume *volume, struct node *node)
{
	int err;

	if (!node->offset)
		return 0;
	err = volume_write(volume, node->offset, &node->entry, sizeof(node->entry));
	if (!err)
		node->is_touched = false;
	return err;
}

int node_flush(struct volume *volume, struct node *node)
{
	return node->is_touched ? node_write_entry(volume, node) : 0;
}

struct node_times node_times(const struct volume *volume, const struct node *node)
{
	const struct fat_entry *entry = &node->entry;
	int offset_min = volume->time_offset_min;

	if (!node->parent) /* the root has no entry */
		return (struct node_times){{0}, {0}, {0}};
	return (struct node_times){
		.accessed = time_from_disk(get16(entry->accessed_date), 0, 0, offset_min),
		.modified = time_from_disk(get16(entry->modified_date), get16(entry->modified_time),
					   0, offset_min),
		.created = time_from_disk(get16(entry->created_date), get16(entry->created_time),
					  entry->created_10ms, offset_min)};
}

void node_set_times(struct volume *volume, struct node *node, const struct timespec *accessed,
		    const struct timespec *modified)
{
	uint16_t date, of_day;

	if (accessed) {
		time_to_disk(*accessed, volume->time_offset_min, &date, &of_day, NULL);
		put16(node->entry.accessed_date, date);
	}
	if (modified) {
		time_to_disk(*modified, volume->time_offset_min, &date, &of_day, NULL);
		put16(node->entry.modified_date, date);
		put16(node->entry.modified_time, of_day);
	}
	node->is_touched = true;
}
