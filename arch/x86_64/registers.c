/*
 * User registers in the forms of Linux's struct user_regs_struct, FXSAVE and XSAVE. No state.
 */
#include <arch/registers.h>

#include "fpu.h"
#include "x86.h"

#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/paging.h>
#include <arch/trap.h>
#include <lib/atomic.h>
#include <lib/string.h>

#include <abi/errno.h>

/* What a debugger may change of the flags, as Linux (SDM 1, 3.4.3): status, trap, direction, nested
 * task, resume, alignment check. */
#define RFLAGS_CHANGEABLE UINT64_C(0x54dd5)

/* The bytes that FXSAVE leaves to software; Linux puts XCR0 there in what debuggers see. */
#define FXSAVE_SOFTWARE 464

void registers_get(const struct context *context, struct abi_user_regs *out)
{
	const struct trap_frame *frame = context_user_frame(context);

	*out = (struct abi_user_regs){
		.orig_rax = (uint64_t)trap_syscall_number(frame),
		.rip = frame->rip,
		.cs = frame->cs,
		.rflags = frame->rflags,
		.rsp = frame->rsp,
		.ss = frame->ss,
		.fs_base = context->fs_base,
		.gs_base = context->gs_base,
	};
	/* The general ones stand in the same order. */
	memcpy(out, frame, offsetof(struct abi_user_regs, orig_rax));
}

static bool is_acceptable(const struct abi_user_regs *regs)
{
	/* IRET to an address that no program can have would fault in the kernel. */
	return regs->cs == SELECTOR_USER_CODE && regs->ss == SELECTOR_USER_DATA && !regs->ds &&
	       !regs->es && !regs->fs && !regs->gs && regs->rip < USER_MAX &&
	       regs->fs_base < USER_MAX && regs->gs_base < USER_MAX;
}

err_t registers_set(struct context *context, const struct abi_user_regs *from)
{
	struct trap_frame *frame = context_user_frame(context);

	if (!is_acceptable(from))
		return -EIO;
	memcpy(frame, from, offsetof(struct abi_user_regs, orig_rax));
	trap_set_syscall_number(frame, (int64_t)from->orig_rax);
	frame->rip = from->rip;
	frame->rsp = from->rsp;
	frame->rflags = (frame->rflags & ~RFLAGS_CHANGEABLE) | (from->rflags & RFLAGS_CHANGEABLE);
	context->fs_base = from->fs_base;
	context->gs_base = from->gs_base;
	return 0;
}

bool registers_set_step(const struct context *context, bool on)
{
	struct trap_frame *frame = context_user_frame(context);
	bool before = frame->rflags & RFLAGS_TF;

	frame->rflags = on ? frame->rflags | RFLAGS_TF : frame->rflags & ~RFLAGS_TF;
	/* SYSRET would trap at once, IRET after the next instruction. */
	if (on)
		trap_set_syscall_number(frame, trap_syscall_number(frame));
	return before;
}

void registers_set_branch_step(bool on)
{
	struct context *context = (struct context *)current_thread();
	irqflags_t flags;

	if (on == !!(read_once(&context->exit_work) & EXIT_WORK_BRANCHES))
		return;
	flags = irq_save();
	if (on)
		(void)atomic_fetch_or_full(&context->exit_work, (uint32_t)EXIT_WORK_BRANCHES);
	else
		(void)atomic_fetch_and_full(&context->exit_work, ~(uint32_t)EXIT_WORK_BRANCHES);
	if (context->fpu) /* else context_unpark() does it */
		msr_write(MSR_DEBUGCTL, on ? DEBUGCTL_BTF : 0);
	irq_restore(flags);
}

/* ---- FPU ---- */

size_t registers_xsave_bytes(void)
{
	return fpu_components() ? fpu_state_bytes() : 0;
}

/* XSAVE has written every component, whether the program uses it or not (SDM 1, 13.7). */
void registers_get_fxsave(const struct context *context, void *out)
{
	memcpy(out, context->parked_fpu, FXSAVE_BYTES);
}

void registers_get_xsave(const struct context *context, void *out)
{
	uint64_t components = fpu_components();

	memcpy(out, context->parked_fpu, fpu_state_bytes());
	memcpy((char *)out + FXSAVE_SOFTWARE, &components, sizeof(components));
}

err_t registers_set_fxsave(struct context *context, const void *from)
{
	const uint64_t x87_and_sse = 3;
	uint64_t present = 0;

	if (!fpu_mxcsr_is_loadable(from))
		return -EINVAL;
	memcpy(context->parked_fpu, from, FXSAVE_BYTES);
	if (!fpu_components())
		return 0;
	memcpy(&present, (char *)context->parked_fpu + FXSAVE_BYTES, sizeof(present));
	present |= x87_and_sse;
	memcpy((char *)context->parked_fpu + FXSAVE_BYTES, &present, sizeof(present));
	return 0;
}

err_t registers_set_xsave(struct context *context, const void *from)
{
	if (!fpu_state_is_loadable(from))
		return -EINVAL;
	memcpy(context->parked_fpu, from, fpu_state_bytes());
	return 0;
}
