/*
 * What a program's stack looks like while its signal handler runs, as Linux has it on x86-64: the
 * interrupted registers, the FPU's state and the siginfo lie above the handler's return address,
 * and rt_sigreturn takes them back. What is taken back comes from the program: nothing of it is
 * believed.
 */
#ifndef ARCH_SIGNAL_FRAME_H
#define ARCH_SIGNAL_FRAME_H

#include <abi/signal.h>
#include <lib/types.h>

struct trap_frame;

struct signal_frame {
	uint64_t handler;
	uint64_t restorer;       /* where the handler returns to */
	uint64_t mask;           /* blocked again when it has returned */
	struct abi_stack stack;  /* the alternate one, as it is told to the handler */
	bool on_alternate;       /* begin at its top instead of the interrupted stack */
	uint64_t fault_address;  /* the last page fault's */
	struct abi_siginfo info; /* its signal number is the handler's argument */
};

/* The most bytes that signal_frame_push() takes of a stack. */
size_t signal_frame_bytes(void);

/* Puts the frame on the program's stack and makes `frame` (the running thread's, on its way to user
 * mode) that of the handler. -EFAULT: the stack cannot take it, nothing has changed. May sleep. */
err_t must_check signal_frame_push(struct trap_frame *frame, const struct signal_frame *from);

/* The way back (rt_sigreturn): fills `frame` and the FPU from what lies at the stack pointer.
 * -EFAULT: it cannot be read, or no handler's frame looks so; then nothing has changed. May sleep.
 */
err_t must_check signal_frame_pop(struct trap_frame *frame, uint64_t *mask,
				  struct abi_stack *stack);

#endif
