/*
 * Connections: listening, connecting, accepting. A connection is made by the one that wants it: the
 * second socket of it, which accept() will give out, is whole from then on, and waits as a message
 * at the one that listens.
 */
#include "socket_priv.h"

#include <abi/fcntl.h>
#include <ipc/user.h>

uint32_t socket_backlog_max = SOMAXCONN;

err_t socket_listen(struct object *object, unsigned backlog)
{
	struct socket *socket = socket_of(object);
	struct socket_identity told = socket_caller_identity();
	struct socket_identity before;
	err_t err = 0;

	if (is_datagram(socket)) {
		socket_identity_put(&told);
		return -EOPNOTSUPP;
	}
	spin_lock(&sockets_lock);
	if (!socket->name || socket->state == SOCKET_CONNECTED) {
		err = -EINVAL;
	} else {
		socket->backlog = MIN(backlog, read_once(&socket_backlog_max));
		write_once(&socket->state, SOCKET_LISTENS);
		before = socket->told;
		socket->told = told;
		told = before;
	}
	spin_unlock(&sockets_lock);
	socket_identity_put(&told);
	waitq_wake_all(&socket->room);
	return err;
}

/* ---- connecting ---- */

static bool refuses(const struct socket *to)
{
	return read_once(&to->closed) || read_once(&to->state) != SOCKET_LISTENS ||
	       read_once(&to->reads_ended);
}

/* What a connection needs: its second socket, and the message that brings it. */
static err_t make_second(struct socket *to, struct message **out, struct socket **second)
{
	struct message *message = message_alloc(0);
	struct socket *socket = socket_alloc(to->type, 0);
	struct socket_rights *rights = socket_rights_alloc(1);
	err_t err = message && socket && rights ? 0 : -ENOMEM;

	/* What goes out by it is the server's, whose socket it will be. */
	if (socket) {
		user_counts_put(socket->user);
		socket->user = user_counts_get(to->user);
	}
	if (socket && rights)
		rights->objects[rights->count++] = &socket->object;
	else if (socket)
		object_put(&socket->object);
	if (!err)
		err = flight_begin(rights, to, 0, UINT64_MAX);
	if (err) {
		socket_rights_put(rights);
		message_free(message);
		return err;
	}
	message->rights = rights;
	*out = message;
	*second = socket;
	return 0;
}

static void join_locked(struct socket *socket, struct socket *to, struct socket *second,
			const struct socket_identity *caller) REQUIRES(sockets_lock);
static void join_locked(struct socket *socket, struct socket *to, struct socket *second,
			const struct socket_identity *caller)
{
	second->is_waiting = true;
	socket_identity_get(caller);
	second->told = *caller;
	second->pass_credentials = read_once(&to->pass_credentials);
	socket_option_switch(&second->options, SO_PASSPIDFD,
			     socket_option_is_on(&to->options, SO_PASSPIDFD));
	store_release(&second->name, socket_name_get(to->name));
	second->peer = socket_get(socket);
	write_once(&second->state, SOCKET_CONNECTED);
	socket_identity_get(&to->told);
	socket->told = to->told;
	spin_lock(&socket->lock);
	socket->peer = socket_get(second);
	spin_unlock(&socket->lock);
	write_once(&socket->state, SOCKET_CONNECTED);
}

/* 1: done; 0: there is no room. */
static int try_connect(struct socket *socket, struct socket *to, struct socket *second,
		       struct message *message, const struct socket_identity *caller)
{
	int result = 0;

	spin_lock(&sockets_lock);
	if (refuses(to)) {
		result = -ECONNREFUSED;
	} else if (socket_is_full(to, to->backlog)) {
		result = 0;
	} else if (socket->state != SOCKET_ALONE) {
		result = socket->state == SOCKET_CONNECTED ? -EISCONN : -EINVAL;
	} else {
		join_locked(socket, to, second, caller);
		spin_lock(&to->lock); /* it closes under sockets_lock: not now */
		socket_push_locked(to, message);
		spin_unlock(&to->lock);
		result = 1;
	}
	spin_unlock(&sockets_lock);
	return result;
}

static err_t connect_to(struct socket *socket, struct socket *to)
{
	uint64_t deadline_ns =
		socket_deadline_ns(socket, 0, read_once(&socket->options.send_timeout_ns));
	struct socket_identity caller;
	struct socket *second = NULL;
	struct message *message = NULL;
	int result;
	err_t err;

	if (refuses(to))
		return -ECONNREFUSED;
	err = make_second(to, &message, &second);
	if (err)
		return err;
	second->network = socket->network;
	caller = socket_caller_identity();
	result = try_connect(socket, to, second, message, &caller);
	if (!result && !deadline_ns)
		result = -EAGAIN;
	if (!result) {
		err = wait_event_interruptible_timeout(
			&to->room,
			(result = try_connect(socket, to, second, message, &caller)) != 0,
			deadline_ns);
		if (err)
			result = socket_wait_error(err, deadline_ns);
	}
	socket_identity_put(&caller);
	if (result == 1) {
		waitq_wake_all_events(&to->changed, POLLIN);
		return 0;
	}
	message_free(message);
	return result;
}

/* From whom datagrams come that stand in the queue is of no interest any more. */
static void part_from(struct socket *socket, struct socket *old)
{
	LIST_HEAD(unread);
	bool was_mutual;

	mutex_lock(&socket->receiver);
	socket_take_all(socket, &unread);
	mutex_unlock(&socket->receiver);
	messages_drop(&unread);
	spin_lock(&sockets_lock);
	was_mutual = old->peer == socket;
	spin_unlock(&sockets_lock);
	if (was_mutual) {
		spin_lock(&old->lock);
		if (!old->closed)
			write_once(&old->error, -ECONNRESET);
		spin_unlock(&old->lock);
		waitq_wake_all(&old->changed);
	}
}

/* Datagrams go to `to` from now on; NULL: to nobody. */
static err_t associate(struct socket *socket, struct socket *to)
{
	struct socket *old = NULL;
	err_t err = 0;

	spin_lock(&sockets_lock);
	if (to && read_once(&to->closed)) {
		err = -ECONNREFUSED;
	} else if (to && to->peer && to->peer != socket) {
		err = -EPERM;
	} else {
		old = socket_leave_peer_locked(socket);
		if (to) {
			spin_lock(&socket->lock);
			socket->peer = socket_get(to);
			spin_unlock(&socket->lock);
		}
		write_once(&socket->state, to ? SOCKET_CONNECTED : SOCKET_ALONE);
	}
	spin_unlock(&sockets_lock);
	if (old && old != to)
		part_from(socket, old);
	socket_put(old);
	if (!err)
		waitq_wake_all(&socket->changed);
	return err;
}

err_t socket_connect(struct object *object, struct socket *to)
{
	struct socket *socket = socket_of(object);

	if (to && to->type != socket->type)
		return -EPROTOTYPE;
	if (is_datagram(socket))
		return associate(socket, to);
	return to ? connect_to(socket, to) : -EINVAL;
}

/* ---- accepting ---- */

/* The next that waits, with a reference; NULL: none. */
static struct object *take_connection(struct socket *socket)
{
	struct message *message;
	struct object *object = NULL;

	mutex_lock(&socket->receiver);
	message = socket_first(socket);
	if (message) {
		object = object_get(message->rights->objects[0]);
		spin_lock(&sockets_lock);
		socket_of(object)->is_waiting = false;
		spin_unlock(&sockets_lock);
		socket_drop_first(socket, message);
	}
	mutex_unlock(&socket->receiver);
	return object;
}

static bool may_accept(struct socket *socket)
{
	bool may;

	spin_lock(&socket->lock);
	may = !list_empty(&socket->messages) || socket->reads_ended;
	spin_unlock(&socket->lock);
	return may;
}

err_t socket_accept(struct object *object, unsigned flags, struct object **out)
{
	struct socket *socket = socket_of(object);
	uint64_t deadline_ns =
		socket_deadline_ns(socket, 0, read_once(&socket->options.receive_timeout_ns));
	err_t err;

	if (is_datagram(socket))
		return -EOPNOTSUPP;
	if (!socket_listens(object))
		return -EINVAL;
	while (!(*out = take_connection(socket))) {
		if (!deadline_ns)
			return -EAGAIN; /* shut down or not: as Linux */
		if (read_once(&socket->reads_ended))
			return -EINVAL;
		err = wait_event_interruptible_timeout(&socket->changed, may_accept(socket),
						       deadline_ns);
		if (err)
			return socket_wait_error(err, deadline_ns);
	}
	return object_set_flags(*out, flags);
}
