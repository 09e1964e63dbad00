/*
 * SYMLINK, MKNOD, MKDIR, LINK: what makes a name. The reply is the entry of what has it now, which
 * counts one look-up.
 *
 *	SYMLINK  name\0 | payload: target\0
 *	MKNOD    fuse_mknod_in (8 bytes before minor 12), name\0
 *	MKDIR    fuse_mkdir_in, name\0
 *	LINK     fuse_link_in (the node), name\0
 */
#include "message.h"

void fuse_ask_symlink(const struct fuse_session *session, struct fuse_message *message,
		      struct nodeid parent, struct server_name name, size_t target_bytes)
{
	fuse_message_begin(message, FUSE_SYMLINK, parent);
	fuse_message_put_name(message, name);
	message->payload_bytes = (uint32_t)target_bytes;
	fuse_message_expect_entry(session, message, 0);
}

static uint32_t packed_device(uint64_t rdev)
{
	uint32_t major = abi_major(rdev), minor = abi_minor(rdev);

	return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}

void fuse_ask_mknod(const struct fuse_session *session, struct fuse_message *message,
		    struct nodeid parent, struct server_name name, uint32_t mode, uint64_t rdev,
		    uint32_t umask)
{
	const struct fuse_mknod_in in = {.mode = mode, .rdev = packed_device(rdev), .umask = umask};

	fuse_message_begin(message, FUSE_MKNOD, parent);
	fuse_message_put(message, &in,
			 session->minor < 12 ? FUSE_COMPAT_MKNOD_IN_SIZE : sizeof(in));
	fuse_message_put_name(message, name);
	fuse_message_expect_entry(session, message, 0);
}

void fuse_ask_mkdir(const struct fuse_session *session, struct fuse_message *message,
		    struct nodeid parent, struct server_name name, uint32_t mode, uint32_t umask)
{
	const struct fuse_mkdir_in in = {.mode = mode, .umask = umask};

	fuse_message_begin(message, FUSE_MKDIR, parent);
	fuse_message_put(message, &in, sizeof(in));
	fuse_message_put_name(message, name);
	fuse_message_expect_entry(session, message, 0);
}

void fuse_ask_link(const struct fuse_session *session, struct fuse_message *message,
		   struct nodeid node, struct nodeid parent, struct server_name name)
{
	const struct fuse_link_in in = {.oldnodeid = node.value};

	fuse_message_begin(message, FUSE_LINK, parent);
	fuse_message_put(message, &in, sizeof(in));
	fuse_message_put_name(message, name);
	fuse_message_expect_entry(session, message, 0);
}
