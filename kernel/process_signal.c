/*
 * Signals: raising them from anywhere, and what becomes of them on the way to user mode. Owns the
 * fields of struct process that are marked [s].
 *
 * A raised signal that is neither blocked nor ignored acts at once: what ends the process marks it
 * as exiting and kills its thread, so that killable waits end and user mode is not entered again.
 * The end itself happens in the process's own thread (process_deliver_signals). Handlers do not
 * exist yet: an action is SIG_DFL or SIG_IGN.
 *
 * Stopping takes effect when the thread is on its way to user mode; a call that sleeps goes on
 * sleeping. A process that the kernel spawned has nobody who could continue it from a terminal: as
 * in an orphaned process group of Linux, SIGTSTP, SIGTTIN and SIGTTOU do nothing to it.
 */
#include "process.h"

#include <abi/errno.h>
#include <abi/wait.h>
#include <arch/cpu.h>

#define IGNORED_BY_DEFAULT                                                                         \
	(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGCONT))
#define TERMINAL_STOP_SIGNALS (STOP_SIGNALS & ~SIGNAL_BIT(SIGSTOP))

static bool is_ignored_locked(const struct process *process, int signal)
	REQUIRES(process->signal_lock);
static bool is_ignored_locked(const struct process *process, int signal)
{
	uint64_t handler = process->actions[signal - 1].handler;

	if (handler != SIG_DFL)
		return handler == SIG_IGN;
	if (SIGNAL_BIT(signal) & TERMINAL_STOP_SIGNALS)
		return !read_once(&process->parent);
	return SIGNAL_BIT(signal) & IGNORED_BY_DEFAULT;
}

static void continue_locked(struct process *process) REQUIRES(process->signal_lock);
static void continue_locked(struct process *process)
{
	if (!process->stopped)
		return;
	write_once(&process->stopped, false);
	waitq_wake_all(&process->continued);
}

/* The thread looks at its signals before it runs in user mode again. */
static void notify_locked(struct process *process) REQUIRES(process->signal_lock);
static void notify_locked(struct process *process)
{
	if (process->thread)
		thread_request_exit_work(process->thread);
}

static void begin_end_locked(struct process *process, int status) REQUIRES(process->signal_lock);
static void begin_end_locked(struct process *process, int status)
{
	if (process->exiting)
		return;
	process->exiting = true;
	process->status_to_be = status;
	continue_locked(process);
	if (process->thread)
		thread_kill(process->thread);
	notify_locked(process);
}

/* Lets every pending signal that is not blocked act. */
static void act_locked(struct process *process) REQUIRES(process->signal_lock);
static void act_locked(struct process *process)
{
	uint64_t ready = process->pending & ~process->blocked;

	while (ready && !process->exiting) {
		int signal = __builtin_ctzll(ready) + 1;
		uint64_t bit = SIGNAL_BIT(signal);

		ready &= ~bit;
		process->pending &= ~bit;
		if (is_ignored_locked(process, signal))
			continue;
		if (bit & STOP_SIGNALS) {
			write_once(&process->stopped, true);
			notify_locked(process);
		} else if (signal != SIGCONT) {
			begin_end_locked(process, WAIT_STATUS_SIGNAL(signal));
		}
	}
}

void process_signal(struct process *process, int signal)
{
	uint64_t bit = SIGNAL_BIT(signal);
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	if (process->exiting) {
		/* Its end may be waiting for something, a driver say. */
		if (signal == SIGKILL && process->thread)
			thread_kill(process->thread);
	} else {
		if (signal == SIGCONT) {
			process->pending &= ~STOP_SIGNALS;
			continue_locked(process);
		}
		if (bit & STOP_SIGNALS)
			process->pending &= ~SIGNAL_BIT(SIGCONT);
		process->pending |= bit;
		act_locked(process);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

void process_force_signal(struct process *process, int signal)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	begin_end_locked(process, WAIT_STATUS_SIGNAL(signal));
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

void process_set_blocked(uint64_t blocked)
{
	struct process *process = process_current();
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	process->blocked = blocked & ~UNBLOCKABLE_SIGNALS;
	act_locked(process);
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

void process_set_action(int signal, const struct abi_sigaction *action)
{
	struct process *process = process_current();
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	process->actions[signal - 1] = *action;
	if (is_ignored_locked(process, signal))
		process->pending &= ~SIGNAL_BIT(signal);
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

int process_begin_exit(int status)
{
	struct process *process = process_current();
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	if (!process->exiting) {
		/* Not killed: what its end waits for, it may wait for. */
		process->exiting = true;
		process->status_to_be = status;
	}
	status = process->status_to_be;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return status;
}

void process_deliver_signals(void)
{
	struct process *process = process_current();

	for (;;) {
		irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
		bool exiting = process->exiting;
		int status = process->status_to_be;
		bool stopped = process->stopped;

		spin_unlock_irqrestore(&process->signal_lock, flags);
		if (exiting)
			process_exit(status);
		if (!stopped)
			return;
		/* Killed or continued: the loop sees which. */
		if (wait_event_killable(&process->continued, !read_once(&process->stopped)))
			continue;
	}
}

/* ---- by number ---- */

err_t process_kill(int32_t pid, int signal)
{
	struct process *process;

	if (signal < 0 || signal > SIGNAL_MAX)
		return -EINVAL;
	process = process_find(pid);
	if (!process)
		return -ESRCH;
	if (signal)
		process_signal(process, signal);
	process_put(process);
	return 0;
}

struct group_call {
	int32_t group;
	int signal;
	unsigned nmembers;
};

static void signal_member(void *argument, struct process *process)
{
	struct group_call *call = argument;

	if (read_once(&process->group) != call->group)
		return;
	call->nmembers++;
	if (call->signal)
		process_signal(process, call->signal);
}

err_t process_group_signal(int32_t pgid, int signal)
{
	struct group_call call = {.group = pgid, .signal = signal};

	if (signal < 0 || signal > SIGNAL_MAX)
		return -EINVAL;
	pid_for_each_rcu(signal_member, &call);
	return call.nmembers ? 0 : -ESRCH;
}
