/*
 * A thread's user registers as others see them: debuggers, core files. In the forms that Linux
 * gives them (abi/ptrace.h). But where it says otherwise the thread is parked (arch/context.h), and
 * the caller keeps it there; nothing here sleeps.
 */
#ifndef ARCH_REGISTERS_H
#define ARCH_REGISTERS_H

#include <abi/ptrace.h>
#include <lib/types.h>

struct context;

/* orig_rax is that of the trap: -1 if no system call is under way. */
void registers_get(const struct context *context, struct abi_user_regs *out);
/* -EIO: segments that no 64-bit program has, an address beyond a program's; nothing has changed. Of
 * the flags those that a program may change count. */
err_t must_check registers_set(struct context *context, const struct abi_user_regs *from);

/* Trap after the next instruction, or not. The result: what it was. */
bool registers_set_step(const struct context *context, bool on);

/* Of the running thread, parked or not: the trap comes where the next branch is taken, an interrupt
 * or an exception (DebugCtl.BTF); on a CPU that knows no such thing, after the next instruction. */
void registers_set_branch_step(bool on);

/* x87 and SSE as FXSAVE has them. */
#define FXSAVE_BYTES 512u
/* Of all that XSAVE saves, with XCR0 in the bytes that FXSAVE leaves to software; 0: this CPU has
 * no XSAVE. */
size_t registers_xsave_bytes(void);
void registers_get_fxsave(const struct context *context, void *out);
void registers_get_xsave(const struct context *context, void *out);
/* -EINVAL: the CPU would fault on it; nothing has changed. */
err_t must_check registers_set_fxsave(struct context *context, const void *from);
err_t must_check registers_set_xsave(struct context *context, const void *from);

/* ---- debug registers ---- */

#define DEBUG_ADDRESSES 4
#define DEBUG_STATUS    6
#define DEBUG_CONTROL   7
#define DEBUG_REGISTERS 8

/* Made by who debugs, all zeros, and then the thread's until its end: context->debug. */
struct debug_registers {
	uint64_t address[DEBUG_ADDRESSES];
	uint64_t status;
	uint64_t control;
	uint64_t number; /* of these contents: arch's own */
};

uint64_t debug_register_get(const struct context *context, unsigned index);
/* context->debug is there. -EIO: no such register, or not a program's address; -EINVAL: what is
 * enabled makes no sense. */
err_t must_check debug_register_set(struct context *context, unsigned index, uint64_t value);
/* Of the running thread, which is not parked: none is set. */
void debug_registers_clear(void);
/* The trap that the running thread was last in came from one of them. */
bool debug_trap_was_hit(const struct context *context);

#endif
