/*
 * What the calls that wait for descriptors share, and what restart_syscall does for an interrupted
 * poll.
 */
#ifndef KERNEL_SYS_POLL_H
#define KERNEL_SYS_POLL_H

#include <abi/errno.h>
#include <lib/types.h>

struct restart;

int poll_again(const struct restart *restart);

/* When a timeout that is given as a struct abi_timespec has passed, by clock_ns(); UINT64_MAX:
 * never, for a null pointer too. -EFAULT, -EINVAL. */
err_t must_check poll_read_deadline(uptr_t timeout, uint64_t *deadline_ns);

/* What is left until then goes to where the timeout was given, if it can be written there. */
void poll_put_left(uptr_t timeout, uint64_t deadline_ns);

/* The running thread blocks `set` (of the program's; null: as before) for the time of the call.
 * -EINVAL, -EFAULT. */
err_t must_check poll_begin_mask(uptr_t set, size_t set_bytes);
/* Behind the call, with its result, which it returns: an interrupted one keeps the mask until its
 * handler has been chosen. */
int poll_end_mask(int result);

#endif
