/*
 * FORGET and BATCH_FORGET (since minor 16): how many look-ups of which nodes are taken back. Never
 * answered.
 */
#include "message.h"

void fuse_ask_forget(struct fuse_message *message, struct nodeid node, uint64_t nlookup)
{
	const struct fuse_forget_in in = {.nlookup = nlookup};

	fuse_message_begin(message, FUSE_FORGET, node);
	fuse_message_put(message, &in, sizeof(in));
}

void fuse_ask_batch_forget(struct fuse_message *message, const struct fuse_forget_one *nodes,
			   uint32_t count)
{
	const struct fuse_batch_forget_in in = {.count = count};

	fuse_message_begin(message, FUSE_BATCH_FORGET, (struct nodeid){0});
	fuse_message_put(message, &in, sizeof(in));
	fuse_message_put(message, nodes, count * sizeof(*nodes));
}
