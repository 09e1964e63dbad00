/*
 * System calls on System V semaphores. What they do is in ipc/sysv/semaphore.c. Owns no state.
 */
#include "sysv.h"

#include "../namespace/pid.h"
#include "../process/uthread.h"
#include "../time/clocks.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <mm/kva.h>

#define OPERATIONS_ON_STACK 16

int sys_semget(int key, int nsems, unsigned flags)
{
	return semaphore_get(key, nsems, flags);
}

/* ---- operations ---- */

static int operate_copied(int id, uptr_t operations, unsigned noperations, uint64_t deadline_ns)
{
	struct abi_sembuf few[OPERATIONS_ON_STACK];
	size_t bytes = noperations * sizeof(*few);
	struct abi_sembuf *copied = noperations > ARRAY_SIZE(few) ? kvmalloc(bytes) : few;
	err_t err;

	if (!copied)
		return -ENOMEM;
	err = user_copy_in(copied, operations, bytes);
	if (!err)
		err = semaphore_operate(id, copied, noperations, &uthread_current()->undos,
					deadline_ns);
	if (copied != few)
		kvfree(copied, bytes);
	return err;
}

static int operate(int id, uptr_t operations, unsigned noperations, uint64_t deadline_ns)
{
	if (noperations > read_once(&sysv_limits()->semopm))
		return -E2BIG;
	if (!noperations || id < 0)
		return -EINVAL;
	return operate_copied(id, operations, noperations, deadline_ns);
}

int sys_semop(int id, uptr_t operations, unsigned noperations)
{
	return operate(id, operations, noperations, UINT64_MAX);
}

int sys_semtimedop(int id, uptr_t operations, unsigned noperations, uptr_t timeout)
{
	struct abi_timespec time;

	if (uptr_is_null(timeout))
		return operate(id, operations, noperations, UINT64_MAX);
	if (user_get(&time, timeout))
		return -EFAULT;
	if (!timespec_is_valid(&time))
		return -EINVAL;
	return operate(id, operations, noperations, clock_ns() + ns_of_timespec(&time));
}

/* ---- semctl ---- */

static int get_all(int id, unsigned nvalues, uint16_t *values, uptr_t out)
{
	err_t err = semaphore_get_all(id, values, nvalues);

	return err ? err : user_copy_out(out, values, nvalues * sizeof(*values));
}

static int set_all(int id, unsigned nvalues, uint16_t *values, uptr_t from)
{
	if (user_copy_in(values, from, nvalues * sizeof(*values)))
		return -EFAULT;
	return semaphore_set_all(id, values, nvalues);
}

static int all_values(int id, bool read, uptr_t values)
{
	int count = semaphore_count(id, read);
	uint16_t *copied;
	size_t bytes;
	int result;

	if (count < 0)
		return count;
	bytes = (size_t)count * sizeof(*copied);
	copied = kvmalloc(bytes);
	if (!copied)
		return -ENOMEM;
	result = read ? get_all(id, (unsigned)count, copied, values)
		      : set_all(id, (unsigned)count, copied, values);
	kvfree(copied, bytes);
	return result;
}

static int stat_set(int id, enum sysv_lookup lookup, uptr_t out)
{
	struct abi_semid_ds set;
	int found = semaphore_stat(id, lookup, &set);

	if (found < 0)
		return found;
	return user_put(out, &set) ? -EFAULT : sysv_stat_result(lookup, found);
}

static int set_owner(int id, uptr_t from)
{
	struct abi_semid_ds wanted;
	struct sysv_owner owner;

	if (user_get(&wanted, from))
		return -EFAULT;
	owner = sysv_owner_of(&wanted.perm);
	return semaphore_set_owner(id, &owner);
}

int sys_semctl(int id, int index, int command, uint64_t argument)
{
	struct abi_seminfo info;
	int highest;

	if (id < 0)
		return -EINVAL;
	switch (command) {
	case IPC_INFO:
	case SEM_INFO:
		highest = semaphore_info(command == SEM_INFO, &info);
		return user_put(uptr(argument), &info) ? -EFAULT : highest;
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return stat_set(id, sysv_lookup_of(command, SEM_STAT, SEM_STAT_ANY),
				uptr(argument));
	case IPC_SET:
		return set_owner(id, uptr(argument));
	case IPC_RMID:
		return semaphore_remove(id);
	case GETALL:
	case SETALL:
		return all_values(id, command == GETALL, uptr(argument));
	case GETPID:
		return pid_shown(semaphore_ask(id, (unsigned)index, GETPID));
	case GETVAL:
	case GETNCNT:
	case GETZCNT:
		return semaphore_ask(id, (unsigned)index, (unsigned)command);
	case SETVAL:
		return semaphore_set_value(id, (unsigned)index, (int)argument);
	default:
		return -EINVAL;
	}
}
