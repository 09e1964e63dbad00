/*
 * Restartable sequences: what of them others must call.
 */
#ifndef KERNEL_PROCESS_RSEQ_H
#define KERNEL_PROCESS_RSEQ_H

#include "uthread.h"

struct trap_frame;

/* On the way to user mode, before signals are taken: `frame` is where the program goes on. A
 * structure that cannot be read, or makes no sense, is a SIGSEGV. Sleeps. */
void rseq_resume(struct trap_frame *frame);
/* A copy of the running thread, in memory of its own, has what that has. */
void rseq_inherit(struct uthread *child);
/* The running thread begins another program. */
void rseq_forget(void);

#endif
