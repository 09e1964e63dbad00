/*
 * alarm() and setitimer(). ITIMER_REAL is one timer a process, which raises SIGALRM and, with an
 * interval, is started anew when that is taken, as on Linux: so one that rings faster than anybody
 * listens costs nothing. It is set and cancelled under the process's mutex, and when its last
 * thread ends; its deadline is under signal_lock, since the interrupt changes it. The other two go
 * by CPU time and have no timer of their own (cpu_time.c).
 */
#include "../signal/signal.h"

#include "clocks.h"
#include "cpu_time.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/time.h>
#include <arch/clock.h>
#include <arch/user.h>

void signal_alarm(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	process->alarm_rang_ns = process->alarm_deadline_ns;
	process->alarm_deadline_ns = 0;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	process_signal(process, SIGALRM);
}

void signal_alarm_taken_locked(struct process *process)
{
	uint64_t interval_ns = process->alarm_interval_ns;
	uint64_t now_ns = clock_ns();
	uint64_t deadline_ns;

	if (!interval_ns || !process->alarm_rang_ns)
		return; /* another SIGALRM */
	deadline_ns = process->alarm_rang_ns + interval_ns;
	if (deadline_ns <= now_ns) /* beats that were missed are left out */
		deadline_ns += (now_ns - deadline_ns) / interval_ns * interval_ns + interval_ns;
	process->alarm_rang_ns = 0;
	process->alarm_deadline_ns = deadline_ns;
	/* Under the lock: who has set the deadline to 0 finds it started or never will. */
	timer_start(&process->alarm, deadline_ns);
}

struct alarm {
	uint64_t left_ns; /* 0: not set */
	uint64_t interval_ns;
};

static struct alarm read_alarm(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	uint64_t now_ns = clock_ns();
	struct alarm alarm = {.interval_ns = process->alarm_interval_ns};

	/* One that is about to ring still runs. */
	if (process->alarm_deadline_ns)
		alarm.left_ns = process->alarm_deadline_ns > now_ns
					? process->alarm_deadline_ns - now_ns
					: NSEC_PER_USEC;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return alarm;
}

static void set_deadline(struct process *process, uint64_t deadline_ns, uint64_t interval_ns)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	process->alarm_deadline_ns = deadline_ns;
	process->alarm_rang_ns = 0;
	process->alarm_interval_ns = interval_ns;
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

void signal_cancel_alarm(struct process *process)
{
	/* Nobody who takes a signal starts it now, so afterwards the timer is still. */
	set_deadline(process, 0, 0);
	timer_cancel(&process->alarm);
}

/* Returns what was set before. */
static struct alarm set_alarm(const struct alarm *wanted)
{
	struct process *process = process_current();
	struct alarm before;
	uint64_t deadline_ns = 0;

	mutex_lock(&process->lock);
	before = read_alarm(process);
	signal_cancel_alarm(process);
	if (wanted->left_ns)
		deadline_ns = clock_ns() + wanted->left_ns;
	set_deadline(process, deadline_ns, deadline_ns ? wanted->interval_ns : 0);
	if (deadline_ns)
		timer_start(&process->alarm, deadline_ns);
	mutex_unlock(&process->lock);
	return before;
}

int sys_alarm(unsigned seconds)
{
	struct alarm wanted = {.left_ns = seconds * NSEC_PER_SEC};
	struct alarm before = set_alarm(&wanted);

	/* Rounded, but a running one is never told as none. */
	if (before.left_ns && before.left_ns < NSEC_PER_SEC)
		return 1;
	return (int)((before.left_ns + NSEC_PER_SEC / 2) / NSEC_PER_SEC);
}

/* ---- those of CPU time ---- */

static struct cpu_interval *interval_of(struct process *process, int which)
{
	return which == ITIMER_VIRTUAL ? &process->virtual_interval : &process->profile_interval;
}

/* The CPU time that it goes by. */
static uint64_t now_of_locked(struct process *process, int which) REQUIRES(process->signal_lock);
static uint64_t now_of_locked(struct process *process, int which)
{
	struct cpu_times times = process_times_locked(process);

	return times.user_ns + (which == ITIMER_PROF ? times.system_ns : 0);
}

static struct alarm read_interval_locked(struct process *process, int which)
	REQUIRES(process->signal_lock);
static struct alarm read_interval_locked(struct process *process, int which)
{
	const struct cpu_interval *interval = interval_of(process, which);
	uint64_t now_ns = now_of_locked(process, which);
	struct alarm alarm = {.interval_ns = interval->interval_ns};

	if (interval->deadline_ns)
		alarm.left_ns = interval->deadline_ns > now_ns ? interval->deadline_ns - now_ns
							       : NSEC_PER_USEC;
	return alarm;
}

static struct alarm read_interval(int which)
{
	struct process *process = process_current();
	struct alarm alarm;
	irqflags_t flags;

	if (which == ITIMER_REAL)
		return read_alarm(process);
	flags = spin_lock_irqsave(&process->signal_lock);
	alarm = read_interval_locked(process, which);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return alarm;
}

static struct alarm set_interval(int which, const struct alarm *wanted)
{
	struct process *process = process_current();
	struct alarm before;
	irqflags_t flags;

	if (which == ITIMER_REAL)
		return set_alarm(wanted);
	flags = spin_lock_irqsave(&process->signal_lock);
	before = read_interval_locked(process, which);
	*interval_of(process, which) = (struct cpu_interval){.interval_ns = wanted->interval_ns};
	if (wanted->left_ns)
		interval_of(process, which)->deadline_ns =
			now_of_locked(process, which) + wanted->left_ns;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	if (wanted->left_ns)
		cpu_time_watch(process);
	return before;
}

/* ---- the calls ---- */

static int put_alarm(uptr_t to, const struct alarm *alarm)
{
	const struct abi_itimerval value = {.it_interval = timeval_of_ns(alarm->interval_ns),
					    .it_value = timeval_of_ns(alarm->left_ns)};

	return user_put(to, &value);
}

static bool is_interval(int which)
{
	return which == ITIMER_REAL || which == ITIMER_VIRTUAL || which == ITIMER_PROF;
}

int sys_getitimer(int which, uptr_t out)
{
	struct alarm alarm;

	if (!is_interval(which))
		return -EINVAL;
	alarm = read_interval(which);
	return put_alarm(out, &alarm);
}

int sys_setitimer(int which, uptr_t value, uptr_t before)
{
	struct abi_itimerval wanted = {0};
	struct alarm alarm;

	if (!is_interval(which))
		return -EINVAL;
	if (!uptr_is_null(value) && user_get(&wanted, value))
		return -EFAULT;
	if (!timeval_is_valid(&wanted.it_value) || !timeval_is_valid(&wanted.it_interval))
		return -EINVAL;
	alarm = set_interval(which,
			     &(struct alarm){.left_ns = ns_of_timeval(&wanted.it_value),
					     .interval_ns = ns_of_timeval(&wanted.it_interval)});
	return uptr_is_null(before) ? 0 : put_alarm(before, &alarm);
}
