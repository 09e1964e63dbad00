/*
 * Locks on parts of files that a driver keeps itself: only one that has said so at INIT is asked.
 */
#include "server_priv.h"

static bool keeps(const struct fuse_session *session, enum object_lock_kind kind)
{
	return session->flags & (kind == OBJECT_LOCK_WHOLE ? FUSE_FLOCK_LOCKS : FUSE_POSIX_LOCKS);
}

err_t driver_lock(struct server *server, struct nodeid node, struct handle handle,
		  const struct object_lock *lock, bool wait)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, NULL);

	if (err)
		return err;
	if (!keeps(call.session, lock->kind))
		return -ENOSYS;
	/* RELEASE gives back what flock took; without one, which a driver without OPEN never gets,
	 * nothing would. */
	if (!handle.value && lock->kind == OBJECT_LOCK_WHOLE)
		return -ENOSYS;
	if (lock->kind == OBJECT_LOCK_WHOLE)
		write_once(&handle_of(handle)->flock_owner, lock->owner);
	call.request.handle = handle_of(handle);
	fuse_ask_setlk(call.message, node, fh_of(handle), lock, wait);
	return driver_end(&call, NULL, NULL);
}

static err_t decode_getlk(const struct fuse_session *session, const struct fuse_reply *reply,
			  void *out)
{
	(void)session;
	return fuse_answer_getlk(reply, out);
}

err_t driver_lock_test(struct server *server, struct nodeid node, struct handle handle,
		       struct object_lock *lock)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, NULL);

	if (err)
		return err;
	if (!keeps(call.session, lock->kind))
		return -ENOSYS;
	call.request.handle = handle_of(handle);
	fuse_ask_getlk(call.message, node, fh_of(handle), lock);
	return driver_end(&call, decode_getlk, lock);
}
