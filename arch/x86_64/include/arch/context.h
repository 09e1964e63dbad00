/*
 * What of a thread is the machine's: its saved stack pointer, its user registers outside of the
 * general ones, and how to go from one thread to another.
 */
#ifndef ARCH_CONTEXT_H
#define ARCH_CONTEXT_H

#include <lib/types.h>

struct trap_frame;
struct pagetable;

/* The deepest calls, with an interrupt on top, were seen to take 4.8 KiB; debug builds' functions
 * take more. A thread that came into the last KERNEL_STACK_RESERVE_BYTES is named in the log when
 * it ends. */
#define KERNEL_STACK_BYTES         (IS_ON(FUSELAGE_DEBUG) || IS_ON(FUSELAGE_KASAN) ? 16 * KIB : 8 * KIB)
#define KERNEL_STACK_RESERVE_BYTES (2 * KIB)

enum exit_work {
	EXIT_WORK_HOOK = 1 << 0,      /* trap_user_exit_work() has something to do */
	EXIT_WORK_DEBUG = 1 << 1,     /* the debug registers are this thread's: stays set */
	EXIT_WORK_TIMESTAMP = 1 << 2, /* it may not read the time stamp counter: the same */
	EXIT_WORK_BRANCHES = 1 << 3,  /* its steps end where a branch is taken: the same */
};

/* Belongs to its thread; written by the CPU that runs it, with interrupts off. */
struct context {
	uint64_t sp;           /* of the kernel, while it does not run */
	uint64_t stack_canary; /* constant: between a function's arrays and its return address */
	uint64_t stack_base;   /* lowest address of the kernel stack; the page below is a guard */
	uint64_t stack_top;    /* exclusive; a user thread's trap frame lies right below */
	uint64_t fs_base;      /* user TLS */
	uint64_t gs_base;      /* user GS */
	void *fpu;             /* fpu_state_bytes() bytes, 64-byte aligned; NULL: a kernel thread */
	struct pagetable
		*pagetable; /* of the space it runs in; NULL: a kernel thread, any will do */
	uint32_t exit_work; /* atomic: enum exit_work */
	void *parked_fpu;   /* what `fpu` is again after context_unpark() */
	struct debug_registers *debug; /* NULL: none are set */
};

/* Makes `context` that of the code which runs on this CPU already, on the stack [base, top). */
void context_adopt(struct context *context, vaddr_t stack_base, vaddr_t stack_top);

/* Makes `context` start in entry(argument) on the stack [base, top), with interrupts on and
 * preemption disabled once: the entry function is expected to finish the switch (sched does) before
 * it enables it. entry never returns. */
void context_init(struct context *context, vaddr_t stack_base, vaddr_t stack_top,
		  void (*entry)(void *argument), void *argument);

/* From the running `from` to `to`: page tables, TLS, FPU state, kernel stack. Interrupts are off,
 * and still off when `from` runs again and this returns. Nothing is allocated, nothing can fail. */
void context_switch(struct context *from, struct context *to);

/* Where the registers of a user thread lie when it is in the kernel. */
struct trap_frame *context_user_frame(const struct context *context);

/* The running thread goes to other page tables; NULL: it needs none of a program's any more.
 * Interrupts may be on. */
void context_enter_pagetable(struct pagetable *pagetable);

/* Makes trap_user_exit_work() be called before the thread runs in user mode again. A thread that
 * runs on another CPU notices when that CPU is kicked; the caller does it. May be called from
 * interrupts. */
void context_request_exit_work(struct context *context);

/* The running thread's user registers are in memory alone from here on, where others may read and
 * change them (arch/registers.h) until it takes them back. Meanwhile it touches no program's
 * memory. May be preempted and may sleep. */
void context_park(void);
void context_unpark(void);

/* Makes the user registers those of a program that starts at `entry` with the stack pointer
 * `stack`: all others 0. */
void context_set_user_start(struct context *context, uint64_t entry, uint64_t stack);

/* Whether the running thread's program may read the time stamp counter; else RDTSC faults. So it is
 * for the threads that it makes. */
void context_allow_timestamp(bool allow);
bool context_timestamp_allowed(void);

/* The running thread's FS and GS bases in user mode. */
enum user_base { USER_BASE_FS, USER_BASE_GS };
void context_set_user_base(enum user_base which, uint64_t address);
uint64_t context_user_base(enum user_base which);

/* Gives `child`, which has not run yet, the running thread's user registers, bases and FPU state.
 * Its result of the call is 0, and it goes on at `stack` unless that is 0. */
void context_copy_user(struct context *child, uint64_t stack);

/* The FPU state of a program that begins, for the running thread; its bases become 0. */
void context_reset_user(void);

/* Leaves to user mode for the first time with the frame at the top of the running thread's stack.
 * Does not return. */
noreturn void context_enter_user(void);

/* ---- FPU, SSE, AVX state ---- */

size_t fpu_state_bytes(void);
/* The parts of it that are kept, as XCR0 has them (SDM 1 13.3). */
uint64_t fpu_state_components(void);
/* The si_code of SIGFPE for what the running thread's FPU has just faulted on; `vector`: TRAP_FPU
 * or TRAP_SIMD. */
int fpu_fault_code(uint64_t vector);
/* The state that a program starts with (psABI 3.4.1). */
void fpu_state_init(void *state);
/* Puts the running thread's state into its context->fpu / loads it from there. Preemption is off.
 */
void fpu_save_current(void);
void fpu_load_current(void);

#endif
