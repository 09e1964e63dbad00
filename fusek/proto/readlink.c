/*
 * READLINK: no arguments; the reply is the target's bytes, without a NUL, shorter than a page.
 */
#include "message.h"

#include <lib/string.h>

void fuse_ask_readlink(struct fuse_message *message, struct nodeid node)
{
	fuse_message_begin(message, FUSE_READLINK, node);
	fuse_message_expect(message, 0, PAGE_SIZE - 1);
}

ssize_t fuse_answer_readlink(const struct fuse_reply *reply, char *to, size_t to_bytes)
{
	size_t len_bytes = MIN((size_t)reply->len_bytes, to_bytes);

	if (memchr(reply->bytes, 0, reply->len_bytes))
		return -EIO;
	memcpy(to, reply->bytes, len_bytes);
	return (ssize_t)len_bytes;
}
