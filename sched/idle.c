/*
 * Bringing a CPU into scheduling, and what it does when no thread is ready: pieces of idle work,
 * then waiting for an interrupt, with the timer set for the next timer only (no tick).
 */
#include "sched_priv.h"

#include <lib/fmt.h>
#include <lib/panic.h>
#include <lib/string.h>

static bool started;            /* atomic: sched_start() was reached */
static bool (*idle_work)(void); /* atomic: NULL, or one piece of it */

void sched_set_idle_work(bool (*do_piece)(void))
{
	store_release(&idle_work, do_piece);
}

bool sched_started(void)
{
	return read_once(&started);
}

void sched_init_cpu(vaddr_t stack_base, vaddr_t stack_top)
{
	struct cpu_sched *cpu = this_percpu(cpu_sched);
	struct thread *idle = &cpu->idle;

	memset(cpu, 0, sizeof(*cpu));
	spin_init(&cpu->lock, LOCK_RUNQ);
	cpu->id = cpu_id();
	cpu->slice_end_ns = UINT64_MAX;
	cpu->timer_armed_ns = UINT64_MAX;
	runq_init(&cpu->queue);
	timers_init_cpu();
	executor_init_cpu();

	/* The code that runs already is the idle thread; only its stack's bounds need be known. */
	entity_init(&idle->sched, POLICY_IDLE, 0, 0);
	context_adopt(&idle->context, stack_base, stack_top);
	idle->state = THREAD_RUNNING;
	idle->on_cpu = true;
	idle->cpu = cpu;
	kernel_format(idle->name, sizeof(idle->name), "idle/%u", cpu->id);
	list_init(&idle->all_link);
	cpu->current = idle;
	this_cpu()->current = idle;
	idle->affinity = cpuset_of(cpu->id);
	thread_list_add(idle);
	cpu_switch_done();
	if (cpu->id == 0)
		rcu_init();
	else
		write_once(&sched_several, true);
}

/* A thread that another CPU is just switching from is looked for again at once, so many times, and
 * then after a while. */
#define LATER_MAX 50
#define LATER_NS  (50 * NSEC_PER_USEC)

/* Sleeps until an interrupt, unless something became ready. `look_again`: not for long. */
static void wait_for_interrupt(struct cpu_sched *cpu, bool look_again)
{
	uint64_t deadline_ns;

	preempt_disable(); /* so that a switch is left to what follows */
	irq_disable();
	rcu_look();
	preempt_enable_no_switch();
	if (cpu_switch_wanted() || sched_has_ready(cpu)) {
		irq_enable();
		preempt_schedule();
		return;
	}
	/* A slice that is over would only wake us for nothing. */
	deadline_ns = timers_next_deadline_ns();
	if (unlikely(look_again))
		deadline_ns = MIN(deadline_ns, clock_ns() + LATER_NS);
	else if (sched_several)
		sched_idle_halts(cpu);
	if (deadline_ns != cpu->timer_armed_ns) {
		cpu->timer_armed_ns = deadline_ns;
		clock_set_timer(deadline_ns);
	}
	cpu_wait_for_interrupt();
}

noreturn void sched_start(void)
{
	struct cpu_sched *cpu = this_percpu(cpu_sched);
	unsigned nlater = 0;

	assert(irqs_off() && preempt_depth() == 1); /* as the boot left them */
	write_once(&started, true);
	cpu->idle.run_start_ns = clock_ns();
	cpu_want_switch();
	preempt_enable_no_switch();
	irq_enable();
	for (;;) {
		bool (*work)(void) = load_acquire(&idle_work);
		enum sched_found found;

		preempt_disable();
		rcu_note_quiescent(cpu);
		preempt_enable();
		found = sched_find_work(cpu);
		if (found == SCHED_FOUND)
			preempt_schedule();
		else if (found == SCHED_FOUND_LATER && nlater++ < LATER_MAX)
			cpu_relax();
		else if (!work || !work()) {
			wait_for_interrupt(cpu, found == SCHED_FOUND_LATER);
			nlater = 0;
		}
	}
}
