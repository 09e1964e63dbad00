/*
 * The lock-order checker as pure data: who holds what, and whether one more may be taken. Debug
 * builds keep one struct lockorder_stack for each CPU (spinlocks: arch/x86_64/spin.c) and one in
 * each thread (sleeping locks: sched/mutex.c). A spinlock is checked against its CPU's stack alone,
 * a sleeping lock against its thread's: the order puts all sleeping locks before all spinlocks, so
 * the one check between the two is that nobody who holds a spinlock takes a sleeping lock.
 * No lock: a stack belongs to its CPU (interrupts off) or its thread.
 */
#ifndef LIB_LOCKORDER_H
#define LIB_LOCKORDER_H

#include <lib/lockclass.h>
#include <lib/types.h>

#define LOCKORDER_MAX 12

struct lockorder_held {
	const void *lock;
	uint16_t class;   /* enum lock_class */
	uint16_t context; /* how deep in interrupts it was taken */
};

struct lockorder_stack {
	uint32_t nheld;
	struct lockorder_held held[LOCKORDER_MAX]; /* in the order taken */
};

/*
 * Which classes were ever seen in an interrupt, and which with interrupts on: a class must not be
 * both, or the interrupt may wait for the very thread it interrupted. One for the machine; bytes,
 * set and never cleared, so that CPUs may race on them.
 */
struct lockorder_usage {
	bool in_interrupt[LOCK_CLASSES];
	bool interruptible[LOCK_CLASSES];
};

enum lockorder_fault {
	LOCKORDER_FINE,
	LOCKORDER_INVERTED,       /* a lock of a later class is held */
	LOCKORDER_SAME_CLASS,     /* one of its class is held, and the class has no inner order */
	LOCKORDER_RECURSIVE,      /* this very lock is held */
	LOCKORDER_TOO_MANY,       /* more than LOCKORDER_MAX */
	LOCKORDER_NOT_HELD,       /* released by somebody who does not hold it */
	LOCKORDER_SLEEPS_IN_SPIN, /* a sleeping lock while a spinlock is held */
	LOCKORDER_INTERRUPTIBLE,  /* the class is used in interrupts and with interrupts on */
};

/* What taking the lock now would break; pushes it if that is nothing. `context`: the depth of
 * hardware interrupts. Locks taken at another depth are not in the way, except the same one: they
 * belong to who was interrupted, and lockorder_use() watches over those. `is_try`: it cannot wait,
 * so only recursion counts. */
enum lockorder_fault lockorder_acquire(struct lockorder_stack *stack, const void *lock,
				       enum lock_class class, uint32_t context, bool is_try);
/* Locks may be released in any order. */
enum lockorder_fault lockorder_release(struct lockorder_stack *stack, const void *lock);
/* Before a spinlock is taken: interrupts are on, or this is an interrupt. */
enum lockorder_fault lockorder_use(struct lockorder_usage *usage, enum lock_class class,
				   bool in_interrupt, bool interrupts_on);

/* The end: names the fault, the lock with its class, and all that is held. */
noreturn void lockorder_report(enum lockorder_fault fault, const struct lockorder_stack *stack,
			       const void *lock, enum lock_class class);

const char *lockclass_name(enum lock_class class);

#endif
