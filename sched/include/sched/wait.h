/*
 * Wait queues: threads and tasks (sched/task.h) that wait for a condition that somebody else makes
 *true. The one who makes it true changes the state first and wakes afterwards; the waiter looks at
 *the condition after it has queued itself. So either it sees the change or it is woken
 *(tests/model/waitq.pml).
 *
 * Waking works from interrupts and under spinlocks of classes before LOCK_WAITQ. A wake with nobody
 * waiting costs a fence and a load.
 *
 *	waiter:	err = wait_event_killable(&pipe->readers, pipe_has_data(pipe));
 *	waker:	(fill the pipe)  waitq_wake_one(&pipe->readers);
 */
#ifndef SCHED_WAIT_H
#define SCHED_WAIT_H

#include <abi/errno.h>
#include <arch/spin.h>
#include <lib/list.h>
#include <sched/thread.h>

struct task;

struct waitq {
	struct spinlock lock;
	struct list waiters; /* [lock] struct wait_entry: watches, then the longest waiting first,
				and among them exclusive watches, and marks of who wakes all */
};

#define WAITQ_INIT(name)                                                                           \
	{                                                                                          \
		.lock = SPINLOCK_INIT(LOCK_WAITQ), .waiters = LIST_INIT((name).waiters)            \
	}
#define WAITQ(name) struct waitq name = WAITQ_INIT(name)

void waitq_init(struct waitq *queue);

/* Wake the longest waiting one, or all. From any context that holds no lock of the queue's class
 * (LOCK_WAITQ, unless its owner gave it another) or later. wake_one: true if somebody was waiting.
 */
bool waitq_wake_one(struct waitq *queue);
/* Tells watches which of POLL* may have come to hold; the others tell them ~0. */
void waitq_wake_all_events(struct waitq *queue, unsigned events);
static inline void waitq_wake_all(struct waitq *queue)
{
	waitq_wake_all_events(queue, ~0u);
}

static inline bool waitq_has_waiters(const struct waitq *queue)
{
	return read_once(&queue->waiters.next) != &queue->waiters;
}

/*
 * Sleep until `condition` (an expression, evaluated again after each wake; it must not sleep)
 * holds. All of them may sleep, so: no spinlock, no RCU read section, not in an interrupt.
 *
 * The result of the second to last: 0, -EINTR (killed; interruptible: or a signal waits),
 * -ETIMEDOUT (clock_ns() has reached deadline_ns; UINT64_MAX: never).
 * A condition that holds wins over both.
 */
#define wait_event(queue, condition) ((void)WAIT_LOOP(queue, condition, 0, UINT64_MAX, NULL))
/* For a kernel thread that waits for work, however long that takes: the watchdog of hung threads
 * takes no notice. (Nobody kills a kernel thread, so only the condition ends it.) */
#define wait_event_idle(queue, condition)                                                          \
	((void)WAIT_LOOP(queue, condition, THREAD_KILLED, UINT64_MAX, NULL))
#define wait_event_killable(queue, condition)                                                      \
	WAIT_LOOP(queue, condition, THREAD_KILLED, UINT64_MAX, NULL)
#define wait_event_interruptible(queue, condition)                                                 \
	WAIT_LOOP(queue, condition, THREAD_KILLED | THREAD_INTERRUPTED, UINT64_MAX, NULL)
/* Nothing but time ends it early. */
#define wait_event_timeout(queue, condition, deadline_ns)                                          \
	WAIT_LOOP(queue, condition, 0, deadline_ns, NULL)
#define wait_event_killable_timeout(queue, condition, deadline_ns)                                 \
	WAIT_LOOP(queue, condition, THREAD_KILLED, deadline_ns, NULL)
#define wait_event_interruptible_timeout(queue, condition, deadline_ns)                            \
	WAIT_LOOP(queue, condition, THREAD_KILLED | THREAD_INTERRUPTED, deadline_ns, NULL)
/* The same as wait_event_killable, and the first time it would sleep it wakes the longest waiting
 * one of `partner` and hands it the CPU (thread_wake_switch). If it need not sleep at all, it still
 * wakes. */
#define wait_event_switch(queue, condition, partner)                                               \
	WAIT_LOOP(queue, condition, THREAD_KILLED, UINT64_MAX, partner)

/*
 * The pieces, for a waiter whose condition is under a spinlock of its own:
 *
 *	struct wait_entry entry = WAIT_ENTRY_INIT(entry);
 *	for (;;) {
 *		waitq_prepare(&device->waitq, &entry);
 *		flags = spin_lock_irqsave(&device->lock);
 *		ready = device->count != 0 ...
 *		spin_unlock_irqrestore(&device->lock, flags);
 *		if (ready)
 *			break;
 *		err = waitq_block(&device->waitq, &entry, THREAD_KILLED, UINT64_MAX);
 *		if (err)
 *			break;
 *	}
 *	waitq_finish(&device->waitq, &entry);
 */
struct wait_entry {
	struct list link;
	struct thread *thread; /* constant: who waits; NULL: `task` */
	struct task *task;     /* constant; NULL: it is in a struct waitq_watch */
	bool queued; /* atomic: written under the queue's lock; false: nobody touches it any more */
	bool woken;  /* [the waiter, once queued is false] a waker took it off, not yet answered */
};

#define WAIT_ENTRY_INIT(name)                                                                      \
	{                                                                                          \
		.link = LIST_INIT((name).link), .thread = current_thread()                         \
	}

/* Queues the entry (at the tail) unless it is queued. What happens after it cannot be missed. */
void waitq_prepare(struct waitq *queue, struct wait_entry *entry);
/* Sleeps until woken. `end_on`: bits of enum thread_pending that end it with -EINTR, even before it
 * sleeps; -ETIMEDOUT: the time has come. */
err_t must_check waitq_block(struct waitq *queue, struct wait_entry *entry, unsigned end_on,
			     uint64_t deadline_ns);
/* The same, but hands the CPU to the first waiter of `partner`. */
err_t must_check waitq_block_switch(struct waitq *queue, struct wait_entry *entry, unsigned end_on,
				    uint64_t deadline_ns, struct waitq *partner);
/* After waitq_block(), for who now looks at its condition and takes what it finds: the wake-one
 * that ended the sleep has been answered. One that comes later has not (tests/model/waitq.pml). */
static inline void waitq_answer(struct wait_entry *entry)
{
	if (likely(!load_acquire(&entry->queued)))
		entry->woken = false;
}
/* Takes the entry off. A wake-one that was not answered goes on to the next waiter: of one that was
 * killed, or found what it waited for before it slept, or only looks and takes nothing (poll). */
void waitq_finish(struct waitq *queue, struct wait_entry *entry);
/*
 * One that does not wait but wants to be told of every wake, and stays on the queue. `notify` is
 * called under the queue's lock, interrupts off: it takes no lock of its class or before. A
 * wake-one tells all watches, and an exclusive one may answer it: then it goes to nobody else, and
 * a wake-all to no other exclusive watch.
 */
struct waitq_watch {
	struct wait_entry entry;
	bool exclusive; /* constant while it is on a queue */
	/* True: somebody was woken who will look. */
	bool (*notify)(struct waitq_watch *watch, unsigned events);
};

/* What happens after it cannot be missed. */
void waitq_watch(struct waitq *queue, struct waitq_watch *watch);
/* Afterwards `notify` is not called and does not run. */
void waitq_unwatch(struct waitq *queue, struct waitq_watch *watch);

/* Wakes the first waiter of `queue` and blocks the calling thread in the same step; the caller has
 * prepared itself on another queue. Not from interrupts. */
void waitq_wake_one_switch(struct waitq *queue);

/* For who waits for one other to do something, where a lock of the two says whether it is done:
 * thread_block() that `end_on` (bits of enum thread_pending) ends with -EINTR, even before it
 * sleeps, and the time with -ETIMEDOUT. It may return for no reason. */
err_t must_check thread_wait(unsigned end_on, uint64_t deadline_ns);
/* The same without a time; `partner` is woken and given the CPU as by thread_wake_switch(). It is
 * kept by `held`, a lock that was taken with interrupts on: they are on again, and it is released.
 */
err_t must_check thread_wait_switch(unsigned end_on, struct thread *partner, struct spinlock *held)
	RELEASE(*held);

#define WAIT_LOOP(queue_, condition_, end_on_, deadline_, partner_)                                \
	({                                                                                         \
		struct waitq *wait_queue = (queue_);                                               \
		struct waitq *wait_partner = (partner_);                                           \
		err_t wait_err = 0;                                                                \
		if (!(condition_)) {                                                               \
			struct wait_entry wait_own = WAIT_ENTRY_INIT(wait_own);                    \
			for (;;) {                                                                 \
				waitq_prepare(wait_queue, &wait_own);                              \
				if (condition_)                                                    \
					break;                                                     \
				if (wait_partner)                                                  \
					wait_err = waitq_block_switch(wait_queue, &wait_own,       \
								      (end_on_), (deadline_),      \
								      wait_partner);               \
				else                                                               \
					wait_err = waitq_block(wait_queue, &wait_own, (end_on_),   \
							       (deadline_));                       \
				waitq_answer(&wait_own);                                           \
				wait_partner = NULL;                                               \
				if (condition_) {                                                  \
					wait_err = 0;                                              \
					break;                                                     \
				}                                                                  \
				if (wait_err)                                                      \
					break;                                                     \
			}                                                                          \
			waitq_finish(wait_queue, &wait_own);                                       \
		}                                                                                  \
		if (wait_partner)                                                                  \
			waitq_wake_one(wait_partner);                                              \
		wait_err;                                                                          \
	})

#endif
