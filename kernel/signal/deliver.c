/*
 * Taking signals: what a thread does on its way to user mode. Here, and nowhere else, an
 * interrupted system call is begun anew: calls that were interrupted say -EINTR, and the table of
 * system calls knows which of them go on. What a program sees is Linux's:
 *
 *	RESTARTS	goes on unless a handler without SA_RESTART ran
 *	RESUMES		goes on only if no handler ran
 *	uthread->restart filled: goes on by restart_syscall if no handler ran (it counts time)
 *	RESTART_NEVER there, or otherwise: EINTR
 */
#include "signal.h"

#include "../core/core.h"
#include "../time/cpu_time.h"

#include "../process/exit.h"
#include "../process/family.h"
#include "../ptrace/ptrace.h"
#include "../syscall.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/wait.h>
#include <arch/signal_frame.h>
#include <arch/trap.h>
#include <lib/string.h>

#define RESTART_SYSCALL 219 /* abi/syscalls.def */

/* ---- interrupted calls ---- */

static bool goes_on(const struct trap_frame *frame, int64_t number, bool handler_ran,
		    bool handler_restarts)
{
	const struct syscall_info *call = syscall_info((uint64_t)number);
	unsigned flags = call ? call->flags : 0;

	if ((int64_t)frame->rax == -ERESTARTNOINTR)
		return true;
	if (flags & SYSCALL_RESTARTS || (int64_t)frame->rax == -ERESTARTSYS)
		return !handler_ran || handler_restarts;
	return flags & SYSCALL_RESUMES && !handler_ran;
}

/* `action`: of the handler that will run next, or NULL. A handler ends what counts time: whether it
 * returns or leaps, restart_syscall finds nothing to go on with. */
static void finish_call(struct trap_frame *frame, const struct abi_sigaction *action)
{
	struct uthread *uthread = uthread_current();
	int64_t number = trap_syscall_number(frame);
	int64_t result = (int64_t)frame->rax;
	enum restart_kind kind = uthread->restart.kind;
	bool counts_time = kind != RESTART_NONE;

	if (action || kind == RESTART_NEVER)
		uthread->restart.kind = RESTART_NONE;
	if (number < 0 || (result != -EINTR && result != -ERESTARTNOINTR && result != -ERESTARTSYS))
		return;
	if (counts_time) {
		if (!action && kind != RESTART_NEVER)
			trap_syscall_repeat(frame, RESTART_SYSCALL);
	} else if (goes_on(frame, number, action, action && action->flags & SA_RESTART)) {
		trap_syscall_repeat(frame, (uint64_t)number);
	} else {
		frame->rax = (uint64_t)-EINTR;
	}
}

/* ---- the end ---- */

static noreturn void end_by(const struct signal_info *info)
{
	core_write(info);
	process_exit(WAIT_STATUS_SIGNAL(info->signal));
}

/* ---- handlers ---- */

static bool is_on(const struct abi_stack *stack, uint64_t sp)
{
	return !(stack->ss_flags & SS_DISABLE) && sp - stack->ss_sp - 1 < stack->ss_size;
}

bool signal_is_on_stack(const struct uthread *uthread, uint64_t sp)
{
	return is_on(&uthread->alternate_stack, sp);
}

err_t signal_set_stack(struct uthread *uthread, const struct abi_stack *stack)
{
	uint32_t mode = (uint32_t)stack->ss_flags & ~SS_AUTODISARM;

	/* SS_ONSTACK is what it reports; Linux takes it as nothing. */
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode != SS_DISABLE && stack->ss_size < MINSIGSTKSZ)
		return -ENOMEM;
	uthread->alternate_stack = *stack;
	uthread->alternate_stack.ss_flags &= ~SS_ONSTACK;
	if (mode == SS_DISABLE)
		uthread->alternate_stack.ss_sp = uthread->alternate_stack.ss_size = 0;
	return 0;
}

static void enter_handler(struct trap_frame *frame, const struct signal_info *info,
			  const struct abi_sigaction *action)
{
	struct uthread *uthread = uthread_current();
	struct abi_stack *stack = &uthread->alternate_stack;
	bool is_there = is_on(stack, frame->rsp);
	struct signal_frame push = {
		.handler = action->handler,
		.restorer = action->restorer,
		.mask = uthread->restore_blocked ? uthread->blocked_before : uthread->blocked,
		.stack = *stack,
		.on_alternate =
			action->flags & SA_ONSTACK && !is_there && !(stack->ss_flags & SS_DISABLE),
		.fault_address = uthread->fault_address,
		.info = {.si_signo = info->signal, .si_errno = info->error, .si_code = info->code},
	};

	memcpy(push.info.si_fields, info->fields, sizeof(info->fields));
	/* A handler that has filled its stack must not write below it. */
	if (is_there && !is_on(stack, frame->rsp - signal_frame_bytes()))
		goto no_room;
	if (!(action->flags & SA_RESTORER) || signal_frame_push(frame, &push))
		goto no_room;
	if (stack->ss_flags & (int32_t)SS_AUTODISARM)
		*stack = (struct abi_stack){.ss_flags = SS_DISABLE};
	uthread->restore_blocked = false;
	signal_set_blocked(uthread->blocked | action->mask |
			   (action->flags & SA_NODEFER ? 0 : SIGNAL_BIT(info->signal)));
	return;

no_room:
	/* As Linux: the handler of SIGSEGV may have an alternate stack, but not for its own. */
	if (info->signal == SIGSEGV)
		end_by(&(struct signal_info){.signal = SIGSEGV, .code = SI_KERNEL});
	(void)signal_force(&(struct signal_info){.signal = SIGSEGV, .code = SI_KERNEL});
}

/* ---- one signal ---- */

/* `ncontinues`: as it was when the signal was taken. A SIGCONT since then found no stop to take
 * away; it must not be lost. */
static void act_by_default(struct process *process, const struct signal_info *info,
			   uint32_t ncontinues)
{
	int signal = info->signal;
	irqflags_t flags;

	/* Nobody ends or stops init by accident; to an inner one what cannot be handled came from
	 * outside. */
	if (signal_is_ignored(process, signal) || process->pid == INIT_PID ||
	    (read_once(&process->unkillable) && !(SIGNAL_BIT(signal) & UNBLOCKABLE_SIGNALS)))
		return;
	if (!(SIGNAL_BIT(signal) & STOP_SIGNALS))
		end_by(info);
	/* Nobody could continue it from a terminal: it is not stopped from there. */
	if (signal != SIGSTOP && family_group_is_orphaned(process))
		return;
	flags = spin_lock_irqsave(&process->signal_lock);
	if (ncontinues == process->ncontinues)
		signal_stop_locked(process, signal);
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

/* The action as it is now; one of a single use becomes the default. */
static struct abi_sigaction use_action(struct process *process, int signal)
{
	struct signal_actions *actions = process->actions;
	irqflags_t flags = spin_lock_irqsave(&actions->lock);
	struct abi_sigaction action = actions->of[signal - 1];

	if (action.handler > SIG_IGN && action.flags & SA_RESETHAND)
		write_once(&actions->of[signal - 1].handler, SIG_DFL);
	spin_unlock_irqrestore(&actions->lock, flags);
	return action;
}

/* Takes the next signal, and notes how often SIGCONT had come by then. False: there is none;
 * nothing interrupts the thread any more. */
static bool take(struct uthread *uthread, struct signal_info *info, uint32_t *ncontinues)
{
	struct process *process = uthread->process;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	bool must_end = process->exiting || uthread->replaced;
	bool must_rest = ptrace_must_rest_locked(process, uthread);
	bool must_trap = ptrace_must_trap_locked(process, uthread);
	int status = process->status_to_be;
	int signal = 0;

	info->signal = 0;
	*ncontinues = process->ncontinues;
	if (!must_end && !must_rest && !must_trap)
		signal = signal_take_locked(process, uthread, ~uthread->blocked, info);
	if (!signal && !must_end && !must_rest && !must_trap)
		signal_recalculate_locked(process, uthread);
	spin_unlock_irqrestore(&process->signal_lock, flags);

	if (must_end)
		uthread_exit(status);
	if (must_rest)
		signal_rest();
	else if (must_trap)
		ptrace_trap();
	return signal || must_rest || must_trap;
}

void signal_deliver(struct trap_frame *frame)
{
	struct uthread *uthread = uthread_current();
	struct process *process = uthread->process;
	struct signal_info info;
	uint32_t ncontinues;
	bool stepped;

	cpu_time_check();
	while (take(uthread, &info, &ncontinues)) {
		struct abi_sigaction action;

		if (!info.signal || (is_traced(uthread) && !ptrace_signal(&info)))
			continue;
		action = use_action(process, info.signal);
		if (action.handler == SIG_DFL) {
			act_by_default(process, &info, ncontinues);
		} else if (action.handler != SIG_IGN) {
			finish_call(frame, &action);
			stepped = ptrace_step_ends();
			enter_handler(frame, &info, &action);
			if (stepped)
				ptrace_stepped();
		}
	}
	finish_call(frame, NULL);
	signal_end_blocked_for_now();
}

void signal_return(struct trap_frame *frame)
{
	struct uthread *uthread = uthread_current();
	struct abi_stack stack;
	uint64_t mask;

	if (signal_frame_pop(frame, &mask, &stack)) {
		(void)signal_force(&(struct signal_info){.signal = SIGSEGV, .code = SI_KERNEL});
		return;
	}
	uthread->restart.kind = RESTART_NONE;
	signal_set_blocked(mask);
	/* As Linux: what the handler wrote there counts, if it is a stack at all. */
	if (!is_on(&uthread->alternate_stack, frame->rsp))
		(void)!signal_set_stack(uthread, &stack);
}
