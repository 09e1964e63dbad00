/*
 * Sleeping locks. A mutex has an owner; who unlocks with others waiting hands it to the one that
 * waits longest, so nobody starves. Debug builds check the order of classes, and that nobody takes
 * one with a spinlock held or in an interrupt.
 */
#ifndef SCHED_LOCK_H
#define SCHED_LOCK_H

#include <arch/spin.h>
#include <lib/annotate.h>
#include <lib/list.h>
#include <lib/lockclass.h>
#include <lib/types.h>
#include <sched/thread.h>

struct CAPABILITY("mutex") mutex {
	uint64_t owner;       /* atomic: struct thread *, with MUTEX_WAITED in bit 0; 0: free */
	uint32_t class;       /* constant: enum lock_class, a sleeping one */
	struct spinlock lock; /* LOCK_WAITQ */
	struct list waiters;  /* under lock: struct mutex_waiter, the longest waiting first */
};

/* Somebody waits: unlocking goes the long way. Written under mutex->lock alone. */
#define MUTEX_WAITED UINT64_C(1)

#define MUTEX_INIT(name, lock_class)                                                               \
	{                                                                                          \
		.class = (lock_class), .lock = SPINLOCK_INIT(LOCK_WAITQ),                          \
		.waiters = LIST_INIT((name).waiters)                                               \
	}
#define MUTEX(name, lock_class) struct mutex name = MUTEX_INIT(name, lock_class)

void mutex_init(struct mutex *mutex, enum lock_class class);
/* May sleep. */
void mutex_lock(struct mutex *mutex) ACQUIRE(mutex);
/* 0, or -EINTR: killed while waiting, not locked. */
err_t must_check mutex_lock_killable(struct mutex *mutex) TRY_ACQUIRE(0, mutex);
/* Never sleeps. */
bool must_check mutex_trylock(struct mutex *mutex) TRY_ACQUIRE(true, mutex);
/* By the owner. */
void mutex_unlock(struct mutex *mutex) RELEASE(mutex);

static inline bool mutex_is_locked(const struct mutex *mutex)
{
	return read_once(&mutex->owner) != 0;
}

/* The calling thread holds it. */
static inline bool mutex_is_mine(const struct mutex *mutex)
{
	return (read_once(&mutex->owner) & ~MUTEX_WAITED) == (uint64_t)current_thread();
}

#endif
