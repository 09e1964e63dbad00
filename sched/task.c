/*
 * Tasks on this machine's CPUs: one executor each, and what tasks await. The rules are in
 * executor.c.
 *
 * Waking an executor's thread takes LOCK_RUNQ, which whoever wakes a task may not be allowed to
 * take. So the CPU only notes it and asks for a switch, and the switch, which happens with no lock
 * held, wakes (sched/switch.c).
 */
#include <sched/task.h>

#include "executor.h"
#include "sched_priv.h"

#include <lib/panic.h>

/* Before programs and everything else that computes: they run for microseconds. */
#define EXECUTOR_PRIORITY 50
/* Tasks that wake each other for so long without a pause leave the CPU to others for a while. */
#define BUSY_NS  (20 * NSEC_PER_MSEC)
#define PAUSE_NS (2 * NSEC_PER_MSEC)
/* How many tasks are shown before the lock of their list is let go of. */
#define VISITS 32

struct executor_cpu {
	struct executor executor;
	struct thread thread;
	bool exists; /* atomic: the thread was started */
	bool polls;  /* its CPU's thread: for debug_assert() */
};

static PERCPU(struct executor_cpu, executor_cpu);

void executor_init_cpu(void)
{
	struct executor_cpu *cpu = this_percpu(executor_cpu);

	*cpu = (struct executor_cpu){.exists = false};
	executor_init(&cpu->executor);
}

/* ---- waking ---- */

static void want_executor(void)
{
	write_once(&this_percpu(cpu_sched)->executor_wanted, true);
	cpu_want_switch();
}

static void wake(struct task *task, uint32_t and_set)
{
	preempt_disable();
	write_once(&task->cpu, cpu_id());
	if (executor_wake(&this_percpu(executor_cpu)->executor, task, and_set))
		want_executor();
	preempt_enable();
}

void task_wake(struct task *task)
{
	wake(task, 0);
}

void task_cancel(struct task *task)
{
	wake(task, TASK_CANCELLED);
}

void task_start(struct task *task)
{
	preempt_disable();
	task->cpu = cpu_id();
	if (executor_start_task(&this_percpu(executor_cpu)->executor, task))
		want_executor();
	preempt_enable();
}

void executor_wake_thread(void)
{
	struct executor_cpu *cpu = this_percpu(executor_cpu);

	if (likely(load_acquire(&cpu->exists)))
		thread_wake(&cpu->thread);
}

/* ---- polling ---- */

bool executor_is_polling(void)
{
	const struct executor_cpu *cpu = this_percpu(executor_cpu);

	return current_thread() == &cpu->thread && cpu->polls;
}

static void executor_main(void *argument)
{
	struct executor_cpu *cpu = argument;
	uint64_t busy_since_ns = clock_ns();

	for (;;) {
		bool found;

		cpu->polls = true;
		found = executor_run(&cpu->executor);
		cpu->polls = false;
		if (!found) {
			thread_block();
			busy_since_ns = clock_ns();
		} else if (clock_ns() - busy_since_ns > BUSY_NS) {
			(void)thread_sleep_ns(PAUSE_NS);
			busy_since_ns = clock_ns();
		}
	}
}

void executor_start(vaddr_t stack_base, vaddr_t stack_top)
{
	struct executor_cpu *cpu = this_percpu(executor_cpu);

	thread_init(&cpu->thread, &(struct thread_params){
					  .name = "tasks",
					  .entry = executor_main,
					  .argument = cpu,
					  .stack_base = stack_base,
					  .stack_top = stack_top,
					  .policy = POLICY_FIFO,
					  .priority = EXECUTOR_PRIORITY,
					  .affinity = cpuset_of(cpu_id()),
				  });
	thread_start(&cpu->thread);
	store_release(&cpu->exists, true); /* pairs with the acquire in executor_wake_thread() */
	want_executor();
}

/* ---- joining ---- */

#define JOINER_IS_TASK UINT64_C(1)

void executor_wake_joiner(uint64_t joiner)
{
	if (joiner & JOINER_IS_TASK)
		task_wake((struct task *)(joiner & ~JOINER_IS_TASK));
	else
		thread_wake((struct thread *)joiner);
}

void executor_pin(void)
{
	preempt_disable();
}

void executor_unpin(void)
{
	preempt_enable();
}

void task_join(struct task *task)
{
	debug_assert(!task->finished);
	while (!task_ended_or_join(task, (uint64_t)current_thread()))
		thread_block();
}

bool task_await_end(struct task *self, struct task *other)
{
	debug_assert(!other->finished);
	return task_ended_or_join(other, (uint64_t)self | JOINER_IS_TASK);
}

void task_await_end_cancel(struct task *other)
{
	(void)task_ended_or_join(other, 0);
}

/* ---- awaiting ---- */

void task_wait_init(struct task_wait *wait, struct task *task, struct waitq *queue)
{
	*wait = (struct task_wait){.entry = {.task = task}, .queue = queue};
	list_init(&wait->entry.link);
}

static void timeout_over(void *task)
{
	task_wake(task);
}

void task_timeout_init(struct task_timeout *timeout, struct task *task)
{
	timer_init(&timeout->timer, timeout_over, task);
	timeout->deadline_ns = UINT64_MAX;
}

void task_timeout_start(struct task_timeout *timeout, uint64_t deadline_ns)
{
	timeout->deadline_ns = deadline_ns;
	timer_start(&timeout->timer, deadline_ns);
}

void task_timeout_cancel(struct task_timeout *timeout)
{
	timeout->deadline_ns = UINT64_MAX;
	(void)timer_cancel(&timeout->timer);
}

bool task_timeout_passed(const struct task_timeout *timeout)
{
	return timeout->deadline_ns != UINT64_MAX && clock_ns() >= timeout->deadline_ns;
}

/* ---- waiting for all of them ---- */

static enum task_poll flush_poll(struct task *task)
{
	(void)task;
	return TASK_DONE;
}

void executors_flush(void)
{
	for_each_cpu (id) {
		struct executor_cpu *cpu = percpu_of(id, executor_cpu);
		struct task flush;

		if (!load_acquire(&cpu->exists))
			continue;
		/* Behind everything that is ready there. */
		task_init(&flush, "flush", flush_poll, NULL);
		flush.cpu = id;
		if (executor_start_task(&cpu->executor, &flush))
			thread_wake(&cpu->thread);
		task_join(&flush);
	}
}

/* ---- showing them ---- */

static const char *state_name(uint32_t state)
{
	if (state & (TASK_FINISHING | TASK_FINISHED))
		return "finished";
	if (state & TASK_CANCELLED)
		return "cancelled";
	if (state & TASK_POLLING)
		return "polled";
	return state & TASK_READY ? "ready" : "waits";
}

static void visit_task(const struct task *task,
		       void (*visit)(void *argument, const struct task_info *info), void *argument)
{
	struct task_info info = {
		.name = task->name,
		.awaits = read_once(&task->awaits),
		.state = state_name(read_once(&task->state)),
		.cpu = read_once(&task->cpu),
		.npolls = read_once(&task->npolls),
	};

	visit(argument, &info);
}

/* The place in the list is kept by a task of ours, which has no poll function: others who look skip
 * it. */
static void visit_list(struct executor *executor,
		       void (*visit)(void *argument, const struct task_info *info), void *argument)
{
	struct task cursor = {.poll = NULL};
	irqflags_t flags = spin_lock_irqsave(&executor->lock);

	list_add_head(&executor->tasks, &cursor.all_link);
	for (unsigned n = 1;; n++) {
		struct list *next = cursor.all_link.next;
		const struct task *task = list_entry(next, struct task, all_link);

		list_del(&cursor.all_link);
		if (next == &executor->tasks)
			break;
		list_add_head(next, &cursor.all_link);
		if (task->poll)
			visit_task(task, visit, argument);
		if (n % VISITS == 0) {
			spin_unlock_irqrestore(&executor->lock, flags);
			flags = spin_lock_irqsave(&executor->lock);
		}
	}
	spin_unlock_irqrestore(&executor->lock, flags);
}

void task_for_each(void (*visit)(void *argument, const struct task_info *info), void *argument)
{
	for_each_cpu (id)
		visit_list(&percpu_of(id, executor_cpu)->executor, visit, argument);
}
