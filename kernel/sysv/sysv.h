/*
 * What the system calls on System V objects share.
 */
#ifndef KERNEL_SYSV_SYSV_H
#define KERNEL_SYSV_SYSV_H

#include <ipc/sysv.h>
#include <ipc/user_namespace.h>
#include <lib/atomic.h>

/* Whom the stat command of one of the three kinds names; each has its own numbers for it. */
static inline enum sysv_lookup sysv_lookup_of(int command, int by_index, int unchecked)
{
	if (command == unchecked)
		return SYSV_BY_INDEX_UNCHECKED;
	return command == by_index ? SYSV_BY_INDEX : SYSV_BY_ID;
}

/* IPC_STAT returns 0; those by place return the id. */
static inline int sysv_stat_result(enum sysv_lookup lookup, int id)
{
	return lookup == SYSV_BY_ID ? 0 : id;
}

static inline struct sysv_owner sysv_owner_of(const struct abi_ipc_perm *perm)
{
	return (struct sysv_owner){.uid = id_from_program(ID_USER, perm->uid),
				   .gid = id_from_program(ID_GROUP, perm->gid),
				   .mode = perm->mode};
}

#endif
