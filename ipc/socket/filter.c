/*
 * Filters of sockets (SO_ATTACH_FILTER): a program in classic BPF says how much of a message its
 * receiver gets, or that it gets none. Streams are not filtered, here as on Linux. The pointer is
 * under the socket's lock; a filter itself is constant.
 */
#include "socket_priv.h"

#include <arch/cpu.h>
#include <lib/bpf.h>
#include <mm/kva.h>

struct socket_filter {
	struct refcount references;
	unsigned count;
	struct abi_filter_instruction instructions[];
};

static size_t bytes_of(unsigned count)
{
	return sizeof(struct socket_filter) + count * sizeof(struct abi_filter_instruction);
}

struct socket_filter *socket_filter_create(unsigned count)
{
	struct socket_filter *filter = kvmalloc(bytes_of(count));

	if (!filter)
		return NULL;
	*filter = (struct socket_filter){.count = count};
	refcount_init(&filter->references);
	return filter;
}

void socket_filter_put(struct socket_filter *filter)
{
	if (filter && refcount_put(&filter->references))
		kvfree(filter, bytes_of(filter->count));
}

struct abi_filter_instruction *socket_filter_instructions(struct socket_filter *filter,
							  unsigned *count)
{
	*count = filter->count;
	return filter->instructions;
}

static err_t check(const struct socket_filter *filter)
{
	uint16_t *scratch = kvmalloc(filter->count * sizeof(*scratch));
	err_t err;

	if (!scratch)
		return -ENOMEM;
	err = bpf_check(filter->instructions, filter->count, BPF_OF_PACKETS, 0, scratch);
	kvfree(scratch, filter->count * sizeof(*scratch));
	return err;
}

/* ---- of a socket ---- */

/* *filter: the new one, or NULL; afterwards what is to be given back. */
static err_t exchange(struct socket *socket, struct socket_filter **filter)
{
	struct socket_filter *before;
	err_t err = 0;

	spin_lock(&socket->lock);
	if (socket->filter_is_locked)
		err = -EPERM;
	else if (!*filter && !socket->filter)
		err = -ENOENT;
	if (!err) {
		before = socket->filter;
		write_once(&socket->filter, *filter);
		*filter = before;
	}
	spin_unlock(&socket->lock);
	return err;
}

err_t socket_attach_filter(struct object *object, struct socket_filter *filter)
{
	err_t err = check(filter);

	if (!err)
		err = exchange(socket_of(object), &filter);
	socket_filter_put(filter);
	return err;
}

err_t socket_detach_filter(struct object *object)
{
	struct socket_filter *filter = NULL;
	err_t err = exchange(socket_of(object), &filter);

	socket_filter_put(filter);
	return err;
}

err_t socket_lock_filter(struct object *object, bool on)
{
	struct socket *socket = socket_of(object);
	err_t err = 0;

	spin_lock(&socket->lock);
	if (socket->filter_is_locked && !on)
		err = -EPERM;
	else
		write_once(&socket->filter_is_locked, on);
	spin_unlock(&socket->lock);
	return err;
}

bool socket_filter_is_locked(const struct object *object)
{
	return read_once(&socket_of(object)->filter_is_locked);
}

static struct socket_filter *get(struct socket *socket)
{
	struct socket_filter *filter;

	spin_lock(&socket->lock);
	filter = socket->filter;
	if (filter)
		refcount_get(&filter->references);
	spin_unlock(&socket->lock);
	return filter;
}

struct socket_filter *socket_filter_get(struct object *object)
{
	return get(socket_of(object));
}

/* ---- messages ---- */

static uint32_t beside(unsigned what)
{
	return what == BPF_BESIDE_CPU ? cpu_id() : (uint32_t)cpu_random();
}

bool socket_filter_passes(struct socket *to, struct message *message)
{
	const struct bpf_input input = {.bytes = (const uint8_t *)message->bytes,
					.len_bytes = (uint32_t)message->len_bytes,
					.kind = BPF_OF_PACKETS,
					.beside = beside};
	struct socket_filter *filter = get(to);
	uint32_t kept = UINT32_MAX;

	if (filter)
		kept = bpf_run(filter->instructions, &input);
	socket_filter_put(filter);
	message->len_bytes = MIN(message->len_bytes, (size_t)kept);
	return kept;
}
