/*
 * adjtimex: the state that it sets (ntp.h's), the wall clock that goes by it, and a thread of the
 * kernel's that counts the seconds while anything changes with them, or sleepers have to be told
 * how the clock goes; it is made when it is needed first. CLOCK_MONOTONIC goes by the machine's
 * clock alone, as CLOCK_MONOTONIC_RAW does: steered is the time of day.
 */
#include "set.h"

#include "../kthread.h"
#include "../process/capability.h"
#include "clocks.h"
#include "posix_timer.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <ipc/timerfd.h>
#include <lib/atomic.h>
#include <sched/wait.h>

#define TAI_MAX_S           100000
#define ERROR_US_PER_SECOND 500 /* MAXFREQ */

int32_t clock_tai_s; /* clockset_lock, read without it */

/* clockset_lock has all of these. */
static struct ntp ntp = {.maxerror_us = NTP_PHASE_LIMIT_US,
			 .esterror_us = NTP_PHASE_LIMIT_US,
			 .constant = 2,
			 .tick_us = 1000000 / USER_HZ,
			 .status = STA_UNSYNC};
static uint64_t error_since_ns; /* when the error was said, which grows */
static int64_t told_offset_ns;  /* of the wall clock: what sleepers' deadlines go by; read [a] */
static bool has_thread;

static uint32_t is_active; /* clockset_lock, read without it: the thread has something to do */
static WAITQ(activity);

/* ---- sleepers ---- */

static int64_t wall_offset(void)
{
	uint64_t ns = clock_ns();

	return (int64_t)(clock_wall_ns() - ns);
}

void steer_stepped_locked(int64_t forward_ns)
{
	write_once(&told_offset_ns, told_offset_ns + forward_ns);
}

/* Deadlines by the time of day lie in clock_ns(). A clock that loses shall not find that they came
 * early, so they are told of the next second's loss before, and a little more. */
static void tell_sleepers_locked(int64_t rate) REQUIRES(clockset_lock);
static void tell_sleepers_locked(int64_t rate)
{
	int64_t per_second_ns = (int64_t)((__int128)rate * (int64_t)NSEC_PER_SEC >> 32);
	int64_t loss_ns = MIN(per_second_ns, INT64_C(0));
	int64_t goal_ns = wall_offset() + loss_ns + loss_ns / 8;
	int64_t forward_ns = goal_ns - told_offset_ns;

	if (!forward_ns)
		return;
	write_once(&told_offset_ns, goal_ns); /* for those that come now */
	posix_timers_shift(forward_ns);
	timerfd_shift(forward_ns, false);
}

int64_t clock_day_offset_ns(void)
{
	return read_once(&is_active) ? read_once(&told_offset_ns) : wall_offset();
}

uint64_t clock_deadline_of_day(uint64_t day_ns)
{
	int64_t deadline_ns = (int64_t)MIN(day_ns, (uint64_t)INT64_MAX / 2) - clock_day_offset_ns();

	return (uint64_t)MAX((int64_t)clock_ns(), deadline_ns);
}

/* ---- the seconds ---- */

static int64_t wall_s(void)
{
	return (int64_t)(clock_wall_ns() / NSEC_PER_SEC);
}

static void steer_locked(void) REQUIRES(clockset_lock);
static void steer_locked(void)
{
	int64_t rate = ntp_rate(&ntp);

	clock_wall_steer(rate);
	tell_sleepers_locked(rate);
	write_once(&is_active, rate || ntp_is_busy(&ntp)); /* after what is told */
}

static void count_second(void)
{
	int jump_s;

	mutex_lock(&clockset_lock);
	jump_s = ntp_second(&ntp, wall_s());
	if (jump_s) {
		clock_step_locked(jump_s * (int64_t)NSEC_PER_SEC);
		write_once(&clock_tai_s, clock_tai_s - jump_s);
	}
	steer_locked();
	mutex_unlock(&clockset_lock);
}

static noreturn void steer_main(void *argument)
{
	int64_t counted_s = 0;

	(void)argument;
	for (;;) {
		wait_event_idle(&activity, read_once(&is_active));
		/* To the beginning of the next second of the day, which may come later than it
		 * seems now. */
		(void)thread_sleep_ns(NSEC_PER_SEC - clock_wall_ns() % NSEC_PER_SEC);
		if (wall_s() == counted_s)
			continue;
		counted_s = wall_s();
		count_second();
	}
}

/* There is who counts. -ENOMEM. */
static err_t need_thread_locked(void) REQUIRES(clockset_lock);
static err_t need_thread_locked(void)
{
	err_t err;

	if (has_thread)
		return 0;
	err = kthread_start("clock", steer_main, NULL, NULL);
	has_thread = !err;
	write_once(&told_offset_ns, wall_offset()); /* nothing was gained yet */
	return err;
}

/* ---- adjtimex ---- */

/* What nobody corrects gets worse. */
static int64_t maxerror_locked(void) REQUIRES(clockset_lock);
static int64_t maxerror_locked(void)
{
	uint64_t seconds = (clock_ns() - error_since_ns) / NSEC_PER_SEC;
	int64_t error_us =
		ntp.maxerror_us + (int64_t)MIN(seconds, UINT64_C(1) << 20) * ERROR_US_PER_SECOND;

	if (error_us < NTP_PHASE_LIMIT_US)
		return error_us;
	ntp.status |= STA_UNSYNC;
	return NTP_PHASE_LIMIT_US;
}

static void apply_locked(const struct abi_timex *wanted) REQUIRES(clockset_lock);
static void apply_locked(const struct abi_timex *wanted)
{
	int64_t unit_ns = wanted->modes & ADJ_NANO ? 1 : (int64_t)NSEC_PER_USEC;

	if (!(wanted->modes & ADJ_ADJTIME)) {
		if (wanted->modes & ADJ_SETOFFSET)
			clock_step_locked(wanted->time.tv_sec * (int64_t)NSEC_PER_SEC +
					  wanted->time.tv_usec * unit_ns);
		if (wanted->modes & ADJ_TAI && wanted->constant >= 0 &&
		    wanted->constant <= TAI_MAX_S)
			write_once(&clock_tai_s, (int32_t)wanted->constant);
		if (wanted->modes & ADJ_MAXERROR)
			error_since_ns = clock_ns();
	}
	ntp_apply(&ntp, wanted, wall_s());
	steer_locked();
	waitq_wake_all(&activity);
}

static void describe_locked(struct abi_timex *out, int64_t adjust_us) REQUIRES(clockset_lock);
static void describe_locked(struct abi_timex *out, int64_t adjust_us)
{
	uint64_t now_ns = clock_wall_ns();
	int64_t unit_ns = ntp.status & STA_NANO ? 1 : (int64_t)NSEC_PER_USEC;
	int64_t maxerror_us = maxerror_locked();

	*out = (struct abi_timex){
		.modes = out->modes,
		.offset = out->modes & ADJ_ADJTIME ? adjust_us : ntp.offset_ns / unit_ns,
		.freq = ntp.frequency,
		.maxerror = maxerror_us,
		.esterror = ntp.esterror_us,
		.status = ntp.status,
		.constant = ntp.constant,
		.precision = 1,
		.tolerance = NTP_TOLERANCE,
		.time = {(int64_t)(now_ns / NSEC_PER_SEC),
			 (int64_t)(now_ns % NSEC_PER_SEC) / unit_ns},
		.tick = ntp.tick_us,
		.tai = clock_tai_s,
	};
}

static bool may_change(const struct abi_timex *wanted)
{
	const uint32_t reads = ADJ_ADJTIME | ADJ_OFFSET_READONLY;

	return !wanted->modes || (wanted->modes & reads) == reads || capable(CAP_SYS_TIME);
}

static int adjust_locked(struct abi_timex *value) REQUIRES(clockset_lock);
static int adjust_locked(struct abi_timex *value)
{
	int64_t adjust_us = ntp.adjust_us;
	err_t err;

	if (value->modes) {
		err = need_thread_locked();
		if (err)
			return err;
		apply_locked(value);
	}
	describe_locked(value, adjust_us);
	return ntp.status & STA_UNSYNC ? TIME_ERROR : ntp.state;
}

int sys_clock_adjtime(int clock, uptr_t timex)
{
	struct abi_timex value;
	int state;

	if (clock != CLOCK_REALTIME)
		return clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ? -EOPNOTSUPP : -EINVAL;
	if (user_get(&value, timex))
		return -EFAULT;
	if (!may_change(&value))
		return -EPERM;
	state = value.modes & ~ADJ_KNOWN ? -EINVAL : ntp_check(&value);
	if (state)
		return state;
	mutex_lock(&clockset_lock);
	state = adjust_locked(&value);
	mutex_unlock(&clockset_lock);
	return state >= 0 && user_put(timex, &value) ? -EFAULT : state;
}

int sys_adjtimex(uptr_t timex)
{
	return sys_clock_adjtime(CLOCK_REALTIME, timex);
}
