/*
 * Threads of the kernel that serve a device for as long as the machine runs.
 */
#ifndef KERNEL_SERVICE_H
#define KERNEL_SERVICE_H

#include <lib/types.h>
#include <sched/thread.h>

/* Strict priority (POLICY_FIFO) for those that must come before every program: they run for
 * microseconds at a time. */
#define SERVICE_PRIORITY 50

/* Starts entry(argument), which never returns, in `thread`, which is the caller's for good. Called
 * at boot: without memory for its stack there is nothing to go on with, so that is a panic. */
void service_start(struct thread *thread, const char *name, void (*entry)(void *argument),
		   void *argument);

#endif
