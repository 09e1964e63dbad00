/*
 * Pairs of unix sockets as objects: their beginning, what poll and stat tell, their end. What goes
 * through them is in transfer.c.
 */
#include "socket_priv.h"

#include <abi/fcntl.h>
#include <lib/fmt.h>
#include <mm/slab.h>

SLAB_CACHE(pair_cache, struct pair);
SLAB_CACHE(socket_cache, struct socket);
static uint64_t last_number; /* atomic */
static const struct object_ops socket_ops;

bool object_is_socket(const struct object *object)
{
	return object->ops == &socket_ops;
}

unsigned socket_type(const struct object *object)
{
	return socket_of(object)->pair->type;
}

struct abi_ucred socket_peer(const struct object *object)
{
	return socket_of(object)->pair->owner;
}

/* ---- ending ---- */

err_t socket_take_error(struct object *object)
{
	struct socket *socket = socket_of(object);
	bool was_reset;

	spin_lock(&socket->pair->lock);
	was_reset = socket->end->reset;
	write_once(&socket->end->reset, false);
	spin_unlock(&socket->pair->lock);
	return was_reset ? -ECONNRESET : 0;
}

static void wake_both(struct socket *socket)
{
	waitq_wake_all(&socket->end->changed);
	waitq_wake_all(&socket->other->changed);
}

err_t socket_shutdown(struct object *object, int how)
{
	struct socket *socket = socket_of(object);
	bool reads = how == SHUT_RD || how == SHUT_RDWR;
	bool writes = how == SHUT_WR || how == SHUT_RDWR;

	if (!reads && !writes)
		return -EINVAL;
	spin_lock(&socket->pair->lock);
	socket->end->reads_ended |= reads;
	socket->end->writes_ended |= writes;
	if (socket->pair->type != SOCK_DGRAM) {
		socket->other->writes_ended |= reads;
		socket->other->reads_ended |= writes;
	}
	spin_unlock(&socket->pair->lock);
	wake_both(socket);
	return 0;
}

static void drop_messages(struct list *messages)
{
	struct message *message;
	struct message *following;

	list_for_each_safe (message, following, messages, link) {
		list_del(&message->link);
		message_free(message);
	}
}

static void pair_put(struct pair *pair)
{
	if (refcount_put(&pair->references))
		slab_free(&pair_cache, pair);
}

static void socket_release(struct object *object)
{
	struct socket *socket = socket_of(object);
	struct pair *pair = socket->pair;
	LIST_HEAD(unread);

	spin_lock(&pair->lock);
	list_splice_tail(&unread, &socket->end->messages);
	write_once(&socket->end->queued_bytes, 0);
	write_once(&socket->end->closed, true);
	if (pair->type != SOCK_DGRAM) {
		write_once(&socket->other->reads_ended, true);
		write_once(&socket->other->writes_ended, true);
		write_once(&socket->other->reset, !list_empty(&unread));
	}
	spin_unlock(&pair->lock);
	wake_both(socket);
	drop_messages(&unread);
	pair_put(pair);
}

/* ---- as an object ---- */

static ssize_t socket_read(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct socket_message message;
	ssize_t result;

	if (offset)
		return -ESPIPE;
	result = socket_receive(object, buffer, 0, &message);
	socket_rights_put(message.rights); /* who does not ask for them does not get them */
	return result;
}

static ssize_t socket_write(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct socket_message message = {.from = socket_of(object)->pair->owner};

	return offset ? -ESPIPE : socket_send(object, buffer, 0, &message);
}

static unsigned socket_poll(struct object *object, struct waitq **queue)
{
	struct socket *socket = socket_of(object);
	struct end *end = socket->end;
	unsigned events = 0;

	*queue = &end->changed;
	spin_lock(&socket->pair->lock);
	if (!list_empty(&end->messages) || end->reads_ended)
		events |= POLLIN;
	if (end->reads_ended)
		events |= POLLRDHUP;
	if (end->reads_ended && end->writes_ended)
		events |= POLLHUP;
	if (end->reset)
		events |= POLLERR;
	/* As Linux: a quarter is no reason to wait for room. */
	if (socket->other->queued_bytes * 4 <= QUEUE_BYTES)
		events |= POLLOUT;
	spin_unlock(&socket->pair->lock);
	return events;
}

static uint64_t number_of(const struct socket *socket)
{
	return socket->pair->number + (uint64_t)(socket->end - socket->pair->ends);
}

static err_t socket_stat(struct object *object, struct abi_stat *out)
{
	const struct socket *socket = socket_of(object);

	*out = (struct abi_stat){
		.st_ino = number_of(socket),
		.st_nlink = 1,
		.st_mode = S_IFSOCK | 0777,
		.st_uid = socket->pair->owner.uid,
		.st_gid = socket->pair->owner.gid,
		.st_blksize = PAGE_SIZE,
	};
	return 0;
}

static void socket_describe(struct object *object, char *to, size_t to_bytes)
{
	kernel_format(to, to_bytes, "socket:[%lu]", number_of(socket_of(object)));
}

void socket_set_pass_credentials(struct object *object, bool on)
{
	write_once(&socket_of(object)->end->pass_credentials, on);
}

bool socket_pass_credentials(const struct object *object)
{
	return read_once(&socket_of(object)->end->pass_credentials);
}

static void socket_free(struct object *object)
{
	slab_free(&socket_cache, socket_of(object));
}

static const struct object_ops socket_ops = {
	.read = socket_read,
	.write = socket_write,
	.poll = socket_poll,
	.stat = socket_stat,
	.describe = socket_describe,
	.release = socket_release,
	.free = socket_free,
};

/* ---- a pair's beginning ---- */

static void end_init(struct end *end)
{
	mutex_init(&end->receiver, LOCK_STREAM);
	list_init(&end->messages);
	waitq_init(&end->changed);
}

static struct pair *pair_create(unsigned type, const struct abi_ucred *owner)
{
	struct pair *pair = slab_alloc_zeroed(&pair_cache);

	if (!pair)
		return NULL;
	refcount_init(&pair->references);
	refcount_get(&pair->references); /* the two objects' */
	spin_init(&pair->lock, LOCK_PIPE);
	pair->type = type;
	pair->owner = *owner;
	pair->number = atomic_fetch_add_full(&last_number, 2) + 1;
	end_init(&pair->ends[0]);
	end_init(&pair->ends[1]);
	return pair;
}

static void socket_init(struct socket *socket, struct pair *pair, unsigned index, unsigned flags)
{
	object_init(&socket->object, &socket_ops, OBJECT_OTHER, flags | O_RDWR);
	socket->pair = pair;
	socket->end = &pair->ends[index];
	socket->other = &pair->ends[!index];
}

err_t socket_pair_create(unsigned type, unsigned flags, const struct abi_ucred *owner,
			 struct object *out[2])
{
	struct pair *pair = pair_create(type, owner);
	struct socket *first = slab_alloc_zeroed(&socket_cache);
	struct socket *second = slab_alloc_zeroed(&socket_cache);

	if (!pair || !first || !second) {
		slab_free(&pair_cache, pair);
		slab_free(&socket_cache, first);
		slab_free(&socket_cache, second);
		return -ENOMEM;
	}
	socket_init(first, pair, 0, flags);
	socket_init(second, pair, 1, flags);
	out[0] = &first->object;
	out[1] = &second->object;
	return 0;
}
