/*
 * System calls that advise on memory and ask about it: madvise, msync, mincore. Owns no state.
 */
#include "memory.h"

#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/mman.h>
#include <arch/paging.h>
#include <arch/trap.h>
#include <arch/user.h>
#include <mm/space.h>

/* ---- madvise ---- */

/* Those that there are: nothing is merged here, and no page can be made to fail, as on a Linux
 * built without. */
static err_t check_advice(int advice)
{
	switch (advice) {
	case MADV_NORMAL ... MADV_DONTNEED:
	case MADV_FREE ... MADV_DOFORK:
	case MADV_HUGEPAGE ... MADV_DONTNEED_LOCKED:
		return 0;
	default:
		return -EINVAL;
	}
}

/* MADV_POPULATE_*: what is not mapped is ENOMEM, what may not be touched EINVAL (madvise(2)). */
static err_t populate(struct space *space, uint64_t address, size_t len, unsigned fault_access)
{
	err_t err = space_populate(space, address, len, fault_access);

	switch (err) {
	case -EFAULT:
		return -ENOMEM;
	case -EACCES:
		return -EINVAL;
	case -EIO:
		return -EFAULT;
	default:
		return err;
	}
}

static err_t flag(struct space *space, uint64_t address, size_t len, unsigned set, unsigned clear)
{
	return space_change_flags(space, address, len, set, clear, (set | clear) & SPACE_WIPE_FORK);
}

/* The pages go at once: they may by any of these, and nobody has to look for them later. */
static err_t discard(struct space *space, uint64_t address, size_t len, int advice)
{
	unsigned unwanted = advice == MADV_DONTNEED_LOCKED ? 0 : SPACE_LOCKED;
	err_t err = space_check_flags(space, address, len, unwanted);

	if (err == -EINVAL)
		return err;
	if (advice == MADV_FREE)
		err = space_change_flags(space, address, len, 0, 0, true);
	if (err && err != -ENOMEM)
		return err;
	return space_discard(space, address, len);
}

/* Range and advice are checked. */
static err_t advise(struct space *space, uint64_t address, size_t len, int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
		return discard(space, address, len, advice);
	case MADV_REMOVE:
		return space_punch(space, address, len);
	case MADV_DONTFORK:
		return flag(space, address, len, SPACE_NO_FORK, 0);
	case MADV_DOFORK:
		return flag(space, address, len, 0, SPACE_NO_FORK);
	case MADV_WIPEONFORK:
		return flag(space, address, len, SPACE_WIPE_FORK, 0);
	case MADV_KEEPONFORK:
		return flag(space, address, len, 0, SPACE_WIPE_FORK);
	case MADV_DONTDUMP:
		return flag(space, address, len, SPACE_NO_DUMP, 0);
	case MADV_DODUMP:
		return flag(space, address, len, 0, SPACE_NO_DUMP);
	case MADV_HUGEPAGE:
		return flag(space, address, len, SPACE_HUGE, SPACE_NO_HUGE);
	case MADV_NOHUGEPAGE:
		return flag(space, address, len, SPACE_NO_HUGE, SPACE_HUGE);
	case MADV_POPULATE_READ:
		return populate(space, address, len, FAULT_READ);
	case MADV_POPULATE_WRITE:
		return populate(space, address, len, FAULT_WRITE);
	case MADV_COLD:
	case MADV_PAGEOUT:
		return space_check_flags(space, address, len, SPACE_LOCKED);
	/* Hints: pages come when they are touched, with those around them. */
	default:
		return space_check_flags(space, address, len, 0);
	}
}

err_t advise_on(struct space *space, uint64_t address, size_t len, int advice)
{
	err_t err = check_advice(advice);

	if (err)
		return err;
	if (address & PAGE_MASK || (len && !ALIGN_UP(len, PAGE_SIZE)) ||
	    address + ALIGN_UP(len, PAGE_SIZE) < address)
		return -EINVAL;
	if (!len)
		return 0;
	if (check_range(address, &len))
		return -ENOMEM;
	return advise(space, address, len, advice);
}

int sys_madvise(uint64_t address, size_t len, int advice)
{
	return advise_on(current_space(), address, len, advice);
}

/* ---- msync ---- */

/* Shared memory of a file is the file's own: all that can be outstanding is the server's. */
int sys_msync(uint64_t address, size_t len, int flags)
{
	err_t err;

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || address & PAGE_MASK ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	if (check_range(address, &len))
		return -ENOMEM;
	if (!len)
		return 0;
	err = space_check_flags(current_space(), address, len,
				flags & MS_INVALIDATE ? SPACE_LOCKED : 0);
	if (err == -EINVAL)
		return -EBUSY;
	if (err && err != -ENOMEM)
		return err;
	/* With a hole as well: the rest is written. */
	return flags & MS_SYNC ? space_sync(current_space(), address, len) : err;
}

/* ---- mincore ---- */

#define RESIDENCE_STEP 256u /* pages asked for at once */

int sys_mincore(uint64_t address, size_t len, uptr_t out)
{
	uint64_t end;
	err_t err;

	if (address & PAGE_MASK)
		return -EINVAL;
	if (check_range(address, &len))
		return -ENOMEM;
	for (end = address + len; address < end;) {
		uint64_t stop = MIN(end, address + RESIDENCE_STEP * PAGE_SIZE);
		size_t npages = (stop - address) >> PAGE_SHIFT;
		uint8_t pages[RESIDENCE_STEP];

		err = space_residence(current_space(), address, stop, pages);
		if (err)
			return err;
		if (user_copy_out(out, pages, npages))
			return -EFAULT;
		out = uptr_add(out, npages);
		address = stop;
	}
	return 0;
}
