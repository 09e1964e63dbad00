/*
 * CPU time: sums, their division, and who waits for some of it to pass: interval timers
 * (ITIMER_VIRTUAL, ITIMER_PROF), RLIMIT_CPU, RLIMIT_RTTIME, POSIX timers of CPU clocks, others who
 * watch (cpu_watch.c). All under signal_lock.
 *
 * A process that waits for nothing pays nothing. The threads of one that does carry a mark, at
 * which the timer interrupt sends them here on their way to user mode; the mark goes when nothing
 * is left to wait for.
 */
#include "cpu_time.h"

#include "../signal/signal.h"
#include "clocks.h"
#include "cpu_watch.h"
#include "posix_timer.h"

#include <abi/sched.h>
#include <arch/clock.h>

/* ---- sums ---- */

struct cpu_times cpu_times_split(uint64_t total_ns, uint64_t nuser, uint64_t nsystem)
{
	uint64_t nsamples = nuser + nsystem;
	uint64_t system_ns = 0;

	/* Samples are milliseconds apart: neither product can be too large. */
	if (nsamples)
		system_ns =
			total_ns / nsamples * nsystem + total_ns % nsamples * nsystem / nsamples;
	return (struct cpu_times){.user_ns = total_ns - system_ns, .system_ns = system_ns};
}

/* Neither part is less than it was told to be. */
static struct cpu_times keep_forward(struct cpu_times now, struct cpu_times *told)
{
	uint64_t total_ns = now.user_ns + now.system_ns;

	now.system_ns = MAX(now.system_ns, told->system_ns);
	now.user_ns = MAX(total_ns - MIN(now.system_ns, total_ns), told->user_ns);
	now.system_ns = MAX(total_ns - MIN(now.user_ns, total_ns), told->system_ns);
	*told = now;
	return now;
}

struct cpu_times process_times_locked(struct process *process)
{
	uint64_t total_ns = process->gone_cpu_ns;
	uint64_t nuser = process->gone_user_ticks;
	uint64_t nsystem = process->gone_system_ticks;
	const struct uthread *uthread;

	list_for_each (uthread, &process->threads, sibling) {
		total_ns += thread_cpu_time_ns(uthread->thread);
		nuser += read_once(&uthread->thread->user_ticks);
		nsystem += read_once(&uthread->thread->system_ticks);
	}
	return keep_forward(cpu_times_split(total_ns, nuser, nsystem), &process->times_told);
}

struct cpu_times process_times(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	struct cpu_times times = process_times_locked(process);

	spin_unlock_irqrestore(&process->signal_lock, flags);
	return times;
}

struct cpu_times uthread_times(struct uthread *uthread)
{
	struct thread *thread = uthread->thread;

	return keep_forward(cpu_times_split(thread_cpu_time_ns(thread),
					    read_once(&thread->user_ticks),
					    read_once(&thread->system_ticks)),
			    &uthread->times_told);
}

void cpu_time_gone_locked(struct process *process, struct thread *thread)
{
	process->gone_cpu_ns += thread_cpu_time_ns(thread);
	process->gone_user_ticks += thread->user_ticks;
	process->gone_system_ticks += thread->system_ticks;
}

uint64_t cpu_time_of_process(const struct clock *clock, const struct cpu_times *times)
{
	return times->user_ns + (clock->user_only ? 0 : times->system_ns);
}

static uint64_t of_thread(const struct clock *clock, struct uthread *uthread)
{
	return clock->user_only ? uthread_times(uthread).user_ns
				: thread_cpu_time_ns(uthread->thread);
}

static uint64_t of_thread_locked(struct process *process, const struct clock *clock)
	REQUIRES(process->signal_lock);
static uint64_t of_thread_locked(struct process *process, const struct clock *clock)
{
	struct uthread *uthread;

	list_for_each (uthread, &process->threads, sibling) {
		if (uthread->tid == clock->tid)
			return of_thread(clock, uthread);
	}
	return 0;
}

uint64_t cpu_time_of_clock_locked(const struct clock *clock,
				  struct process *process) NO_THREAD_SAFETY
{
	struct cpu_times times;

	if (clock->cpu == CLOCK_CPU_THREAD)
		return of_thread_locked(process, clock);
	times = process_times_locked(process);
	return cpu_time_of_process(clock, &times);
}

uint64_t cpu_time_of_own_clock(const struct clock *clock, struct uthread *self,
			       const struct cpu_times *process_times)
{
	return clock->cpu == CLOCK_CPU_THREAD ? of_thread(clock, self)
					      : cpu_time_of_process(clock, process_times);
}

/* ---- watching ---- */

static void mark_locked(struct process *process, bool watched) REQUIRES(process->signal_lock);
static void mark_locked(struct process *process, bool watched)
{
	const struct uthread *uthread;

	write_once(&process->cpu_watched, watched);
	list_for_each (uthread, &process->threads, sibling) {
		write_once(&uthread->thread->cpu_watched, watched);
		/* One that has no slices gets some when it is chosen anew. */
		if (watched)
			thread_request_exit_work(uthread->thread);
	}
}

void cpu_time_watch(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	/* Others send its threads nothing that they have. It itself may sleep next: it looks now.
	 */
	if (!process->cpu_watched || process == process_current())
		mark_locked(process, true);
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

static void raise_locked(struct process *process, int signal) REQUIRES(process->signal_lock);
static void raise_locked(struct process *process, int signal)
{
	struct signal_entry *none = NULL;

	signal_send_entry_locked(process, NULL, signal, true, &none);
}

/* True: it waits for more. */
static bool check_interval_locked(struct process *process, struct cpu_interval *interval,
				  uint64_t now_ns, int signal) REQUIRES(process->signal_lock);
static bool check_interval_locked(struct process *process, struct cpu_interval *interval,
				  uint64_t now_ns, int signal)
{
	if (!interval->deadline_ns)
		return false;
	if (now_ns < interval->deadline_ns)
		return true;
	raise_locked(process, signal);
	if (!interval->interval_ns) {
		interval->deadline_ns = 0;
		return false;
	}
	/* Missed beats are left out. */
	interval->deadline_ns += interval->interval_ns;
	if (interval->deadline_ns <= now_ns)
		interval->deadline_ns = now_ns + interval->interval_ns;
	return true;
}

static bool is_limited(const struct process *process, unsigned resource)
{
	return read_once(&process->limits[resource].rlim_cur) != RLIM_INFINITY ||
	       read_once(&process->limits[resource].rlim_max) != RLIM_INFINITY;
}

bool cpu_time_is_limited(const struct process *process)
{
	return is_limited(process, RLIMIT_CPU) || is_limited(process, RLIMIT_RTTIME);
}

/* setrlimit(2): a warning a second from the soft limit on, the end at the hard one. */
static bool check_limit_locked(struct process *process, uint64_t total_ns)
	REQUIRES(process->signal_lock);
static bool check_limit_locked(struct process *process, uint64_t total_ns)
{
	uint64_t seconds = total_ns / NSEC_PER_SEC;
	uint64_t soft = read_once(&process->limits[RLIMIT_CPU].rlim_cur);
	uint64_t hard = read_once(&process->limits[RLIMIT_CPU].rlim_max);

	if (!is_limited(process, RLIMIT_CPU))
		return false;
	if (seconds >= hard) {
		raise_locked(process, SIGKILL);
	} else if (seconds >= soft && seconds >= process->cpu_warn_s) {
		process->cpu_warn_s = seconds + 1;
		raise_locked(process, SIGXCPU);
	}
	return true;
}

static void note_run(struct uthread *self, uint64_t soft_us)
{
	struct thread *thread = self->thread;
	uint64_t number = read_once(&thread->nswitches) - read_once(&thread->npreempted);

	if (self->realtime_run.number != number)
		self->realtime_run = (struct realtime_run){.number = number,
							   .began_ns = thread_cpu_time_ns(thread),
							   .next_warn_us = soft_us};
}

/* The same for who has a real-time policy and does not sleep, by the microsecond: yielding is no
 * sleep. A run is known from the first interrupt in it on. */
static bool check_realtime_locked(struct process *process, struct uthread *self)
	REQUIRES(process->signal_lock);
static bool check_realtime_locked(struct process *process, struct uthread *self)
{
	uint64_t soft = read_once(&process->limits[RLIMIT_RTTIME].rlim_cur);
	uint64_t hard = read_once(&process->limits[RLIMIT_RTTIME].rlim_max);
	struct realtime_run *run = &self->realtime_run;
	uint64_t ran_us;

	if (!is_limited(process, RLIMIT_RTTIME))
		return false;
	if (self->sched_policy != SCHED_FIFO && self->sched_policy != SCHED_RR)
		return true;
	note_run(self, soft);
	ran_us = (thread_cpu_time_ns(self->thread) - run->began_ns) / NSEC_PER_USEC;
	if (ran_us >= hard) {
		raise_locked(process, SIGKILL);
	} else if (ran_us >= soft && ran_us >= run->next_warn_us) {
		run->next_warn_us = ran_us + NSEC_PER_SEC / NSEC_PER_USEC;
		raise_locked(process, SIGXCPU);
	}
	return true;
}

void cpu_time_check(void)
{
	struct uthread *self = uthread_current();
	struct process *process = self->process;
	struct cpu_times times;
	irqflags_t flags;
	uint64_t total_ns;
	bool wait;

	if (likely(!read_once(&process->cpu_watched)))
		return;
	flags = spin_lock_irqsave(&process->signal_lock);
	times = process_times_locked(process);
	total_ns = times.user_ns + times.system_ns;
	wait = check_interval_locked(process, &process->virtual_interval, times.user_ns, SIGVTALRM);
	wait |= check_interval_locked(process, &process->profile_interval, total_ns, SIGPROF);
	wait |= check_limit_locked(process, total_ns);
	wait |= check_realtime_locked(process, self);
	wait |= cpu_watches_check_locked(process, &times);
	wait |= posix_timers_check_locked(process, self, &times);
	if (!wait)
		mark_locked(process, false);
	spin_unlock_irqrestore(&process->signal_lock, flags);
}
