/*
 * In the place of the machine's spinlocks: ones of the host, for tests whose threads are the
 * host's.
 */
#ifndef ARCH_SPIN_H
#define ARCH_SPIN_H

#include <sched.h>

#include <arch/cpu.h>
#include <lib/annotate.h>
#include <lib/atomic.h>
#include <lib/lockclass.h>
#include <lib/types.h>

typedef uint64_t irqflags_t;

struct CAPABILITY("spinlock") spinlock {
	bool held; /* atomic */
};

#define SPINLOCK_INIT(lock_class)                                                                  \
	{                                                                                          \
		.held = false                                                                      \
	}

static inline void spin_init(struct spinlock *lock, enum lock_class class)
{
	lock->held = false;
}

static inline irqflags_t spin_lock_irqsave(struct spinlock *lock)
{
	while (atomic_exchange_full(&lock->held, true))
		cpu_relax();
	return 0;
}

static inline void spin_unlock_irqrestore(struct spinlock *lock, irqflags_t flags)
{
	store_release(&lock->held, false);
}

#endif
