/*
 * What the files of ptrace's requests share: finding the tracee, which the running thread traces
 * and which is stopped.
 */
#ifndef KERNEL_PTRACE_REQUEST_H
#define KERNEL_PTRACE_REQUEST_H

#include "ptrace.h"

struct trace_request {
	int64_t request;
	int32_t tid;
	uint64_t address;
	uint64_t data;
};

/* Calls act(tracee, argument) under family_lock and the tracee's signal_lock. -ESRCH: the running
 * thread traces no such thread, or that one is not stopped (but with `any_state`). */
err_t must_check ptrace_with(int32_t tid, bool any_state,
			     err_t (*act)(struct tracee *tracee, void *argument), void *argument);
/* A reference to the memory of a tracee that is stopped. -ESRCH. */
err_t must_check ptrace_space(int32_t tid, struct space **out);

/* Memory and registers (access.c). -ENOSYS: it is none of these requests. Sleep. */
int64_t ptrace_access_request(const struct trace_request *call);
/* Signals and what is told of a stop (inform.c). The same. */
int64_t ptrace_inform_request(const struct trace_request *call);

#endif
