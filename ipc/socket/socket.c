/*
 * Unix sockets as objects: their beginning, what poll and stat tell, their options, their end.
 * Owns the list of all sockets. Names are in names.c, connections in connect.c, what goes through
 * them in transfer.c, sockets on their way through sockets in flight.c.
 */
#include "socket_priv.h"

#include <abi/fcntl.h>
#include <abi/termios.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <ipc/user.h>
#include <lib/fmt.h>
#include <mm/slab.h>

SLAB_CACHE(socket_cache, struct socket);
static uint64_t last_number;   /* atomic */
static LIST_HEAD(all_sockets); /* sockets_lock; by their numbers */
static const struct object_ops socket_ops;

struct spinlock sockets_lock = SPINLOCK_INIT(LOCK_SOCKETS);

void socket_put_of(const struct object *object)
{
	socket_put(socket_of(object));
}

bool object_is_socket(const struct object *object)
{
	return object->ops == &socket_ops;
}

unsigned socket_type(const struct object *object)
{
	return socket_of(object)->type;
}

unsigned socket_family(const struct object *object)
{
	return socket_of(object)->family;
}

struct socket *socket_get_of(const struct object *object)
{
	return socket_get(socket_of(object));
}

void socket_put(struct socket *socket)
{
	if (!socket || !refcount_put(&socket->references))
		return;
	socket_name_put(socket->name);
	socket_identity_put(&socket->told);
	user_counts_put(socket->user);
	socket_filter_put(socket->filter);
	slab_free(&socket_cache, socket);
}

/* ---- waits ---- */

uint64_t socket_deadline_ns(const struct socket *socket, unsigned flags, uint64_t timeout_ns)
{
	uint64_t now_ns;

	if (object_flags(&socket->object) & O_NONBLOCK || flags & MSG_DONTWAIT)
		return 0;
	if (!timeout_ns)
		return UINT64_MAX;
	now_ns = clock_ns();
	return timeout_ns > UINT64_MAX - 1 - now_ns ? UINT64_MAX - 1 : now_ns + timeout_ns;
}

err_t socket_wait_error(err_t err, uint64_t deadline_ns)
{
	if (err == -EINTR && deadline_ns != UINT64_MAX)
		socket_call_stays_interrupted();
	return err == -ETIMEDOUT ? -EAGAIN : err;
}

/* ---- ending ---- */

err_t socket_take_error(struct object *object)
{
	struct socket *socket = socket_of(object);
	err_t err;

	if (!read_once(&socket->error))
		return 0;
	spin_lock(&socket->lock);
	err = socket->error;
	write_once(&socket->error, 0);
	spin_unlock(&socket->lock);
	return err;
}

static void end_ways(struct socket *socket, bool reads, bool writes, err_t error)
{
	spin_lock(&socket->lock);
	write_once(&socket->reads_ended, socket->reads_ended || reads);
	write_once(&socket->writes_ended, socket->writes_ended || writes);
	if (error)
		write_once(&socket->error, error);
	spin_unlock(&socket->lock);
	waitq_wake_all(&socket->changed);
	waitq_wake_all(&socket->room);
}

void socket_reset(struct socket *socket, err_t error)
{
	end_ways(socket, true, true, error);
}

/* With a reference, or NULL. */
static struct socket *peer_get(struct socket *socket)
{
	struct socket *peer;

	spin_lock(&socket->lock);
	peer = socket->peer;
	if (peer)
		socket_get(peer);
	spin_unlock(&socket->lock);
	return peer;
}

err_t socket_shutdown(struct object *object, int how)
{
	struct socket *socket = socket_of(object);
	bool reads = how == SHUT_RD || how == SHUT_RDWR;
	bool writes = how == SHUT_WR || how == SHUT_RDWR;
	struct socket *peer;

	if (!reads && !writes)
		return -EINVAL;
	end_ways(socket, reads, writes, 0);
	peer = is_datagram(socket) ? NULL : peer_get(socket);
	if (peer)
		end_ways(peer, writes, reads, 0);
	socket_put(peer);
	return 0;
}

struct socket *socket_leave_peer_locked(struct socket *socket)
{
	struct socket *peer = socket->peer;

	if (!peer)
		return NULL;
	spin_lock(&peer->lock);
	if (list_linked(&socket->blocked_link))
		list_del(&socket->blocked_link);
	spin_unlock(&peer->lock);
	spin_lock(&socket->lock);
	socket->peer = NULL;
	spin_unlock(&socket->lock);
	return peer;
}

void socket_tell_room(struct socket *socket)
{
	waitq_wake_all(&socket->room);
	spin_lock(&socket->lock);
	while (!list_empty(&socket->blocked)) {
		struct socket *sender =
			list_first_entry(&socket->blocked, struct socket, blocked_link);

		list_del(&sender->blocked_link);
		/* It stays connected, and its memory, while this lock is held. */
		waitq_wake_all_events(&sender->changed, POLLOUT);
	}
	spin_unlock(&socket->lock);
}

static void socket_release(struct object *object)
{
	struct socket *socket = socket_of(object);
	struct object *place;
	struct socket *peer;
	LIST_HEAD(unread);
	bool reset;

	spin_lock(&sockets_lock);
	list_del(&socket->all);
	place = socket_name_retire_locked(socket);
	reset = socket->is_waiting;
	peer = socket_leave_peer_locked(socket);
	spin_lock(&socket->lock);
	socket->closed = true;
	spin_unlock(&socket->lock);
	spin_unlock(&sockets_lock);

	socket_take_all(socket, &unread);
	waitq_wake_all(&socket->changed);
	if (peer && !is_datagram(socket))
		socket_reset(peer, reset || !list_empty(&unread) ? -ECONNRESET : 0);
	socket_put(peer);
	messages_drop(&unread);
	object_put(place);
}

/* A descriptor was closed; with it the last way to the socket may go, while it lies in the queue of
 * one that is lost as well. */
static err_t socket_closed(struct object *object, UNUSED uint64_t owner)
{
	struct socket *socket = socket_of(object);

	if (unlikely(read_once(&socket->nflights)))
		flight_collect(socket);
	return 0;
}

static void socket_free(struct object *object)
{
	socket_put(socket_of(object));
}

/* ---- as an object ---- */

static unsigned message_flags(const struct buffer *buffer)
{
	return buffer->call_flags & O_NONBLOCK ? MSG_DONTWAIT : 0;
}

static ssize_t socket_read(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct socket_message message;
	ssize_t result;

	if (offset)
		return -ESPIPE;
	result = socket_receive(object, buffer, message_flags(buffer), &message);
	socket_rights_put(message.rights); /* who does not ask for them does not get them */
	socket_name_put(message.name);
	socket_process_put(message.process);
	return result;
}

static ssize_t socket_write(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct socket_message message = {.from = socket_caller(false)};

	return offset ? -ESPIPE : socket_send(object, buffer, message_flags(buffer), &message);
}

/* Of datagrams: there is no room at the one it is connected to. Tells that one whom to wake. */
static bool peer_is_full(struct socket *socket)
{
	struct socket *peer;
	bool full = false;

	spin_lock(&sockets_lock);
	peer = socket->peer;
	if (peer && peer->peer != socket) {
		spin_lock(&peer->lock);
		full = !peer->closed && peer->nmessages > DATAGRAMS_MAX;
		if (full && !list_linked(&socket->blocked_link))
			list_add_tail(&peer->blocked, &socket->blocked_link);
		spin_unlock(&peer->lock);
	}
	spin_unlock(&sockets_lock);
	return full;
}

/* As Linux: a quarter is no reason to wait for room. */
static bool has_room(struct socket *socket)
{
	if (socket->family != AF_UNIX)
		return true; /* notices are none of its own */
	return read_once(&socket->state) != SOCKET_LISTENS &&
	       read_once(&socket->sent_bytes) * 4 <= read_once(&socket->options.send_bytes) &&
	       !(is_datagram(socket) && peer_is_full(socket));
}

static unsigned socket_poll(struct object *object, struct waitq **queue)
{
	struct socket *socket = socket_of(object);
	unsigned events = has_room(socket) ? POLLOUT : 0;

	*queue = &socket->changed;
	spin_lock(&socket->lock);
	if (!list_empty(&socket->messages) || socket->reads_ended)
		events |= POLLIN;
	if (socket->urgent)
		events |= POLLPRI;
	if (socket->reads_ended)
		events |= POLLRDHUP;
	if (socket->reads_ended && socket->writes_ended)
		events |= POLLHUP;
	if (!is_datagram(socket) && read_once(&socket->state) == SOCKET_ALONE)
		events |= POLLHUP;
	if (socket->error)
		events |= POLLERR;
	spin_unlock(&socket->lock);
	return events;
}

/* What can be read: all bytes of a connection, of datagrams the next, or all of them. */
static size_t unread_bytes(struct socket *socket, bool all)
{
	const struct message *message;
	size_t sum = 0;

	mutex_lock(&socket->receiver); /* for done_bytes */
	spin_lock(&socket->lock);
	list_for_each (message, &socket->messages, link) {
		sum += message->len_bytes - message->done_bytes;
		if (is_datagram(socket) && !all)
			break;
	}
	spin_unlock(&socket->lock);
	mutex_unlock(&socket->receiver);
	return sum;
}

static ssize_t socket_ioctl(struct object *object, unsigned command, uptr_t argument)
{
	struct socket *socket = socket_of(object);
	int value;

	switch (command) {
	case FIONREAD:
		if (socket_listens(object))
			return -EINVAL;
		value = (int)unread_bytes(socket, false);
		break;
	case SIOCOUTQ:
		value = (int)read_once(&socket->sent_bytes);
		break;
	case SIOCATMARK:
		if (!is_stream(socket))
			return -ENOTTY;
		value = socket_is_at_mark(socket);
		break;
	default:
		return -ENOTTY;
	}
	return user_put(argument, &value);
}

static err_t socket_stat(struct object *object, struct abi_stat *out)
{
	const struct socket *socket = socket_of(object);

	*out = (struct abi_stat){
		.st_ino = socket->number,
		.st_nlink = 1,
		.st_mode = S_IFSOCK | 0777,
		.st_uid = socket->uid,
		.st_gid = socket->gid,
		.st_blksize = PAGE_SIZE,
	};
	return 0;
}

static void socket_describe(struct object *object, char *to, size_t to_bytes)
{
	kernel_format(to, to_bytes, "socket:[%lu]", socket_of(object)->number);
}

static uint64_t socket_held_bytes(struct object *object)
{
	return read_once(&socket_of(object)->sent_bytes);
}

static const struct object_ops socket_ops = {
	.read = socket_read,
	.write = socket_write,
	.ioctl = socket_ioctl,
	.poll = socket_poll,
	.signals = object_signals_always,
	.stat = socket_stat,
	.describe = socket_describe,
	.closed = socket_closed,
	.held_bytes = socket_held_bytes,
	.release = socket_release,
	.free = socket_free,
};

/* ---- options ---- */

struct socket_identity socket_peer(const struct object *object)
{
	struct socket_identity told;

	spin_lock(&sockets_lock);
	told = socket_of(object)->told;
	socket_identity_get(&told);
	spin_unlock(&sockets_lock);
	return told;
}

uint64_t socket_number(const struct object *object)
{
	return socket_of(object)->number;
}

uint64_t socket_network(const struct object *object)
{
	return socket_of(object)->network;
}

size_t socket_waiting_bytes(struct object *object)
{
	return unread_bytes(socket_of(object), true);
}

size_t socket_sent_bytes(const struct object *object)
{
	return read_once(&socket_of(object)->sent_bytes);
}

void socket_option_switch(struct socket_options *options, unsigned option, bool on)
{
	uint64_t *word = &options->stored[option / 64];
	uint64_t bit = UINT64_C(1) << option % 64;
	uint64_t old = read_once(word);

	while (!atomic_cas(word, &old, on ? old | bit : old & ~bit))
		;
}

bool socket_listens(const struct object *object)
{
	return read_once(&socket_of(object)->state) == SOCKET_LISTENS;
}

void socket_set_pass_credentials(struct object *object, bool on)
{
	write_once(&socket_of(object)->pass_credentials, on);
}

bool socket_pass_credentials(const struct object *object)
{
	return read_once(&socket_of(object)->pass_credentials);
}

struct socket_options *socket_options(struct object *object)
{
	return &socket_of(object)->options;
}

/* ---- beginning ---- */

struct socket *socket_alloc(unsigned type, unsigned flags)
{
	const struct abi_ucred nobody = {0, UINT32_MAX, UINT32_MAX};
	struct abi_ucred caller = socket_caller(true);
	struct socket *socket = slab_alloc_zeroed(&socket_cache);

	if (!socket)
		return NULL;
	socket->user = user_counts_of(caller.uid);
	if (!socket->user) {
		slab_free(&socket_cache, socket);
		return NULL;
	}
	object_init(&socket->object, &socket_ops,
		    type == SOCK_STREAM ? OBJECT_OTHER : OBJECT_PACKETS, flags | O_RDWR);
	refcount_init(&socket->references);
	socket->type = type;
	socket->family = AF_UNIX;
	socket->network = socket_caller_network();
	socket->uid = caller.uid;
	socket->gid = caller.gid;
	socket->told.id = nobody;
	socket->options.peek_bytes = -1;
	socket->options.cpu = -1;
	socket->options.pacing_rate = UINT64_MAX;
	socket->options.send_bytes = SOCKET_BUFFER_BYTES;
	socket->options.receive_bytes = SOCKET_BUFFER_BYTES;
	socket->options.low_water = 1;
	mutex_init(&socket->receiver, LOCK_STREAM);
	spin_init(&socket->lock, LOCK_PIPE);
	list_init(&socket->messages);
	list_init(&socket->blocked);
	list_init(&socket->blocked_link);
	list_init(&socket->flight_link);
	list_init(&socket->rights);
	list_init(&socket->search_link);
	waitq_init(&socket->changed);
	waitq_init(&socket->room);
	spin_lock(&sockets_lock);
	socket->number = ++last_number;
	list_add_tail(&all_sockets, &socket->all);
	spin_unlock(&sockets_lock);
	return socket;
}

err_t socket_create(unsigned family, unsigned type, unsigned flags, struct object **out)
{
	struct socket *socket = socket_alloc(type, flags);

	if (!socket)
		return -ENOMEM;
	socket->family = family;
	if (family != AF_UNIX) { /* the list shows unix sockets */
		spin_lock(&sockets_lock);
		list_del(&socket->all);
		spin_unlock(&sockets_lock);
	}
	*out = &socket->object;
	return 0;
}

err_t socket_pair_create(unsigned type, unsigned flags, struct object *out[2])
{
	struct socket *first = socket_alloc(type, flags);
	struct socket *second = socket_alloc(type, flags);

	if (!first || !second) {
		if (first)
			object_put(&first->object);
		if (second)
			object_put(&second->object);
		return -ENOMEM;
	}
	first->state = second->state = SOCKET_CONNECTED;
	first->told = socket_caller_identity();
	second->told = socket_caller_identity();
	first->peer = socket_get(second);
	second->peer = socket_get(first);
	out[0] = &first->object;
	out[1] = &second->object;
	return 0;
}

/* ---- for /proc/net/unix ---- */

static struct socket *following_locked(const struct socket *previous) REQUIRES(sockets_lock);
static struct socket *following_locked(const struct socket *previous)
{
	struct socket *socket;

	/* It may have left the list meanwhile; the list is in the order of the numbers. */
	list_for_each (socket, list_linked(&previous->all) ? &previous->all : &all_sockets, all) {
		if (&socket->all == &all_sockets)
			break;
		if (socket->number > previous->number)
			return socket;
	}
	return NULL;
}

struct socket *socket_next(struct socket *previous, struct socket_info *out)
{
	struct socket *next;

	spin_lock(&sockets_lock);
	if (previous)
		next = following_locked(previous);
	else
		next = list_empty(&all_sockets)
			       ? NULL
			       : list_first_entry(&all_sockets, struct socket, all);
	if (next) {
		socket_get(next);
		*out = (struct socket_info){
			.references = (uint32_t)read_once(&next->references.count),
			.type = next->type,
			.state = next->state == SOCKET_CONNECTED ? 3 : 1,
			.listens = next->state == SOCKET_LISTENS,
			.number = next->number,
			.network = next->network,
			.name = socket_name_get(next->name),
		};
	}
	spin_unlock(&sockets_lock);
	socket_put(previous);
	return next;
}
