/*
 * GETATTR: by node, or (since minor 9, which has arguments) by an open file of it. The reply is the
 * attributes and for how long they hold.
 */
#include "message.h"

void fuse_ask_getattr(const struct fuse_session *session, struct fuse_message *message,
		      struct nodeid node, const uint64_t *handle)
{
	const struct fuse_getattr_in in = {.getattr_flags = handle ? FUSE_GETATTR_FH : 0,
					   .fh = handle ? *handle : 0};

	fuse_message_begin(message, FUSE_GETATTR, node);
	if (session->minor >= 9)
		fuse_message_put(message, &in, sizeof(in));
	fuse_message_expect_attr(session, message);
}
