/*
 * IPC namespaces: System V's objects and the names of POSIX message queues (ipc/namespace.h). The
 * objects go with the last of those who are in one.
 */
#include "namespace.h"

#include <abi/errno.h>
#include <ipc/namespace.h>
#include <mm/slab.h>

#define FIRST_NUMBER UINT64_C(0xefffffff) /* of its file, as on Linux */

struct ipc_namespace_head {
	struct namespace head;
	struct ipc_namespace *ipc; /* constant: a reference */
};

static struct ipc_namespace_head first = {
	.head = {.references = {.count = 1}, .kind = NAMESPACE_IPC, .number = FIRST_NUMBER},
	.ipc = &ipc_namespace_first,
};

struct namespace *const ipc_namespace_first_head = &first.head;

static struct ipc_namespace_head *head_of(struct namespace *namespace)
{
	return container_of(namespace, struct ipc_namespace_head, head);
}

/* As Linux: nothing is copied, limits neither. */
static err_t ipc_copy(UNUSED struct namespace *from, struct namespace **out)
{
	struct ipc_namespace_head *made = kmalloc(sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->ipc = ipc_namespace_create();
	if (!made->ipc) {
		kfree(made);
		return -ENOMEM;
	}
	namespace_init(&made->head, NAMESPACE_IPC);
	*out = &made->head;
	return 0;
}

static void ipc_free(struct namespace *namespace)
{
	ipc_namespace_end(head_of(namespace)->ipc);
	kfree(head_of(namespace));
}

const struct namespace_kind_ops ipc_namespace_ops = {
	.name = "ipc",
	.flag = CLONE_NEWIPC,
	.copy = ipc_copy,
	.free = ipc_free,
};

struct ipc_namespace *ipc_namespace_caller(void)
{
	return head_of(namespace_current(NAMESPACE_IPC))->ipc;
}
