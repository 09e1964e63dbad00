/*
 * Futexes: threads that wait on a word of memory. A word in private memory is known by its space
 * and address, one in shared memory by the memory object and the place in it, so processes that map
 * it at different addresses meet.
 */
#ifndef KERNEL_FUTEX_H
#define KERNEL_FUTEX_H

#include <lib/types.h>

struct restart;

#define FUTEX_BITS_ALL UINT32_MAX

/* All addresses are of the running thread's space; all may sleep. How many were woken (or moved);
 * -EFAULT: nothing is mapped there. */
err_t futex_wake_address(uint64_t address, unsigned nwake);
err_t must_check futex_wake(uint64_t address, bool is_private, unsigned nwake, uint32_t bits);
/* Wakes `nwake` and has up to `nmove` others wait at `to` instead. `expected` NULL: whatever the
 * word is; else -EAGAIN if it is something else. */
struct futex_place {
	uint64_t address;
	bool is_private;
};
err_t must_check futex_requeue(const struct futex_place *from, const struct futex_place *to,
			       unsigned nwake, unsigned nmove, const uint32_t *expected);
/* Changes the word at `second` as `encoded` says (futex(2), FUTEX_WAKE_OP), wakes at `first`, and
 * at `second` if its old value was as `encoded` says. */
err_t must_check futex_wake_op(uint64_t first, uint64_t second, bool is_private, unsigned nwake,
			       unsigned nwake_second, uint32_t encoded);

struct futex_wait {
	uint64_t address;
	bool is_private;
	uint32_t expected;
	uint32_t bits;
	uint64_t deadline_ns; /* UINT64_MAX: none */
};
/* -EAGAIN: the word is not as expected; -ETIMEDOUT; -EINTR. */
err_t must_check futex_wait(const struct futex_wait *wait);
/* On all of `nwords` at once, until one of them is woken: its place in the list. Bits and deadlines
 * of the single ones do not count. -ENOMEM, and as above. */
err_t must_check futex_wait_many(const struct futex_wait *words, unsigned nwords,
				 uint64_t deadline_ns);

/* ---- whose owner inherits (pi.c) ---- */

struct uthread;

struct futex_lock {
	uint64_t address;
	bool is_private;
	bool only_try;
	uint64_t deadline_ns; /* UINT64_MAX: none */
};
/* The word is the running thread's. -EDEADLK: it waits for itself; -ESRCH: the word names no
 * thread; -EINVAL: it and those who wait do not fit; -EAGAIN: only tried; -ETIMEDOUT, -EFAULT,
 * -ENOMEM, -ERESTARTNOINTR. */
err_t must_check futex_lock_pi(const struct futex_lock *request);
/* Waits on a word, and from the moment when somebody passes it on for the lock, which it has at the
 * end. The bits do not count. -EINVAL: both are one word; -EAGAIN: the word is not as expected, or
 * a signal came after it was passed on; else as futex_lock_pi(). */
err_t must_check futex_wait_requeue_pi(const struct futex_wait *wait,
				       const struct futex_lock *request);
/* Passes on one that waits so at `from` and up to `nmove` others, the most urgent ones first; how
 * many. -EAGAIN: the word is not as expected; -EINVAL: one waits for something else; else as
 * futex_lock_pi(). */
err_t must_check futex_requeue_pi(const struct futex_place *from, const struct futex_place *to,
				  unsigned nmove, uint32_t expected);
/* To the most urgent one that waits. -EPERM: it is not ours. */
err_t must_check futex_unlock_pi(uint64_t address, bool is_private);
/* What the running thread owns and others wait for goes to those: its memory ends, and with it
 * (`for_good`) the thread, or it begins a new program. */
void pi_futex_exit(struct uthread *uthread, bool for_good);
/* The thread's own policy is another: those that it waits for learn of it. In an RCU section that
 * keeps it. */
void pi_futex_priority_changed(struct uthread *uthread);

/* ---- robust lists (robust.c) ---- */

/* The running thread ends and had this list of robust futexes: marks what it still owns as its dead
 * owner's, and wakes one waiter of each. Nothing of the list is believed. */
void futex_owner_died(uint64_t list_head, uint32_t tid);
/* What restart_syscall does for one that was interrupted. */
int futex_wait_again(const struct restart *restart);

#endif
