/*
 * How willing the kernel is to give pages of 2 MiB, by the names that Linux has for it
 * (transparent_hugepage on the command line and in /sys/kernel/mm).
 */
#ifndef KERNEL_MEMORY_HUGE_MODE_H
#define KERNEL_MEMORY_HUGE_MODE_H

#include <abi/errno.h>
#include <lib/types.h>

/* Index 0, 1 ...: NULL behind the last; *now: it is the one that holds. */
const char *huge_mode_name(unsigned index, bool *now);
/* -EINVAL: no such name. */
err_t must_check huge_mode_set(const char *name);

#endif
