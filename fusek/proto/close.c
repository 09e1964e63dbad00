/*
 * What ends the use of an open file: FLUSH at each close of a descriptor, FSYNC and FSYNCDIR,
 * RELEASE and RELEASEDIR once.
 */
#include "message.h"

#define FSYNC_DATA_ONLY 1u

void fuse_ask_flush(struct fuse_message *message, struct nodeid node, uint64_t handle,
		    uint64_t lock_owner)
{
	const struct fuse_flush_in in = {.fh = handle, .lock_owner = lock_owner};

	fuse_message_begin(message, FUSE_FLUSH, node);
	fuse_message_put(message, &in, sizeof(in));
}

void fuse_ask_fsync(struct fuse_message *message, struct nodeid node, bool directory,
		    uint64_t handle, bool data_only)
{
	const struct fuse_fsync_in in = {.fh = handle,
					 .fsync_flags = data_only ? FSYNC_DATA_ONLY : 0};

	fuse_message_begin(message, directory ? FUSE_FSYNCDIR : FUSE_FSYNC, node);
	fuse_message_put(message, &in, sizeof(in));
}

void fuse_ask_release(struct fuse_message *message, struct nodeid node, bool directory,
		      uint64_t handle, unsigned flags, uint64_t flock_owner)
{
	const struct fuse_release_in in = {
		.fh = handle,
		.flags = flags,
		.release_flags = flock_owner ? FUSE_RELEASE_FLOCK_UNLOCK : 0,
		.lock_owner = flock_owner,
	};

	fuse_message_begin(message, directory ? FUSE_RELEASEDIR : FUSE_RELEASE, node);
	fuse_message_put(message, &in, sizeof(in));
}
