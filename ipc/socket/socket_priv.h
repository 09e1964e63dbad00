/*
 * The structs of unix sockets. Both ends of a pair are objects that share one struct pair, freed
 * with the second of them. What is sent waits with the end that will receive it, as messages.
 *
 * `lock` (LOCK_PIPE) has the lists and the state. `receiver` (LOCK_STREAM) lets one thread at a
 * time receive at an end: bytes are copied to programs under it. Bytes of a program are taken
 * before the lock.
 */
#ifndef IPC_SOCKET_PRIV_H
#define IPC_SOCKET_PRIV_H

#include <ipc/socket.h>

#include <lib/list.h>
#include <sched/lock.h>
#include <sched/wait.h>

#define QUEUE_BYTES (208 * KIB) /* for one end; what Linux has by default */

struct message {
	struct list link;
	struct abi_ucred from;
	struct socket_rights *rights; /* NULL: none */
	size_t len_bytes;
	size_t done_bytes; /* of a stream: that were received */
	char bytes[];
};

/*
 *   [c] constant
 *   [l] pair->lock; flags and sums are read without it by who polls
 */
struct end {
	struct mutex receiver;
	struct list messages; /* [l] to be received here */
	size_t queued_bytes;  /* [l] of them, with their heads */
	bool closed;          /* [l] its object has ended */
	bool reads_ended;     /* [l] nothing comes any more behind what is there */
	bool writes_ended;    /* [l] nothing can be sent */
	bool reset; /* [l] the other end has ended with bytes unread, and that is not told */
	bool pass_credentials; /* atomic */
	struct waitq changed;
};

struct pair {
	struct refcount references; /* of its two objects */
	struct spinlock lock;
	unsigned type;          /* [c] SOCK_* */
	uint64_t number;        /* [c] inode number of the first end; the other's is one more */
	struct abi_ucred owner; /* [c] */
	struct end ends[2];
};

struct socket {
	struct object object;
	struct pair *pair; /* [c] a reference */
	struct end *end;   /* [c] its own */
	struct end *other; /* [c] */
};

static inline struct socket *socket_of(const struct object *object)
{
	return container_of((struct object *)(uintptr_t)object, struct socket, object);
}

static inline bool is_stream(const struct socket *socket)
{
	return socket->pair->type == SOCK_STREAM;
}

/* With the rights that it holds. Sleeps. */
void message_free(struct message *message);

#endif
