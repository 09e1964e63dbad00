/*
 * Who traces whom: links that are made by attaching, by PTRACE_TRACEME and by births, and how they
 * are cut. The rules are in ptrace.h.
 */
#include "ptrace.h"

#include "../process/capability.h"
#include "../process/inspect.h"
#include "attach.h"

#include <abi/errno.h>
#include <abi/wait.h>
#include <arch/registers.h>
#include <mm/slab.h>

SLAB_CACHE(tracee_cache, struct tracee);

struct tracee *tracee_create(struct uthread *uthread)
{
	struct tracee *tracee = slab_alloc_zeroed(&tracee_cache);

	if (!tracee)
		return NULL;
	tracee->uthread = uthread;
	list_init(&tracee->link);
	waitq_init(&tracee->resumed);
	return tracee;
}

void tracee_free(struct tracee *tracee)
{
	slab_free(&tracee_cache, tracee);
}

struct link_request {
	struct uthread *tracer;
	bool seized;
	bool capable;
	uint32_t options;
};

static void link_locked(struct process *process, struct uthread *uthread,
			const struct link_request *request)
	REQUIRES(family_lock, process->signal_lock);
static void link_locked(struct process *process, struct uthread *uthread,
			const struct link_request *request)
{
	struct tracee *tracee = uthread->tracee;

	tracee->tracer = request->tracer;
	tracee->seized = request->seized;
	tracee->tracer_capable = request->capable;
	tracee->options = request->options;
	write_once(&tracee->mode, TRACE_RUN);
	write_once(&tracee->step, false);
	tracee->trap_asked = false;
	tracee->nstops_seen = process->nstops - 1;
	list_add_tail(&request->tracer->process->tracees, &tracee->link);
	if (uthread->tid == process->pid)
		process->tracee = tracee;
	if (!process->ntraced++)
		(void)atomic_fetch_or_full(&process->call_watch, (uint32_t)CALLS_STOP);
	write_once(&uthread->traced, true);
}

void ptrace_unlink_locked(struct process *process, struct uthread *uthread)
{
	struct tracee *tracee = uthread->tracee;

	list_del(&tracee->link);
	tracee->tracer = NULL;
	if (tracee->gone)
		write_once(&process->nkept, process->nkept - 1);
	write_once(&tracee->mode, TRACE_RUN);
	write_once(&tracee->step, false);
	tracee->trap_asked = false;
	if (process->tracee == tracee)
		process->tracee = NULL;
	if (!--process->ntraced)
		(void)atomic_fetch_and_full(&process->call_watch, ~(uint32_t)CALLS_STOP);
	write_once(&uthread->traced, false);
	if (tracee->stopped)
		ptrace_resume_locked(process, tracee, tracee->answer);
	/* It rests with the others. */
	if (process->stopped && uthread->listed)
		thread_interrupt(uthread->thread);
}

/* ---- births ---- */

bool ptrace_wants_event(const struct uthread *uthread, int event)
{
	return is_traced(uthread) && read_once(&uthread->tracee->options) & 1u << event;
}

err_t ptrace_prepare_child(struct uthread *child, int event, bool always)
{
	const struct uthread *self = uthread_current();

	if (!is_traced(self))
		return 0;
	if (!always && !(event && ptrace_wants_event(self, event)))
		return 0;
	child->tracee = tracee_create(child);
	if (!child->tracee)
		return -ENOMEM;
	child->tracee->is_heir = true;
	return 0;
}

void ptrace_steady_child(struct uthread *child)
{
	const struct tracee *own = uthread_current()->tracee;

	if (own && own->forced_step)
		(void)registers_set_step(&child->thread->context, false);
}

/* Under family_lock, which keeps a tracer that is not ending from going away. */
static bool is_ending(const struct uthread *uthread)
{
	return read_once(&uthread->ending);
}

void ptrace_inherit(struct uthread *child)
{
	struct process *process = child->process;
	const struct tracee *heir = read_once(&child->tracee);
	const struct tracee *own = uthread_current()->tracee;
	struct link_request request = {0};
	struct signal_entry *none = NULL;
	irqflags_t flags;

	/* It is visible: somebody may have attached to it. */
	if (!heir || !heir->is_heir)
		return;
	spin_lock(&family_lock);
	request.tracer = own->tracer;
	request.seized = own->seized;
	request.capable = own->tracer_capable;
	request.options = own->options;
	if (!request.tracer || is_ending(request.tracer)) {
		spin_unlock(&family_lock);
		return;
	}
	flags = spin_lock_irqsave(&process->signal_lock);
	if (!child->traced) {
		link_locked(process, child, &request);
		child->tracee->trap_asked = request.seized;
		if (!request.seized)
			signal_pending_add_locked(process, &child->pending, SIGSTOP, &none);
		thread_interrupt(child->thread);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	spin_unlock(&family_lock);
}

/* ---- asked for ---- */

struct attach_call {
	struct tracee *fresh; /* used, if the thread has none yet */
	const struct link_request *request;
};

static err_t check_target_locked(const struct process *process, const struct uthread *uthread)
	REQUIRES(process->signal_lock);
static err_t check_target_locked(const struct process *process, const struct uthread *uthread)
{
	if (!uthread->listed)
		return uthread->traced ? -EPERM : -ESRCH;
	if (uthread->ending || process->exiting || uthread->traced)
		return -EPERM;
	/* Under the lock under which a program with other rights would begin. */
	return process_may_trace(process, &uthread->ids) ? 0 : -EPERM;
}

static err_t attach(struct uthread *uthread, void *argument)
{
	struct attach_call *call = argument;
	struct process *process = uthread->process;
	struct link_request request = *call->request;
	irqflags_t flags;
	err_t err;

	if (process == process_current())
		return -EPERM;
	request.capable = capable_over(process, CAP_SYS_PTRACE);
	spin_lock(&family_lock);
	flags = spin_lock_irqsave(&process->signal_lock);
	err = check_target_locked(process, uthread);
	if (!err) {
		if (!uthread->tracee) {
			call->fresh->uthread = uthread;
			write_once(&uthread->tracee, call->fresh);
			call->fresh = NULL;
		}
		link_locked(process, uthread, &request);
		/* One that rests already comes to rest for its tracer. */
		if (process->stopped)
			waitq_wake_all(&process->continued);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	spin_unlock(&family_lock);
	if (!err && !call->request->seized)
		(void)signal_send_thread(
			uthread, &(struct signal_info){.signal = SIGSTOP, .code = SI_KERNEL});
	return err;
}

/* It is there only for who waits for it. */
static bool is_dead_process(int32_t pid)
{
	struct process *process = process_find(pid);
	bool is_there = process;

	process_put(process);
	return is_there;
}

err_t ptrace_attach(int32_t tid, bool seize, uint32_t options)
{
	struct link_request request = {
		.tracer = uthread_current(),
		.seized = seize,
		.options = options,
	};
	struct attach_call call = {.fresh = tracee_create(NULL), .request = &request};
	err_t err;

	if (!call.fresh)
		return -ENOMEM;
	err = uthread_visit(tid, attach, &call);
	if (err == -ESRCH && is_dead_process(tid))
		err = -EPERM;
	if (call.fresh)
		tracee_free(call.fresh);
	return err;
}

/* The thread of the running process's parent that made it, or one that stands for that. */
static struct uthread *parents_thread_locked(const struct process *process) REQUIRES(family_lock);
static struct uthread *parents_thread_locked(const struct process *process)
{
	struct process *parent = process->parent;
	struct uthread *found = NULL;
	struct uthread *uthread;
	irqflags_t flags;

	if (!parent)
		return NULL;
	flags = spin_lock_irqsave(&parent->signal_lock);
	list_for_each (uthread, &parent->threads, sibling) {
		if (!uthread->ending && (!found || uthread->tid == process->maker))
			found = uthread;
	}
	spin_unlock_irqrestore(&parent->signal_lock, flags);
	return found;
}

/* Nobody may look at one who may do more. */
static bool may_be_traced_by(const struct uthread *self, const struct process *tracer)
{
	const struct credentials theirs = tracer->ids; /* as they are just now */

	return (theirs.user == self->ids.user &&
		!(self->ids.capabilities.permitted & ~theirs.capabilities.permitted)) ||
	       credentials_capable(&theirs, self->ids.user, CAP_SYS_PTRACE);
}

err_t ptrace_trace_me(void)
{
	struct uthread *self = uthread_current();
	struct process *process = self->process;
	/* As Linux: it is the child's own rights that count for set-id programs. */
	struct link_request request = {.capable = capable_in(self->ids.user, CAP_SYS_PTRACE)};
	struct tracee *fresh = tracee_create(self);
	irqflags_t flags;
	err_t err = -EPERM;

	if (!fresh)
		return -ENOMEM;
	spin_lock(&family_lock);
	request.tracer = parents_thread_locked(process);
	if (request.tracer && !self->traced && may_be_traced_by(self, request.tracer->process)) {
		flags = spin_lock_irqsave(&process->signal_lock);
		if (!self->tracee) {
			write_once(&self->tracee, fresh);
			fresh = NULL;
		}
		link_locked(process, self, &request);
		spin_unlock_irqrestore(&process->signal_lock, flags);
		err = 0;
	}
	spin_unlock(&family_lock);
	if (fresh)
		tracee_free(fresh);
	return err;
}

/* ---- a new program ---- */

bool ptrace_allows_privileges(const struct uthread *self)
{
	return !is_traced(self) || self->tracee->tracer_capable;
}

struct uthread *ptrace_become_leader_locked(struct process *process, const struct uthread *self)
{
	struct uthread *before = process->tracee ? process->tracee->uthread : NULL;

	if (before)
		ptrace_unlink_locked(process, before);
	process->tracee = self->traced ? self->tracee : NULL;
	return before;
}

/* ---- the tracer ends ---- */

static struct ptrace_reaped leave_locked(struct tracee *tracee) REQUIRES(family_lock);
static struct ptrace_reaped leave_locked(struct tracee *tracee)
{
	struct process *process = tracee->uthread->process;
	irqflags_t flags;

	if (tracee->gone)
		return ptrace_reap_locked(tracee);
	if (tracee->options & PTRACE_O_EXITKILL)
		signal_end_process(process, WAIT_STATUS_SIGNAL(SIGKILL));
	flags = spin_lock_irqsave(&process->signal_lock);
	ptrace_unlink_locked(process, tracee->uthread);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return (struct ptrace_reaped){0};
}

static struct tracee *next_tracee_locked(const struct uthread *tracer) REQUIRES(family_lock);
static struct tracee *next_tracee_locked(const struct uthread *tracer)
{
	struct tracee *tracee;

	list_for_each (tracee, &tracer->process->tracees, link) {
		if (tracee->tracer == tracer)
			return tracee;
	}
	return NULL;
}

void ptrace_tracer_ends(void)
{
	const struct uthread *self = uthread_current();
	struct tracee *tracee;

	do {
		struct ptrace_reaped reaped = {0};

		spin_lock(&family_lock);
		tracee = next_tracee_locked(self);
		if (tracee)
			reaped = leave_locked(tracee);
		spin_unlock(&family_lock);
		ptrace_free_reaped(reaped);
	} while (tracee);
}
