/*
 * Answers that nobody waits for any more: what they have given out goes back to the driver. How
 * many are outstanding is bounded: a driver that reads requests and answers none is not worth the
 * memory of those who were killed while they waited for it.
 */
#define LOG_SUBSYSTEM "fuse"
#include "connection.h"

#include <abi/fcntl.h>
#include <ipc/object.h>
#include <lib/log.h>
#include <lib/string.h>

#define ORPHANS_MAX 4096

/* ---- what is given back ---- */

static void release_late(const struct fuse_request *orphan, struct nodeid node, uint64_t handle)
{
	struct fuse_request *release =
		fuse_request_create(orphan->connection, &orphan->caller, fuse_request_free);

	if (!release) {
		log_limited(LOG_WARN, "connection %u: no memory to release a handle",
			    orphan->connection->number);
		return;
	}
	fuse_ask_release(&release->message, node, orphan->message.opcode == FUSE_OPENDIR, handle, 0,
			 0);
	fuse_send(orphan->connection, release);
}

/* A lock of who has gone: what he holds went with his files, before this one was granted. What
 * flock takes, the open file has, and its end gives it back. */
static void unlock_late(const struct fuse_request *orphan)
{
	struct fuse_request *unlock;
	struct fuse_lk_in in;

	memcpy(&in, orphan->message.arguments, sizeof(in));
	if (in.lk.type == F_UNLCK || (in.lk_flags & FUSE_LK_FLOCK))
		return;
	unlock = fuse_request_create(orphan->connection, &orphan->caller, fuse_request_free);
	if (!unlock) {
		log_limited(LOG_WARN, "connection %u: no memory to give back a lock",
			    orphan->connection->number);
		return;
	}
	unlock->handle = orphan->handle;
	if (unlock->handle)
		refcount_get(&unlock->handle->references);
	fuse_ask_setlk(&unlock->message, orphan->message.node, in.fh,
		       &(struct object_lock){.kind = OBJECT_LOCK_PROCESS,
					     .type = F_UNLCK,
					     .start = in.lk.start,
					     .end = in.lk.end,
					     .pid = (int32_t)in.lk.pid,
					     .owner = in.owner},
		       false);
	fuse_send(orphan->connection, unlock);
}

/* Of a listing only the look-ups that its entries count are of interest. */
struct refusal {
	struct dirent_sink sink;
	struct fuse_connection *connection;
};

static bool pass_over(UNUSED struct dirent_sink *sink, UNUSED struct server_name name,
		      UNUSED uint64_t ino, UNUSED uint32_t mode, UNUSED uint64_t cookie_after)
{
	return true;
}

static void refuse(struct dirent_sink *sink, UNUSED struct server_name name,
		   const struct server_entry *entry)
{
	fuse_forget(container_of(sink, struct refusal, sink)->connection, entry->node, 1);
}

static void forget_listed(struct fuse_connection *connection, const struct fuse_reply *reply)
{
	struct refusal refusal = {.sink = {.emit = pass_over, .enter = refuse},
				  .connection = connection};
	struct fuse_listing listing = {.sink = &refusal.sink, .plus = true};

	(void)!fuse_answer_readdir(&connection->session, reply, &listing);
}

/* What an answer that nobody waits for any more has given out goes back. */
void fuse_orphan_ended(struct fuse_request *orphan)
{
	struct fuse_connection *connection = orphan->connection;
	struct fuse_reply reply = fuse_request_reply(orphan);
	struct server_entry entry = {0};
	struct fuse_open_out opened;

	spin_lock(&connection->lock);
	connection->norphans--;
	spin_unlock(&connection->lock);
	if (orphan->error)
		goto out;
	/* Of an entry that cannot be true the node counts all the same. */
	switch (orphan->message.opcode) {
	case FUSE_LOOKUP:
	case FUSE_SYMLINK:
	case FUSE_MKNOD:
	case FUSE_MKDIR:
	case FUSE_LINK:
		(void)!fuse_answer_entry(&connection->session, &reply, &entry);
		break;
	case FUSE_CREATE:
	case FUSE_TMPFILE:
		if (!fuse_answer_create(&connection->session, &reply, &entry, &opened))
			release_late(orphan, entry.node, opened.fh);
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		if (!fuse_answer_open(&reply, &opened))
			release_late(orphan, orphan->message.node, opened.fh);
		break;
	case FUSE_SETLK:
	case FUSE_SETLKW:
		unlock_late(orphan);
		break;
	case FUSE_READDIRPLUS:
		forget_listed(connection, &reply);
		break;
	default:
		break;
	}
	if (entry.node.value)
		fuse_forget(connection, entry.node, 1);
out:
	fuse_request_free(orphan);
}

void fuse_limit_orphans(struct fuse_connection *connection)
{
	bool many;

	spin_lock(&connection->lock);
	many = connection->norphans > ORPHANS_MAX;
	spin_unlock(&connection->lock);
	if (!many)
		return;
	log_limited(LOG_WARN,
		    "connection %u: %u requests of those who were killed are not answered: it ends",
		    connection->number, ORPHANS_MAX);
	fuse_connection_end(connection, -ENOTCONN);
}
