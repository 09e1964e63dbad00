/*
 * Deferred work: functions called soon by a kernel thread, where they may sleep and allocate. For
 * what cannot be done where it is noticed: under a spinlock, in an interrupt, on the stack that is
 * to be freed.
 */
#ifndef SCHED_WORK_H
#define SCHED_WORK_H

#include <lib/types.h>

/* Part of what the work is about. While it is queued it belongs to the queue; from the moment that
 * the function is called it may be queued again or freed. */
struct work {
	struct work *next;
	void (*function)(struct work *work); /* constant */
	bool queued;                         /* atomic */
};

#define WORK_INIT(work_function)                                                                   \
	{                                                                                          \
		.function = (work_function)                                                        \
	}

static inline void work_init(struct work *work, void (*function)(struct work *work))
{
	*work = (struct work)WORK_INIT(function);
}

/* Has the function called once more. False: it is queued already, and will see what was done before
 * this call. From any context and under any lock. */
bool work_queue(struct work *work);
/* Returns when everything queued before has run. Sleeps; not from work. */
void work_flush(void);

/* Starts the thread that does it, on the given stack: once, before sched_start(). Work may be
 * queued before. */
void work_start(vaddr_t stack_base, vaddr_t stack_top);

#endif
