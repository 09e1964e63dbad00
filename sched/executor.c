/*
 * The rules of tasks: when one is ready, who polls it, how it ends. See sched/task.h for what they
 * promise, tests/model/waker.pml for the proof.
 *
 * The whole of it is task->state, changed by single atomic steps. Who turns READY on while POLLING
 * is off pushes the task onto a stack; while POLLING is on, the one who polls pushes it when he is
 * done. So it is on one stack at most, and polled by one executor. All of these steps are full
 * barriers: who wakes makes the event first and turns READY on then, who polls turns READY off
 * first and looks for events then.
 *
 * The end is in two steps, since whoever joins may free the memory once he sees it: FINISHING, then
 * the joiner is woken, then FINISHED. A joiner that sees the first waits for the second, a few
 * steps of another CPU.
 */
#include "executor.h"

#include <lib/atomic.h>
#include <lib/panic.h>

void executor_init(struct executor *executor)
{
	executor->ready = NULL;
	spin_init(&executor->lock, LOCK_TASK);
	list_init(&executor->tasks);
}

void task_init(struct task *task, const char *name, enum task_poll (*poll)(struct task *task),
	       void (*finished)(struct task *task))
{
	*task = (struct task){
		.state = TASK_FINISHED, .poll = poll, .finished = finished, .name = name};
	list_init(&task->all_link);
}

/* ---- ready ---- */

/* True: the stack was empty, so its executor may be asleep. From any context: interrupts push in
 * between, other CPUs too. */
static bool push(struct executor *executor, struct task *task)
{
	struct task *newest = read_once(&executor->ready);

	do {
		task->next = newest;
	} while (!atomic_cas(&executor->ready, &newest, task));
	return !newest;
}

/* All of it, oldest first. */
static struct task *take_ready(struct executor *executor)
{
	struct task *task = atomic_exchange_full(&executor->ready, NULL);
	struct task *oldest = NULL;

	while (task) {
		struct task *next = task->next;

		task->next = oldest;
		oldest = task;
		task = next;
	}
	return oldest;
}

bool executor_wake(struct executor *executor, struct task *task, uint32_t and_set)
{
	uint32_t before = atomic_fetch_or_full(&task->state, TASK_READY | and_set);

	if (before & (TASK_READY | TASK_POLLING | TASK_FINISHING | TASK_FINISHED))
		return false;
	return push(executor, task);
}

bool executor_start_task(struct executor *executor, struct task *task)
{
	irqflags_t flags;

	debug_assert(read_once(&task->state) & TASK_FINISHED);
	task->home = executor;
	task->npolls = 0;
	task->awaits = NULL;
	task->joiner = 0;
	flags = spin_lock_irqsave(&executor->lock);
	list_add_tail(&executor->tasks, &task->all_link);
	spin_unlock_irqrestore(&executor->lock, flags);
	store_release(&task->state, TASK_READY);
	return push(executor, task);
}

/* ---- polling ---- */

static void finish(struct task *task)
{
	void (*finished)(struct task * task) = task->finished;
	struct executor *home = task->home;
	irqflags_t flags = spin_lock_irqsave(&home->lock);
	uint64_t joiner;

	list_del(&task->all_link);
	spin_unlock_irqrestore(&home->lock, flags);

	executor_pin();
	/* Full barrier: either we see the joiner, or he sees that it is finishing. */
	(void)atomic_exchange_full(&task->state, TASK_FINISHING);
	joiner = read_once(&task->joiner);
	if (joiner)
		executor_wake_joiner(joiner);
	/* Release: pairs with the acquire in task_ended_or_join(). The last touch, unless the
	 * memory comes back through `finished`. */
	store_release(&task->state, TASK_FINISHED);
	executor_unpin();
	if (finished)
		finished(task);
}

static void poll(struct executor *executor, struct task *task)
{
	uint32_t before = atomic_fetch_add_full(&task->state, TASK_POLLING - TASK_READY);
	enum task_poll result;

	debug_assert((before & (TASK_READY | TASK_POLLING)) == TASK_READY);
	write_once(&task->npolls, task->npolls + 1);
	result = task->poll(task);
	if (result == TASK_DONE) {
		finish(task);
		return;
	}
	if (unlikely(before & TASK_CANCELLED))
		panic("task %s goes on though it was cancelled", task->name);
	/* Woken meanwhile: nobody else has pushed it, and from here on nobody does. */
	if (atomic_fetch_and_full(&task->state, ~(uint32_t)TASK_POLLING) & TASK_READY)
		(void)push(executor, task);
}

bool executor_run(struct executor *executor)
{
	struct task *task = take_ready(executor);

	if (!task)
		return false;
	while (task) {
		struct task *next = task->next;

		poll(executor, task);
		task = next;
	}
	return true;
}

/* ---- the end ---- */

bool task_ended_or_join(struct task *task, uint64_t joiner)
{
	uint32_t state;

	(void)atomic_exchange_full(&task->joiner, joiner);
	state = load_acquire(&task->state);
	if (!(state & (TASK_FINISHING | TASK_FINISHED)))
		return false;
	while (!(load_acquire(&task->state) & TASK_FINISHED))
		cpu_relax();
	return true;
}
