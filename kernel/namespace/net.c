/*
 * Networks. Of what there is here, a network has nothing but its number: unix sockets have that of
 * who made them, and find those abstract names that sockets of the same network have.
 */
#include "user.h"

#include "../process/capability.h"

#include <abi/errno.h>
#include <ipc/socket.h>
#include <mm/slab.h>

#define FIRST_NUMBER UINT64_C(0xeffffff9) /* of its file, as on Linux */

struct namespace net_namespace_first = {
	.references = {.count = 1}, .kind = NAMESPACE_NET, .number = FIRST_NUMBER};

static err_t net_copy(UNUSED struct namespace *from, struct namespace **out)
{
	*out = kmalloc(sizeof(**out));
	if (!*out)
		return -ENOMEM;
	namespace_init(*out, NAMESPACE_NET);
	return 0;
}

static void net_free(struct namespace *namespace)
{
	kfree(namespace);
}

const struct namespace_kind_ops net_namespace_ops = {
	.name = "net",
	.flag = CLONE_NEWNET,
	.copy = net_copy,
	.free = net_free,
};

bool network_capable(unsigned capability)
{
	return capable_in(namespace_owner(namespace_current(NAMESPACE_NET)), capability);
}

uint64_t socket_caller_network(void)
{
	return namespace_current(NAMESPACE_NET)->number;
}
