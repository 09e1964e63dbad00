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

static inline bool futex_key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->memory == b->memory && a->offset == b->offset;
}

struct futex_bucket;
struct pi_call;

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
	struct pi_call *pi;           /* [c] the lock that it is to be passed to; NULL: none */
};

/* Lists it; whoever wakes it afterwards finds it. */
void futex_enlist(struct futex_waiter *waiter, const struct futex_key *key);
/* Off the list, whoever takes it off; true: it was a waker. */
bool futex_leave(struct futex_waiter *waiter);

/* ---- locks that are waited for (pi.c) ---- */

struct pi_futex;
struct uthread;

/* In memory of the thread that waits; all but `queue` under the lock of pi.c. */
struct pi_waiter {
	struct list link;
	struct uthread *uthread; /* [c] */
	struct pi_futex *futex;
	bool granted; /* atomic: release by who gives it */
	struct waitq queue;
};

/* One call that reaches the word, for its own thread or for others that wait. */
struct pi_call {
	const struct futex_lock *request;
	struct futex_key key;
	struct pi_futex *spare; /* used if none is there yet */
	struct pi_waiter waiter;
};

/* -EFAULT: no word is there. What begins well ends by pi_futex_end(). */
err_t must_check pi_futex_begin(struct pi_call *call, const struct futex_lock *request);
void pi_futex_end(struct pi_call *call);
/* Before each pi_futex_pass(). -ENOMEM. */
err_t must_check pi_futex_prepare(struct pi_call *call);
/* The lock of `by` becomes the waiter's, or it waits for it from here on. Its thread is kept from
 * leaving by the caller. Errors as futex_lock_pi's. */
err_t must_check pi_futex_pass(struct pi_call *by, struct pi_waiter *waiter);
/* Until the lock is the running thread's, for which it waits. -ETIMEDOUT, -EFAULT,
 * -ERESTARTNOINTR. */
err_t must_check pi_futex_wait(struct pi_call *call);
/* What was tried under the lock shall be tried again: after a fault, or a change by others. Sleeps.
 */
bool pi_futex_try_again(err_t *err, uint64_t address);

/* Passes the most urgent one that waits on `from` to the lock of `by`. 1: one; 0: nobody waits;
 * -EINVAL: it waits for something else (futex.c). */
err_t must_check futex_pass_one(const struct futex_key *from, struct pi_call *by);

#endif
