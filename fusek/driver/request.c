/*
 * Asking a driver: queueing, waiting, leaving. See connection.h for what may be touched when.
 */
#define LOG_SUBSYSTEM "fuse"
#include "connection.h"

#include "counters.h"
#include "trace.h"

#include <lib/log.h>
#include <lib/string.h>
#include <mm/kva.h>
#include <mm/slab.h>

SLAB_CACHE(request_cache, struct fuse_request);

/* ---- requests ---- */

void fuse_request_init(struct fuse_request *request, const struct server_caller *caller)
{
	list_init(&request->link);
	request->state = FUSE_REQUEST_NEW;
	request->interrupted = false;
	request->interrupt_queued = false;
	request->in_background = false;
	request->asked_ns = 0;
	request->caller = *caller;
	request->payload = NULL;
	request->handle = NULL;
	request->to_handle = NULL;
	request->ended = NULL;
	request->waiter = NULL;
	request->reply_bytes = 0;
	request->page_reply = NULL;
	request->long_reply = NULL;
}

struct fuse_request *fuse_request_create(struct fuse_connection *connection,
					 const struct server_caller *caller,
					 void (*ended)(struct fuse_request *request))
{
	struct fuse_request *request = slab_alloc(&request_cache);

	if (!request)
		return NULL;
	fuse_request_init(request, caller);
	request->ended = ended;
	request->connection = fuse_connection_get(connection);
	request->receives = NULL;
	request->fill = NULL;
	request->flush = NULL;
	request->lent = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(request->uses); i++)
		list_init(&request->uses[i].link);
	list_init(&request->forgets);
	return request;
}

void fuse_request_done(struct fuse_request *request)
{
	if (unlikely(request->payload))
		fuse_pages_put(request->payload);
	if (request->page_reply)
		frame_put(request->page_reply);
	if (unlikely(request->long_reply))
		kvfree(request->long_reply, request->reply_bytes);
}

void fuse_request_free(struct fuse_request *request)
{
	fuse_request_done(request);
	fuse_pages_put(request->receives);
	fuse_pages_put(request->lent);
	fuse_handle_put(request->handle);
	fuse_handle_put(request->to_handle);
	fuse_connection_put(request->connection);
	slab_free(&request_cache, request);
}

/* ---- nodes that are in use ---- */

static struct list *use_bucket(struct fuse_connection *connection, struct nodeid node)
{
	return &connection->in_use[node.value % FUSE_USE_BUCKETS];
}

/* Beside the node that a request is for, these name a second one. */
static struct nodeid second_node(const struct fuse_message *message)
{
	struct nodeid node = {0};

	switch (message->opcode) {
	case FUSE_LINK:
	case FUSE_RENAME:
	case FUSE_RENAME2:
		memcpy(&node, message->arguments, sizeof(node));
		break;
	case FUSE_COPY_FILE_RANGE:
	case FUSE_COPY_FILE_RANGE_64:
		memcpy(&node,
		       message->arguments + offsetof(struct fuse_copy_file_range_in, nodeid_out),
		       sizeof(node));
		break;
	default:
		break;
	}
	return node;
}

/* `request`, which has no caller, needs what `message` names until it ends. */
static void use_nodes_locked(struct fuse_connection *connection, struct fuse_request *request,
			     const struct fuse_message *message) REQUIRES(connection->lock);
static void use_nodes_locked(struct fuse_connection *connection, struct fuse_request *request,
			     const struct fuse_message *message)
{
	const struct nodeid nodes[] = {message->node, second_node(message)};

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		struct fuse_use *use = &request->uses[i];

		if (!nodes[i].value)
			continue;
		use->node = nodes[i];
		use->request = request;
		list_add_tail(use_bucket(connection, nodes[i]), &use->link);
	}
}

/* The youngest request that uses the node; NULL: none does. */
static struct fuse_request *user_of_locked(struct fuse_connection *connection, struct nodeid node)
	REQUIRES(connection->lock);
static struct fuse_request *user_of_locked(struct fuse_connection *connection, struct nodeid node)
{
	struct fuse_request *found = NULL;
	struct fuse_use *use;

	list_for_each (use, use_bucket(connection, node), link) {
		if (nodeid_equal(use->node, node))
			found = use->request;
	}
	return found;
}

/* To the driver, or to who still uses the node: added to what waits there for the same node, and
 * then on `spare`, for free_forgets(). */
static void queue_forget_locked(struct fuse_connection *connection, struct fuse_forget *forget,
				struct list *spare) REQUIRES(connection->lock);
static void queue_forget_locked(struct fuse_connection *connection, struct fuse_forget *forget,
				struct list *spare)
{
	struct fuse_forget *waiting;
	struct fuse_request *user =
		user_of_locked(connection, (struct nodeid){forget->node.nodeid});

	if (user) {
		list_for_each (waiting, &user->forgets, link) { /* of its two nodes */
			if (waiting->node.nodeid != forget->node.nodeid)
				continue;
			waiting->node.nlookup += forget->node.nlookup;
			list_add_tail(spare, &forget->link);
			return;
		}
		list_add_tail(&user->forgets, &forget->link);
		return;
	}
	forget->order = ++connection->last_order;
	list_add_tail(&connection->forgets, &forget->link);
}

static void free_forgets(struct fuse_connection *connection, struct list *spare)
{
	struct fuse_forget *forget, *next;

	list_for_each_safe (forget, next, spare, link) {
		list_del(&forget->link);
		fuse_forget_free(connection, forget);
	}
}

/* The request needs its nodes no more; the forgets that waited for that go to `waited`. */
static void leave_nodes_locked(struct fuse_connection *connection, struct fuse_request *request,
			       struct list *waited) REQUIRES(connection->lock);
static void leave_nodes_locked(UNUSED struct fuse_connection *connection,
			       struct fuse_request *request, struct list *waited)
{
	for (size_t i = 0; i < ARRAY_SIZE(request->uses); i++) {
		if (list_linked(&request->uses[i].link))
			list_del(&request->uses[i].link);
	}
	list_splice_tail(waited, &request->forgets);
}

/* To the driver, or to the next one who uses their nodes. */
static void send_waited(struct fuse_connection *connection, struct list *waited)
{
	struct fuse_forget *forget, *next;
	struct list spare;

	list_init(&spare);
	spin_lock(&connection->lock);
	list_for_each_safe (forget, next, waited, link) {
		list_del(&forget->link);
		queue_forget_locked(connection, forget, &spare);
	}
	spin_unlock(&connection->lock);
	free_forgets(connection, &spare);
}

/* To a reader that waits, which is to be woken before the lock is released, or (NULL) to the
 * others. */
static struct thread *send_locked(struct fuse_connection *connection, struct fuse_request *request)
	REQUIRES(connection->lock);
static struct thread *send_locked(struct fuse_connection *connection, struct fuse_request *request)
{
	struct thread *reader;

	connection->last_unique += 2;
	if (likely(request->message.opcode != FUSE_NOTIFY_REPLY))
		request->unique = connection->last_unique;
	request->order = ++connection->last_order;
	if (!request->asked_ns) /* else it has waited in the background since then */
		request->asked_ns = clock_ns();
	reader = fuse_give_locked(connection, request);
	if (unlikely(!reader) &&
	    likely(!connection->nrings || !fuse_give_to_ring_locked(connection, request))) {
		request->state = FUSE_REQUEST_QUEUED;
		list_add_tail(&connection->queued, &request->link);
	}
	return reader;
}

/* ---- without a caller: as many at a time as the driver wants ---- */

static struct thread *send_background_locked(struct fuse_connection *connection,
					     struct fuse_request *request)
	REQUIRES(connection->lock);
static struct thread *send_background_locked(struct fuse_connection *connection,
					     struct fuse_request *request)
{
	request->in_background = true;
	connection->nbackground++;
	return send_locked(connection, request);
}

/* What has waited until there were fewer. True: readers are to be told. */
static bool advance_background_locked(struct fuse_connection *connection)
	REQUIRES(connection->lock);
static bool advance_background_locked(struct fuse_connection *connection)
{
	struct fuse_request *request;
	struct thread *reader;
	bool queued = false;

	while (!list_empty(&connection->background) && connection->state == FUSE_READY &&
	       connection->nbackground < connection->max_background) {
		request = list_first_entry(&connection->background, struct fuse_request, link);
		list_del(&request->link);
		reader = send_background_locked(connection, request);
		if (reader)
			thread_wake(reader);
		else
			queued = true;
	}
	return queued;
}

void fuse_background_changed(struct fuse_connection *connection)
{
	bool tell;

	spin_lock(&connection->lock);
	tell = advance_background_locked(connection);
	spin_unlock(&connection->lock);
	if (tell)
		fuse_tell_readers(connection);
}

/* What holds for one without a caller. The lock is released. */
static void end_callerless(struct fuse_connection *connection, struct fuse_request *request)
	RELEASE(connection->lock);
static void end_callerless(struct fuse_connection *connection, struct fuse_request *request)
{
	void (*ended)(struct fuse_request *) = request->ended;
	struct list waited;
	bool tell = false, any;

	list_init(&waited);
	leave_nodes_locked(connection, request, &waited);
	any = !list_empty(&waited);
	if (request->in_background) {
		connection->nbackground--;
		tell = advance_background_locked(connection);
	}
	spin_unlock(&connection->lock);
	if (fuse_is_traced(connection))
		fuse_trace(connection, request, request->error);
	ended(request);
	/* After what that has sent: the handle of a file goes before its node. */
	if (any)
		send_waited(connection, &waited);
	if (any || tell)
		fuse_tell_reader(connection);
}

static struct thread *settle_locked(struct fuse_request *request, err_t error)
{
	if (likely(list_linked(&request->link)))
		list_del(&request->link);
	if (unlikely(request->interrupt_queued))
		list_del(&request->interrupt_link);
	request->interrupt_queued = false;
	request->state = FUSE_REQUEST_DONE;
	request->error = error;
	return request->waiter;
}

struct thread *fuse_request_settle_locked(struct fuse_connection *connection,
					  struct fuse_request *request, err_t error)
{
	fuse_count_locked(connection, request);
	return settle_locked(request, error);
}

void fuse_request_fail(struct fuse_connection *connection, struct fuse_request *request,
		       err_t error)
{
	struct thread *waiter = settle_locked(request, error);

	if (request->ended) {
		end_callerless(connection, request);
		return;
	}
	thread_wake(waiter); /* who takes the lock before it returns */
	spin_unlock(&connection->lock);
}

void fuse_request_end(struct fuse_connection *connection, struct fuse_request *request, err_t error)
{
	fuse_count_locked(connection, request);
	fuse_request_fail(connection, request, error);
}

/* ---- on their way ---- */

err_t fuse_wait_started(struct fuse_connection *connection)
{
	uint64_t deadline_ns = server_deadline_ns();
	err_t err = wait_event_killable_timeout(
		&connection->ready, load_acquire(&connection->state) != FUSE_STARTING, deadline_ns);

	if (err)
		return err;
	return load_acquire(&connection->state) == FUSE_READY ? 0 : connection->ended_error;
}

/* INIT is what says how many of the others there may be; NOTIFY_REPLY is over when it was read. */
static bool may_wait_in_background(const struct fuse_request *request)
{
	return request->message.opcode != FUSE_INIT && request->message.opcode != CUSE_INIT &&
	       request->message.opcode != FUSE_NOTIFY_REPLY;
}

void fuse_send(struct fuse_connection *connection, struct fuse_request *request)
{
	struct thread *reader;

	spin_lock(&connection->lock);
	if (unlikely(connection->state == FUSE_ENDED)) {
		spin_unlock(&connection->lock);
		request->error = connection->ended_error;
		request->state = FUSE_REQUEST_DONE;
		request->ended(request);
		return;
	}
	use_nodes_locked(connection, request, &request->message);
	if (!may_wait_in_background(request)) {
		reader = send_locked(connection, request);
	} else if (connection->nbackground < connection->max_background) {
		reader = send_background_locked(connection, request);
	} else {
		request->state = FUSE_REQUEST_QUEUED;
		request->asked_ns = clock_ns();
		list_add_tail(&connection->background, &request->link);
		spin_unlock(&connection->lock);
		return;
	}
	if (reader)
		thread_wake(reader);
	spin_unlock(&connection->lock);
	if (!reader)
		fuse_tell_reader(connection);
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
	struct list spare;
	bool alive;

	if (forget)
		forget->reserved = false;
	else
		forget = forget_from_reserve(connection);

	if (!forget) {
		log_limited(LOG_WARN,
			    "connection %u: no memory to forget node %llu; its driver keeps it",
			    connection->number, (unsigned long long)node.value);
		return;
	}
	list_init(&spare);
	list_init(&forget->link);
	forget->node = (struct fuse_forget_one){.nodeid = node.value, .nlookup = nlookup};
	spin_lock(&connection->lock);
	alive = connection->state != FUSE_ENDED;
	if (alive)
		queue_forget_locked(connection, forget, &spare);
	spin_unlock(&connection->lock);
	free_forgets(connection, &spare);
	if (alive)
		fuse_tell_reader(connection);
	else
		fuse_forget_free(connection, forget);
}

/* ---- those who left ---- */

/* Puts the orphan where the request was. */
static void replace_locked(struct fuse_connection *connection, struct fuse_request *request,
			   struct fuse_request *orphan) REQUIRES(connection->lock);
static void replace_locked(struct fuse_connection *connection, struct fuse_request *request,
			   struct fuse_request *orphan)
{
	orphan->message = request->message;
	connection->norphans++;
	orphan->unique = request->unique;
	orphan->order = request->order;
	orphan->asked_ns = request->asked_ns;
	orphan->state = FUSE_REQUEST_SENT;
	orphan->interrupted = request->interrupted;
	orphan->handle = request->handle;
	if (orphan->handle)
		refcount_get(&orphan->handle->references);
	orphan->to_handle = request->to_handle;
	if (orphan->to_handle)
		refcount_get(&orphan->to_handle->references);
	/* What the driver has of it in a window it has until it answers. */
	if (request->payload && request->payload->frozen) {
		refcount_get(&request->payload->references);
		orphan->payload = request->payload;
	}
	use_nodes_locked(connection, orphan, &request->message);
	list_insert_between(&orphan->link, request->link.prev, &request->link);
	list_del(&request->link);
}

/* Tells the driver, once. */
static bool interrupt_locked(struct fuse_connection *connection, struct fuse_request *request)
	REQUIRES(connection->lock);
static bool interrupt_locked(struct fuse_connection *connection, struct fuse_request *request)
{
	if (request->interrupted)
		return false;
	request->interrupted = true;
	if (request->state != FUSE_REQUEST_SENT)
		return false; /* fuse_reader_take() sees it */
	request->interrupt_queued = true;
	list_add_tail(&connection->interrupts, &request->interrupt_link);
	return true;
}

/* The wait has ended by a signal, or (`for_good`) the caller goes. True: it leaves, nobody knows
 * the request any more. */
static bool leave(struct fuse_connection *connection, struct fuse_request *request, bool for_good)
{
	struct fuse_request *orphan = NULL;
	bool left = false, tell = false, done;

	if (for_good)
		orphan = fuse_request_create(connection, &request->caller, fuse_orphan_ended);
	spin_lock(&connection->lock);
	done = request->state == FUSE_REQUEST_DONE; /* the answer came first */
	if (!done && for_good) {
		if (request->interrupt_queued) {
			list_del(&request->interrupt_link);
			request->interrupted = false; /* not yet read: the orphan's */
		}
		if (request->state == FUSE_REQUEST_SENT && orphan) {
			replace_locked(connection, request, orphan);
			tell = interrupt_locked(connection, orphan);
			orphan = NULL;
		} else {
			list_del(&request->link);
		}
		request->state = FUSE_REQUEST_DONE;
		left = true;
	} else if (!done) {
		tell = interrupt_locked(connection, request);
	}
	spin_unlock(&connection->lock);
	if (tell)
		fuse_tell_reader(connection);
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

/* Sleeps for the first time: the CPU goes to the reader that was given the request. */
static err_t hand_over(struct fuse_connection *connection, struct thread *reader, unsigned end_on,
		       uint64_t deadline_ns) RELEASE(connection->lock);
static err_t hand_over(struct fuse_connection *connection, struct thread *reader, unsigned end_on,
		       uint64_t deadline_ns)
{
	if (likely(reader && deadline_ns == UINT64_MAX))
		return thread_wait_switch(end_on, reader, &connection->lock);
	if (reader)
		thread_wake(reader);
	spin_unlock(&connection->lock);
	if (!reader)
		fuse_tell_reader(connection);
	return thread_wait(end_on, deadline_ns);
}

err_t fuse_ask(struct fuse_connection *connection, struct fuse_request *request)
{
	unsigned end_on = THREAD_KILLED | THREAD_INTERRUPTED;
	uint64_t deadline_ns = server_deadline_ns();
	err_t err;

	request->waiter = current_thread();
	spin_lock(&connection->lock);
	if (unlikely(connection->state == FUSE_ENDED)) {
		spin_unlock(&connection->lock);
		return connection->ended_error;
	}
	err = hand_over(connection, send_locked(connection, request), end_on, deadline_ns);
	while (!is_done(connection, request)) {
		if (err) {
			if (leave(connection, request, thread_killed() || err == -ETIMEDOUT)) {
				fuse_limit_orphans(connection);
				request->error = err;
				break;
			}
			end_on = THREAD_KILLED; /* the driver was told: it decides */
		}
		err = thread_wait(end_on, deadline_ns);
	}
	if (fuse_is_traced(connection))
		fuse_trace(connection, request, request->error);
	return request->error;
}
