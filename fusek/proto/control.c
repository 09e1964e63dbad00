/*
 * ACCESS (may the caller?), INTERRUPT (the caller of a request that was read already got a signal;
 * not answered unless the driver is to be told again).
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
