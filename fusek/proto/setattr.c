/*
 * SETATTR: which attributes change (`valid`, the bits of enum server_setattr_valid are the
 * protocol's own) and to what. The reply is all attributes, as GETATTR's.
 */
#include "message.h"

_Static_assert(SETATTR_HANDLE == FATTR_FH && SETATTR_KILL_IDS == FATTR_KILL_IDS,
	       "the bits of server.h are the protocol's");

void fuse_ask_setattr(const struct fuse_session *session, struct fuse_message *message,
		      struct nodeid node, const struct server_setattr *set, uint64_t handle)
{
	const struct fuse_setattr_in in = {
		.valid = session->minor < 23 ? set->valid & ~(unsigned)SETATTR_CTIME : set->valid,
		.fh = (set->valid & SETATTR_HANDLE) ? handle : 0,
		.size = set->size_bytes,
		.atime = (uint64_t)set->atime.tv_sec,
		.mtime = (uint64_t)set->mtime.tv_sec,
		.ctime = (uint64_t)set->ctime.tv_sec,
		.atimensec = (uint32_t)set->atime.tv_nsec,
		.mtimensec = (uint32_t)set->mtime.tv_nsec,
		.ctimensec = (uint32_t)set->ctime.tv_nsec,
		.mode = set->mode,
		.uid = set->uid,
		.gid = set->gid,
	};

	fuse_message_begin(message, FUSE_SETATTR, node);
	fuse_message_put(message, &in, sizeof(in));
	fuse_message_expect_attr(session, message);
}
