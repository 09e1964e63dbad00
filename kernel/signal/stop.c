/*
 * Stops: the signal that stops a process marks it, all its threads come to rest on their way to
 * user mode, and the last one to do so tells the parent. SIGCONT takes the mark away; the first to
 * go on tells the parent of that.
 */
#include "signal.h"

#include "../process/family.h"
#include "../ptrace/ptrace.h"

void signal_stop_locked(struct process *process, int signal)
{
	struct uthread *uthread;

	/* One that its tracer lets run though the others rest may bring another stop. */
	if (process->exiting || ptrace_must_rest_locked(process, uthread_current()))
		return;
	write_once(&process->stopped, true);
	process->stop_signal = (uint8_t)signal;
	process->nstops++;
	ptrace_notify_locked(process, true);
	process->continue_untold = false;
	process->stop_told = false;
	list_for_each (uthread, &process->threads, sibling)
		thread_interrupt(uthread->thread);
}

bool signal_stop_is_complete_locked(struct process *process)
{
	if (!process->stopped || process->stop_told || process->nstopped < process->nliving)
		return false;
	process->stop_told = true;
	return true;
}

void signal_rest(void)
{
	const struct uthread *self = uthread_current();
	struct process *process = self->process;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	int signal = process->stop_signal;
	bool tell;

	if (!ptrace_must_rest_locked(process, self)) {
		spin_unlock_irqrestore(&process->signal_lock, flags);
		return;
	}
	process->nstopped++;
	tell = signal_stop_is_complete_locked(process);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	if (tell)
		family_tell_stopped(process);
	/* Killed, continued, or somebody's to trace: whoever comes next sees which. */
	if (!ptrace_group_stop(signal))
		(void)!wait_event_killable(&process->continued,
					   !read_once(&process->stopped) || is_traced(self));

	flags = spin_lock_irqsave(&process->signal_lock);
	process->nstopped--;
	tell = process->continue_untold && process->stop_told && !process->exiting;
	process->continue_untold = false;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	if (tell)
		family_tell_continued(process);
}
