/*
 * POSIX message queues: the queues, their messages and who waits. Names and opening are in
 * names.c.
 *
 * A message goes straight to the longest waiting receiver; else into the queue, which is a tree by
 * priority and arrival. Who waits to send has its message put there by who makes room. Invariant:
 * outside of the queue's lock nobody waits to receive from one that has messages, nor to send to
 * one that has room.
 */
#include "mqueue_priv.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <lib/fmt.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/kva.h>
#include <mm/slab.h>

struct mq_message {
	struct tree_node node; /* [queue's lock] by priority, the highest first, then by arrival */
	unsigned priority;
	size_t len_bytes;
	char bytes[];
};

struct mq_wait {
	struct sysv_wait wait;      /* first */
	struct mq_message *message; /* what is sent, or, if the result is 0, received */
};

static struct mq_message *message_of(struct tree_node *node)
{
	return container_of(node, struct mq_message, node);
}

static struct mq_wait *first_of(struct list *waits)
{
	return container_of(list_first_entry(waits, struct sysv_wait, link), struct mq_wait, wait);
}

/* ---- messages ---- */

static size_t bytes_of(size_t len_bytes)
{
	return sizeof(struct mq_message) + len_bytes;
}

static struct mq_message *mq_message_alloc(size_t len_bytes)
{
	struct mq_message *message;

	if (sysv_charge(bytes_of(len_bytes)))
		return NULL;
	message = kvmalloc(bytes_of(len_bytes));
	if (!message) {
		sysv_uncharge(bytes_of(len_bytes));
		return NULL;
	}
	message->len_bytes = len_bytes;
	return message;
}

static void mq_message_free(struct mq_message *message)
{
	size_t bytes;

	if (!message)
		return;
	bytes = bytes_of(message->len_bytes);
	kvfree(message, bytes);
	sysv_uncharge(bytes);
}

void mqueue_free_messages(struct mqueue *queue)
{
	struct tree_node *node;

	while ((node = tree_first(&queue->messages))) {
		tree_remove(&queue->messages, node);
		mq_message_free(message_of(node));
	}
}

/* ---- in and out, under the queue's lock ---- */

static void insert_locked(struct mqueue *queue, struct mq_message *message) REQUIRES(queue->lock)
{
	struct tree_node **at = &queue->messages.root, *parent = NULL;

	while (*at) {
		parent = *at;
		at = message->priority > message_of(parent)->priority ? &parent->left
								      : &parent->right;
	}
	tree_insert(&queue->messages, &message->node, parent, at);
	write_once(&queue->nmessages, queue->nmessages + 1);
	queue->nbytes += message->len_bytes;
}

/* What becomes of a message: *told is who is to be told of it, or NULL. */
static void put_in_locked(struct mqueue *queue, struct mq_message *message,
			  struct mqueue_notify **told, struct list *woken) REQUIRES(queue->lock)
{
	if (!list_empty(&queue->receivers)) {
		struct mq_wait *receiver = first_of(&queue->receivers);

		receiver->message = message;
		sysv_wait_decide(&receiver->wait, 0, woken);
		return;
	}
	insert_locked(queue, message);
	if (queue->nmessages == 1) {
		*told = queue->notify;
		queue->notify = NULL;
	}
}

/* The first one; whoever waits for room comes in. */
static struct mq_message *take_out_locked(struct mqueue *queue, struct list *woken)
	REQUIRES(queue->lock)
{
	struct mq_message *message = message_of(tree_first(&queue->messages));

	tree_remove(&queue->messages, &message->node);
	write_once(&queue->nmessages, queue->nmessages - 1);
	queue->nbytes -= message->len_bytes;
	if (!list_empty(&queue->senders)) {
		struct mq_wait *sender = first_of(&queue->senders);

		insert_locked(queue, sender->message);
		sender->message = NULL;
		sysv_wait_decide(&sender->wait, 0, woken);
	}
	return message;
}

static err_t wait_on(struct mqueue *queue, struct mq_wait *wait, uint64_t deadline_ns)
{
	return sysv_wait_for(&queue->lock, &wait->wait, deadline_ns);
}

/* ---- mq_timedsend ---- */

/* One look. SYSV_WAITING: it waits, if there is a `wait`. 0: *message has gone. */
static err_t try_send(struct mqueue *queue, struct mq_message **message, bool nonblock,
		      struct mq_wait *wait)
{
	struct mqueue_notify *told = NULL;
	const struct sysv_caller sender = sysv_caller();
	LIST_HEAD(woken);
	err_t err = 0;

	mutex_lock(&queue->lock);
	if (queue->nmessages < queue->maxmsg) {
		put_in_locked(queue, *message, &told, &woken);
		*message = NULL;
	} else {
		err = nonblock ? -EAGAIN : SYSV_WAITING;
		if (wait && !nonblock)
			list_add_tail(&queue->senders, &wait->wait.link);
	}
	mutex_unlock(&queue->lock);
	sysv_wake(&woken);
	if (told)
		told->end(told, &sender);
	if (!err)
		waitq_wake_all_events(&queue->changed, POLLIN);
	return err;
}

static err_t send_message(struct mqueue *queue, struct mq_message **message, bool nonblock,
			  uint64_t deadline_ns)
{
	err_t err = try_send(queue, message, nonblock, NULL);
	struct mq_wait *wait;

	if (err != SYSV_WAITING)
		return err;
	wait = kzalloc(sizeof(*wait));
	if (!wait)
		return -ENOMEM;
	sysv_wait_init(&wait->wait);
	wait->message = *message;
	err = try_send(queue, message, nonblock, wait);
	if (err == SYSV_WAITING) {
		err = wait_on(queue, wait, deadline_ns);
		if (!err)
			*message = NULL;
	}
	sysv_wait_put(&wait->wait);
	return err;
}

err_t mqueue_send(struct object *object, struct buffer *from, size_t len_bytes,
		  const struct mqueue_transfer *transfer)
{
	struct mqueue *queue = mqueue_of_object(object, O_WRONLY);
	struct mq_message *message;
	err_t err = 0;

	if (!queue)
		return -EBADF;
	if (len_bytes > queue->msgsize)
		return -EMSGSIZE;
	message = mq_message_alloc(len_bytes);
	if (!message)
		return -ENOMEM;
	message->priority = transfer->priority;
	if (buffer_copy_from(from, message->bytes, len_bytes) < len_bytes)
		err = -EFAULT;
	else
		err = send_message(queue, &message, object_flags(object) & O_NONBLOCK,
				   transfer->deadline_ns);
	mq_message_free(message);
	return err;
}

/* ---- mq_timedreceive ---- */

static err_t try_receive(struct mqueue *queue, bool nonblock, struct mq_wait *wait,
			 struct mq_message **out)
{
	LIST_HEAD(woken);
	err_t err = 0;

	mutex_lock(&queue->lock);
	if (queue->nmessages) {
		*out = take_out_locked(queue, &woken);
	} else {
		err = nonblock ? -EAGAIN : SYSV_WAITING;
		if (wait && !nonblock)
			list_add_tail(&queue->receivers, &wait->wait.link);
	}
	mutex_unlock(&queue->lock);
	sysv_wake(&woken);
	if (!err)
		waitq_wake_all_events(&queue->changed, POLLOUT);
	return err;
}

static err_t receive_message(struct mqueue *queue, bool nonblock, uint64_t deadline_ns,
			     struct mq_message **out)
{
	err_t err = try_receive(queue, nonblock, NULL, out);
	struct mq_wait *wait;

	if (err != SYSV_WAITING)
		return err;
	wait = kzalloc(sizeof(*wait));
	if (!wait)
		return -ENOMEM;
	sysv_wait_init(&wait->wait);
	err = try_receive(queue, nonblock, wait, out);
	if (err == SYSV_WAITING) {
		err = wait_on(queue, wait, deadline_ns);
		if (!err)
			*out = wait->message;
	}
	sysv_wait_put(&wait->wait);
	return err;
}

ssize_t mqueue_receive(struct object *object, struct buffer *to, struct mqueue_transfer *transfer)
{
	struct mqueue *queue = mqueue_of_object(object, O_RDONLY);
	struct mq_message *message;
	size_t len_bytes;
	err_t err;

	if (!queue)
		return -EBADF;
	if (buffer_remaining(to) < queue->msgsize)
		return -EMSGSIZE;
	err = receive_message(queue, object_flags(object) & O_NONBLOCK, transfer->deadline_ns,
			      &message);
	if (err)
		return err;
	/* As Linux: one that cannot be stored is lost. */
	len_bytes = message->len_bytes;
	if (buffer_copy_to(to, message->bytes, len_bytes) < len_bytes)
		err = -EFAULT;
	transfer->priority = message->priority;
	mq_message_free(message);
	return err ? err : (ssize_t)len_bytes;
}

/* ---- mq_notify, mq_getsetattr ---- */

err_t mqueue_set_notify(struct object *object, struct mqueue_notify *notify)
{
	struct mqueue *queue = mqueue_of_object(object, O_PATH);
	struct mqueue_notify *ended = NULL;
	err_t err = 0;

	if (!queue) {
		err = -EBADF;
	} else {
		mutex_lock(&queue->lock);
		if (notify && queue->notify) {
			err = -EBUSY;
		} else if (notify) {
			queue->notify = notify;
		} else if (queue->notify && queue->notify->pid == sysv_caller().pid) {
			ended = queue->notify;
			queue->notify = NULL;
		}
		mutex_unlock(&queue->lock);
	}
	if (ended)
		ended->end(ended, NULL);
	return err;
}

err_t mqueue_attributes(struct object *object, struct abi_mq_attr *out)
{
	const struct mqueue *queue = mqueue_of_object(object, O_PATH);

	if (!queue)
		return -EBADF;
	*out = (struct abi_mq_attr){
		.mq_flags = object_flags(object) & O_NONBLOCK,
		.mq_maxmsg = (int64_t)queue->maxmsg,
		.mq_msgsize = (int64_t)queue->msgsize,
		.mq_curmsgs = (int64_t)read_once(&queue->nmessages),
	};
	return 0;
}

size_t mqueue_state(struct mqueue *queue, char *to, size_t to_bytes)
{
	const struct mqueue_notify *notify;
	size_t len_bytes;

	mutex_lock(&queue->lock);
	notify = queue->notify;
	len_bytes = kernel_format(
		to, to_bytes, "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
		queue->nbytes, notify ? notify->notify : 0, notify ? notify->signal : 0,
		notify ? sysv_caller_shows(notify->pid) : 0);
	mutex_unlock(&queue->lock);
	return len_bytes;
}
