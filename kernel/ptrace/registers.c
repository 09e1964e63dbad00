/*
 * Registers as a tracer sees them: the machine's, and what the kernel has in them that a program
 * never sees: how an interrupted call goes on stands in its result, as Linux has it there.
 */
#include "ptrace.h"

#include "../syscall.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <arch/registers.h>

/* Results of Linux's that no program sees (include/linux/errno.h there). */
#define ERESTARTNOHAND        514
#define ERESTART_RESTARTBLOCK 516

static int64_t shown_result(const struct uthread *uthread, int64_t number, int64_t result)
{
	const struct syscall_info *call = syscall_info((uint64_t)number);
	unsigned flags = call ? call->flags : 0;

	if (result != -EINTR)
		return result;
	if (uthread->restart.kind == RESTART_NEVER)
		return result;
	if (uthread->restart.kind != RESTART_NONE)
		return -ERESTART_RESTARTBLOCK;
	if (flags & SYSCALL_RESTARTS)
		return -ERESTARTSYS;
	return flags & SYSCALL_RESUMES ? -ERESTARTNOHAND : result;
}

void ptrace_show_registers(const struct uthread *uthread, struct abi_user_regs *out)
{
	registers_get(&uthread->thread->context, out);
	if ((int64_t)out->orig_rax >= 0)
		out->rax =
			(uint64_t)shown_result(uthread, (int64_t)out->orig_rax, (int64_t)out->rax);
}

void ptrace_get_registers(const struct tracee *tracee, struct abi_user_regs *out)
{
	ptrace_show_registers(tracee->uthread, out);
	if ((int64_t)out->orig_rax < 0 && tracee->in_call)
		out->orig_rax = (uint64_t)tracee->call_number; /* execve's frame is a new one */
}

err_t ptrace_set_registers(struct tracee *tracee, const struct abi_user_regs *from)
{
	struct abi_user_regs regs = *from;

	if (tracee->in_call)
		tracee->call_number = (int64_t)regs.orig_rax; /* -1: it is not made */
	if ((int64_t)regs.orig_rax >= 0) {
		switch ((int64_t)regs.rax) {
		case -ERESTARTSYS:
		case -ERESTARTNOHAND:
		case -ERESTART_RESTARTBLOCK:
			regs.rax = (uint64_t)-EINTR;
			break;
		default:
			break;
		}
	}
	return registers_set(&tracee->uthread->thread->context, &regs);
}
