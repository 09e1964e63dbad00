/*
 * Who does not get on. Two watches, both of which only say so, once for each case:
 *
 * A CPU that stays in one piece of code with preemption disabled, or with interrupts off: each CPU
 * looks, from a timer of its own, at its own counter of quiescent moments and at the next CPU's,
 * since one that takes no interrupts cannot look at itself. A CPU that idles is well. Before it is
 * called stuck it was kicked, so a thread that runs alone for long is not meant.
 *
 * A thread that nothing can wake but what it waits for (a mutex, a condition), and that has waited
 * for long: a task goes through all threads. It has been off the CPU since run_start_ns.
 */
#define LOG_SUBSYSTEM "watchdog"

#include <sched/watchdog.h>

#include "sched_priv.h"

#include <arch/trap.h>
#include <lib/log.h>
#include <lib/string.h>
#include <sched/task.h>

#define DEPTH_MAX   16
#define THREADS_MAX 4 /* told in one look */

/* What a CPU remembers of one that it watches. Its own, in the timer interrupt. */
struct sight {
	uint64_t points;
	uint64_t since_ns; /* it has them */
	bool told;
};

struct watch {
	struct timer timer;
	struct sight self;
	struct sight next;
};

static PERCPU(struct watch, watch);
static uint64_t limit_ns; /* constant after watchdog_start() */

/* A thread that hangs, copied while it could not go away. */
struct hung {
	char name[16];
	uint32_t tid;
	uint64_t for_ns;
	unsigned depth;
	uint64_t addresses[DEPTH_MAX];
};

static struct {
	struct task task;
	struct task_timeout again;
	uint64_t now_ns;
	unsigned count;
	struct hung found[THREADS_MAX];
} hangs; /* the task's */

static void say_addresses(const uint64_t *addresses, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t offset = 0;
		const char *name = symbol_find(addresses[i] - 1, &offset);

		if (name)
			log_err("  %s+%#lx", name, offset + 1);
		else
			log_err("  %#lx", addresses[i]);
	}
}

/* ---- CPUs ---- */

static void say_stuck(const struct cpu_sched *cpu, const struct sight *sight, uint64_t now_ns)
{
	const struct thread *thread = read_once(&cpu->current);
	struct cpu_snapshot snapshot;
	uint64_t addresses[DEPTH_MAX];
	unsigned depth;

	log_err("CPU %u has not let go of thread %s (%u) for %llu ms", cpu->id, thread->name,
		thread->tid, (now_ns - sight->since_ns) / NSEC_PER_MSEC);
	if (cpu->id == cpu_id()) {
		/* Our own stack is that of the code which this interrupt came into. */
		depth = backtrace_collect((uint64_t)__builtin_frame_address(0), addresses,
					  DEPTH_MAX);
		say_addresses(addresses, depth);
	} else if (cpu_look(cpu->id, &snapshot)) {
		if (snapshot.has_frame)
			say_addresses(&snapshot.frame.rip, 1);
		say_addresses(snapshot.addresses, snapshot.naddresses);
	} else {
		log_err("  (it does not answer)");
	}
}

static void look_at(struct sight *sight, struct cpu_sched *cpu, uint64_t now_ns)
{
	uint64_t points = read_once(&cpu->quiescent_points);

	if (points != sight->points || read_once(&cpu->current) == &cpu->idle) {
		*sight = (struct sight){.points = points, .since_ns = now_ns};
	} else if (now_ns - sight->since_ns < limit_ns) {
		cpu_kick(cpu->id);
	} else if (!sight->told) {
		sight->told = true;
		say_stuck(cpu, sight, now_ns);
	}
}

static void look(void *argument)
{
	struct watch *own = argument;
	uint64_t now_ns = clock_ns();
	uint32_t next = (cpu_id() + 1) % cpu_count();

	look_at(&own->self, this_percpu(cpu_sched), now_ns);
	if (next != cpu_id())
		look_at(&own->next, percpu_of(next, cpu_sched), now_ns);
	timer_start(&own->timer, now_ns + limit_ns / 4);
}

static void begin_here(void *argument)
{
	struct watch *own = this_percpu(watch);

	(void)argument;
	timer_init(&own->timer, look, own);
	look(own);
}

/* ---- threads ---- */

static void look_at_thread(struct thread *thread, void *argument)
{
	uint64_t start_ns = read_once(&thread->run_start_ns);
	struct hung *hung = &hangs.found[hangs.count];

	(void)argument;
	if (read_once(&thread->state) != THREAD_BLOCKED || !read_once(&thread->uninterruptible) ||
	    hangs.now_ns < start_ns || hangs.now_ns - start_ns < limit_ns) {
		thread->told_hung = false;
		return;
	}
	if (thread->told_hung || hangs.count == THREADS_MAX)
		return;
	thread->told_hung = true;
	*hung = (struct hung){.tid = thread->tid, .for_ns = hangs.now_ns - start_ns};
	string_copy(hung->name, sizeof(hung->name), thread->name);
	/* It may be woken meanwhile: what is read then is wrong, but still its stack. */
	hung->depth = backtrace_of_context(&thread->context, hung->addresses, DEPTH_MAX);
	hangs.count++;
}

static enum task_poll hangs_poll(struct task *task)
{
	hangs.now_ns = clock_ns();
	hangs.count = 0;
	thread_for_each(look_at_thread, NULL);
	for (unsigned i = 0; i < hangs.count; i++) {
		const struct hung *hung = &hangs.found[i];

		log_err("thread %s (%u) has waited for %llu ms, and only what it waits for can "
			"wake "
			"it",
			hung->name, hung->tid, hung->for_ns / NSEC_PER_MSEC);
		say_addresses(hung->addresses, hung->depth);
	}
	task_timeout_start(&hangs.again, hangs.now_ns + limit_ns / 2);
	return task_pending(task, "the next look");
}

void watchdog_start(uint64_t limit)
{
	limit_ns = limit;
	cpu_call(cpuset_all(), begin_here, NULL);
	task_init(&hangs.task, "watchdog", hangs_poll, NULL);
	task_timeout_init(&hangs.again, &hangs.task);
	task_start(&hangs.task);
}
