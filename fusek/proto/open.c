/*
 * OPEN, OPENDIR, CREATE, TMPFILE: the flags of open(2) without those that only concern the kernel;
 * the reply is the driver's handle and FOPEN_* flags, after an entry for CREATE (whose arguments
 * were OPEN's before minor 12).
 */
#include "message.h"

#include <abi/fcntl.h>
#include <lib/string.h>

static uint32_t open_flags(unsigned flags)
{
	return flags & ~(unsigned)(O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC);
}

void fuse_ask_open(struct fuse_message *message, struct nodeid node, bool directory, unsigned flags,
		   bool kill_ids)
{
	const struct fuse_open_in in = {.flags = open_flags(flags),
					.open_flags = kill_ids ? FUSE_OPEN_KILL_IDS : 0};

	fuse_message_begin(message, directory ? FUSE_OPENDIR : FUSE_OPEN, node);
	fuse_message_put(message, &in, sizeof(in));
	fuse_message_expect(message, sizeof(struct fuse_open_out), sizeof(struct fuse_open_out));
}

err_t fuse_answer_open(const struct fuse_reply *reply, struct fuse_open_out *opened)
{
	if (reply->len_bytes < sizeof(*opened))
		return -EIO;
	memcpy(opened, reply->bytes, sizeof(*opened));
	return 0;
}

static void ask_create(const struct fuse_session *session, struct fuse_message *message,
		       uint32_t opcode, struct nodeid parent, struct server_name name,
		       const struct fuse_create_in *in)
{
	fuse_message_begin(message, opcode, parent);
	fuse_message_put(message, in,
			 session->minor < 12 ? sizeof(struct fuse_open_in) : sizeof(*in));
	fuse_message_put_name(message, name);
	fuse_message_expect_entry(session, message, sizeof(struct fuse_open_out));
}

void fuse_ask_create(const struct fuse_session *session, struct fuse_message *message,
		     struct nodeid parent, struct server_name name, uint32_t mode, uint32_t umask,
		     unsigned flags, bool kill_ids)
{
	/* O_CREAT and O_EXCL stay: here the driver does what they say. */
	const struct fuse_create_in in = {.flags = flags & ~(unsigned)(O_NOCTTY | O_CLOEXEC),
					  .mode = mode,
					  .umask = umask,
					  .open_flags = kill_ids ? FUSE_OPEN_KILL_IDS : 0};

	ask_create(session, message, FUSE_CREATE, parent, name, &in);
}

void fuse_ask_tmpfile(const struct fuse_session *session, struct fuse_message *message,
		      struct nodeid parent, uint32_t mode, uint32_t umask, unsigned flags,
		      bool kill_ids)
{
	/* The name is no name: what Linux calls a file that has none. */
	static const struct server_name nameless = {.text = "/", .len_bytes = 1};
	const struct fuse_create_in in = {.flags = flags & ~(unsigned)(O_NOCTTY | O_CLOEXEC),
					  .mode = mode,
					  .umask = umask,
					  .open_flags = kill_ids ? FUSE_OPEN_KILL_IDS : 0};

	ask_create(session, message, FUSE_TMPFILE, parent, nameless, &in);
}

err_t fuse_answer_create(const struct fuse_session *session, const struct fuse_reply *reply,
			 struct server_entry *out, struct fuse_open_out *opened)
{
	size_t used_bytes = fuse_entry_bytes(session);
	err_t err = fuse_answer_entry(session, reply, out);

	if (err)
		return err;
	if (!out->node.value || reply->len_bytes < used_bytes + sizeof(*opened))
		return -EIO;
	memcpy(opened, (const char *)reply->bytes + used_bytes, sizeof(*opened));
	return 0;
}
