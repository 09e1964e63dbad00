/*
 * Addresses of unix sockets, in and out of programs: a family and up to 108 bytes, which are the
 * name of a file, or begin with a NUL and mean themselves. Owns no state.
 */
#include "socket.h"

#include "../process/uthread.h"

#include <arch/user.h>
#include <fusek/file.h>
#include <lib/string.h>

#define FAMILY_BYTES offsetof(struct abi_sockaddr_un, path)

err_t address_get(uptr_t from, int len_bytes, struct address *out)
{
	if (len_bytes < 0 || len_bytes > SOCKADDR_BYTES_MAX)
		return -EINVAL;
	*out = (struct address){.len_bytes = (size_t)len_bytes};
	return user_copy_in(out->bytes, from, out->len_bytes);
}

bool address_is_empty(const struct address *address)
{
	return address->len_bytes == FAMILY_BYTES && address->family == AF_UNIX;
}

/* How much of it is the name: an abstract one to its last byte, that of a file with a NUL. */
static size_t path_bytes(const struct address *address)
{
	size_t given_bytes = address->len_bytes - FAMILY_BYTES;

	if (!address->un.path[0])
		return given_bytes;
	return strnlen(address->bytes + FAMILY_BYTES, given_bytes) + 1;
}

static err_t check(const struct address *address)
{
	if (address->len_bytes <= FAMILY_BYTES ||
	    address->len_bytes > sizeof(struct abi_sockaddr_un) || address->family != AF_UNIX)
		return -EINVAL;
	return 0;
}

err_t address_name(const struct address *address, struct socket_name **out)
{
	err_t err = check(address);

	if (err)
		return err;
	*out = socket_name_create(address->bytes + FAMILY_BYTES, path_bytes(address));
	return *out ? 0 : -ENOMEM;
}

static err_t find_file(const char *name, struct socket **out)
{
	struct path path;
	err_t err = vfs_find_socket(uthread_fs(), name, &path);

	if (err)
		return err;
	*out = socket_find_place(path_identity(&path));
	path_put(&path);
	return *out ? 0 : -ECONNREFUSED;
}

err_t address_find(const struct object *socket, const struct address *address, struct socket **out)
{
	struct socket_name *name;
	err_t err = check(address);

	if (err)
		return err;
	/* Behind the longest name there is a NUL. */
	if (address->un.path[0])
		return find_file(address->bytes + FAMILY_BYTES, out);
	err = address_name(address, &name);
	if (err)
		return err;
	*out = socket_find_abstract(socket, name);
	socket_name_put(name);
	return *out ? 0 : -ECONNREFUSED;
}

err_t address_write(const struct socket_name *name, uptr_t to, size_t room_bytes,
		    uint32_t *len_bytes)
{
	char bytes[SOCKET_ADDRESS_BYTES_MAX];

	*len_bytes = name ? (uint32_t)socket_name_address(name, bytes) : 0;
	return user_copy_out(to, bytes, MIN(room_bytes, (size_t)*len_bytes));
}

err_t address_put(unsigned family, struct socket_name *name, uptr_t to, uptr_t len_bytes)
{
	const struct abi_sockaddr_nl nobody = {.family = (uint16_t)family};
	uint32_t whole_bytes = family == AF_UNIX ? sizeof(nobody.family) : sizeof(nobody);
	int32_t room_bytes = 0;
	err_t err = user_get(&room_bytes, len_bytes);

	if (!err && room_bytes < 0)
		err = -EINVAL;
	if (!err && name)
		err = address_write(name, to, (size_t)room_bytes, &whole_bytes);
	else if (!err)
		err = user_copy_out(to, &nobody, MIN((size_t)room_bytes, (size_t)whole_bytes));
	socket_name_put(name);
	return err ? err : user_put(len_bytes, &whole_bytes);
}
