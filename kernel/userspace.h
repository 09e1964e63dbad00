/*
 * A userspace: what a first process (PID 1, init) brings up and what ends with it. Before and after
 * it the machine is ksh's.
 */
#ifndef KERNEL_USERSPACE_H
#define KERNEL_USERSPACE_H

#include <lib/types.h>

#define USERSPACE_INIT "/sbin/init" /* where `init=` on the command line names no other */

/* Starts the program as PID 1 with the console as its streams, and comes back when it has ended and
 * all that it left has been killed: *status is wait4's. -EBUSY: there is one; else as
 * process_spawn(). Sleeps. */
err_t must_check userspace_run(const char *path, const char *const *argv, const char *const *envp,
			       int *status);
/* There is one now, or what it left is being ended. */
bool userspace_is_up(void);
/* The same with `init=` or USERSPACE_INIT. What came of it is in the log. */
void userspace_run_default(void);

/* Ctrl-Alt-Del: the machine starts again, or init is asked (SIGINT). From any context but
 * interrupts. */
void userspace_ctrl_alt_del(void);

#endif
