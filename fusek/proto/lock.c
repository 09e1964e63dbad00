/*
 * GETLK, SETLK, SETLKW: a lock on a part of a file, whose owner is a number that means nothing
 * else. flock's are SETLK with a flag. GETLK's reply is the lock that is in the way.
 */
#include "message.h"

#include <abi/fcntl.h>

static void ask(struct fuse_message *message, uint32_t opcode, struct nodeid node, uint64_t handle,
		const struct object_lock *lock)
{
	const struct fuse_lk_in in = {
		.fh = handle,
		.owner = lock->owner,
		.lk = {.start = lock->start,
		       .end = lock->end,
		       .type = lock->type,
		       .pid = lock->pid > 0 ? (uint32_t)lock->pid : 0},
		.lk_flags = lock->kind == OBJECT_LOCK_WHOLE ? FUSE_LK_FLOCK : 0,
	};

	fuse_message_begin(message, opcode, node);
	fuse_message_put(message, &in, sizeof(in));
}

void fuse_ask_setlk(struct fuse_message *message, struct nodeid node, uint64_t handle,
		    const struct object_lock *lock, bool wait)
{
	ask(message, wait ? FUSE_SETLKW : FUSE_SETLK, node, handle, lock);
}

void fuse_ask_getlk(struct fuse_message *message, struct nodeid node, uint64_t handle,
		    const struct object_lock *lock)
{
	ask(message, FUSE_GETLK, node, handle, lock);
	fuse_message_expect(message, sizeof(struct fuse_lk_out), sizeof(struct fuse_lk_out));
}

err_t fuse_answer_getlk(const struct fuse_reply *reply, struct object_lock *lock)
{
	const struct fuse_lk_out *out = reply->bytes;

	if (reply->len_bytes < sizeof(*out))
		return -EIO;
	switch (out->lk.type) {
	case F_UNLCK:
		break;
	case F_RDLCK:
	case F_WRLCK:
		if (out->lk.start > out->lk.end || out->lk.end > INT64_MAX)
			return -EIO;
		lock->start = out->lk.start;
		lock->end = out->lk.end;
		lock->pid = (int32_t)out->lk.pid;
		break;
	default:
		return -EIO;
	}
	lock->type = (uint16_t)out->lk.type;
	return 0;
}
