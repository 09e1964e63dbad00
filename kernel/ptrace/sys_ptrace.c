/*
 * ptrace(2): who may ask, and the requests that begin, go on and end. The others are in access.c
 * and inform.c. Owns no state.
 */
#include "attach.h"
#include "request.h"

#include "../namespace/pid.h"
#include "../process/capability.h"
#include "../seccomp/seccomp.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/wait.h>
#include <mm/space.h>

/* ---- the tracee ---- */

struct with_call {
	bool any_state;
	err_t (*act)(struct tracee *tracee, void *argument);
	void *argument;
};

static err_t visit(struct uthread *uthread, void *argument)
{
	const struct with_call *call = argument;
	struct process *process = uthread->process;
	struct tracee *tracee;
	irqflags_t flags;
	err_t err = -ESRCH;

	spin_lock(&family_lock);
	flags = spin_lock_irqsave(&process->signal_lock);
	tracee = uthread->tracee;
	if (uthread->listed && uthread->traced && tracee->tracer == uthread_current() &&
	    (call->any_state || (tracee->stopped && !tracee->listening)))
		err = call->act(tracee, call->argument);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	spin_unlock(&family_lock);
	return err;
}

err_t ptrace_with(int32_t tid, bool any_state, err_t (*act)(struct tracee *tracee, void *argument),
		  void *argument)
{
	struct with_call call = {.any_state = any_state, .act = act, .argument = argument};

	return uthread_visit(tid, visit, &call);
}

static err_t get_space(struct tracee *tracee, void *argument)
{
	struct space **out = argument;
	struct process *process = tracee->uthread->process;
	struct space *space = process->space;

	if (!space)
		return -ESRCH;
	/* What became secret since it was attached to: a program that its user may not read. */
	if (read_once(&process->not_dumpable) &&
	    !(tracee->tracer_capable && capable_in(process->memory_owner, CAP_SYS_PTRACE)))
		return -EIO;
	*out = space_get(space);
	return 0;
}

err_t ptrace_space(int32_t tid, struct space **out)
{
	return ptrace_with(tid, false, get_space, out);
}

/* ---- letting it go ---- */

static err_t resume(struct tracee *tracee, void *argument)
	REQUIRES(family_lock, tracee->uthread->process->signal_lock);
static err_t resume(struct tracee *tracee, void *argument)
{
	const struct trace_request *call = argument;

	switch (call->request) {
	case PTRACE_SYSCALL:
		write_once(&tracee->mode, TRACE_CALLS);
		break;
	case PTRACE_SYSEMU:
	case PTRACE_SYSEMU_SINGLESTEP:
		write_once(&tracee->mode, TRACE_EMULATE);
		break;
	default:
		write_once(&tracee->mode, TRACE_RUN);
		break;
	}
	write_once(&tracee->to_branch, call->request == PTRACE_SINGLEBLOCK);
	write_once(&tracee->step, call->request == PTRACE_SINGLESTEP ||
					  call->request == PTRACE_SINGLEBLOCK ||
					  call->request == PTRACE_SYSEMU_SINGLESTEP);
	ptrace_resume_locked(tracee->uthread->process, tracee, (int)call->data);
	return 0;
}

static err_t detach(struct tracee *tracee, void *argument)
	REQUIRES(family_lock, tracee->uthread->process->signal_lock);
static err_t detach(struct tracee *tracee, void *argument)
{
	const struct trace_request *call = argument;

	tracee->answer = (int)call->data;
	ptrace_unlink_locked(tracee->uthread->process, tracee->uthread);
	return 0;
}

/* A signal to go on with. Linux takes any number and finds out later. */
static int64_t with_signal(const struct trace_request *call,
			   err_t (*act)(struct tracee *tracee, void *argument))
{
	struct trace_request copy = *call;

	if (call->data > SIGNAL_MAX)
		return -EIO;
	return ptrace_with(call->tid, false, act, &copy);
}

/* ---- to one that runs ---- */

static err_t kill(struct tracee *tracee, UNUSED void *argument)
	REQUIRES(tracee->uthread->process->signal_lock);
static err_t kill(struct tracee *tracee, UNUSED void *argument)
{
	struct uthread *uthread = tracee->uthread;
	bool is_outside = !pid_namespace_sees(uthread->process->pid_namespace, process_current());
	struct signal_entry *none = NULL;

	signal_send_entry_locked(tracee->uthread->process, uthread, SIGKILL, is_outside, &none);
	return 0;
}

static err_t interrupt(struct tracee *tracee, UNUSED void *argument)
	REQUIRES(tracee->uthread->process->signal_lock);
static err_t interrupt(struct tracee *tracee, UNUSED void *argument)
{
	if (!tracee->seized)
		return -EIO;
	tracee->trap_asked = true;
	waitq_wake_all(&tracee->resumed); /* it may listen */
	thread_interrupt(tracee->uthread->thread);
	return 0;
}

static err_t listen(struct tracee *tracee, UNUSED void *argument)
	REQUIRES(family_lock, tracee->uthread->process->signal_lock);
static err_t listen(struct tracee *tracee, UNUSED void *argument)
{
	if (!tracee->seized || !tracee->has_info || tracee->info.code >> 8 != PTRACE_EVENT_STOP)
		return -EIO;
	write_once(&tracee->listening, true);
	if (tracee->trap_asked)
		waitq_wake_all(&tracee->resumed);
	return 0;
}

/* A thread that is kept for its tracer, or a zombie that its parent has traced. */
static bool is_dead_tracee_locked(int32_t tid, const struct process *process, bool *seized)
	REQUIRES(family_lock);
static bool is_dead_tracee_locked(int32_t tid, const struct process *process, bool *seized)
{
	const struct uthread *self = uthread_current();
	const struct tracee *tracee;

	list_for_each (tracee, &self->process->tracees, link) {
		*seized = tracee->seized;
		if (tracee->gone && tracee->tracer == self && tracee->uthread->tid == tid)
			return true;
	}
	*seized = process && process->was_seized;
	return process && process->ended && process->parent == self->process &&
	       process->last_tracer == self->tid;
}

/* One that has ended and was not waited for takes notice of neither, as on Linux. */
static err_t to_dead(int32_t tid, bool must_be_seized)
{
	struct process *process = process_find(tid);
	bool seized, is_dead;

	spin_lock(&family_lock);
	is_dead = is_dead_tracee_locked(tid, process, &seized);
	spin_unlock(&family_lock);
	process_put(process);
	if (!is_dead)
		return -ESRCH;
	return must_be_seized && !seized ? -EIO : 0;
}

static int64_t kill_or_interrupt(const struct trace_request *call)
{
	bool interrupts = call->request == PTRACE_INTERRUPT;
	err_t err = ptrace_with(call->tid, true, interrupts ? interrupt : kill, NULL);

	return err == -ESRCH ? to_dead(call->tid, interrupts) : err;
}

static err_t set_options(struct tracee *tracee, void *argument)
	REQUIRES(family_lock, tracee->uthread->process->signal_lock);
static err_t set_options(struct tracee *tracee, void *argument)
{
	write_once(&tracee->options, *(const uint32_t *)argument);
	return 0;
}

/* Who is filtered himself may not take the filters off another one. */
static err_t check_options(uint64_t options)
{
	const struct uthread *self = uthread_current();

	if (options & ~(uint64_t)PTRACE_O_KNOWN)
		return -EINVAL;
	if (!(options & PTRACE_O_SUSPEND_SECCOMP))
		return 0;
	return capable(CAP_SYS_ADMIN) && seccomp_mode(self) == SECCOMP_MODE_DISABLED &&
			       !ptrace_suspends_filters(self)
		       ? 0
		       : -EPERM;
}

static int64_t set_options_to(const struct trace_request *call)
{
	uint32_t options = (uint32_t)call->data;
	err_t err = check_options(call->data);

	if (err)
		return err;
	return ptrace_with(call->tid, false, set_options, &options);
}

static int64_t seize(const struct trace_request *call)
{
	err_t err;

	if (call->address || call->data & ~(uint64_t)PTRACE_O_KNOWN)
		return -EIO;
	err = check_options(call->data);
	if (err)
		return err;
	return ptrace_attach(call->tid, true, (uint32_t)call->data);
}

static err_t nothing(UNUSED struct tracee *tracee, UNUSED void *argument)
{
	return 0;
}

static int64_t other_request(const struct trace_request *call)
{
	int64_t result = ptrace_access_request(call);
	err_t err;

	if (result == -ENOSYS)
		result = ptrace_inform_request(call);
	if (result != -ENOSYS)
		return result;
	err = ptrace_with(call->tid, false, nothing, NULL);
	return err ? err : -EIO;
}

int64_t sys_ptrace(int64_t request, int pid, uint64_t address, uint64_t data)
{
	int32_t tid = pid_meant(pid);
	const struct trace_request call = {
		.request = request, .tid = tid, .address = address, .data = data};

	switch (request) {
	case PTRACE_TRACEME:
		return ptrace_trace_me();
	case PTRACE_ATTACH:
		return ptrace_attach(tid, false, 0);
	case PTRACE_SEIZE:
		return seize(&call);
	case PTRACE_DETACH:
		return with_signal(&call, detach);
	case PTRACE_CONT:
	case PTRACE_SYSCALL:
	case PTRACE_SINGLESTEP:
	case PTRACE_SINGLEBLOCK:
	case PTRACE_SYSEMU:
	case PTRACE_SYSEMU_SINGLESTEP:
		return with_signal(&call, resume);
	case PTRACE_KILL:
	case PTRACE_INTERRUPT:
		return kill_or_interrupt(&call);
	case PTRACE_LISTEN:
		return ptrace_with(pid, false, listen, NULL);
	case PTRACE_SETOPTIONS:
	case PTRACE_OLDSETOPTIONS:
		return set_options_to(&call);
	default:
		return other_request(&call);
	}
}
