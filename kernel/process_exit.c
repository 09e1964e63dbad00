/*
 * How a process ends: what it held is given back by its own thread; when that thread's stack is no
 * longer in use it becomes a zombie; somebody waits for it and it is gone. So whoever has waited
 * can rely on all memory of the program being back.
 *
 * The family (parent, children, state) is kept under family_lock. It has the class LOCK_PIDTABLE
 * and is never held together with the PID table's own lock. Waiters and a parent's SIGCHLD are
 * woken under it, which keeps the parent from going away meanwhile.
 */
#include "console/screen.h"
#include "process.h"

#include "kthread.h"
#include "sys_futex.h"

#include <abi/errno.h>
#include <abi/wait.h>
#include <arch/clock.h>
#include <arch/context.h>
#include <arch/user.h>
#include <ipc/fdtable.h>
#include <mm/space.h>

static struct spinlock family_lock = SPINLOCK_INIT(LOCK_PIDTABLE);

/* ---- leaving ---- */

/* set_tid_address(): who joins this thread waits for the word to become 0. */
static void clear_tid_address(struct process *process)
{
	uint32_t zero = 0;

	if (!process->tid_address)
		return;
	if (!user_put(uptr(process->tid_address), &zero))
		futex_wake_address(process, process->tid_address, 1);
	process->tid_address = 0;
}

static void leave_space(struct process *process)
{
	struct context *context = &current_thread()->context;
	struct space *space = process->space;
	irqflags_t flags;

	if (!space)
		return;
	flags = spin_lock_irqsave(&process->signal_lock);
	process->space = NULL;
	spin_unlock_irqrestore(&process->signal_lock, flags);

	flags = irq_save();
	context->pagetable = NULL;
	context_reload_user(context);
	irq_restore(flags);
	space_put(space);
}

/* Its children are the kernel's now; those that have ended are reaped. */
static void orphan_children(struct process *process)
{
	for (;;) {
		struct process *child = NULL;
		bool zombie = false;

		spin_lock(&family_lock);
		if (!list_empty(&process->children)) {
			child = list_first_entry(&process->children, struct process, sibling);
			list_del(&child->sibling);
			write_once(&child->parent, NULL);
			child->disowned = true;
			zombie = child->state == PROCESS_ZOMBIE;
			if (zombie)
				child->state = PROCESS_REAPED;
		}
		spin_unlock(&family_lock);
		if (!child)
			return;
		if (zombie) {
			pid_remove(child);
			process_put(child);
		}
	}
}

noreturn void process_exit(int status)
{
	struct process *process = process_current();

	process->status = process_begin_exit(status);
	clear_tid_address(process);
	fd_table_put(process->fds);
	process->fds = NULL;
	path_put(&process->fs.cwd);
	path_put(&process->fs.root);
	leave_space(process);
	screen_process_ended(process->pid);
	orphan_children(process);
	thread_exit();
}

/* ---- after its thread ---- */

/* Nobody will ask for its status. */
static bool reaps_itself_locked(const struct process *process) REQUIRES(family_lock);
static bool reaps_itself_locked(const struct process *process)
{
	const struct abi_sigaction *action;

	if (!process->parent)
		return process->disowned;
	action = &process->parent->actions[SIGCHLD - 1];
	return action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT);
}

void process_ended(struct process *process, uint64_t cpu_ns)
{
	struct process *parent;
	bool reap;

	spin_lock(&family_lock);
	process->usage.cpu_ns = cpu_ns;
	process->usage.ended_ns = clock_ns();
	parent = process->parent;
	reap = reaps_itself_locked(process);
	if (reap)
		list_del(&process->sibling);
	/* Release: who sees a zombie sees its status. */
	store_release(&process->state, reap ? PROCESS_REAPED : PROCESS_ZOMBIE);
	if (parent) {
		process_signal(parent, SIGCHLD);
		waitq_wake_all(&parent->ended);
	}
	waitq_wake_all(&process->ended);
	spin_unlock(&family_lock);
	if (reap) {
		pid_remove(process);
		process_put(process);
	}
}

/* In a task: the stack may be freed. */
static void thread_gone(struct thread *thread)
{
	struct process *process = thread->process;
	uint64_t cpu_ns = thread_cpu_time_ns(thread);
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	process->thread = NULL;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	thread_memory_free(thread_memory_of(thread));
	process_ended(process, cpu_ns);
}

void process_thread_release(struct thread *thread)
{
	thread_memory_defer(thread, thread_gone);
}

/* ---- waiting ---- */

/* Takes the zombie out of the family. False: it is none, or somebody was faster. */
static bool reap_locked(struct process *process, int *status, struct process_usage *usage)
	REQUIRES(family_lock);
static bool reap_locked(struct process *process, int *status, struct process_usage *usage)
{
	if (process->state != PROCESS_ZOMBIE)
		return false;
	process->state = PROCESS_REAPED;
	list_del(&process->sibling);
	*status = process->status;
	if (usage)
		*usage = process->usage;
	return true;
}

static bool has_ended(struct process *process)
{
	/* Acquire: pairs with the release in process_ended(). */
	return load_acquire(&process->state) >= PROCESS_ZOMBIE;
}

static err_t reap_for_kernel(struct process *process, int *status, struct process_usage *usage)
{
	bool reaped;

	spin_lock(&family_lock);
	reaped = !process->parent && !process->disowned && reap_locked(process, status, usage);
	spin_unlock(&family_lock);
	if (!reaped)
		return -ECHILD;
	pid_remove(process);
	process_put(process);
	return 0;
}

err_t process_try_wait(int32_t pid, int *status, struct process_usage *usage)
{
	struct process *process = process_find(pid);
	err_t err;

	if (!process)
		return -ECHILD;
	err = has_ended(process) ? reap_for_kernel(process, status, usage) : -EAGAIN;
	process_put(process);
	return err;
}

err_t process_wait(int32_t pid, int *status, struct process_usage *usage)
{
	struct process *process = process_find(pid);
	err_t err;

	if (!process)
		return -ECHILD;
	err = wait_event_killable(&process->ended, has_ended(process));
	if (!err)
		err = reap_for_kernel(process, status, usage);
	process_put(process);
	return err;
}

void process_disown(int32_t pid)
{
	struct process *process = process_find(pid);
	bool reap = false;

	if (!process)
		return;
	spin_lock(&family_lock);
	if (!process->parent && !process->disowned) {
		process->disowned = true;
		reap = process->state == PROCESS_ZOMBIE;
		if (reap)
			process->state = PROCESS_REAPED;
	}
	spin_unlock(&family_lock);
	if (reap) {
		pid_remove(process);
		process_put(process);
	}
	process_put(process);
}

static bool is_waited_for(const struct process *child, const struct process *parent, int32_t which)
{
	if (which > 0)
		return child->pid == which;
	if (which == -1)
		return true;
	return child->group == (which == 0 ? parent->group : -which);
}

/* 0: none has ended; -ECHILD: none there to wait for; else the number of the one that was reaped.
 */
static err_t try_reap_child(struct process *parent, int32_t which, int *status,
			    struct process_usage *usage)
{
	struct process *child;
	err_t result = -ECHILD;

	spin_lock(&family_lock);
	list_for_each (child, &parent->children, sibling) {
		if (!is_waited_for(child, parent, which))
			continue;
		result = 0;
		if (reap_locked(child, status, usage)) {
			parent->children_ns += usage->cpu_ns;
			result = child->pid;
			break;
		}
	}
	spin_unlock(&family_lock);
	if (result > 0) {
		pid_remove(child);
		process_put(child);
	}
	return result;
}

err_t process_wait_child(int32_t which, unsigned options, int *status, struct process_usage *usage)
{
	struct process *parent = process_current();
	err_t result = try_reap_child(parent, which, status, usage);
	err_t err;

	if (result || (options & WNOHANG))
		return result;
	err = wait_event_interruptible(
		&parent->ended, (result = try_reap_child(parent, which, status, usage)) != 0);
	return err ? err : result;
}
