/*
 * What a driver does with a part of an open file: making room, finding holes, copying.
 */
#include "server_priv.h"

err_t driver_fallocate(struct server *server, struct nodeid node, struct handle handle,
		       unsigned mode, uint64_t offset_bytes, uint64_t len_bytes)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, NULL);

	if (err)
		return err;
	call.request.handle = handle_of(handle);
	fuse_ask_fallocate(call.message, node, fh_of(handle), mode, offset_bytes, len_bytes);
	return driver_end(&call, NULL, NULL);
}

static err_t decode_lseek(const struct fuse_session *session, const struct fuse_reply *reply,
			  void *out)
{
	(void)session;
	return fuse_answer_lseek(reply, out);
}

err_t driver_lseek(struct server *server, struct nodeid node, struct handle handle,
		   uint64_t offset_bytes, int whence, uint64_t *found_bytes)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, NULL);

	if (err)
		return err;
	call.request.handle = handle_of(handle);
	fuse_ask_lseek(call.message, node, fh_of(handle), offset_bytes, whence);
	return driver_end(&call, decode_lseek, found_bytes);
}

struct copied {
	const struct server_copy *asked;
	bool wide;
	ssize_t done_bytes;
};

static err_t decode_copied(const struct fuse_session *session, const struct fuse_reply *reply,
			   void *out)
{
	struct copied *copied = out;

	(void)session;
	copied->done_bytes = fuse_answer_copy_file_range(reply, copied->asked, copied->wide);
	return copied->done_bytes < 0 ? (err_t)copied->done_bytes : 0;
}

static ssize_t copy_in_form(struct server *server, const struct server_copy *copy, bool wide)
{
	struct copied copied = {.asked = copy, .wide = wide};
	struct driver_call call;
	err_t err = driver_begin(&call, server, NULL);

	if (err)
		return err;
	call.request.handle = handle_of(copy->from);
	call.request.to_handle = handle_of(copy->to);
	fuse_ask_copy_file_range(call.message, copy, fh_of(copy->from), fh_of(copy->to), wide);
	err = driver_end(&call, decode_copied, &copied);
	return err ? err : copied.done_bytes;
}

ssize_t driver_copy_file_range(struct server *server, const struct server_copy *copy)
{
	ssize_t done = copy_in_form(server, copy, true);

	return done == -ENOSYS ? copy_in_form(server, copy, false) : done;
}
