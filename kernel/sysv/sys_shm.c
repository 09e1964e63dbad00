/*
 * System calls on System V shared memory. What they do is in ipc/sysv/shm.c. Owns no state.
 */
#include "sysv.h"

#include "../memory/memory.h"
#include "../namespace/pid.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <arch/user.h>

int sys_shmget(int key, size_t len, unsigned flags)
{
	return shm_get(key, len, flags);
}

int64_t sys_shmat(int id, uint64_t address, unsigned flags)
{
	vaddr_t mapped;
	err_t err = shm_attach(current_space(), id, address, flags, &mapped);

	return err ? err : (int64_t)mapped;
}

int sys_shmdt(uint64_t address)
{
	return shm_detach(current_space(), address);
}

static int stat_segment(int id, enum sysv_lookup lookup, uptr_t out)
{
	struct abi_shmid_ds segment;
	int found = shm_stat(id, lookup, &segment);

	if (found < 0)
		return found;
	segment.cpid = pid_shown(segment.cpid);
	segment.lpid = pid_shown(segment.lpid);
	return user_put(out, &segment) ? -EFAULT : sysv_stat_result(lookup, found);
}

static int set_segment(int id, uptr_t from)
{
	struct abi_shmid_ds wanted;
	struct sysv_owner owner;

	if (user_get(&wanted, from))
		return -EFAULT;
	owner = sysv_owner_of(&wanted.perm);
	return shm_set(id, &owner);
}

int sys_shmctl(int id, int command, uptr_t argument)
{
	struct abi_shminfo limits;
	struct abi_shm_info info;
	int highest;

	if (id < 0 || command < 0)
		return -EINVAL;
	switch (command) {
	case IPC_INFO:
		highest = shm_limits(&limits);
		return user_put(argument, &limits) ? -EFAULT : highest;
	case SHM_INFO:
		highest = shm_info(&info);
		return user_put(argument, &info) ? -EFAULT : highest;
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return stat_segment(id, sysv_lookup_of(command, SHM_STAT, SHM_STAT_ANY), argument);
	case IPC_SET:
		return set_segment(id, argument);
	case IPC_RMID:
		return shm_remove(id);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return shm_lock(id, command == SHM_LOCK);
	default:
		return -EINVAL;
	}
}
