/*
 * What the numbers of clocks mean. Owns no state.
 */
#include "clocks.h"

#include "../namespace/pid.h"
#include "../namespace/time.h"

#include "cpu_time.h"
#include "set.h"

#include <abi/errno.h>
#include <arch/clock.h>

/* A CPU clock's number: ~pid << 3, a bit for a thread's, and what is counted
 * (clock_getcpuclockid(3); Linux's posix-timers.h). */
#define CPU_CLOCK_WHAT   3
#define CPU_CLOCK_PROF   0
#define CPU_CLOCK_VIRT   1
#define CPU_CLOCK_SCHED  2
#define CPU_CLOCK_THREAD 4

static err_t find_cpu_clock(int number, struct clock *out)
{
	const struct uthread *self = uthread_current();
	int32_t pid = pid_meant(~number >> 3);
	struct process *process;

	if ((number & CPU_CLOCK_WHAT) > CPU_CLOCK_SCHED)
		return -EINVAL;
	*out = (struct clock){.has_timers = true,
			      .user_only = (number & CPU_CLOCK_WHAT) == CPU_CLOCK_VIRT};
	out->cpu = number & CPU_CLOCK_THREAD ? CLOCK_CPU_THREAD : CLOCK_CPU_PROCESS;
	out->tid = pid;
	if (!pid)
		out->tid = out->cpu == CLOCK_CPU_THREAD ? self->tid : self->process->pid;
	else if (pid == self->tid && out->cpu == CLOCK_CPU_PROCESS)
		out->tid = self->process->pid; /* of its own process by its own number */
	process = clock_process(out);
	process_put(process);
	/* Threads tell their time to those of their process alone. */
	if (out->cpu == CLOCK_CPU_THREAD)
		return process == self->process ? 0 : -EINVAL;
	return process ? 0 : -EINVAL;
}

struct process *clock_process(const struct clock *clock)
{
	return clock->cpu == CLOCK_CPU_THREAD ? process_find_by_thread(clock->tid)
					      : process_find(clock->tid);
}

err_t clock_find(int number, struct clock *out)
{
	*out = (struct clock){.has_timers = true};
	switch (number) {
	case CLOCK_REALTIME:
	case CLOCK_TAI:
		out->wall = true;
		out->tai = number == CLOCK_TAI;
		return 0;
	case CLOCK_BOOTTIME:
		out->boot = true;
		return 0;
	case CLOCK_MONOTONIC:
		return 0;
	case CLOCK_REALTIME_COARSE:
		*out = (struct clock){.wall = true};
		return 0;
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
		*out = (struct clock){0};
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		return find_cpu_clock((int)(~0u << 3) | CPU_CLOCK_SCHED, out);
	case CLOCK_THREAD_CPUTIME_ID:
		return find_cpu_clock((int)(~0u << 3) | CPU_CLOCK_THREAD | CPU_CLOCK_SCHED, out);
	default:
		return number < 0 ? find_cpu_clock(number, out) : -EINVAL;
	}
}

uint64_t clock_now_ns(const struct clock *clock, struct process *process)
{
	return clock->cpu ? cpu_time_of_clock_locked(clock, process) : clock_ns();
}

static uint64_t read_cpu_ns(const struct clock *clock, struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	uint64_t ns = cpu_time_of_clock_locked(clock, process);

	spin_unlock_irqrestore(&process->signal_lock, flags);
	return ns;
}

int64_t clock_ahead_ns(const struct clock *clock)
{
	return clock->tai ? read_once(&clock_tai_s) * (int64_t)NSEC_PER_SEC : 0;
}

static enum time_clock offset_of(const struct clock *clock)
{
	return clock->boot ? TIME_BOOT : TIME_MONOTONIC;
}

uint64_t clock_meant_ns(const struct clock *clock, uint64_t ns)
{
	return time_meant(offset_of(clock), ns);
}

uint64_t clock_read_ns(const struct clock *clock)
{
	struct process *process;
	uint64_t ns;

	if (clock->wall)
		return clock_wall_ns() + (uint64_t)clock_ahead_ns(clock);
	if (!clock->cpu)
		return (uint64_t)time_shown(offset_of(clock), clock_ns());
	process = clock_process(clock);
	ns = process ? read_cpu_ns(clock, process) : 0;
	process_put(process);
	return ns;
}
