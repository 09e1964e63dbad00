/*
 * Spinlocks: ticket locks with a class. Taking one disables preemption; a lock that an interrupt
 * handler takes too is taken with spin_lock_irqsave() everywhere else. Held for a bounded number of
 * steps, never across a user copy, an allocation that may wait, or anything that sleeps. Debug
 * builds check the order of classes (lib/lockorder.h).
 */
#ifndef ARCH_SPIN_H
#define ARCH_SPIN_H

#include <arch/cpu.h>
#include <lib/annotate.h>
#include <lib/atomic.h>
#include <lib/lockclass.h>
#include <lib/types.h>

struct CAPABILITY("spinlock") spinlock {
	uint16_t next;    /* atomic: the ticket that the next one who comes draws */
	uint16_t serving; /* atomic, written by the holder alone */
	uint32_t class;   /* constant: enum lock_class */
};

#define SPINLOCK_INIT(lock_class)                                                                  \
	{                                                                                          \
		.class = (lock_class)                                                              \
	}

static inline void spin_init(struct spinlock *lock, enum lock_class class)
{
	*lock = (struct spinlock)SPINLOCK_INIT(class);
}

/* Hooks of the order checker (arch/x86_64/spin.c); no-ops in a release build. `try`: a try-lock
 * cannot deadlock. */
void spin_debug_acquire(const struct spinlock *lock, bool try);
void spin_debug_release(const struct spinlock *lock);
/* This CPU holds no spinlock; preemption is off. Only meaningful in debug builds. */
bool spin_debug_none_held(void);

/* Waits until it is the ticket's turn, and counts how long that took. */
void spin_wait(struct spinlock *lock, uint16_t ticket);

/* How often the locks of a class had to be waited for, and for how long: spinning, or asleep
 * (sched/lock.h). Locks that are free cost nothing to count. */
struct lock_waits {
	uint64_t nwaits;
	uint64_t cycles; /* of clock_cycles() */
	uint64_t longest_cycles;
};
void lock_waits(enum lock_class class, struct lock_waits *out); /* of all CPUs */
void lock_note_wait(enum lock_class class, uint64_t cycles);

static inline void spin_lock(struct spinlock *lock) ACQUIRE(lock) NO_THREAD_SAFETY
{
	uint16_t ticket;

	preempt_disable();
	if (IS_ON(FUSELAGE_DEBUG))
		spin_debug_acquire(lock, false);
	ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
	/* Acquire: pairs with the release in spin_unlock(). */
	if (unlikely(load_acquire(&lock->serving) != ticket))
		spin_wait(lock, ticket);
}

static inline bool spin_trylock(struct spinlock *lock) TRY_ACQUIRE(true, lock) NO_THREAD_SAFETY
{
	uint16_t serving;

	preempt_disable();
	serving = load_acquire(&lock->serving);
	if (__atomic_compare_exchange_n(&lock->next, &serving, (uint16_t)(serving + 1), false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		if (IS_ON(FUSELAGE_DEBUG))
			spin_debug_acquire(lock, true);
		return true;
	}
	preempt_enable();
	return false;
}

static inline void spin_unlock(struct spinlock *lock) RELEASE(lock) NO_THREAD_SAFETY
{
	if (IS_ON(FUSELAGE_DEBUG))
		spin_debug_release(lock);
	store_release(&lock->serving, (uint16_t)(lock->serving + 1));
	preempt_enable();
}

/* For the scheduler, which goes on to switch: preemption stays disabled. */
static inline void spin_unlock_stay_disabled(struct spinlock *lock) RELEASE(lock) NO_THREAD_SAFETY
{
	if (IS_ON(FUSELAGE_DEBUG))
		spin_debug_release(lock);
	store_release(&lock->serving, (uint16_t)(lock->serving + 1));
}

static inline irqflags_t spin_lock_irqsave(struct spinlock *lock) ACQUIRE(lock) NO_THREAD_SAFETY
{
	irqflags_t flags = irq_save();

	spin_lock(lock);
	return flags;
}

static inline void spin_unlock_irqrestore(struct spinlock *lock, irqflags_t flags)
	RELEASE(lock) NO_THREAD_SAFETY
{
	if (IS_ON(FUSELAGE_DEBUG))
		spin_debug_release(lock);
	store_release(&lock->serving, (uint16_t)(lock->serving + 1));
	irq_restore(flags);
	preempt_enable(); /* after the restore: a switch that is due can happen */
}

static inline bool spin_is_locked(const struct spinlock *lock)
{
	return read_once(&lock->next) != read_once(&lock->serving);
}

#endif
