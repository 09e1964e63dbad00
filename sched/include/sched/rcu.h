/*
 * Read-copy-update: readers follow pointers without a lock; who takes an object out of reach frees
 * it a grace period later, when every CPU has been seen outside of all read sections.
 *
 * A read section is a stretch with preemption disabled, so: no sleeping, and short. Code that runs
 * with interrupts or preemption off for another reason, spinlock holders included, is in one too. A
 * CPU has left all its read sections when it switches threads, is idle, or takes the timer
 * interrupt in a program or in preemptible code: nothing is asked of the system call path.
 * The model is tests/model/rcu.pml.
 */
#ifndef SCHED_RCU_H
#define SCHED_RCU_H

#include <arch/cpu.h>
#include <lib/atomic.h>
#include <lib/types.h>

static inline void rcu_read_lock(void)
{
	preempt_disable();
}

static inline void rcu_read_unlock(void)
{
	preempt_enable();
}

/* Makes a filled object reachable. Release: pairs with rcu_dereference(). */
#define rcu_assign(pointer_to, value) store_release((pointer_to), (value))
/* Reads a pointer that rcu_assign() writes: rcu_dereference(&table->entry[i]). In a read section,
 * or under the lock of those who write it. */
#define rcu_dereference(pointer_to) load_acquire(pointer_to)

struct rcu_head {
	struct rcu_head *next;
	void (*function)(struct rcu_head *head);
};

/* Calls function(head) a grace period from now, in a task: it must not sleep. The object that holds
 * the head is out of reach already. From any context and under any lock. */
void rcu_call(struct rcu_head *head, void (*function)(struct rcu_head *head));
/* Returns a grace period later. Sleeps. */
void rcu_synchronize(void);
/* Returns when all functions handed to rcu_call() before have run. Sleeps. */
void rcu_barrier(void);

/* How many functions wait for their grace period. */
uint64_t rcu_pending(void);

#endif
