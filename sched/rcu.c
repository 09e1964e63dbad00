/*
 * Grace periods. Each CPU counts the moments at which it is outside of all read sections
 * (cpu_sched->quiescent_points). A grace period begins by noting every CPU's count and ends when
 * each has moved; CPUs that did nothing of the kind are kicked, and the switch that follows counts.
 * The model is tests/model/rcu.pml.
 *
 * Functions wait in two batches: `queued`, a lock-free stack that anybody pushes to, and `waiting`,
 * whose grace period is running or over. A task moves them on, so `waiting` and what was noted need
 * no lock.
 */
#include <sched/rcu.h>

#include "sched_priv.h"

#include <lib/panic.h>
#include <sched/task.h>
#include <sched/wait.h>

#define RCU_POLL_NS NSEC_PER_MSEC
/* How many functions are called before other tasks have their turn. */
#define RCU_BATCH 64

static struct rcu_head *queued; /* atomic: the newest first */
static uint64_t npending;       /* atomic */

/* The task's alone. */
static struct rcu_head *waiting; /* the oldest first */
static bool grace_passed;        /* of those that wait */
static uint64_t noted[CPU_MAX];
static struct task_timeout look_again;

static struct task rcu_task;

/* Not on the stack of who waits: the one who wakes may still be in it when the waiter has seen the
 * condition and gone. */
static WAITQ(barrier_waiters);

void rcu_call(struct rcu_head *head, void (*function)(struct rcu_head *head))
{
	struct rcu_head *newest = read_once(&queued);

	head->function = function;
	atomic_add_relaxed(&npending, 1);
	do {
		head->next = newest;
	} while (!atomic_cas(&queued, &newest, head));
	task_wake(&rcu_task);
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

/* One batch of those whose time has come. */
static void run_some(void)
{
	for (unsigned n = 0; n < RCU_BATCH && waiting; n++) {
		struct rcu_head *head = waiting;

		waiting = head->next;
		atomic_add_relaxed(&npending, -1);
		head->function(head);
	}
}

static enum task_poll rcu_poll(struct task *task)
{
	if (!waiting) {
		waiting = take_queued();
		if (!waiting)
			return task_pending(task, "rcu_call");
		grace_passed = false;
		grace_begin();
	}
	if (!grace_passed && !grace_is_over()) {
		task_timeout_start(&look_again, clock_ns() + RCU_POLL_NS);
		return task_pending(task, "grace period");
	}
	grace_passed = true;
	run_some();
	if (!waiting && !read_once(&queued))
		return task_pending(task, "rcu_call");
	task_wake(task);
	return task_pending(task, "its turn");
}

void rcu_init(void)
{
	task_init(&rcu_task, "rcu", rcu_poll, NULL);
	task_timeout_init(&look_again, &rcu_task);
	task_start(&rcu_task);
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
