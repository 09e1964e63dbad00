/* sources: sched/runq.c */
/*
 * The run queue: order, shares, and that nobody starves, in simulated time.
 */
#include "runq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

noreturn void panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	abort();
}

#define MS INT64_C(1000000)

/* ---- a machine of one CPU ---- */

struct task {
	struct sched_entity entity;
	bool ready;
	int64_t used_ns;
	int64_t ready_since_ns;
	int64_t longest_wait_ns;
};

struct machine {
	struct runq queue;
	struct task *current;
	int64_t now_ns;
};

static void machine_init(struct machine *machine)
{
	*machine = (struct machine){.now_ns = 0};
	runq_init(&machine->queue);
}

static void note_ready(struct machine *machine, struct task *task)
{
	task->ready = true;
	task->ready_since_ns = machine->now_ns;
}

static void add(struct machine *machine, struct task *task, enum sched_policy policy,
		unsigned priority, int nice)
{
	*task = (struct task){.ready = false};
	entity_init(&task->entity, policy, priority, nice);
	runq_start(&machine->queue, &task->entity, NULL);
	note_ready(machine, task);
}

static struct task *pick(struct machine *machine)
{
	struct sched_entity *entity = runq_pick(&machine->queue);
	struct task *task;
	int64_t waited_ns;

	machine->current = NULL;
	if (!entity)
		return NULL;
	task = container_of(entity, struct task, entity);
	waited_ns = machine->now_ns - task->ready_since_ns;
	if (waited_ns > task->longest_wait_ns)
		task->longest_wait_ns = waited_ns;
	machine->current = task;
	return task;
}

/* The current one runs so long, in whole, whatever becomes ready. */
static void run(struct machine *machine, int64_t duration_ns)
{
	entity_charge(&machine->current->entity, (uint64_t)duration_ns);
	machine->current->used_ns += duration_ns;
	machine->now_ns += duration_ns;
}

static void preempt(struct machine *machine)
{
	struct task *task = machine->current;

	note_ready(machine, task);
	runq_preempted(&machine->queue, &task->entity);
	machine->current = NULL;
}

/* Runs who is next to the end of its slice. */
static void run_a_slice(struct machine *machine)
{
	struct task *task = pick(machine);

	assert_non_null(task);
	run(machine, task->entity.slice_left_ns);
	preempt(machine);
}

static void check_bitmap(const struct runq *queue)
{
	uint32_t count = 0;
	const struct list *link;

	for (unsigned level = 0; level < SCHED_LEVELS; level++) {
		const struct list *head = &queue->level[level];

		assert_int_equal(!list_empty(head), (queue->ready >> level) & 1);
		for (link = head->next; link != head; link = link->next) {
			assert_int_equal(list_entry(link, struct sched_entity, run_link)->level,
					 level);
			count++;
		}
	}
	for (link = queue->expired.next; link != &queue->expired; link = link->next) {
		const struct sched_entity *entity = list_entry(link, struct sched_entity, run_link);

		assert_int_equal(entity->policy, POLICY_OTHER);
		assert_int_equal(entity->epoch, queue->epoch + 1);
		assert_true(entity->slice_left_ns > 0);
		count++;
	}
	assert_int_equal(count, queue->nready);
}

/* ---- the tests ---- */

static void nice_slices_are_as_documented(void **state)
{
	double slice_ns = 3e6;

	(void)state;
	for (int nice = 0; nice <= NICE_MAX; nice++, slice_ns /= 1.25)
		assert_true(labs((long)nice_slice_ns(nice) - (long)(slice_ns + 0.5)) <= 1);
	slice_ns = 3e6;
	for (int nice = 0; nice >= NICE_MIN; nice--, slice_ns *= 1.25)
		assert_true(labs((long)nice_slice_ns(nice) - (long)(slice_ns + 0.5)) <= 1);
	assert_int_equal(nice_slice_ns(-100), nice_slice_ns(NICE_MIN));
	assert_int_equal(nice_slice_ns(100), nice_slice_ns(NICE_MAX));
}

static void spinners_share_by_weight(void **state)
{
	static const int nices[] = {0, 0, 5, -5, 10, 19};
	struct task tasks[ARRAY_SIZE(nices)];
	struct machine machine;
	int64_t sum_ns = 0;

	(void)state;
	machine_init(&machine);
	for (unsigned i = 0; i < ARRAY_SIZE(nices); i++) {
		add(&machine, &tasks[i], POLICY_OTHER, 0, nices[i]);
		sum_ns += nice_slice_ns(nices[i]);
	}
	while (machine.now_ns < 2000 * MS)
		run_a_slice(&machine);
	for (unsigned i = 0; i < ARRAY_SIZE(nices); i++) {
		double share = (double)tasks[i].used_ns / (double)machine.now_ns;
		double due = (double)nice_slice_ns(nices[i]) / (double)sum_ns;

		assert_true(share > due * 0.98 && share < due * 1.02);
		/* One epoch is the longest anybody waits. */
		assert_true(tasks[i].longest_wait_ns <= sum_ns);
	}
	check_bitmap(&machine.queue);
}

/* A late timer makes slices longer than they should be: who overran gets less the next time. */
static void overrun_is_paid_back(void **state)
{
	struct task late;
	struct task exact;
	struct machine machine;

	(void)state;
	machine_init(&machine);
	add(&machine, &late, POLICY_OTHER, 0, 0);
	add(&machine, &exact, POLICY_OTHER, 0, 0);
	while (machine.now_ns < 3000 * MS) {
		struct task *task = pick(&machine);

		run(&machine, task->entity.slice_left_ns + (task == &late ? MS : 0));
		preempt(&machine);
	}
	assert_true(late.used_ns < exact.used_ns * 101 / 100 + 5 * MS);
	assert_true(exact.used_ns < late.used_ns * 101 / 100 + 5 * MS);
}

/* Two that sleep and wake all the time, always at the worst moment, beside one that computes. */
static void wakers_do_not_starve_a_spinner(void **state)
{
	struct task wakers[2];
	struct task spinner;
	struct machine machine;

	(void)state;
	machine_init(&machine);
	add(&machine, &spinner, POLICY_OTHER, 0, 0);
	for (unsigned i = 0; i < 2; i++)
		add(&machine, &wakers[i], POLICY_OTHER, 0, 0);
	while (machine.now_ns < 1000 * MS) {
		struct task *task = pick(&machine);

		if (task == &spinner) {
			/* Preempted after a little, as soon as a waker has had its nap. */
			run(&machine, MIN(task->entity.slice_left_ns, MS / 10));
			preempt(&machine);
		} else {
			/* Sleeps just before its slice is spent, to keep its boost. */
			run(&machine, MIN(task->entity.slice_left_ns, MS / 2));
			task->ready = false;
			machine.current = NULL;
		}
		for (unsigned i = 0; i < 2; i++) {
			if (wakers[i].ready || &wakers[i] == machine.current)
				continue;
			note_ready(&machine, &wakers[i]);
			runq_wake(&machine.queue, &wakers[i].entity);
		}
		check_bitmap(&machine.queue);
	}
	assert_true(spinner.used_ns > machine.now_ns / 3 * 9 / 10);
	assert_true(spinner.longest_wait_ns <= 2 * 3 * MS + MS);
}

static void woken_goes_before_those_who_compute(void **state)
{
	struct task spinners[3];
	struct task sleeper;
	struct machine machine;

	(void)state;
	machine_init(&machine);
	add(&machine, &sleeper, POLICY_OTHER, 0, 0);
	assert_ptr_equal(pick(&machine), &sleeper);
	run(&machine, MS); /* and sleeps */
	for (unsigned i = 0; i < 3; i++)
		add(&machine, &spinners[i], POLICY_OTHER, 0, 0);
	runq_wake(&machine.queue, &sleeper.entity);
	assert_int_equal(sleeper.entity.level, LEVEL_BOOSTED);
	assert_ptr_equal(pick(&machine), &sleeper);
	/* It has 2 ms left of this epoch; with them goes the boost. */
	run(&machine, 2 * MS);
	preempt(&machine);
	assert_int_equal(sleeper.entity.level, LEVEL_NORMAL);
	for (unsigned i = 0; i < 3; i++) {
		assert_ptr_equal(pick(&machine), &spinners[i]);
		run(&machine, 3 * MS);
		preempt(&machine);
	}
	assert_ptr_equal(pick(&machine), &sleeper);
}

static void spent_sleeper_waits_for_the_next_epoch(void **state)
{
	struct task spinner;
	struct task sleeper;
	struct machine machine;

	(void)state;
	machine_init(&machine);
	add(&machine, &sleeper, POLICY_OTHER, 0, 0);
	add(&machine, &spinner, POLICY_OTHER, 0, 0);
	assert_ptr_equal(pick(&machine), &sleeper);
	run(&machine, 3 * MS); /* all of it, and sleeps */
	runq_wake(&machine.queue, &sleeper.entity);
	assert_ptr_equal(pick(&machine), &spinner);
	run(&machine, 3 * MS);
	preempt(&machine);
	assert_ptr_equal(pick(&machine), &sleeper);
	assert_int_equal(sleeper.entity.slice_left_ns, 3 * MS);
}

static void preempted_keeps_its_place_and_its_slice(void **state)
{
	struct task a;
	struct task b;
	struct machine machine;

	(void)state;
	machine_init(&machine);
	add(&machine, &a, POLICY_OTHER, 0, 0);
	add(&machine, &b, POLICY_OTHER, 0, 0);
	assert_ptr_equal(pick(&machine), &a);
	run(&machine, MS);
	preempt(&machine);
	assert_ptr_equal(pick(&machine), &a);
	assert_int_equal(a.entity.slice_left_ns, 2 * MS);
}

static void yield_gives_the_boost_back(void **state)
{
	struct task a;
	struct task b;
	struct machine machine;

	(void)state;
	machine_init(&machine);
	add(&machine, &a, POLICY_OTHER, 0, 0);
	add(&machine, &b, POLICY_OTHER, 0, 0);
	assert_ptr_equal(pick(&machine), &a);
	runq_wake(&machine.queue, &a.entity); /* slept for no time */
	assert_ptr_equal(pick(&machine), &a);
	runq_yielded(&machine.queue, &a.entity);
	assert_ptr_equal(pick(&machine), &b);
}

static void fifo_is_strict_and_keeps_the_cpu(void **state)
{
	struct task other;
	struct task low;
	struct task high;
	struct machine machine;

	(void)state;
	machine_init(&machine);
	add(&machine, &other, POLICY_OTHER, 0, NICE_MIN);
	add(&machine, &low, POLICY_FIFO, 1, 0);
	add(&machine, &high, POLICY_FIFO, SCHED_PRIORITY_MAX, 0);
	for (int i = 0; i < 10; i++) {
		assert_ptr_equal(pick(&machine), &high);
		run(&machine, 1000 * MS);
		preempt(&machine);
	}
	assert_ptr_equal(pick(&machine), &high); /* and sleeps */
	assert_true(runq_outranks(&machine.queue, LEVEL_BOOSTED));
	assert_false(runq_outranks(&machine.queue, high.entity.level));
	assert_ptr_equal(pick(&machine), &low);
	assert_ptr_equal(pick(&machine), &other);
	assert_null(pick(&machine));
}

static void rr_takes_turns(void **state)
{
	struct task tasks[3];
	struct machine machine;

	(void)state;
	machine_init(&machine);
	for (unsigned i = 0; i < 3; i++)
		add(&machine, &tasks[i], POLICY_RR, 5, 0);
	for (unsigned turn = 0; turn < 9; turn++) {
		assert_ptr_equal(pick(&machine), &tasks[turn % 3]);
		run(&machine, RR_SLICE_NS / 2);
		preempt(&machine);
		assert_ptr_equal(pick(&machine), &tasks[turn % 3]);
		run(&machine, RR_SLICE_NS / 2);
		preempt(&machine);
	}
}

static void making_threads_does_not_prolong_the_epoch(void **state)
{
	static struct task tasks[10000];
	struct task victim;
	struct machine machine;
	unsigned nstarted = 1;

	(void)state;
	machine_init(&machine);
	add(&machine, &tasks[0], POLICY_OTHER, 0, 0);
	add(&machine, &victim, POLICY_OTHER, 0, 0);
	runq_wake(&machine.queue, &pick(&machine)->entity); /* tasks[0], boosted */
	while (victim.used_ns == 0 && nstarted < ARRAY_SIZE(tasks)) {
		struct task *task = pick(&machine);

		run(&machine, MIN(task->entity.slice_left_ns, MS / 100));
		if (task != &victim) {
			struct task *child = &tasks[nstarted++];

			*child = (struct task){.ready = false};
			entity_init(&child->entity, POLICY_OTHER, 0, 0);
			runq_start(&machine.queue, &child->entity, &task->entity);
			note_ready(&machine, child);
		}
		preempt(&machine);
	}
	assert_true(victim.used_ns != 0);
	assert_true(machine.now_ns <= 3 * MS + MS);
}

static void a_new_thread_starts_with_half_of_what_its_parent_has_left(void **state)
{
	struct sched_entity child;
	struct task parent;
	struct machine machine;

	(void)state;
	machine_init(&machine);
	add(&machine, &parent, POLICY_OTHER, 0, 0);
	assert_ptr_equal(pick(&machine), &parent);
	run(&machine, MS); /* 2 ms left */
	entity_init(&child, POLICY_OTHER, 0, 0);
	runq_start(&machine.queue, &child, &parent.entity);
	assert_int_equal(parent.entity.slice_left_ns, MS);
	assert_int_equal(child.slice_left_ns, MS);
}

static void direct_switch_runs_on_the_rest_of_the_slice(void **state)
{
	struct task from;
	struct task to;
	struct machine machine;

	(void)state;
	machine_init(&machine);
	add(&machine, &to, POLICY_OTHER, 0, 0);
	add(&machine, &from, POLICY_OTHER, 0, 0);
	assert_ptr_equal(pick(&machine), &to);
	run(&machine, MS); /* and sleeps, with 2 ms left */
	assert_ptr_equal(pick(&machine), &from);
	run(&machine, 2 * MS); /* 1 ms left */
	assert_true(runq_try_lend(&machine.queue, &from.entity, &to.entity));
	assert_int_equal(to.entity.slice_left_ns, MS);
	assert_int_equal(from.entity.slice_left_ns, 2 * MS);
	/* And back. */
	entity_charge(&to.entity, MS / 2);
	assert_true(runq_try_lend(&machine.queue, &to.entity, &from.entity));
	assert_int_equal(from.entity.slice_left_ns, MS / 2);
	assert_int_equal(to.entity.slice_left_ns, 2 * MS);
}

static void direct_switch_refuses_what_the_rules_forbid(void **state)
{
	struct task from;
	struct task to;
	struct task urgent;
	struct machine machine;

	(void)state;
	machine_init(&machine);
	add(&machine, &to, POLICY_OTHER, 0, 0);
	assert_ptr_equal(pick(&machine), &to);
	add(&machine, &from, POLICY_OTHER, 0, 0);
	assert_ptr_equal(pick(&machine), &from);
	add(&machine, &urgent, POLICY_FIFO, 1, 0);
	assert_false(runq_try_lend(&machine.queue, &from.entity, &to.entity)); /* outranked */
	assert_ptr_equal(pick(&machine), &urgent);
	run(&machine, MS);
	machine.current = &from;
	run(&machine, 3 * MS);
	assert_false(runq_try_lend(&machine.queue, &from.entity, &to.entity)); /* spent */
	/* A real-time thread has no slice to lend; the other runs on its own. */
	assert_true(runq_try_lend(&machine.queue, &urgent.entity, &to.entity));
	assert_int_equal(to.entity.slice_left_ns, 3 * MS);
}

static void nice_changes_the_rest_in_proportion(void **state)
{
	struct sched_entity entity;

	(void)state;
	entity_init(&entity, POLICY_OTHER, 0, 0);
	entity_charge(&entity, (uint64_t)MS);
	entity_set_nice(&entity, 5);
	assert_int_equal(entity.slice_full_ns, nice_slice_ns(5));
	assert_true(labs((long)entity.slice_left_ns - (long)nice_slice_ns(5) * 2 / 3) <= 1);
	entity_set_nice(&entity, 1000);
	assert_int_equal(entity.nice, NICE_MAX);
}

/* Whatever happens, the queue stays what it says of itself, and everybody comes out again. */
static void random_walk_keeps_the_invariants(void **state)
{
	static struct task tasks[40];
	struct machine machine;

	(void)state;
	srand(7);
	machine_init(&machine);
	for (unsigned i = 0; i < ARRAY_SIZE(tasks); i++) {
		unsigned kind = (unsigned)rand() % 8;

		if (kind == 0)
			add(&machine, &tasks[i], POLICY_FIFO, 1 + (unsigned)rand() % 62, 0);
		else if (kind == 1)
			add(&machine, &tasks[i], POLICY_RR, 1 + (unsigned)rand() % 62, 0);
		else
			add(&machine, &tasks[i], POLICY_OTHER, 0, rand() % 40 - 20);
	}
	for (int step = 0; step < 100000; step++) {
		struct task *task = pick(&machine);

		if (task) {
			run(&machine, rand() % (4 * MS));
			switch (rand() % 4) {
			case 0:
				preempt(&machine);
				break;
			case 1:
				note_ready(&machine, task);
				runq_yielded(&machine.queue, &task->entity);
				break;
			default:
				task->ready = false;
			}
		}
		for (int wake = rand() % 3; wake > 0; wake--) {
			struct task *woken = &tasks[(unsigned)rand() % ARRAY_SIZE(tasks)];

			if (woken->ready)
				continue;
			note_ready(&machine, woken);
			runq_wake(&machine.queue, &woken->entity);
		}
		check_bitmap(&machine.queue);
	}
	while (pick(&machine))
		;
	assert_int_equal(machine.queue.nready, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nice_slices_are_as_documented),
		cmocka_unit_test(spinners_share_by_weight),
		cmocka_unit_test(overrun_is_paid_back),
		cmocka_unit_test(wakers_do_not_starve_a_spinner),
		cmocka_unit_test(woken_goes_before_those_who_compute),
		cmocka_unit_test(spent_sleeper_waits_for_the_next_epoch),
		cmocka_unit_test(preempted_keeps_its_place_and_its_slice),
		cmocka_unit_test(yield_gives_the_boost_back),
		cmocka_unit_test(fifo_is_strict_and_keeps_the_cpu),
		cmocka_unit_test(rr_takes_turns),
		cmocka_unit_test(making_threads_does_not_prolong_the_epoch),
		cmocka_unit_test(a_new_thread_starts_with_half_of_what_its_parent_has_left),
		cmocka_unit_test(direct_switch_runs_on_the_rest_of_the_slice),
		cmocka_unit_test(direct_switch_refuses_what_the_rules_forbid),
		cmocka_unit_test(nice_changes_the_rest_in_proportion),
		cmocka_unit_test(random_walk_keeps_the_invariants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
