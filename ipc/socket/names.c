/*
 * Names of unix sockets. A name is constant and counted: sockets that a listening one has made
 * share its. The table (under sockets_lock) finds the one socket that was bound to it, while that
 * lives: an abstract name by network, type and bytes, one of the file tree by what its node is.
 */
#include "socket_priv.h"

#include <lib/fmt.h>
#include <lib/string.h>
#include <mm/slab.h>

#define BUCKETS 64

#define FAMILY_BYTES offsetof(struct abi_sockaddr_un, path)

/*
 *   [c] constant
 *   [s] sockets_lock
 */
struct socket_name {
	struct refcount references;
	struct socket_name *next; /* [s] in its bucket */
	struct socket *socket;    /* [s] that was bound to it; NULL: not in the table */
	struct object *place;     /* [s] a reference, while it is in the table; NULL: abstract */
	const void *identity;     /* [c] once in the table */
	size_t path_bytes;        /* [c] */
	char path[];              /* [c] */
};

static struct socket_name *buckets[BUCKETS]; /* sockets_lock */
static unsigned last_autobind;               /* sockets_lock */

struct socket_name *socket_name_create(const char *path, size_t path_bytes)
{
	struct socket_name *name = kzalloc(sizeof(*name) + path_bytes);

	if (!name)
		return NULL;
	refcount_init(&name->references);
	name->path_bytes = path_bytes;
	memcpy(name->path, path, path_bytes);
	return name;
}

struct socket_name *socket_name_get(struct socket_name *name)
{
	if (name)
		refcount_get(&name->references);
	return name;
}

void socket_name_put(struct socket_name *name)
{
	if (name && refcount_put(&name->references))
		kfree(name);
}

size_t socket_name_address(const struct socket_name *name, void *to)
{
	const uint16_t family = AF_UNIX;

	memcpy(to, &family, sizeof(family));
	memcpy((char *)to + FAMILY_BYTES, name->path, name->path_bytes);
	return FAMILY_BYTES + name->path_bytes;
}

/* ---- the table ---- */

static struct socket_name **bucket_of(const void *identity, const char *path, size_t path_bytes)
{
	uint64_t hash = (uintptr_t)identity >> 4;

	for (size_t i = 0; !identity && i < path_bytes; i++)
		hash = hash * 31 + (unsigned char)path[i];
	return &buckets[(hash * UINT64_C(0x9e3779b97f4a7c15)) >> 58];
}
_Static_assert(BUCKETS == 1 << (64 - 58), "the shift in bucket_of");

static struct socket_name *find_abstract_locked(const struct socket *from,
						const struct socket_name *wanted)
	REQUIRES(sockets_lock);
static struct socket_name *find_abstract_locked(const struct socket *from,
						const struct socket_name *wanted)
{
	struct socket_name *name = *bucket_of(NULL, wanted->path, wanted->path_bytes);

	for (; name; name = name->next) {
		if (!name->identity && name->socket->type == from->type &&
		    name->socket->network == from->network &&
		    name->path_bytes == wanted->path_bytes &&
		    memcmp(name->path, wanted->path, name->path_bytes) == 0)
			break;
	}
	return name;
}

struct socket *socket_find_abstract(const struct object *from, const struct socket_name *wanted)
{
	struct socket *socket = NULL;
	struct socket_name *name;

	spin_lock(&sockets_lock);
	name = find_abstract_locked(socket_of(from), wanted);
	if (name)
		socket = socket_get(name->socket);
	spin_unlock(&sockets_lock);
	return socket;
}

struct socket *socket_find_place(const void *identity)
{
	struct socket *socket = NULL;
	struct socket_name *name;

	spin_lock(&sockets_lock);
	for (name = *bucket_of(identity, NULL, 0); name && !socket; name = name->next) {
		if (name->identity == identity)
			socket = socket_get(name->socket);
	}
	spin_unlock(&sockets_lock);
	return socket;
}

static err_t bind_locked(struct socket *socket, struct socket_name *name, struct object *place,
			 const void *identity) REQUIRES(sockets_lock);
static err_t bind_locked(struct socket *socket, struct socket_name *name, struct object *place,
			 const void *identity)
{
	struct socket_name **bucket = bucket_of(identity, name->path, name->path_bytes);

	if (socket->name)
		return -EINVAL;
	if (!identity && find_abstract_locked(socket, name))
		return -EADDRINUSE;
	name->socket = socket;
	name->place = place;
	name->identity = identity;
	name->next = *bucket;
	*bucket = name;
	store_release(&socket->name, name); /* pairs with the acquire in socket_own_name */
	return 0;
}

err_t socket_bind(struct object *object, struct socket_name *name, struct object *place,
		  const void *identity)
{
	err_t err;

	spin_lock(&sockets_lock);
	err = bind_locked(socket_of(object), name, place, identity);
	spin_unlock(&sockets_lock);
	return err;
}

bool socket_is_bound(const struct object *object)
{
	return read_once(&socket_of(object)->name) != NULL;
}

struct object *socket_name_retire_locked(struct socket *socket)
{
	struct socket_name *name = socket->name;
	struct socket_name **link;

	if (!name || name->socket != socket)
		return NULL; /* it has none, or shares that of the one that listened */
	link = bucket_of(name->identity, name->path, name->path_bytes);
	while (*link != name)
		link = &(*link)->next;
	*link = name->next;
	name->socket = NULL;
	return name->place;
}

#define AUTOBIND_BYTES 6 /* a NUL and five digits */
#define AUTOBIND_NAMES (1u << 20)

err_t socket_autobind(struct object *object)
{
	char path[AUTOBIND_BYTES + 1] = {0};
	struct socket_name *name;
	err_t err = -EADDRINUSE;

	for (unsigned tries = 0; err == -EADDRINUSE && tries < AUTOBIND_NAMES; tries++) {
		spin_lock(&sockets_lock);
		last_autobind = (last_autobind + 1) % AUTOBIND_NAMES;
		kernel_format(path + 1, sizeof(path) - 1, "%05x", last_autobind);
		spin_unlock(&sockets_lock);
		name = socket_name_create(path, AUTOBIND_BYTES);
		if (!name)
			return -ENOMEM;
		err = socket_bind(object, name, NULL, NULL);
		if (err)
			socket_name_put(name);
	}
	if (err == -EINVAL)
		return 0; /* it has a name */
	return err == -EADDRINUSE ? -ENOSPC : err;
}

/* ---- who is called how ---- */

struct socket_name *socket_own_name(const struct object *object)
{
	/* Once it is set it stays for as long as the socket's memory. */
	return socket_name_get(load_acquire(&socket_of(object)->name));
}

err_t socket_peer_name(const struct object *object, struct socket_name **out)
{
	const struct socket *peer;

	*out = NULL;
	spin_lock(&sockets_lock);
	peer = socket_of(object)->peer;
	if (peer)
		*out = socket_name_get(peer->name);
	spin_unlock(&sockets_lock);
	return peer ? 0 : -ENOTCONN;
}
