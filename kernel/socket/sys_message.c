/*
 * System calls that send and receive on sockets. Owns no state.
 */
#include "socket.h"

#include "../process/uthread.h"
#include "../signal/signal.h"
#include "../sys_poll.h"
#include "../sys_rw.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <ipc/object.h>

/* ---- sending ---- */

/* To whom a message with an address goes: message->to, a reference. */
static err_t find_named(struct object *socket, const struct address *address,
			struct socket_message *message)
{
	switch (socket_type(socket)) {
	case SOCK_SEQPACKET:
		return 0; /* the address means nothing */
	case SOCK_STREAM:
		return socket_peer_name(socket, &message->name) ? -EOPNOTSUPP : -EISCONN;
	default:
		return address_find(socket, address, &message->to);
	}
}

/* `address` NULL: none was given. Consumes the rights. */
static ssize_t send(struct object *socket, struct buffer *buffer, unsigned flags,
		    const struct address *address, struct socket_message *message)
{
	ssize_t result = 0;

	if (socket_family(socket) != AF_UNIX)
		result = -ECONNREFUSED; /* there is nobody to send to */
	else if (address)
		result = find_named(socket, address, message);
	if (!result && socket_type(socket) == SOCK_DGRAM && socket_pass_credentials(socket))
		result = socket_autobind(socket); /* so that the answer can be sent */
	if (!result)
		result = socket_send(socket, buffer, flags, message);
	socket_put(message->to);
	socket_name_put(message->name);
	socket_rights_put(message->rights);
	return flags & MSG_NOSIGNAL ? result : write_result(socket, result);
}

ssize_t sys_sendto(int fd, uptr_t data, size_t len, unsigned flags, uptr_t name, int name_bytes)
{
	struct socket_message message = {.from = socket_caller(false)};
	bool named = !uptr_is_null(name) && name_bytes;
	struct address address;
	struct object *socket;
	struct buffer buffer;
	ssize_t result;

	if (buffer_init_user(&buffer, data, len))
		return -EFAULT;
	result = socket_of_fd(fd, &socket);
	if (result)
		return result;
	if (named)
		result = address_get(name, name_bytes, &address);
	if (!result)
		result = send(socket, &buffer, flags, named ? &address : NULL, &message);
	object_put(socket);
	return result;
}

/* The header at `from`, the address that it names, and the pieces as a buffer. pieces_put()
 * afterwards. */
static err_t get_header(uptr_t from, struct abi_msghdr *header, struct pieces *pieces,
			struct buffer *buffer)
{
	if (user_get(header, from))
		return -EFAULT;
	if ((int32_t)header->name_bytes < 0)
		return -EINVAL;
	header->name_bytes = MIN(header->name_bytes, (uint32_t)SOCKADDR_BYTES_MAX);
	if (!header->name)
		header->name_bytes = 0;
	if (header->npieces > IOV_MAX)
		return -EMSGSIZE;
	return pieces_get(pieces, uptr(header->pieces), (int)header->npieces, buffer);
}

static ssize_t send_message(struct object *socket, uptr_t from, unsigned flags)
{
	struct socket_message message = {.from = socket_caller(false)};
	struct address address;
	struct abi_msghdr header;
	struct pieces pieces;
	struct buffer buffer;
	err_t err = get_header(from, &header, &pieces, &buffer);
	ssize_t result;

	if (err)
		return err;
	if (header.name_bytes)
		err = address_get(uptr(header.name), (int)header.name_bytes, &address);
	if (!err)
		err = control_get(&header, &message);
	if (!err) {
		result =
			send(socket, &buffer, flags, header.name_bytes ? &address : NULL, &message);
	} else {
		socket_rights_put(message.rights);
		result = err;
	}
	pieces_put(&pieces);
	return result;
}

/* The call on socket `fd` with a message's header. */
static ssize_t with_header(int fd, uptr_t header, unsigned flags,
			   ssize_t (*call)(struct object *socket, uptr_t header, unsigned flags))
{
	struct object *socket;
	ssize_t result = socket_of_fd(fd, &socket);

	if (result)
		return result;
	result = call(socket, header, flags);
	object_put(socket);
	return result;
}

ssize_t sys_sendmsg(int fd, uptr_t header, unsigned flags)
{
	return with_header(fd, header, flags, send_message);
}

static uptr_t element(uptr_t list, unsigned index)
{
	return uptr_add(list, index * sizeof(struct abi_mmsghdr));
}

static err_t put_length(uptr_t list, unsigned index, ssize_t result)
{
	const uint32_t len_bytes = (uint32_t)result;

	return user_put(uptr_add(element(list, index), offsetof(struct abi_mmsghdr, len_bytes)),
			&len_bytes);
}

int sys_sendmmsg(int fd, uptr_t headers, unsigned count, unsigned flags)
{
	struct object *socket;
	unsigned sent = 0;
	ssize_t result = socket_of_fd(fd, &socket);

	if (result)
		return (int)result;
	while (result >= 0 && sent < MIN(count, (unsigned)IOV_MAX)) {
		result = send_message(socket, element(headers, sent), flags);
		if (result >= 0)
			result = put_length(headers, sent, result);
		if (result >= 0)
			sent++;
	}
	object_put(socket);
	return sent ? (int)sent : (int)MIN(result, 0);
}

/* ---- receiving ---- */

static ssize_t receive(struct object *socket, struct buffer *buffer, unsigned flags,
		       struct socket_message *message)
{
	*message = (struct socket_message){.rights = NULL};
	return socket_receive(socket, buffer, flags, message);
}

/* The whole length where a message was cut and that is asked for. */
static ssize_t told_length(ssize_t result, unsigned flags, const struct socket_message *message)
{
	return result >= 0 && flags & MSG_TRUNC ? result + (ssize_t)message->cut_bytes : result;
}

/* recvfrom's: nobody's address has no bytes, not even a family. */
static err_t put_sender(struct socket_name *sender, uptr_t name, uptr_t name_bytes)
{
	uint32_t whole_bytes = 0;
	int32_t room_bytes;

	if (user_get(&room_bytes, name_bytes))
		return -EFAULT;
	if (room_bytes < 0)
		return -EINVAL;
	if (address_write(sender, name, (size_t)room_bytes, &whole_bytes))
		return -EFAULT;
	return user_put(name_bytes, &whole_bytes);
}

ssize_t sys_recvfrom(int fd, uptr_t buf, size_t len, unsigned flags, uptr_t name, uptr_t name_bytes)
{
	struct socket_message message;
	struct object *socket;
	struct buffer buffer;
	ssize_t result;
	err_t err;

	if (buffer_init_user(&buffer, buf, len))
		return -EFAULT;
	result = socket_of_fd(fd, &socket);
	if (result)
		return result;
	result = receive(socket, &buffer, flags, &message);
	if (result >= 0 && !uptr_is_null(name)) {
		err = put_sender(message.name, name, name_bytes);
		result = err ? err : result;
	}
	socket_rights_put(message.rights);
	socket_name_put(message.name);
	socket_process_put(message.process);
	object_put(socket);
	return told_length(result, flags, &message);
}

/* What a receiver is told beside the bytes. */
static err_t put_header(struct object *socket, uptr_t to, struct abi_msghdr *header, unsigned flags,
			const struct socket_message *message)
{
	const struct socket_options *options = socket_options(socket);
	struct control_writer writer = {.to = uptr(header->control),
					.room_bytes = header->control ? header->control_bytes : 0,
					.flags = flags & MSG_CMSG_CLOEXEC};

	if (message->cut_bytes)
		writer.flags |= MSG_TRUNC;
	if (message->urgent)
		writer.flags |= MSG_OOB;
	if (socket_type(socket) != SOCK_STREAM)
		stamps_put(&writer, options, message->stamp_ns);
	if (socket_pass_credentials(socket))
		control_put_credentials(&writer, &message->from);
	if (message->rights)
		control_put_rights(&writer, message->rights,
				   flags & MSG_CMSG_CLOEXEC ? O_CLOEXEC : 0);
	if (socket_option_is_on(options, SO_PASSPIDFD) && message->process)
		control_put_pidfd(&writer, message->process);
	if (header->name && address_write(message->name, uptr(header->name), header->name_bytes,
					  &header->name_bytes))
		return -EFAULT;
	header->control_bytes = writer.used_bytes;
	header->flags = writer.flags;
	return user_put(to, header);
}

static ssize_t receive_message(struct object *socket, uptr_t to, unsigned flags)
{
	struct socket_message message;
	struct abi_msghdr header;
	struct pieces pieces;
	struct buffer buffer;
	ssize_t result = get_header(to, &header, &pieces, &buffer);

	if (result)
		return result;
	result = receive(socket, &buffer, flags, &message);
	if (result >= 0 && put_header(socket, to, &header, flags, &message))
		result = -EFAULT;
	socket_rights_put(message.rights);
	socket_name_put(message.name);
	socket_process_put(message.process);
	pieces_put(&pieces);
	return told_length(result, flags, &message);
}

ssize_t sys_recvmsg(int fd, uptr_t header, unsigned flags)
{
	return with_header(fd, header, flags, receive_message);
}

/* Until the time has come, which is looked at after each message alone, as on Linux. */
static ssize_t receive_messages(struct object *socket, uptr_t headers, unsigned count,
				unsigned flags, uint64_t deadline_ns)
{
	unsigned received = 0;
	ssize_t result = 0;

	while (result >= 0 && received < count) {
		result = receive_message(socket, element(headers, received),
					 flags & ~MSG_WAITFORONE);
		if (result >= 0)
			result = put_length(headers, received, result);
		if (result >= 0)
			received++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (clock_ns() >= deadline_ns)
			break;
	}
	return received ? (ssize_t)received : MIN(result, 0);
}

int sys_recvmmsg(int fd, uptr_t headers, unsigned count, unsigned flags, uptr_t timeout)
{
	uint64_t deadline_ns;
	struct object *socket;
	ssize_t result;
	err_t err = poll_read_deadline(timeout, &deadline_ns);

	if (err)
		return err;
	err = socket_of_fd(fd, &socket);
	if (err)
		return err;
	result = socket_take_error(socket);
	if (!result)
		result = receive_messages(socket, headers, MIN(count, (unsigned)IOV_MAX), flags,
					  deadline_ns);
	object_put(socket);
	if (result > 0)
		poll_put_left(timeout, deadline_ns);
	return (int)result;
}
