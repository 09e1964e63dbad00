/*
 * STATFS: how full the filesystem is.
 */
#include "message.h"

#include <abi/fcntl.h>
#include <lib/string.h>

#define FUSE_SUPER_MAGIC 0x65735546

void fuse_ask_statfs(const struct fuse_session *session, struct fuse_message *message,
		     struct nodeid node)
{
	size_t reply_bytes =
		session->minor < 4 ? FUSE_COMPAT_STATFS_SIZE : sizeof(struct fuse_kstatfs);

	fuse_message_begin(message, FUSE_STATFS, node);
	fuse_message_expect(message, reply_bytes, reply_bytes);
}

err_t fuse_answer_statfs(const struct fuse_reply *reply, struct server_statfs *out)
{
	struct fuse_kstatfs from = {0};

	if (reply->len_bytes < FUSE_COMPAT_STATFS_SIZE)
		return -EIO;
	memcpy(&from, reply->bytes, MIN((size_t)reply->len_bytes, sizeof(from)));
	*out = (struct server_statfs){.blocks = from.blocks,
				      .blocks_free = from.bfree,
				      .blocks_available = from.bavail,
				      .files = from.files,
				      .files_free = from.ffree,
				      .block_bytes = from.frsize ? from.frsize : from.bsize,
				      .name_bytes = MIN(from.namelen, (uint32_t)NAME_MAX),
				      .magic = FUSE_SUPER_MAGIC};
	return 0;
}
