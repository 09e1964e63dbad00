/*
 * Asking a driver: queueing, waiting, leaving. See connection.h for what may be touched when.
 */
#define LOG_SUBSYSTEM "fuse"
#include "connection.h"

#include <lib/log.h>
#include <lib/string.h>
#include <mm/slab.h>

SLAB_CACHE(request_cache, struct fuse_request);

/* ---- requests ---- */

void fuse_request_init(struct fuse_request *request, const struct server_caller *caller)
{
	/* All but the message and the reply, which are as long as the rest several times. */
	memset(request, 0, offsetof(struct fuse_request, message));
	list_init(&request->link);
	list_init(&request->interrupt_link);
	waitq_init(&request->answered);
	request->caller = *caller;
}

struct fuse_request *fuse_request_create(struct fuse_connection *connection,
					 const struct server_caller *caller,
					 void (*ended)(struct fuse_request *request))
{
	struct fuse_request *request = slab_alloc(&request_cache);

	if (!request)
		return NULL;
	fuse_request_init(request, caller);
	request->connection = fuse_connection_get(connection);
	request->ended = ended;
	return request;
}

void fuse_request_done(struct fuse_request *request)
{
	fuse_pages_put(request->payload);
	fuse_pages_put(request->receives);
	kfree(request->long_reply);
}

void fuse_request_free(struct fuse_request *request)
{
	fuse_request_done(request);
	fuse_connection_put(request->connection);
	slab_free(&request_cache, request);
}

struct fuse_reply fuse_request_reply(const struct fuse_request *request)
{
	return (struct fuse_reply){.bytes = request->long_reply ? request->long_reply
								: request->reply,
				   .len_bytes = request->reply_bytes};
}

void fuse_request_end(struct fuse_connection *connection, struct fuse_request *request, err_t error)
{
	void (*ended)(struct fuse_request *) = request->ended;

	if (list_linked(&request->link))
		list_del(&request->link);
	if (request->interrupt_queued)
		list_del(&request->interrupt_link);
	request->interrupt_queued = false;
	request->state = FUSE_REQUEST_DONE;
	request->error = error;
	if (!ended)
		waitq_wake_one(&request->answered); /* who takes the lock before it returns */
	spin_unlock(&connection->lock);
	if (ended)
		ended(request);
}

/* ---- on their way ---- */

err_t fuse_wait_ready(struct fuse_connection *connection)
{
	err_t err;

	/* Acquire: pairs with the release in fuse_connection_ready(). */
	if (likely(load_acquire(&connection->state) == FUSE_READY))
		return 0;
	err = wait_event_killable(&connection->ready,
				  load_acquire(&connection->state) != FUSE_STARTING);
	if (err)
		return err;
	return load_acquire(&connection->state) == FUSE_READY ? 0 : connection->ended_error;
}

/* False: the connection has ended. */
static bool queue_request(struct fuse_connection *connection, struct fuse_request *request)
{
	bool alive;

	spin_lock(&connection->lock);
	alive = connection->state != FUSE_ENDED;
	if (alive) {
		connection->last_unique += 2;
		request->unique = connection->last_unique;
		request->order = ++connection->last_order;
		request->state = FUSE_REQUEST_QUEUED;
		list_add_tail(&connection->queued, &request->link);
	}
	spin_unlock(&connection->lock);
	return alive;
}

void fuse_send(struct fuse_connection *connection, struct fuse_request *request)
{
	if (queue_request(connection, request)) {
		waitq_wake_one(&connection->readers);
		return;
	}
	request->error = connection->ended_error;
	request->state = FUSE_REQUEST_DONE;
	request->ended(request);
}

static struct fuse_forget *forget_from_reserve(struct fuse_connection *connection)
{
	struct fuse_forget *forget = NULL;

	spin_lock(&connection->lock);
	if (connection->reserve_used != UINT32_MAX) {
		unsigned i = (unsigned)__builtin_ctz(~connection->reserve_used);

		connection->reserve_used |= 1u << i;
		forget = &connection->reserve[i];
		forget->reserved = true;
	}
	spin_unlock(&connection->lock);
	return forget;
}
_Static_assert(FUSE_FORGETS_RESERVED == 32, "reserve_used has a bit for each");

void fuse_forget(struct fuse_connection *connection, struct nodeid node, uint64_t nlookup)
{
	struct fuse_forget *forget = kmalloc(sizeof(*forget));
	bool alive;

	if (forget)
		forget->reserved = false;
	else
		forget = forget_from_reserve(connection);

	if (!forget) {
		log_warn("connection %u: no memory to forget node %llu; its driver keeps it",
			 connection->number, (unsigned long long)node.value);
		return;
	}
	list_init(&forget->link);
	forget->node = (struct fuse_forget_one){.nodeid = node.value, .nlookup = nlookup};
	spin_lock(&connection->lock);
	alive = connection->state != FUSE_ENDED;
	if (alive) {
		forget->order = ++connection->last_order;
		list_add_tail(&connection->forgets, &forget->link);
	}
	spin_unlock(&connection->lock);
	if (alive)
		waitq_wake_one(&connection->readers);
	else
		fuse_forget_free(connection, forget);
}

/* ---- those who left ---- */

static void free_ended(struct fuse_request *request)
{
	fuse_request_free(request);
}

static void release_late(const struct fuse_request *orphan, struct nodeid node, uint64_t handle)
{
	struct fuse_request *release =
		fuse_request_create(orphan->connection, &orphan->caller, free_ended);

	if (!release) {
		log_warn("connection %u: no memory to release a handle",
			 orphan->connection->number);
		return;
	}
	fuse_ask_release(&release->message, node, orphan->message.opcode == FUSE_OPENDIR, handle,
			 0);
	fuse_send(orphan->connection, release);
}

/* What an answer that nobody waits for any more has given out goes back. */
static void orphan_ended(struct fuse_request *orphan)
{
	struct fuse_connection *connection = orphan->connection;
	struct fuse_reply reply = fuse_request_reply(orphan);
	struct server_entry entry = {0};
	uint64_t handle;
	uint32_t flags;
	size_t used_bytes;

	if (orphan->error)
		goto out;
	switch (orphan->message.opcode) {
	case FUSE_LOOKUP:
	case FUSE_SYMLINK:
	case FUSE_MKNOD:
	case FUSE_MKDIR:
	case FUSE_LINK:
		if (!fuse_answer_entry(&connection->session, &reply, &entry, &used_bytes) &&
		    entry.node.value)
			fuse_forget(connection, entry.node, 1);
		break;
	case FUSE_CREATE:
		if (fuse_answer_create(&connection->session, &reply, &entry, &handle, &flags))
			break;
		release_late(orphan, entry.node, handle);
		fuse_forget(connection, entry.node, 1);
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		if (!fuse_answer_open(&reply, &handle, &flags))
			release_late(orphan, orphan->message.node, handle);
		break;
	default:
		break;
	}
out:
	fuse_request_free(orphan);
}

/* Puts the orphan where the request was. */
static void replace_locked(struct fuse_request *request, struct fuse_request *orphan)
{
	orphan->message.opcode = request->message.opcode;
	orphan->message.node = request->message.node;
	orphan->message.reply_min_bytes = request->message.reply_min_bytes;
	orphan->message.reply_max_bytes = request->message.reply_max_bytes;
	orphan->unique = request->unique;
	orphan->order = request->order;
	orphan->state = FUSE_REQUEST_SENT;
	list_insert_between(&orphan->link, request->link.prev, &request->link);
	list_del(&request->link);
}

/* The wait has ended by a signal. True: the caller leaves, nobody knows the request any more. */
static bool leave(struct fuse_connection *connection, struct fuse_request *request)
{
	struct fuse_request *orphan = NULL;
	bool killed = thread_killed(), left = false, tell = false, done;

	if (killed)
		orphan = fuse_request_create(connection, &request->caller, orphan_ended);
	spin_lock(&connection->lock);
	done = request->state == FUSE_REQUEST_DONE; /* the answer came first */
	if (!done && killed) {
		if (request->interrupt_queued)
			list_del(&request->interrupt_link);
		if (request->state == FUSE_REQUEST_SENT && orphan) {
			replace_locked(request, orphan);
			orphan = NULL;
		} else {
			list_del(&request->link);
		}
		request->state = FUSE_REQUEST_DONE;
		left = true;
	} else if (!done && !request->interrupted) {
		request->interrupted = true;
		tell = request->state == FUSE_REQUEST_SENT;
		if (tell) {
			request->interrupt_queued = true;
			list_add_tail(&connection->interrupts, &request->interrupt_link);
		}
	}
	spin_unlock(&connection->lock);
	if (tell)
		waitq_wake_one(&connection->readers);
	if (orphan)
		fuse_request_free(orphan);
	return left;
}

static bool is_done(struct fuse_connection *connection, const struct fuse_request *request)
{
	bool done;

	spin_lock(&connection->lock);
	done = request->state == FUSE_REQUEST_DONE;
	spin_unlock(&connection->lock);
	return done;
}

/* The first time that it sleeps, the CPU goes to a driver's thread that waits for work. */
static err_t wait_for_answer(struct fuse_connection *connection, struct fuse_request *request)
{
	struct wait_entry entry = WAIT_ENTRY_INIT(entry);
	unsigned end_on = THREAD_KILLED | THREAD_INTERRUPTED;
	struct waitq *partner = &connection->readers;
	err_t err = 0;

	for (;;) {
		waitq_prepare(&request->answered, &entry);
		if (is_done(connection, request))
			break;
		err = partner ? waitq_block_switch(&request->answered, &entry, end_on, UINT64_MAX,
						   partner)
			      : waitq_block(&request->answered, &entry, end_on, UINT64_MAX);
		partner = NULL;
		waitq_answer(&entry);
		if (!err)
			continue;
		if (leave(connection, request)) {
			waitq_finish(&request->answered, &entry);
			return -EINTR;
		}
		end_on = THREAD_KILLED; /* the driver was told: it decides */
	}
	waitq_finish(&request->answered, &entry);
	return request->error;
}

err_t fuse_ask(struct fuse_connection *connection, struct fuse_request *request)
{
	if (!queue_request(connection, request))
		return connection->ended_error;
	return wait_for_answer(connection, request);
}
