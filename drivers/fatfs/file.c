/*
 * What is in files. A file that becomes longer gets its clusters and its data first and its size
 * last; one that becomes shorter its size first. So the size on the disk never promises what is not
 * there: a kill in between leaves clusters behind a file's end, or ones that nobody owns.
 */
#include "node.h"

#include <errno.h>
#include <string.h>

#define SIZE_MAX_BYTES UINT32_MAX

static uint32_t clusters_for(const struct volume *volume, uint64_t size_bytes)
{
	return (uint32_t)((size_bytes + volume->cluster_bytes - 1) / volume->cluster_bytes);
}

/* The longest piece of a range that lies together on the disk. */
static int find_piece(struct volume *volume, struct node *node, uint64_t offset, size_t len_bytes,
		      uint64_t *place, size_t *piece_bytes)
{
	struct chain *chain = &node->directory.chain;
	uint32_t bytes = volume->cluster_bytes;
	uint32_t index = (uint32_t)(offset / bytes);
	uint32_t cluster, next;
	int err = chain_at(volume, chain, index, &cluster);

	if (err)
		return err;
	if (!cluster)
		return volume_report(
			volume,
			"directory entry at byte %llu: %u bytes, but its clusters end before",
			(unsigned long long)node->offset, get32(node->entry.size_bytes));
	*place = volume_place(volume, cluster) + offset % bytes;
	*piece_bytes = bytes - offset % bytes;
	while (*piece_bytes < len_bytes) {
		if (chain_at(volume, chain, ++index, &next) || next != ++cluster)
			break; /* an error is told when its turn comes */
		*piece_bytes += bytes;
	}
	if (*piece_bytes > len_bytes)
		*piece_bytes = len_bytes;
	return 0;
}

ssize_t file_read(struct volume *volume, struct node *node, uint64_t offset, void *to,
		  size_t len_bytes)
{
	uint32_t size_bytes = get32(node->entry.size_bytes);
	size_t done = 0, now;
	uint64_t place;
	int err = 0;

	if (offset >= size_bytes)
		return 0;
	if (len_bytes > size_bytes - offset)
		len_bytes = size_bytes - offset;
	while (done < len_bytes && !err) {
		err = find_piece(volume, node, offset + done, len_bytes - done, &place, &now);
		if (!err)
			err = disk_read_data(volume->disk, place, (char *)to + done, now);
		if (!err)
			done += now;
	}
	return done ? (ssize_t)done : err;
}

/* NULL for zeros. */
static int put(struct volume *volume, struct node *node, uint64_t offset, const void *from,
	       uint64_t len_bytes)
{
	static const char zeros[65536];
	size_t now;
	uint64_t place;
	int err = 0;

	while (len_bytes && !err) {
		size_t most = !from && len_bytes > sizeof(zeros) ? sizeof(zeros) : len_bytes;

		err = find_piece(volume, node, offset, most, &place, &now);
		if (!err)
			err = volume_write(volume, place, from ? from : zeros, now);
		if (err)
			break;
		offset += now;
		len_bytes -= now;
		if (from)
			from = (const char *)from + now;
	}
	return err;
}

/* Clusters for a size. *had: how many there were, as far as they are needed. */
static int reserve(struct volume *volume, struct node *node, uint64_t size_bytes, uint32_t *had)
{
	struct chain *chain = &node->directory.chain;
	uint32_t needed = clusters_for(volume, size_bytes);
	int err = chain_length(volume, chain, needed, had);

	if (!err && *had < clusters_for(volume, get32(node->entry.size_bytes)))
		return volume_report(
			volume, "directory entry at byte %llu: %u bytes, but only %u clusters",
			(unsigned long long)node->offset, get32(node->entry.size_bytes), *had);
	return err || *had == needed ? err : chain_grow(volume, chain, *had, needed - *had);
}

static int set_size(struct volume *volume, struct node *node, uint64_t size_bytes)
{
	put32(node->entry.size_bytes, (uint32_t)size_bytes);
	entry_set_cluster(volume, &node->entry, node->directory.chain.first);
	return node_write_entry(volume, node);
}

/* A longer file: zeros from its old end to `offset`, then len_bytes of data, then the size. */
static int extend(struct volume *volume, struct node *node, uint64_t offset, const void *from,
		  size_t len_bytes)
{
	uint32_t old_bytes = get32(node->entry.size_bytes), had;
	int err = reserve(volume, node, offset + len_bytes, &had);

	if (err)
		return err;
	if (offset > old_bytes)
		err = put(volume, node, old_bytes, NULL, offset - old_bytes);
	if (!err)
		err = put(volume, node, offset, from, len_bytes);
	if (!err)
		err = set_size(volume, node, offset + len_bytes);
	if (err) {
		put32(node->entry.size_bytes, old_bytes);
		(void)!chain_cut(volume, &node->directory.chain, had);
		entry_set_cluster(volume, &node->entry, node->directory.chain.first);
	}
	return err;
}

int file_write(struct volume *volume, struct node *node, uint64_t offset, const void *from,
	       size_t len_bytes)
{
	node->entry.attributes |= ATTRIBUTE_ARCHIVE;
	if (!len_bytes)
		return 0;
	if (offset > SIZE_MAX_BYTES || len_bytes > SIZE_MAX_BYTES - offset)
		return -EFBIG;
	if (offset + len_bytes > get32(node->entry.size_bytes))
		return extend(volume, node, offset, from, len_bytes);
	return put(volume, node, offset, from, len_bytes);
}

static int shorten(struct volume *volume, struct node *node, uint64_t size_bytes)
{
	struct chain *chain = &node->directory.chain;
	struct fat_entry old = node->entry;
	uint32_t first = chain->first;
	int err;

	if (!size_bytes)
		chain->first = 0; /* of what the entry says; the chain itself goes after it */
	err = set_size(volume, node, size_bytes);
	chain->first = first;
	if (err)
		node->entry = old;
	return err ? err : chain_cut(volume, chain, clusters_for(volume, size_bytes));
}

int file_resize(struct volume *volume, struct node *node, uint64_t size_bytes)
{
	uint32_t old_bytes = get32(node->entry.size_bytes);

	if (size_bytes > SIZE_MAX_BYTES)
		return -EFBIG;
	node->entry.attributes |= ATTRIBUTE_ARCHIVE;
	if (size_bytes < old_bytes || (!size_bytes && node->directory.chain.first))
		return shorten(volume, node, size_bytes);
	return size_bytes > old_bytes ? extend(volume, node, size_bytes, NULL, 0) : 0;
}
