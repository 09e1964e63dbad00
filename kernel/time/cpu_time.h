/*
 * CPU time of processes and threads: how much, where it was spent, and what happens when there has
 * been enough of it.
 *
 * How much is exact. Where is told by samples: each timer interrupt notes whether it came in the
 * program or in the kernel on its behalf, and the sum is divided by these counts, so that no call
 * costs anything for it. A CPU that is busy has such an interrupt at the end of each slice at the
 * latest. What was told once never goes back.
 */
#ifndef KERNEL_TIME_CPU_TIME_H
#define KERNEL_TIME_CPU_TIME_H

#include "../process/uthread.h"

struct clock;

/* `total_ns` by these samples; all of it the program's if there are none. */
struct cpu_times cpu_times_split(uint64_t total_ns, uint64_t nuser, uint64_t nsystem);
/* Of all threads, those that have ended included. */
struct cpu_times process_times_locked(struct process *process) REQUIRES(process->signal_lock);
struct cpu_times process_times(struct process *process);
/* With its process's signal_lock held. */
struct cpu_times uthread_times(struct uthread *uthread);
/* The thread is about to be forgotten: what it used stays the process's. */
void cpu_time_gone_locked(struct process *process, struct thread *thread)
	REQUIRES(process->signal_lock);
/* What a CPU clock of the process or its thread says; 0: the thread has gone. With the process's
 * signal_lock held. */
uint64_t cpu_time_of_clock_locked(const struct clock *clock, struct process *process);
/* The same of a process's, whose times are known already. */
uint64_t cpu_time_of_process(const struct clock *clock, const struct cpu_times *times);
/* The same of the running thread's own clock or its process's, whose times are known already. */
uint64_t cpu_time_of_own_clock(const struct clock *clock, struct uthread *self,
			       const struct cpu_times *process_times);

/* It has RLIMIT_CPU or RLIMIT_RTTIME. */
bool cpu_time_is_limited(const struct process *process);
/* The process looks at its CPU time from now on: cpu_time_check() is called at least once for each
 * slice that it uses up. */
void cpu_time_watch(struct process *process);
/* On the way to user mode: raises what is due. */
void cpu_time_check(void);

#endif
