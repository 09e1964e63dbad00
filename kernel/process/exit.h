/*
 * The steps of an end, in process/exit.c, for the thread that takes them (process/uthread.c).
 */
#ifndef KERNEL_PROCESS_EXIT_H
#define KERNEL_PROCESS_EXIT_H

#include "uthread.h"

/* Robust futexes and the word of set_tid_address(); its memory is still there. */
void exit_tell_waiters(struct uthread *uthread);
/* From here on it has no memory of a program's. */
void exit_leave_space(struct uthread *uthread);
/* By the last thread of the process: what all of them shared. */
void exit_last_thread(struct process *process);
void exit_tell_stopped(struct process *process);
/* The running thread does not need the memory any more that it was lent by CLONE_VFORK. */
void exit_end_vfork(struct uthread *uthread);

#endif
