/*
 * ACCESS (may the caller?), INTERRUPT (the caller of a request that was read already got a signal;
 * not answered unless the driver is to be told again), BMAP (where on its device a file's block
 * lies), DESTROY (the mount is gone).
 */
#include "message.h"

void fuse_ask_access(struct fuse_message *message, struct nodeid node, uint32_t mask)
{
	const struct fuse_access_in in = {.mask = mask};

	fuse_message_begin(message, FUSE_ACCESS, node);
	fuse_message_put(message, &in, sizeof(in));
}

void fuse_ask_interrupt(struct fuse_message *message, uint64_t unique)
{
	const struct fuse_interrupt_in in = {.unique = unique};

	fuse_message_begin(message, FUSE_INTERRUPT, (struct nodeid){0});
	fuse_message_put(message, &in, sizeof(in));
}

void fuse_ask_bmap(struct fuse_message *message, struct nodeid node, uint64_t block,
		   uint32_t block_bytes)
{
	const struct fuse_bmap_in in = {.block = block, .blocksize = block_bytes};

	fuse_message_begin(message, FUSE_BMAP, node);
	fuse_message_put(message, &in, sizeof(in));
	fuse_message_expect(message, sizeof(struct fuse_bmap_out), sizeof(struct fuse_bmap_out));
}

err_t fuse_answer_bmap(const struct fuse_reply *reply, uint64_t *block)
{
	const struct fuse_bmap_out *out = reply->bytes;

	if (reply->len_bytes < sizeof(*out))
		return -EIO;
	*block = out->block;
	return 0;
}

void fuse_ask_destroy(struct fuse_message *message)
{
	fuse_message_begin(message, FUSE_DESTROY, (struct nodeid){0});
}
