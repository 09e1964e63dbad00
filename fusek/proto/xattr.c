/*
 * Extended attributes. SETXATTR: the name behind its arguments, the value as the payload. GETXATTR
 * and LISTXATTR: how much there is room for; the reply is the bytes, or a size where there was room
 * for none. A list is names, each with its NUL. REMOVEXATTR: a name.
 */
#include "message.h"

#include <abi/xattr.h>
#include <lib/string.h>

static void put_text(struct fuse_message *message, const char *text)
{
	fuse_message_put(message, text, strlen(text) + 1);
}

void fuse_ask_setxattr(const struct fuse_session *session, struct fuse_message *message,
		       struct nodeid node, const char *name, uint32_t value_bytes, uint32_t flags)
{
	const struct fuse_setxattr_in in = {.size = value_bytes,
					    .flags = flags & ~SERVER_ACL_KILLS_GROUP_ID,
					    .setxattr_flags = flags & SERVER_ACL_KILLS_GROUP_ID
								      ? FUSE_SETXATTR_ACL_KILL_SGID
								      : 0};

	fuse_message_begin(message, FUSE_SETXATTR, node);
	fuse_message_put(message, &in,
			 session->flags & FUSE_SETXATTR_EXT ? sizeof(in)
							    : FUSE_COMPAT_SETXATTR_IN_SIZE);
	put_text(message, name);
	message->payload_bytes = value_bytes;
}

static void ask_for_bytes(struct fuse_message *message, uint32_t opcode, struct nodeid node,
			  uint32_t room_bytes)
{
	const struct fuse_getxattr_in in = {.size = room_bytes};

	fuse_message_begin(message, opcode, node);
	fuse_message_put(message, &in, sizeof(in));
	if (room_bytes)
		fuse_message_expect(message, 0, room_bytes);
	else
		fuse_message_expect(message, sizeof(struct fuse_getxattr_out),
				    sizeof(struct fuse_getxattr_out));
}

void fuse_ask_getxattr(struct fuse_message *message, struct nodeid node, const char *name,
		       uint32_t room_bytes)
{
	ask_for_bytes(message, FUSE_GETXATTR, node, room_bytes);
	put_text(message, name);
}

void fuse_ask_listxattr(struct fuse_message *message, struct nodeid node, uint32_t room_bytes)
{
	ask_for_bytes(message, FUSE_LISTXATTR, node, room_bytes);
}

void fuse_ask_removexattr(struct fuse_message *message, struct nodeid node, const char *name)
{
	fuse_message_begin(message, FUSE_REMOVEXATTR, node);
	put_text(message, name);
}

ssize_t fuse_answer_getxattr(const struct fuse_reply *reply, void *to, size_t room_bytes)
{
	const struct fuse_getxattr_out *out = reply->bytes;

	if (!room_bytes) {
		if (reply->len_bytes < sizeof(*out))
			return -EIO;
		return (ssize_t)MIN(out->size, (uint32_t)XATTR_SIZE_MAX);
	}
	if (reply->len_bytes > room_bytes)
		return -EIO;
	memcpy(to, reply->bytes, reply->len_bytes);
	return (ssize_t)reply->len_bytes;
}

/* Names that are not empty, each with its NUL, up to the end. */
static bool is_list(const char *text, size_t len_bytes)
{
	while (len_bytes) {
		size_t name_bytes = strnlen(text, len_bytes);

		if (!name_bytes || name_bytes == len_bytes)
			return false;
		text += name_bytes + 1;
		len_bytes -= name_bytes + 1;
	}
	return true;
}

ssize_t fuse_answer_listxattr(const struct fuse_reply *reply, char *to, size_t room_bytes)
{
	if (room_bytes && !is_list(reply->bytes, reply->len_bytes))
		return -EIO;
	return fuse_answer_getxattr(reply, to, room_bytes);
}
