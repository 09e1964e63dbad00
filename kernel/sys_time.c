/*
 * System calls on clocks and sleeping. Owns no state.
 */
#include "process.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/time.h>
#include <arch/clock.h>
#include <arch/user.h>

static struct abi_timespec timespec_of(uint64_t ns)
{
	return (struct abi_timespec){.tv_sec = (int64_t)(ns / NSEC_PER_SEC),
				     .tv_nsec = (int64_t)(ns % NSEC_PER_SEC)};
}

static uint64_t own_cpu_ns(void)
{
	return thread_cpu_time_ns(current_thread());
}

/* ---- reading ---- */

static err_t clock_read(int clock, uint64_t *ns)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		*ns = clock_wall_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = clock_ns();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = own_cpu_ns();
		return 0;
	default:
		return -EINVAL;
	}
}

int sys_clock_gettime(int clock, uptr_t out)
{
	struct abi_timespec time;
	uint64_t ns;
	err_t err = clock_read(clock, &ns);

	if (err)
		return err;
	time = timespec_of(ns);
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

int sys_gettimeofday(uptr_t out, uptr_t zone)
{
	const struct abi_timezone utc = {0};
	uint64_t ns = clock_wall_ns();
	struct abi_timeval time = {.tv_sec = (int64_t)(ns / NSEC_PER_SEC),
				   .tv_usec = (int64_t)(ns % NSEC_PER_SEC / NSEC_PER_USEC)};

	if (!uptr_is_null(out) && user_put(out, &time))
		return -EFAULT;
	return uptr_is_null(zone) ? 0 : user_put(zone, &utc);
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
	struct abi_tms times = {
		.tms_utime = (int64_t)(own_cpu_ns() / tick_ns),
		.tms_cutime = (int64_t)(process_current()->children_ns / tick_ns),
	};

	if (!uptr_is_null(out) && user_put(out, &times))
		return -EFAULT;
	return (int64_t)(clock_ns() / tick_ns);
}

/* ---- sleeping ---- */

/* No handler interrupts a sleep: it ends with its time, or with the process. So what would remain
 * is never told. */
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

int sys_nanosleep(uptr_t duration, UNUSED uptr_t remaining)
{
	uint64_t ns;
	err_t err = read_duration(duration, &ns);

	return err ? err : thread_sleep_ns(ns);
}

int sys_clock_nanosleep(int clock, unsigned flags, uptr_t duration, UNUSED uptr_t remaining)
{
	uint64_t ns;
	uint64_t now_ns;
	err_t err;

	if (clock == CLOCK_PROCESS_CPUTIME_ID)
		return -EOPNOTSUPP;
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
		return -EINVAL;
	if (flags & ~(unsigned)TIMER_ABSTIME)
		return -EINVAL;
	err = read_duration(duration, &ns);
	if (err)
		return err;
	if (!(flags & TIMER_ABSTIME))
		return thread_sleep_ns(ns);
	err = clock_read(clock, &now_ns);
	if (err)
		return err;
	return ns > now_ns ? thread_sleep_ns(ns - now_ns) : 0;
}
