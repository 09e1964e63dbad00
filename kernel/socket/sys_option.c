/*
 * Options of sockets. Owns no state: the values are the sockets'. Some are only remembered, here as
 * on Linux, since they say nothing about unix sockets.
 */
#include "socket.h"

#include "../time/clocks.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/time.h>
#include <arch/user.h>

/* As Linux has them, which asks for the double of what it is told, for the sake of the heads. */
#define ASKED_BYTES_MAX        (208 * KIB)
#define SEND_BYTES_MIN         4608
#define RECEIVE_BYTES_MIN      2304
#define TIMEOUT_FOR_EVER_S_MIN (INT64_MAX / (int64_t)NSEC_PER_SEC)

#define BIT(option) (UINT32_C(1) << (option))
#define STORED                                                                                     \
	(BIT(SO_DEBUG) | BIT(SO_REUSEADDR) | BIT(SO_DONTROUTE) | BIT(SO_BROADCAST) |               \
	 BIT(SO_KEEPALIVE) | BIT(SO_OOBINLINE))

static bool is_stored(int option)
{
	return option > 0 && option < 32 && STORED & BIT(option);
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
	case SO_DOMAIN:
		*value = AF_UNIX;
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
	default:
		*value = is_stored(option) && read_once(&options->stored) & BIT(option);
		return is_stored(option) ? 0 : -ENOPROTOOPT;
	}
}

static err_t get_option(struct object *socket, int option, uptr_t value, uptr_t value_bytes)
{
	const struct socket_options *options = socket_options(socket);
	struct abi_timeval time;
	struct abi_ucred peer;
	int number;
	err_t err;

	switch (option) {
	case SO_PEERCRED:
		peer = socket_peer(socket);
		return put_value(value, value_bytes, &peer, sizeof(peer));
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

static void store(struct socket_options *options, int option, bool on)
{
	uint32_t old = read_once(&options->stored);

	while (!atomic_cas(&options->stored, &old, on ? old | BIT(option) : old & ~BIT(option)))
		;
}

static err_t set_number(struct object *socket, int option, int value)
{
	struct socket_options *options = socket_options(socket);

	switch (option) {
	case SO_PASSCRED:
		socket_set_pass_credentials(socket, value != 0);
		return 0;
	case SO_SNDBUF:
		write_once(&options->send_bytes, buffer_bytes(value, SEND_BYTES_MIN));
		return 0;
	case SO_RCVBUF:
		write_once(&options->receive_bytes, buffer_bytes(value, RECEIVE_BYTES_MIN));
		return 0;
	case SO_RCVLOWAT:
		write_once(&options->low_water, value > 0   ? (uint32_t)value
						: value < 0 ? (uint32_t)INT32_MAX
							    : 1);
		return 0;
	default:
		if (!is_stored(option))
			return -ENOPROTOOPT;
		store(options, option, value != 0);
		return 0;
	}
}

static err_t set_option(struct object *socket, int option, uptr_t value, unsigned value_bytes)
{
	struct socket_options *options = socket_options(socket);
	int number;

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
