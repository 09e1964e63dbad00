/*
 * Waiting for the CPU time of a process, or of one of its threads, to come so far: others do, by
 * timers and by sleeping. What it uses up is compared while it runs, on its own way to user mode.
 */
#ifndef KERNEL_TIME_CPU_WATCH_H
#define KERNEL_TIME_CPU_WATCH_H

#include "clocks.h"

/*
 *   [c] constant once it is listed
 *   [s] process->signal_lock
 *   [a] atomic: what is compared is a hint, and `due` may be called once too often
 */
struct cpu_watch {
	struct list link;        /* [s] on process->cpu_watches */
	struct process *process; /* [c] whose time it is: a reference; NULL: not listed */
	struct clock clock;      /* [c] */
	bool waits;              /* [a] */
	uint64_t deadline_ns;    /* [a] */
	uint64_t seen_ns;        /* [a] what the clock said when somebody looked */
	/* [c] Under signal_lock, at each look from the deadline on while `waits`. */
	void (*due)(struct cpu_watch *watch);
};

/* Lists it, with `due` set. -EINVAL: nobody has this clock; -EAGAIN: too many others watch. */
err_t must_check cpu_watch_begin(struct cpu_watch *watch, const struct clock *clock);
/* One that is not listed, too. Afterwards `due` is not called any more. */
void cpu_watch_end(struct cpu_watch *watch);
/* What the clock says is in seen_ns. */
void cpu_watch_look(struct cpu_watch *watch);
/* True: some are listed. */
bool cpu_watches_check_locked(struct process *process, const struct cpu_times *times)
	REQUIRES(process->signal_lock);

/* Until the clock says so much. -EINVAL, -EAGAIN, -EINTR. */
err_t must_check cpu_time_sleep(const struct clock *clock, uint64_t deadline_ns);

#endif
