/*
 * What goes through unix sockets. A stream is cut into pieces that need no whole pages, and its
 * receivers take as many bytes as they like; other messages stay whole. Those who are about to wait
 * look at the state under the lock again.
 *
 * A sender waits for two things, one after the other: that not too much of what it has sent is
 * still unread, and, of datagrams, that not too many stand in the receiver's queue.
 */
#include "socket_priv.h"

#include <abi/fcntl.h>
#include <arch/clock.h>
#include <ipc/async.h>
#include <ipc/user.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/kva.h>
#include <mm/slab.h>

#define PIECE_BYTES (KMALLOC_MAX - sizeof(struct message))

/* ---- messages ---- */

struct message *message_alloc(size_t len_bytes)
{
	struct message *message = kvmalloc(sizeof(*message) + len_bytes);

	if (message)
		*message = (struct message){.len_bytes = len_bytes};
	return message;
}

/* As Linux: a quarter of its room is used or less before who waits for room is woken. */
static void give_room(struct socket *sender, size_t cost_bytes)
{
	size_t left_bytes = atomic_fetch_sub_full(&sender->sent_bytes, cost_bytes) - cost_bytes;

	user_uncharge(sender->user, USER_SOCKET_BYTES, cost_bytes);
	if (left_bytes * 4 <= read_once(&sender->options.send_bytes))
		waitq_wake_all_events(&sender->changed, POLLOUT);
}

void message_free(struct message *message)
{
	if (!message)
		return;
	socket_rights_put(message->rights);
	socket_process_put(message->process);
	if (message->sender) {
		give_room(message->sender, message->cost_bytes);
		socket_put(message->sender);
	}
	kvfree(message, sizeof(*message) + message->len_bytes);
}

static struct spinlock drop_lock = SPINLOCK_INIT(LOCK_SOCKETS);
static LIST_HEAD(to_drop); /* drop_lock */
static bool dropping;      /* drop_lock: somebody goes through the list */

/* What holds sockets ends those, and what stands in their queues, and so on: all of that joins one
 * list, which whoever came first goes through. */
static void drop_later(struct message *message)
{
	spin_lock(&drop_lock);
	list_add_tail(&to_drop, &message->link);
	if (!dropping) {
		dropping = true;
		while (!list_empty(&to_drop)) {
			message = list_first_entry(&to_drop, struct message, link);
			list_del(&message->link);
			spin_unlock(&drop_lock);
			message_free(message);
			spin_lock(&drop_lock);
		}
		dropping = false;
	}
	spin_unlock(&drop_lock);
}

void messages_drop(struct list *messages)
{
	struct message *message;
	struct message *following;

	list_for_each_safe (message, following, messages, link) {
		list_del(&message->link);
		if (!message->rights) {
			message_free(message);
			continue;
		}
		flight_end(message->rights); /* the socket that they wait at may go before them */
		drop_later(message);
	}
}

/* ---- a socket's queue ---- */

struct message *socket_first(struct socket *socket)
{
	struct message *message = NULL;

	spin_lock(&socket->lock);
	if (!list_empty(&socket->messages))
		message = list_first_entry(&socket->messages, struct message, link);
	spin_unlock(&socket->lock);
	return message;
}

static struct message *following(struct socket *socket, struct message *message)
{
	struct message *next = NULL;

	spin_lock(&socket->lock);
	if (message->link.next != &socket->messages)
		next = list_next_entry(message, link);
	spin_unlock(&socket->lock);
	return next;
}

void socket_push_locked(struct socket *to, struct message *message)
{
	list_add_tail(&to->messages, &message->link);
	write_once(&to->nmessages, to->nmessages + 1);
	if (message->urgent)
		write_once(&to->urgent, message);
}

bool socket_is_full(const struct socket *to, unsigned limit)
{
	return read_once(&to->nmessages) > limit;
}

void socket_take_all(struct socket *socket, struct list *out)
{
	spin_lock(&socket->lock);
	list_splice_tail(out, &socket->messages);
	write_once(&socket->nmessages, 0);
	write_once(&socket->urgent, NULL);
	spin_unlock(&socket->lock);
	socket_tell_room(socket);
}

void socket_drop_first(struct socket *socket, struct message *message)
{
	spin_lock(&socket->lock);
	list_del(&message->link);
	write_once(&socket->nmessages, socket->nmessages - 1);
	if (socket->urgent == message)
		write_once(&socket->urgent, NULL);
	spin_unlock(&socket->lock);
	if (!is_stream(socket) || read_once(&socket->state) == SOCKET_LISTENS)
		socket_tell_room(socket);
	message_free(message);
}

/* ---- sending ---- */

static bool may_reserve(struct socket *socket)
{
	return read_once(&socket->sent_bytes) < read_once(&socket->options.send_bytes) ||
	       read_once(&socket->writes_ended) || read_once(&socket->error);
}

/* What one user's sockets may have sent that nobody has received: a quarter of memory, so that not
 * all of it is held by processes that have ended but for their sockets in others' queues. */
static uint64_t user_bytes_max(void)
{
	return frames_total() * PAGE_SIZE / 4;
}

/* One more message counts as not received; who comes at the same time may take a little more than
 * there is, as on Linux. */
static err_t reserve(struct socket *socket, size_t cost_bytes, uint64_t deadline_ns)
{
	err_t err;

	for (;;) {
		err = socket_take_error(&socket->object);
		if (err)
			return err;
		if (read_once(&socket->writes_ended))
			return -EPIPE;
		if (read_once(&socket->sent_bytes) < read_once(&socket->options.send_bytes))
			break;
		if (!deadline_ns)
			return -EAGAIN;
		err = wait_event_interruptible_timeout(&socket->changed, may_reserve(socket),
						       deadline_ns);
		if (err)
			return socket_wait_error(err, deadline_ns);
	}
	if (!user_charge(socket->user, USER_SOCKET_BYTES, cost_bytes, user_bytes_max()))
		return -ENOBUFS;
	atomic_add_relaxed(&socket->sent_bytes, cost_bytes);
	return 0;
}

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

/* 1: it is with the receiver; 0: there is no room. */
static int try_push(struct socket *socket, struct socket *to, struct message *message)
{
	int result = 1;

	spin_lock(&to->lock);
	if (to->closed)
		result = is_datagram(to) ? -ECONNREFUSED : -EPIPE;
	else if (to->reads_ended)
		result = -EPIPE;
	else if (is_datagram(to) && to->peer && to->peer != socket)
		result = -EPERM;
	else if (is_datagram(to) && to->peer != socket && to != socket &&
		 socket_is_full(to, DATAGRAMS_MAX))
		result = 0;
	else
		socket_push_locked(to, message);
	spin_unlock(&to->lock);
	return result;
}

static err_t push(struct socket *socket, struct socket *to, struct message *message,
		  uint64_t deadline_ns)
{
	bool urgent = message->urgent; /* it may be received and gone, once it is pushed */
	int result = try_push(socket, to, message);
	err_t err;

	if (!result) {
		if (!deadline_ns)
			return -EAGAIN;
		err = wait_event_interruptible_timeout(
			&to->room, (result = try_push(socket, to, message)) != 0, deadline_ns);
		if (err)
			return socket_wait_error(err, deadline_ns);
	}
	if (result > 0 && urgent)
		async_tell(&to->object, -1, ASYNC_URGENT);
	if (result > 0)
		waitq_wake_all_events(&to->changed, POLLIN | POLLPRI);
	return MIN(result, 0);
}

/* By the receiver; who would like to be told himself tells. */
static void add_what_is_asked_for(struct message *message, const struct socket *socket,
				  const struct socket *to)
{
	if (unlikely(socket_option_is_on(&to->options, SO_PASSPIDFD) ||
		     socket_option_is_on(&socket->options, SO_PASSPIDFD)))
		message->process = socket_caller_process();
	if (unlikely(read_once(&to->options.stamps)))
		message->stamp_ns = clock_wall_ns();
}

/* One message, or a piece of a stream. */
static err_t send_one(struct socket *socket, struct socket *to, struct buffer *buffer,
		      size_t len_bytes, uint64_t deadline_ns, struct socket_message *with)
{
	size_t cost_bytes = sizeof(struct message) + len_bytes +
			    (with->rights ? socket_rights_bytes(with->rights->room) : 0);
	struct message *message = NULL;
	err_t err = reserve(socket, cost_bytes, deadline_ns);

	if (err)
		return err;
	err = make_message(buffer, len_bytes, &message);
	if (err) {
		give_room(socket, cost_bytes);
		return err;
	}
	message->sender = socket_get(socket);
	message->cost_bytes = cost_bytes;
	message->from = with->from;
	message->urgent = with->urgent;
	add_what_is_asked_for(message, socket, to);
	if (with->rights)
		err = flight_begin(with->rights, to, with->user, with->max_in_flight);
	if (!err) {
		message->rights = with->rights;
		err = push(socket, to, message, deadline_ns);
	}
	if (err) {
		message->rights = NULL; /* still the caller's */
		message_free(message);
		if (with->rights)
			flight_end(with->rights);
		return err;
	}
	with->rights = NULL;
	return 0;
}

/* The receiver, with a reference. */
static err_t find_receiver(struct socket *socket, struct socket *named, struct socket **out)
{
	if (named) {
		if (named->type != socket->type)
			return -EPROTOTYPE;
		*out = socket_get(named);
		return 0;
	}
	spin_lock(&socket->lock);
	*out = socket->peer;
	if (*out)
		socket_get(*out);
	spin_unlock(&socket->lock);
	return *out ? 0 : -ENOTCONN;
}

/* The one that it was connected to has ended. */
static void forget_receiver(struct socket *socket, const struct socket *to)
{
	struct socket *peer = NULL;

	spin_lock(&sockets_lock);
	if (socket->peer == to) {
		peer = socket_leave_peer_locked(socket);
		write_once(&socket->state, SOCKET_ALONE);
	}
	spin_unlock(&sockets_lock);
	socket_put(peer);
}

static ssize_t send_whole(struct socket *socket, struct socket *to, struct buffer *buffer,
			  uint64_t deadline_ns, struct socket_message *message)
{
	size_t wanted = buffer_remaining(buffer);
	err_t err;

	if (wanted + 32 > read_once(&socket->options.send_bytes))
		return -EMSGSIZE;
	err = send_one(socket, to, buffer, wanted, deadline_ns, message);
	if (err == -ECONNREFUSED && !message->to)
		forget_receiver(socket, to);
	return err ? err : (ssize_t)wanted;
}

static ssize_t send_stream(struct socket *socket, struct socket *to, struct buffer *buffer,
			   uint64_t deadline_ns, bool urgent, struct socket_message *message)
{
	size_t wanted = buffer_remaining(buffer);
	size_t sent = 0;
	err_t err = 0;

	if (urgent && !wanted)
		return -EOPNOTSUPP;
	if (read_once(&socket->writes_ended))
		return -EPIPE; /* before any other error */
	while (sent < wanted && !err) {
		size_t piece = MIN(wanted - sent, PIECE_BYTES);

		/* The last byte alone is. */
		message->urgent = urgent && wanted - sent == 1;
		if (urgent && !message->urgent)
			piece = MIN(piece, wanted - sent - 1);
		err = send_one(socket, to, buffer, piece, deadline_ns, message);
		sent += err ? 0 : piece;
	}
	return sent ? (ssize_t)sent : err;
}

/* ---- notices ---- */

struct message *socket_notice_alloc(size_t len_bytes)
{
	return message_alloc(len_bytes);
}

char *socket_notice_bytes(struct message *notice)
{
	return notice->bytes;
}

void socket_notice_free(struct message *notice)
{
	message_free(notice);
}

void socket_notice_send(struct object *object, struct message *notice)
{
	struct socket *socket = socket_of(object);
	bool taken;

	notice->sender = socket_get(socket); /* as if it had written to itself, at no cost */
	spin_lock(&socket->lock);
	taken = !socket->closed;
	if (taken)
		socket_push_locked(socket, notice);
	spin_unlock(&socket->lock);
	if (taken)
		waitq_wake_all_events(&socket->changed, POLLIN);
	else
		message_free(notice);
}

ssize_t socket_send(struct object *object, struct buffer *buffer, unsigned flags,
		    struct socket_message *message)
{
	struct socket *socket = socket_of(object);
	uint64_t deadline_ns =
		socket_deadline_ns(socket, flags, read_once(&socket->options.send_timeout_ns));
	bool urgent = flags & MSG_OOB;
	ssize_t result = is_stream(socket) ? 0 : socket_take_error(object);
	struct socket *to;

	if (!result && socket->family != AF_UNIX)
		result = -ECONNREFUSED; /* there is nobody to send to */
	if (!result && urgent && !is_stream(socket))
		result = -EOPNOTSUPP;
	if (!result)
		result = find_receiver(socket, message->to, &to);
	if (result)
		return result;
	result = is_stream(socket) ? send_stream(socket, to, buffer, deadline_ns, urgent, message)
				   : send_whole(socket, to, buffer, deadline_ns, message);
	socket_put(to);
	return result;
}

/* ---- receiving ---- */

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

static size_t peek_offset(const struct socket *socket, bool peek)
{
	return peek ? (size_t)MAX(read_once(&socket->options.peek_bytes), 0) : 0;
}

/* So many bytes were looked at, or taken away. Under `receiver`. */
static void move_peek_offset(struct socket *socket, bool peek, size_t by_bytes)
{
	int32_t offset = read_once(&socket->options.peek_bytes);

	if (offset < 0)
		return;
	write_once(&socket->options.peek_bytes,
		   peek ? offset + (int32_t)by_bytes
			: MAX(offset - (int32_t)MIN(by_bytes, (size_t)INT32_MAX), 0));
}

/* Anything that was not looked at yet. */
static bool is_beyond_peeked(struct socket *socket)
{
	size_t offset = peek_offset(socket, true);
	const struct message *message;
	size_t sum = 0;

	if (!offset)
		return true;
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

	while (message && skip && skip >= message->len_bytes) {
		skip -= message->len_bytes;
		message = following(socket, message);
	}
	if (!message)
		return NOT_THERE;
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
	       read_once(&socket->reads_ended) ||
	       read_once(&socket->error);
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
