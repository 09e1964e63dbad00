/*
 * A driver's extended attributes. The protocol's limits bound what is asked for, so a value or a
 * list comes in one answer.
 */
#include "server_priv.h"

#include <abi/xattr.h>
#include <lib/string.h>

/* Where the bytes of an answer go, and how many there were. */
struct room {
	void *to;
	size_t to_bytes;
	ssize_t len_bytes;
};

static err_t decode_value(const struct fuse_session *session, const struct fuse_reply *reply,
			  void *out)
{
	struct room *room = out;

	(void)session;
	room->len_bytes = fuse_answer_getxattr(reply, room->to, room->to_bytes);
	return room->len_bytes < 0 ? (err_t)room->len_bytes : 0;
}

static err_t decode_list(const struct fuse_session *session, const struct fuse_reply *reply,
			 void *out)
{
	struct room *room = out;

	(void)session;
	room->len_bytes = fuse_answer_listxattr(reply, room->to, room->to_bytes);
	return room->len_bytes < 0 ? (err_t)room->len_bytes : 0;
}

ssize_t driver_getxattr(struct server *server, const struct server_caller *caller,
			struct nodeid node, const char *name, void *to, size_t to_bytes)
{
	struct room room = {.to = to, .to_bytes = MIN(to_bytes, (size_t)XATTR_SIZE_MAX)};
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);

	if (err)
		return err;
	fuse_ask_getxattr(call.message, node, name, (uint32_t)room.to_bytes);
	err = driver_end(&call, decode_value, &room);
	return err ? err : room.len_bytes;
}

ssize_t driver_listxattr(struct server *server, const struct server_caller *caller,
			 struct nodeid node, char *to, size_t to_bytes)
{
	struct room room = {.to = to, .to_bytes = MIN(to_bytes, (size_t)XATTR_LIST_MAX)};
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);

	if (err)
		return err;
	fuse_ask_listxattr(call.message, node, (uint32_t)room.to_bytes);
	err = driver_end(&call, decode_list, &room);
	return err ? err : room.len_bytes;
}

static void fill_pages(const struct fuse_pages *pages, const char *from, size_t len_bytes)
{
	for (size_t done = 0; done < len_bytes; done += PAGE_SIZE)
		memcpy(frame_virt(pages->frames[done / PAGE_SIZE]), from + done,
		       MIN(len_bytes - done, PAGE_SIZE));
}

err_t driver_setxattr(struct server *server, const struct server_caller *caller, struct nodeid node,
		      const char *name, const void *value, size_t value_bytes, unsigned flags)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);

	if (err)
		return err;
	if (value_bytes) {
		call.request.payload = fuse_pages_alloc(value_bytes);
		if (!call.request.payload)
			return -ENOMEM;
		fill_pages(call.request.payload, value, value_bytes);
	}
	fuse_ask_setxattr(call.session, call.message, node, name, (uint32_t)value_bytes, flags);
	return driver_end(&call, NULL, NULL);
}

err_t driver_removexattr(struct server *server, const struct server_caller *caller,
			 struct nodeid node, const char *name)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);

	if (err)
		return err;
	fuse_ask_removexattr(call.message, node, name);
	return driver_end(&call, NULL, NULL);
}
