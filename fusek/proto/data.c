/*
 * READ and WRITE. READ's reply is the bytes, fewer at the end of the file. WRITE's payload follows
 * its arguments; the reply is how many were taken. Both sets of arguments end before `lock_owner`
 * for drivers below minor 9.
 */
#include "message.h"

void fuse_ask_read(const struct fuse_session *session, struct fuse_message *message,
		   struct nodeid node, uint64_t handle, uint64_t offset_bytes, uint32_t size_bytes,
		   unsigned flags)
{
	const struct fuse_read_in in = {
		.fh = handle, .offset = offset_bytes, .size = size_bytes, .flags = flags};

	fuse_message_begin(message, FUSE_READ, node);
	fuse_message_put(message, &in,
			 session->minor < 9 ? FUSE_COMPAT_READ_WRITE_IN_SIZE : sizeof(in));
	fuse_message_expect(message, 0, size_bytes);
}

void fuse_ask_write(const struct fuse_session *session, struct fuse_message *message,
		    struct nodeid node, uint64_t handle, uint64_t offset_bytes, uint32_t size_bytes,
		    unsigned flags, uint32_t write_flags)
{
	const struct fuse_write_in in = {.fh = handle,
					 .offset = offset_bytes,
					 .size = size_bytes,
					 .write_flags = write_flags,
					 .flags = flags};

	fuse_message_begin(message, FUSE_WRITE, node);
	fuse_message_put(message, &in,
			 session->minor < 9 ? FUSE_COMPAT_READ_WRITE_IN_SIZE : sizeof(in));
	message->payload_bytes = size_bytes;
	fuse_message_expect(message, sizeof(struct fuse_write_out), sizeof(struct fuse_write_out));
}

ssize_t fuse_answer_write(const struct fuse_reply *reply, uint32_t size_bytes)
{
	const struct fuse_write_out *out = reply->bytes;

	if (reply->len_bytes < sizeof(*out) || out->size > size_bytes)
		return -EIO;
	return out->size;
}
