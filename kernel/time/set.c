/*
 * System calls that set the wall clock, one change at a time (clockset_lock). The clock itself is
 * arch/'s; how it is steered, and who is told of it: steer.c.
 */
#include "set.h"

#include "../process/capability.h"
#include "clocks.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <arch/user.h>

MUTEX(clockset_lock, LOCK_CLOCKSET);

static struct abi_timezone zone; /* clockset_lock; of no use to the kernel */

static void set_wall(uint64_t wall_ns)
{
	mutex_lock(&clockset_lock);
	clock_step_locked((int64_t)(wall_ns - clock_wall_ns()));
	mutex_unlock(&clockset_lock);
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
	mutex_lock(&clockset_lock);
	zone = wanted;
	mutex_unlock(&clockset_lock);
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
	mutex_lock(&clockset_lock);
	now = zone;
	mutex_unlock(&clockset_lock);
	return user_put(out_zone, &now);
}
