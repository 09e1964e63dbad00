/*
 * Unix sockets from inside. What is sent waits with the socket that will receive it, as messages;
 * a connection that is not accepted yet is a message to the listening socket as well, whose one
 * reference is the new socket. So one queue, one way of ending and one search for lost sockets
 * (flight.c) serve both.
 *
 * Locks: sockets_lock (LOCK_SOCKETS) has who is connected to whom, states, and names; a socket's
 * `lock` (LOCK_PIPE, inside of it, never two at once) its queue and flags. `receiver` (LOCK_STREAM)
 * lets one thread at a time receive: bytes are copied to programs under it. What flight.c counts is
 * under flight_lock (LOCK_FLIGHT, inside of `receiver`).
 *
 * Sending touches two sockets, one after the other: the sender's sum of what is not received yet,
 * which is limited (SO_SNDBUF) and atomic, and the receiver's queue. What waits keeps the memory of
 * its sender, so that the sum can go down.
 */
#ifndef IPC_SOCKET_PRIV_H
#define IPC_SOCKET_PRIV_H

#include <ipc/socket.h>

#include <lib/list.h>
#include <sched/lock.h>
#include <sched/wait.h>

#define SOCKET_BUFFER_BYTES (208 * KIB) /* SO_SNDBUF, and the most it can be asked for: Linux's */
#define DATAGRAMS_MAX       10          /* that wait; one more is taken (max_dgram_qlen) */

enum socket_state { SOCKET_ALONE, SOCKET_LISTENS, SOCKET_CONNECTED };

struct message {
	struct list link;
	struct socket *sender; /* a reference; NULL: a connection that waits */
	struct abi_ucred from;
	struct process *process;      /* a reference; NULL: nobody wants it */
	uint64_t stamp_ns;            /* 0: the same */
	struct socket_rights *rights; /* NULL: none */
	size_t cost_bytes;            /* in the sender's sum */
	size_t len_bytes;
	size_t done_bytes; /* of a stream: that were received */
	size_t room_bytes; /* that there is memory for; constant */
	bool urgent;       /* one byte, out of band */
	bool peeked;       /* an empty one that was looked at by SO_PEEK_OFF; [a] */
	char bytes[];
};

/*
 *   [c] constant
 *   [s] sockets_lock
 *   [l] lock
 *   [b] written under both, read under either
 *   [f] flight_lock
 *   [a] atomic
 */
struct socket {
	struct object object;
	struct refcount references; /* of the object, those connected to it, what it has sent */
	unsigned type;              /* [c] SOCK_* */
	unsigned family;            /* [c] AF_UNIX, AF_NETLINK */
	uint64_t number;            /* [c] inode number */
	uint64_t network;           /* [c] of its maker's network */
	uint32_t uid, gid;          /* [c] of its maker */
	struct user_counts *user;   /* [c] whose the bytes count as that it sends */
	struct list all;            /* [s] */
	struct socket_options options;
	bool pass_credentials; /* [a] */

	struct socket_name *name;    /* [s] a reference; set once, read [a] */
	enum socket_state state;     /* [s] written, read [a] */
	struct socket *peer;         /* [b] a reference; of a connection until it ends */
	struct socket_identity told; /* [s] SO_PEERCRED; references */
	unsigned backlog;            /* [s] connections that wait; one more is taken */
	bool is_waiting;             /* [s] a connection that nobody has accepted */

	struct mutex receiver;
	struct spinlock lock;
	struct list messages;   /* [l] to be received here */
	unsigned nmessages;     /* [l] */
	struct message *urgent; /* [l] the last one of a stream that is such; read [a] */
	bool closed;            /* [b] its object has ended */
	bool reads_ended;       /* [l] nothing comes any more behind what is there; read [a] */
	bool writes_ended;      /* [l] nothing can be sent; read [a] */
	err_t error;            /* [l] not told yet; read [a] */
	struct socket_filter *filter; /* [l] a reference; NULL, which is read [a]: none */
	bool filter_is_locked;        /* [l] written, read [a] */
	struct list blocked;          /* [l] sockets connected to it that found it full: by poll */
	struct list blocked_link;     /* [peer->lock] */
	size_t sent_bytes;            /* [a] cost of what it has sent and nobody has received */
	struct waitq changed;         /* for its own readers and writers */
	struct waitq room;            /* for those who send to it, or want to be connected */

	uint32_t nflights;        /* [f] references to it that are on their way; read [a] */
	struct list flight_link;  /* [f] on the list of those that have any */
	struct list rights;       /* [f] struct socket_rights that wait here */
	struct list search_link;  /* [f] while lost ones are searched for */
	uint32_t nflights_inside; /* [f] those from sockets that may be lost themselves */
	bool maybe_lost;          /* [f] */
};

extern struct spinlock sockets_lock;

static inline struct socket *socket_of(const struct object *object)
{
	return container_of((struct object *)(uintptr_t)object, struct socket, object);
}

static inline bool is_stream(const struct socket *socket)
{
	return socket->type == SOCK_STREAM;
}

static inline bool is_datagram(const struct socket *socket)
{
	return socket->type == SOCK_DGRAM;
}

static inline struct socket *socket_get(struct socket *socket)
{
	refcount_get(&socket->references);
	return socket;
}

/* ---- socket.c ---- */

/* NULL: no memory. */
struct socket *socket_alloc(unsigned type, unsigned flags);
/* Ends what is connected to it, as if the partner had gone: not under a lock. */
void socket_reset(struct socket *socket, err_t error);
/* There is room in its queue, or it has ended: who waits for that, and who polled one that is
 * connected to it, looks again. Not under a lock of sockets. */
void socket_tell_room(struct socket *socket);
/* Of a datagram socket: no more connected. Under sockets_lock; the reference is the caller's. */
struct socket *socket_leave_peer_locked(struct socket *socket) REQUIRES(sockets_lock);
/* Until when a wait goes that `timeout_ns` (0: for ever) limits; 0: no wait at all. */
uint64_t socket_deadline_ns(const struct socket *socket, unsigned flags, uint64_t timeout_ns);
/* What a wait's end means for the call: -EAGAIN for a time-out, -EINTR. */
err_t socket_wait_error(err_t err, uint64_t deadline_ns);

/* ---- names.c ---- */

struct socket_name *socket_name_get(struct socket_name *name); /* takes NULL */
/* Its socket ends: nobody finds it by this name any more. The place to give back, or NULL. */
struct object *socket_name_retire_locked(struct socket *socket) REQUIRES(sockets_lock);

/* ---- transfer.c, receive.c ---- */

/* NULL: no memory. */
struct message *message_alloc(size_t len_bytes);
/* With all that it holds, but rights with flight_ended(). Sleeps. */
void message_free(struct message *message);
/* Takes all messages off the queue. Under `receiver`, or at the end. */
void socket_take_all(struct socket *socket, struct list *out);
/* The first on the queue, left there: under `receiver`. NULL: none. */
struct message *socket_first(struct socket *socket);
/* One message's rights and sender, for who receives it. -ENOMEM. Under `receiver`. */
err_t must_check socket_take_beside(struct message *message, bool peek, struct socket_message *to);
/* It has been received whole. Under `receiver`. */
void socket_drop_first(struct socket *socket, struct message *message);
/* Nobody will receive them. Frees without recursion, however deep sockets lie in one another's
 * queues. Sleeps. */
void messages_drop(struct list *messages);
void socket_push_locked(struct socket *to, struct message *message) REQUIRES(to->lock);
/* Whether a sender or a connection has to wait for room. */
bool socket_is_full(const struct socket *to, unsigned limit);

/* ---- filter.c ---- */

/* What the filter of `to` says of a message that is about to go there, which may be shorter
 * afterwards. False: it does not take it. */
bool socket_filter_passes(struct socket *to, struct message *message);

/* ---- urgent.c ---- */

/* Receivers of a stream stop before the urgent byte, and come across it if it lies first: true if
 * it is theirs like any other (SO_OOBINLINE). */
bool socket_urgent_is_inline(struct socket *socket);
/* Who comes to it without asking for it loses it: it goes to `skipped`, for messages_drop(). Under
 * `receiver`. */
void socket_skip_urgent(struct socket *socket, struct message *message, struct list *skipped);
/* MSG_OOB. -EINVAL: there is none. */
ssize_t must_check socket_receive_urgent(struct socket *socket, struct buffer *buffer, bool peek,
					 struct socket_message *to);
bool socket_is_at_mark(struct socket *socket);

/* ---- flight.c ---- */

/* Of memory. */
size_t socket_rights_bytes(unsigned room);
/* `rights` are about to wait at `to`. -ETOOMANYREFS, -ENOMEM. */
err_t must_check flight_begin(struct socket_rights *rights, struct socket *to, uint32_t user,
			      uint64_t max);
/* They are somebody's again; before anybody uses the objects. Takes those that never began. */
void flight_end(struct socket_rights *rights);
/* References of one's own to what waits; `copy` is empty and has the room. Sleeps. */
void flight_copy(const struct socket_rights *rights, struct socket_rights *copy);
/* Ends the sockets that nobody can reach any more. `closing`: whose one reference the caller is
 * about to give back, or NULL. */
void flight_collect(struct socket *closing);

#endif
