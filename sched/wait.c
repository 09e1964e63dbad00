/*
 * Wait queues: see sched/wait.h. The queue's lock (LOCK_WAITQ) guards its list; LOCK_RUNQ is taken
 * inside of it.
 *
 * An entry lies on its waiter's stack. A waker wakes the thread first and takes the entry off
 * afterwards, and `queued` = false is the last it does with it: the waiter that sees that may
 * return, and even end, without taking the lock. One that sees it still queued knows nothing: it
 * may be running because of a waker that is about to take the entry off. So it looks under the
 * lock.
 */
#include <sched/wait.h>

#include <sched/task.h>
#include <sched/timer.h>

#include "sched_priv.h"

#include <lib/panic.h>

void waitq_init(struct waitq *queue)
{
	*queue = (struct waitq)WAITQ_INIT(*queue);
}

/* ---- waking ---- */

static struct wait_entry *first_waiter(struct waitq *queue)
{
	return list_first_entry(&queue->waiters, struct wait_entry, link);
}

static void wake_waiter(struct wait_entry *entry)
{
	if (likely(entry->thread))
		thread_wake(entry->thread);
	else
		task_wake(entry->task);
}

/* The last that is done with the entry. */
static void let_go(struct wait_entry *entry)
{
	list_del(&entry->link);
	entry->woken = true;
	/* Release: pairs with the acquire in waitq_answer() and waitq_finish(). */
	store_release(&entry->queued, false);
}

/* The barrier orders the waker's change before the look at the list, as waitq_prepare()'s orders
 * the waiter's queueing before its look at the condition: one of the two sees the other. */
static bool nobody_waits(struct waitq *queue)
{
	memory_barrier();
	return !waitq_has_waiters(queue);
}

static bool is_watch(const struct wait_entry *entry)
{
	return !entry->thread && !entry->task;
}

/* Where it belongs: one that is exclusive takes its turn. */
static void link_watch(struct waitq *queue, struct waitq_watch *watch)
{
	if (watch->exclusive)
		list_add_tail(&queue->waiters, &watch->entry.link);
	else
		list_add_head(&queue->waiters, &watch->entry.link);
}

/* Tells watches of a wake-one until there is somebody to wake: NULL if there is nobody, or an
 * exclusive watch has answered; then *answered. Under the queue's lock. */
static struct wait_entry *first_behind_watches(struct waitq *queue, bool *answered)
{
	struct wait_entry *entry;

	list_for_each (entry, &queue->waiters, link) {
		struct waitq_watch *watch = container_of(entry, struct waitq_watch, entry);

		if (!is_watch(entry))
			return entry;
		*answered = watch->notify(watch, ~0u) && watch->exclusive;
		if (*answered) {
			list_del(&entry->link);
			link_watch(queue, watch);
			break;
		}
	}
	return NULL;
}

/* Who a wake-one is for. The queue is not empty. */
static ALWAYS_INLINE struct wait_entry *one_to_wake(struct waitq *queue, bool *answered)
{
	struct wait_entry *entry = first_waiter(queue);

	*answered = false;
	return likely(entry->thread) ? entry : first_behind_watches(queue, answered);
}

bool waitq_wake_one(struct waitq *queue)
{
	irqflags_t flags;
	bool found;

	if (nobody_waits(queue))
		return false;
	flags = spin_lock_irqsave(&queue->lock);
	found = !list_empty(&queue->waiters);
	if (likely(found)) {
		struct wait_entry *entry = one_to_wake(queue, &found);

		if (likely(entry)) {
			wake_waiter(entry);
			let_go(entry);
			found = true;
		}
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	return found;
}

static bool is_no_watch(UNUSED struct waitq_watch *watch, UNUSED unsigned events)
{
	return false;
}

/* True: an exclusive watch has answered. */
static bool wake_or_tell(struct wait_entry *entry, unsigned events, bool answered)
{
	struct waitq_watch *watch = container_of(entry, struct waitq_watch, entry);

	if (!is_watch(entry)) {
		wake_waiter(entry);
		let_go(entry);
	} else if (!watch->exclusive || !answered) {
		answered |= watch->notify(watch, events) && watch->exclusive;
	}
	return answered;
}

/* Bounded steps at a time. Watches stay where they are: another who wakes meanwhile has to find
 * them, with events of its own. So two marks stand among them, how far this has come and where it
 * ends, which are watches to everybody else. Those who queue from now on are not meant. */
static void wake_many(struct waitq *queue, unsigned events)
{
	struct waitq_watch done = {.notify = is_no_watch};
	struct waitq_watch end = {.notify = is_no_watch};
	bool answered = false;
	struct wait_entry *entry;
	irqflags_t flags = spin_lock_irqsave(&queue->lock);

	list_add_head(&queue->waiters, &done.entry.link);
	list_add_tail(&queue->waiters, &end.entry.link);
	while ((entry = list_first_entry(&done.entry.link, struct wait_entry, link)) !=
	       &end.entry) {
		list_del(&done.entry.link);
		list_add_head(&entry->link, &done.entry.link);
		answered = wake_or_tell(entry, events, answered);
		spin_unlock_irqrestore(&queue->lock, flags);
		flags = spin_lock_irqsave(&queue->lock);
	}
	list_del(&done.entry.link);
	list_del(&end.entry.link);
	spin_unlock_irqrestore(&queue->lock, flags);
}

void waitq_wake_all_events(struct waitq *queue, unsigned events)
{
	irqflags_t flags;
	bool many;

	if (nobody_waits(queue))
		return;
	flags = spin_lock_irqsave(&queue->lock);
	many = queue->waiters.next != queue->waiters.prev;
	if (likely(!many && !list_empty(&queue->waiters)))
		(void)wake_or_tell(first_waiter(queue), events, false);
	spin_unlock_irqrestore(&queue->lock, flags);
	if (unlikely(many))
		wake_many(queue, events);
}

/* ---- watching ---- */

void waitq_watch(struct waitq *queue, struct waitq_watch *watch)
{
	irqflags_t flags = spin_lock_irqsave(&queue->lock);

	watch->entry = (struct wait_entry){.queued = true};
	link_watch(queue, watch);
	spin_unlock_irqrestore(&queue->lock, flags);
	memory_barrier();
}

void waitq_unwatch(struct waitq *queue, struct waitq_watch *watch)
{
	irqflags_t flags = spin_lock_irqsave(&queue->lock);

	list_del(&watch->entry.link);
	spin_unlock_irqrestore(&queue->lock, flags);
}

/* ---- waiting ---- */

void waitq_prepare(struct waitq *queue, struct wait_entry *entry)
{
	irqflags_t flags;

	flags = spin_lock_irqsave(&queue->lock);
	if (!entry->queued) {
		entry->woken = false;
		write_once(&entry->queued, true);
		list_add_tail(&queue->waiters, &entry->link);
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	if (likely(entry->thread))
		entry->thread->waits_on = queue;
	memory_barrier();
}

static void wake_thread(void *thread)
{
	thread_wake(thread);
}

static bool is_ended(unsigned end_on)
{
	return read_once(&current_thread()->pending) & end_on;
}

static void block(struct waitq *partner)
{
	if (partner)
		waitq_wake_one_switch(partner);
	else
		thread_block();
}

/* Who sets a pending bit wakes afterwards: either it is seen here or thread_block() returns. */
static ALWAYS_INLINE err_t block_until(unsigned end_on, uint64_t deadline_ns, struct waitq *partner)
{
	struct timer timer;

	if (unlikely(is_ended(end_on)))
		return -EINTR;
	if (likely(deadline_ns == UINT64_MAX)) {
		current_thread()->uninterruptible = !end_on;
		block(partner);
		current_thread()->uninterruptible = false;
		return 0;
	}
	if (clock_ns() >= deadline_ns)
		return -ETIMEDOUT;
	timer_init(&timer, wake_thread, current_thread());
	timer_start(&timer, deadline_ns);
	block(partner);
	timer_cancel(&timer);
	return 0;
}

err_t thread_wait(unsigned end_on, uint64_t deadline_ns)
{
	return block_until(end_on, deadline_ns, NULL);
}

err_t thread_wait_switch(unsigned end_on, struct thread *partner, struct spinlock *held)
{
	bool claimed = false;

	irq_disable();
	if (likely(!is_ended(end_on)))
		claimed = sched_claim(partner);
	if (unlikely(!claimed))
		thread_wake(partner);
	spin_unlock(held);
	current_thread()->uninterruptible = !end_on;
	if (likely(claimed))
		sched_switch_to_claimed(partner);
	irq_enable();
	current_thread()->uninterruptible = false;
	return likely(claimed) ? 0 : thread_wait(end_on, UINT64_MAX);
}

err_t waitq_block(struct waitq *queue, struct wait_entry *entry, unsigned end_on,
		  uint64_t deadline_ns)
{
	debug_assert(current_thread()->waits_on == queue);
	debug_assert(entry->thread == current_thread());
	return thread_wait(end_on, deadline_ns);
}

err_t waitq_block_switch(struct waitq *queue, struct wait_entry *entry, unsigned end_on,
			 uint64_t deadline_ns, struct waitq *partner)
{
	err_t err;

	debug_assert(current_thread()->waits_on == queue);
	debug_assert(entry->thread == current_thread());
	err = block_until(end_on, deadline_ns, partner);
	if (err)
		waitq_wake_one(partner); /* it did not come to the switch */
	return err;
}

void waitq_finish(struct waitq *queue, struct wait_entry *entry)
{
	if (likely(entry->thread))
		entry->thread->waits_on = NULL;
	if (load_acquire(&entry->queued)) {
		irqflags_t flags = spin_lock_irqsave(&queue->lock);

		if (entry->queued) {
			list_del(&entry->link);
			entry->queued = false;
		}
		spin_unlock_irqrestore(&queue->lock, flags);
	}
	if (unlikely(entry->woken))
		waitq_wake_one(queue);
}

void waitq_wake_one_switch(struct waitq *queue)
{
	struct thread *partner = NULL;

	irq_disable();
	spin_lock(&queue->lock);
	if (likely(!list_empty(&queue->waiters))) {
		bool answered;
		struct wait_entry *entry = one_to_wake(queue, &answered);

		if (likely(entry)) {
			if (likely(entry->thread) && sched_claim(entry->thread))
				partner = entry->thread;
			else
				wake_waiter(entry);
			let_go(entry);
		}
	}
	spin_unlock(&queue->lock);
	if (likely(partner))
		sched_switch_to_claimed(partner);
	irq_enable();
	if (unlikely(!partner))
		thread_block();
}

/* ---- sleeping for a time ---- */

err_t thread_sleep_until_ns(uint64_t deadline_ns)
{
	err_t err;

	do {
		err = thread_wait(THREAD_KILLED, deadline_ns);
	} while (!err);
	return err == -ETIMEDOUT ? 0 : err;
}

err_t thread_sleep_ns(uint64_t duration_ns)
{
	uint64_t now_ns = clock_ns();

	return thread_sleep_until_ns(now_ns + MIN(duration_ns, UINT64_MAX - 1 - now_ns));
}
