/*
 * Grace periods. Each CPU counts the moments at which it is outside of all read sections
 * (cpu_sched->quiescent_points). A grace period begins by noting every CPU's count and ends when
 * each has moved; CPUs that did nothing of the kind for a while are kicked, and the switch that
 * follows counts. With several CPUs a period costs, so it begins only when functions have been
 * collected for a moment, unless somebody waits for it. The model is tests/model/rcu.pml.
 *
 * Waking the task costs two switches, which is more than most of what it frees. So with one CPU who
 * hands a function in leaves it at that, and the task is woken when there are enough, or by the
 * next idle moment or timer interrupt: rcu_look().
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

/* So many wake the task; fewer wait until the CPU idles or its timer interrupt comes. */
#define RCU_ENOUGH     64
#define RCU_POLL_NS    NSEC_PER_MSEC
#define RCU_COLLECT_NS (2 * NSEC_PER_MSEC)
/* How many functions are called before other tasks have their turn. */
#define RCU_BATCH 64

static struct rcu_head *queued; /* atomic: the newest first */
static uint64_t npending;       /* atomic */
static bool unnoticed;          /* atomic: some were queued, and the task was not woken */
static uint32_t nhurrying;      /* atomic: who waits in rcu_barrier() */

/* The task's alone. */
static struct rcu_head *waiting; /* the oldest first */
static bool grace_passed;        /* of those that wait */
static bool collecting;          /* until look_again */
static bool late;                /* it was not over at the first look */
static uint64_t noted[CPU_MAX];
static struct task_timeout look_again;

static struct task rcu_task;

/* Not on the stack of who waits: the one who wakes may still be in it when the waiter has seen the
 * condition and gone. */
static WAITQ(barrier_waiters);

void rcu_call(struct rcu_head *head, void (*function)(struct rcu_head *head))
{
	struct rcu_head *newest = read_once(&queued);
	uint64_t before;

	head->function = function;
	before = atomic_fetch_add_full(&npending, 1);
	do {
		head->next = newest;
	} while (!atomic_cas(&queued, &newest, head));
	if (unlikely(sched_several)) {
		/* Who found it empty woke the task, which has not taken it yet, but collects. */
		if (!newest)
			task_wake(&rcu_task);
	} else if (before % RCU_ENOUGH == RCU_ENOUGH - 1) {
		task_wake(&rcu_task);
	} else {
		write_once(&unnoticed, true);
	}
}

void rcu_look(void)
{
	if (likely(!read_once(&unnoticed)))
		return;
	write_once(&unnoticed, false);
	task_wake(&rcu_task);
}

uint64_t rcu_pending(void)
{
	return read_once(&npending);
}

/* ---- one grace period ---- */

/* Those that have not moved are asked to switch. */
static void kick_late_ones(void)
{
	for_each_cpu (id) {
		if (read_once(&percpu_of(id, cpu_sched)->quiescent_points) == noted[id])
			cpu_kick(id);
	}
}

/* What was taken out of reach before this is not found by read sections that begin after a count
 * has moved on from what is noted here: the barrier stands between the two. */
static void grace_begin(void)
{
	memory_barrier();
	for_each_cpu (id) {
		noted[id] = load_acquire(&percpu_of(id, cpu_sched)->quiescent_points);
	}
	/* The caller is a thread that could be preempted, so this CPU reads nothing. */
	preempt_disable();
	rcu_note_quiescent(this_percpu(cpu_sched));
	preempt_enable();
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

/* Others will come soon: one grace period for all of them. */
static bool must_collect(void)
{
	if (!sched_several || read_once(&nhurrying)) {
		collecting = false;
	} else if (!collecting) {
		collecting = true;
		task_timeout_start(&look_again, clock_ns() + RCU_COLLECT_NS);
	} else if (task_timeout_passed(&look_again)) {
		collecting = false;
	}
	return collecting;
}

/* The grace period is not over: CPUs that take a while are kicked. */
static void look_again_soon(void)
{
	bool hurrying = read_once(&nhurrying) != 0;

	if (late && !hurrying && !task_timeout_passed(&look_again))
		return;
	if (late || hurrying)
		kick_late_ones();
	late = true;
	task_timeout_start(&look_again, clock_ns() + RCU_POLL_NS);
}

static enum task_poll rcu_poll(struct task *task)
{
	if (!waiting) {
		if (read_once(&queued) && must_collect())
			return task_pending(task, "more of them");
		waiting = take_queued();
		if (!waiting)
			return task_pending(task, "rcu_call");
		grace_passed = false;
		grace_begin();
	}
	if (!grace_passed && !grace_is_over()) {
		look_again_soon();
		return task_pending(task, "grace period");
	}
	late = false;
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

	atomic_fetch_add_full(&nhurrying, 1);
	rcu_call(&barrier.head, barrier_done);
	task_wake(&rcu_task); /* it may be collecting */
	wait_event(&barrier_waiters, load_acquire(&barrier.done));
	atomic_fetch_sub_full(&nhurrying, 1);
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
