/*
 * System calls that lock memory, and the limits of a space. Owns no state.
 */
#include "memory.h"

#include "../process/capability.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/mman.h>
#include <arch/paging.h>
#include <mm/space.h>

static uint64_t limit_of(const struct process *process, unsigned resource)
{
	return read_once(&process->limits[resource].rlim_cur);
}

static uint64_t pages_of(uint64_t limit_bytes)
{
	return limit_bytes == RLIM_INFINITY ? UINT64_MAX : limit_bytes >> PAGE_SHIFT;
}

void limit_space(const struct process *process, struct space *space)
{
	const struct space_limits limits = {
		.mapped_pages = pages_of(limit_of(process, RLIMIT_AS)),
		.data_pages = pages_of(limit_of(process, RLIMIT_DATA)),
		.locked_pages = pages_of(limit_of(process, RLIMIT_MEMLOCK)),
		.stack_bytes = limit_of(process, RLIMIT_STACK),
	};

	space_set_limits(space, &limits);
}

bool space_lock_is_unlimited(void)
{
	return capable(CAP_IPC_LOCK);
}

bool may_lock(void)
{
	return limit_of(process_current(), RLIMIT_MEMLOCK) || space_lock_is_unlimited();
}

/* As Linux: whole pages around the range. */
static int lock_range(uint64_t address, size_t len, unsigned flags)
{
	uint64_t start = ALIGN_DOWN(address, PAGE_SIZE);
	uint64_t end;

	if (flags & SPACE_LOCKED && !may_lock())
		return -EPERM;
	len = ALIGN_UP(len + (address - start), PAGE_SIZE); /* the largest ones come to 0 */
	if (__builtin_add_overflow(start, len, &end))
		return -EINVAL;
	if (end > USER_MAX)
		return -ENOMEM;
	return len ? space_lock(current_space(), start, len, flags) : 0;
}

int sys_mlock(uint64_t address, size_t len)
{
	return lock_range(address, len, SPACE_LOCKED | SPACE_POPULATE);
}

int sys_mlock2(uint64_t address, size_t len, unsigned flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return lock_range(address, len,
			  SPACE_LOCKED | (flags & MLOCK_ONFAULT ? 0 : SPACE_POPULATE));
}

int sys_munlock(uint64_t address, size_t len)
{
	return lock_range(address, len, 0);
}

int sys_mlockall(unsigned flags)
{
	unsigned lock = SPACE_LOCKED | (flags & MCL_ONFAULT ? 0 : SPACE_POPULATE);

	if (!flags || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (!may_lock())
		return -EPERM;
	return space_lock_all(current_space(), flags & MCL_CURRENT ? lock : 0,
			      flags & MCL_FUTURE ? lock : 0);
}

int sys_munlockall(void)
{
	return space_lock_all(current_space(), 0, 0);
}
