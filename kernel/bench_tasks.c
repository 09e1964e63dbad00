/*
 * What a task costs from its wake to the end of its poll: alone, with the switch to the executor
 * and back, and in a batch; with few and many alive.
 */
#include "bench_priv.h"

#include <abi/errno.h>
#include <arch/cpu.h>
#include <lib/fmt.h>
#include <mm/kva.h>
#include <sched/task.h>

#define BATCHES     5
#define ROUNDS      1000 /* in a batch */
#define BATCH_WAKES 100

/* All of the tasks, in one block. */
struct crowd {
	struct task *tasks;
	size_t count;
};

static enum task_poll idle_poll(struct task *task)
{
	return task_cancelled(task) ? TASK_DONE : task_pending(task, "the benchmark");
}

static void wake_alone(const struct crowd *crowd)
{
	for (size_t i = 0; i < ROUNDS; i++)
		task_wake(&crowd->tasks[i * 7919 % crowd->count]); /* polled before it returns */
}

static void wake_in_batches(const struct crowd *crowd)
{
	for (size_t i = 0; i < ROUNDS; i += BATCH_WAKES) {
		preempt_disable();
		for (size_t j = i; j < i + BATCH_WAKES; j++)
			task_wake(&crowd->tasks[j * 7919 % crowd->count]);
		preempt_enable();
	}
}

static void measure(struct bench_rows *rows, const char *how, const struct crowd *crowd,
		    void (*wake)(const struct crowd *crowd))
{
	uint64_t least = 0;
	char name[48];

	for (unsigned i = 0; i < BATCHES; i++) {
		uint64_t start = clock_cycles();

		wake(crowd);
		bench_keep_least(&least, clock_cycles() - start);
	}
	kernel_format(name, sizeof(name), "task woken %s, %lu alive", how, crowd->count);
	bench_add(rows, name, least, ROUNDS, 0, "wake and poll");
}

static err_t with_alive(struct bench_rows *rows, size_t count)
{
	size_t npages = ALIGN_UP(count * sizeof(struct task), PAGE_SIZE) / PAGE_SIZE;
	struct crowd crowd = {.tasks = kva_alloc(npages), .count = count};

	if (!crowd.tasks)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		task_init(&crowd.tasks[i], "bench", idle_poll, NULL);
		task_start(&crowd.tasks[i]);
	}
	executors_flush();
	measure(rows, "alone", &crowd, wake_alone);
	if (count > BATCH_WAKES)
		measure(rows, "in a batch", &crowd, wake_in_batches);
	for (size_t i = 0; i < count; i++)
		task_cancel(&crowd.tasks[i]);
	for (size_t i = 0; i < count; i++)
		task_join(&crowd.tasks[i]);
	kva_free(crowd.tasks);
	return 0;
}

err_t bench_tasks(struct bench_rows *rows)
{
	static const size_t counts[] = {1, 1000, 100000};
	err_t err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(counts) && !err; i++)
		err = with_alive(rows, counts[i]);
	return err;
}
