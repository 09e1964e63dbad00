/*
 * Grace periods. Each CPU counts the moments at which it is outside of all read sections
 * (cpu_sched->quiescent_points). A grace period begins by noting every CPU's count and ends when
 * each has moved; CPUs that did nothing of the kind are kicked, and the switch that follows counts.
 * The model is tests/model/rcu.pml.
 *
 * Functions wait in two batches: `queued`, a lock-free stack that anybody pushes to, and `waiting`,
 * whose grace period is running. Only the work thread moves them on, so `waiting` and what was
 * noted need no lock.
 */
#include <sched/rcu.h>

#include "sched_priv.h"

#include <lib/panic.h>
#include <sched/timer.h>
#include <sched/wait.h>
#include <sched/work.h>

#define RCU_POLL_NS NSEC_PER_MSEC

static struct rcu_head *queued; /* atomic: the newest first */
static uint64_t npending;       /* atomic */

/* The work thread's alone. */
static struct rcu_head *waiting; /* the oldest first */
static uint64_t noted[CPU_MAX];

static WAITQ(barrier_waiters); /* not on a stack, for the reason in work.c */

static void advance(struct work *work);
static struct work rcu_work = WORK_INIT(advance);

void rcu_call(struct rcu_head *head, void (*function)(struct rcu_head *head))
{
	struct rcu_head *newest = read_once(&queued);

	head->function = function;
	atomic_add_relaxed(&npending, 1);
	do {
		head->next = newest;
	} while (!atomic_cas(&queued, &newest, head));
	work_queue(&rcu_work);
}

uint64_t rcu_pending(void)
{
	return read_once(&npending);
}

/* ---- one grace period ---- */

/* What was taken out of reach before this is not found by read sections that begin after a count
 * has moved on from what is noted here: the barrier stands between the two. */
static void grace_begin(void)
{
	memory_barrier();
	for_each_cpu (id) {
		noted[id] = load_acquire(&percpu_of(id, cpu_sched)->quiescent_points);
	}
	/* The caller is a thread that could be preempted, so this CPU reads nothing. The others are
	 * asked to switch. */
	preempt_disable();
	rcu_note_quiescent(this_percpu(cpu_sched));
	preempt_enable();
	for_each_cpu (id) {
		if (id != cpu_id())
			cpu_kick(id);
	}
}

static bool grace_is_over(void)
{
	for_each_cpu (id) {
		/* Acquire: what those read sections read was read before we free it. */
		if (load_acquire(&percpu_of(id, cpu_sched)->quiescent_points) == noted[id])
			return false;
	}
	return true;
}

/* ---- batches ---- */

static struct rcu_head *take_queued(void)
{
	struct rcu_head *head = atomic_exchange_full(&queued, NULL);
	struct rcu_head *oldest_first = NULL;

	while (head) {
		struct rcu_head *next = head->next;

		head->next = oldest_first;
		oldest_first = head;
		head = next;
	}
	return oldest_first;
}

static void run_waiting(void)
{
	struct rcu_head *head = waiting;

	waiting = NULL;
	while (head) {
		struct rcu_head *next = head->next;

		atomic_add_relaxed(&npending, -1);
		head->function(head);
		head = next;
	}
}

static void poll_again(void *argument)
{
	(void)argument;
	work_queue(&rcu_work);
}

/* In the work thread: as far as it goes without waiting. */
static void advance(struct work *work)
{
	static struct timer poll_timer = {.function = poll_again};

	if (!waiting) {
		waiting = take_queued();
		if (!waiting)
			return;
		grace_begin();
	}
	if (!grace_is_over()) {
		timer_start(&poll_timer, clock_ns() + RCU_POLL_NS);
		return;
	}
	run_waiting();
	if (read_once(&queued))
		work_queue(work);
}

/* ---- waiting for it ---- */

struct barrier {
	struct rcu_head head;
	bool done; /* atomic */
};

static void barrier_done(struct rcu_head *head)
{
	store_release(&container_of(head, struct barrier, head)->done, true);
	waitq_wake_all(&barrier_waiters);
}

void rcu_barrier(void)
{
	struct barrier barrier = {.done = false};

	rcu_call(&barrier.head, barrier_done);
	wait_event(&barrier_waiters, load_acquire(&barrier.done));
}

void rcu_synchronize(void)
{
	debug_assert(preempt_depth() == 0 && !in_interrupt());
	/* With one CPU, who runs with preemption enabled is in no read section, and nobody else
	 * runs. */
	if (cpu_count() == 1)
		memory_barrier();
	else
		rcu_barrier();
}
