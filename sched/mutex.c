/*
 * Sleeping mutexes: see sched/lock.h. The owner word is taken and freed by compare-and-swap while
 * nobody waits. With waiters (MUTEX_WAITED set, under mutex->lock) it is never free: unlocking
 * writes the longest waiting one into it and wakes that. LOCK_RUNQ is taken inside of mutex->lock.
 *
 * The owner lends nothing to those who wait for it yet: priority inheritance belongs where a waiter
 * queues itself, lock_slow(), and is given back in unlock_slow(); the owner word says to whom.
 */
#include <sched/lock.h>

#include <abi/errno.h>
#include <arch/clock.h>
#include <lib/panic.h>

/* On its thread's stack; all under mutex->lock. */
struct mutex_waiter {
	struct list link;
	struct thread *thread;
	bool is_owner; /* the mutex was handed to it */
};

static uint64_t owner_word(const struct thread *thread)
{
	return (uint64_t)thread;
}

void mutex_init(struct mutex *mutex, enum lock_class class)
{
	*mutex = (struct mutex)MUTEX_INIT(*mutex, class);
}

/* ---- order checks, in debug builds ---- */

static void check_acquire(struct mutex *mutex, bool is_try)
{
	struct lockorder_stack *stack = &current_thread()->sleeping_locks;
	enum lockorder_fault fault;

	if (!is_try && preempt_depth() != 0 && sched_started())
		lockorder_report(LOCKORDER_SLEEPS_IN_SPIN, stack, mutex, mutex->class);
	fault = lockorder_acquire(stack, mutex, mutex->class, 0, is_try);
	if (fault != LOCKORDER_FINE)
		lockorder_report(fault, stack, mutex, mutex->class);
}

static void check_release(struct mutex *mutex)
{
	struct lockorder_stack *stack = &current_thread()->sleeping_locks;
	enum lockorder_fault fault = lockorder_release(stack, mutex);

	if (fault != LOCKORDER_FINE)
		lockorder_report(fault, stack, mutex, mutex->class);
	if (!mutex_is_mine(mutex))
		panic("mutex %p unlocked by %s, who is not its owner", (void *)mutex,
		      current_thread()->name);
}

/* ---- locking ---- */

static bool try_take(struct mutex *mutex)
{
	uint64_t expected = 0;

	return atomic_cas(&mutex->owner, &expected, owner_word(current_thread()));
}

/* Under mutex->lock. True: it was free and is ours; else it cannot become free without us. */
static bool take_or_announce(struct mutex *mutex)
{
	uint64_t owner = read_once(&mutex->owner);

	for (;;) {
		uint64_t wanted = owner ? owner | MUTEX_WAITED : owner_word(current_thread());

		if (atomic_cas(&mutex->owner, &owner, wanted))
			return wanted == owner_word(current_thread());
	}
}

/* Leaves the queue, unless the mutex was handed over just before. */
static err_t give_up(struct mutex *mutex, struct mutex_waiter *waiter)
{
	if (waiter->is_owner)
		return 0;
	list_del(&waiter->link);
	if (list_empty(&mutex->waiters))
		atomic_fetch_and_full(&mutex->owner, ~MUTEX_WAITED);
	return -EINTR;
}

static NOINLINE err_t lock_slow(struct mutex *mutex, unsigned end_on)
{
	struct mutex_waiter waiter = {.thread = current_thread()};
	uint64_t start = clock_cycles();
	irqflags_t flags;
	err_t err = 0;

	flags = spin_lock_irqsave(&mutex->lock);
	if (take_or_announce(mutex))
		goto unlock;
	list_add_tail(&mutex->waiters, &waiter.link);
	while (!waiter.is_owner) {
		if (unlikely(read_once(&waiter.thread->pending) & end_on)) {
			err = give_up(mutex, &waiter);
			break;
		}
		waiter.thread->waits_on = mutex;
		waiter.thread->uninterruptible = !end_on;
		spin_unlock_irqrestore(&mutex->lock, flags);
		thread_block();
		flags = spin_lock_irqsave(&mutex->lock);
	}
	waiter.thread->waits_on = NULL;
	waiter.thread->uninterruptible = false;
unlock:
	spin_unlock_irqrestore(&mutex->lock, flags);
	lock_note_wait(mutex->class, clock_cycles() - start);
	return err;
}

void mutex_lock(struct mutex *mutex) NO_THREAD_SAFETY
{
	if (IS_ON(FUSELAGE_DEBUG))
		check_acquire(mutex, false);
	if (unlikely(!try_take(mutex)))
		(void)lock_slow(mutex, 0); /* nothing ends it early */
}

err_t mutex_lock_killable(struct mutex *mutex) NO_THREAD_SAFETY
{
	err_t err = 0;

	if (IS_ON(FUSELAGE_DEBUG))
		check_acquire(mutex, false);
	if (unlikely(!try_take(mutex)))
		err = lock_slow(mutex, THREAD_KILLED);
	if (IS_ON(FUSELAGE_DEBUG) && err)
		(void)lockorder_release(&current_thread()->sleeping_locks, mutex);
	return err;
}

bool mutex_trylock(struct mutex *mutex) NO_THREAD_SAFETY
{
	if (!try_take(mutex))
		return false;
	if (IS_ON(FUSELAGE_DEBUG))
		check_acquire(mutex, true);
	return true;
}

/* ---- unlocking ---- */

/* Hands it to the one that waits longest. Woken under the lock: the waiter looks at is_owner under
 * it, so its thread cannot end before the wake is done. */
static NOINLINE void unlock_slow(struct mutex *mutex)
{
	irqflags_t flags = spin_lock_irqsave(&mutex->lock);
	struct mutex_waiter *waiter;

	if (unlikely(list_empty(&mutex->waiters))) { /* the last of them gave up */
		store_release(&mutex->owner, 0);
		goto unlock;
	}
	waiter = list_first_entry(&mutex->waiters, struct mutex_waiter, link);
	list_del(&waiter->link);
	store_release(&mutex->owner, owner_word(waiter->thread) |
					     (list_empty(&mutex->waiters) ? 0 : MUTEX_WAITED));
	waiter->is_owner = true;
	thread_wake(waiter->thread);
unlock:
	spin_unlock_irqrestore(&mutex->lock, flags);
}

void mutex_unlock(struct mutex *mutex) NO_THREAD_SAFETY
{
	uint64_t expected = owner_word(current_thread());

	if (IS_ON(FUSELAGE_DEBUG))
		check_release(mutex);
	if (unlikely(!atomic_cas(&mutex->owner, &expected, 0)))
		unlock_slow(mutex);
}
