/*
 * How a process ends. Each of its threads gives back what is its own, the last one what they shared
 * (uthread_exit() calls the steps here); when that thread's stack is no longer in use the process
 * becomes a zombie; somebody waits for it (process/wait.c) and it is gone. So whoever has waited
 * can rely on all memory of the program being back.
 */
#include "exit.h"

#include "../console/screen.h"
#include "../futex/futex.h"
#include "../namespace/pid.h"
#include "../signal/signal.h"
#include "../time/posix_timer.h"
#include "../tty.h"
#include "family.h"
#include "wait.h"

#include <abi/errno.h>
#include <abi/wait.h>
#include <arch/clock.h>
#include <arch/context.h>
#include <arch/user.h>
#include <mm/space.h>

noreturn void process_exit(int status)
{
	uthread_exit(signal_begin_exit(status));
}

/* ---- each thread ---- */

/* Somebody else looks at its memory, now or later. */
static bool shares_space(const struct uthread *uthread)
{
	return read_once(&uthread->process->nliving) > 1 ||
	       read_once(&uthread->space->refs.count) > 1;
}

void exit_tell_waiters(struct uthread *uthread)
{
	uint32_t zero = 0;

	if (!uthread->space)
		return;
	if (uthread->robust_list)
		futex_owner_died(uthread->robust_list, (uint32_t)uthread->own_tid);
	uthread->robust_list = 0;
	/* It may be the C library's lock of its list of threads: whoever waits there does so in
	 * whatever way, so the wake is for all. */
	if (uthread->clear_tid && shares_space(uthread) &&
	    !user_put(uptr(uthread->clear_tid), &zero))
		(void)futex_wake_address(uthread->clear_tid, 1); /* the word may be gone by now */
	uthread->clear_tid = 0;
}

void exit_leave_space(struct uthread *uthread)
{
	uthread->space = NULL;
	context_enter_pagetable(NULL);
}

/* ---- the last thread ---- */

static void drop_space(struct process *process)
{
	struct space_stats stats;
	struct space *space;
	struct path program;
	irqflags_t flags;

	flags = spin_lock_irqsave(&process->signal_lock);
	space = process->space;
	process->space = NULL;
	program = process->program;
	process->program = (struct path){0};
	spin_unlock_irqrestore(&process->signal_lock, flags);
	path_put(&program);
	if (!space)
		return;
	space_stats(space, &stats);
	process->usage.max_resident_pages = stats.peak_pages;
	process->usage.nfaults += stats.faults;
	process->usage.nmajor += stats.major_faults;
	space_put(space);
}

void exit_end_vfork(struct uthread *uthread)
{
	if (!uthread->vforked)
		return;
	/* Release: what it wrote to its parent's memory is there. */
	store_release(&uthread->vforked, false);
	waitq_wake_all(&uthread->process->changed);
}

void exit_last_thread(struct process *process)
{
	irqflags_t flags;

	signal_cancel_alarm(process);
	posix_timers_delete_all(process);
	drop_space(process);
	tty_leader_ended(process);
	screen_process_ended(process->pid);
	pid_namespace_end_with(process);
	family_orphan_children(process);
	flags = spin_lock_irqsave(&process->signal_lock);
	signal_drop_locked(process, ~UINT64_C(0));
	process->status = process->status_to_be;
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

void exit_tell_stopped(struct process *process)
{
	family_tell_stopped(process);
}
