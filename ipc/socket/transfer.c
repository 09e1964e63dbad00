/*
 * What goes through unix sockets. A stream is cut into pieces that need no whole pages, and its
 * receivers take as many bytes as they like; other messages stay whole. Those who are about to wait
 * look at the state under the lock again.
 */
#include "socket_priv.h"

#include <abi/fcntl.h>
#include <lib/string.h>
#include <mm/kva.h>
#include <mm/slab.h>

#define MESSAGE_BYTES (QUEUE_BYTES - 32) /* at most in one */
#define PIECE_BYTES   (KMALLOC_MAX - sizeof(struct message))

/* ---- messages ---- */

void socket_rights_put(struct socket_rights *rights)
{
	if (!rights)
		return;
	for (unsigned i = 0; i < rights->count; i++)
		object_put(rights->objects[i]);
	kfree(rights);
}

static size_t cost_bytes(const struct message *message)
{
	return sizeof(*message) + message->len_bytes;
}

static struct message *message_alloc(size_t len_bytes)
{
	struct message *message = kvmalloc(sizeof(*message) + len_bytes);

	if (message)
		*message = (struct message){.len_bytes = len_bytes};
	return message;
}

void message_free(struct message *message)
{
	socket_rights_put(message->rights);
	kvfree(message, cost_bytes(message));
}

/* ---- sending ---- */

static err_t make_message(struct buffer *buffer, size_t len_bytes, struct message **out)
{
	struct message *message = message_alloc(len_bytes);

	if (!message)
		return -ENOMEM;
	if (buffer_copy_from(buffer, message->bytes, len_bytes) < len_bytes) {
		message_free(message);
		return -EFAULT;
	}
	*out = message;
	return 0;
}

/* 1: it is with the other end; 0: there is no room; -EPIPE, -ECONNREFUSED. */
static int try_push(struct socket *socket, struct message *message)
{
	struct pair *pair = socket->pair;
	struct end *to = socket->other;
	int result = 0;

	spin_lock(&pair->lock);
	if (socket->end->writes_ended) {
		result = -EPIPE;
	} else if (to->closed) {
		result = -ECONNREFUSED; /* of datagrams: others have their writes ended */
	} else if (to->reads_ended) {
		result = -EPIPE;
	} else if (!to->queued_bytes || to->queued_bytes + cost_bytes(message) <= QUEUE_BYTES) {
		list_add_tail(&to->messages, &message->link);
		write_once(&to->queued_bytes, to->queued_bytes + cost_bytes(message));
		result = 1;
	}
	spin_unlock(&pair->lock);
	return result;
}

static err_t push(struct socket *socket, struct message *message, bool nonblocking)
{
	int result = try_push(socket, message);
	err_t err;

	if (!result) {
		if (nonblocking)
			return -EAGAIN;
		err = wait_event_interruptible(&socket->end->changed,
					       (result = try_push(socket, message)) != 0);
		if (err)
			return err;
	}
	if (result > 0)
		waitq_wake_all_events(&socket->other->changed, POLLIN);
	return MIN(result, 0);
}

/* One message, or a piece of a stream. */
static err_t send_one(struct socket *socket, struct buffer *buffer, size_t len_bytes,
		      bool nonblocking, struct socket_message *with)
{
	struct message *message = NULL;
	err_t err = make_message(buffer, len_bytes, &message);

	if (err)
		return err;
	message->from = with->from;
	message->rights = with->rights;
	err = push(socket, message, nonblocking);
	if (err) {
		message->rights = NULL; /* still the caller's */
		message_free(message);
		return err;
	}
	with->rights = NULL;
	return 0;
}

ssize_t socket_send(struct object *object, struct buffer *buffer, unsigned flags,
		    struct socket_message *message)
{
	struct socket *socket = socket_of(object);
	bool nonblocking = object_flags(object) & O_NONBLOCK || flags & MSG_DONTWAIT;
	size_t wanted = buffer_remaining(buffer);
	size_t sent = 0;
	err_t err = 0;

	if (!is_stream(socket)) {
		if (wanted > MESSAGE_BYTES)
			return -EMSGSIZE;
		err = send_one(socket, buffer, wanted, nonblocking, message);
		return err ? err : (ssize_t)wanted;
	}
	while (sent < wanted && !err) {
		size_t piece = MIN(wanted - sent, PIECE_BYTES);

		err = send_one(socket, buffer, piece, nonblocking, message);
		sent += err ? 0 : piece;
	}
	return sent ? (ssize_t)sent : err;
}

/* ---- receiving ---- */

static struct message *first_message(struct socket *socket)
{
	struct message *message = NULL;

	spin_lock(&socket->pair->lock);
	if (!list_empty(&socket->end->messages))
		message = list_first_entry(&socket->end->messages, struct message, link);
	spin_unlock(&socket->pair->lock);
	return message;
}

/* It has been received whole. Under `receiver`, which keeps it there until now. */
static void drop_first(struct socket *socket, struct message *message)
{
	struct end *end = socket->end;

	spin_lock(&socket->pair->lock);
	list_del(&message->link);
	write_once(&end->queued_bytes, end->queued_bytes - cost_bytes(message));
	spin_unlock(&socket->pair->lock);
	message_free(message);
}

/* The rights go to the receiver, or who only looks gets references of his own. */
static err_t give_rights(struct message *message, bool peek, struct socket_message *to)
{
	struct socket_rights *copy;

	if (!message->rights)
		return 0;
	if (!peek) {
		to->rights = message->rights;
		message->rights = NULL;
		return 0;
	}
	copy = kmalloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *message->rights;
	for (unsigned i = 0; i < copy->count; i++)
		object_get(copy->objects[i]);
	to->rights = copy;
	return 0;
}

static ssize_t take_message(struct socket *socket, struct message *message, struct buffer *buffer,
			    bool peek, struct socket_message *to)
{
	size_t want = MIN(message->len_bytes, buffer_remaining(buffer));
	err_t err = give_rights(message, peek, to);

	if (err)
		return err;
	to->from = message->from;
	to->cut_bytes = message->len_bytes - want;
	if (buffer_copy_to(buffer, message->bytes, want) < want)
		err = -EFAULT; /* it is lost, as on Linux */
	if (!peek)
		drop_first(socket, message);
	return err ? err : (ssize_t)want;
}

/* The next of a stream goes to another call: rights, or another sender where that matters. */
static bool stands_apart(const struct socket *socket, const struct message *message,
			 const struct socket_message *to)
{
	return message->rights || to->rights ||
	       (read_once(&socket->end->pass_credentials) &&
		memcmp(&message->from, &to->from, sizeof(to->from)) != 0);
}

/* What there is, as far as the buffer goes; adds to what was received before. */
static ssize_t take_stream(struct socket *socket, struct message *message, struct buffer *buffer,
			   bool peek, struct socket_message *to, size_t received)
{
	size_t moved = 0;

	while (message && buffer_remaining(buffer)) {
		size_t want = message->len_bytes - message->done_bytes;
		size_t copied;

		if (received + moved && stands_apart(socket, message, to))
			break;
		if (!(received + moved))
			to->from = message->from;
		if (give_rights(message, peek, to))
			return moved ? (ssize_t)moved : -ENOMEM;
		want = MIN(want, buffer_remaining(buffer));
		copied = buffer_copy_to(buffer, message->bytes + message->done_bytes, want);
		moved += copied;
		message->done_bytes += peek ? 0 : copied;
		if (copied < want)
			return moved ? (ssize_t)moved : -EFAULT;
		/* One piece is all that a look shows. */
		if (peek || message->done_bytes < message->len_bytes)
			break;
		drop_first(socket, message);
		message = first_message(socket);
	}
	return (ssize_t)moved;
}

enum outcome { MOVED, NOTHING_THERE, ENDED };

/* *result: bytes, or an error. */
static enum outcome receive_now(struct socket *socket, struct buffer *buffer, bool peek,
				struct socket_message *to, size_t received, ssize_t *result)
{
	struct end *end = socket->end;
	enum outcome outcome = NOTHING_THERE;
	struct message *message;

	mutex_lock(&end->receiver);
	message = first_message(socket);
	if (message) {
		outcome = MOVED;
		*result = is_stream(socket)
				  ? take_stream(socket, message, buffer, peek, to, received)
				  : take_message(socket, message, buffer, peek, to);
	} else {
		*result = socket_take_error(&socket->object);
		if (*result || read_once(&end->reads_ended))
			outcome = ENDED;
	}
	mutex_unlock(&end->receiver);
	if (outcome == MOVED && !peek)
		waitq_wake_all_events(&socket->other->changed, POLLOUT);
	return outcome;
}

static bool has_something(struct socket *socket)
{
	const struct end *end = socket->end;
	bool has;

	spin_lock(&socket->pair->lock);
	has = !list_empty(&end->messages) || end->reads_ended || end->reset;
	spin_unlock(&socket->pair->lock);
	return has;
}

ssize_t socket_receive(struct object *object, struct buffer *buffer, unsigned flags,
		       struct socket_message *message)
{
	struct socket *socket = socket_of(object);
	bool nonblocking = object_flags(object) & O_NONBLOCK || flags & MSG_DONTWAIT;
	bool wants_all = is_stream(socket) && flags & MSG_WAITALL && !(flags & MSG_PEEK);
	size_t wanted = buffer_remaining(buffer);
	size_t received = 0;

	*message = (struct socket_message){.rights = NULL};
	if (is_stream(socket) && !wanted)
		return 0;
	for (;;) {
		ssize_t result = 0;
		enum outcome outcome =
			receive_now(socket, buffer, flags & MSG_PEEK, message, received, &result);
		err_t err;

		if (result < 0 || outcome == ENDED)
			return received ? (ssize_t)received : result;
		received += (size_t)result;
		if (outcome == MOVED && (!wants_all || received == wanted || !result))
			return (ssize_t)received;
		if (nonblocking)
			return received ? (ssize_t)received : -EAGAIN;
		err = wait_event_interruptible(&socket->end->changed, has_something(socket));
		if (err)
			return received ? (ssize_t)received : err;
	}
}
