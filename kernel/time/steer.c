/*
 * adjtimex: the state that it sets (ntp.h's), the wall clock that goes by it, and a thread of the
 * kernel's that counts the seconds while anything changes with them, or sleepers have to be told
 * how the clock goes; it is made when it is needed first. CLOCK_MONOTONIC goes by the machine's
 * clock alone, as CLOCK_MONOTONIC_RAW does: steered is the time of day.
 */
#include "set.h"

#include "../kthread.h"
#include "../process/capability.h"
#include "../process/uthread.h"
#include "../signal/signal.h"
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
static int64_t told_offset_ns;  /* what sleepers' deadlines go by while is_active; read [a] */
static bool has_thread;

static uint32_t is_active; /* clockset_lock, read without it: the thread has something to do */
static WAITQ(activity);

/* ---- sleepers ---- */

int64_t clock_day_offset_ns(void)
{
	/* Acquire: what is told while the clock is steered. */
	return load_acquire(&is_active) ? read_once(&told_offset_ns) : clock_wall_offset_ns();
}

static void interrupt_sleepers(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	struct uthread *uthread;

	list_for_each (uthread, &process->threads, sibling) {
		uint32_t sleeps = DAY_SLEEPS;

		if (atomic_cas(&uthread->day_sleep, &sleeps, (uint32_t)DAY_JUMPED))
			thread_interrupt(uthread->thread);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

/* `jumped`: who sleeps by no timer has to look again. */
static void tell_process(void *jumped, struct process *process)
{
	posix_timers_rebase(process);
	if (*(const bool *)jumped)
		interrupt_sleepers(process);
}

/*
 * What clock_day_offset_ns() says is another from now on. Each deadline that is made by it
 * meanwhile is as it should be, or comes to be: a timer remembers the offset that it was made by,
 * under the lock that is taken here; who sleeps says so before he asks.
 */
static void tell_sleepers_locked(bool jumped) REQUIRES(clockset_lock);
static void tell_sleepers_locked(bool jumped)
{
	memory_barrier(); /* pairs with the one in clock_deadline_of_day() */
	pid_for_each_rcu(tell_process, &jumped);
}

uint64_t clock_deadline_of_day(const struct clock *clock, uint64_t day_ns)
{
	uint32_t awake = DAY_AWAKE;
	int64_t deadline_ns;

	/* One that has been told stays so: it is interrupted. */
	(void)atomic_cas(&uthread_current()->day_sleep, &awake, (uint32_t)DAY_SLEEPS);
	memory_barrier();
	deadline_ns = (int64_t)MIN(day_ns, (uint64_t)INT64_MAX / 2) - clock_day_offset_ns();
	if (clock)
		deadline_ns -= clock_ahead_ns(clock);
	return (uint64_t)MAX((int64_t)clock_ns(), deadline_ns);
}

ssize_t clock_day_slept(ssize_t result)
{
	struct uthread *self = uthread_current();
	irqflags_t flags;

	if (read_once(&self->day_sleep) == DAY_AWAKE ||
	    atomic_exchange_full(&self->day_sleep, (uint32_t)DAY_AWAKE) == DAY_SLEEPS)
		return result;
	/* Who told it holds the lock until it is interrupted: no later call will be by that. */
	flags = spin_lock_irqsave(&self->process->signal_lock);
	signal_recalculate_locked(self->process, self);
	spin_unlock_irqrestore(&self->process->signal_lock, flags);
	return result == -EINTR ? -ERESTARTNOINTR : result;
}

/* ---- the seconds ---- */

static int64_t wall_s(void)
{
	return (int64_t)(clock_wall_ns() / NSEC_PER_SEC);
}

/* A clock that loses shall not find that its sleepers came early, so they are told of the next
 * second's loss before, and a little more. */
static void steer_locked(void) REQUIRES(clockset_lock);
static void steer_locked(void)
{
	int64_t rate = ntp_rate(&ntp);
	int64_t per_second_ns = (int64_t)((__int128)rate * (int64_t)NSEC_PER_SEC >> 32);
	int64_t loss_ns = MIN(per_second_ns, INT64_C(0));
	int64_t before_ns = clock_day_offset_ns();
	int64_t goal_ns;

	clock_wall_steer(rate);
	goal_ns = clock_wall_offset_ns() + loss_ns + loss_ns / 8;
	write_once(&told_offset_ns, goal_ns);
	store_release(&is_active, rate || ntp_is_busy(&ntp)); /* pairs in clock_day_offset_ns() */
	if (goal_ns == before_ns)
		return;
	tell_sleepers_locked(false);
	timerfd_rebase(goal_ns, false);
}

static void jump_locked(int64_t forward_ns) REQUIRES(clockset_lock);
static void jump_locked(int64_t forward_ns)
{
	clock_wall_step(forward_ns);
	write_once(&told_offset_ns, told_offset_ns + forward_ns);
	tell_sleepers_locked(true);
	timerfd_rebase(clock_day_offset_ns(), true);
}

void clock_step_locked(int64_t forward_ns)
{
	ntp_clear(&ntp);
	jump_locked(forward_ns);
	steer_locked();
}

static void count_second(void)
{
	int jump_s;

	mutex_lock(&clockset_lock);
	jump_s = ntp_second(&ntp, wall_s());
	if (jump_s) {
		write_once(&clock_tai_s, clock_tai_s - jump_s);
		jump_locked(jump_s * (int64_t)NSEC_PER_SEC);
	}
	steer_locked();
	mutex_unlock(&clockset_lock);
}

static noreturn void steer_main(void *argument)
{
	(void)argument;
	for (;;) {
		wait_event_idle(&activity, read_once(&is_active));
		/* To the beginning of the next second of the day, which may come later than it
		 * seems now. */
		(void)thread_sleep_ns(NSEC_PER_SEC - clock_wall_ns() % NSEC_PER_SEC);
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
		    wanted->constant <= TAI_MAX_S) {
			write_once(&clock_tai_s, (int32_t)wanted->constant);
			tell_sleepers_locked(true);
		}
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
