/*
 * Filters of sockets, in and out of programs. Owns no state.
 */
#include "socket.h"

#include "../process/uthread.h"

#include <abi/errno.h>
#include <arch/user.h>

static err_t read_program(uptr_t from, unsigned from_bytes, struct socket_filter **out)
{
	struct abi_filter_program program;
	struct socket_filter *filter;
	unsigned count;
	err_t err;

	if (from_bytes != sizeof(program))
		return -EINVAL;
	if (user_get(&program, from))
		return -EFAULT;
	if (!program.instructions || !program.count || program.count > BPF_INSTRUCTIONS_MAX)
		return -EINVAL;
	filter = socket_filter_create(program.count);
	if (!filter)
		return -ENOMEM;
	err = user_copy_in(socket_filter_instructions(filter, &count), uptr(program.instructions),
			   program.count * sizeof(struct abi_filter_instruction));
	if (err)
		socket_filter_put(filter);
	else
		*out = filter;
	return err;
}

err_t filter_attach(struct object *socket, uptr_t value, unsigned value_bytes)
{
	struct socket_filter *filter;
	err_t err = read_program(value, value_bytes, &filter);

	return err ? err : socket_attach_filter(socket, filter);
}

err_t filter_attach_to_group(struct object *socket, uptr_t value, unsigned value_bytes)
{
	struct socket_filter *filter;
	err_t err = read_program(value, value_bytes, &filter);

	if (err)
		return err;
	socket_filter_put(filter);
	return socket_filter_is_locked(socket) ? -EPERM : -EINVAL;
}

/* In instructions: how many there are, and as many must fit. */
err_t filter_get(struct object *socket, uptr_t value, uptr_t value_count)
{
	struct socket_filter *filter;
	const struct abi_filter_instruction *instructions = NULL;
	unsigned count = 0;
	int32_t room;
	err_t err = 0;

	if (user_get(&room, value_count))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	filter = socket_filter_get(socket);
	if (filter)
		instructions = socket_filter_instructions(filter, &count);
	if (room && count > (unsigned)room)
		err = -EINVAL;
	else if (room && count)
		err = user_copy_out(value, instructions, count * sizeof(*instructions));
	socket_filter_put(filter);
	return err ? err : user_put(value_count, &count);
}
