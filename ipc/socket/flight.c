/*
 * Objects on their way through sockets: who has how many, and sockets that nobody can reach.
 *
 * A socket that is on its way is kept by the message it is in, and the message by the socket it
 * waits at: sockets in each other's queues would never end. So whenever a descriptor of a socket on
 * its way is closed, we look for those whose references are all in queues of one another:
 *
 *  - a socket may be lost if all its references are on their way;
 *  - it is not if one of them waits at a socket that cannot be lost, and then neither is any that
 *    waits at it, and so on;
 *  - what is left is lost: their queues are emptied, and with that they end.
 *
 * flight_lock has the counts and lists. Nothing arrives or departs while it is held, so what is
 * lost at one moment of it stays lost: to get at one of those sockets takes a descriptor, or a
 * reference out of a queue that somebody can reach.
 */
#include "socket_priv.h"

#include <ipc/user.h>
#include <mm/slab.h>

static MUTEX(flight_lock, LOCK_FLIGHT);
static LIST_HEAD(in_flight); /* flight_lock: sockets */

size_t socket_rights_bytes(unsigned room)
{
	return sizeof(struct socket_rights) + room * sizeof(void *);
}

struct socket_rights *socket_rights_alloc(unsigned room)
{
	struct socket_rights *rights = kzalloc(socket_rights_bytes(room));

	if (!rights)
		return NULL;
	list_init(&rights->link);
	rights->room = room;
	return rights;
}

void socket_rights_put(struct socket_rights *rights)
{
	if (!rights)
		return;
	flight_end(rights);
	for (unsigned i = 0; i < rights->count; i++)
		object_put(rights->objects[i]);
	kfree(rights);
}

/* ---- counting ---- */

static void begin_locked(struct socket_rights *rights, struct socket *to) REQUIRES(flight_lock);
static void begin_locked(struct socket_rights *rights, struct socket *to)
{
	for (unsigned i = 0; i < rights->count; i++) {
		struct socket *socket;

		if (!object_is_socket(rights->objects[i]))
			continue;
		socket = socket_of(rights->objects[i]);
		if (!socket->nflights)
			list_add_tail(&in_flight, &socket->flight_link);
		write_once(&socket->nflights, socket->nflights + 1);
	}
	list_add_tail(&to->rights, &rights->link);
}

/* As Linux: who has more than the limit may send none, who is below it any. */
static err_t count_locked(struct socket_rights *rights, uint32_t id, uint64_t max)
	REQUIRES(flight_lock);
static err_t count_locked(struct socket_rights *rights, uint32_t id, uint64_t max)
{
	struct user_counts *user;

	if (max == UINT64_MAX)
		return 0;
	user = user_counts_of(id);
	if (!user)
		return -ENOMEM;
	if (!user_charge(user, USER_FLIGHTS, rights->count, max + 1)) {
		user_counts_put(user);
		return -ETOOMANYREFS;
	}
	rights->user = user;
	return 0;
}

err_t flight_begin(struct socket_rights *rights, struct socket *to, uint32_t user, uint64_t max)
{
	err_t err;

	if (!rights->count)
		return 0;
	mutex_lock(&flight_lock);
	err = count_locked(rights, user, max);
	if (err == -ETOOMANYREFS) {
		/* Perhaps many of them are lost, by a race that nobody saw. */
		mutex_unlock(&flight_lock);
		flight_collect(NULL);
		mutex_lock(&flight_lock);
		err = count_locked(rights, user, max);
	}
	if (!err)
		begin_locked(rights, to);
	mutex_unlock(&flight_lock);
	return err;
}

void flight_copy(const struct socket_rights *rights, struct socket_rights *copy)
{
	/* A search sees these references, or the caller's to the queue that they are in. */
	mutex_lock(&flight_lock);
	for (; copy->count < rights->count; copy->count++)
		copy->objects[copy->count] = object_get(rights->objects[copy->count]);
	mutex_unlock(&flight_lock);
}

void flight_end(struct socket_rights *rights)
{
	/* Whose rights they are decides alone: nobody else links them. */
	if (!list_linked(&rights->link))
		return;
	mutex_lock(&flight_lock);
	list_del(&rights->link);
	for (unsigned i = 0; i < rights->count; i++) {
		struct socket *socket;

		if (!object_is_socket(rights->objects[i]))
			continue;
		socket = socket_of(rights->objects[i]);
		write_once(&socket->nflights, socket->nflights - 1);
		if (!socket->nflights)
			list_del(&socket->flight_link);
	}
	if (rights->user)
		user_uncharge(rights->user, USER_FLIGHTS, rights->count);
	user_counts_put(rights->user);
	rights->user = NULL;
	mutex_unlock(&flight_lock);
}

/* ---- searching ---- */

/* Calls `visit` for each reference that waits at `socket` to a socket that may be lost. */
static void for_each_inside(struct socket *socket,
			    void (*visit)(struct socket *socket, struct list *found),
			    struct list *found)
{
	const struct socket_rights *rights;

	list_for_each (rights, &socket->rights, link) {
		for (unsigned i = 0; i < rights->count; i++) {
			struct object *object = rights->objects[i];

			if (object_is_socket(object) && socket_of(object)->maybe_lost)
				visit(socket_of(object), found);
		}
	}
}

static void count_inside(struct socket *socket, UNUSED struct list *found)
{
	socket->nflights_inside++;
}

static void reach(struct socket *socket, struct list *found)
{
	socket->maybe_lost = false;
	list_add_tail(found, &socket->search_link);
}

static void mark_candidates(const struct socket *closing)
{
	struct socket *socket;

	list_for_each (socket, &in_flight, flight_link) {
		uint32_t references = (uint32_t)read_once(&socket->object.references.count);

		socket->nflights_inside = 0;
		socket->maybe_lost = references - (socket == closing) == socket->nflights;
	}
	list_for_each (socket, &in_flight, flight_link) {
		if (socket->maybe_lost)
			for_each_inside(socket, count_inside, NULL);
	}
}

/* Those that can be reached from outside, and what waits at them, are not lost. */
static void reach_all(void)
{
	LIST_HEAD(reached);
	struct socket *socket;

	list_for_each (socket, &in_flight, flight_link) {
		if (socket->maybe_lost && socket->nflights_inside < socket->nflights)
			reach(socket, &reached);
	}
	while (!list_empty(&reached)) {
		socket = list_first_entry(&reached, struct socket, search_link);
		list_del(&socket->search_link);
		for_each_inside(socket, reach, &reached);
	}
}

void flight_collect(struct socket *closing)
{
	LIST_HEAD(lost);
	LIST_HEAD(messages);
	struct socket *socket;

	mutex_lock(&flight_lock);
	mark_candidates(closing);
	reach_all();
	list_for_each (socket, &in_flight, flight_link) {
		if (socket->maybe_lost) {
			object_get(&socket->object); /* so no other search takes it for lost */
			list_add_tail(&lost, &socket->search_link);
		}
	}
	mutex_unlock(&flight_lock);

	while (!list_empty(&lost)) {
		socket = list_first_entry(&lost, struct socket, search_link);
		list_del(&socket->search_link);
		mutex_lock(&socket->receiver);
		socket_take_all(socket, &messages);
		mutex_unlock(&socket->receiver);
		messages_drop(&messages);
		object_put(&socket->object);
	}
}
