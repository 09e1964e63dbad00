/* sources: sched/executor.c */
/*
 * The rules of tasks with real threads: executors of the host poll, other threads wake, cancel and
 * join, and the memory is freed at once where it may be, so that ASan sees any late touch.
 */
#include "executor.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define EXECUTORS 2
#define ROUNDS    20000

static struct executor executors[EXECUTORS];
static sem_t woken_threads[EXECUTORS]; /* the executors' threads sleep here, as the kernel's do */
static bool stopping;                  /* atomic */

noreturn void panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	abort();
}

/* ---- hooks: joiners are semaphores, or tasks ---- */

static _Thread_local unsigned own_cpu;

static void wake(unsigned cpu, struct task *task, uint32_t and_set)
{
	if (executor_wake(&executors[cpu], task, and_set))
		sem_post(&woken_threads[cpu]);
}

static void start(unsigned cpu, struct task *task)
{
	if (executor_start_task(&executors[cpu], task))
		sem_post(&woken_threads[cpu]);
}

void executor_wake_joiner(uint64_t joiner)
{
	if (joiner & 1)
		wake(own_cpu, (struct task *)(joiner & ~UINT64_C(1)), 0);
	else
		sem_post((sem_t *)joiner);
}

void executor_pin(void)
{
}

void executor_unpin(void)
{
}

static void join(struct task *task)
{
	sem_t woken;

	sem_init(&woken, 0, 0);
	while (!task_ended_or_join(task, (uint64_t)&woken))
		sem_wait(&woken);
	sem_destroy(&woken);
}

/* ---- the executors' threads ---- */

static void *executor_thread(void *argument)
{
	own_cpu = (unsigned)(uintptr_t)argument;
	while (!load_acquire(&stopping)) {
		if (!executor_run(&executors[own_cpu]))
			sem_wait(&woken_threads[own_cpu]);
	}
	return NULL;
}

static pthread_t threads[EXECUTORS];

static int start_executors(void **state)
{
	store_release(&stopping, false);
	for (unsigned i = 0; i < EXECUTORS; i++) {
		executor_init(&executors[i]);
		sem_init(&woken_threads[i], 0, 0);
		pthread_create(&threads[i], NULL, executor_thread, (void *)(uintptr_t)i);
	}
	return 0;
}

static int stop_executors(void **state)
{
	store_release(&stopping, true);
	for (unsigned i = 0; i < EXECUTORS; i++) {
		sem_post(&woken_threads[i]);
		pthread_join(threads[i], NULL);
		assert_true(list_empty(&executors[i].tasks));
		assert_null(executors[i].ready);
		sem_destroy(&woken_threads[i]);
	}
	return 0;
}

/* ---- wakes ---- */

struct counter {
	struct task task;
	unsigned given; /* atomic */
	unsigned seen;  /* the task's: no lock, no atomics, for the sanitizer and for the sum */
	bool polling;   /* atomic */
};

static enum task_poll counter_poll(struct task *task)
{
	struct counter *counter = container_of(task, struct counter, task);

	if (atomic_exchange_full(&counter->polling, true))
		panic("polled twice at once");
	counter->seen += atomic_exchange_full(&counter->given, 0);
	(void)atomic_exchange_full(&counter->polling, false);
	return task_cancelled(task) ? TASK_DONE : TASK_PENDING;
}

#define COUNTERS 16
#define WAKERS   3
#define WAKES    20000

static struct counter counters[COUNTERS];

static void *waker_thread(void *argument)
{
	unsigned place = (unsigned)(uintptr_t)argument;

	for (unsigned i = 0; i < WAKES; i++) {
		struct counter *counter = &counters[(place * 5 + i * 7) % COUNTERS];

		atomic_add_relaxed(&counter->given, 1);
		wake(i % EXECUTORS, &counter->task, 0);
	}
	return NULL;
}

static void no_wake_is_lost(void **state)
{
	pthread_t wakers[WAKERS];
	unsigned seen = 0;

	for (unsigned i = 0; i < COUNTERS; i++) {
		counters[i] = (struct counter){.given = 0};
		task_init(&counters[i].task, "counter", counter_poll, NULL);
		start(i % EXECUTORS, &counters[i].task);
	}
	for (unsigned i = 0; i < WAKERS; i++)
		pthread_create(&wakers[i], NULL, waker_thread, (void *)(uintptr_t)i);
	for (unsigned i = 0; i < WAKERS; i++)
		pthread_join(wakers[i], NULL);
	/* Every event is seen without a further wake. */
	for (unsigned i = 0; i < COUNTERS; i++) {
		while (read_once(&counters[i].given))
			sched_yield();
	}
	for (unsigned i = 0; i < COUNTERS; i++) {
		wake(i % EXECUTORS, &counters[i].task, TASK_CANCELLED);
		join(&counters[i].task);
		seen += counters[i].seen;
	}
	assert_int_equal(seen, WAKERS * WAKES);
}

/* ---- ends ---- */

/* The memory goes the moment the joiner may have it. */
static void joiner_may_free_at_once(void **state)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct counter *counter = calloc(1, sizeof(*counter));

		task_init(&counter->task, "short", counter_poll, NULL);
		start(i % EXECUTORS, &counter->task);
		wake((i + 1) % EXECUTORS, &counter->task, 0);
		wake(i / 2 % EXECUTORS, &counter->task, TASK_CANCELLED);
		join(&counter->task);
		free(counter);
	}
}

static unsigned nfreed; /* atomic */

static void free_counter(struct task *task)
{
	free(container_of(task, struct counter, task));
	atomic_add_relaxed(&nfreed, 1);
}

static void finished_may_free(void **state)
{
	const unsigned count = ROUNDS;

	nfreed = 0;
	for (unsigned i = 0; i < count; i++) {
		struct counter *counter = calloc(1, sizeof(*counter));

		task_init(&counter->task, "short", counter_poll, free_counter);
		start(i % EXECUTORS, &counter->task);
		wake((i + 1) % EXECUTORS, &counter->task, TASK_CANCELLED);
	}
	while (read_once(&nfreed) < count)
		sched_yield();
}

/* ---- tasks that await tasks ---- */

struct parent {
	struct task task;
	struct counter *child; /* the parent's, which frees it */
};

static enum task_poll parent_poll(struct task *task)
{
	struct parent *parent = container_of(task, struct parent, task);

	if (!task_ended_or_join(&parent->child->task, (uint64_t)task | 1))
		return TASK_PENDING;
	free(parent->child);
	return TASK_DONE;
}

static void parent_may_free_its_child(void **state)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct counter *child = calloc(1, sizeof(*child));
		struct parent parent = {.child = child};

		task_init(&child->task, "child", counter_poll, NULL);
		task_init(&parent.task, "parent", parent_poll, NULL);
		start(0, &child->task);
		/* Before the parent can see its end. */
		wake(1, &child->task, TASK_CANCELLED);
		start(1, &parent.task);
		join(&parent.task);
	}
}

/* A waiter that gives up is not woken, or touched, any more. */
static void who_gives_up_may_go(void **state)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct counter *child = calloc(1, sizeof(*child));
		struct counter *waiter = calloc(1, sizeof(*waiter));
		bool ended;

		task_init(&child->task, "child", counter_poll, NULL);
		task_init(&waiter->task, "waiter", counter_poll, NULL);
		start(0, &child->task);
		ended = task_ended_or_join(&child->task, (uint64_t)&waiter->task | 1);
		wake(1, &child->task, TASK_CANCELLED);
		if (!ended)
			(void)task_ended_or_join(&child->task, 0);
		free(waiter);
		join(&child->task);
		free(child);
	}
}

/* ---- what is simple ---- */

static enum task_poll again_poll(struct task *task)
{
	if (task_cancelled(task))
		return TASK_DONE;
	wake(0, task, 0);
	return TASK_PENDING;
}

static void wake_during_the_poll_polls_once_more(void **state)
{
	struct executor executor;
	struct task task;

	executor_init(&executor);
	task_init(&task, "again", again_poll, NULL);
	assert_true(executor_start_task(&executor, &task));
	for (unsigned i = 1; i < 5; i++) {
		assert_true(executor_run(&executor)); /* one poll a run: others have their turn */
		assert_int_equal(task.npolls, i);
	}
	assert_false(executor_wake(&executor, &task, TASK_CANCELLED)); /* it is ready */
	assert_true(executor_run(&executor));
	assert_false(executor_run(&executor));
	assert_false(executor_wake(&executor, &task, 0)); /* it has finished */
	assert_int_equal(task.npolls, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wake_during_the_poll_polls_once_more),
		cmocka_unit_test_setup_teardown(no_wake_is_lost, start_executors, stop_executors),
		cmocka_unit_test_setup_teardown(joiner_may_free_at_once, start_executors,
						stop_executors),
		cmocka_unit_test_setup_teardown(finished_may_free, start_executors, stop_executors),
		cmocka_unit_test_setup_teardown(parent_may_free_its_child, start_executors,
						stop_executors),
		cmocka_unit_test_setup_teardown(who_gives_up_may_go, start_executors,
						stop_executors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
