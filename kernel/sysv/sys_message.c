/*
 * System calls on System V message queues. What they do is in ipc/sysv/message.c. Owns no state.
 */
#include "sysv.h"

#include "../namespace/pid.h"

#include "syscall_table.h"

#include <abi/errno.h>
#include <arch/user.h>

#define TYPE_BYTES sizeof(int64_t) /* what stands before the bytes in a program's message */

int sys_msgget(int key, unsigned flags)
{
	return sysv_message_get(key, flags);
}

int sys_msgsnd(int id, uptr_t message, size_t len, unsigned flags)
{
	struct sysv_message *sent;
	int64_t type;

	if (user_get(&type, message))
		return -EFAULT;
	if (len > read_once(&sysv_limits()->msgmax) || id < 0 || type < 1)
		return -EINVAL;
	sent = sysv_message_alloc(len);
	if (!sent)
		return -ENOMEM;
	if (user_copy_in(sysv_message_bytes(sent), uptr_add(message, TYPE_BYTES), len)) {
		sysv_message_put(sent);
		return -EFAULT;
	}
	return sysv_message_send(id, sent, type, flags);
}

ssize_t sys_msgrcv(int id, uptr_t message, size_t len, int64_t type, unsigned flags)
{
	struct sysv_message *received;
	size_t len_bytes;
	int64_t its_type;
	err_t err;

	if (id < 0 || len > INT64_MAX)
		return -EINVAL;
	err = sysv_message_receive(id, len, type, flags, &received, &len_bytes, &its_type);
	if (err)
		return err;
	/* As Linux: one that cannot be stored is lost. */
	if (user_put(message, &its_type) ||
	    user_copy_out(uptr_add(message, TYPE_BYTES), sysv_message_bytes(received), len_bytes))
		err = -EFAULT;
	sysv_message_put(received);
	return err ? err : (ssize_t)len_bytes;
}

static int stat_queue(int id, enum sysv_lookup lookup, uptr_t out)
{
	struct abi_msqid_ds queue;
	int found = sysv_message_stat(id, lookup, &queue);

	if (found < 0)
		return found;
	queue.lspid = pid_shown(queue.lspid);
	queue.lrpid = pid_shown(queue.lrpid);
	return user_put(out, &queue) ? -EFAULT : sysv_stat_result(lookup, found);
}

static int set_queue(int id, uptr_t from)
{
	struct abi_msqid_ds wanted;
	struct sysv_owner owner;

	if (user_get(&wanted, from))
		return -EFAULT;
	owner = sysv_owner_of(&wanted.perm);
	return sysv_message_set(id, &owner, wanted.qbytes);
}

int sys_msgctl(int id, int command, uptr_t argument)
{
	struct abi_msginfo info;
	int highest;

	if (id < 0 || command < 0)
		return -EINVAL;
	switch (command) {
	case IPC_INFO:
	case MSG_INFO:
		highest = sysv_message_info(command == MSG_INFO, &info);
		return user_put(argument, &info) ? -EFAULT : highest;
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		return stat_queue(id, sysv_lookup_of(command, MSG_STAT, MSG_STAT_ANY), argument);
	case IPC_SET:
		return set_queue(id, argument);
	case IPC_RMID:
		return sysv_message_remove(id);
	default:
		return -EINVAL;
	}
}
