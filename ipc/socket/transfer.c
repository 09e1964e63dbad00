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
		*message = (struct message){.len_bytes = len_bytes, .room_bytes = len_bytes};
	return message;
}

/* As Linux: a quarter of its room is used or less before who waits for room is woken, but for who
 * waits for that of notices. */
static void give_room(struct socket *sender, size_t cost_bytes)
{
	size_t left_bytes = atomic_fetch_sub_full(&sender->sent_bytes, cost_bytes) - cost_bytes;

	user_uncharge(sender->user, USER_SOCKET_BYTES, cost_bytes);
	if (left_bytes * 4 <= read_once(&sender->options.send_bytes) || sender->family != AF_UNIX)
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
	kvfree(message, sizeof(*message) + message->room_bytes);
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
	if (unlikely(read_once(&to->filter)) && !is_stream(to) &&
	    !socket_filter_passes(to, message)) {
		/* Who sends does not hear of it. */
		message->rights = with->rights;
		with->rights = NULL;
		message_free(message);
		return 0;
	}
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

static bool has_room_for_notices(const struct socket *socket)
{
	return read_once(&socket->sent_bytes) <= read_once(&socket->options.receive_bytes);
}

err_t socket_notice_alloc(struct object *object, size_t len_bytes, struct message **out)
{
	size_t cost_bytes = sizeof(struct message) + len_bytes;
	struct socket *socket = socket_of(object);
	struct message *notice;

	if (!has_room_for_notices(socket))
		return -EAGAIN;
	if (!user_charge(socket->user, USER_SOCKET_BYTES, cost_bytes, user_bytes_max()))
		return -ENOMEM;
	notice = message_alloc(len_bytes);
	if (!notice) {
		user_uncharge(socket->user, USER_SOCKET_BYTES, cost_bytes);
		return -ENOMEM;
	}
	atomic_add_relaxed(&socket->sent_bytes, cost_bytes);
	notice->sender = socket_get(socket); /* as if it had written to itself */
	notice->cost_bytes = cost_bytes;
	*out = notice;
	return 0;
}

err_t socket_notice_wait(struct object *object)
{
	struct socket *socket = socket_get_of(object);
	err_t err;

	object_put(object);
	err = wait_event_interruptible(&socket->changed,
				       has_room_for_notices(socket) || read_once(&socket->closed));
	socket_put(socket);
	return err;
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
