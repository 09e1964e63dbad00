/*
 * Exceptions and interrupts. Every vector ends in one place (trap_dispatch); what to do about a
 * fault of a program is the hooks' business, and the kernel's own faults are either fixed up
 * (exception table), recovered by the module's hook, or the end.
 */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include <lib/types.h>

struct thread;

/* As it lies on the kernel stack; the same for system calls, exceptions and interrupts. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t vector;     /* of a trap; SYSCALL_VECTOR for a system call */
	uint64_t error_code; /* of a trap; the call's number for a system call (rax when it came) */
	uint64_t rip, cs, rflags, rsp, ss;
};

#define SYSCALL_VECTOR 0x100
/* A system call whose registers were changed meanwhile: it leaves by IRET, since SYSRET would not
 * keep them all. */
#define SYSCALL_VECTOR_CHANGED 0x101

static inline bool trap_from_user(const struct trap_frame *frame)
{
	return (frame->cs & 3) == 3;
}

/* The call that brought the running program here; -1: something else did. */
static inline int64_t trap_syscall_number(const struct trap_frame *frame)
{
	return frame->vector >= SYSCALL_VECTOR ? (int64_t)frame->error_code : -1;
}

/* For who changes the registers of a program. -1: it is in no call, and none begins anew. */
static inline void trap_set_syscall_number(struct trap_frame *frame, int64_t number)
{
	if (number < 0 && trap_syscall_number(frame) < 0)
		return; /* it remains the trap that it is */
	frame->vector = number < 0 ? 0 : SYSCALL_VECTOR_CHANGED;
	frame->error_code = number < 0 ? 0 : (uint64_t)number;
}

/* Makes the program execute its SYSCALL instruction (2 bytes) once more, with `number`. */
static inline void trap_syscall_repeat(struct trap_frame *frame, uint64_t number)
{
	frame->rip -= 2;
	frame->rax = number;
}

enum trap_vector { /* SDM 3A, table 6-1 */
		   TRAP_DIVIDE = 0,
		   TRAP_DEBUG = 1,
		   TRAP_NMI = 2,
		   TRAP_BREAKPOINT = 3,
		   TRAP_OVERFLOW = 4,
		   TRAP_BOUND = 5,
		   TRAP_INVALID_OPCODE = 6,
		   TRAP_NO_FPU = 7,
		   TRAP_DOUBLE_FAULT = 8,
		   TRAP_INVALID_TSS = 10,
		   TRAP_NO_SEGMENT = 11,
		   TRAP_STACK_SEGMENT = 12,
		   TRAP_PROTECTION = 13,
		   TRAP_PAGE_FAULT = 14,
		   TRAP_FPU = 16,
		   TRAP_ALIGNMENT = 17,
		   TRAP_MACHINE_CHECK = 18,
		   TRAP_SIMD = 19,
		   TRAP_CONTROL_PROTECTION = 21,
};

enum fault_access {
	FAULT_READ = 0,
	FAULT_WRITE = 1 << 0,
	FAULT_EXEC = 1 << 1,
	FAULT_USER = 1 << 2,    /* the program itself, not the kernel on its behalf */
	FAULT_PRESENT = 1 << 3, /* a page is there, but does not allow it */
};

/* Hooks of the upper folders; interrupts are on if they were on where it happened, preemption is
 * enabled. */

/* A page fault on a user address, by the program or by a user copy. 0: go on. Else the program gets
 * a signal, the copy ends with -EFAULT. */
err_t trap_user_page_fault(vaddr_t address, unsigned fault_access);
/* A fault of the running program that nothing cured: makes its end (or its signal) happen before it
 * runs again. */
void trap_user_fault(struct trap_frame *frame, vaddr_t address);
/* A fault of the kernel with the instruction pointer in the module area. False: it cannot be
 * survived. */
bool trap_module_fault(struct trap_frame *frame, vaddr_t address);
/* A fault of the kernel itself that nothing survives: says everything and stops. `address`: what a
 * page fault or double fault was about. */
noreturn void trap_kernel_fault(struct trap_frame *frame, vaddr_t address);
/* On the way back to a program, when there is something to do first. */
void trap_user_exit_work(struct trap_frame *frame);

/* A system call: the number in frame->error_code, arguments in rdi rsi rdx r10 r8 r9, the result
 * into frame->rax. */
void syscall_dispatch(struct trap_frame *frame);

const char *trap_name(uint64_t vector);

/* ---- hardware interrupts ---- */

/* 0 to 15 are ISA's, wherever the firmware has them end; from 16 on they are the global interrupts
 * of ACPI with the same number. */
#define IRQ_LINES 64

/* `handle` runs with interrupts off; it acknowledges its device, the controller is ours. Owned by
 * the caller, for good. */
struct irq_handler {
	const char *name;
	void (*handle)(void *argument);
	void *argument;
};

/* -EBUSY: the line has a handler, or another one that ends at the same input has. -ENODEV: it ends
 * nowhere. Enables the line, towards the CPU that has the fewest. */
err_t must_check irq_register(unsigned line, const struct irq_handler *handler);

/* What ksh's `irq` shows. Counters of this CPU's, by vector. */
uint64_t trap_count(uint32_t cpu, unsigned vector);
struct trap_vector_info {
	const char *owner;      /* who takes it, or that nobody does */
	const char *controller; /* where it comes from; NULL: not known */
	int line;               /* -1: it is no line's */
	uint32_t cpu;           /* where the line leads to */
};
void trap_vector_info(unsigned vector, struct trap_vector_info *out);

/* ---- backtraces ---- */

/* Return addresses from frame pointer `fp` up, as many as `max`, stopping where the chain leaves
 * the stack. */
unsigned backtrace_collect(uint64_t fp, uint64_t *out, unsigned max);
/* The same of a thread that does not run, from what the switch away from it saved. */
struct context;
unsigned backtrace_of_context(const struct context *context, uint64_t *out, unsigned max);
/* Name and offset of the function around `address` in the kernel; NULL: not ours. */
const char *symbol_find(uint64_t address, uint64_t *offset);

/* ---- what other CPUs do ---- */

#define SNAPSHOT_FRAMES 24

/* What a CPU did when it was asked. */
struct cpu_snapshot {
	struct trap_frame frame; /* valid if has_frame */
	bool has_frame;          /* false: it stopped by itself, without a trap */
	const struct thread *thread;
	unsigned naddresses;
	uint64_t addresses[SNAPSHOT_FRAMES]; /* return addresses, the innermost first */
};

/* Looks at another CPU by NMI, interrupts on there or not. False: it is the calling one, it does
 * not answer within half a second, or somebody else is looking just now. From any context but an
 * NMI. */
bool cpu_look(uint32_t id, struct cpu_snapshot *out);

/* Stops all other CPUs for good, and waits for them for two seconds at most. Interrupts are off
 * afterwards. False: another CPU is doing the same and will stop this one. */
bool cpus_stop(void);
/* Stops the calling one, as if it had been asked: with its registers, or without them (NULL) and
 * with a frame pointer. */
noreturn void cpu_stop_here(const struct trap_frame *frame, uint64_t fp);
/* Where a CPU was when it stopped; NULL: it did not answer. */
const struct cpu_snapshot *cpu_stopped(uint32_t id);

#endif
