/*
 * Frames of signal handlers. Owns their layout, which is Linux's (arch/x86/include/uapi/asm:
 * sigcontext.h, ucontext.h; the kernel's struct rt_sigframe), from the handler's stack pointer up:
 *
 *	return address (the restorer) | ucontext | siginfo | to 64 bytes | FPU state | magic
 *
 * The FPU state is the thread's own save area: XSAVE's standard form where the CPU has it, and then
 * the bytes that FXSAVE leaves to software say how long it is, and a second magic number follows.
 */
#include <arch/signal_frame.h>

#include "descriptors.h"
#include "fpu.h"
#include "x86.h"

#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/paging.h>
#include <arch/registers.h>
#include <arch/trap.h>
#include <arch/user.h>
#include <lib/string.h>

#include <abi/errno.h>

#define RED_ZONE_BYTES      128u /* psABI 3.2.2: below the stack pointer, and the program's */
#define FPU_ALIGN_BYTES     64u
#define FXSAVE_SOFTWARE     464u /* the bytes that the CPU leaves alone begin here */
#define FP_XSTATE_MAGIC1    UINT32_C(0x46505853)
#define FP_XSTATE_MAGIC2    UINT32_C(0x46505845)
#define UC_FP_XSTATE        UINT64_C(1)
#define UC_SIGCONTEXT_SS    UINT64_C(2)
#define UC_STRICT_RESTORE   UINT64_C(4)
#define FPU_STATE_BYTES_MAX 2816u /* of all components that fpu.c manages */

/* What a handler may change of the flags (SDM 1, 3.4.3): status, direction, trap, alignment check,
 * resume. */
#define RFLAGS_RESTORED UINT64_C(0x50dd5)

struct sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t error_code, vector, old_mask, cr2;
	uint64_t fpu; /* address of the state; 0: none */
	uint64_t reserved[8];
};

struct ucontext {
	uint64_t flags;
	uint64_t link;
	struct abi_stack stack;
	struct sigcontext registers;
	uint64_t mask;
};

struct handler_frame {
	uint64_t return_address;
	struct ucontext context;
	struct abi_siginfo info;
};
_Static_assert(sizeof(struct sigcontext) == 256 && offsetof(struct ucontext, mask) == 296 &&
		       offsetof(struct handler_frame, info) == 312,
	       "as Linux's struct rt_sigframe");

struct fpu_software_bytes { /* struct _fpx_sw_bytes */
	uint32_t magic1;
	uint32_t extended_bytes; /* with magic 2 */
	uint64_t components;
	uint32_t state_bytes;
	uint32_t padding[7];
};

static size_t fpu_frame_bytes(void)
{
	return fpu_state_bytes() + (fpu_components() ? sizeof(uint32_t) : 0);
}

size_t signal_frame_bytes(void)
{
	return RED_ZONE_BYTES + FPU_ALIGN_BYTES + fpu_frame_bytes() + 16 +
	       sizeof(struct handler_frame);
}

/* ---- to the stack ---- */

/* Where the FPU state goes, below `top`. */
static err_t push_fpu(uint64_t top, uint64_t *at)
{
	const struct fpu_software_bytes software = {
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_bytes = (uint32_t)fpu_frame_bytes(),
		.components = fpu_components(),
		.state_bytes = (uint32_t)fpu_state_bytes(),
	};
	const struct fpu_software_bytes none = {0};
	const uint32_t magic2 = FP_XSTATE_MAGIC2;
	const struct context *context = (const struct context *)current_thread();
	irqflags_t flags;

	*at = ALIGN_DOWN(top - fpu_frame_bytes(), FPU_ALIGN_BYTES);
	/* Off for the moment, so that no switch comes between registers and area; afterwards the
	 * area holds what a switch would put there as well. */
	flags = irq_save();
	fpu_save_current();
	irq_restore(flags);
	if (user_copy_out(uptr(*at), context->fpu, fpu_state_bytes()))
		return -EFAULT;
	if (user_copy_out(uptr(*at + FXSAVE_SOFTWARE), fpu_components() ? &software : &none,
			  sizeof(software)))
		return -EFAULT;
	return fpu_components() ? user_put(uptr(*at + fpu_state_bytes()), &magic2) : 0;
}

static void fill_registers(struct sigcontext *to, const struct trap_frame *frame)
{
	*to = (struct sigcontext){
		.r8 = frame->r8,
		.r9 = frame->r9,
		.r10 = frame->r10,
		.r11 = frame->r11,
		.r12 = frame->r12,
		.r13 = frame->r13,
		.r14 = frame->r14,
		.r15 = frame->r15,
		.rdi = frame->rdi,
		.rsi = frame->rsi,
		.rbp = frame->rbp,
		.rbx = frame->rbx,
		.rdx = frame->rdx,
		.rax = frame->rax,
		.rcx = frame->rcx,
		.rsp = frame->rsp,
		.rip = frame->rip,
		.rflags = frame->rflags,
		.cs = (uint16_t)frame->cs,
		.ss = (uint16_t)frame->ss,
	};
	if (frame->vector < 32) {
		to->vector = frame->vector;
		to->error_code = frame->error_code;
	}
}

static uint64_t stack_top(const struct trap_frame *frame, const struct signal_frame *from)
{
	if (from->on_alternate)
		return from->stack.ss_sp + from->stack.ss_size;
	return frame->rsp - RED_ZONE_BYTES;
}

err_t signal_frame_push(struct trap_frame *frame, const struct signal_frame *from)
{
	struct handler_frame on_stack = {.return_address = from->restorer, .info = from->info};
	struct ucontext *context = &on_stack.context;
	uint64_t fpu;
	uint64_t at;

	/* IRET to an address that no program can have would fault in the kernel. */
	if (from->handler >= USER_MAX || push_fpu(stack_top(frame, from), &fpu))
		return -EFAULT;
	at = ALIGN_DOWN(fpu - sizeof(on_stack), 16) - 8; /* as after a call: psABI 3.2.2 */
	context->flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE;
	if (fpu_components())
		context->flags |= UC_FP_XSTATE;
	context->stack = from->stack;
	context->mask = from->mask;
	fill_registers(&context->registers, frame);
	context->registers.old_mask = from->mask;
	context->registers.cr2 = from->fault_address;
	context->registers.fpu = fpu;
	if (user_put(uptr(at), &on_stack))
		return -EFAULT;

	*frame = (struct trap_frame){
		.rdi = (uint64_t)(uint32_t)from->info.si_signo,
		.rsi = at + offsetof(struct handler_frame, info),
		.rdx = at + offsetof(struct handler_frame, context),
		.rip = from->handler,
		.cs = SELECTOR_USER_CODE,
		.rflags = RFLAGS_FIXED | RFLAGS_IF,
		.rsp = at,
		.ss = SELECTOR_USER_DATA,
	};
	return 0;
}

/* ---- and back ---- */

/* Reads a state that a handler left into `state`; the extended part counts only if all that
 * push_fpu() wrote around it is still there. */
static err_t read_fpu(uint64_t from, void *state)
{
	struct fpu_software_bytes software;
	uint64_t legacy_components = 3; /* x87 and SSE: what FXSAVE holds */
	uint32_t magic2 = 0;

	memset(state, 0, fpu_state_bytes());
	if (user_copy_in(&software, uptr(from + FXSAVE_SOFTWARE), sizeof(software)))
		return -EFAULT;
	if (fpu_components() && software.magic1 == FP_XSTATE_MAGIC1 &&
	    software.state_bytes == fpu_state_bytes() &&
	    software.extended_bytes == fpu_frame_bytes()) {
		if (user_get(&magic2, uptr(from + fpu_state_bytes())))
			return -EFAULT;
	}
	if (magic2 == FP_XSTATE_MAGIC2)
		return user_copy_in(state, uptr(from), fpu_state_bytes());
	if (user_copy_in(state, uptr(from), FXSAVE_BYTES))
		return -EFAULT;
	if (fpu_components())
		memcpy((char *)state + FXSAVE_BYTES, &legacy_components, sizeof(legacy_components));
	return 0;
}

static err_t pop_fpu(uint64_t from)
{
	struct context *context = (struct context *)current_thread();
	char state[FPU_STATE_BYTES_MAX] __attribute__((aligned(FPU_ALIGN_BYTES)));
	irqflags_t flags;

	if (fpu_state_bytes() > sizeof(state))
		return -EFAULT;
	if (!from)
		fpu_state_init(state);
	else if (read_fpu(from, state) || !fpu_state_is_loadable(state))
		return -EFAULT;
	flags = irq_save();
	memcpy(context->fpu, state, fpu_state_bytes());
	fpu_load_current();
	irq_restore(flags);
	return 0;
}

err_t signal_frame_pop(struct trap_frame *frame, uint64_t *mask, struct abi_stack *stack)
{
	/* The handler has taken its return address off. */
	uint64_t at = frame->rsp - sizeof(uint64_t);
	const struct sigcontext *from;
	struct ucontext context;

	if (user_get(&context, uptr(at + offsetof(struct handler_frame, context))))
		return -EFAULT;
	from = &context.registers;
	/* As signal_frame_push(). */
	if (from->rip >= USER_MAX || pop_fpu(from->fpu))
		return -EFAULT;
	*mask = context.mask;
	*stack = context.stack;
	*frame = (struct trap_frame){
		.r15 = from->r15,
		.r14 = from->r14,
		.r13 = from->r13,
		.r12 = from->r12,
		.rbp = from->rbp,
		.rbx = from->rbx,
		.r11 = from->r11,
		.r10 = from->r10,
		.r9 = from->r9,
		.r8 = from->r8,
		.rax = from->rax,
		.rcx = from->rcx,
		.rdx = from->rdx,
		.rsi = from->rsi,
		.rdi = from->rdi,
		.rip = from->rip,
		.cs = SELECTOR_USER_CODE,
		.rflags = RFLAGS_FIXED | RFLAGS_IF | (from->rflags & RFLAGS_RESTORED),
		.rsp = from->rsp,
		.ss = SELECTOR_USER_DATA,
	};
	return 0;
}
