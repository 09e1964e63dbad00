/*
 * POSIX timers. A timer belongs to a process and raises a signal, whose entry it brings along, so
 * that an interrupt needs no memory. While that entry is in a queue the timer rests; when it is
 * taken, what was missed meanwhile is told as the overrun, and the next deadline is set: a program
 * that takes no signals has no interrupts either.
 *
 * A timer is made, set and deleted under the process's lock; all of it but the kernel's timer is
 * under signal_lock, since the interrupt changes it. Who is about to cancel the kernel's timer has
 * disarmed it under signal_lock first: nobody starts it then. Those that go by CPU time have no
 * kernel timer: their process looks at them on its way to user mode (cpu_time.c). One that goes by
 * the CPU time of another process watches that one (cpu_watch.c), which has the kernel's timer
 * started when the deadline has come: it is never under two processes' locks at once, and takes for
 * the time what was seen last. So both may want to start the kernel's timer, which start_lock has
 * (LOCK_TIMESTART, inside of either signal_lock).
 */
#include "posix_timer.h"

#include "../namespace/pid.h"

#include "clocks.h"
#include "cpu_time.h"
#include "cpu_watch.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <lib/panic.h>
#include <mm/slab.h>

/* One whose signal is ignored goes on by itself, but not as often as it likes. */
#define IGNORED_PAUSE_NS NSEC_PER_MSEC

/*
 *   [c] constant once it is on the list
 *   [s] process->signal_lock
 */
struct posix_timer {
	struct list link;           /* [s] on process->timers */
	struct process *process;    /* [c] */
	int32_t id;                 /* [c] */
	struct clock clock;         /* [c] */
	int32_t notify;             /* [c] SIGEV_* */
	int32_t signal;             /* [c] */
	uint64_t value;             /* [c] for the handler */
	int32_t tid;                /* [c] of SIGEV_THREAD_ID */
	bool armed;                 /* [s] the deadline is to come, or its signal waits */
	bool wall;                  /* [s] the deadline is a time of day */
	int64_t deadline_ns;        /* [s] of its clock; of clock_ns() for the wall clock */
	int64_t day_offset_ns;      /* [s] of a time of day: what was taken from it for that */
	uint64_t interval_ns;       /* [s] 0: once */
	int32_t overrun;            /* [s] told with the last signal */
	struct signal_entry *entry; /* [s] NULL: in a queue */
	struct spinlock start_lock;
	struct timer timer;     /* started under start_lock */
	struct cpu_watch watch; /* of another process: its own rules */
};

SLAB_CACHE(timer_cache, struct posix_timer);

/* ---- expiring ---- */

static bool is_of_other(const struct posix_timer *timer)
{
	return timer->watch.process != NULL;
}

static int64_t now_of(const struct posix_timer *timer)
{
	if (is_of_other(timer))
		return (int64_t)read_once(&timer->watch.seen_ns);
	return (int64_t)clock_now_ns(&timer->clock, timer->process);
}

static bool has_kernel_timer(const struct posix_timer *timer)
{
	return !timer->clock.cpu && (timer->notify & ~SIGEV_THREAD_ID) != SIGEV_NONE;
}

/* Interrupts off. */
static void start_at(struct posix_timer *timer, uint64_t deadline_ns)
{
	spin_lock(&timer->start_lock);
	timer_start(&timer->timer, deadline_ns);
	spin_unlock(&timer->start_lock);
}

/* All that is called _locked here: under the signal_lock of its process. */
static void start_locked(struct posix_timer *timer)
{
	if (is_of_other(timer) && timer->armed && timer->notify != SIGEV_NONE) {
		write_once(&timer->watch.deadline_ns, (uint64_t)timer->deadline_ns);
		write_once(&timer->watch.waits, true);
		if (now_of(timer) >= timer->deadline_ns)
			start_at(timer, 0);
	}
	if (timer->armed && has_kernel_timer(timer))
		start_at(timer, (uint64_t)MAX(timer->deadline_ns, INT64_C(0)));
}

/* Sets the next deadline behind `now`; how many were missed. */
static uint64_t forward_locked(struct posix_timer *timer, int64_t now_ns)
{
	uint64_t missed = 0;

	if (now_ns > timer->deadline_ns)
		missed = (uint64_t)(now_ns - timer->deadline_ns) / timer->interval_ns;
	timer->deadline_ns += (int64_t)((missed + 1) * timer->interval_ns);
	return missed;
}

/* NULL: it has gone. */
static struct uthread *find_thread_locked(struct process *process, int32_t tid)
{
	struct uthread *uthread;

	list_for_each (uthread, &process->threads, sibling) {
		if (uthread->tid == tid)
			return uthread;
	}
	return NULL;
}

/* Its time has come, and its signal is not on its way yet. */
static void fire_locked(struct posix_timer *timer, int64_t now_ns) NO_THREAD_SAFETY
{
	struct process *process = timer->process;
	struct uthread *only = NULL;

	write_once(&timer->watch.waits, false);
	if (timer->notify & SIGEV_THREAD_ID)
		only = find_thread_locked(process, timer->tid);
	if (!timer->interval_ns)
		timer->armed = false;
	timer->entry->timer = timer;
	timer->entry->info = (struct signal_info){
		.signal = timer->signal,
		.code = SI_TIMER,
		.fields = {(uint32_t)timer->id, timer->value},
	};
	if (only || !(timer->notify & SIGEV_THREAD_ID))
		signal_send_entry_locked(process, only, timer->signal, false, &timer->entry);
	if (timer->entry && timer->armed) {
		(void)forward_locked(timer, now_ns);
		/* All of a process together are no more often than one alone. */
		timer->deadline_ns = MAX(timer->deadline_ns,
					 now_ns + (int64_t)(IGNORED_PAUSE_NS * process->ntimers));
		start_locked(timer);
	}
}

/* In an interrupt. */
static void expire(void *argument)
{
	struct posix_timer *timer = argument;
	irqflags_t flags = spin_lock_irqsave(&timer->process->signal_lock);

	if (timer->armed && timer->entry &&
	    (!is_of_other(timer) || now_of(timer) >= timer->deadline_ns))
		fire_locked(timer, now_of(timer));
	spin_unlock_irqrestore(&timer->process->signal_lock, flags);
}

/* Under the lock of the process that it watches. */
static void come_due(struct cpu_watch *watch)
{
	start_at(container_of(watch, struct posix_timer, watch), 0);
}

void posix_timer_taken_locked(struct process *process, struct signal_entry *entry,
			      struct signal_info *info)
{
	struct posix_timer *timer = entry->timer;

	debug_assert(timer->process == process && !timer->entry);
	timer->entry = entry;
	timer->overrun = 0;
	if (timer->armed) {
		int64_t now_ns = now_of(timer);

		/* One that was set anew meanwhile has its first deadline yet to come. */
		if (timer->interval_ns && now_ns >= timer->deadline_ns)
			timer->overrun =
				(int32_t)MIN(forward_locked(timer, now_ns), (uint64_t)INT32_MAX);
		start_locked(timer);
	}
	if (info)
		info->fields[0] = (uint32_t)timer->id | (uint64_t)(uint32_t)timer->overrun << 32;
}

bool posix_timers_check_locked(struct process *process, struct uthread *self,
			       const struct cpu_times *process_times)
{
	struct posix_timer *timer;
	bool wait = false;

	list_for_each (timer, &process->timers, link) {
		bool of_another =
			timer->clock.cpu == CLOCK_CPU_THREAD && timer->clock.tid != self->tid;
		int64_t now_ns;

		if (!timer->clock.cpu || is_of_other(timer) || !timer->armed ||
		    timer->notify == SIGEV_NONE)
			continue;
		wait = true;
		if (!timer->entry || of_another)
			continue;
		now_ns = (int64_t)cpu_time_of_own_clock(&timer->clock, self, process_times);
		if (now_ns >= timer->deadline_ns)
			fire_locked(timer, now_ns);
	}
	return wait;
}

/* The deadline is that of clock_ns() by today's offset of its clock. */
static void rebase_locked(struct posix_timer *timer)
{
	int64_t offset_ns = clock_day_offset_ns() + clock_ahead_ns(&timer->clock);

	timer->deadline_ns += timer->day_offset_ns - offset_ns;
	timer->day_offset_ns = offset_ns;
}

void posix_timers_rebase(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	struct posix_timer *timer;

	list_for_each (timer, &process->timers, link) {
		if (!timer->wall || !timer->armed)
			continue;
		rebase_locked(timer);
		if (timer->entry)
			start_locked(timer);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

/* ---- making and deleting; the process's lock is held ---- */

static struct posix_timer *find(struct process *process, int32_t id) REQUIRES(process->lock);
static struct posix_timer *find(struct process *process, int32_t id)
{
	struct posix_timer *timer;

	/* The list changes under both locks. */
	list_for_each (timer, &process->timers, link) {
		if (timer->id == id)
			return timer;
	}
	return NULL;
}

static void delete_timer(struct posix_timer *timer)
{
	struct process *process = timer->process;
	struct signal_entry *entry;
	irqflags_t flags;

	cpu_watch_end(&timer->watch); /* it starts the kernel's timer no more */
	flags = spin_lock_irqsave(&process->signal_lock);
	entry = timer->entry;
	list_del(&timer->link);
	process->ntimers--;
	timer->armed = false;
	if (!entry)
		signal_forget_timer_locked(process, timer);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	timer_cancel(&timer->timer);
	kfree(entry);
	slab_free(&timer_cache, timer);
}

void posix_timers_delete_all(struct process *process)
{
	mutex_lock(&process->lock);
	while (!list_empty(&process->timers))
		delete_timer(list_first_entry(&process->timers, struct posix_timer, link));
	mutex_unlock(&process->lock);
}

/* Each holds an entry of its process's signals. */
static err_t list_timer(struct process *process, struct posix_timer *timer)
{
	uint64_t limit = read_once(&process->limits[RLIMIT_SIGPENDING].rlim_cur);
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	err_t err = process->ntimers + process->nqueued >= limit ? -EAGAIN : 0;

	if (!err) {
		timer->id = process->next_timer_id++ & INT32_MAX;
		process->ntimers++;
		list_add_tail(&process->timers, &timer->link);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return err;
}

static err_t check_event(const struct abi_sigevent *event)
{
	irqflags_t flags;
	bool found;

	switch (event->sigev_notify) {
	case SIGEV_NONE:
		return 0;
	case SIGEV_THREAD_ID:
		flags = spin_lock_irqsave(&process_current()->signal_lock);
		found = find_thread_locked(process_current(), pid_meant(event->sigev_tid));
		spin_unlock_irqrestore(&process_current()->signal_lock, flags);
		if (!found)
			return -EINVAL;
		break;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD: /* a signal, which the C library makes a thread of */
		break;
	default:
		return -EINVAL;
	}
	return event->sigev_signo > 0 && event->sigev_signo <= SIGNAL_MAX ? 0 : -EINVAL;
}

static void free_timer(struct posix_timer *timer)
{
	if (timer) {
		cpu_watch_end(&timer->watch);
		kfree(timer->entry);
	}
	slab_free(&timer_cache, timer);
}

static err_t make_timer(const struct clock *clock, const struct abi_sigevent *event,
			struct posix_timer **out)
{
	struct posix_timer *timer = slab_alloc_zeroed(&timer_cache);
	err_t err = 0;

	if (timer)
		timer->entry = signal_entry_alloc();
	if (!timer || !timer->entry) {
		free_timer(timer);
		return -EAGAIN; /* timer_create(2) */
	}
	timer->process = process_current();
	timer->clock = *clock;
	timer->notify = event->sigev_notify;
	timer->signal = event->sigev_signo;
	timer->value = event->sigev_value;
	timer->tid = pid_meant(event->sigev_tid);
	spin_init(&timer->start_lock, LOCK_TIMESTART);
	timer_init(&timer->timer, expire, timer);
	if (clock->cpu == CLOCK_CPU_PROCESS && clock->tid != timer->process->pid) {
		timer->watch.due = come_due;
		err = cpu_watch_begin(&timer->watch, clock);
	}
	if (err)
		free_timer(timer);
	*out = timer;
	return err;
}

int sys_timer_create(int clock, uptr_t event, uptr_t id)
{
	struct abi_sigevent wanted = {.sigev_signo = SIGALRM};
	struct process *process = process_current();
	struct posix_timer *timer;
	struct clock found;
	err_t err = clock_find(clock, &found);

	if (!err && !found.has_timers)
		err = -EOPNOTSUPP;
	if (err)
		return err;
	if (!uptr_is_null(event) && user_get(&wanted, event))
		return -EFAULT;
	err = check_event(&wanted);
	if (!err)
		err = make_timer(&found, &wanted, &timer);
	if (err)
		return err;
	mutex_lock(&process->lock);
	err = list_timer(process, timer);
	if (err) {
		free_timer(timer);
	} else {
		if (uptr_is_null(event))
			timer->value = (uint32_t)timer->id;
		err = user_put(id, &timer->id);
		if (err)
			delete_timer(timer);
	}
	mutex_unlock(&process->lock);
	return err;
}

int sys_timer_delete(int id)
{
	struct process *process = process_current();
	struct posix_timer *timer;

	mutex_lock(&process->lock);
	timer = find(process, id);
	if (timer)
		delete_timer(timer);
	mutex_unlock(&process->lock);
	return timer ? 0 : -EINVAL;
}

/* ---- setting ---- */

/* So that the time is known under its own process's lock. */
static void look(struct posix_timer *timer)
{
	if (is_of_other(timer))
		cpu_watch_look(&timer->watch);
}

/* What timer_gettime tells. */
static struct abi_itimerspec left_of(struct posix_timer *timer)
{
	bool none = timer->notify == SIGEV_NONE;
	int64_t left_ns = 0;
	irqflags_t flags;

	look(timer);
	flags = spin_lock_irqsave(&timer->process->signal_lock);
	if (timer->armed) {
		int64_t now_ns = now_of(timer);

		left_ns = timer->deadline_ns - now_ns;
		if (left_ns <= 0 && timer->interval_ns)
			left_ns = (int64_t)(timer->interval_ns -
					    (uint64_t)-left_ns % timer->interval_ns);
		else if (left_ns <= 0)
			left_ns =
				none ? 0 : 1; /* about to fire: a running one is not told as none */
	}
	spin_unlock_irqrestore(&timer->process->signal_lock, flags);
	return (struct abi_itimerspec){.it_interval = timespec_of_ns(timer->interval_ns),
				       .it_value = timespec_of_ns((uint64_t)left_ns)};
}

static void set_timer(struct posix_timer *timer, const struct abi_itimerspec *wanted, bool absolute)
{
	struct process *process = timer->process;
	int64_t value_ns = (int64_t)ns_of_timespec(&wanted->it_value);
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	timer->armed = false;
	write_once(&timer->watch.waits, false);
	/* A signal that waits was of the time before: it comes, and starts nothing. */
	spin_unlock_irqrestore(&process->signal_lock, flags);
	timer_cancel(&timer->timer);

	look(timer);
	flags = spin_lock_irqsave(&process->signal_lock);
	timer->interval_ns = ns_of_timespec(&wanted->it_interval);
	timer->overrun = 0;
	timer->wall = absolute && timer->clock.wall;
	timer->armed = value_ns != 0;
	timer->deadline_ns = value_ns;
	timer->day_offset_ns = 0;
	if (!absolute)
		timer->deadline_ns += now_of(timer);
	else if (timer->clock.wall)
		rebase_locked(timer);
	else if (!timer->clock.cpu)
		timer->deadline_ns = (int64_t)clock_meant_ns(&timer->clock, (uint64_t)value_ns);
	if (timer->entry)
		start_locked(timer);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	if (timer->clock.cpu && value_ns)
		cpu_time_watch(is_of_other(timer) ? timer->watch.process : process);
}

int sys_timer_settime(int id, int flags, uptr_t value, uptr_t before)
{
	struct process *process = process_current();
	struct abi_itimerspec wanted;
	struct abi_itimerspec old = {0};
	struct posix_timer *timer;

	if (uptr_is_null(value))
		return -EINVAL;
	if (user_get(&wanted, value))
		return -EFAULT;
	if (!timespec_is_valid(&wanted.it_value) || !timespec_is_valid(&wanted.it_interval))
		return -EINVAL;
	mutex_lock(&process->lock);
	timer = find(process, id);
	if (timer) {
		old = left_of(timer);
		set_timer(timer, &wanted, flags & TIMER_ABSTIME);
	}
	mutex_unlock(&process->lock);
	if (!timer)
		return -EINVAL;
	return uptr_is_null(before) ? 0 : user_put(before, &old);
}

int sys_timer_gettime(int id, uptr_t out)
{
	struct process *process = process_current();
	struct abi_itimerspec left = {0};
	struct posix_timer *timer;

	mutex_lock(&process->lock);
	timer = find(process, id);
	if (timer)
		left = left_of(timer);
	mutex_unlock(&process->lock);
	return timer ? user_put(out, &left) : -EINVAL;
}

int sys_timer_getoverrun(int id)
{
	struct process *process = process_current();
	struct posix_timer *timer;
	int overrun = -EINVAL;

	mutex_lock(&process->lock);
	timer = find(process, id);
	if (timer)
		overrun = read_once(&timer->overrun);
	mutex_unlock(&process->lock);
	return overrun;
}
