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
err_t must_check futex_requeue(uint64_t from, uint64_t to, bool is_private, unsigned nwake,
			       unsigned nmove, const uint32_t *expected);
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

/* The running thread ends and had this list of robust futexes: marks what it still owns as its dead
 * owner's, and wakes one waiter of each. Nothing of the list is believed. */
void futex_owner_died(uint64_t list_head, uint32_t tid);
/* What restart_syscall does for one that was interrupted. */
int futex_wait_again(const struct restart *restart);

#endif
