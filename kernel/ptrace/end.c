/*
 * The ends of tracees, and what a tracer that waits finds: ends and stops. All of it under
 * family_lock.
 */
#include "ptrace.h"

#include "../namespace/pid.h"
#include "../process/wait.h"

#include <abi/errno.h>
#include <abi/wait.h>

/* The tracer hears of a thread that is no child of its process's. True: it will not ask. */
static bool tell_end_locked(struct tracee *tracee) REQUIRES(family_lock);
static bool tell_end_locked(struct tracee *tracee)
{
	struct process *tracer = tracee->tracer->process;
	const struct sigchld_wish wish = family_sigchld_wish(tracer);

	family_tell_tracer_locked(tracee->uthread, wish.ignored ? 0 : SIGCHLD,
				  wait_end_code(tracee->status), wait_end_status(tracee->status));
	return wish.reaps;
}

static bool is_first(const struct uthread *uthread)
{
	return uthread->tid == uthread->process->pid;
}

static void cut_locked(struct uthread *uthread) REQUIRES(family_lock);
static void cut_locked(struct uthread *uthread)
{
	struct process *process = uthread->process;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	ptrace_unlink_locked(process, uthread);
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

bool ptrace_thread_gone_locked(struct uthread *uthread)
{
	struct tracee *tracee = uthread->tracee;

	if (!uthread->traced)
		return false;
	tracee->gone = true;
	write_once(&uthread->process->nkept, uthread->process->nkept + 1);
	tracee->report = 0;
	tracee->status = uthread->status;
	/* The first one's end is that of the process. */
	if (is_first(uthread))
		return true;
	if (!tell_end_locked(tracee))
		return true;
	cut_locked(uthread);
	return false;
}

bool ptrace_process_ended_locked(struct process *process, struct ptrace_reaped *reaped)
{
	struct tracee *tracee = process->tracee;

	if (!tracee)
		return false;
	tracee->status = process->status;
	/* What a parent hears it need not hear twice. */
	if (tracee->tracer->process != process->parent && !tell_end_locked(tracee))
		return true;
	process->last_tracer = tracee->tracer->tid;
	process->was_seized = tracee->seized;
	reaped->uthread = tracee->uthread;
	cut_locked(tracee->uthread);
	return false;
}

struct ptrace_reaped ptrace_reap_locked(struct tracee *tracee)
{
	struct uthread *uthread = tracee->uthread;
	struct process *process = uthread->process;
	struct ptrace_reaped reaped = {.uthread = uthread};

	cut_locked(uthread);
	if (is_first(uthread) && process->ended)
		reaped.process_ended = family_end_locked(process);
	return reaped;
}

void ptrace_free_reaped(struct ptrace_reaped reaped)
{
	if (!reaped.uthread)
		return;
	if (reaped.process_ended)
		process_forget(reaped.uthread->process);
	uthread_forget(reaped.uthread);
}

/* ---- waiting ---- */

static bool is_meant(const struct tracee *tracee, const struct wait_request *request)
{
	const struct uthread *uthread = tracee->uthread;

	if (request->options & __WNOTHREAD && tracee->tracer != uthread_current())
		return false;
	if (request->type == WAIT_PID)
		return uthread->tid == request->id;
	return request->type == WAIT_ANY || uthread->process->group == request->id;
}

static bool take_end_locked(struct tracee *tracee, const struct wait_request *request,
			    struct wait_result *result, struct ptrace_reaped *reaped)
	REQUIRES(family_lock);
static bool take_end_locked(struct tracee *tracee, const struct wait_request *request,
			    struct wait_result *result, struct ptrace_reaped *reaped)
{
	const struct process *process = tracee->uthread->process;

	if (!tracee->gone || !(request->options & WEXITED))
		return false;
	if (is_first(tracee->uthread)) {
		if (!process->ended)
			return false; /* others of its threads run */
		result->usage = process->usage;
	}
	result->code = wait_end_code(tracee->status);
	result->status = wait_end_status(tracee->status);
	result->packed = tracee->status;
	if (!(request->options & WNOWAIT))
		*reaped = ptrace_reap_locked(tracee);
	return true;
}

static bool take_stop_locked(struct tracee *tracee, const struct wait_request *request,
			     struct wait_result *result) REQUIRES(family_lock);
static bool take_stop_locked(struct tracee *tracee, const struct wait_request *request,
			     struct wait_result *result)
{
	if (!tracee->report)
		return false;
	result->code = CLD_TRAPPED;
	result->status = tracee->report;
	result->packed = WAIT_STATUS_STOPPED(tracee->report);
	if (!(request->options & WNOWAIT))
		tracee->report = 0;
	return true;
}

err_t ptrace_wait_locked(const struct wait_request *request, struct wait_result *result,
			 struct ptrace_reaped *reaped)
{
	struct tracee *tracee;
	err_t found = -ECHILD;

	list_for_each (tracee, &process_current()->tracees, link) {
		if (!is_meant(tracee, request))
			continue;
		found = 0;
		result->pid = pid_shown(tracee->uthread->tid);
		result->uid = read_once(&tracee->uthread->process->ids.uid);
		if (take_end_locked(tracee, request, result, reaped) ||
		    take_stop_locked(tracee, request, result))
			return 1;
	}
	result->pid = 0;
	return found;
}

bool ptrace_hides_stops_locked(const struct process *child)
{
	return child->tracee && child->tracee->tracer->process == child->parent;
}
