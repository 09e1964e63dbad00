/*
 * Stops, in the tracee's own context: what it is about, the sleep, and what it goes on with.
 */
#include "ptrace.h"

#include "../namespace/pid.h"
#include "../process/wait.h"

#include <abi/errno.h>
#include <abi/wait.h>
#include <arch/context.h>
#include <arch/registers.h>
#include <arch/trap.h>
#include <ipc/user_namespace.h>

struct stop {
	enum trace_stop kind;
	int code;                 /* what wait4 tells, >> 8 */
	int otherwise;            /* the answer, if nobody gives one */
	uint64_t message;         /* of PTRACE_GETEVENTMSG; signals keep the last one */
	bool is_number;           /* it is a thread's: the tracer gets it as it knows it */
	struct signal_info *info; /* NULL: there is none */
};

/* ---- single steps ---- */

static void step_off(struct tracee *tracee)
{
	registers_set_branch_step(false);
	if (!tracee->forced_step)
		return;
	tracee->forced_step = false;
	(void)registers_set_step(&tracee->uthread->thread->context, false);
}

static void step_on(struct tracee *tracee)
{
	if (!read_once(&tracee->step))
		return;
	registers_set_branch_step(read_once(&tracee->to_branch));
	if (!registers_set_step(&tracee->uthread->thread->context, true))
		tracee->forced_step = true;
}

bool ptrace_step_ends(void)
{
	struct uthread *self = uthread_current();
	bool stepped = is_traced(self) && read_once(&self->tracee->step);

	if (self->tracee)
		step_off(self->tracee);
	return stepped;
}

/* ---- the stop itself ---- */

/* It tells that the process is stopped. */
static bool is_group_stop(const struct stop *stop)
{
	return stop->kind == TRACE_STOP_GROUP ||
	       (stop->code >> 8 == PTRACE_EVENT_STOP && (stop->code & 0x7f) != SIGTRAP);
}

static void begin_locked(struct tracee *tracee, const struct stop *stop) REQUIRES(family_lock);
static void begin_locked(struct tracee *tracee, const struct stop *stop)
{
	tracee->kind = stop->kind;
	tracee->report = stop->code;
	tracee->answer = stop->otherwise;
	tracee->has_info = stop->info;
	if (stop->info)
		tracee->info = *stop->info;
	if (stop->kind != TRACE_STOP_SIGNAL)
		tracee->message = stop->message;
	if (stop->is_number)
		tracee->message = (uint64_t)pid_number_in(tracee->tracer->process->pid_namespace,
							  (int32_t)stop->message);
	if (is_group_stop(stop))
		tracee->nstops_seen = tracee->uthread->process->nstops;
	if (is_group_stop(stop) || stop->code >> 8 == PTRACE_EVENT_STOP)
		tracee->trap_asked = false;
	tracee->listening = false;
	tracee->stopped = true;
}

/* False: it does not stop: its tracer has gone, it was killed, or the process has been continued
 * since it was found stopped, which a tracer hears of next. */
static bool begin(struct uthread *self, const struct stop *stop)
{
	struct process *process = self->process;
	irqflags_t flags;
	bool stops;

	spin_lock(&family_lock);
	flags = spin_lock_irqsave(&process->signal_lock);
	stops = self->traced && !thread_killed() && (process->stopped || !is_group_stop(stop));
	if (stops)
		begin_locked(self->tracee, stop);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	if (stops)
		family_tell_tracer_locked(
			self,
			family_sigchld_wish(self->tracee->tracer->process).no_stops ? 0 : SIGCHLD,
			stop->kind == TRACE_STOP_GROUP ? CLD_STOPPED : CLD_TRAPPED,
			stop->code & 0x7f);
	spin_unlock(&family_lock);
	return stops;
}

static int end(struct uthread *self, const struct stop *stop)
{
	struct process *process = self->process;
	struct tracee *tracee = self->tracee;
	irqflags_t flags;
	int answer;

	spin_lock(&family_lock);
	flags = spin_lock_irqsave(&process->signal_lock);
	tracee->stopped = false; /* it may have been killed */
	tracee->report = 0;
	answer = tracee->answer;
	if (stop->info)
		*stop->info = tracee->info;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	spin_unlock(&family_lock);
	return answer;
}

/* One that listens goes on to tell what there is to hear. */
static bool goes_on(const struct tracee *tracee)
{
	return !read_once(&tracee->stopped) ||
	       (read_once(&tracee->listening) && read_once(&tracee->trap_asked));
}

/* The signal that it shall go on with; 0: none. */
static int stop_here(const struct stop *stop)
{
	struct uthread *self = uthread_current();
	struct tracee *tracee = self->tracee;
	int answer = stop->otherwise;

	step_off(tracee);
	context_park();
	if (begin(self, stop)) {
		(void)!wait_event_killable(&tracee->resumed, goes_on(tracee));
		answer = end(self, stop);
		step_on(tracee);
	}
	context_unpark();
	return answer;
}

void ptrace_resume_locked(UNUSED struct process *process, struct tracee *tracee, int answer)
{
	tracee->answer = answer;
	tracee->report = 0;
	tracee->listening = false;
	write_once(&tracee->stopped, false);
	waitq_wake_all(&tracee->resumed);
}

/* As Linux says of stops that are nobody's signal. */
static struct signal_info trap_info(int code)
{
	struct signal_info info = signal_info_from_self(code & 0x7f, code);

	info.fields[0] =
		(uint32_t)uthread_current()->own_tid | (info.fields[0] & ~UINT64_C(0xffffffff));
	return info;
}

/* ---- signals ---- */

/* The tracer sends another one instead. */
static void replace_info(struct signal_info *info, int signal)
{
	struct uthread *self = uthread_current();
	const struct tracee *tracee = self->tracee;

	*info = (struct signal_info){.signal = signal, .code = SI_USER};
	spin_lock(&family_lock);
	if (tracee->tracer)
		info->fields[0] =
			(uint32_t)pid_shown(tracee->tracer->process->pid) |
			(uint64_t)id_shown_in(self->ids.user, ID_USER,
					      read_once(&tracee->tracer->process->ids.uid))
				<< 32;
	spin_unlock(&family_lock);
}

bool ptrace_signal(struct signal_info *info)
{
	const struct uthread *self = uthread_current();
	const struct stop stop = {.kind = TRACE_STOP_SIGNAL,
				  .code = info->signal,
				  .otherwise = info->signal,
				  .info = info};
	int answer = stop_here(&stop);

	if (!answer)
		return false;
	if (answer != info->signal)
		replace_info(info, answer);
	if (!(self->blocked & SIGNAL_BIT(answer)))
		return true;
	/* It waits until it is not blocked any more. */
	(void)signal_send_thread(uthread_current(), info);
	return false;
}

/* ---- the process stops ---- */

bool ptrace_must_rest_locked(const struct process *process, const struct uthread *uthread)
{
	return process->stopped &&
	       !(uthread->traced && uthread->tracee->nstops_seen == process->nstops);
}

bool ptrace_must_trap_locked(UNUSED const struct process *process, const struct uthread *uthread)
{
	return uthread->traced && uthread->tracee->trap_asked;
}

void ptrace_notify_locked(struct process *process, bool listeners)
{
	struct uthread *uthread;

	if (likely(!process->ntraced))
		return;
	list_for_each (uthread, &process->threads, sibling) {
		struct tracee *tracee = uthread->tracee;

		if (!uthread->traced || !tracee->seized || (listeners && !tracee->listening))
			continue;
		tracee->trap_asked = true;
		/* One that listens tells of it at once, one that is stopped when it is let go. */
		waitq_wake_all(&tracee->resumed);
		thread_interrupt(uthread->thread);
	}
}

bool ptrace_group_stop(int signal)
{
	const struct uthread *self = uthread_current();
	int code = signal | PTRACE_EVENT_STOP << 8;
	struct signal_info info = trap_info(code);
	struct stop stop = {.kind = TRACE_STOP_GROUP, .code = signal};

	if (!is_traced(self))
		return false;
	if (self->tracee->seized)
		stop = (struct stop){.kind = TRACE_STOP_EVENT, .code = code, .info = &info};
	(void)stop_here(&stop);
	return true;
}

void ptrace_trap(void)
{
	struct process *process = process_current();
	int signal = read_once(&process->stopped) ? process->stop_signal : SIGTRAP;
	struct signal_info info = trap_info(signal | PTRACE_EVENT_STOP << 8);
	const struct stop stop = {.kind = TRACE_STOP_EVENT, .code = info.code, .info = &info};

	(void)stop_here(&stop);
}

/* ---- events ---- */

void ptrace_event(int event, uint64_t message)
{
	struct signal_info info = trap_info(SIGTRAP | event << 8);
	const struct stop stop = {
		.kind = TRACE_STOP_EVENT, .code = info.code, .message = message, .info = &info};

	if (ptrace_wants_event(uthread_current(), event))
		(void)stop_here(&stop);
}

void ptrace_event_number(int event, int32_t number)
{
	struct signal_info info = trap_info(SIGTRAP | event << 8);
	const struct stop stop = {.kind = TRACE_STOP_EVENT,
				  .code = info.code,
				  .message = (uint64_t)number,
				  .is_number = true,
				  .info = &info};

	if (ptrace_wants_event(uthread_current(), event))
		(void)stop_here(&stop);
}

void ptrace_executed(int32_t old_tid)
{
	const struct uthread *self = uthread_current();

	if (!is_traced(self))
		return;
	if (ptrace_wants_event(self, PTRACE_EVENT_EXEC))
		ptrace_event_number(PTRACE_EVENT_EXEC, old_tid);
	else if (!self->tracee->seized)
		signal_raise(SIGTRAP);
}

/* ---- system calls ---- */

/* A signal that the tracer gives to a stop which is not about one. */
static void stop_at_call(enum trace_stop kind, uint64_t message)
{
	unsigned good = read_once(&uthread_current()->tracee->options) & PTRACE_O_TRACESYSGOOD;
	struct signal_info info = trap_info(SIGTRAP | (good ? 0x80 : 0));
	const struct stop stop = {
		.kind = kind, .code = info.code, .message = message, .info = &info};
	int signal = stop_here(&stop);

	if (signal)
		signal_raise(signal);
}

bool ptrace_call_begin(struct trap_frame *frame)
{
	const struct uthread *self = uthread_current();
	struct tracee *tracee = self->tracee;
	enum trace_mode mode;

	if (!is_traced(self))
		return true;
	tracee->in_call = true;
	tracee->call_number = trap_syscall_number(frame);
	mode = read_once(&tracee->mode);
	if (mode == TRACE_RUN)
		return true;
	frame->rax = (uint64_t)-ENOSYS;
	stop_at_call(TRACE_STOP_CALL_BEGIN, PTRACE_EVENTMSG_SYSCALL_ENTRY);
	if (mode == TRACE_EMULATE) {
		tracee->in_call = false;
		return false;
	}
	/* The tracer may have changed the number, to none at all. */
	tracee->call_number = trap_syscall_number(frame);
	return tracee->call_number >= 0 && !thread_killed();
}

void ptrace_call_end(void)
{
	const struct uthread *self = uthread_current();
	struct tracee *tracee = self->tracee;

	if (!tracee || !tracee->in_call)
		return;
	if (is_traced(self) && read_once(&tracee->mode) == TRACE_CALLS)
		stop_at_call(TRACE_STOP_CALL_END, PTRACE_EVENTMSG_SYSCALL_EXIT);
	else if (is_traced(self) && read_once(&tracee->step))
		(void)signal_force(&(struct signal_info){.signal = SIGTRAP, .code = TRAP_BRKPT});
	tracee->in_call = false;
}

bool ptrace_call_decided(struct trap_frame *frame, uint32_t data)
{
	const struct uthread *self = uthread_current();
	struct tracee *tracee = self->tracee;

	if (!ptrace_wants_event(self, PTRACE_EVENT_SECCOMP))
		return false;
	tracee->in_call = true;
	tracee->call_number = trap_syscall_number(frame);
	ptrace_event(PTRACE_EVENT_SECCOMP, data);
	/* It may be another one now, or none. */
	tracee->call_number = trap_syscall_number(frame);
	return tracee->call_number >= 0 && !thread_killed();
}

bool ptrace_suspends_filters(const struct uthread *uthread)
{
	return is_traced(uthread) &&
	       read_once(&uthread->tracee->options) & PTRACE_O_SUSPEND_SECCOMP;
}

void ptrace_stepped(void)
{
	struct signal_info info = trap_info(SIGTRAP);
	const struct stop stop = {.kind = TRACE_STOP_EVENT, .code = SIGTRAP, .info = &info};

	(void)stop_here(&stop);
}
