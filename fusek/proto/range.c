/*
 * Operations on a part of an open file. FALLOCATE: the reply is an error alone. LSEEK: where data
 * or a hole begins. COPY_FILE_RANGE, and its form with 64 bits, of the file that the request is for
 * into another: how many bytes were copied.
 */
#include "message.h"

void fuse_ask_fallocate(struct fuse_message *message, struct nodeid node, uint64_t handle,
			uint32_t mode, uint64_t offset_bytes, uint64_t len_bytes)
{
	const struct fuse_fallocate_in in = {
		.fh = handle, .offset = offset_bytes, .length = len_bytes, .mode = mode};

	fuse_message_begin(message, FUSE_FALLOCATE, node);
	fuse_message_put(message, &in, sizeof(in));
}

void fuse_ask_lseek(struct fuse_message *message, struct nodeid node, uint64_t handle,
		    uint64_t offset_bytes, int whence)
{
	const struct fuse_lseek_in in = {
		.fh = handle, .offset = offset_bytes, .whence = (uint32_t)whence};

	fuse_message_begin(message, FUSE_LSEEK, node);
	fuse_message_put(message, &in, sizeof(in));
	fuse_message_expect(message, sizeof(struct fuse_lseek_out), sizeof(struct fuse_lseek_out));
}

err_t fuse_answer_lseek(const struct fuse_reply *reply, uint64_t *offset_bytes)
{
	const struct fuse_lseek_out *out = reply->bytes;

	if (reply->len_bytes < sizeof(*out) || out->offset > INT64_MAX)
		return -EIO;
	*offset_bytes = out->offset;
	return 0;
}

void fuse_ask_copy_file_range(struct fuse_message *message, const struct server_copy *copy,
			      uint64_t from_handle, uint64_t to_handle, bool wide)
{
	size_t reply_bytes =
		wide ? sizeof(struct fuse_copy_file_range_out) : sizeof(struct fuse_write_out);
	const struct fuse_copy_file_range_in in = {.fh_in = from_handle,
						   .off_in = copy->from_bytes,
						   .nodeid_out = copy->to_node.value,
						   .fh_out = to_handle,
						   .off_out = copy->to_bytes,
						   .len = copy->len_bytes};

	fuse_message_begin(message, wide ? FUSE_COPY_FILE_RANGE_64 : FUSE_COPY_FILE_RANGE,
			   copy->from_node);
	fuse_message_put(message, &in, sizeof(in));
	fuse_message_expect(message, reply_bytes, reply_bytes);
}

ssize_t fuse_answer_copy_file_range(const struct fuse_reply *reply, const struct server_copy *copy,
				    bool wide)
{
	const struct fuse_copy_file_range_out *out = reply->bytes;

	if (!wide)
		return fuse_answer_write(reply, copy->len_bytes);
	if (reply->len_bytes < sizeof(*out) || out->bytes_copied > copy->len_bytes)
		return -EIO;
	return (ssize_t)out->bytes_copied;
}
