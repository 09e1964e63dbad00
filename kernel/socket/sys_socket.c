/*
 * System calls that make sockets, name them and connect them. What they do is in ipc/socket/; here
 * programs' arguments are looked at, and names are looked up in the file tree. Owns no state.
 */
#include "socket.h"

#include "../process/uthread.h"
#include "../sys_fd.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <ipc/fdtable.h>

err_t socket_of_fd(int fd, struct object **out)
{
	struct object *object = fd_get(current_fds(), fd);

	if (!object || object_flags(object) & O_PATH) {
		object_put(object);
		return -EBADF;
	}
	if (!object_is_socket(object)) {
		object_put(object);
		return -ENOTSOCK;
	}
	*out = object;
	return 0;
}

struct abi_ucred socket_caller(bool effective)
{
	const struct uthread *self;

	if (!process_current())
		return (struct abi_ucred){0};
	self = uthread_current();
	return (struct abi_ucred){.pid = self->process->pid,
				  .uid = effective ? self->ids.euid : self->ids.uid,
				  .gid = effective ? self->ids.egid : self->ids.gid};
}

struct socket_identity socket_caller_identity(void)
{
	struct socket_identity identity = {.id = socket_caller(true)};

	if (process_current()) {
		identity.process = process_current();
		identity.groups = uthread_current()->fs.groups;
		socket_identity_get(&identity);
	}
	return identity;
}

void socket_identity_get(const struct socket_identity *identity)
{
	socket_process_get(identity->process);
	(void)groups_get(identity->groups);
}

void socket_identity_put(const struct socket_identity *identity)
{
	socket_process_put(identity->process);
	groups_put(identity->groups);
}

struct process *socket_caller_process(void)
{
	socket_process_get(process_current());
	return process_current();
}

void socket_process_get(struct process *process)
{
	if (process)
		refcount_get(&process->references);
}

void socket_process_put(struct process *process)
{
	process_put(process);
}

void socket_call_stays_interrupted(void)
{
	if (process_current())
		uthread_current()->restart.kind = RESTART_NEVER;
}

/* ---- making them ---- */

/* Of a kernel without networks: one that nobody sends to but mq_notify. */
static err_t check_netlink(int protocol, int *type)
{
	if (*type != SOCK_RAW && *type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	*type = SOCK_DGRAM;
	return protocol ? -EPROTONOSUPPORT : 0;
}

/* What socket() and socketpair() are told; *type is one of those that there are afterwards, *flags
 * O_CLOEXEC and O_NONBLOCK. */
static err_t check_kind(int family, int protocol, int *type, unsigned *flags)
{
	*flags = (unsigned)*type & ~(unsigned)SOCK_TYPE_MASK;
	*type &= SOCK_TYPE_MASK;
	if (*flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	if (family < 0 || family >= AF_MAX)
		return -EAFNOSUPPORT;
	if (*type >= SOCK_TYPES)
		return -EINVAL;
	if (family == AF_NETLINK)
		return check_netlink(protocol, type);
	if (family != AF_UNIX)
		return -EAFNOSUPPORT;
	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (*type == SOCK_RAW)
		*type = SOCK_DGRAM;
	if (*type != SOCK_STREAM && *type != SOCK_DGRAM && *type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	return 0;
}

int sys_socket(int family, int type, int protocol)
{
	struct object *socket;
	unsigned flags;
	err_t err = check_kind(family, protocol, &type, &flags);

	if (!err)
		err = socket_create((unsigned)family, (unsigned)type, flags & O_NONBLOCK, &socket);
	return err ? err : fd_add(current_fds(), socket, flags & O_CLOEXEC);
}

int sys_socketpair(int family, int type, int protocol, uptr_t fds)
{
	struct object *ends[2];
	unsigned flags;
	err_t err = check_kind(family, protocol, &type, &flags);

	if (!err && family != AF_UNIX)
		err = -EOPNOTSUPP;
	if (!err)
		err = socket_pair_create((unsigned)type, flags & O_NONBLOCK, ends);
	return err ? err : fd_add_two(ends, flags & O_CLOEXEC, fds);
}

/* ---- names ---- */

/* Makes the file and gives the socket its name; on an error the file goes again. */
static err_t bind_file(struct object *socket, const char *path, struct socket_name *name)
{
	const struct vfs_context *context = uthread_fs();
	struct object *place;
	struct path at;
	err_t err;

	if (socket_is_bound(socket))
		return -EINVAL;
	err = vfs_make_socket(context, path, 0777, &place);
	if (err)
		return err == -EEXIST ? -EADDRINUSE : err;
	at = file_path(place);
	err = socket_bind(socket, name, place, path_identity(&at));
	if (err) {
		(void)!vfs_unlink(context, NULL, path, 0);
		object_put(place);
	}
	return err;
}

static err_t bind_to(struct object *socket, const struct address *address)
{
	struct socket_name *name;
	err_t err;

	if (address_is_empty(address))
		return socket_autobind(socket);
	err = address_name(address, &name);
	if (err)
		return err;
	if (address->un.path[0])
		err = bind_file(socket, address->bytes + sizeof(address->family), name);
	else
		err = socket_bind(socket, name, NULL, NULL);
	if (err)
		socket_name_put(name);
	return err;
}

/* The call on socket `fd` with the address that the program gives. */
static err_t with_address(int fd, uptr_t name, int name_bytes,
			  err_t (*call)(struct object *socket, const struct address *address))
{
	struct address address;
	struct object *socket;
	err_t err = socket_of_fd(fd, &socket);

	if (err)
		return err;
	err = address_get(name, name_bytes, &address);
	if (!err && socket_family(socket) != AF_UNIX)
		err = -EOPNOTSUPP;
	if (!err)
		err = call(socket, &address);
	object_put(socket);
	return err;
}

int sys_bind(int fd, uptr_t name, int name_bytes)
{
	return with_address(fd, name, name_bytes, bind_to);
}

int sys_getsockname(int fd, uptr_t name, uptr_t name_bytes)
{
	struct object *socket;
	err_t err = socket_of_fd(fd, &socket);

	if (err)
		return err;
	err = address_put(socket_family(socket), socket_own_name(socket), name, name_bytes);
	object_put(socket);
	return err;
}

int sys_getpeername(int fd, uptr_t name, uptr_t name_bytes)
{
	struct socket_name *peer;
	struct object *socket;
	err_t err = socket_of_fd(fd, &socket);

	if (err)
		return err;
	err = socket_peer_name(socket, &peer);
	if (!err)
		err = address_put(socket_family(socket), peer, name, name_bytes);
	object_put(socket);
	return err;
}

/* ---- connections ---- */

int sys_listen(int fd, int backlog)
{
	struct object *socket;
	err_t err = socket_of_fd(fd, &socket);

	if (err)
		return err;
	err = socket_listen(socket, (unsigned)backlog);
	object_put(socket);
	return err;
}

static err_t connect_to(struct object *socket, const struct address *address)
{
	struct socket *to;
	err_t err;

	if (address->len_bytes < sizeof(address->family))
		return -EINVAL;
	if (address->family == AF_UNSPEC)
		return socket_connect(socket, NULL);
	err = address_find(socket, address, &to);
	if (err)
		return err;
	if (socket_pass_credentials(socket))
		err = socket_autobind(socket); /* so that the answer can be sent */
	if (!err)
		err = socket_connect(socket, to);
	socket_put(to);
	return err;
}

int sys_connect(int fd, uptr_t name, int name_bytes)
{
	return with_address(fd, name, name_bytes, connect_to);
}

/* Whose name, if somebody wants it, is told. */
static err_t accept_named(struct object *socket, unsigned flags, uptr_t name, uptr_t name_bytes,
			  struct object **out)
{
	struct socket_name *peer;
	err_t err = socket_accept(socket, flags, out);

	if (err || uptr_is_null(name))
		return err;
	err = socket_peer_name(*out, &peer);
	if (!err)
		err = address_put(AF_UNIX, peer, name, name_bytes);
	if (err)
		object_put(*out);
	return err;
}

int sys_accept4(int fd, uptr_t name, uptr_t name_bytes, unsigned flags)
{
	struct object *accepted;
	struct object *socket;
	int accepted_fd;
	err_t err;

	if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = socket_of_fd(fd, &socket);
	if (err)
		return err;
	err = fd_reserve(current_fds(), 0, flags & O_CLOEXEC, &accepted_fd);
	if (err)
		goto put_socket;
	err = accept_named(socket, flags & O_NONBLOCK, name, name_bytes, &accepted);
	if (err)
		fd_unreserve(current_fds(), accepted_fd);
	else
		fd_install(current_fds(), accepted_fd, accepted);
put_socket:
	object_put(socket);
	return err ? err : accepted_fd;
}

int sys_accept(int fd, uptr_t name, uptr_t name_bytes)
{
	return sys_accept4(fd, name, name_bytes, 0);
}

int sys_shutdown(int fd, int direction)
{
	struct object *socket;
	err_t err = socket_of_fd(fd, &socket);

	if (err)
		return err;
	err = socket_shutdown(socket, direction);
	object_put(socket);
	return err;
}
