/*
 * The whole way of a page fault of a program, with the waiting: for who calls it and may sleep.
 */
#ifndef MM_FAULT_H
#define MM_FAULT_H

#include <lib/types.h>
#include <mm/space.h>

/* As space_fault(), but waits where that says MM_WAIT. 0, or -EFAULT (SIGSEGV, nothing there),
 * -EACCES (SIGSEGV, not allowed), -EIO (SIGBUS), -ENOMEM, -EINTR (killed while it waited). */
err_t must_check mm_user_fault(struct space *space, vaddr_t address, unsigned fault_access);

#endif
