/*
 * Going from one thread to another, and into user mode. Owns what is the CPU's of the running
 * thread: its stack for traps, FS and GS bases, FPU registers, CR3. Called with interrupts off;
 * nothing here can fail.
 *
 * A kernel thread runs in whatever page tables it finds (all have the kernel's half), so going to
 * one and back to the same program loads neither CR3 nor FPU state of anybody else.
 */
#include "context_priv.h"
#include "debug_registers.h"
#include "descriptors.h"
#include "entropy.h"
#include "fpu.h"
#include "x86.h"

#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/paging.h>
#include <arch/trap.h>
#include <lib/atomic.h>
#include <lib/panic.h>
#include <lib/string.h>

void context_switch_stacks(struct context *from, struct context *to);
void context_start(void);
noreturn void context_enter_frame(struct trap_frame *frame);

/* The page tables that this CPU has loaded; NULL: the kernel's own. Its CPU's alone, interrupts
 * off. */
static PERCPU(struct pagetable *, loaded_pagetable);

void context_init(struct context *context, vaddr_t stack_base, vaddr_t stack_top,
		  void (*entry)(void *argument), void *argument)
{
	uint64_t *sp = (uint64_t *)(stack_top - sizeof(struct trap_frame));

	*context = (struct context){
		.stack_canary = stack_canary_new(),
		.stack_base = stack_base,
		.stack_top = stack_top,
	};
	*--sp = 0; /* keeps the stack aligned as after a call */
	*--sp = (uint64_t)context_start;
	*--sp = 0;                  /* rbp: the end of backtraces */
	*--sp = 0;                  /* rbx */
	*--sp = (uint64_t)entry;    /* r12 */
	*--sp = (uint64_t)argument; /* r13 */
	*--sp = 0;                  /* r14 */
	*--sp = 0;                  /* r15 */
	context->sp = (uint64_t)sp;
}

void context_adopt(struct context *context, vaddr_t stack_base, vaddr_t stack_top)
{
	*context = (struct context){
		.stack_canary = this_cpu()->stack_canary,
		.stack_base = stack_base,
		.stack_top = stack_top,
	};
}

static void load_pagetable(struct pagetable *table)
{
	struct pagetable **loaded = this_percpu(loaded_pagetable);
	uint64_t self = UINT64_C(1) << cpu_id();

	if (*loaded == table)
		return;
	/* Set before the load and cleared after the other's: a CPU whose bit is clear has no entry
	 * of the tree. */
	if (table)
		atomic_fetch_or_full(&table->cpus, self);
	cr3_write(table ? table->root : pagetable_kernel()->root);
	if (*loaded)
		atomic_fetch_and_full(&(*loaded)->cpus, ~self);
	*loaded = table;
}

static void leave(void *table)
{
	irqflags_t flags = irq_save();

	if (*this_percpu(loaded_pagetable) == table)
		load_pagetable(NULL);
	irq_restore(flags);
}

void context_leave_pagetable(struct pagetable *table)
{
	cpuset_t cpus = read_once(&table->cpus);

	if (cpus)
		cpu_call(cpus, leave, table);
}

bool context_leave_if_lazy(struct pagetable *table)
{
	const struct context *current = (const struct context *)current_thread();

	if (current->pagetable == table)
		return false;
	leave(table);
	return true;
}

static void load_user(struct context *context)
{
	load_pagetable(context->pagetable);
	fpu_load(context->fpu);
	msr_write(MSR_FS_BASE, context->fs_base);
	msr_write(MSR_KERNEL_GS_BASE, context->gs_base);
}

static ALWAYS_INLINE void save_user(struct context *context)
{
	fpu_save(context->fpu);
	if (cpu_features()->fsgsbase) {
		/* A program may have written its bases without a call. */
		__asm__ volatile("rdfsbase %0" : "=r"(context->fs_base));
		context->gs_base = msr_read(MSR_KERNEL_GS_BASE);
	}
}

void context_enter_pagetable(struct pagetable *pagetable)
{
	struct context *context = (struct context *)current_thread();
	irqflags_t flags = irq_save();

	context->pagetable = pagetable;
	load_pagetable(pagetable);
	irq_restore(flags);
}

/* The way out looks at one word only, which a wanted switch changes too. A CPU that forbids the
 * time stamp counter goes on to do so until somebody else's program meets it. */
static NOINLINE void take_exit_work(const struct context *context)
{
	if (read_once(&context->exit_work) & EXIT_WORK_HOOK)
		cpu_want_switch();
	debug_registers_load(context);
	if (read_once(&context->exit_work) & EXIT_WORK_TIMESTAMP)
		cr4_write(cr4_read() | CR4_TSD);
	if (read_once(&context->exit_work) & EXIT_WORK_BRANCHES)
		msr_write(MSR_DEBUGCTL, DEBUGCTL_BTF);
}

void context_switch(struct context *from, struct context *to)
{
	debug_assert(irqs_off());

	if (from->fpu) {
		save_user(from);
		/* Another one's steps are whole ones. */
		if (unlikely(read_once(&from->exit_work) & EXIT_WORK_BRANCHES))
			msr_write(MSR_DEBUGCTL, 0);
	}
	if (to->fpu) {
		load_user(to);
		if (unlikely(read_once(&to->exit_work)))
			take_exit_work(to);
	}
	descriptors_set_kernel_stack(this_cpu(), to->stack_top);
	context_switch_stacks(from, to);
}

/* Without `fpu` a switch treats it as a kernel thread. */
void context_park(void)
{
	struct context *context = (struct context *)current_thread();
	irqflags_t flags = irq_save();

	save_user(context);
	if (unlikely(read_once(&context->exit_work) & EXIT_WORK_BRANCHES))
		msr_write(MSR_DEBUGCTL, 0);
	context->parked_fpu = context->fpu;
	context->fpu = NULL;
	irq_restore(flags);
}

void context_unpark(void)
{
	struct context *context = (struct context *)current_thread();
	irqflags_t flags = irq_save();

	context->fpu = context->parked_fpu;
	load_user(context);
	take_exit_work(context);
	irq_restore(flags);
}

void context_allow_timestamp(bool allow)
{
	struct context *context = (struct context *)current_thread();
	irqflags_t flags = irq_save();

	if (allow)
		(void)atomic_fetch_and_full(&context->exit_work, ~(uint32_t)EXIT_WORK_TIMESTAMP);
	else
		(void)atomic_fetch_or_full(&context->exit_work, (uint32_t)EXIT_WORK_TIMESTAMP);
	take_exit_work(context);
	irq_restore(flags);
}

bool context_timestamp_allowed(void)
{
	const struct context *context = (const struct context *)current_thread();

	return !(read_once(&context->exit_work) & EXIT_WORK_TIMESTAMP);
}

bool context_timestamp_fault(void)
{
	if (!(cr4_read() & CR4_TSD) || !context_timestamp_allowed())
		return false;
	cr4_write(cr4_read() & ~CR4_TSD);
	return true;
}

void context_request_exit_work(struct context *context)
{
	irqflags_t flags = irq_save();

	(void)atomic_fetch_or_full(&context->exit_work, (uint32_t)EXIT_WORK_HOOK);
	/* Running here: the way out looks at one word only, which a wanted switch changes too. */
	if (this_cpu()->kernel_stack_top == context->stack_top)
		cpu_want_switch();
	irq_restore(flags);
}

struct trap_frame *context_user_frame(const struct context *context)
{
	return (struct trap_frame *)(context->stack_top - sizeof(struct trap_frame));
}

void context_set_user_start(struct context *context, uint64_t entry, uint64_t stack)
{
	*context_user_frame(context) = (struct trap_frame){
		.rip = entry,
		.cs = SELECTOR_USER_CODE,
		.rflags = RFLAGS_FIXED | RFLAGS_IF,
		.rsp = stack,
		.ss = SELECTOR_USER_DATA,
	};
}

void context_copy_user(struct context *child, uint64_t stack)
{
	const struct context *parent = (const struct context *)current_thread();
	struct trap_frame *frame = context_user_frame(child);
	irqflags_t flags;

	*frame = *context_user_frame(parent);
	frame->rax = 0;
	if (stack)
		frame->rsp = stack;
	child->fs_base = context_user_base(USER_BASE_FS);
	child->gs_base = context_user_base(USER_BASE_GS);
	child->exit_work |= read_once(&parent->exit_work) & EXIT_WORK_TIMESTAMP;
	flags = irq_save();
	fpu_save(parent->fpu);
	memcpy(child->fpu, parent->fpu, fpu_state_bytes());
	irq_restore(flags);
}

void context_reset_user(void)
{
	struct context *context = (struct context *)current_thread();
	irqflags_t flags = irq_save();

	fpu_state_init(context->fpu);
	context->fs_base = 0;
	context->gs_base = 0;
	load_user(context);
	irq_restore(flags);
}

/* The register holds what counts while the thread runs; its context is brought up to date when it
 * is switched from, or here where the CPU does not let programs write the register. */
void context_set_user_base(enum user_base which, uint64_t address)
{
	struct context *context = (struct context *)current_thread();
	irqflags_t flags = irq_save();

	if (which == USER_BASE_FS) {
		context->fs_base = address;
		msr_write(MSR_FS_BASE, address);
	} else {
		context->gs_base = address;
		msr_write(MSR_KERNEL_GS_BASE, address);
	}
	irq_restore(flags);
}

uint64_t context_user_base(enum user_base which)
{
	return msr_read(which == USER_BASE_FS ? MSR_FS_BASE : MSR_KERNEL_GS_BASE);
}

noreturn void context_enter_user(void)
{
	struct trap_frame *frame;

	irq_disable();
	frame = (struct trap_frame *)(this_cpu()->kernel_stack_top - sizeof(*frame));
	context_enter_frame(frame);
}
