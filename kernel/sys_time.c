/*
 * System calls on clocks and sleeping. Owns no state.
 */
#include "futex/futex.h"
#include "namespace/time.h"
#include "process/uthread.h"
#include "sys_poll.h"
#include "syscall_table.h"
#include "time/clocks.h"
#include "time/cpu_time.h"
#include "time/cpu_watch.h"

#include <abi/errno.h>
#include <abi/time.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <sched/wait.h>

/* ---- reading ---- */

static err_t read_any(int number, uint64_t *ns)
{
	struct clock clock;
	err_t err = clock_find(number, &clock);

	if (!err)
		*ns = clock_read_ns(&clock);
	return err;
}

/* The two that programs ask for most, without finding out what they are. */
static err_t clock_read(int number, uint64_t *ns)
{
	if (number == CLOCK_MONOTONIC)
		*ns = (uint64_t)time_shown(TIME_MONOTONIC, clock_ns());
	else if (number == CLOCK_REALTIME)
		*ns = clock_wall_ns();
	else
		return read_any(number, ns);
	return 0;
}

int sys_clock_gettime(int clock, uptr_t out)
{
	struct abi_timespec time;
	uint64_t ns;
	err_t err = clock_read(clock, &ns);

	if (err)
		return err;
	time = timespec_of_ns(ns);
	return user_put(out, &time);
}

int sys_clock_getres(int clock, uptr_t out)
{
	const struct abi_timespec grain = {.tv_nsec = 1};
	uint64_t ns;
	err_t err = clock_read(clock, &ns);

	if (err)
		return err;
	return uptr_is_null(out) ? 0 : user_put(out, &grain);
}

int64_t sys_time(uptr_t out)
{
	int64_t seconds = (int64_t)(clock_wall_ns() / NSEC_PER_SEC);

	if (!uptr_is_null(out) && user_put(out, &seconds))
		return -EFAULT;
	return seconds;
}

int64_t sys_times(uptr_t out)
{
	const uint64_t tick_ns = NSEC_PER_SEC / USER_HZ;
	struct process *process = process_current();
	struct cpu_times own = process_times(process);
	uint64_t below_ns = process->waited.cpu_ns - process->waited.system_ns;
	struct abi_tms times = {
		.tms_utime = (int64_t)(own.user_ns / tick_ns),
		.tms_stime = (int64_t)(own.system_ns / tick_ns),
		.tms_cutime = (int64_t)(below_ns / tick_ns),
		.tms_cstime = (int64_t)(process->waited.system_ns / tick_ns),
	};

	if (!uptr_is_null(out) && user_put(out, &times))
		return -EFAULT;
	return (int64_t)(clock_ns() / tick_ns);
}

/* ---- sleeping ---- */

static err_t read_duration(uptr_t from, uint64_t *ns)
{
	struct abi_timespec time;

	if (user_get(&time, from))
		return -EFAULT;
	if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= (int64_t)NSEC_PER_SEC)
		return -EINVAL;
	*ns = UINT64_MAX / 2; /* 292 years */
	if ((uint64_t)time.tv_sec < *ns / NSEC_PER_SEC)
		*ns = (uint64_t)time.tv_sec * NSEC_PER_SEC + (uint64_t)time.tv_nsec;
	return 0;
}

static err_t sleep_until(uint64_t deadline_ns)
{
	WAITQ(never);
	err_t err = wait_event_interruptible_timeout(&never, false, deadline_ns);

	return err == -ETIMEDOUT ? 0 : err;
}

/* A sleep that counts from its beginning: where it is interrupted the rest is told, and
 * restart_syscall goes on with it. */
static int sleep_and_tell(uint64_t deadline_ns, uptr_t remaining)
{
	struct abi_timespec left;
	uint64_t now_ns;
	err_t err = sleep_until(deadline_ns);

	if (err != -EINTR)
		return err;
	now_ns = clock_ns();
	if (now_ns >= deadline_ns)
		return 0;
	left = timespec_of_ns(deadline_ns - now_ns);
	if (!uptr_is_null(remaining) && user_put(remaining, &left))
		return -EFAULT;
	uthread_current()->restart = (struct restart){
		.kind = RESTART_SLEEP, .deadline_ns = deadline_ns, .address = remaining.value};
	return -EINTR;
}

static uint64_t after(uint64_t duration_ns)
{
	uint64_t now_ns = clock_ns();

	return now_ns + MIN(duration_ns, UINT64_MAX - 1 - now_ns);
}

int sys_nanosleep(uptr_t duration, uptr_t remaining)
{
	uint64_t ns;
	err_t err = read_duration(duration, &ns);

	return err ? err : sleep_and_tell(after(ns), remaining);
}

/* The same by CPU time. */
static int cpu_sleep_and_tell(int number, const struct clock *clock, uint64_t deadline_ns,
			      uptr_t remaining)
{
	struct abi_timespec left;
	uint64_t now_ns;
	err_t err = cpu_time_sleep(clock, deadline_ns);

	if (err != -EINTR)
		return err;
	now_ns = clock_read_ns(clock);
	if (now_ns >= deadline_ns)
		return 0;
	left = timespec_of_ns(deadline_ns - now_ns);
	if (!uptr_is_null(remaining) && user_put(remaining, &left))
		return -EFAULT;
	uthread_current()->restart = (struct restart){.kind = RESTART_CPU_SLEEP,
						      .deadline_ns = deadline_ns,
						      .address = remaining.value,
						      .value = (uint32_t)number};
	return -EINTR;
}

static int cpu_sleep_again(const struct restart *restart)
{
	struct clock clock;
	err_t err = clock_find((int)restart->value, &clock);

	return err ? err
		   : cpu_sleep_and_tell((int)restart->value, &clock, restart->deadline_ns,
					uptr(restart->address));
}

static int sleep_by_cpu(int number, const struct clock *clock, unsigned flags, uint64_t ns,
			uptr_t remaining)
{
	if (clock->cpu == CLOCK_CPU_THREAD && clock->tid == uthread_current()->tid)
		return -EINVAL; /* it would never wake */
	if (flags & TIMER_ABSTIME)
		return cpu_time_sleep(clock, ns);
	return cpu_sleep_and_tell(number, clock, clock_read_ns(clock) + ns, remaining);
}

static err_t check_sleep_clock(int number, struct clock *clock)
{
	err_t err = clock_find(number, clock);

	if (!err && (!clock->has_timers || number == CLOCK_THREAD_CPUTIME_ID))
		err = -EOPNOTSUPP;
	return err;
}

/* However the clock goes, or is set, meanwhile. */
static err_t sleep_until_day(const struct clock *clock, uint64_t day_ns)
{
	err_t err = 0;

	while (!err && clock_read_ns(clock) < day_ns)
		err = sleep_until(clock_deadline_of_day(clock, day_ns));
	return (err_t)clock_day_slept(err);
}

int sys_clock_nanosleep(int clock, unsigned flags, uptr_t duration, uptr_t remaining)
{
	struct clock found;
	uint64_t ns;
	uint64_t now_ns;
	err_t err = check_sleep_clock(clock, &found);

	if (err)
		return err;
	if (flags & ~(unsigned)TIMER_ABSTIME)
		return -EINVAL;
	err = read_duration(duration, &ns);
	if (err)
		return err;
	if (found.cpu)
		return sleep_by_cpu(clock, &found, flags, ns, remaining);
	if (!(flags & TIMER_ABSTIME))
		return sleep_and_tell(after(ns), remaining);
	if (found.wall)
		return sleep_until_day(&found, ns);
	err = clock_read(clock, &now_ns);
	if (err)
		return err;
	return ns > now_ns ? sleep_until(after(ns - now_ns)) : 0;
}

/* ---- going on ---- */

/* Only signal_deliver() makes a program call this, and it counts what it did before. */
int64_t sys_restart_syscall(void)
{
	struct uthread *self = uthread_current();
	struct restart restart = self->restart;

	self->restart.kind = RESTART_NONE;
	switch (restart.kind) {
	case RESTART_SLEEP:
		return sleep_and_tell(restart.deadline_ns, uptr(restart.address));
	case RESTART_CPU_SLEEP:
		return cpu_sleep_again(&restart);
	case RESTART_POLL:
		return poll_again(&restart);
	case RESTART_FUTEX:
		return futex_wait_again(&restart);
	default:
		return -EINTR;
	}
}
