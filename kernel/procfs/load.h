/*
 * The load averages: how many threads ran or wanted to, over the last 1, 5 and 15 minutes.
 */
#ifndef KERNEL_PROCFS_LOAD_H
#define KERNEL_PROCFS_LOAD_H

#include <lib/types.h>

#define LOAD_SHIFT 11 /* as Linux: FSHIFT, so that 1.00 is 1 << LOAD_SHIFT */

/* Begins to count. Once. */
void load_start(void);
void load_averages(uint64_t out[3]);
/* Threads that run or want to, now. */
unsigned load_running(void);

#endif
