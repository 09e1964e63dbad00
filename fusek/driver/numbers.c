/*
 * A driver's nodes by their numbers, and the directories above them: what it finds by LOOKUP of "."
 * and "..", if it has said so (EXPORT_SUPPORT). No state.
 */
#include "server_priv.h"

uint64_t driver_number(UNUSED struct server *server, struct nodeid node)
{
	return node.value;
}

static err_t decode_entry(const struct fuse_session *session, const struct fuse_reply *reply,
			  void *out)
{
	return fuse_answer_entry(session, reply, out);
}

/* The way back to a node that nobody has in use, if the driver has one. */
err_t driver_by_number(struct server *server, uint64_t number, uint64_t generation,
		       struct server_entry *out)
{
	static const struct server_name itself = {.text = ".", .len_bytes = 1};
	const struct server_caller caller = server_caller_current();
	struct fuse_connection *connection = connection_of(server);
	err_t err = fuse_wait_ready(connection);

	if (err)
		return err;
	if (!number) /* which no driver gives to anything */
		return -ESTALE;
	if (!(connection->session.flags & FUSE_EXPORT_SUPPORT))
		return -ENOSYS;
	err = driver_look_up(server, &caller, (struct nodeid){number}, itself, decode_entry, out);
	if (!err && (out->node.value != number || out->generation != generation))
		err = driver_refuse_entry(connection, out, -ESTALE);
	return err == -ENOENT || err == -ENOSYS ? -ESTALE : err;
}

static err_t decode_directory(const struct fuse_session *session, const struct fuse_reply *reply,
			      void *out)
{
	return fuse_answer_directory(session, reply, out);
}

err_t driver_above(struct server *server, struct nodeid node, struct server_entry *out)
{
	static const struct server_name above = {.text = "..", .len_bytes = 2};
	const struct server_caller caller = server_caller_current();
	err_t err;

	if (!(connection_of(server)->session.flags & FUSE_EXPORT_SUPPORT))
		return -ESTALE;
	err = driver_look_up(server, &caller, node, above, decode_directory, out);
	if (!err && !out->node.value)
		err = -ESTALE;
	return err == -ENOENT || err == -ENOSYS ? -ESTALE : err;
}
