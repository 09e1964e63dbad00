/*
 * What is received through unix sockets: one reader at a time, under `receiver`. A stream gives as
 * many bytes as there are and as were asked for, over the pieces that it was sent in; other
 * messages stay whole. What is sent, and how a message ends: transfer.c.
 */
#include "socket_priv.h"

#include <abi/fcntl.h>
#include <lib/string.h>

static struct message *following(struct socket *socket, struct message *message)
{
	struct message *next = NULL;

	spin_lock(&socket->lock);
	if (message->link.next != &socket->messages)
		next = list_next_entry(message, link);
	spin_unlock(&socket->lock);
	return next;
}

/* What comes beside the bytes: the rights go to the receiver, or who only looks gets references of
 * his own. */
static err_t give_rights(struct message *message, bool peek, struct socket_message *to)
{
	struct socket_rights *rights = message->rights;
	struct socket_rights *copy;

	if (!rights)
		return 0;
	if (!peek) {
		flight_end(rights);
		to->rights = rights;
		message->rights = NULL;
		return 0;
	}
	copy = socket_rights_alloc(rights->count);
	if (!copy)
		return -ENOMEM;
	flight_copy(rights, copy);
	to->rights = copy;
	return 0;
}

static void tell_sender(const struct message *message, struct socket_message *to)
{
	to->from = message->from;
	to->process = message->process;
	socket_process_get(to->process);
	to->stamp_ns = message->stamp_ns;
	to->name = socket_own_name(&message->sender->object);
}

err_t socket_take_beside(struct message *message, bool peek, struct socket_message *to)
{
	tell_sender(message, to);
	return give_rights(message, peek, to);
}

/* ---- SO_PEEK_OFF: who only looks goes on where he stopped ---- */

/* There are messages, but all were looked at. */
#define NOT_THERE (-EAGAIN)

static bool peeks_at_offset(const struct socket *socket, bool peek)
{
	return peek && read_once(&socket->options.peek_bytes) >= 0;
}

static size_t peek_offset(const struct socket *socket, bool peek)
{
	return peek ? (size_t)MAX(read_once(&socket->options.peek_bytes), 0) : 0;
}

/* So many bytes were looked at, or taken away. Under `receiver`. */
static void move_peek_offset(struct socket *socket, bool peek, size_t by_bytes)
{
	int32_t offset = read_once(&socket->options.peek_bytes);
	int64_t by = peek ? (int64_t)by_bytes : -(int64_t)by_bytes;

	/* A program may set it meanwhile. */
	while (offset >= 0 &&
	       !atomic_cas(&socket->options.peek_bytes, &offset,
			   (int32_t)MAX(MIN(offset + by, INT64_C(0x7fffffff)), INT64_C(0))))
		;
}

/* Of whole messages the first that was not looked at to its end, and how far into it (`skip`, the
 * offset at first). One without bytes moves no offset: it has a mark. NULL: none. */
static struct message *not_peeked(struct socket *socket, size_t *skip)
{
	struct message *message;
	struct message *found = NULL;

	spin_lock(&socket->lock);
	list_for_each (message, &socket->messages, link) {
		if (*skip < message->len_bytes || (!*skip && !read_once(&message->peeked))) {
			found = message;
			break;
		}
		*skip -= message->len_bytes;
	}
	spin_unlock(&socket->lock);
	return found;
}

/* Anything that was not looked at yet. */
static bool is_beyond_peeked(struct socket *socket)
{
	size_t offset = peek_offset(socket, true);
	const struct message *message;
	size_t sum = 0;

	if (!peeks_at_offset(socket, true))
		return true;
	if (!is_stream(socket))
		return not_peeked(socket, &offset);
	spin_lock(&socket->lock);
	list_for_each (message, &socket->messages, link)
		sum += message->len_bytes - read_once(&message->done_bytes);
	spin_unlock(&socket->lock);
	return sum > offset;
}

static ssize_t take_message(struct socket *socket, struct message *message, struct buffer *buffer,
			    bool peek, struct socket_message *to)
{
	size_t skip = peek_offset(socket, peek);
	size_t want;
	err_t err;

	if (peeks_at_offset(socket, peek)) {
		message = not_peeked(socket, &skip);
		if (!message)
			return NOT_THERE;
		write_once(&message->peeked, !message->len_bytes);
	}
	want = MIN(message->len_bytes - skip, buffer_remaining(buffer));
	err = give_rights(message, peek, to);
	if (err)
		return err;
	tell_sender(message, to);
	to->cut_bytes = message->len_bytes - skip - want;
	if (buffer_copy_to(buffer, message->bytes + skip, want) < want)
		err = -EFAULT; /* it is lost, as on Linux */
	move_peek_offset(socket, peek, peek ? want : message->len_bytes);
	if (!peek)
		socket_drop_first(socket, message);
	return err ? err : (ssize_t)want;
}

/* The next of a stream goes to another call: rights came, or another sender where that matters. */
static bool stands_apart(const struct socket *socket, const struct message *message,
			 const struct socket_message *to)
{
	return to->rights || ((read_once(&socket->pass_credentials) ||
			       socket_option_is_on(&socket->options, SO_PASSPIDFD)) &&
			      memcmp(&message->from, &to->from, sizeof(to->from)) != 0);
}

/* What there is, as far as the buffer goes; adds to what was received before. */
static ssize_t take_stream(struct socket *socket, struct message *message, struct buffer *buffer,
			   bool peek, struct socket_message *to, size_t received,
			   struct list *skipped)
{
	size_t skip = peek_offset(socket, peek);
	size_t moved = 0;

	while (message && buffer_remaining(buffer)) {
		size_t left = message->len_bytes - message->done_bytes;
		size_t want = MIN(skip < left ? left - skip : 0, buffer_remaining(buffer));
		struct message *next;
		size_t copied;

		if (message == read_once(&socket->urgent)) {
			if (received || moved)
				break;
			if (!socket_urgent_is_inline(socket)) {
				next = following(socket, message);
				if (!peek)
					socket_skip_urgent(socket, message, skipped);
				message = next;
				continue;
			}
		}
		if (skip && skip >= left) {
			skip -= left;
			message = following(socket, message);
			continue;
		}
		if (!received && !moved)
			tell_sender(message, to);
		else if (stands_apart(socket, message, to))
			break;
		if (give_rights(message, peek, to))
			return moved ? (ssize_t)moved : -ENOMEM;
		copied = buffer_copy_to(buffer, message->bytes + message->done_bytes + skip, want);
		skip = 0;
		moved += copied;
		move_peek_offset(socket, peek, copied);
		message->done_bytes += peek ? 0 : copied;
		if (copied < want)
			return moved ? (ssize_t)moved : -EFAULT;
		next = following(socket, message);
		if (!peek && message->done_bytes == message->len_bytes)
			socket_drop_first(socket, message);
		message = next;
	}
	return (ssize_t)moved;
}

enum outcome { MOVED, NOTHING_THERE, ENDED };

/* *result: bytes, or an error. */
static enum outcome receive_now(struct socket *socket, struct buffer *buffer, bool peek,
				struct socket_message *to, size_t received, ssize_t *result)
{
	enum outcome outcome = NOTHING_THERE;
	struct message *message;
	LIST_HEAD(skipped);

	mutex_lock(&socket->receiver);
	message = socket_first(socket);
	if (message) {
		*result = is_stream(socket) ? take_stream(socket, message, buffer, peek, to,
							  received, &skipped)
					    : take_message(socket, message, buffer, peek, to);
		/* A stream may have had nothing but an urgent byte. */
		if (*result == NOT_THERE)
			outcome = NOTHING_THERE;
		else if (*result || received || !is_stream(socket))
			outcome = MOVED;
	}
	if (outcome == NOTHING_THERE) {
		*result = socket_take_error(&socket->object);
		if (*result || read_once(&socket->reads_ended))
			outcome = ENDED;
	}
	mutex_unlock(&socket->receiver);
	messages_drop(&skipped);
	return outcome;
}

/* Who only looks leaves an urgent byte where it is. */
static bool has_something(struct socket *socket, bool peek)
{
	bool passes = peek && read_once(&socket->urgent) && !socket_urgent_is_inline(socket);

	return (read_once(&socket->nmessages) > passes && (!peek || is_beyond_peeked(socket))) ||
	       read_once(&socket->reads_ended) || read_once(&socket->error);
}

static err_t may_receive(const struct socket *socket)
{
	if (is_datagram(socket) || read_once(&socket->state) == SOCKET_CONNECTED)
		return 0;
	return is_stream(socket) ? -EINVAL : -ENOTCONN;
}

/* How many bytes a receiver of a stream waits for; others take one message. */
static size_t wanted_bytes(struct socket *socket, unsigned flags, size_t room_bytes)
{
	if (!is_stream(socket) || flags & MSG_PEEK)
		return 0;
	if (flags & MSG_WAITALL)
		return room_bytes;
	return MIN(room_bytes, (size_t)read_once(&socket->options.low_water));
}

ssize_t socket_receive(struct object *object, struct buffer *buffer, unsigned flags,
		       struct socket_message *message)
{
	struct socket *socket = socket_of(object);
	uint64_t deadline_ns =
		socket_deadline_ns(socket, flags, read_once(&socket->options.receive_timeout_ns));
	size_t wanted = wanted_bytes(socket, flags, buffer_remaining(buffer));
	bool peek = flags & MSG_PEEK;
	size_t received = 0;
	ssize_t result;

	*message = (struct socket_message){.rights = NULL};
	result = may_receive(socket);
	if (!result && flags & MSG_OOB)
		return is_stream(socket) ? socket_receive_urgent(socket, buffer, peek, message)
					 : -EOPNOTSUPP;
	if (result || (is_stream(socket) && !buffer_remaining(buffer)))
		return result;
	for (;;) {
		enum outcome outcome =
			receive_now(socket, buffer, peek, message, received, &result);
		err_t err;

		/* Linux: who does not wait is not told of the end by whole messages without
		 * connection. */
		if (outcome == ENDED && !result && is_datagram(socket) && !deadline_ns)
			return -EAGAIN;
		if (result < 0 || outcome == ENDED)
			return received ? (ssize_t)received : result;
		if (outcome == MOVED) {
			received += (size_t)result;
			/* Something that stands apart goes to the next call. */
			if (received >= wanted || !result || message->rights)
				return (ssize_t)received;
		}
		if (!deadline_ns)
			return received ? (ssize_t)received : -EAGAIN;
		err = wait_event_interruptible_timeout(&socket->changed,
						       has_something(socket, peek), deadline_ns);
		if (err)
			return received ? (ssize_t)received : socket_wait_error(err, deadline_ns);
	}
}
