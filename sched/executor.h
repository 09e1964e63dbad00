/*
 * An executor as pure data: a stack of ready tasks and the rules by which they are polled. Which
 * CPU it belongs to, and how its thread is woken, is the caller's business, so that the host's
 * tests run these rules with threads of their own.
 */
#ifndef SCHED_EXECUTOR_H
#define SCHED_EXECUTOR_H

#include <arch/spin.h>
#include <sched/task.h>

/*
 *   [x] lock
 */
struct executor {
	struct task *ready; /* atomic: a stack, the newest first */
	struct spinlock lock;
	struct list tasks; /* [x] those that were started here and have not finished */
};

void executor_init(struct executor *executor);

/* task_start(), task_wake() and task_cancel() on this executor. True: its thread must be woken. */
bool must_check executor_start_task(struct executor *executor, struct task *task);
bool must_check executor_wake(struct executor *executor, struct task *task, uint32_t and_set);

/* Polls what is ready now, oldest wake first. What is woken meanwhile waits for the next call.
 * False: nothing was ready. */
bool executor_run(struct executor *executor);

/* True: it has ended, nothing touches it any more; else `joiner` (a thread, a task | 1, 0: nobody)
 * is woken when it does, and whoever was before is not. */
bool task_ended_or_join(struct task *task, uint64_t joiner);

/* Hooks of sched/task.c: of the host's test, or of the kernel. Wakes a joiner; keeps this thread
 * from being preempted, so that who waits for a few steps of it does not wait for long. */
void executor_wake_joiner(uint64_t joiner);
void executor_pin(void);
void executor_unpin(void);

#endif
