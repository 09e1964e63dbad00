/*
 * Who watches the CPU time of a process. The list is the watched one's, under its signal_lock; an
 * entry is in memory of who watches, and keeps the process's struct.
 */
#include "cpu_watch.h"

#include "cpu_time.h"

#include <abi/errno.h>
#include <sched/wait.h>

/* Each is looked at at each timer interrupt, so others can slow nobody down by more. */
#define WATCHES_OF_OTHERS_MAX 256

err_t cpu_watch_begin(struct cpu_watch *watch, const struct clock *clock)
{
	struct process *process = clock_process(clock);
	irqflags_t flags;
	err_t err = 0;

	if (!process)
		return -EINVAL;
	watch->clock = *clock;
	flags = spin_lock_irqsave(&process->signal_lock);
	if (process != process_current() && process->ncpu_watches >= WATCHES_OF_OTHERS_MAX) {
		err = -EAGAIN;
	} else {
		list_add_tail(&process->cpu_watches, &watch->link);
		process->ncpu_watches++;
		watch->process = process;
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	if (err)
		process_put(process);
	return err;
}

void cpu_watch_end(struct cpu_watch *watch)
{
	struct process *process = watch->process;
	irqflags_t flags;

	if (!process)
		return;
	flags = spin_lock_irqsave(&process->signal_lock);
	list_del(&watch->link);
	process->ncpu_watches--;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	process_put(process);
}

void cpu_watch_look(struct cpu_watch *watch)
{
	struct process *process = watch->process;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	write_once(&watch->seen_ns, cpu_time_of_clock_locked(&watch->clock, process));
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

bool cpu_watches_check_locked(struct process *process, const struct cpu_times *times)
{
	struct cpu_watch *watch;

	list_for_each (watch, &process->cpu_watches, link) {
		uint64_t now_ns = watch->clock.cpu == CLOCK_CPU_THREAD
					  ? cpu_time_of_clock_locked(&watch->clock, process)
					  : cpu_time_of_process(&watch->clock, times);

		write_once(&watch->seen_ns, now_ns);
		if (read_once(&watch->waits) && now_ns >= read_once(&watch->deadline_ns))
			watch->due(watch);
	}
	return !list_empty(&process->cpu_watches);
}

/* ---- sleeping ---- */

struct sleeper {
	struct cpu_watch watch;
	bool over; /* atomic: release by who wakes */
	struct waitq queue;
};

static void wake_sleeper(struct cpu_watch *watch)
{
	struct sleeper *sleeper = container_of(watch, struct sleeper, watch);

	write_once(&watch->waits, false);
	/* Release: pairs with the acquire of the condition. It takes signal_lock before it leaves.
	 */
	store_release(&sleeper->over, true);
	waitq_wake_one(&sleeper->queue);
}

err_t cpu_time_sleep(const struct clock *clock, uint64_t deadline_ns)
{
	struct sleeper sleeper = {
		.watch = {.due = wake_sleeper, .waits = true, .deadline_ns = deadline_ns}};
	err_t err;

	waitq_init(&sleeper.queue);
	err = cpu_watch_begin(&sleeper.watch, clock);
	if (err)
		return err;
	cpu_time_watch(sleeper.watch.process);
	/* It may stand still. */
	cpu_watch_look(&sleeper.watch);
	if (sleeper.watch.seen_ns < deadline_ns)
		err = wait_event_interruptible(&sleeper.queue, load_acquire(&sleeper.over));
	cpu_watch_end(&sleeper.watch);
	return err;
}
