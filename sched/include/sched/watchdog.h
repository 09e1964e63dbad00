/*
 * Says in the log which CPU or thread does not get on, with its backtrace.
 */
#ifndef SCHED_WATCHDOG_H
#define SCHED_WATCHDOG_H

#include <lib/types.h>

/* Begins to watch all CPUs that have started, and all threads. `limit_ns`: how long a CPU may stay
 * in code that cannot be preempted, and a thread may wait for what nothing else ends. Once, in a
 * thread. */
void watchdog_start(uint64_t limit_ns);

#endif
