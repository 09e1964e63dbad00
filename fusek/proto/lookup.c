/*
 * LOOKUP: the name with its NUL; the reply is an entry, which counts one look-up of its node. A
 * node of 0 with a time-out says that the name does not exist, and may be kept.
 */
#include "message.h"

void fuse_ask_lookup(const struct fuse_session *session, struct fuse_message *message,
		     struct nodeid parent, struct server_name name)
{
	fuse_message_begin(message, FUSE_LOOKUP, parent);
	fuse_message_put_name(message, name);
	fuse_message_expect_entry(session, message, 0);
}
