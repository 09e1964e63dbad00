/*
 * Futexes inside the kernel.
 */
#ifndef KERNEL_SYS_FUTEX_H
#define KERNEL_SYS_FUTEX_H

#include <lib/types.h>

struct process;

/* Wakes up to `nwake` threads of the process that wait on the word at `address`; how many it were.
 */
int futex_wake_address(struct process *process, uint64_t address, unsigned nwake);

#endif
