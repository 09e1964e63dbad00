/*
 * Timers: see sched/timer.h. Each CPU has a queue behind a lock of class LOCK_TIMER; its timer
 * interrupt runs what is due, one at a time and with the lock dropped, so functions may start and
 * cancel timers. `running` names the timer whose function is being called, for those who cancel it
 * on another CPU; it is never followed.
 */
#include <sched/timer.h>

#include "sched_priv.h"
#include "timerq.h"

#include <lib/panic.h>

/*   [t] lock */
struct timer_cpu {
	struct spinlock lock;
	struct timerq queue;         /* [t] */
	const struct timer *running; /* atomic, written under lock by this CPU */
};

static PERCPU(struct timer_cpu, timer_cpu);

void timers_init_cpu(void)
{
	struct timer_cpu *cpu = this_percpu(timer_cpu);

	*cpu = (struct timer_cpu){.lock = SPINLOCK_INIT(LOCK_TIMER)};
}

void timer_init(struct timer *timer, void (*function)(void *argument), void *argument)
{
	*timer = (struct timer){.function = function, .argument = argument};
}

/* Out of the queue that it is in, if any. Interrupts off. */
static bool dequeue(struct timer *timer)
{
	for (;;) {
		struct timer_cpu *cpu = load_acquire(&timer->cpu);
		bool is_here;

		if (!cpu)
			return false;
		spin_lock(&cpu->lock);
		is_here = timer->cpu == cpu;
		if (likely(is_here)) {
			timerq_remove(&cpu->queue, timer);
			store_release(&timer->cpu, NULL);
		}
		spin_unlock(&cpu->lock);
		if (likely(is_here))
			return true;
	}
}

void timer_start(struct timer *timer, uint64_t deadline_ns)
{
	irqflags_t flags = irq_save();
	struct timer_cpu *cpu = this_percpu(timer_cpu);

	dequeue(timer);
	spin_lock(&cpu->lock);
	timer->deadline_ns = deadline_ns;
	timerq_insert(&cpu->queue, timer);
	store_release(&timer->cpu, cpu); /* pairs with the acquire in dequeue() */
	spin_unlock(&cpu->lock);
	sched_arm_timer(this_percpu(cpu_sched), deadline_ns);
	irq_restore(flags);
}

bool timer_cancel(struct timer *timer)
{
	irqflags_t flags = irq_save();
	bool was_waiting = dequeue(timer);

	irq_restore(flags);
	if (was_waiting || in_interrupt())
		return was_waiting;
	/* It has fired, and its function may still be running on another CPU. */
	for_each_cpu (id) {
		while (load_acquire(&percpu_of(id, timer_cpu)->running) == timer)
			cpu_relax();
	}
	return false;
}

uint64_t timers_next_deadline_ns(void)
{
	struct timer_cpu *cpu = this_percpu(timer_cpu);
	uint64_t deadline_ns;

	spin_lock(&cpu->lock);
	deadline_ns = timerq_deadline_ns(&cpu->queue);
	spin_unlock(&cpu->lock);
	return deadline_ns;
}

/* Takes the first timer that is due off the queue and marks it running. */
static struct timer *take_due(struct timer_cpu *cpu, uint64_t now_ns)
{
	struct timer *timer = NULL;

	spin_lock(&cpu->lock);
	if (timerq_deadline_ns(&cpu->queue) <= now_ns) {
		timer = cpu->queue.first;
		timerq_remove(&cpu->queue, timer);
		/* Before it is seen to be off the queue: who cancels finds one or the other. */
		write_once(&cpu->running, timer);
		store_release(&timer->cpu, NULL);
	}
	spin_unlock(&cpu->lock);
	return timer;
}

uint64_t timers_run(uint64_t now_ns)
{
	struct timer_cpu *cpu = this_percpu(timer_cpu);
	struct timer *timer;

	while ((timer = take_due(cpu, now_ns)) != NULL) {
		timer->function(timer->argument);
		store_release(&cpu->running, NULL); /* pairs with the acquire in timer_cancel() */
	}
	return timers_next_deadline_ns();
}
