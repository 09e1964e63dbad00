/*
 * When messages were sent (SO_TIMESTAMP and what is like it, SO_TIMESTAMPING), and when they are to
 * be sent (SO_TXTIME), which means nothing for unix sockets, here as on Linux, and is remembered.
 * Owns no state: the values are the sockets'.
 */
#include "socket.h"

#include "../process/capability.h"

#include <abi/errno.h>
#include <abi/time.h>
#include <arch/user.h>

/* One way for all of a socket's times: the form of before 2038's end, or the new one, which is the
 * same here but has numbers of its own. */
static int32_t in_form(int32_t option, bool is_new)
{
	switch (option) {
	case SO_TIMESTAMP:
	case SO_TIMESTAMP_NEW:
		return is_new ? SO_TIMESTAMP_NEW : SO_TIMESTAMP;
	case SO_TIMESTAMPNS:
	case SO_TIMESTAMPNS_NEW:
		return is_new ? SO_TIMESTAMPNS_NEW : SO_TIMESTAMPNS;
	default:
		return 0;
	}
}

void stamps_switch(struct socket_options *options, int option, bool on)
{
	if (on)
		write_once(&options->stamps_are_new,
			   option == SO_TIMESTAMP_NEW || option == SO_TIMESTAMPNS_NEW);
	write_once(&options->stamps, on ? option : 0);
}

/* By whichever clock of its network device: there is none. */
static err_t check_kinds(uint32_t kinds)
{
	if (kinds & ~(uint32_t)SOF_TIMESTAMPING_KNOWN)
		return -EINVAL;
	if (kinds & SOF_TIMESTAMPING_OPT_ID_TCP && !(kinds & SOF_TIMESTAMPING_OPT_ID))
		return -EINVAL;
	if (kinds & SOF_TIMESTAMPING_OPT_STATS && !(kinds & SOF_TIMESTAMPING_OPT_TSONLY))
		return -EINVAL;
	return kinds & SOF_TIMESTAMPING_BIND_PHC ? -EOPNOTSUPP : 0;
}

/* The other half of the structure says which clock: none. */
err_t stamping_set(struct socket_options *options, int option, uint32_t kinds)
{
	bool is_new = option == SO_TIMESTAMPING_NEW;
	err_t err = check_kinds(kinds);

	if (err)
		return err;
	write_once(&options->stamping, kinds);
	write_once(&options->stamps_are_new, is_new);
	write_once(&options->stamps, in_form(options->stamps, is_new));
	return 0;
}

struct abi_so_timestamping stamping_get(const struct socket_options *options, int option)
{
	bool is_shown = option == SO_TIMESTAMPING || read_once(&options->stamps_are_new);

	return (struct abi_so_timestamping){.flags = is_shown ? read_once(&options->stamping) : 0};
}

void stamps_put(struct control_writer *writer, const struct socket_options *options,
		uint64_t stamp_ns)
{
	int32_t option = read_once(&options->stamps);

	if (!option)
		return; /* nobody has noted when it was sent, here as on Linux */
	control_put_stamp(writer, option, stamp_ns);
	if (read_once(&options->stamping) & SOF_TIMESTAMPING_SOFTWARE)
		control_put_stamp(writer,
				  read_once(&options->stamps_are_new) ? SO_TIMESTAMPING_NEW
								      : SO_TIMESTAMPING,
				  stamp_ns);
}

err_t send_time_set(struct socket_options *options, uptr_t from, unsigned from_bytes)
{
	struct abi_sock_txtime given;

	if (from_bytes != sizeof(given))
		return -EINVAL;
	if (user_get(&given, from))
		return -EFAULT;
	if (given.flags & ~(uint32_t)SOF_TXTIME_KNOWN)
		return -EINVAL;
	if (given.clock != CLOCK_MONOTONIC && !capable(CAP_NET_ADMIN))
		return -EPERM;
	if (given.clock != CLOCK_MONOTONIC && given.clock != CLOCK_REALTIME &&
	    given.clock != CLOCK_TAI)
		return -EINVAL;
	write_once(&options->send_clock, given.clock);
	write_once(&options->send_time_flags, given.flags);
	return 0;
}

struct abi_sock_txtime send_time_get(const struct socket_options *options)
{
	return (struct abi_sock_txtime){.clock = read_once(&options->send_clock),
					.flags = read_once(&options->send_time_flags)};
}
