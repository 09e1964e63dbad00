/*
 * Parts of prctl(2), and what else does the same. Each prctl_ function takes an option and its four
 * arguments, and says -ENODATA of those that are not its own.
 */
#ifndef KERNEL_PROCESS_PRCTL_H
#define KERNEL_PROCESS_PRCTL_H

#include <lib/types.h>

struct process;

/* What /proc/PID/comm is told: the name of one of the process's threads, or (`tid` 0) of the whole.
 * Longer ones are cut. -ESRCH: it has no such thread. Sleeps not. */
err_t must_check process_rename(struct process *process, int32_t tid, const char *name);

int64_t prctl_memory(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
int64_t prctl_machine(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* PR_SET_SECCOMP (../seccomp/sys_seccomp.c). */
int64_t prctl_set_seccomp(uint64_t mode, uint64_t argument);

#endif
