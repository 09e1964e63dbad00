/*
 * The threads of processes: their memory, their place on the process's list, and their end. The
 * list is under process->signal_lock; who is the last to leave takes the process along
 * (process/exit.c).
 */
#include "uthread.h"

#include "../core/core.h"
#include "../futex/futex.h"
#include "../kthread.h"
#include "../namespace/pid.h"
#include "../ptrace/ptrace.h"
#include "../seccomp/seccomp.h"
#include "../signal/signal.h"
#include "../time/cpu_time.h"
#include "exit.h"

#include <abi/errno.h>
#include <ipc/sysv.h>
#include <lib/panic.h>
#include <mm/slab.h>

#define TIMER_SLACK_NS (50 * NSEC_PER_USEC) /* as Linux: what nothing here is late by */

SLAB_CACHE(uthread_cache, struct uthread);

static void thread_gone(struct thread *thread);

/* The scheduler's release hook. */
static void release(struct thread *thread)
{
	thread_memory_defer(thread, thread_gone);
}

static err_t give_number(struct uthread *uthread, const int32_t *wanted, unsigned nwanted)
{
	struct pid_namespace *namespace = uthread->process->pid_namespace;
	err_t err;

	if (unlikely(namespace))
		err = pid_insert_in(&uthread->link, namespace, wanted, nwanted);
	else
		err = nwanted ? pid_insert_at(&uthread->link, wanted[0])
			      : pid_insert(&uthread->link);
	if (err)
		return err;
	uthread->tid = uthread->link.number;
	uthread->own_tid = pid_own_number(&uthread->link);
	return 0;
}

static err_t number(struct uthread *uthread, bool is_first, const int32_t *wanted, unsigned nwanted)
{
	if (!is_first)
		return give_number(uthread, wanted, nwanted);
	uthread->tid = uthread->process->pid;
	uthread->own_tid = uthread->process->own_pid;
	return 0;
}

struct uthread *uthread_alloc(struct process *process, bool is_first, const int32_t *wanted,
			      unsigned nwanted, void (*entry)(void *argument), void *argument,
			      err_t *err)
{
	struct uthread *uthread = slab_alloc_zeroed(&uthread_cache);
	struct thread_memory *memory = thread_memory_alloc(true);

	*err = -ENOMEM;
	if (!uthread || !memory)
		goto free_memory;
	uthread->process = process;
	list_init(&uthread->sibling);
	uthread->timer_slack_ns = uthread->timer_slack_default_ns = TIMER_SLACK_NS;
	list_init(&uthread->pi_owned);
	signal_pending_init(&uthread->pending);
	uthread->alternate_stack.ss_flags = SS_DISABLE;
	/* From here on others find it, and ask its process. */
	*err = number(uthread, is_first, wanted, nwanted);
	if (*err)
		goto free_memory;
	refcount_get(&process->references);
	uthread->thread = thread_memory_thread(memory);
	thread_init(uthread->thread,
		    &(struct thread_params){
			    .name = process->name,
			    .entry = entry,
			    .argument = argument,
			    .stack_base = thread_memory_stack(memory),
			    .stack_top = thread_memory_stack(memory) + KERNEL_STACK_BYTES,
			    .tid = (uint32_t)uthread->tid,
			    .process = process,
			    .release = release,
			    .affinity = current_thread()->affinity,
		    });
	uthread->thread->user_data = uthread;
	uthread->thread->context.fpu = thread_memory_fpu(memory);
	return uthread;

free_memory:
	if (memory)
		thread_memory_free(memory);
	slab_free(&uthread_cache, uthread);
	return NULL;
}

static void free_after_grace(struct rcu_head *head)
{
	struct uthread *uthread = container_of(head, struct uthread, rcu);

	groups_put(uthread->fs.groups);
	tracee_free(uthread->tracee);
	process_put(uthread->process);
	slab_free(&uthread_cache, uthread);
}

static bool has_own_number(const struct uthread *uthread)
{
	return uthread->link.number != 0;
}

void uthread_discard(struct uthread *uthread)
{
	if (has_own_number(uthread))
		pid_remove(&uthread->link);
	uthread_drop_files(uthread);
	semaphore_undos_put(uthread->undos);
	seccomp_leave(uthread);
	namespaces_leave(uthread);
	thread_memory_free(thread_memory_of(uthread->thread));
	rcu_call(&uthread->rcu, free_after_grace);
}

void uthread_drop_undos(void)
{
	struct uthread *self = uthread_current();

	semaphore_undos_put(self->undos);
	self->undos = NULL;
}

err_t uthread_list(struct uthread *uthread)
{
	struct process *process = uthread->process;
	const struct uthread *self = uthread_current();
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	err_t err = 0;

	/* A thread that must end may not leave another one behind. One that comes into a process
	 * that is stopped rests before its first step. */
	if (process->nthreads && (process->exiting || (self && self->replaced))) {
		err = -EINTR;
	} else {
		seccomp_follow_locked(process, uthread);
		uthread->thread->cpu_watched = process->cpu_watched;
		list_add_tail(&process->threads, &uthread->sibling);
		uthread->listed = true;
		process->nthreads++;
		process->nliving++;
		if (uthread->tid == process->pid)
			write_once(&process->leader, uthread);
		/* Whoever found a new process by its number may have signalled it already. */
		if (process->exiting)
			thread_kill(uthread->thread);
		else if (process->stopped || process->pending.set)
			thread_interrupt(uthread->thread);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return err;
}

/* ---- the end ---- */

void uthread_forget(struct uthread *uthread)
{
	uthread_drop_number(uthread);
	rcu_call(&uthread->rcu, free_after_grace);
}

void uthread_drop_number(struct uthread *uthread)
{
	if (!has_own_number(uthread))
		return;
	pid_remove(&uthread->link);
	/* Of descriptors of it. Its process has a reference of its. */
	waitq_wake_all_events(&uthread->process->changed, POLLHUP);
}

noreturn void uthread_exit(int status)
{
	struct uthread *uthread = uthread_current();
	struct process *process = uthread->process;
	irqflags_t flags;
	bool is_last;
	bool has_stopped;
	bool joins_core;
	bool was_killed;

	uthread->status = status;
	/* Before anybody learns of the end and relies on it: it takes no signals any more. */
	flags = spin_lock_irqsave(&process->signal_lock);
	uthread->ending = true;
	was_killed = is_traced(uthread) && thread_take_kill();
	joins_core = process->core;
	signal_hand_over_locked(process, uthread, ~uthread->blocked);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	if (joins_core)
		core_join();
	ptrace_event(PTRACE_EVENT_EXIT, (uint64_t)status);
	if (was_killed)
		thread_kill(uthread->thread);

	ptrace_tracer_ends();
	exit_tell_waiters(uthread);
	pi_futex_exit(uthread, true);
	uthread_drop_undos();
	uthread_drop_files(uthread);
	exit_leave_space(uthread);
	seccomp_leave(uthread);
	namespaces_leave(uthread);
	exit_end_vfork(uthread);

	flags = spin_lock_irqsave(&process->signal_lock);
	process->nliving--;
	is_last = !process->nliving;
	/* What wait4 tells: exit_group's word or the fatal signal's, else the first thread's. */
	if (!process->exiting && uthread == process->leader)
		process->status_to_be = status;
	process->exiting |= is_last;
	has_stopped = !is_last && signal_stop_is_complete_locked(process);
	spin_unlock_irqrestore(&process->signal_lock, flags);

	if (has_stopped)
		exit_tell_stopped(process);
	if (is_last)
		exit_last_thread(process);
	thread_exit();
}

/* In a task: the stack may be freed. */
static void thread_gone(struct thread *thread)
{
	struct uthread *uthread = thread->user_data;
	struct process *process = uthread->process;
	irqflags_t flags;
	bool is_last;
	bool is_kept;

	spin_lock(&family_lock);
	flags = spin_lock_irqsave(&process->signal_lock);
	/* Up to here somebody may have sent it one. */
	signal_drop_thread_locked(process, uthread, ~UINT64_C(0));
	list_del(&uthread->sibling);
	uthread->listed = false;
	cpu_time_gone_locked(process, thread);
	process->usage.nswitches += thread->nswitches;
	process->usage.npreempted += thread->npreempted;
	if (process->leader == uthread)
		write_once(&process->leader, NULL);
	is_last = --process->nthreads == 0;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	is_kept = ptrace_thread_gone_locked(uthread);
	/* One that executes a program may wait for it. The process of one that is kept may be gone
	 * as soon as the lock is. */
	if (!is_last)
		waitq_wake_all(&process->changed);
	spin_unlock(&family_lock);

	if (!is_kept)
		uthread_drop_number(uthread);
	kfree(thread->context.debug);
	thread_memory_free(thread_memory_of(thread));
	if (is_last)
		process_ended(process);
	if (!is_kept)
		rcu_call(&uthread->rcu, free_after_grace);
}
