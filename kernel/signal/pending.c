/*
 * Masks and what is pending. A set of bits says which signals wait; behind it is a queue of those
 * that have more to tell than their number. Of the old signals (below SIGRTMIN) one of a kind
 * waits, of the others as many as came.
 */
#include "signal.h"

#include "../ptrace/ptrace.h"
#include "../time/posix_timer.h"

#include <mm/slab.h>

void signal_pending_init(struct signal_pending *pending)
{
	pending->set = 0;
	list_init(&pending->queue);
}

void signal_pending_add_locked(struct process *process, struct signal_pending *pending, int signal,
			       struct signal_entry **entry)
{
	uint64_t bit = SIGNAL_BIT(signal);

	/* As on Linux a timer's signal waits beside another one of its kind. */
	if (pending->set & bit && signal < SIGRTMIN && !(*entry && (*entry)->timer))
		return;
	write_once(&pending->set, pending->set | bit);
	if (!*entry)
		return;
	list_add_tail(&pending->queue, &(*entry)->link);
	process->nqueued++;
	*entry = NULL;
}

/* ---- taking out ---- */

/* `info`: it is taken, and this is what the program sees; NULL: it is dropped. */
static void free_entry_locked(struct process *process, struct signal_entry *entry,
			      struct signal_info *info) REQUIRES(process->signal_lock);
static void free_entry_locked(struct process *process, struct signal_entry *entry,
			      struct signal_info *info)
{
	list_del(&entry->link);
	process->nqueued--;
	if (unlikely(entry->timer))
		posix_timer_taken_locked(process, entry, info);
	else
		kfree(entry);
}

static void forget_in(struct signal_pending *pending, const struct posix_timer *timer)
{
	struct signal_entry *entry;

	list_for_each (entry, &pending->queue, link) {
		if (entry->timer == timer)
			entry->timer = NULL;
	}
}

void signal_forget_timer_locked(struct process *process, const struct posix_timer *timer)
{
	struct uthread *uthread;

	forget_in(&process->pending, timer);
	list_for_each (uthread, &process->threads, sibling)
		forget_in(&uthread->pending, timer);
}

/* Fills *info from the queue; the bit goes with the last of its kind. */
static void take_from_locked(struct process *process, struct signal_pending *pending, int signal,
			     struct signal_info *info) REQUIRES(process->signal_lock);
static void take_from_locked(struct process *process, struct signal_pending *pending, int signal,
			     struct signal_info *info)
{
	struct signal_entry *entry;
	struct signal_entry *following;
	bool found = false;
	bool more = false;

	*info = (struct signal_info){.signal = signal, .code = SI_KERNEL};
	if (signal == SIGALRM)
		signal_alarm_taken_locked(process);
	list_for_each_safe (entry, following, &pending->queue, link) {
		if (entry->info.signal != signal)
			continue;
		if (found) {
			more = true;
			break;
		}
		found = true;
		*info = entry->info;
		free_entry_locked(process, entry, info);
	}
	if (!more)
		write_once(&pending->set, pending->set & ~SIGNAL_BIT(signal));
}

/* What the program itself did comes first, as on Linux: its handler shall see the registers of the
 * fault and not those of another handler. */
#define SYNCHRONOUS_SIGNALS                                                                        \
	(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) |     \
	 SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSYS))

int signal_take_locked(struct process *process, struct uthread *uthread, uint64_t set,
		       struct signal_info *info)
{
	struct signal_pending *from = &uthread->pending;
	uint64_t ready = from->set & set;
	int signal;

	if (!ready) {
		from = &process->pending;
		ready = from->set & set;
	}
	if (!ready)
		return 0;
	if (ready & SYNCHRONOUS_SIGNALS)
		ready &= SYNCHRONOUS_SIGNALS;
	signal = __builtin_ctzll(ready) + 1;
	take_from_locked(process, from, signal, info);
	return signal;
}

static void drop_from_locked(struct process *process, struct signal_pending *pending, uint64_t set)
	REQUIRES(process->signal_lock);
static void drop_from_locked(struct process *process, struct signal_pending *pending, uint64_t set)
{
	struct signal_entry *entry;
	struct signal_entry *following;

	if (!(pending->set & set))
		return;
	write_once(&pending->set, pending->set & ~set);
	list_for_each_safe (entry, following, &pending->queue, link) {
		if (SIGNAL_BIT(entry->info.signal) & set)
			free_entry_locked(process, entry, NULL);
	}
}

void signal_drop_thread_locked(struct process *process, struct uthread *uthread, uint64_t set)
{
	drop_from_locked(process, &uthread->pending, set);
}

void signal_drop_locked(struct process *process, uint64_t set)
{
	struct uthread *uthread;

	drop_from_locked(process, &process->pending, set);
	list_for_each (uthread, &process->threads, sibling)
		drop_from_locked(process, &uthread->pending, set);
}

/* ---- masks ---- */

static uint64_t ready_locked(const struct process *process, const struct uthread *uthread)
	REQUIRES(process->signal_lock);
static uint64_t ready_locked(const struct process *process, const struct uthread *uthread)
{
	return (uthread->pending.set | process->pending.set) &
	       ~(uthread->blocked & ~uthread->awaited);
}

void signal_recalculate_locked(struct process *process, struct uthread *uthread)
{
	if (ready_locked(process, uthread) || ptrace_must_rest_locked(process, uthread) ||
	    process->exiting || uthread->replaced || ptrace_must_trap_locked(process, uthread))
		thread_interrupt(uthread->thread);
	else
		thread_clear_interrupt();
}

void signal_hand_over_locked(struct process *process, struct uthread *uthread, uint64_t set)
{
	uint64_t ready = process->pending.set & set;
	struct uthread *other;

	if (!ready)
		return;
	list_for_each (other, &process->threads, sibling) {
		uint64_t wanted = ready & ~(other->blocked & ~other->awaited);

		if (other == uthread || other->ending || !wanted)
			continue;
		thread_interrupt(other->thread);
		ready &= ~wanted;
		if (!ready)
			return;
	}
}

void signal_set_blocked(uint64_t blocked)
{
	struct uthread *uthread = uthread_current();
	struct process *process = uthread->process;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	uint64_t newly;

	blocked &= ~UNBLOCKABLE_SIGNALS;
	newly = blocked & ~uthread->blocked;
	uthread->blocked = blocked;
	if (newly)
		signal_hand_over_locked(process, uthread, newly);
	signal_recalculate_locked(process, uthread);
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

void signal_set_blocked_for_now(uint64_t blocked)
{
	struct uthread *uthread = uthread_current();

	uthread->blocked_before = uthread->blocked;
	uthread->restore_blocked = true;
	signal_set_blocked(blocked);
}

void signal_end_blocked_for_now(void)
{
	struct uthread *uthread = uthread_current();

	if (!uthread->restore_blocked)
		return;
	uthread->restore_blocked = false;
	signal_set_blocked(uthread->blocked_before);
}

uint64_t signal_pending_set(const struct uthread *uthread)
{
	return read_once(&uthread->pending.set) | read_once(&uthread->process->pending.set);
}
