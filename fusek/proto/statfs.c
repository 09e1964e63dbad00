/*
 * STATFS: how full the filesystem is.
 */
#include "message.h"

#include <abi/fcntl.h>

#define FUSE_SUPER_MAGIC 0x65735546

void fuse_ask_statfs(struct fuse_message *message, struct nodeid node)
{
	fuse_message_begin(message, FUSE_STATFS, node);
	fuse_message_expect(message, sizeof(struct fuse_kstatfs), sizeof(struct fuse_kstatfs));
}

err_t fuse_answer_statfs(const struct fuse_reply *reply, struct server_statfs *out)
{
	const struct fuse_kstatfs *from = reply->bytes;

	if (reply->len_bytes < sizeof(*from))
		return -EIO;
	*out = (struct server_statfs){.blocks = from->blocks,
				      .blocks_free = from->bfree,
				      .blocks_available = from->bavail,
				      .files = from->files,
				      .files_free = from->ffree,
				      .block_bytes = from->frsize ? from->frsize : from->bsize,
				      .name_bytes = MIN(from->namelen, (uint32_t)NAME_MAX),
				      .magic = FUSE_SUPER_MAGIC};
	return 0;
}
