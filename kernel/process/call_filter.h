/*
 * Calls that a thread does not make: all but four, since it asked for it (seccomp's strict mode),
 * or those of foreign code, which its own handler of SIGSYS makes instead
 * (PR_SET_SYSCALL_USER_DISPATCH, Documentation/admin-guide/syscall-user-dispatch). All of the
 * running thread, which is looked at where its process's calls are watched (CALLS_FILTERED).
 */
#ifndef KERNEL_PROCESS_CALL_FILTER_H
#define KERNEL_PROCESS_CALL_FILTER_H

#include <lib/types.h>

struct trap_frame;

/* For good: seccomp/decide.c does it. */
void call_filter_confine(void);
/* prctl's arguments. -EINVAL, -EFAULT. */
err_t must_check call_filter_dispatch(uint64_t mode, uint64_t offset, uint64_t len_bytes,
				      uint64_t selector);
/* It executes a program: calls are its own again. */
void call_filter_forget(void);

/* False: the call is not made, a signal was raised in its place. The frame is as before it. */
bool call_filter_passes(struct trap_frame *frame);

#endif
