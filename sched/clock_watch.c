/*
 * The task that has the clock checked (clock_check()), each second or as the clock wants it. It is
 * also woken when a timer interrupt finds that the clock stands still or has gone back: then its
 * time-out might never come.
 */
#include <sched/clock_watch.h>

#include <arch/clock.h>
#include <sched/task.h>

static struct task task;
static struct task_timeout again; /* the task's */

static enum task_poll poll_clock(struct task *self)
{
	uint64_t in_ns = clock_check();

	if (!in_ns)
		return TASK_DONE;
	task_timeout_start(&again, clock_ns() + in_ns);
	return task_pending(self, "the next look");
}

void clock_watch_start(void)
{
	task_init(&task, "clock", poll_clock, NULL);
	task_timeout_init(&again, &task);
	task_start(&task);
}

void clock_watch_wake(void)
{
	task_wake(&task);
}
