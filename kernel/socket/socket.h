/*
 * What the system calls on sockets share: addresses as programs write them, and messages with what
 * stands beside the bytes.
 */
#ifndef KERNEL_SOCKET_SOCKET_H
#define KERNEL_SOCKET_SOCKET_H

#include <ipc/socket.h>

/* A reference. -EBADF, -ENOTSOCK. */
err_t must_check socket_of_fd(int fd, struct object **out);

/* ---- addresses (address.c) ---- */

struct address {
	size_t len_bytes;
	union {
		uint16_t family;
		struct abi_sockaddr_un un;
		char bytes[SOCKADDR_BYTES_MAX + 1]; /* a NUL behind the longest */
	};
};

/* -EINVAL: no length that any family has; -EFAULT. */
err_t must_check address_get(uptr_t from, int len_bytes, struct address *out);
/* The name that is said. -EINVAL: it is none of a unix socket; -ENOMEM. */
err_t must_check address_name(const struct address *address, struct socket_name **out);
/* Only its family is there: bind() shall find a name itself. */
bool address_is_empty(const struct address *address);
/* Who has it, with a reference. -ECONNREFUSED, or what says that the name leads nowhere. */
err_t must_check address_find(const struct object *socket, const struct address *address,
			      struct socket **out);
/* Gives `name` (NULL: none) an address's bytes, cut to `room_bytes`; *len_bytes is the whole. */
err_t must_check address_write(const struct socket_name *name, uptr_t to, size_t room_bytes,
			       uint32_t *len_bytes);
/* The same with the length at `len_bytes`, in and out. Consumes the reference to the name. -EINVAL:
 * a negative length. */
err_t must_check address_put(unsigned family, struct socket_name *name, uptr_t to,
			     uptr_t len_bytes);

/* ---- control messages (control.c) ---- */

/* What a program sends beside the bytes: fills message->from and rights. On an error too, the
 * rights are the caller's. */
err_t must_check control_get(const struct abi_msghdr *header, struct socket_message *message);

/* Where the program has room for what it receives. */
struct control_writer {
	uptr_t to;
	size_t room_bytes;
	size_t used_bytes;
	unsigned flags; /* MSG_CTRUNC: it was too little */
};

/* As the program that runs calls the two ids; UINT32_MAX, nobody, stays. */
struct abi_ucred credentials_for_program(const struct abi_ucred *from);
void control_put_credentials(struct control_writer *writer, const struct abi_ucred *from);
/* When it was sent (0: nobody knows; now), as `option`, SO_TIMESTAMP or what is like it, has it. */
void control_put_stamp(struct control_writer *writer, int option, uint64_t stamp_ns);
/* A descriptor of the process. */
void control_put_pidfd(struct control_writer *writer, struct process *process);
/* Makes descriptors; `fd_flags`: O_CLOEXEC or 0. */
void control_put_rights(struct control_writer *writer, const struct socket_rights *rights,
			unsigned fd_flags);

/* ---- times (stamps.c) ---- */

/* SO_TIMESTAMP and what is like it. */
void stamps_switch(struct socket_options *options, int option, bool on);
/* What a receiver has asked for of a message that was sent then (0: now). */
void stamps_put(struct control_writer *writer, const struct socket_options *options,
		uint64_t stamp_ns);
/* SO_TIMESTAMPING. -EINVAL, -EOPNOTSUPP. */
err_t must_check stamping_set(struct socket_options *options, int option, uint32_t kinds);
struct abi_so_timestamping stamping_get(const struct socket_options *options, int option);
/* SO_TXTIME. -EINVAL, -EFAULT, -EPERM. */
err_t must_check send_time_set(struct socket_options *options, uptr_t from, unsigned from_bytes);
struct abi_sock_txtime send_time_get(const struct socket_options *options);

/* ---- filters (filter.c) ---- */

/* SO_ATTACH_FILTER. -EINVAL, -EFAULT, -ENOMEM, -EPERM. */
err_t must_check filter_attach(struct object *socket, uptr_t value, unsigned value_bytes);
/* SO_ATTACH_REUSEPORT_CBPF: no unix socket shares its name with others, so it is always refused. */
err_t must_check filter_attach_to_group(struct object *socket, uptr_t value, unsigned value_bytes);
/* SO_GET_FILTER. -EINVAL: there is no room for it; -EFAULT. */
err_t must_check filter_get(struct object *socket, uptr_t value, uptr_t value_count);

#endif
