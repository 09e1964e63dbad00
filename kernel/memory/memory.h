/*
 * What the system calls on memory share.
 */
#ifndef KERNEL_MEMORY_MEMORY_H
#define KERNEL_MEMORY_MEMORY_H

#include "../process/uthread.h"

static inline struct space *current_space(void)
{
	return uthread_current()->space;
}

/* The length in whole pages; -EINVAL: the start is not a page's, or the range leaves the program's
 * half. */
err_t must_check check_range(uint64_t address, size_t *len);

/* madvise() with all its checks. */
err_t must_check advise_on(struct space *space, uint64_t address, size_t len, int advice);

enum memory_move_flags {
	MEMORY_MOVE_WRITE = 1 << 0, /* from the buffer into the space */
	MEMORY_MOVE_FORCE = 1 << 1, /* as space_read_forced() and space_write() */
};
/* As many bytes as the buffer has, at `address` of a space: how many were moved, or why none was:
 * -EFAULT, -EIO, -ENOMEM, -EINTR. Sleeps. */
struct buffer;
ssize_t must_check memory_move(struct space *space, vaddr_t address, struct buffer *buffer,
			       unsigned flags);

/* Linux's can_do_mlock(): a limit of 0 means not at all. */
bool may_lock(void);

/* The limits of `process`, for a space of its. */
void limit_space(const struct process *process, struct space *space);

#endif
