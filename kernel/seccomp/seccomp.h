/*
 * Filters of system calls (seccomp(2)): programs in classic BPF that say what becomes of a thread's
 * calls.
 *
 * A thread has a chain of filters, the newest first; each has a reference to the one before it, and
 * threads that were made by others share what those had. So chains only grow, and nobody loses a
 * filter but by its end. The pointer to the newest is the thread's: it is written under its
 * process's signal_lock, by itself or, where all threads shall have the same (TSYNC), by another
 * one, which then gives it a chain that the old one is a part of; so what the thread reads stays
 * there without a lock.
 *
 * No call pays for this in a process without filters: see CALLS_FILTERED.
 */
#ifndef KERNEL_SECCOMP_SECCOMP_H
#define KERNEL_SECCOMP_SECCOMP_H

#include "../process/uthread.h"

#include <abi/filter.h>
#include <abi/seccomp.h>

struct notifier;
struct seccomp_filter;
struct trap_frame;

/* ---- filters of threads (filter.c) ---- */

/* Adds one to the running thread's, with `flags` as seccomp(2) takes them. The result: 0, the
 * descriptor of the listener, or the number of a thread that has another chain. -EINVAL, -EACCES,
 * -EFAULT, -ENOMEM, -EBUSY: there is a listener already; -ESRCH. Sleeps. */
int must_check seccomp_add_filter(unsigned flags, uptr_t program);
/* A copy of the running thread, which nobody sees yet, has what that one has. */
void seccomp_inherit(struct uthread *child);
/* It is being listed among its process's threads: what came since then. */
void seccomp_follow_locked(const struct process *process, struct uthread *child)
	REQUIRES(process->signal_lock);
/* At its end, or if it never began. */
void seccomp_leave(struct uthread *uthread);
/* SECCOMP_MODE_* */
int seccomp_mode(const struct uthread *uthread);
/* How many it has. Under signal_lock. */
unsigned seccomp_nfilters(const struct uthread *uthread);

/* What the filters of the running thread say of a call, and which one said so. */
uint32_t seccomp_ask_filters(const struct abi_seccomp_data *data,
			     const struct seccomp_filter **out);
/* Who is told of its calls; NULL: nobody. */
struct notifier *seccomp_notifier(const struct seccomp_filter *filter);
bool seccomp_is_logged(const struct seccomp_filter *filter);

/* The filter of this place in a thread's chain, 0 the oldest: with a reference for
 * seccomp_filter_put(). -EINVAL: it has none; -ENOENT: not so many. */
err_t must_check seccomp_nth_locked(const struct uthread *uthread, uint64_t place,
				    struct seccomp_filter **out)
	REQUIRES(uthread->process->signal_lock);
void seccomp_filter_put(struct seccomp_filter *filter); /* takes NULL; not under a spinlock */
const struct abi_filter_instruction *seccomp_instructions(const struct seccomp_filter *filter,
							  unsigned *count);

/* ---- calls (decide.c) ---- */

/* Before a call of the running thread is made, by whatever confines it. False: it is not made, and
 * the frame says what came of it. May end the thread. */
bool seccomp_passes(struct trap_frame *frame);

/* ---- what is logged (log.c) ---- */

void seccomp_log(uint32_t action, const struct abi_seccomp_data *data, bool asked);
bool seccomp_knows_action(uint32_t action);

/* ---- notifications (notify.c) ---- */

/* One whose listener is not there yet. NULL: no memory. */
struct notifier *notifier_create(bool killable);
/* The filter has gone: nobody asks any more. Takes over the filter's reference. Takes NULL. */
void notifier_orphan(struct notifier *notifier);
/* The listener, as an object with a reference for the caller. NULL: no memory. */
struct object *notifier_listen(struct notifier *notifier);
/* Asks what comes of the running thread's call: its result, or *is_made. -ENOSYS: nobody listens;
 * -ERESTARTSYS. */
int64_t notifier_ask(struct notifier *notifier, const struct abi_seccomp_data *data, bool *is_made);

#endif
