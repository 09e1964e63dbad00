/*
 * ACCESS (may the caller?), INTERRUPT (the caller of a request that was read already got a signal;
 * not answered unless the driver is to be told again), BMAP (where on its device a file's block
 * lies), DESTROY (the mount is gone), NOTIFY_REPLY (what the page cache has, for who asked for it).
 */
#include "message.h"

#include <abi/fuse_notify.h>

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

void fuse_ask_notify_reply(struct fuse_message *message, struct nodeid node, uint64_t offset_bytes,
			   uint32_t size_bytes)
{
	const struct fuse_notify_retrieve_in in = {.offset = offset_bytes, .size = size_bytes};

	fuse_message_begin(message, FUSE_NOTIFY_REPLY, node);
	fuse_message_put(message, &in, sizeof(in));
	message->payload_bytes = size_bytes;
}
