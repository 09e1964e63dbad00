/*
 * System calls that set the wall clock, and adjtimex. The clock itself is arch/'s; what goes by it
 * is told here, one change at a time (`lock`). What the clock's keeper has said of its quality is
 * kept for who asks: the kernel does not steer its clock by it.
 */
#include "../process/capability.h"
#include "clocks.h"
#include "posix_timer.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/timex.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <ipc/timerfd.h>
#include <sched/lock.h>

static MUTEX(lock, LOCK_CLOCKSET);

static struct abi_timezone zone; /* lock; of no use to the kernel */

/* lock: as adjtimex told it. */
static struct {
	int64_t maxerror_us, esterror_us;
	int64_t constant;
	int32_t status;
	int32_t tai_s;
} said = {.maxerror_us = NTP_PHASE_LIMIT_US,
	  .esterror_us = NTP_PHASE_LIMIT_US,
	  .constant = 2,
	  .status = STA_UNSYNC};

/* `forward` changes the time of day, for sleepers too. */
static void step_locked(int64_t forward_ns) REQUIRES(lock)
{
	clock_wall_set(clock_wall_ns() + (uint64_t)forward_ns);
	posix_timers_shift(forward_ns);
	timerfd_shift(forward_ns);
}

static void set_wall(uint64_t wall_ns)
{
	mutex_lock(&lock);
	step_locked((int64_t)(wall_ns - clock_wall_ns()));
	mutex_unlock(&lock);
}

int sys_clock_settime(int clock, uptr_t value)
{
	struct abi_timespec time;

	if (clock != CLOCK_REALTIME)
		return -EINVAL;
	if (user_get(&time, value))
		return -EFAULT;
	if (!timespec_is_valid(&time))
		return -EINVAL;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	set_wall(ns_of_timespec(&time));
	return 0;
}

static err_t set_zone(uptr_t from)
{
	struct abi_timezone wanted;

	if (user_get(&wanted, from))
		return -EFAULT;
	if (wanted.tz_minuteswest > 15 * 60 || wanted.tz_minuteswest < -15 * 60)
		return -EINVAL;
	mutex_lock(&lock);
	zone = wanted;
	mutex_unlock(&lock);
	return 0;
}

int sys_settimeofday(uptr_t value, uptr_t new_zone)
{
	struct abi_timeval time = {0};
	err_t err;

	if (!uptr_is_null(value) && user_get(&time, value))
		return -EFAULT;
	if (!uptr_is_null(value) && !timeval_is_valid(&time))
		return -EINVAL;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (!uptr_is_null(new_zone)) {
		err = set_zone(new_zone);
		if (err)
			return err;
	}
	if (!uptr_is_null(value))
		set_wall(ns_of_timeval(&time));
	return 0;
}

int sys_gettimeofday(uptr_t out, uptr_t out_zone)
{
	struct abi_timeval time = timeval_of_ns(clock_wall_ns());
	struct abi_timezone now;

	if (!uptr_is_null(out) && user_put(out, &time))
		return -EFAULT;
	if (uptr_is_null(out_zone))
		return 0;
	mutex_lock(&lock);
	now = zone;
	mutex_unlock(&lock);
	return user_put(out_zone, &now);
}

/* ---- adjtimex ---- */

/* The modes that steer: -EOPNOTSUPP; what is out of range: -EINVAL. */
static err_t check_modes(const struct abi_timex *wanted)
{
	const uint32_t known = ADJ_MAXERROR | ADJ_ESTERROR | ADJ_STATUS | ADJ_TIMECONST | ADJ_TAI |
			       ADJ_SETOFFSET | ADJ_MICRO | ADJ_NANO;
	int64_t fraction_max = wanted->modes & ADJ_NANO ? (int64_t)NSEC_PER_SEC : 1000000;

	if (!wanted->modes)
		return 0;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (wanted->modes & ~known)
		return -EOPNOTSUPP;
	if (wanted->modes & ADJ_SETOFFSET &&
	    (wanted->time.tv_usec < 0 || wanted->time.tv_usec >= fraction_max ||
	     wanted->time.tv_sec > INT64_MAX / 4 / (int64_t)NSEC_PER_SEC ||
	     wanted->time.tv_sec < -INT64_MAX / 4 / (int64_t)NSEC_PER_SEC))
		return -EINVAL;
	return 0;
}

static void apply_locked(const struct abi_timex *wanted) REQUIRES(lock)
{
	int64_t unit_ns = wanted->modes & ADJ_NANO ? 1 : (int64_t)NSEC_PER_USEC;

	if (wanted->modes & ADJ_SETOFFSET)
		step_locked(wanted->time.tv_sec * (int64_t)NSEC_PER_SEC +
			    wanted->time.tv_usec * unit_ns);
	if (wanted->modes & ADJ_MAXERROR)
		said.maxerror_us = MAX(INT64_C(0), MIN(wanted->maxerror, NTP_PHASE_LIMIT_US));
	if (wanted->modes & ADJ_ESTERROR)
		said.esterror_us = MAX(INT64_C(0), MIN(wanted->esterror, NTP_PHASE_LIMIT_US));
	if (wanted->modes & ADJ_TIMECONST)
		said.constant = MAX(INT64_C(0), MIN(wanted->constant, INT64_C(10)));
	if (wanted->modes & ADJ_TAI && wanted->constant >= 0 && wanted->constant <= 100000)
		said.tai_s = (int32_t)wanted->constant;
	if (wanted->modes & ADJ_STATUS)
		said.status = wanted->status & ~STA_READ_ONLY;
}

static void describe_locked(struct abi_timex *out) REQUIRES(lock)
{
	uint64_t now_ns = clock_wall_ns();

	*out = (struct abi_timex){
		.modes = out->modes,
		.maxerror = said.maxerror_us,
		.esterror = said.esterror_us,
		.status = said.status | STA_NANO,
		.constant = said.constant,
		.precision = 1,
		.tolerance = NTP_TOLERANCE,
		.time = {(int64_t)(now_ns / NSEC_PER_SEC), (int64_t)(now_ns % NSEC_PER_SEC)},
		.tick = 1000000 / USER_HZ,
		.tai = said.tai_s,
	};
}

int sys_clock_adjtime(int clock, uptr_t timex)
{
	struct abi_timex value;
	err_t err;

	if (clock != CLOCK_REALTIME)
		return clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ? -EOPNOTSUPP : -EINVAL;
	if (user_get(&value, timex))
		return -EFAULT;
	err = check_modes(&value);
	if (err)
		return err;
	mutex_lock(&lock);
	apply_locked(&value);
	describe_locked(&value);
	mutex_unlock(&lock);
	if (user_put(timex, &value))
		return -EFAULT;
	return value.status & STA_UNSYNC ? TIME_ERROR : TIME_OK;
}

int sys_adjtimex(uptr_t timex)
{
	return sys_clock_adjtime(CLOCK_REALTIME, timex);
}
