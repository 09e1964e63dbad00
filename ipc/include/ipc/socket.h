/*
 * Pairs of unix sockets: bytes (SOCK_STREAM) or messages (SOCK_DGRAM, SOCK_SEQPACKET) between two
 * ends, and with them who sent them and references to objects.
 *
 * No unix socket can be sent through one: a socket that is on its way through itself could never
 * end, and without that nobody has to look for such.
 */
#ifndef IPC_SOCKET_H
#define IPC_SOCKET_H

#include <abi/socket.h>
#include <ipc/object.h>

/* References to objects on their way. */
struct socket_rights {
	unsigned count;
	struct object *objects[SCM_MAX_FD];
};

/* Takes NULL. Sleeps. */
void socket_rights_put(struct socket_rights *rights);

/* Beside the bytes. */
struct socket_message {
	struct abi_ucred from;
	struct socket_rights *rights; /* NULL: none */
	size_t cut_bytes;             /* received: what the message had beyond the buffer */
};

/* Two objects, one reference each for the caller. `type`: SOCK_*; `flags`: O_NONBLOCK or 0;
 * `owner`: of both, for SO_PEERCRED. -ENOMEM. */
err_t must_check socket_pair_create(unsigned type, unsigned flags, const struct abi_ucred *owner,
				    struct object *out[2]);
bool object_is_socket(const struct object *object);
unsigned socket_type(const struct object *socket);
struct abi_ucred socket_peer(const struct object *socket);
/* The error that waits to be told, which is gone then; 0: none. */
err_t socket_take_error(struct object *socket);
/* SO_PASSCRED: receivers want to know who sent. */
void socket_set_pass_credentials(struct object *socket, bool on);
bool socket_pass_credentials(const struct object *socket);

/* Sends. `message->rights`, which may hold no socket, are the other end's afterwards (NULL then),
 * or on an error still the caller's. Of MSG_*, MSG_DONTWAIT counts. -EPIPE, -ECONNREFUSED,
 * -EMSGSIZE, -EAGAIN, -EINTR, -ENOMEM, -EFAULT. */
ssize_t must_check socket_send(struct object *socket, struct buffer *buffer, unsigned flags,
			       struct socket_message *message);
/* Receives; *message is filled, its rights are the caller's. MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT
 * count. 0: the end. -ECONNRESET, -EAGAIN, -EINTR, -EFAULT, -ENOMEM. */
ssize_t must_check socket_receive(struct object *socket, struct buffer *buffer, unsigned flags,
				  struct socket_message *message);
/* SHUT_*. -EINVAL. */
err_t must_check socket_shutdown(struct object *socket, int how);

#endif
