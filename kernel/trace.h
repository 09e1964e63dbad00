/*
 * The tracer: a log line for each system call of a traced program, as strace shows it.
 */
#ifndef KERNEL_TRACE_H
#define KERNEL_TRACE_H

#include <lib/types.h>

struct trap_frame;

/* On or off for one process, or (pid 0) for all there are and all that come. -ESRCH. */
err_t trace_set(int32_t pid, bool on);
/* New processes are traced. */
bool trace_everything(void);

#define TRACE_LINE_BYTES 200

/* A call on its way: what it was asked, from before it ran. */
struct trace_line {
	size_t len_bytes;
	char text[TRACE_LINE_BYTES];
};

/* Before and after the handler. Calls that do not come back are logged at once. */
void trace_begin(struct trace_line *line, const struct trap_frame *frame);
void trace_end(const struct trace_line *line, const struct trap_frame *frame);

#endif
