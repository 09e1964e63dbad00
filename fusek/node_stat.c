/*
 * What a node's attributes are for programs: cached where they hold, else asked for.
 */
#include "open_file.h"

void vfs_fill_stat(const struct node *node, const struct server_attr *attr, struct abi_stat *out)
{
	/* Every field, so that nothing is cleared first. */
	out->st_dev = abi_makedev(0, node->fs->number);
	out->st_ino = attr->ino;
	out->st_nlink = attr->nlink;
	out->st_mode = attr->mode;
	out->st_uid = attr->uid;
	out->st_gid = attr->gid;
	out->padding = 0;
	out->st_rdev = attr->rdev;
	out->st_size = (int64_t)attr->size_bytes;
	out->st_blksize = attr->block_bytes ? attr->block_bytes : (int64_t)PAGE_SIZE;
	out->st_blocks = (int64_t)attr->blocks;
	out->st_atim = attr->atime;
	out->st_mtim = attr->mtime;
	out->st_ctim = attr->ctime;
	out->unused[0] = 0;
	out->unused[1] = 0;
	out->unused[2] = 0;
}

bool node_stat_cached(const struct node *node, struct abi_stat *out)
{
	uint32_t begun;

	do {
		begun = seqcount_read_begin(&node->attr_changes);
		if (!still_valid(read_once(&node->attr_valid_until_ns)) &&
		    node_server(node)->ops->getattr)
			return false;
		vfs_fill_stat(node, &node->attr, out);
	} while (seqcount_changed(&node->attr_changes, begun));
	return true;
}

static NOINLINE err_t ask_stat(struct node *node, const struct handle *handle, struct abi_stat *out)
{
	struct server_attr attr;
	err_t err = node_attr_by(node, handle, &attr);

	if (!err)
		vfs_fill_stat(node, &attr, out);
	return err;
}

err_t node_stat(struct node *node, const struct handle *handle, struct abi_stat *out)
{
	return node_stat_cached(node, out) ? 0 : ask_stat(node, handle, out);
}

static NOINLINE err_t ask_size(struct node *node, uint64_t *size_bytes)
{
	struct server_attr attr;
	err_t err = node_attr(node, &attr);

	if (!err)
		*size_bytes = attr.size_bytes;
	return err;
}

err_t node_size(struct node *node, uint64_t *size_bytes)
{
	uint32_t begun;

	do {
		begun = seqcount_read_begin(&node->attr_changes);
		if (!still_valid(read_once(&node->attr_valid_until_ns)))
			return ask_size(node, size_bytes);
		*size_bytes = node->attr.size_bytes;
	} while (seqcount_changed(&node->attr_changes, begun));
	return 0;
}
