/*
 * IOCTL, restricted: how many bytes go in and come back says the command's number. The reply is a
 * result and the bytes. POLL: what is ready; with SCHEDULE_NOTIFY the driver says by NOTIFY_POLL,
 * and the number `kh`, that it may be asked again.
 */
#include "message.h"

#include <abi/fcntl.h>
#include <lib/string.h>

#define ERROR_MAX 511

void fuse_ask_ioctl(struct fuse_message *message, struct nodeid node, uint64_t handle,
		    const struct fuse_ioctl_call *call)
{
	const struct fuse_ioctl_in in = {.fh = handle,
					 .flags =
						 (call->directory ? FUSE_IOCTL_DIR : 0) |
						 (call->unrestricted ? FUSE_IOCTL_UNRESTRICTED : 0),
					 .cmd = call->command,
					 .arg = call->argument,
					 .in_size = call->in_bytes,
					 .out_size = call->out_bytes};
	size_t most_bytes = call->out_bytes;

	fuse_message_begin(message, FUSE_IOCTL, node);
	fuse_message_put(message, &in, sizeof(in));
	message->payload_bytes = call->in_bytes;
	if (call->unrestricted)
		most_bytes = MAX(most_bytes, FUSE_IOCTL_PIECES * sizeof(struct fuse_ioctl_iovec));
	fuse_message_expect(message, sizeof(struct fuse_ioctl_out),
			    sizeof(struct fuse_ioctl_out) + most_bytes);
}

ssize_t fuse_answer_ioctl(const struct fuse_reply *reply, void *to, size_t *out_bytes)
{
	const struct fuse_ioctl_out *out = reply->bytes;
	size_t len_bytes = reply->len_bytes - sizeof(*out);

	/* Whoever may ask for more memory of its caller is no restricted driver. */
	if (reply->len_bytes < sizeof(*out) || len_bytes > *out_bytes ||
	    (out->flags & FUSE_IOCTL_RETRY) || out->result < -ERROR_MAX)
		return -EIO;
	*out_bytes = len_bytes;
	if (len_bytes)
		memcpy(to, out + 1, len_bytes);
	return out->result;
}

void fuse_ask_poll(struct fuse_message *message, struct nodeid node, uint64_t handle, uint64_t kh)
{
	const struct fuse_poll_in in = {.fh = handle,
					.kh = kh,
					.flags = FUSE_POLL_SCHEDULE_NOTIFY,
					.events = POLLIN | POLLPRI | POLLOUT | POLLRDNORM |
						  POLLWRNORM};

	fuse_message_begin(message, FUSE_POLL, node);
	fuse_message_put(message, &in, sizeof(in));
	fuse_message_expect(message, sizeof(struct fuse_poll_out), sizeof(struct fuse_poll_out));
}

err_t fuse_answer_poll(const struct fuse_reply *reply, unsigned *events)
{
	const struct fuse_poll_out *out = reply->bytes;

	if (reply->len_bytes < sizeof(*out))
		return -EIO;
	*events = out->revents &
		  (POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLWRNORM | POLLERR | POLLHUP);
	return 0;
}
