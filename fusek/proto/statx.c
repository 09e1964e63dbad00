/*
 * STATX, for the time of birth alone: what else there is GETATTR says.
 */
#include "message.h"

void fuse_ask_statx(struct fuse_message *message, struct nodeid node)
{
	const struct fuse_statx_in in = {.sx_mask = STATX_BASIC_STATS | STATX_BTIME};

	fuse_message_begin(message, FUSE_STATX, node);
	fuse_message_put(message, &in, sizeof(in));
	fuse_message_expect(message, sizeof(struct fuse_statx_out), sizeof(struct fuse_statx_out));
}

err_t fuse_answer_statx(const struct fuse_reply *reply, struct abi_timespec *birth)
{
	const struct fuse_statx_out *out = reply->bytes;
	const struct fuse_sx_time *time = &out->stat.btime;

	if (reply->len_bytes < sizeof(*out) || time->tv_nsec > 999999999)
		return -EIO;
	if (!(out->stat.mask & STATX_BTIME))
		return -ENOSYS;
	*birth = (struct abi_timespec){.tv_sec = time->tv_sec, .tv_nsec = (int64_t)time->tv_nsec};
	return 0;
}
