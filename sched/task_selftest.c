/*
 * Self-tests of tasks: wakes from anywhere, order, what they await, cancellation, the end.
 */
#include "selftest_threads.h"

#include <arch/clock.h>
#include <arch/spin.h>
#include <lib/selftest.h>
#include <sched/task.h>

/* A task that counts its polls, and does what the test says in each. */
struct probe {
	struct task task;
	unsigned npolls;                  /* atomic */
	unsigned ends_after;              /* polls; 0: only when it is cancelled */
	bool in_interrupt;                /* atomic: it was polled where it must not be */
	void (*act)(struct probe *probe); /* NULL: nothing */
	char letter;
};

static struct test_trace trace;

static enum task_poll probe_poll(struct task *task)
{
	struct probe *probe = container_of(task, struct probe, task);

	if (in_interrupt() || irqs_off() || preempt_depth())
		write_once(&probe->in_interrupt, true);
	write_once(&probe->npolls, probe->npolls + 1);
	if (probe->letter)
		test_note(&trace, probe->letter);
	if (task_cancelled(task))
		return TASK_DONE;
	if (probe->act)
		probe->act(probe);
	return probe->npolls == probe->ends_after ? TASK_DONE : task_pending(task, "the test");
}

/* Started and polled once. */
static void probe_start(struct probe *probe)
{
	probe->npolls = 0;
	probe->in_interrupt = false;
	task_init(&probe->task, "selftest", probe_poll, NULL);
	task_start(&probe->task);
	executors_flush();
}

SELFTEST(task_is_polled_once_for_each_wake)
{
	static struct probe probe;

	probe_start(&probe);
	selftest_check(read_once(&probe.npolls) == 1);
	preempt_disable();
	task_wake(&probe.task);
	task_wake(&probe.task); /* it is ready already */
	preempt_enable();
	executors_flush();
	selftest_check(read_once(&probe.npolls) == 2);
	task_cancel_and_join(&probe.task);
	selftest_check(read_once(&probe.npolls) == 3);
	task_wake(&probe.task); /* it has finished: nothing happens */
	executors_flush();
	selftest_check(read_once(&probe.npolls) == 3);
}

static void wake_itself(struct probe *probe)
{
	if (probe->npolls < 3)
		task_wake(&probe->task);
}

SELFTEST(task_woken_during_its_poll_is_polled_again)
{
	static struct probe probe = {.act = wake_itself, .ends_after = 3};

	probe_start(&probe);
	task_join(&probe.task);
	selftest_check(read_once(&probe.npolls) == 3);
}

static void wake_in_interrupt(void *task)
{
	task_wake(task);
}

SELFTEST(task_woken_in_an_interrupt_is_polled_in_a_thread)
{
	static struct probe probe = {.ends_after = 2};
	static struct timer timer;

	probe_start(&probe);
	timer_init(&timer, wake_in_interrupt, &probe.task);
	timer_start(&timer, clock_ns() + NSEC_PER_MSEC);
	task_join(&probe.task);
	(void)timer_cancel(&timer);
	selftest_check(!read_once(&probe.in_interrupt));
}

SELFTEST(task_may_be_woken_under_the_innermost_lock)
{
	static struct spinlock lock = SPINLOCK_INIT(LOCK_LOG);
	static struct probe probe = {.ends_after = 2};
	irqflags_t flags;

	probe_start(&probe);
	flags = spin_lock_irqsave(&lock);
	task_wake(&probe.task);
	spin_unlock_irqrestore(&lock, flags);
	task_join(&probe.task);
	selftest_check(read_once(&probe.npolls) == 2);
}

SELFTEST(tasks_are_polled_in_the_order_of_their_wakes)
{
	static struct probe probes[4];

	for (unsigned i = 0; i < 4; i++) {
		probes[i].letter = "abcd"[i];
		probe_start(&probes[i]);
	}
	trace = (struct test_trace){.nletters = 0};
	preempt_disable();
	for (unsigned i = 0; i < 4; i++)
		task_wake(&probes[(i * 3) % 4].task);
	preempt_enable();
	executors_flush();
	selftest_check(test_trace_is(&trace, "adcb"));
	for (unsigned i = 0; i < 4; i++)
		task_cancel_and_join(&probes[i].task);
}

static unsigned nfreed; /* atomic */

static void count_finished(struct task *task)
{
	(void)task;
	__atomic_fetch_add(&nfreed, 1, __ATOMIC_RELAXED);
}

SELFTEST(task_gives_its_memory_back_when_it_has_finished)
{
	static struct probe probe = {.ends_after = 1};

	write_once(&nfreed, 0);
	probe.npolls = 0;
	task_init(&probe.task, "selftest", probe_poll, count_finished);
	task_start(&probe.task);
	executors_flush();
	selftest_check(read_once(&nfreed) == 1);
}

/* ---- what they await ---- */

/* Takes items from a queue until a time, or until it is cancelled. */
struct taker {
	struct task task;
	struct task_wait item;
	struct task_timeout limit;
	unsigned ntaken; /* atomic */
	bool timed_out;  /* atomic */
};

static WAITQ(items);
static unsigned nitems; /* atomic */

static bool take_item(void)
{
	unsigned there = read_once(&nitems);

	while (there) {
		if (atomic_cas(&nitems, &there, there - 1))
			return true;
	}
	return false;
}

static enum task_poll taker_poll(struct task *task)
{
	struct taker *taker = container_of(task, struct taker, task);

	while (!task_cancelled(task) && !task_timeout_passed(&taker->limit)) {
		if (!task_await(&taker->item, take_item()))
			return task_pending(task, "an item or the time");
		write_once(&taker->ntaken, taker->ntaken + 1);
	}
	write_once(&taker->timed_out, task_timeout_passed(&taker->limit));
	task_wait_end(&taker->item);
	task_timeout_cancel(&taker->limit);
	return TASK_DONE;
}

static void taker_start(struct taker *taker)
{
	*taker = (struct taker){.ntaken = 0};
	task_init(&taker->task, "taker", taker_poll, NULL);
	task_wait_init(&taker->item, &taker->task, &items);
	task_timeout_init(&taker->limit, &taker->task);
}

static void give_item(void)
{
	atomic_add_relaxed(&nitems, 1);
	waitq_wake_one(&items);
}

SELFTEST(task_awaits_a_queue_or_a_time)
{
	static struct taker taker;

	write_once(&nitems, 0);
	taker_start(&taker);
	task_timeout_start(&taker.limit, clock_ns() + 100 * NSEC_PER_SEC);
	task_start(&taker.task);
	give_item();
	executors_flush();
	give_item();
	executors_flush();
	selftest_check(read_once(&taker.ntaken) == 2);
	task_cancel_and_join(&taker.task);
	selftest_check(!read_once(&taker.timed_out));

	taker_start(&taker);
	task_timeout_start(&taker.limit, clock_ns() + 5 * NSEC_PER_MSEC);
	task_start(&taker.task);
	task_join(&taker.task);
	selftest_check(read_once(&taker.timed_out));
	selftest_check(!waitq_has_waiters(&items));
}

SELFTEST(cancelled_task_passes_its_wake_on)
{
	static struct taker takers[2];

	write_once(&nitems, 0);
	for (unsigned i = 0; i < 2; i++) {
		taker_start(&takers[i]);
		task_start(&takers[i].task);
	}
	executors_flush();
	preempt_disable();
	give_item();
	task_cancel(&takers[0].task); /* it was woken for the item, and will not take it */
	preempt_enable();
	task_join(&takers[0].task);
	executors_flush();
	selftest_check(read_once(&takers[0].ntaken) == 0 && read_once(&takers[1].ntaken) == 1);
	task_cancel_and_join(&takers[1].task);
	selftest_check(!waitq_has_waiters(&items));
}

/* ---- tasks that await tasks ---- */

struct parent {
	struct task task;
	struct probe children[3];
	unsigned nended; /* atomic */
	bool any;        /* it ends with the first */
};

/* Join of all, or select of the first: the others are cancelled and joined. */
static enum task_poll parent_poll(struct task *task)
{
	struct parent *parent = container_of(task, struct parent, task);
	unsigned nended = 0;

	for (unsigned i = 0; i < 3; i++)
		nended += task_await_end(task, &parent->children[i].task);
	if (nended > parent->nended && parent->any) {
		for (unsigned i = 0; i < 3; i++)
			task_cancel(&parent->children[i].task);
	}
	write_once(&parent->nended, nended);
	return nended == 3 ? TASK_DONE : task_pending(task, "its children");
}

static void parent_start(struct parent *parent, bool any)
{
	*parent = (struct parent){.any = any};
	for (unsigned i = 0; i < 3; i++)
		probe_start(&parent->children[i]);
	task_init(&parent->task, "parent", parent_poll, NULL);
	task_start(&parent->task);
	executors_flush();
}

SELFTEST(task_joins_all_of_its_children)
{
	static struct parent parent;

	parent_start(&parent, false);
	selftest_check(read_once(&parent.nended) == 0);
	for (unsigned i = 0; i < 3; i++) {
		task_cancel(&parent.children[(i + 1) % 3].task);
		executors_flush();
		executors_flush();
		selftest_check(read_once(&parent.nended) == i + 1);
	}
	task_join(&parent.task);
}

SELFTEST(task_selects_the_first_of_its_children)
{
	static struct parent parent;

	parent_start(&parent, true);
	task_cancel(&parent.children[1].task);
	task_join(&parent.task);
	for (unsigned i = 0; i < 3; i++)
		selftest_check(parent.children[i].npolls == 2);
}

/* ---- all at once ---- */

#define STORM_TASKS 64
#define STORM_WAKES 2000

static struct storm_task {
	struct task task;
	unsigned given; /* atomic: events */
	unsigned taken;
	bool polling; /* atomic */
	bool failed;  /* atomic: two polls at once */
} storm[STORM_TASKS];

static enum task_poll storm_poll(struct task *task)
{
	struct storm_task *own = container_of(task, struct storm_task, task);

	if (atomic_exchange_full(&own->polling, true))
		write_once(&own->failed, true);
	own->taken += atomic_exchange_full(&own->given, 0);
	(void)atomic_exchange_full(&own->polling, false);
	return task_cancelled(task) ? TASK_DONE : task_pending(task, "the storm");
}

static void storm_wakes(void *argument)
{
	unsigned place = (unsigned)(uintptr_t)argument;

	for (unsigned i = 0; i < STORM_WAKES; i++) {
		struct storm_task *to = &storm[(place + i * 17) % STORM_TASKS];

		atomic_add_relaxed(&to->given, 1);
		task_wake(&to->task);
	}
}

SELFTEST(tasks_lose_no_wake_and_are_polled_by_one)
{
	unsigned taken = 0;
	bool failed = false;

	for (unsigned i = 0; i < STORM_TASKS; i++) {
		storm[i] = (struct storm_task){.given = 0};
		task_init(&storm[i].task, "storm", storm_poll, NULL);
		task_start(&storm[i].task);
	}
	for (unsigned i = 0; i < TEST_THREADS; i++)
		test_start_anywhere(i, storm_wakes, (void *)(uintptr_t)i);
	for (unsigned i = 0; i < TEST_THREADS; i++)
		test_join(i);
	executors_flush();
	for (unsigned i = 0; i < STORM_TASKS; i++) {
		taken += storm[i].taken;
		failed |= read_once(&storm[i].failed);
	}
	selftest_check(taken == TEST_THREADS * STORM_WAKES);
	selftest_check(!failed);
	for (unsigned i = 0; i < STORM_TASKS; i++)
		task_cancel_and_join(&storm[i].task);
}
