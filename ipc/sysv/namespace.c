/*
 * IPC namespaces: their beginning and their end. Invariant: the memory is there while anybody has
 * a reference or a System V object of it lives; such an object is given back a grace period after
 * its end, which is why memory has a count of its own.
 */
#include "sysv.h"

#include <mm/frame.h>
#include <mm/slab.h>

/* The last object frees it in a callback of RCU, which may not sleep: it is no area of kva's. */
_Static_assert(sizeof(struct ipc_namespace) <= KMALLOC_MAX, "kmalloc() serves it");

struct ipc_namespace ipc_namespace_first;

static void init(struct ipc_namespace *ipc)
{
	*ipc = (struct ipc_namespace){
		.sysv_limits =
			{
				.shmmax = UINT64_MAX - (1ul << 24),
				.shmall = frames_total() / 2, /* as a tmpfs */
				.shmmni = 4096,
				.semmsl = 32000,
				.semmns = 1024000000,
				.semopm = 500,
				.semmni = 32000,
				.msgmax = 8192,
				.msgmnb = 16384,
				.msgmni = 32000,
			},
		.mqueue_limits =
			{
				.queues_max = 256,
				.msg_max = 10,
				.msgsize_max = 8192,
				.msg_default = 10,
				.msgsize_default = 8192,
			},
	};
	refcount_init(&ipc->references);
	refcount_init(&ipc->memory);
	sysv_kind_init(&ipc->segments, &shm_kind_ops, ipc, &ipc->sysv_limits.shmmni);
	sysv_kind_init(&ipc->sets, &semaphore_kind_ops, ipc, &ipc->sysv_limits.semmni);
	sysv_kind_init(&ipc->queues, &message_kind_ops, ipc, &ipc->sysv_limits.msgmni);
}

void sysv_init(void)
{
	init(&ipc_namespace_first);
}

struct sysv_limits *sysv_limits(void)
{
	return &ipc_namespace_caller()->sysv_limits;
}

struct mqueue_limits *mqueue_limits(void)
{
	return &ipc_namespace_caller()->mqueue_limits;
}

struct ipc_namespace *ipc_namespace_create(void)
{
	struct ipc_namespace *ipc = kmalloc(sizeof(*ipc));

	if (ipc)
		init(ipc);
	return ipc;
}

struct ipc_namespace *ipc_namespace_get(struct ipc_namespace *ipc)
{
	refcount_get(&ipc->references);
	return ipc;
}

void ipc_namespace_put_memory(struct ipc_namespace *ipc)
{
	if (!refcount_put(&ipc->memory))
		return;
	sysv_kind_free_table(&ipc->segments);
	sysv_kind_free_table(&ipc->sets);
	sysv_kind_free_table(&ipc->queues);
	kfree(ipc);
}

void ipc_namespace_put(struct ipc_namespace *ipc)
{
	if (!refcount_put(&ipc->references))
		return;
	mqueue_drop_names(ipc);
	ipc_namespace_put_memory(ipc);
}

void ipc_namespace_end(struct ipc_namespace *ipc)
{
	sysv_remove_all(&ipc->segments);
	sysv_remove_all(&ipc->sets);
	sysv_remove_all(&ipc->queues);
	ipc_namespace_put(ipc);
}
