/*
 * /proc/net: unix sockets, those of the network that the process is in.
 */
#include "procfs.h"

#include "../namespace/namespace.h"

#include <abi/errno.h>
#include <ipc/socket.h>

#define ACCEPTS 0x10000 /* Linux's __SO_ACCEPTCON */

static void add_name(struct text *text, const struct socket_name *name)
{
	char bytes[SOCKET_ADDRESS_BYTES_MAX];
	const char *path = bytes + offsetof(struct abi_sockaddr_un, path);
	size_t len_bytes = socket_name_address(name, bytes);
	size_t path_bytes = len_bytes - (size_t)(path - bytes);

	text_add(text, " ");
	if (path[0]) {
		text_add_bytes(text, path, path_bytes - 1); /* without its NUL */
		return;
	}
	/* Abstract: as Linux shows them, with @ for each NUL. */
	for (size_t i = 0; i < path_bytes; i++)
		text_add(text, "%c", path[i] ? path[i] : '@');
}

/* The address of the kernel that Linux shows first is hidden there as well. */
void proc_net_unix(struct text *text, const struct proc_subject *subject)
{
	struct namespace *network = namespace_of(subject->process, subject->tid, NAMESPACE_NET);
	struct socket *socket = NULL;
	struct socket_info info;

	if (!network) {
		text->err = -EINVAL; /* as Linux, of one that has ended */
		return;
	}

	text_add(text, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	while ((socket = socket_next(socket, &info))) {
		if (info.network != network->number) {
			socket_name_put(info.name);
			continue;
		}
		text_add(text, "0000000000000000: %08x 00000000 %08x %04x %02x %5lu",
			 info.references, info.listens ? ACCEPTS : 0, info.type, info.state,
			 info.number);
		if (info.name)
			add_name(text, info.name);
		text_add(text, "\n");
		socket_name_put(info.name);
	}
	namespace_put(network);
}
