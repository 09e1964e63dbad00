/*
 * What the files of this folder share: names of words, and those who wait on them.
 */
#ifndef KERNEL_FUTEX_FUTEX_PRIV_H
#define KERNEL_FUTEX_FUTEX_PRIV_H

#include "futex.h"

#include <lib/list.h>
#include <sched/wait.h>

struct memory_object;

/* The bits of a word that has an owner (futex(2)). */
#define FUTEX_WAITERS    UINT32_C(0x80000000)
#define FUTEX_OWNER_DIED UINT32_C(0x40000000)
#define FUTEX_TID_MASK   UINT32_C(0x3fffffff)

/* A word's name. */
struct futex_key {
	const void *memory;           /* a space, or a memory object */
	uint64_t offset;              /* address, or place in the object */
	struct memory_object *object; /* a reference; NULL: private */
};

/* -EFAULT: nothing is mapped there. */
err_t must_check futex_key_get(struct futex_key *key, uint64_t address, bool is_private);
void futex_key_put(struct futex_key *key);

struct futex_bucket;

/* In memory of the thread that waits. */
struct futex_waiter {
	struct list link;             /* [bucket lock] */
	struct futex_bucket *bucket;  /* written under both locks when it is moved */
	const void *memory;           /* [bucket lock] the key's */
	uint64_t offset;              /* [bucket lock] */
	struct memory_object *object; /* [bucket lock] the key's, a reference; NULL: private */
	uint32_t bits;                /* [c] */
	bool woken;                   /* atomic: release by the waker */
	struct waitq *queue;          /* [c] only this thread sleeps on it */
};

/* Lists it; whoever wakes it afterwards finds it. */
void futex_enlist(struct futex_waiter *waiter, const struct futex_key *key);
/* Off the list, whoever takes it off; true: it was a waker. */
bool futex_leave(struct futex_waiter *waiter);

#endif
