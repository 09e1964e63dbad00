/*
 * System V message queues. A message goes straight to the longest waiting receiver that wants it,
 * else into the queue; who waits to send has its message put there by who makes room. Invariant:
 * outside of the queue's lock no receiver that waits wants a message of the queue, and no sender's
 * that waits fits.
 */
#include "sysv.h"

#include <abi/capability.h>
#include <abi/errno.h>
#include <lib/panic.h>
#include <mm/kva.h>
#include <mm/slab.h>

#define MSGSSZ 16 /* Linux's, of old */
#define MSGSEG 0xffff

/*
 *   [c] constant once it is sent
 */
struct sysv_message {
	struct refcount references;
	struct list link; /* [the queue's lock] */
	int64_t type;     /* [c] */
	size_t len_bytes; /* [c] */
	char bytes[];     /* [c] */
};

/*
 *   [l] base.lock
 */
struct queue {
	struct sysv_object base;
	struct list messages;       /* [l] struct sysv_message, the oldest first */
	struct list receivers;      /* [l] struct receiver by its wait, the longest waiting first */
	struct list senders;        /* [l] struct sender, the same */
	uint64_t nmessages, nbytes; /* [l] */
	uint64_t qbytes;            /* [l] how many there may be: of both */
	int64_t sent_s, received_s; /* [l] */
	int32_t last_sender, last_receiver; /* [l] processes */
};

struct receiver {
	struct sysv_wait wait;    /* first */
	int64_t type;             /* [c] */
	unsigned flags;           /* [c] */
	size_t room_bytes;        /* [c] */
	int32_t pid;              /* [c] */
	struct sysv_message *got; /* a reference, if the result is 0 */
};

struct sender {
	struct sysv_wait wait;        /* first */
	struct sysv_message *message; /* a reference, until it is sent */
	int32_t pid;                  /* [c] */
};

SLAB_CACHE(queue_cache, struct queue);

/* Those of who calls. */
static struct sysv_kind *callers(void)
{
	return &ipc_namespace_caller()->queues;
}

static struct queue *queue_of(struct sysv_object *object)
{
	return container_of(object, struct queue, base);
}

static void queue_free(struct sysv_object *object)
{
	slab_free(&queue_cache, queue_of(object));
	sysv_uncharge(sizeof(struct queue));
}

/* ---- messages ---- */

static size_t bytes_of(size_t len_bytes)
{
	return sizeof(struct sysv_message) + len_bytes;
}

struct sysv_message *sysv_message_alloc(size_t len_bytes)
{
	struct sysv_message *message = NULL;

	if (sysv_charge(bytes_of(len_bytes)))
		return NULL;
	message = kvmalloc(bytes_of(len_bytes));
	if (!message) {
		sysv_uncharge(bytes_of(len_bytes));
		return NULL;
	}
	refcount_init(&message->references);
	list_init(&message->link);
	message->len_bytes = len_bytes;
	return message;
}

char *sysv_message_bytes(struct sysv_message *message)
{
	return message->bytes;
}

void sysv_message_put(struct sysv_message *message)
{
	size_t bytes;

	if (!message || !refcount_put(&message->references))
		return;
	bytes = bytes_of(message->len_bytes);
	kvfree(message, bytes);
	sysv_uncharge(bytes);
}

/* ---- msgget ---- */

static err_t queue_make(struct sysv_kind *kind, UNUSED uint64_t size, struct sysv_object **out)
{
	struct queue *queue;
	err_t err = sysv_charge(sizeof(*queue));

	if (err)
		return err;
	queue = slab_alloc_zeroed(&queue_cache);
	if (!queue) {
		sysv_uncharge(sizeof(*queue));
		return -ENOMEM;
	}
	list_init(&queue->messages);
	list_init(&queue->receivers);
	list_init(&queue->senders);
	queue->qbytes = read_once(&kind->ipc->sysv_limits.msgmnb);
	*out = &queue->base;
	return 0;
}

int sysv_message_get(int32_t key, unsigned flags)
{
	return sysv_get(callers(), &(struct sysv_request){
					   .key = key,
					   .flags = flags,
					   .make = queue_make,
				   });
}

/* ---- in and out, under the queue's lock ---- */

static bool fits_locked(const struct queue *queue, const struct sysv_message *message)
	REQUIRES(queue->base.lock)
{
	return message->len_bytes + queue->nbytes <= queue->qbytes &&
	       queue->nmessages + 1 <= queue->qbytes;
}

static bool wants(int64_t type, unsigned flags, const struct sysv_message *message)
{
	if (type == 0)
		return true;
	if (type < 0)
		return message->type <= (type == INT64_MIN ? INT64_MAX : -type);
	return flags & MSG_EXCEPT ? message->type != type : message->type == type;
}

/* The oldest that is wanted, and of types up to one, one of the lowest. */
static struct sysv_message *choose_locked(struct queue *queue, int64_t type, unsigned flags)
	REQUIRES(queue->base.lock)
{
	struct sysv_message *message, *best = NULL;

	list_for_each (message, &queue->messages, link) {
		if (!wants(type, flags, message) || (best && message->type >= best->type))
			continue;
		best = message;
		if (type >= 0)
			break;
	}
	return best;
}

static struct sysv_message *nth_locked(struct queue *queue, int64_t n) REQUIRES(queue->base.lock)
{
	struct sysv_message *message;

	list_for_each (message, &queue->messages, link) {
		if (n-- == 0)
			return message;
	}
	return NULL;
}

/* To somebody who waits; those whose room is too small are told so. Takes the message over. */
static bool hand_over_locked(struct queue *queue, struct sysv_message *message, struct list *woken)
	REQUIRES(queue->base.lock)
{
	struct sysv_wait *wait, *next;

	list_for_each_safe (wait, next, &queue->receivers, link) {
		struct receiver *receiver = container_of(wait, struct receiver, wait);

		if (!wants(receiver->type, receiver->flags, message))
			continue;
		if (receiver->room_bytes < message->len_bytes && !(receiver->flags & MSG_NOERROR)) {
			sysv_wait_decide(wait, -E2BIG, woken);
			continue;
		}
		receiver->got = message;
		queue->last_receiver = receiver->pid;
		queue->received_s = sysv_now_s();
		sysv_wait_decide(wait, 0, woken);
		return true;
	}
	return false;
}

/* It fits. Takes it over. */
static void put_in_locked(struct queue *queue, struct sysv_message *message, int32_t pid,
			  struct list *woken) REQUIRES(queue->base.lock)
{
	queue->last_sender = pid;
	queue->sent_s = sysv_now_s();
	if (hand_over_locked(queue, message, woken))
		return;
	list_add_tail(&queue->messages, &message->link);
	queue->nmessages++;
	queue->nbytes += message->len_bytes;
}

/* The senders whose messages fit now, in their order. */
static void let_in_locked(struct queue *queue, struct list *woken) REQUIRES(queue->base.lock)
{
	struct sysv_wait *wait, *next;

	list_for_each_safe (wait, next, &queue->senders, link) {
		struct sender *sender = container_of(wait, struct sender, wait);

		if (!fits_locked(queue, sender->message))
			continue;
		put_in_locked(queue, sender->message, sender->pid, woken);
		sender->message = NULL;
		sysv_wait_decide(wait, 0, woken);
	}
}

static void take_out_locked(struct queue *queue, struct sysv_message *message, int32_t pid,
			    struct list *woken) REQUIRES(queue->base.lock)
{
	list_del(&message->link);
	queue->nmessages--;
	queue->nbytes -= message->len_bytes;
	queue->last_receiver = pid;
	queue->received_s = sysv_now_s();
	let_in_locked(queue, woken);
}

static void decide_all(struct list *waits, err_t result, struct list *woken)
{
	struct sysv_wait *wait, *next;

	list_for_each_safe (wait, next, waits, link)
		sysv_wait_decide(wait, result, woken);
}

/* ---- msgsnd ---- */

/* One look; SYSV_WAITING: it waits, if there is a `sender`. The message has gone if it is 0. */
static err_t try_send(struct queue *queue, struct sysv_message *message, unsigned flags,
		      struct sender *sender)
{
	LIST_HEAD(woken);
	err_t err;

	mutex_lock(&queue->base.lock);
	err = sysv_check_locked(&queue->base, SYSV_WRITE);
	if (!err && fits_locked(queue, message)) {
		put_in_locked(queue, message, sysv_caller().pid, &woken);
	} else if (!err) {
		err = flags & IPC_NOWAIT ? -EAGAIN : SYSV_WAITING;
		if (sender && !(flags & IPC_NOWAIT))
			list_add_tail(&queue->senders, &sender->wait.link);
	}
	mutex_unlock(&queue->base.lock);
	sysv_wake(&woken);
	return err;
}

/* Until the message has gone, or cannot. -EAGAIN: what it waited for has changed (IPC_SET). */
static err_t wait_to_send(struct queue *queue, struct sysv_message **message, unsigned flags)
{
	struct sender *sender = kzalloc(sizeof(*sender));
	err_t err;

	if (!sender)
		return -ENOMEM;
	sysv_wait_init(&sender->wait);
	sender->message = *message;
	sender->pid = sysv_caller().pid;
	err = try_send(queue, *message, flags, sender);
	if (err == SYSV_WAITING)
		err = sysv_wait_for(&queue->base.lock, &sender->wait, UINT64_MAX);
	if (!err)
		*message = NULL;
	sysv_wait_put(&sender->wait);
	return err;
}

err_t sysv_message_send(int32_t id, struct sysv_message *message, int64_t type, unsigned flags)
{
	struct sysv_object *object = sysv_find(callers(), id);
	err_t err = -EINVAL;

	if (!object)
		goto drop;
	message->type = type;
	err = try_send(queue_of(object), message, flags, NULL);
	if (!err)
		message = NULL;
	while (err == SYSV_WAITING || (err == -EAGAIN && !(flags & IPC_NOWAIT)))
		err = wait_to_send(queue_of(object), &message, flags);
	sysv_put(object);
drop:
	sysv_message_put(message);
	return err;
}

/* ---- msgrcv ---- */

static err_t take_locked(struct queue *queue, const struct receiver *request,
			 struct sysv_message **out, struct list *woken) REQUIRES(queue->base.lock)
{
	bool copy = request->flags & MSG_COPY;
	struct sysv_message *message = copy ? nth_locked(queue, request->type)
					    : choose_locked(queue, request->type, request->flags);

	if (!message)
		return request->flags & IPC_NOWAIT ? -ENOMSG : SYSV_WAITING;
	if (request->room_bytes < message->len_bytes) {
		if (!(request->flags & MSG_NOERROR))
			return -E2BIG;
		if (copy)
			return -EINVAL; /* as Linux: a copy is whole */
	}
	if (copy)
		refcount_get(&message->references);
	else
		take_out_locked(queue, message, request->pid, woken);
	*out = message;
	return 0;
}

/* One look; SYSV_WAITING: `request` waits, if `may_wait`. */
static err_t try_receive(struct queue *queue, struct receiver *request, bool may_wait,
			 struct sysv_message **out)
{
	LIST_HEAD(woken);
	err_t err;

	mutex_lock(&queue->base.lock);
	err = sysv_check_locked(&queue->base, SYSV_READ);
	if (!err)
		err = take_locked(queue, request, out, &woken);
	if (err == SYSV_WAITING && may_wait)
		list_add_tail(&queue->receivers, &request->wait.link);
	mutex_unlock(&queue->base.lock);
	sysv_wake(&woken);
	return err;
}

/* -EAGAIN: what it waited for has changed (IPC_SET). */
static err_t wait_to_receive(struct queue *queue, const struct receiver *request,
			     struct sysv_message **out)
{
	struct receiver *receiver = kzalloc(sizeof(*receiver));
	err_t err;

	if (!receiver)
		return -ENOMEM;
	*receiver = *request;
	sysv_wait_init(&receiver->wait);
	err = try_receive(queue, receiver, true, out);
	if (err == SYSV_WAITING) {
		err = sysv_wait_for(&queue->base.lock, &receiver->wait, UINT64_MAX);
		if (!err)
			*out = receiver->got;
	}
	sysv_wait_put(&receiver->wait);
	return err;
}

err_t sysv_message_receive(int32_t id, size_t room_bytes, int64_t type, unsigned flags,
			   struct sysv_message **out, size_t *len_bytes, int64_t *type_out)
{
	struct sysv_object *object;
	struct receiver request = {
		.type = type, .flags = flags, .room_bytes = room_bytes, .pid = sysv_caller().pid};
	err_t err;

	if (flags & MSG_COPY && (flags & MSG_EXCEPT || !(flags & IPC_NOWAIT)))
		return -EINVAL;
	object = sysv_find(callers(), id);
	if (!object)
		return -EINVAL;
	err = try_receive(queue_of(object), &request, false, out);
	while (err == SYSV_WAITING || err == -EAGAIN)
		err = wait_to_receive(queue_of(object), &request, out);
	sysv_put(object);
	if (err)
		return err;
	*len_bytes = MIN((*out)->len_bytes, room_bytes);
	*type_out = (*out)->type;
	return 0;
}

/* ---- msgctl ---- */

/* They are freed without the lock. */
static void free_all(struct list *messages)
{
	struct sysv_message *message, *next;

	list_for_each_safe (message, next, messages, link) {
		list_del(&message->link);
		sysv_message_put(message);
	}
}

static err_t remove(struct queue *queue, bool check)
{
	struct sysv_kind *kind = queue->base.kind;
	LIST_HEAD(messages);
	LIST_HEAD(woken);
	err_t err;

	mutex_lock(&kind->lock);
	mutex_lock(&queue->base.lock);
	err = check ? sysv_owns_locked(&queue->base) : 0;
	if (!err) {
		list_splice_tail(&messages, &queue->messages);
		decide_all(&queue->receivers, -EIDRM, &woken);
		decide_all(&queue->senders, -EIDRM, &woken);
		sysv_remove_locked(kind, &queue->base);
	}
	mutex_unlock(&queue->base.lock);
	mutex_unlock(&kind->lock);
	sysv_wake(&woken);
	free_all(&messages);
	return err;
}

static void remove_unchecked(struct sysv_object *object)
{
	(void)!remove(queue_of(object), false);
}

const struct sysv_kind_ops message_kind_ops = {.free = queue_free, .remove = remove_unchecked};

err_t sysv_message_remove(int32_t id)
{
	struct sysv_object *object = sysv_find(callers(), id);
	err_t err;

	if (!object)
		return -EINVAL;
	err = remove(queue_of(object), true);
	sysv_put(object);
	return err;
}

static err_t set_locked(struct queue *queue, const struct sysv_owner *owner, uint64_t qbytes,
			struct list *woken) REQUIRES(queue->base.lock)
{
	err_t err = sysv_owns_locked(&queue->base);

	if (err)
		return err;
	if (qbytes > read_once(&sysv_limits()->msgmnb) && !sysv_caller_capable(CAP_SYS_RESOURCE))
		return -EPERM;
	err = sysv_set_owner_locked(&queue->base, owner);
	if (err)
		return err;
	queue->qbytes = qbytes;
	/* They may no longer be allowed to, or there is room: they look again. */
	decide_all(&queue->receivers, -EAGAIN, woken);
	decide_all(&queue->senders, -EAGAIN, woken);
	return 0;
}

err_t sysv_message_set(int32_t id, const struct sysv_owner *owner, uint64_t qbytes)
{
	struct sysv_object *object = sysv_find(callers(), id);
	struct queue *queue;
	LIST_HEAD(woken);
	err_t err;

	if (!object)
		return -EINVAL;
	queue = queue_of(object);
	mutex_lock(&queue->base.lock);
	err = set_locked(queue, owner, qbytes, &woken);
	mutex_unlock(&queue->base.lock);
	sysv_wake(&woken);
	sysv_put(object);
	return err;
}

static void describe_locked(const struct queue *queue, struct abi_msqid_ds *out)
	REQUIRES(queue->base.lock)
{
	*out = (struct abi_msqid_ds){
		.stime = queue->sent_s,
		.rtime = queue->received_s,
		.ctime = queue->base.changed_s,
		.cbytes = queue->nbytes,
		.qnum = queue->nmessages,
		.qbytes = queue->qbytes,
		.lspid = queue->last_sender,
		.lrpid = queue->last_receiver,
	};
	sysv_describe_locked(&queue->base, &out->perm);
}

int sysv_message_stat(int32_t id, enum sysv_lookup lookup, struct abi_msqid_ds *out)
{
	struct sysv_object *object;
	struct queue *queue;
	int result = sysv_look_up(callers(), id, lookup, &object);

	if (result)
		return result;
	queue = queue_of(object);
	mutex_lock(&queue->base.lock);
	result = sysv_check_locked(&queue->base, sysv_lookup_wants(lookup));
	if (!result) {
		describe_locked(queue, out);
		result = object->id;
	}
	mutex_unlock(&queue->base.lock);
	sysv_put(object);
	return result;
}

int sysv_message_next(uint32_t *index, struct abi_msqid_ds *out)
{
	struct sysv_object *object = sysv_next(callers(), index);
	struct queue *queue;
	int id;

	if (!object)
		return -1;
	queue = queue_of(object);
	mutex_lock(&queue->base.lock);
	describe_locked(queue, out);
	id = object->id;
	mutex_unlock(&queue->base.lock);
	sysv_put(object);
	return id;
}

static void count_all(struct abi_msginfo *out)
{
	struct abi_msqid_ds queue;
	uint32_t index = 0;
	uint64_t nbytes = 0, nmessages = 0;

	out->msgpool = 0;
	while (sysv_message_next(&index, &queue) >= 0) {
		out->msgpool++;
		nmessages += queue.qnum;
		nbytes += queue.cbytes;
	}
	out->msgmap = (int32_t)MIN(nmessages, (uint64_t)INT32_MAX);
	out->msgtql = (int32_t)MIN(nbytes, (uint64_t)INT32_MAX);
}

int sysv_message_info(bool in_use, struct abi_msginfo *out)
{
	const struct sysv_limits *limits = sysv_limits();
	uint64_t pool_kib = (uint64_t)read_once(&limits->msgmni) * read_once(&limits->msgmnb) / KIB;

	*out = (struct abi_msginfo){
		.msgpool = (int32_t)MIN(pool_kib, (uint64_t)INT32_MAX),
		.msgmap = (int32_t)read_once(&limits->msgmnb),
		.msgmax = (int32_t)read_once(&limits->msgmax),
		.msgmnb = (int32_t)read_once(&limits->msgmnb),
		.msgmni = (int32_t)read_once(&limits->msgmni),
		.msgssz = MSGSSZ,
		.msgtql = (int32_t)read_once(&limits->msgmnb),
		.msgseg = MSGSEG,
	};
	if (in_use)
		count_all(out);
	return sysv_highest(callers());
}
