/*
 * Tasks: work that waits for events without a stack of its own. A task is a struct with a poll
 * function, a state machine: called when something that it awaits may have happened, it goes as far
 * as it can, arranges to be woken, and returns. Each CPU has one executor, a thread before all
 * programs, which polls the tasks that were woken there, in batches, in the order of their wakes.
 *
 * Promises (tests/model/waker.pml):
 * - A task is polled by one CPU at a time. What it keeps for itself needs no lock.
 * - After a wake it is polled at least once more; a wake during the poll has it polled again. Many
 *   wakes may become one poll, so a poll looks at what it waits for and believes nothing.
 * - After a cancel it is polled once more, with task_cancelled(), and must then finish.
 *
 * A poll never sleeps: it may take spinlocks and mutex_trylock(), and runs for microseconds. What
 * has to sleep is a thread (kernel/kthread.h).
 *
 * Memory is the owner's; nothing here allocates. It is the owner's again when the task has
 * finished: in the call of `finished`, or after task_join() / task_await_end(). Before it finishes,
 * a task takes itself off all that might wake it (task_wait_end(), task_timeout_cancel(), its
 * device's interrupt): a wake of a finished task is ignored, but one of a freed task is not.
 *
 *	static enum task_poll reader_poll(struct task *task)
 *	{
 *		struct reader *reader = container_of(task, struct reader, task);
 *
 *		if (task_cancelled(task))
 *			goto done;
 *		switch (reader->state) {
 *		case READER_WAITS:
 *			// Select: whichever comes first; the other one is taken back.
 *			if (task_await(&reader->input, input_bytes() > 0))
 *				...
 *			else if (task_timeout_passed(&reader->timeout))
 *				...
 *			else
 *				return task_pending(task, "input");
 *		...
 *	done:
 *		task_wait_end(&reader->input);
 *		task_timeout_cancel(&reader->timeout);
 *		return TASK_DONE;
 *	}
 */
#ifndef SCHED_TASK_H
#define SCHED_TASK_H

#include <lib/list.h>
#include <lib/types.h>
#include <sched/timer.h>
#include <sched/wait.h>

enum task_poll {
	TASK_PENDING, /* something that it arranged will wake it */
	TASK_DONE,    /* it has finished; nothing wakes it any more */
};

/* Bits of task->state. */
enum task_state {
	TASK_READY = 1 << 0,     /* woken: on a ready stack, or polled again after this poll */
	TASK_POLLING = 1 << 1,   /* READY + READY: see executor_poll() */
	TASK_CANCELLED = 1 << 2, /* the next poll is the last */
	TASK_FINISHING = 1 << 3, /* whoever joins it is being woken */
	TASK_FINISHED = 1 << 4,  /* or never started; no longer touched */
};

/*
 *   [c] constant after task_init()
 *   [e] its executor's: who polls it
 *   [x] the lock of home's list (LOCK_TASK)
 */
struct task {
	struct task *next; /* who made it ready, then the executor that takes it off the stack */
	uint32_t state;    /* atomic: enum task_state */
	uint32_t cpu;      /* atomic: where it was woken last */
	enum task_poll (*poll)(struct task *task); /* [c] */
	void (*finished)(struct task *task);       /* [c] NULL: nobody to tell */
	const char *name;                          /* [c] */
	const char *awaits;                        /* atomic, written by [e]: for people */
	uint64_t npolls;                           /* atomic, written by [e] */
	uint64_t joiner;                           /* atomic: 0, a thread, or a task | 1 */
	struct list all_link;                      /* [x] */
	struct executor *home;                     /* whose list it is on, while it lives */
};

/* Fills the struct. `name` is kept, not copied. `finished` (or NULL) is the last that is done with
 * the task: the memory may be freed there, or the task started again. It runs in the executor. */
void task_init(struct task *task, const char *name, enum task_poll (*poll)(struct task *task),
	       void (*finished)(struct task *task));

/* Has it polled soon, on this CPU. It was not started yet, or has finished. From any context and
 * under any lock of a class before LOCK_TASK. */
void task_start(struct task *task);

/* Has it polled once more, on this CPU, after everything that the caller did before. From any
 * context and under any lock. Of a task that is not started or has finished: nothing. */
void task_wake(struct task *task);

/* Has it end: it is polled once more. Returns at once, as task_wake(). */
void task_cancel(struct task *task);
/* In a poll: it shall give back what it has and return TASK_DONE. */
static inline bool task_cancelled(const struct task *task)
{
	return read_once(&task->state) & TASK_CANCELLED;
}

/* Sleeps until it has finished (at once if it never started): then nothing touches it any more. By
 * one thread or task at a time, for tasks without `finished`. Not from a poll. */
void task_join(struct task *task);
static inline void task_cancel_and_join(struct task *task)
{
	task_cancel(task);
	task_join(task);
}
/* The same for a task that awaits the end of `other`: true, it has finished; false: `self` is woken
 * when it does. A join of several is one after the other; a select, the first that is true. Who
 * stops to await the end of one that goes on says so: afterwards that does not know `self`. */
bool task_await_end(struct task *self, struct task *other);
void task_await_end_cancel(struct task *other);

/* What a poll that waits returns; `awaits`, a constant, is what ksh's `tasks` shows. */
static inline enum task_poll task_pending(struct task *task, const char *awaits)
{
	write_once(&task->awaits, awaits);
	return TASK_PENDING;
}

/* ---- awaiting a wait queue ---- */

/* The task's alone. */
struct task_wait {
	struct wait_entry entry;
	struct waitq *queue; /* constant */
};

void task_wait_init(struct task_wait *wait, struct task *task, struct waitq *queue);
/* As wait_event(), in a poll: true if the condition holds, and then the task is off the queue;
 * false: it is woken when somebody wakes the queue. The condition must not sleep. */
#define task_await(wait_, condition_)                                                              \
	({                                                                                         \
		struct task_wait *task_wait_ = (wait_);                                            \
		bool task_holds_;                                                                  \
		waitq_answer(&task_wait_->entry);                                                  \
		task_holds_ = (condition_);                                                        \
		if (!task_holds_) {                                                                \
			waitq_prepare(task_wait_->queue, &task_wait_->entry);                      \
			task_holds_ = (condition_);                                                \
		}                                                                                  \
		if (task_holds_)                                                                   \
			task_wait_end(task_wait_);                                                 \
		task_holds_;                                                                       \
	})
/* Off the queue, if it is on it: the queue does not know the task any more. A wake-one that was not
 * answered goes to the next waiter. */
static inline void task_wait_end(struct task_wait *wait)
{
	waitq_finish(wait->queue, &wait->entry);
}

/* ---- awaiting a time ---- */

/* The task's alone. */
struct task_timeout {
	struct timer timer;
	uint64_t deadline_ns; /* UINT64_MAX: none */
};

void task_timeout_init(struct task_timeout *timeout, struct task *task);
/* The task is woken when clock_ns() has reached it; one that runs is moved. */
void task_timeout_start(struct task_timeout *timeout, uint64_t deadline_ns);
/* Afterwards it wakes nobody. Started or not. */
void task_timeout_cancel(struct task_timeout *timeout);
bool task_timeout_passed(const struct task_timeout *timeout);

/* ---- executors ---- */

/* Starts this CPU's, on the given stack: once, before sched_start(). Tasks may be started and woken
 * before. */
void executor_start(vaddr_t stack_base, vaddr_t stack_top);
/* Returns when every task that was ready on any CPU before has been polled. Sleeps; not from a
 * poll. */
void executors_flush(void);

/* One task as ksh shows it. */
struct task_info {
	const char *name; /* valid for as long as the task lives: copied under `visit` */
	const char *awaits;
	const char *state;
	uint32_t cpu;
	uint64_t npolls;
};
/* Calls `visit` for each living task, under a spinlock that is let go of now and then: a task that
 * starts or ends meanwhile may be missed. */
void task_for_each(void (*visit)(void *argument, const struct task_info *info), void *argument);

#endif
