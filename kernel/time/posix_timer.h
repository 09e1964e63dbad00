/*
 * POSIX timers (timer_create) of a process, and what the signal code has to tell them: that a
 * signal of theirs was taken or dropped, which is when the next one may come.
 */
#ifndef KERNEL_TIME_POSIX_TIMER_H
#define KERNEL_TIME_POSIX_TIMER_H

#include "../signal/signal.h"

struct posix_timer;

/* The entry of a timer's signal is out of its queue: taken (`info` is what the program will see),
 * or dropped (NULL). The timer has it back and goes on. */
void posix_timer_taken_locked(struct process *process, struct signal_entry *entry,
			      struct signal_info *info) REQUIRES(process->signal_lock);
/* Those that go by CPU time: of the process, and of the running thread. True: some wait. */
bool posix_timers_check_locked(struct process *process, struct uthread *self,
			       const struct cpu_times *process_times)
	REQUIRES(process->signal_lock);
/* The wall clock, or TAI, goes otherwise than when the process's timers were set. */
void posix_timers_rebase(struct process *process);
/* Its last thread ends, or it executes a new program: nobody else makes or sets one. Sleeps. */
void posix_timers_delete_all(struct process *process);

#endif
