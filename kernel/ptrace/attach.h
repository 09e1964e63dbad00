/*
 * How the calls of sys_ptrace.c make links.
 */
#ifndef KERNEL_PTRACE_ATTACH_H
#define KERNEL_PTRACE_ATTACH_H

#include <lib/types.h>

/* The running thread traces the thread `tid`. -ESRCH; -EPERM: it may not, or somebody does;
 * -ENOMEM. */
err_t must_check ptrace_attach(int32_t tid, bool seize, uint32_t options);
/* The running thread is traced by its parent. -EPERM, -ENOMEM. */
err_t must_check ptrace_trace_me(void);

#endif
