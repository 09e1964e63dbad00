/*
 * System calls on sockets. What they do is in ipc/socket/; here is what stands beside the bytes:
 * names, which ends of a pair have none of, and control messages. Owns no state.
 */
#include "process/uthread.h"
#include "signal/signal.h"
#include "sys_fd.h"
#include "sys_rw.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <arch/user.h>
#include <ipc/fdtable.h>
#include <ipc/socket.h>
#include <lib/string.h>
#include <mm/slab.h>

#define CONTROL_BYTES_MAX 4096 /* of one message; what is served needs less */

/* A reference. -EBADF, -ENOTSOCK. */
static err_t socket_get(int fd, struct object **out)
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

static struct abi_ucred own_credentials(void)
{
	const struct uthread *self = uthread_current();

	return (struct abi_ucred){
		.pid = self->process->pid, .uid = self->ids.uid, .gid = self->ids.gid};
}

/* ---- making one ---- */

int sys_socketpair(int family, int type, int protocol, uptr_t fds)
{
	unsigned flags = (unsigned)type & ~(unsigned)SOCK_TYPE_MASK;
	struct abi_ucred owner = own_credentials();
	struct object *ends[2];
	err_t err;

	type &= SOCK_TYPE_MASK;
	if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	if (family != AF_UNIX)
		return -EAFNOSUPPORT;
	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (type == SOCK_RAW)
		type = SOCK_DGRAM;
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	err = socket_pair_create((unsigned)type, flags & O_NONBLOCK, &owner, ends);
	if (err)
		return err;
	return fd_add_two(ends, flags & O_CLOEXEC, fds);
}

/* ---- control messages that are sent ---- */

static err_t read_rights(const int *fds, size_t len_bytes, struct socket_message *message)
{
	unsigned count = (unsigned)(len_bytes / sizeof(*fds));

	if (!message->rights) {
		message->rights = kzalloc(sizeof(*message->rights));
		if (!message->rights)
			return -ENOMEM;
	}
	if (count > SCM_MAX_FD - message->rights->count)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++) {
		struct object *object = fd_get(current_fds(), fds[i]);

		if (!object)
			return -EBADF;
		message->rights->objects[message->rights->count++] = object;
		if (object_is_socket(object))
			return -ETOOMANYREFS; /* see ipc/socket.h */
	}
	return 0;
}

/* Only the administrator may say that it is somebody else. */
static err_t read_credentials(const struct abi_ucred *said, struct socket_message *message)
{
	const struct uthread *self = uthread_current();
	const struct credentials *ids = &self->ids;

	if (ids->euid != 0) {
		if (said->pid != self->process->pid)
			return -EPERM;
		if (said->uid != ids->uid && said->uid != ids->euid && said->uid != ids->suid)
			return -EPERM;
		if (said->gid != ids->gid && said->gid != ids->egid && said->gid != ids->sgid)
			return -EPERM;
	}
	message->from = *said;
	return 0;
}

static err_t read_control(const char *control, size_t len_bytes, struct socket_message *message)
{
	struct abi_cmsghdr header;
	err_t err = 0;

	for (size_t at = 0; !err && at + sizeof(header) <= len_bytes;
	     at += ALIGN_UP(header.len_bytes, 8)) {
		const void *data = control + at + sizeof(header);
		size_t data_bytes;

		memcpy(&header, control + at, sizeof(header));
		if (header.len_bytes < sizeof(header) || header.len_bytes > len_bytes - at)
			return -EINVAL;
		data_bytes = header.len_bytes - sizeof(header);
		if (header.level != SOL_SOCKET)
			continue;
		if (header.type == SCM_RIGHTS)
			err = read_rights(data, data_bytes, message);
		else if (header.type == SCM_CREDENTIALS && data_bytes == sizeof(struct abi_ucred))
			err = read_credentials(data, message);
		else
			err = -EINVAL;
	}
	return err;
}

static err_t take_control(const struct abi_msghdr *header, struct socket_message *message)
{
	char *control;
	err_t err;

	if (!header->control || !header->control_bytes)
		return 0;
	if (header->control_bytes > CONTROL_BYTES_MAX)
		return -ENOBUFS;
	control = kmalloc(header->control_bytes);
	if (!control)
		return -ENOMEM;
	err = user_copy_in(control, uptr(header->control), header->control_bytes);
	if (!err)
		err = read_control(control, header->control_bytes, message);
	kfree(control);
	return err;
}

/* ---- sending ---- */

/* Nobody has a name yet that a message could go to. */
static err_t check_name(const struct object *socket, bool named)
{
	if (!named || socket_type(socket) == SOCK_SEQPACKET)
		return 0;
	return socket_type(socket) == SOCK_STREAM ? -EISCONN : -ECONNREFUSED;
}

static ssize_t send(struct object *socket, struct buffer *buffer, unsigned flags, bool named,
		    struct socket_message *message)
{
	ssize_t result = check_name(socket, named);

	if (!result && flags & MSG_OOB)
		result = -EOPNOTSUPP;
	if (!result)
		result = socket_send(socket, buffer, flags, message);
	if (result == -EPIPE && socket_type(socket) == SOCK_STREAM && !(flags & MSG_NOSIGNAL))
		return write_result(result);
	return result;
}

ssize_t sys_sendto(int fd, uptr_t data, size_t len, unsigned flags, uptr_t name,
		   UNUSED unsigned name_bytes)
{
	struct socket_message message = {.from = own_credentials()};
	struct object *socket;
	struct buffer buffer;
	ssize_t result;

	if (buffer_init_user(&buffer, data, len))
		return -EFAULT;
	result = socket_get(fd, &socket);
	if (result)
		return result;
	result = send(socket, &buffer, flags, !uptr_is_null(name), &message);
	object_put(socket);
	return result;
}

ssize_t sys_sendmsg(int fd, uptr_t header, unsigned flags)
{
	struct socket_message message = {.from = own_credentials()};
	struct abi_msghdr given;
	struct pieces pieces;
	struct object *socket;
	struct buffer buffer;
	ssize_t result;

	if (user_get(&given, header))
		return -EFAULT;
	if (given.npieces > IOV_MAX)
		return -EMSGSIZE;
	result = socket_get(fd, &socket);
	if (result)
		return result;
	result = pieces_get(&pieces, uptr(given.pieces), (int)given.npieces, &buffer);
	if (!result) {
		result = take_control(&given, &message);
		if (!result)
			result = send(socket, &buffer, flags, given.name && given.name_bytes,
				      &message);
		pieces_put(&pieces);
	}
	socket_rights_put(message.rights);
	object_put(socket);
	return result;
}

/* ---- control messages that are received ---- */

/* Where the program has room for them. */
struct control_writer {
	uptr_t to;
	size_t room_bytes;
	size_t used_bytes;
	unsigned flags; /* MSG_CTRUNC: it was too little */
};

static void put_credentials(struct control_writer *writer, const struct abi_ucred *from)
{
	const struct {
		struct abi_cmsghdr header;
		struct abi_ucred from;
	} record = {{sizeof(record.header) + sizeof(*from), SOL_SOCKET, SCM_CREDENTIALS}, *from};

	if (writer->room_bytes - writer->used_bytes < record.header.len_bytes ||
	    user_copy_out(uptr_add(writer->to, writer->used_bytes), &record,
			  record.header.len_bytes)) {
		writer->flags |= MSG_CTRUNC;
		return;
	}
	writer->used_bytes +=
		MIN(ALIGN_UP(record.header.len_bytes, 8), writer->room_bytes - writer->used_bytes);
}

/* A descriptor for one of them, whose number the program learns before it is there. */
static err_t put_right(uptr_t to, struct object *object, unsigned fd_flags)
{
	int fd;
	err_t err = fd_reserve(current_fds(), 0, fd_flags, &fd);

	if (err)
		return err;
	if (user_put(to, &fd)) {
		fd_unreserve(current_fds(), fd);
		return -EFAULT;
	}
	fd_install(current_fds(), fd, object_get(object));
	return 0;
}

static void put_rights(struct control_writer *writer, const struct socket_rights *rights,
		       unsigned fd_flags)
{
	struct abi_cmsghdr header = {.level = SOL_SOCKET, .type = SCM_RIGHTS};
	uptr_t at = uptr_add(writer->to, writer->used_bytes);
	size_t room_bytes = writer->room_bytes - writer->used_bytes;
	size_t room = room_bytes < sizeof(header) ? 0 : (room_bytes - sizeof(header)) / sizeof(int);
	unsigned count = 0;

	while (count < MIN(room, (size_t)rights->count) &&
	       !put_right(uptr_add(at, sizeof(header) + count * sizeof(int)),
			  rights->objects[count], fd_flags))
		count++;
	if (count < rights->count)
		writer->flags |= MSG_CTRUNC;
	if (!count)
		return;
	header.len_bytes = sizeof(header) + count * sizeof(int);
	if (user_put(at, &header))
		writer->flags |= MSG_CTRUNC;
	else
		writer->used_bytes += MIN(ALIGN_UP(header.len_bytes, 8), room_bytes);
}

/* ---- receiving ---- */

static ssize_t receive(struct object *socket, struct buffer *buffer, unsigned flags,
		       struct socket_message *message)
{
	*message = (struct socket_message){.rights = NULL};
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	return socket_receive(socket, buffer, flags, message);
}

/* The whole length where a message was cut and that is asked for. */
static ssize_t told_length(ssize_t result, unsigned flags, const struct socket_message *message)
{
	return result >= 0 && flags & MSG_TRUNC ? result + (ssize_t)message->cut_bytes : result;
}

ssize_t sys_recvfrom(int fd, uptr_t buf, size_t len, unsigned flags, uptr_t name, uptr_t name_bytes)
{
	const uint32_t none = 0;
	struct socket_message message;
	struct object *socket;
	struct buffer buffer;
	ssize_t result;

	if (buffer_init_user(&buffer, buf, len))
		return -EFAULT;
	result = socket_get(fd, &socket);
	if (result)
		return result;
	result = receive(socket, &buffer, flags, &message);
	socket_rights_put(message.rights);
	object_put(socket);
	if (result >= 0 && !uptr_is_null(name) && user_put(name_bytes, &none))
		return -EFAULT;
	return told_length(result, flags, &message);
}

static err_t put_header(uptr_t to, struct abi_msghdr *header, const struct control_writer *writer)
{
	header->name_bytes = 0;
	header->control_bytes = writer->used_bytes;
	header->flags = writer->flags;
	return user_put(to, header);
}

static ssize_t receive_message(struct object *socket, uptr_t to, struct abi_msghdr *header,
			       struct buffer *buffer, unsigned flags)
{
	struct control_writer writer = {.to = uptr(header->control),
					.room_bytes = header->control ? header->control_bytes : 0,
					.flags = flags & MSG_CMSG_CLOEXEC};
	struct socket_message message;
	ssize_t result = receive(socket, buffer, flags, &message);

	if (result >= 0) {
		if (message.cut_bytes)
			writer.flags |= MSG_TRUNC;
		if (socket_pass_credentials(socket))
			put_credentials(&writer, &message.from);
		if (message.rights)
			put_rights(&writer, message.rights,
				   flags & MSG_CMSG_CLOEXEC ? O_CLOEXEC : 0);
		if (put_header(to, header, &writer))
			result = -EFAULT;
	}
	socket_rights_put(message.rights);
	return told_length(result, flags, &message);
}

ssize_t sys_recvmsg(int fd, uptr_t header, unsigned flags)
{
	struct abi_msghdr given;
	struct pieces pieces;
	struct object *socket;
	struct buffer buffer;
	ssize_t result;

	if (user_get(&given, header))
		return -EFAULT;
	if (given.npieces > IOV_MAX)
		return -EMSGSIZE;
	result = socket_get(fd, &socket);
	if (result)
		return result;
	result = pieces_get(&pieces, uptr(given.pieces), (int)given.npieces, &buffer);
	if (!result) {
		result = receive_message(socket, header, &given, &buffer, flags);
		pieces_put(&pieces);
	}
	object_put(socket);
	return result;
}

/* ---- the rest ---- */

int sys_shutdown(int fd, int direction)
{
	struct object *socket;
	err_t err = socket_get(fd, &socket);

	if (err)
		return err;
	err = socket_shutdown(socket, direction);
	object_put(socket);
	return err;
}

/* As much of a value as the program has room for. */
static err_t put_value(uptr_t to, uptr_t len_bytes, const void *value, size_t value_bytes)
{
	int32_t room;

	if (user_get(&room, len_bytes))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	room = (int32_t)MIN((size_t)room, value_bytes);
	if (user_copy_out(to, value, (size_t)room))
		return -EFAULT;
	return user_put(len_bytes, &room);
}

static err_t get_number_option(struct object *socket, int option, int *value)
{
	switch (option) {
	case SO_TYPE:
		*value = (int)socket_type(socket);
		return 0;
	case SO_ERROR:
		*value = -socket_take_error(socket);
		return 0;
	case SO_PASSCRED:
		*value = socket_pass_credentials(socket);
		return 0;
	case SO_DOMAIN:
		*value = AF_UNIX;
		return 0;
	case SO_ACCEPTCONN:
	case SO_PROTOCOL:
		*value = 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int sys_getsockopt(int fd, int level, int option, uptr_t value, uptr_t value_bytes)
{
	struct abi_ucred peer;
	struct object *socket;
	int number;
	err_t err = socket_get(fd, &socket);

	if (err)
		return err;
	if (level == SOL_SOCKET && option == SO_PEERCRED) {
		peer = socket_peer(socket);
		err = put_value(value, value_bytes, &peer, sizeof(peer));
	} else {
		err = level == SOL_SOCKET ? get_number_option(socket, option, &number)
					  : -EOPNOTSUPP;
		if (!err)
			err = put_value(value, value_bytes, &number, sizeof(number));
	}
	object_put(socket);
	return err;
}

int sys_setsockopt(int fd, int level, int option, uptr_t value, unsigned value_bytes)
{
	struct object *socket;
	int number;
	err_t err = socket_get(fd, &socket);

	if (err)
		return err;
	if (level != SOL_SOCKET)
		err = -EOPNOTSUPP;
	else if (option != SO_PASSCRED)
		err = -ENOPROTOOPT;
	else if (value_bytes < sizeof(number))
		err = -EINVAL;
	else if (user_get(&number, value))
		err = -EFAULT;
	else
		socket_set_pass_credentials(socket, number);
	object_put(socket);
	return err;
}

/* Of one that has no name: its family. */
static int get_name(int fd, uptr_t name, uptr_t name_bytes)
{
	const uint16_t family = AF_UNIX;
	struct object *socket;
	err_t err = socket_get(fd, &socket);

	if (err)
		return err;
	object_put(socket);
	return put_value(name, name_bytes, &family, sizeof(family));
}

int sys_getsockname(int fd, uptr_t name, uptr_t name_bytes)
{
	return get_name(fd, name, name_bytes);
}

int sys_getpeername(int fd, uptr_t name, uptr_t name_bytes)
{
	return get_name(fd, name, name_bytes);
}
