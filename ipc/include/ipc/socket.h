/*
 * Unix sockets: bytes (SOCK_STREAM) or messages (SOCK_DGRAM, SOCK_SEQPACKET), and with them who
 * sent them and references to objects. They come in pairs, or find each other by names: of the file
 * tree, which kernel/ and fusek/ look up, or abstract ones, which are here.
 *
 * A socket is an object with a second count (struct socket): who is connected to one, or has sent
 * something that waits, keeps its memory but does not keep it open. The first count alone, that of
 * descriptors and of references on their way, says when a socket ends.
 */
#ifndef IPC_SOCKET_H
#define IPC_SOCKET_H

#include <abi/filter.h>
#include <abi/socket.h>
#include <ipc/object.h>
#include <lib/list.h>

struct message;
struct process;
struct socket;
struct socket_filter;
struct socket_name;
struct user_counts;
struct vfs_groups;

/* ---- what travels ---- */

/* References to objects on their way. */
struct socket_rights {
	struct list link;         /* flight.c: with the socket that they wait at */
	struct user_counts *user; /* flight.c: whose they count as; a reference */
	uint32_t count;
	uint32_t room;
	struct object *objects[];
};

/* NULL: no memory. */
struct socket_rights *socket_rights_alloc(unsigned room);
/* Takes NULL. Sleeps. */
void socket_rights_put(struct socket_rights *rights);

/* Who made a connection: SO_PEERCRED, SO_PEERPIDFD, SO_PEERGROUPS. The references are kernel/'s. */
struct socket_identity {
	struct abi_ucred id;
	struct process *process;   /* NULL: nobody, or the kernel */
	struct vfs_groups *groups; /* NULL: none */
};

/* Beside the bytes. */
struct socket_message {
	struct abi_ucred from;
	struct socket_rights *rights; /* NULL: none */
	/* sent */
	struct socket *to;      /* the caller's reference; NULL: the one it is connected to */
	uint32_t user;          /* who sends, and may have up to `max_in_flight` objects on */
	uint64_t max_in_flight; /* their way; UINT64_MAX: any number */
	/* received */
	struct socket_name *name; /* of the sender, a reference; NULL: it has none */
	struct process *process;  /* the sender's, a reference; NULL: nobody asked for it */
	uint64_t stamp_ns;        /* when it was sent, by CLOCK_REALTIME; 0: nobody asked for it */
	size_t cut_bytes;         /* what the message had beyond the buffer */
	bool urgent;              /* MSG_OOB: what was received is such */
};

/* Hooks of kernel/: who runs, by its effective or real ids; and that its call was interrupted in a
 * wait whose end was set (SO_RCVTIMEO): no such call begins anew. */
struct abi_ucred socket_caller(bool effective);
/* The number of the network that the caller is in. */
uint64_t socket_caller_network(void);
/* Effective ids; with references. */
struct socket_identity socket_caller_identity(void);
void socket_identity_get(const struct socket_identity *identity);
void socket_identity_put(const struct socket_identity *identity);
/* With a reference; NULL: a thread of the kernel's. */
struct process *socket_caller_process(void);
void socket_process_get(struct process *process); /* both take NULL */
void socket_process_put(struct process *process);
void socket_call_stays_interrupted(void);

/* ---- sockets ---- */

/* `type`: SOCK_*; `flags`: O_NONBLOCK or 0. One reference each for the caller. -ENOMEM. `family`:
 * AF_UNIX, or AF_NETLINK with SOCK_DGRAM: such a socket only receives notices. */
err_t must_check socket_create(unsigned family, unsigned type, unsigned flags, struct object **out);
err_t must_check socket_pair_create(unsigned type, unsigned flags, struct object *out[2]);
bool object_is_socket(const struct object *object);
unsigned socket_type(const struct object *socket);
unsigned socket_family(const struct object *socket);
/* Of one that is an object's: what keeps its memory. */
struct socket *socket_get_of(const struct object *object);
void socket_put_of(const struct object *object); /* gives that back */
void socket_put(struct socket *socket);          /* takes NULL */

/* ---- names ---- */

/* A name without place: `path` begins with a NUL (abstract), or is a name of the file tree with
 * its NUL, which may be one byte more than the structure has. NULL: no memory. */
struct socket_name *socket_name_create(const char *path, size_t path_bytes);
void socket_name_put(struct socket_name *name); /* takes NULL */
#define SOCKET_ADDRESS_BYTES_MAX (sizeof(struct abi_sockaddr_un) + 1)
/* As getsockname tells it, at most SOCKET_ADDRESS_BYTES_MAX; how many bytes. */
size_t socket_name_address(const struct socket_name *name, void *to);
/* The socket gets the name: takes over the reference. `place`: a file that is kept while the socket
 * lives, whose reference is taken over as well, and `identity` what it is found by; NULL: an
 * abstract name. On an error both stay the caller's. -EINVAL: it has a name; -EADDRINUSE. */
err_t must_check socket_bind(struct object *socket, struct socket_name *name, struct object *place,
			     const void *identity);
/* An abstract name of five digits, unless it has one. -ENOSPC, -ENOMEM. */
err_t must_check socket_autobind(struct object *socket);
bool socket_is_bound(const struct object *socket);
/* Whom `from`, of the same type and network, means: with a reference; NULL: nobody has the name. */
struct socket *socket_find_abstract(const struct object *from, const struct socket_name *name);
struct socket *socket_find_place(const void *identity);
/* Its own and its partner's, with references; *out NULL: it has none. -ENOTCONN. */
struct socket_name *socket_own_name(const struct object *socket);
err_t must_check socket_peer_name(const struct object *socket, struct socket_name **out);

/* ---- connections ---- */

/* The longest backlog: /proc/sys/net/core/somaxconn, at most SOMAXCONN. Read and written by
 * read_once and write_once. */
extern uint32_t socket_backlog_max;

/* -EOPNOTSUPP: of datagrams; -EINVAL: it has no name, or is connected. */
err_t must_check socket_listen(struct object *socket, unsigned backlog);
/* The next that wants to be connected: an object with a reference. -EOPNOTSUPP; -EINVAL: it does
 * not listen, or was shut down; -EAGAIN, -EINTR. */
err_t must_check socket_accept(struct object *socket, unsigned flags, struct object **out);
/* -EPROTOTYPE: of another type; -ECONNREFUSED, -EISCONN, -EINVAL, -EAGAIN, -EINTR, -ENOMEM; -EPERM:
 * it takes datagrams of another one alone. `to` NULL: not any more (of datagrams). */
err_t must_check socket_connect(struct object *socket, struct socket *to);
/* SHUT_*. -EINVAL. */
err_t must_check socket_shutdown(struct object *socket, int how);

/* ---- options ---- */

/* With references. */
struct socket_identity socket_peer(const struct object *socket);
/* Unlike any other's. */
uint64_t socket_number(const struct object *socket);
/* Of its maker's. */
uint64_t socket_network(const struct object *socket);
/* The error that waits to be told, which is gone then; 0: none. */
err_t socket_take_error(struct object *socket);
bool socket_listens(const struct object *socket);
/* SO_PASSCRED: receivers want to know who sent. */
void socket_set_pass_credentials(struct object *socket, bool on);
bool socket_pass_credentials(const struct object *socket);

/* What programs set and get. Each field is atomic. */
struct socket_options {
	uint32_t send_bytes;    /* SO_SNDBUF: of what it sent, and is not received */
	uint32_t receive_bytes; /* SO_RCVBUF: of notices; for unix sockets nothing, as on Linux */
	uint32_t low_water;     /* SO_RCVLOWAT: bytes of a stream that a receiver waits for */
	uint64_t stored[2];     /* those that are on or off, a bit by number */
	int32_t stamps;         /* SO_TIMESTAMP or what is like it; 0: none */
	int32_t peek_bytes;     /* SO_PEEK_OFF; negative: off */
	bool stamps_are_new;    /* which of their numbers they have */
	uint32_t stamping;      /* SO_TIMESTAMPING's flags */
	/* only remembered */
	int32_t priority, mark, busy_poll_us, cpu, interface, send_clock;
	uint32_t send_time_flags, buffer_lock;
	uint64_t pacing_rate;
	uint64_t send_timeout_ns, receive_timeout_ns; /* 0: none */
	struct abi_linger linger;
};
struct socket_options *socket_options(struct object *socket);

static inline bool socket_option_is_on(const struct socket_options *options, unsigned option)
{
	return read_once(&options->stored[option / 64]) >> option % 64 & 1;
}
void socket_option_switch(struct socket_options *options, unsigned option, bool on);
/* ---- filters of what it receives (SO_ATTACH_FILTER) ---- */

/* Room for a program of so many instructions, with one reference. NULL: no memory. */
struct socket_filter *socket_filter_create(unsigned count);
void socket_filter_put(struct socket_filter *filter); /* takes NULL; not under a spinlock */
struct abi_filter_instruction *socket_filter_instructions(struct socket_filter *filter,
							  unsigned *count);
/* In the place of the one that it has; consumes the reference. -EINVAL: it is no program; -EPERM:
 * its filter is locked; -ENOMEM. */
err_t must_check socket_attach_filter(struct object *socket, struct socket_filter *filter);
/* -ENOENT, -EPERM. */
err_t must_check socket_detach_filter(struct object *socket);
/* Its filter stays what it is, for good. -EPERM: it is to be unlocked. */
err_t must_check socket_lock_filter(struct object *socket, bool on);
bool socket_filter_is_locked(const struct object *socket);
/* With a reference; NULL: it has none. */
struct socket_filter *socket_filter_get(struct object *socket);

/* Bytes that were sent to it and are not received, and messages. */
size_t socket_waiting_bytes(struct object *socket);
size_t socket_sent_bytes(const struct object *socket);

/* ---- bytes ---- */

/* Sends. `message->rights` are the other end's afterwards (NULL then), or on an error still the
 * caller's. Of MSG_*, MSG_DONTWAIT and MSG_OOB count. -EOPNOTSUPP: only bytes can be urgent;
 * -EPIPE, -ECONNREFUSED, -ENOTCONN, -EMSGSIZE, -EAGAIN, -EINTR, -ENOMEM, -EFAULT, -EPERM;
 * -ETOOMANYREFS: too many objects are on their way; -ENOBUFS: too many bytes of the user's are. */
ssize_t must_check socket_send(struct object *socket, struct buffer *buffer, unsigned flags,
			       struct socket_message *message);
/* Receives; *message is filled, its rights, name and process are the caller's. MSG_PEEK,
 * MSG_WAITALL, MSG_DONTWAIT, MSG_OOB count. 0: the end. -ECONNRESET, -ENOTCONN, -EINVAL, -EAGAIN,
 * -EINTR, -EFAULT, -ENOMEM. */
ssize_t must_check socket_receive(struct object *socket, struct buffer *buffer, unsigned flags,
				  struct socket_message *message);

/* ---- notices ---- */

/* A message of the kernel's own for later, so that there is memory for it then. It counts as sent
 * and not received at `socket`, not of AF_UNIX, from now on. The bytes are its maker's until it is
 * sent. -EAGAIN: more of that than SO_RCVBUF waits; -ENOMEM, also for too much of the user's. */
err_t must_check socket_notice_alloc(struct object *socket, size_t len_bytes, struct message **out);
/* Until there is room, or the socket has ended: gives back the caller's reference first. -EINTR. */
err_t must_check socket_notice_wait(struct object *socket);
char *socket_notice_bytes(struct message *notice);
void socket_notice_free(struct message *notice); /* takes NULL */
/* To be received there; consumes it. */
void socket_notice_send(struct object *socket, struct message *notice);

/* ---- for /proc/net/unix ---- */

struct socket_info {
	uint32_t references;
	unsigned type, state; /* as Linux numbers them: 1 unconnected, 3 connected */
	bool listens;
	uint64_t number;
	uint64_t network;
	struct socket_name *name; /* a reference, or NULL */
};

/* The socket made next after `previous` (NULL: the first), whose reference is consumed; with a
 * reference, or NULL. */
struct socket *socket_next(struct socket *previous, struct socket_info *out);

#endif
