/*
 * System calls on timers that are descriptors. What they do is in ipc/timerfd.c. Owns no state.
 */
#include "namespace/time.h"
#include "process/capability.h"
#include "process/uthread.h"
#include "syscall_table.h"
#include "time/clocks.h"
#include "time/set.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/time.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <ipc/fdtable.h>
#include <ipc/timerfd.h>

#define SETTIME_FLAGS (TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)

static enum timerfd_clock kind_of(int clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
		return TIMERFD_WALL;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return TIMERFD_BOOT;
	default:
		return TIMERFD_MONOTONIC;
	}
}

int sys_timerfd_create(int clock, unsigned flags)
{
	struct object *timerfd;

	if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	switch (clock) {
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		/* The machine never sleeps, so they are what they are named after. */
		if (!capable(CAP_WAKE_ALARM))
			return -EPERM;
		break;
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
		break;
	default:
		return -EINVAL;
	}
	timerfd = timerfd_create(kind_of(clock), flags & O_NONBLOCK);
	return timerfd ? fd_add(current_fds(), timerfd, flags & O_CLOEXEC) : -ENOMEM;
}

static bool is_valid(const struct abi_timespec *time)
{
	return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < (int64_t)NSEC_PER_SEC;
}

/* At most 146 years, so that sums of two fit. */
static int64_t ns_of(const struct abi_timespec *time)
{
	if (time->tv_sec >= INT64_MAX / 2 / (int64_t)NSEC_PER_SEC)
		return INT64_MAX / 2;
	return time->tv_sec * (int64_t)NSEC_PER_SEC + time->tv_nsec;
}

static struct abi_timespec timespec_of(uint64_t ns)
{
	return (struct abi_timespec){.tv_sec = (int64_t)(ns / NSEC_PER_SEC),
				     .tv_nsec = (int64_t)(ns % NSEC_PER_SEC)};
}

static struct abi_itimerspec report(const struct timerfd_left *left)
{
	return (struct abi_itimerspec){.it_interval = timespec_of(left->interval_ns),
				       .it_value = timespec_of(left->left_ns)};
}

static struct timerfd_setting setting_of(const struct abi_itimerspec *wanted, bool absolute,
					 enum timerfd_clock clock)
{
	int64_t value_ns = ns_of(&wanted->it_value);
	struct timerfd_setting setting = {
		.armed = value_ns != 0,
		.by_day = absolute && clock == TIMERFD_WALL,
		.interval_ns = (uint64_t)ns_of(&wanted->it_interval),
		.deadline_ns = value_ns,
	};

	if (!absolute)
		setting.deadline_ns += (int64_t)clock_ns();
	else if (clock != TIMERFD_WALL)
		setting.deadline_ns = (int64_t)time_meant(
			clock == TIMERFD_BOOT ? TIME_BOOT : TIME_MONOTONIC, (uint64_t)value_ns);
	return setting;
}

/* The clock is not set meanwhile. */
static void set_by_day(struct object *timerfd, struct timerfd_setting *setting,
		       struct timerfd_left *before)
{
	mutex_lock(&clockset_lock);
	setting->day_offset_ns = clock_day_offset_ns();
	setting->deadline_ns -= setting->day_offset_ns;
	timerfd_set(timerfd, setting, before);
	mutex_unlock(&clockset_lock);
}

/* A reference to the timer that the descriptor names. -EBADF, -EINVAL. */
static err_t get_timerfd(int fd, struct object **out)
{
	struct object *object = fd_get(current_fds(), fd);

	if (!object)
		return -EBADF;
	if (!object_is_timerfd(object)) {
		object_put(object);
		return -EINVAL;
	}
	*out = object;
	return 0;
}

int sys_timerfd_settime(int fd, int flags, uptr_t value, uptr_t before)
{
	struct abi_itimerspec wanted;
	struct abi_itimerspec old;
	struct timerfd_setting setting;
	struct timerfd_left left;
	struct object *timerfd;
	err_t err;

	if (user_get(&wanted, value))
		return -EFAULT;
	if ((unsigned)flags & ~(unsigned)SETTIME_FLAGS || !is_valid(&wanted.it_value) ||
	    !is_valid(&wanted.it_interval))
		return -EINVAL;
	err = get_timerfd(fd, &timerfd);
	if (err)
		return err;
	setting = setting_of(&wanted, flags & TFD_TIMER_ABSTIME, timerfd_clock(timerfd));
	setting.cancel_on_set = setting.by_day && flags & TFD_TIMER_CANCEL_ON_SET;
	if (setting.by_day)
		set_by_day(timerfd, &setting, &left);
	else
		timerfd_set(timerfd, &setting, &left);
	object_put(timerfd);
	old = report(&left);
	return uptr_is_null(before) ? 0 : user_put(before, &old);
}

int sys_timerfd_gettime(int fd, uptr_t out)
{
	struct abi_itimerspec value;
	struct timerfd_left left;
	struct object *timerfd;
	err_t err = get_timerfd(fd, &timerfd);

	if (err)
		return err;
	left = timerfd_get(timerfd);
	object_put(timerfd);
	value = report(&left);
	return user_put(out, &value);
}
