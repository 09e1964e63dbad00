/*
 * Copies of the running thread, for those who make them otherwise than by clone().
 */
#ifndef KERNEL_PROCESS_CLONE_H
#define KERNEL_PROCESS_CLONE_H

#include "uthread.h"

#include <abi/clone.h>

struct spawn_call;

struct clone_request {
	struct abi_clone_args args;
	/* The numbers of the copy, in its own PID namespace and in those above it. */
	int32_t tids[CLONE_SET_TID_MAX];
	unsigned ntids;                /* of them: any in the others */
	struct namespaces *namespaces; /* of a new process: a reference until its thread has it */
	/* Where a new process begins in the kernel, with all signals blocked, instead of going to
	 * user mode; NULL: it goes there. */
	void (*entry)(void *spawn);
	struct spawn_call *spawn; /* entry's; with `process` it is that one's (struct process) */
	struct process *process;  /* out, with `entry`: a reference, whatever the result */
};

/* clone() with all its checks: the number of the copy, or an error. May sleep; with CLONE_VFORK
 * until the copy executes a program or ends, or the caller is killed (-EINTR). */
int must_check clone_run(struct clone_request *request);

#endif
