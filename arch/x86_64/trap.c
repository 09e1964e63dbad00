/*
 * Where every vector ends. Owns the counters of interrupts.
 *
 * A page fault on a program's address is mm/'s to serve, whoever caused it. What cannot be served
 * ends a user copy through the exception table, a program through its hook, a module through its
 * own; everything else is a fault of the kernel.
 */
#include "interrupts.h"

#include "context_priv.h"
#include "debug_registers.h"
#include "descriptors.h"
#include "smp/smp.h"
#include "x86.h"

#include <arch/clock.h>
#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/paging.h>
#include <arch/port.h>
#include <arch/trap.h>
#include <lib/atomic.h>
#include <lib/panic.h>

#include <abi/errno.h>

struct fixup {
	int32_t fault; /* distances from the fields themselves */
	int32_t resume;
};
extern const struct fixup exception_table_start[], exception_table_end[];

void trap_dispatch(struct trap_frame *frame);
void user_exit_slow(struct trap_frame *frame);

/* [n]: counted with interrupts off on CPU n alone. */
static PERCPU(uint64_t, counts)[256];

const char *trap_name(uint64_t vector)
{
	static const char *const names[] = {"divide error",
					    "debug",
					    "non-maskable interrupt",
					    "breakpoint",
					    "overflow",
					    "bound range",
					    "invalid opcode",
					    "no FPU",
					    "double fault",
					    "coprocessor overrun",
					    "invalid TSS",
					    "segment not present",
					    "stack segment fault",
					    "general protection fault",
					    "page fault",
					    "reserved",
					    "x87 error",
					    "alignment check",
					    "machine check",
					    "SIMD error",
					    "virtualization",
					    "control protection"};

	if (vector >= SYSCALL_VECTOR)
		return "system call";
	return vector < ARRAY_SIZE(names) ? names[vector] : "interrupt";
}

uint64_t trap_count(uint32_t cpu, unsigned vector)
{
	return vector < 256 ? read_once(&(*percpu_of(cpu, counts))[vector]) : 0;
}

static bool is_line(uint64_t vector)
{
	return vector >= VECTOR_IRQ_BASE && vector < VECTOR_IRQ_BASE + IRQ_LINES;
}

void trap_vector_info(unsigned vector, struct trap_vector_info *out)
{
	static const struct {
		unsigned vector;
		const char *owner;
	} ours[] = {{VECTOR_TIMER, "timer"},
		    {VECTOR_KICK, "kick"},
		    {VECTOR_CALL, "call"},
		    {VECTOR_SPURIOUS, "spurious"}};

	*out = (struct trap_vector_info){.owner = "unexpected", .line = -1};
	if (vector < 32)
		*out = (struct trap_vector_info){trap_name(vector), "CPU", -1, 0};
	for (unsigned i = 0; i < ARRAY_SIZE(ours); i++) {
		if (ours[i].vector == vector)
			*out = (struct trap_vector_info){ours[i].owner, "local APIC", -1, 0};
	}
	if (is_line(vector) && irq_owner(vector - VECTOR_IRQ_BASE)) {
		out->line = (int)(vector - VECTOR_IRQ_BASE);
		out->owner = irq_owner((unsigned)out->line);
		out->controller = irq_controller_name();
		out->cpu = irq_cpu((unsigned)out->line);
	}
}

/* Where a fault at `rip` continues; 0: it is none of the instructions that may fault. */
static uint64_t fixup_find(uint64_t rip)
{
	for (const struct fixup *f = exception_table_start; f < exception_table_end; f++) {
		if ((uint64_t)&f->fault + (uint64_t)(int64_t)f->fault == rip)
			return (uint64_t)&f->resume + (uint64_t)(int64_t)f->resume;
	}
	return 0;
}

static bool fixup_apply(struct trap_frame *frame)
{
	uint64_t resume = fixup_find(frame->rip);

	if (resume)
		frame->rip = resume;
	return resume != 0;
}

static bool in_module(uint64_t address)
{
	return address >= MODULE_BASE && address < MODULE_END;
}

static void kernel_fault(struct trap_frame *frame, uint64_t address)
{
	if (in_module(frame->rip) && trap_module_fault(frame, address))
		return;
	trap_kernel_fault(frame, address);
}

/* Error code of a page fault: SDM 3A 4.7. */
static unsigned fault_access(uint64_t error_code)
{
	unsigned access = 0;

	if (error_code & 1)
		access |= FAULT_PRESENT;
	if (error_code & 2)
		access |= FAULT_WRITE;
	if (error_code & 4)
		access |= FAULT_USER;
	if (error_code & 16)
		access |= FAULT_EXEC;
	return access;
}

static void page_fault(struct trap_frame *frame)
{
	uint64_t address = cr2_read();
	bool by_user = trap_from_user(frame);
	/* The kernel touches a program's memory in its copies alone: anything else that it does
	 * there is a fault of its own, which SMAP and SMEP exist to show. */
	bool may_wait = by_user || (fixup_find(frame->rip) && frame->rflags & RFLAGS_IF &&
				    !preempt_depth() && !in_interrupt());

	if (address < USER_MAX + PAGE_SIZE && may_wait) {
		err_t err;

		irq_enable();
		err = trap_user_page_fault(address, fault_access(frame->error_code));
		irq_disable();
		if (!err)
			return;
	}
	if (by_user) {
		irq_enable();
		trap_user_fault(frame, address);
		irq_disable();
	} else if (address >= USER_MAX + PAGE_SIZE || !fixup_apply(frame)) {
		kernel_fault(frame, address);
	}
}

static void exception(struct trap_frame *frame)
{
	switch (frame->vector) {
	case TRAP_PAGE_FAULT:
		page_fault(frame);
		return;
	case TRAP_NMI:
		/* Else a person at the monitor sent it, who wants to know where we are. */
		if (nmi_answer(frame))
			return;
		trap_kernel_fault(frame, 0);
	case TRAP_MACHINE_CHECK:
	case TRAP_DOUBLE_FAULT:
		trap_kernel_fault(frame, cr2_read());
	case TRAP_DEBUG:
		if (!debug_trap(frame))
			return;
		break;
	case TRAP_PROTECTION:
		if (trap_from_user(frame) && context_timestamp_fault())
			return; /* tries again */
		break;
	case TRAP_BREAKPOINT:
		if (!trap_from_user(frame))
			return; /* resumes behind it */
		break;
	default:
		break;
	}
	if (trap_from_user(frame)) {
		irq_enable();
		trap_user_fault(frame, 0);
		irq_disable();
	} else if (!fixup_apply(frame)) {
		kernel_fault(frame, 0);
	}
}

static void interrupt(struct trap_frame *frame)
{
	struct cpu *cpu = this_cpu();

	cpu->interrupt_depth++;
	cpu->interrupted_program = trap_from_user(frame);
	preempt_disable();
	switch (frame->vector) {
	case VECTOR_TIMER:
		apic_end();
		clock_timer_interrupt();
		break;
	case VECTOR_KICK:
		apic_end();
		cpu_want_switch();
		break;
	case VECTOR_CALL:
		apic_end();
		cpu_calls_run();
		break;
	case VECTOR_SPURIOUS:
		break; /* has no end (SDM 3A 10.9) */
	default:
		if (is_line(frame->vector))
			irq_line((unsigned)frame->vector - VECTOR_IRQ_BASE);
		else
			irq_stray((unsigned)frame->vector);
		break;
	}
	preempt_enable_no_switch();
	cpu->interrupt_depth--;
	/* Into the kernel: switch here, if that may be. Into a program: on the way out, by the same
	 * word. */
	if (!trap_from_user(frame) && cpu->preempt_count == 0)
		preempt_schedule();
}

/* Interrupts are off here and when it returns. */
void trap_dispatch(struct trap_frame *frame)
{
	(*this_percpu(counts))[frame->vector & 0xff]++;
	if (frame->vector < 32)
		exception(frame);
	else
		interrupt(frame);
}

/* The way out to a program, when a switch is wanted or exit work is waiting. Interrupts off on
 * entry and exit. */
void user_exit_slow(struct trap_frame *frame)
{
	/* struct thread begins with its context (sched/thread.h asserts it). */
	struct context *context = (struct context *)current_thread();

	for (;;) {
		if (cpu_switch_wanted())
			preempt_schedule();
		irq_disable();
		if (read_once(&context->exit_work) & EXIT_WORK_HOOK) {
			(void)atomic_fetch_and_full(&context->exit_work, ~(uint32_t)EXIT_WORK_HOOK);
			irq_enable();
			trap_user_exit_work(frame);
			irq_disable();
			continue;
		}
		if (!cpu_switch_wanted())
			return;
	}
}
