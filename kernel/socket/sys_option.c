/*
 * Options of sockets. Owns no state: the values are the sockets'. Some are only remembered, here as
 * on Linux, since they say nothing about unix sockets.
 */
#include "socket.h"

#include "../namespace/user.h"
#include "../process/capability.h"
#include "../process/pidfd.h"
#include "../process/uthread.h"
#include "../time/clocks.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/filter.h>
#include <abi/time.h>
#include <arch/user.h>
#include <lib/string.h>

/* As Linux has them, which asks for the double of what it is told, for the sake of the heads. */
#define ASKED_BYTES_MAX        (208 * KIB)
#define SEND_BYTES_MIN         4608
#define RECEIVE_BYTES_MIN      2304
#define TIMEOUT_FOR_EVER_S_MIN (INT64_MAX / (int64_t)NSEC_PER_SEC)

#define INTERFACE_NAME_BYTES 16 /* IFNAMSIZ */
#define PRIORITY_OF_ALL_MAX  6
#define BUSY_POLL_BUDGET     8

/* On or off. */
static bool is_switch(int option)
{
	switch (option) {
	case SO_DEBUG:
	case SO_REUSEADDR:
	case SO_DONTROUTE:
	case SO_BROADCAST:
	case SO_KEEPALIVE:
	case SO_OOBINLINE:
	case SO_NO_CHECK:
	case SO_PASSSEC:
	case SO_RXQ_OVFL:
	case SO_WIFI_STATUS:
	case SO_NOFCS:
	case SO_SELECT_ERR_QUEUE:
	case SO_PREFER_BUSY_POLL:
	case SO_RCVMARK:
	case SO_PASSPIDFD:
		return true;
	default:
		return false;
	}
}

/* ---- getting ---- */

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

static err_t get_number(struct object *socket, int option, int *value)
{
	const struct socket_options *options = socket_options(socket);

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
	case SO_LOCK_FILTER:
		*value = socket_filter_is_locked(socket);
		return 0;
	case SO_DOMAIN:
		*value = (int)socket_family(socket);
		return 0;
	case SO_PROTOCOL:
		*value = 0;
		return 0;
	case SO_ACCEPTCONN:
		*value = socket_listens(socket);
		return 0;
	case SO_SNDBUF:
		*value = (int)read_once(&options->send_bytes);
		return 0;
	case SO_RCVBUF:
		*value = (int)read_once(&options->receive_bytes);
		return 0;
	case SO_RCVLOWAT:
		*value = (int)read_once(&options->low_water);
		return 0;
	case SO_SNDLOWAT:
		*value = 1;
		return 0;
	case SO_BSDCOMPAT:
	case SO_REUSEPORT:
	case SO_INCOMING_NAPI_ID:
	case SO_ZEROCOPY:
	case SO_RESERVE_MEM:
		*value = 0;
		return 0;
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_NEW:
		*value = read_once(&options->stamps) == option;
		return 0;
	case SO_PEEK_OFF:
		*value = read_once(&options->peek_bytes);
		return 0;
	case SO_PRIORITY:
		*value = read_once(&options->priority);
		return 0;
	case SO_MARK:
		*value = read_once(&options->mark);
		return 0;
	case SO_BUSY_POLL:
		*value = read_once(&options->busy_poll_us);
		return 0;
	case SO_BINDTOIFINDEX:
		*value = read_once(&options->interface);
		return 0;
	case SO_BUF_LOCK:
		*value = (int)read_once(&options->buffer_lock);
		return 0;
	case SO_BPF_EXTENSIONS:
		*value = BPF_BESIDE_END;
		return 0;
	case SO_INCOMING_CPU:
		*value = read_once(&options->cpu);
		return 0;
	default:
		if (!is_switch(option))
			return -ENOPROTOOPT;
		*value = socket_option_is_on(options, (unsigned)option);
		return 0;
	}
}

/* ---- getting: who is at the other end ---- */

static err_t get_groups(const struct vfs_groups *groups, uptr_t to, uptr_t len_bytes)
{
	int32_t room, needed = (int32_t)((groups ? groups->count : 0) * sizeof(uint32_t));

	if (user_get(&room, len_bytes))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (user_put(len_bytes, &needed))
		return -EFAULT;
	if (room < needed)
		return -ERANGE;
	return groups ? groups_put_to_program(groups, to) : 0;
}

static err_t get_pidfd(struct process *process, uptr_t to, uptr_t len_bytes)
{
	struct pidfd_new prepared;
	err_t err = pidfd_prepare(process, 0, &prepared);

	if (err)
		return err;
	err = put_value(to, len_bytes, &prepared.fd, sizeof(prepared.fd));
	if (err)
		pidfd_cancel(&prepared);
	else
		pidfd_install(&prepared);
	return err;
}

static err_t get_peer(struct object *socket, int option, uptr_t value, uptr_t value_bytes)
{
	struct socket_identity peer = socket_peer(socket);
	err_t err;

	peer.id = credentials_for_program(&peer.id);
	if (option == SO_PEERCRED)
		err = put_value(value, value_bytes, &peer.id, sizeof(peer.id));
	else if (!peer.process)
		err = -ENODATA;
	else if (option == SO_PEERPIDFD)
		err = get_pidfd(peer.process, value, value_bytes);
	else
		err = get_groups(peer.groups, value, value_bytes);
	socket_identity_put(&peer);
	return err;
}

static err_t get_cookie(struct object *socket, uptr_t value, uptr_t value_bytes)
{
	uint64_t number = socket_number(socket);
	int32_t room;

	if (user_get(&room, value_bytes))
		return -EFAULT;
	return room < (int32_t)sizeof(number)
		       ? -EINVAL
		       : put_value(value, value_bytes, &number, sizeof(number));
}

static err_t get_network(const struct object *socket, uptr_t value, uptr_t value_bytes)
{
	const uint64_t number = socket_network(socket);
	int32_t room;

	if (user_get(&room, value_bytes))
		return -EFAULT;
	return room != sizeof(number) ? -EINVAL
				      : put_value(value, value_bytes, &number, sizeof(number));
}

/* As many bytes as there is room for, an int at least. */
static err_t get_pacing_rate(const struct socket_options *options, uptr_t value, uptr_t value_bytes)
{
	uint64_t rate = read_once(&options->pacing_rate);
	uint32_t cut = (uint32_t)MIN(rate, (uint64_t)UINT32_MAX);
	int32_t room;

	if (user_get(&room, value_bytes))
		return -EFAULT;
	return room >= (int32_t)sizeof(rate) ? put_value(value, value_bytes, &rate, sizeof(rate))
					     : put_value(value, value_bytes, &cut, sizeof(cut));
}

static err_t get_peer_name(const struct object *socket, uptr_t value, uptr_t value_bytes)
{
	char address[SOCKET_ADDRESS_BYTES_MAX];
	const uint16_t family = AF_UNIX;
	struct socket_name *name;
	size_t len_bytes;
	int32_t room;

	if (user_get(&room, value_bytes))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (socket_peer_name(socket, &name))
		return -ENOTCONN;
	len_bytes = sizeof(family); /* of one without a name */
	memcpy(address, &family, sizeof(family));
	if (name)
		len_bytes = socket_name_address(name, address);
	socket_name_put(name);
	if (len_bytes < (size_t)room)
		return -EINVAL;
	return put_value(value, value_bytes, address, (size_t)room);
}

static err_t get_memory(struct object *socket, uptr_t value, uptr_t value_bytes)
{
	const struct socket_options *options = socket_options(socket);
	const uint32_t info[MEMINFO_COUNT] = {
		[MEMINFO_RECEIVED] = (uint32_t)socket_waiting_bytes(socket),
		[MEMINFO_RECEIVE_MAX] = read_once(&options->receive_bytes),
		[MEMINFO_SENT] = (uint32_t)socket_sent_bytes(socket),
		[MEMINFO_SEND_MAX] = read_once(&options->send_bytes),
	};

	return put_value(value, value_bytes, info, sizeof(info));
}

/* ---- getting: all ---- */

static err_t get_option(struct object *socket, int option, uptr_t value, uptr_t value_bytes)
{
	const struct socket_options *options = socket_options(socket);
	struct abi_so_timestamping stamping;
	struct abi_sock_txtime send_time;
	struct abi_timeval time;
	int number;
	err_t err;

	switch (option) {
	case SO_PEERCRED:
	case SO_PEERPIDFD:
	case SO_PEERGROUPS:
		return get_peer(socket, option, value, value_bytes);
	case SO_TIMESTAMPING:
	case SO_TIMESTAMPING_NEW:
		stamping = stamping_get(options, option);
		return put_value(value, value_bytes, &stamping, sizeof(stamping));
	case SO_TXTIME:
		send_time = send_time_get(options);
		return put_value(value, value_bytes, &send_time, sizeof(send_time));
	case SO_NETNS_COOKIE:
		return get_network(socket, value, value_bytes);
	case SO_MAX_PACING_RATE:
		return get_pacing_rate(options, value, value_bytes);
	case SO_PEERNAME:
		return get_peer_name(socket, value, value_bytes);
	case SO_GET_FILTER:
		return filter_get(socket, value, value_bytes);
	case SO_COOKIE:
		return get_cookie(socket, value, value_bytes);
	case SO_MEMINFO:
		return get_memory(socket, value, value_bytes);
	case SO_BINDTODEVICE:
		return read_once(&options->interface) ? -ENODEV /* it is not there */
						      : put_value(value, value_bytes, "", 0);
	case SO_LINGER:
		return put_value(value, value_bytes, &options->linger, sizeof(options->linger));
	case SO_RCVTIMEO:
	case SO_RCVTIMEO_NEW:
		time = timeval_of_ns(read_once(&options->receive_timeout_ns));
		return put_value(value, value_bytes, &time, sizeof(time));
	case SO_SNDTIMEO:
	case SO_SNDTIMEO_NEW:
		time = timeval_of_ns(read_once(&options->send_timeout_ns));
		return put_value(value, value_bytes, &time, sizeof(time));
	default:
		err = get_number(socket, option, &number);
		return err ? err : put_value(value, value_bytes, &number, sizeof(number));
	}
}

int sys_getsockopt(int fd, int level, int option, uptr_t value, uptr_t value_bytes)
{
	struct object *socket;
	err_t err = socket_of_fd(fd, &socket);

	if (err)
		return err;
	err = level == SOL_SOCKET ? get_option(socket, option, value, value_bytes) : -EOPNOTSUPP;
	object_put(socket);
	return err;
}

/* ---- setting ---- */

/* A time of 0 means none; one that is over already, hardly any. */
static err_t set_timeout(uint64_t *timeout_ns, uptr_t value, unsigned value_bytes)
{
	struct abi_timeval time;
	uint64_t ns;

	if (value_bytes < sizeof(time))
		return -EINVAL;
	if (user_get(&time, value))
		return -EFAULT;
	if (time.tv_usec < 0 || time.tv_usec >= (int64_t)(NSEC_PER_SEC / NSEC_PER_USEC))
		return -EDOM;
	if (time.tv_sec < 0)
		ns = 1;
	else if (time.tv_sec >= TIMEOUT_FOR_EVER_S_MIN)
		ns = 0;
	else
		ns = (uint64_t)time.tv_sec * NSEC_PER_SEC + (uint64_t)time.tv_usec * NSEC_PER_USEC;
	write_once(timeout_ns, ns);
	return 0;
}

static err_t set_linger(struct abi_linger *linger, uptr_t value, unsigned value_bytes)
{
	struct abi_linger given;

	if (value_bytes < sizeof(given))
		return -EINVAL;
	if (user_get(&given, value))
		return -EFAULT;
	given.on = given.on != 0;
	write_once(&linger->on, given.on);
	write_once(&linger->seconds, given.on ? given.seconds : linger->seconds);
	return 0;
}

static uint32_t buffer_bytes(int asked, uint32_t least)
{
	uint32_t half = MIN((uint32_t)asked, (uint32_t)ASKED_BYTES_MAX); /* negative: the most */

	return MAX(half * 2, least);
}

/* It was asked for: it stays so (of the internet's sockets). */
static void lock_buffer(struct socket_options *options, uint32_t which)
{
	write_once(&options->buffer_lock, read_once(&options->buffer_lock) | which);
}

/* An administrator's, whatever SO_SNDBUF may ask for. */
static err_t force_bytes(struct socket_options *options, uint32_t which, int asked)
{
	uint32_t bytes = (uint32_t)MIN(MAX(asked, 0), INT32_MAX / 2) * 2;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (which == SOCK_BUF_LOCK_SEND)
		write_once(&options->send_bytes, MAX(bytes, (uint32_t)SEND_BYTES_MIN));
	else
		write_once(&options->receive_bytes, MAX(bytes, (uint32_t)RECEIVE_BYTES_MIN));
	lock_buffer(options, which);
	return 0;
}

static bool may_mark(void)
{
	return network_capable(CAP_NET_ADMIN) || network_capable(CAP_NET_RAW);
}

/* Linux tells it to nobody. */
static err_t set_budget(int value)
{
	if (value > BUSY_POLL_BUDGET && !capable(CAP_NET_ADMIN))
		return -EPERM;
	return value < 0 || value > (int)UINT16_MAX ? -EINVAL : 0;
}

/* Numbers that say nothing about unix sockets; who may set which is Linux's. */
static err_t set_remembered(struct socket_options *options, int option, int value)
{
	switch (option) {
	case SO_PRIORITY:
		if ((value < 0 || value > PRIORITY_OF_ALL_MAX) && !may_mark())
			return -EPERM;
		write_once(&options->priority, value);
		return 0;
	case SO_MARK:
		if (!may_mark())
			return -EPERM;
		write_once(&options->mark, value);
		return 0;
	case SO_BUSY_POLL:
		if (value > read_once(&options->busy_poll_us) && !capable(CAP_NET_ADMIN))
			return -EPERM;
		if (value < 0)
			return -EINVAL;
		write_once(&options->busy_poll_us, value);
		return 0;
	case SO_INCOMING_CPU:
		write_once(&options->cpu, value);
		return 0;
	case SO_BINDTOIFINDEX:
		if (value < 0)
			return -EINVAL;
		if (read_once(&options->interface) && !network_capable(CAP_NET_RAW))
			return -EPERM;
		write_once(&options->interface, value);
		return 0;
	case SO_BUSY_POLL_BUDGET:
		return set_budget(value);
	case SO_BUF_LOCK:
		if ((uint32_t)value & ~SOCK_BUF_LOCK_KNOWN)
			return -EINVAL;
		write_once(&options->buffer_lock, (uint32_t)value);
		return 0;
	case SO_RESERVE_MEM:
		return value < 0 ? -EINVAL : -EOPNOTSUPP;
	case SO_ZEROCOPY:
	case SO_TXREHASH:
		return -EOPNOTSUPP; /* of the internet's alone */
	case SO_BSDCOMPAT:
	case SO_CNX_ADVICE:
		return 0;
	case SO_ATTACH_BPF: /* programs of another kind, which bpf() would make */
	case SO_ATTACH_REUSEPORT_EBPF:
		return -EOPNOTSUPP;
	case SO_DETACH_REUSEPORT_BPF:
		return -EINVAL; /* no unix socket shares its name */
	case SO_REUSEPORT:
		return value ? -EOPNOTSUPP : 0;
	default:
		return -ENOPROTOOPT;
	}
}

static err_t set_number(struct object *socket, int option, int value)
{
	struct socket_options *options = socket_options(socket);

	switch (option) {
	case SO_PASSCRED:
		socket_set_pass_credentials(socket, value != 0);
		return 0;
	case SO_DETACH_FILTER:
		return socket_detach_filter(socket);
	case SO_LOCK_FILTER:
		return socket_lock_filter(socket, value != 0);
	case SO_SNDBUF:
		write_once(&options->send_bytes, buffer_bytes(value, SEND_BYTES_MIN));
		lock_buffer(options, SOCK_BUF_LOCK_SEND);
		return 0;
	case SO_RCVBUF:
		write_once(&options->receive_bytes, buffer_bytes(value, RECEIVE_BYTES_MIN));
		lock_buffer(options, SOCK_BUF_LOCK_RECEIVE);
		return 0;
	case SO_RCVLOWAT:
		write_once(&options->low_water, value > 0   ? (uint32_t)value
						: value < 0 ? (uint32_t)INT32_MAX
							    : 1);
		return 0;
	case SO_SNDBUFFORCE:
		return force_bytes(options, SOCK_BUF_LOCK_SEND, value);
	case SO_RCVBUFFORCE:
		return force_bytes(options, SOCK_BUF_LOCK_RECEIVE, value);
	case SO_PEEK_OFF:
		write_once(&options->peek_bytes, value);
		return 0;
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_NEW:
		stamps_switch(options, option, value != 0);
		return 0;
	default:
		if (!is_switch(option))
			return set_remembered(options, option, value);
		socket_option_switch(options, (unsigned)option, value != 0);
		return 0;
	}
}

/* There are no interfaces: none is the one that it can be bound to. */
static err_t bind_to_device(struct socket_options *options, uptr_t value, unsigned value_bytes)
{
	char name[INTERFACE_NAME_BYTES] = "";

	if ((int)value_bytes < 0)
		return -EINVAL;
	if (user_copy_in(name, value, MIN((size_t)value_bytes, sizeof(name) - 1)))
		return -EFAULT;
	if (name[0])
		return -ENODEV;
	write_once(&options->interface, 0);
	return 0;
}

static err_t set_pacing_rate(struct socket_options *options, uptr_t value, unsigned value_bytes,
			     uint32_t number)
{
	uint64_t rate = number == UINT32_MAX ? UINT64_MAX : number;

	if (value_bytes >= sizeof(rate) && user_get(&rate, value))
		return -EFAULT;
	write_once(&options->pacing_rate, rate);
	return 0;
}

static err_t set_option(struct object *socket, int option, uptr_t value, unsigned value_bytes)
{
	struct socket_options *options = socket_options(socket);
	int number;

	if (option == SO_BINDTODEVICE)
		return bind_to_device(options, value, value_bytes);
	if (value_bytes < sizeof(number))
		return -EINVAL;
	if (user_get(&number, value))
		return -EFAULT;
	switch (option) {
	case SO_LINGER:
		return set_linger(&options->linger, value, value_bytes);
	case SO_RCVTIMEO:
	case SO_RCVTIMEO_NEW:
		return set_timeout(&options->receive_timeout_ns, value, value_bytes);
	case SO_TIMESTAMPING:
	case SO_TIMESTAMPING_NEW:
		return stamping_set(options, option, (uint32_t)number);
	case SO_TXTIME:
		return send_time_set(options, value, value_bytes);
	case SO_MAX_PACING_RATE:
		return set_pacing_rate(options, value, value_bytes, (uint32_t)number);
	case SO_ATTACH_FILTER:
		return filter_attach(socket, value, value_bytes);
	case SO_ATTACH_REUSEPORT_CBPF:
		return filter_attach_to_group(socket, value, value_bytes);
	case SO_SNDTIMEO:
	case SO_SNDTIMEO_NEW:
		return set_timeout(&options->send_timeout_ns, value, value_bytes);
	default:
		return set_number(socket, option, number);
	}
}

int sys_setsockopt(int fd, int level, int option, uptr_t value, unsigned value_bytes)
{
	struct object *socket;
	err_t err = socket_of_fd(fd, &socket);

	if (err)
		return err;
	err = level == SOL_SOCKET ? set_option(socket, option, value, value_bytes) : -EOPNOTSUPP;
	object_put(socket);
	return err;
}
