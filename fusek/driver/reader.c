/*
 * Drivers' threads that take requests. One that finds none lies on connection->waiting until a
 * request is put into its hands, by who asks and then gives it the CPU: nothing is queued then, and
 * no lock is taken to look for it. For what is queued (FORGET, INTERRUPT, requests that found all
 * readers busy) one of those who wait is told to look.
 */
#define LOG_SUBSYSTEM "fuse"
#include "reader.h"

#include "ring.h"
#include "trace.h"

#include <lib/string.h>

void fuse_reader_init(struct fuse_reader *reader, struct fuse_device *device, size_t cap_bytes)
{
	list_init(&reader->link);
	reader->thread = current_thread();
	reader->device = device;
	reader->cap_bytes = cap_bytes;
	reader->window = NULL;
	reader->head_bytes = 0;
	reader->payload = NULL;
}

/* ---- what is taken ---- */

static void take_message(struct fuse_reader *reader, const struct fuse_message *message,
			 uint64_t unique)
{
	struct fuse_outgoing *out = &reader->out;

	reader->head_bytes = sizeof(out->header) + message->arguments_bytes;
	out->header = (struct fuse_in_header){
		.len = (uint32_t)(reader->head_bytes + message->payload_bytes),
		.opcode = message->opcode,
		.unique = unique,
		.nodeid = message->node.value,
	};
	memcpy(out->arguments, message->arguments, message->arguments_bytes);
}

/* The oldest INTERRUPT. */
static void take_interrupt_locked(struct fuse_connection *connection, struct fuse_reader *reader)
	REQUIRES(connection->lock);
static void take_interrupt_locked(struct fuse_connection *connection, struct fuse_reader *reader)
{
	struct fuse_request *request =
		list_first_entry(&connection->interrupts, struct fuse_request, interrupt_link);
	struct fuse_message message;

	list_del(&request->interrupt_link);
	request->interrupt_queued = false;
	fuse_ask_interrupt(&message, request->unique);
	take_message(reader, &message, request->unique | 1);
}

/* All forgets that are older than the first request, as many as go into one message. */
static void take_forgets_locked(struct fuse_connection *connection, uint64_t before,
				struct fuse_reader *reader, struct list *taken)
	REQUIRES(connection->lock);
static void take_forgets_locked(struct fuse_connection *connection, uint64_t before,
				struct fuse_reader *reader, struct list *taken)
{
	uint32_t most = connection->session.minor >= 16 ? (uint32_t)FUSE_BATCH_MAX : 1;
	struct fuse_forget_one nodes[FUSE_BATCH_MAX];
	struct fuse_message message;
	uint32_t count = 0;

	while (count < most && !list_empty(&connection->forgets)) {
		struct fuse_forget *forget =
			list_first_entry(&connection->forgets, struct fuse_forget, link);

		if (forget->order > before)
			break;
		nodes[count++] = forget->node;
		list_del(&forget->link);
		list_add_tail(taken, &forget->link);
	}
	if (count == 1)
		fuse_ask_forget(&message, (struct nodeid){nodes[0].nodeid}, nodes[0].nlookup);
	else
		fuse_ask_batch_forget(&message, nodes, count);
	connection->last_unique += 2;
	take_message(reader, &message, connection->last_unique);
}

static void free_forgets(struct fuse_connection *connection, struct list *taken)
{
	struct fuse_forget *forget, *next;

	list_for_each_safe (forget, next, taken, link)
		fuse_forget_free(connection, forget);
}

static bool fits(const struct fuse_reader *reader, const struct fuse_message *message)
{
	return sizeof(reader->out.header) + message->arguments_bytes + message->payload_bytes <=
	       reader->cap_bytes;
}

/* The request, which is on no list, becomes the device's. */
static void take_request_locked(struct fuse_connection *connection, struct fuse_reader *reader,
				struct fuse_request *request) REQUIRES(connection->lock);
static void take_request_locked(struct fuse_connection *connection, struct fuse_reader *reader,
				struct fuse_request *request)
{
	take_message(reader, &request->message, request->unique);
	reader->out.header.uid = request->caller.uid;
	reader->out.header.gid = request->caller.gid;
	reader->out.header.pid = (uint32_t)request->caller.pid;
	reader->payload = request->payload;
	if (unlikely(reader->payload)) {
		refcount_get(&reader->payload->references);
		(void)atomic_fetch_add_full(&reader->payload->nreaders, 1);
	}
	request->state = FUSE_REQUEST_SENT;
	if (unlikely(request->message.opcode == FUSE_NOTIFY_REPLY))
		list_add_tail(&connection->told, &request->link);
	else
		list_add_tail(fuse_sent_bucket(reader->device, request->unique), &request->link);
	if (unlikely(request->interrupted && !request->interrupt_queued)) {
		request->interrupt_queued = true;
		list_add_tail(&connection->interrupts, &request->interrupt_link);
	}
}

struct thread *fuse_give_locked(struct fuse_connection *connection, struct fuse_request *request)
{
	struct fuse_reader *reader;

	if (unlikely(list_empty(&connection->waiting) || fuse_has_work_locked(connection)))
		return NULL;
	reader = list_first_entry(&connection->waiting, struct fuse_reader, link);
	if (unlikely(!fits(reader, &request->message)))
		return NULL; /* take_locked() says so to who asks */
	list_del(&reader->link);
	take_request_locked(connection, reader, request);
	return reader->thread;
}

/* What a program waits for, and that is whole without a payload. */
static bool goes_by_ring(const struct fuse_connection *connection,
			 const struct fuse_request *request)
{
	return !request->ended && !request->payload && connection->state == FUSE_READY &&
	       request->message.opcode != FUSE_NOTIFY_REPLY && !request->message.payload_bytes;
}

bool fuse_give_to_ring_locked(struct fuse_connection *connection, struct fuse_request *request)
{
	struct fuse_device *device;
	struct fuse_reader reader;

	if (!goes_by_ring(connection, request) || fuse_has_work_locked(connection))
		return false;
	list_for_each (device, &connection->devices, link) {
		fuse_ring_settle_locked(connection, device);
		if (!fuse_ring_has_room_locked(connection, device))
			continue;
		fuse_reader_init(&reader, device, SIZE_MAX);
		take_request_locked(connection, &reader, request);
		fuse_ring_put_locked(connection, device, &reader.out, reader.head_bytes);
		return true;
	}
	return false;
}

/* A read would not wait. What lies in rings is taken back to be read. */
static bool find_work_locked(struct fuse_connection *connection) REQUIRES(connection->lock);
static bool find_work_locked(struct fuse_connection *connection)
{
	if (unlikely(connection->nrings))
		fuse_rings_take_back_locked(connection);
	return fuse_has_work_locked(connection);
}

/* ---- taking ---- */

bool fuse_has_work_locked(const struct fuse_connection *connection)
{
	return connection->state == FUSE_ENDED || !list_empty(&connection->queued) ||
	       !list_empty(&connection->interrupts) ||
	       (!list_empty(&connection->forgets) && connection->state == FUSE_READY);
}

bool fuse_has_work(struct fuse_connection *connection)
{
	bool has;

	spin_lock(&connection->lock);
	has = find_work_locked(connection);
	spin_unlock(&connection->lock);
	return has;
}

static bool forgets_come_first_locked(struct fuse_connection *connection,
				      const struct fuse_request *request)
	REQUIRES(connection->lock);
static bool forgets_come_first_locked(struct fuse_connection *connection,
				      const struct fuse_request *request)
{
	if (list_empty(&connection->forgets) || connection->state != FUSE_READY)
		return false;
	return !request || list_first_entry(&connection->forgets, struct fuse_forget, link)->order <
				   request->order;
}

/* What is queued. 0: taken; -EAGAIN: nothing is there; -ENODEV: the connection has ended. A request
 * that does not fit is taken off: *too_long, to be ended. */
static err_t take_locked(struct fuse_connection *connection, struct fuse_reader *reader,
			 struct list *forgotten, struct fuse_request **too_long)
	REQUIRES(connection->lock);
static err_t take_locked(struct fuse_connection *connection, struct fuse_reader *reader,
			 struct list *forgotten, struct fuse_request **too_long)
{
	struct fuse_request *request = NULL;

	*too_long = NULL;
	if (unlikely(connection->nrings))
		fuse_rings_take_back_locked(connection);
	if (!list_empty(&connection->queued))
		request = list_first_entry(&connection->queued, struct fuse_request, link);
	if (connection->state == FUSE_ENDED)
		return connection->aborted ? -ECONNABORTED : -ENODEV;
	if (!list_empty(&connection->interrupts)) {
		take_interrupt_locked(connection, reader);
	} else if (forgets_come_first_locked(connection, request)) {
		take_forgets_locked(connection, request ? request->order : UINT64_MAX, reader,
				    forgotten);
	} else if (!request) {
		return -EAGAIN;
	} else if (!fits(reader, &request->message)) {
		*too_long = request;
	} else {
		list_del(&request->link);
		take_request_locked(connection, reader, request);
	}
	return 0;
}

/* Takes what is queued; if nothing is, the reader waits from now on (`wait`) and -EAGAIN. */
static err_t take_or_wait(struct fuse_connection *connection, struct fuse_reader *reader, bool wait)
{
	struct fuse_request *too_long;
	LIST_HEAD(forgotten);
	err_t err;

	spin_lock(&connection->lock);
	while (!(err = take_locked(connection, reader, &forgotten, &too_long)) && too_long) {
		fuse_request_fail(connection, too_long,
				  too_long->message.opcode == FUSE_SETXATTR ? -E2BIG : -EIO);
		spin_lock(&connection->lock);
	}
	if (err == -EAGAIN && wait)
		list_add_head(&connection->waiting, &reader->link);
	spin_unlock(&connection->lock);
	free_forgets(connection, &forgotten);
	if (!err && fuse_is_traced(connection))
		fuse_trace_told(connection, reader);
	return err;
}

/* After a sleep. True: it has a request. Else it waits no more; *told: it was to look. */
static bool stop_waiting(struct fuse_connection *connection, struct fuse_reader *reader, bool *told)
{
	bool has;

	spin_lock(&connection->lock);
	has = reader->head_bytes;
	*told = !list_linked(&reader->link);
	if (unlikely(!*told))
		list_del(&reader->link);
	spin_unlock(&connection->lock);
	return has;
}

/* What wants no answer is over when it was taken. */
static void end_told(struct fuse_connection *connection)
{
	spin_lock(&connection->lock);
	while (!list_empty(&connection->told)) {
		fuse_request_end(connection,
				 list_first_entry(&connection->told, struct fuse_request, link), 0);
		spin_lock(&connection->lock);
	}
	spin_unlock(&connection->lock);
}

/* The end of a call that takes. */
static err_t taken(struct fuse_reader *reader, err_t err)
{
	if (unlikely(!err && reader->out.header.opcode == FUSE_NOTIFY_REPLY))
		end_told(reader->device->connection);
	return err;
}

/* It lies on `waiting` and has slept, which came to *err. True: it has a request, or *err says why
 * it has none. */
static bool is_over(struct fuse_connection *connection, struct fuse_reader *reader, err_t *err)
{
	bool told;

	if (likely(stop_waiting(connection, reader, &told))) {
		*err = 0;
		return true;
	}
	if (likely(!*err))
		return false;
	if (told) /* another one does */
		fuse_tell_reader(connection);
	return true;
}

static err_t take(struct fuse_reader *reader, bool nonblocking)
{
	struct fuse_connection *connection = reader->device->connection;
	err_t err;

	do {
		/* Most often nothing is there. */
		err = take_or_wait(connection, reader, !nonblocking);
		if (err != -EAGAIN || nonblocking)
			return err;
		err = thread_wait(THREAD_KILLED | THREAD_INTERRUPTED, UINT64_MAX);
	} while (unlikely(!is_over(connection, reader, &err)));
	return err;
}

err_t fuse_reader_take(struct fuse_reader *reader, bool nonblocking)
{
	return taken(reader, take(reader, nonblocking));
}

err_t fuse_reader_end_and_take(struct fuse_connection *connection, struct fuse_reader *reader,
			       struct fuse_request *request, err_t error, bool nonblocking)
{
	struct thread *waiter = fuse_request_settle_locked(connection, request, error);
	err_t err;

	if (unlikely(nonblocking || find_work_locked(connection))) {
		thread_wake(waiter); /* who takes the lock before it returns */
		spin_unlock(&connection->lock);
		return fuse_reader_take(reader, nonblocking);
	}
	list_add_head(&connection->waiting, &reader->link);
	err = thread_wait_switch(THREAD_KILLED | THREAD_INTERRUPTED, waiter, &connection->lock);
	return likely(is_over(connection, reader, &err)) ? taken(reader, err)
							 : fuse_reader_take(reader, nonblocking);
}

/* ---- telling ---- */

/* False: nobody waits. */
static bool tell_one(struct fuse_connection *connection)
{
	struct fuse_reader *reader;
	bool any;

	spin_lock(&connection->lock);
	any = !list_empty(&connection->waiting);
	if (any) {
		reader = list_first_entry(&connection->waiting, struct fuse_reader, link);
		list_del(&reader->link);
		thread_wake(reader->thread); /* who takes the lock before it returns */
	}
	spin_unlock(&connection->lock);
	return any;
}

void fuse_tell_reader(struct fuse_connection *connection)
{
	(void)tell_one(connection);
	waitq_wake_one(&connection->pollers);
}

void fuse_tell_readers(struct fuse_connection *connection)
{
	while (tell_one(connection))
		;
	waitq_wake_all(&connection->pollers);
}
