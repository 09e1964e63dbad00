/* sources: sched/timerq.c */
/*
 * The timer heap against a plain array: whatever is inserted and removed, the first is the
 * earliest, and the tree stays complete and ordered.
 */
#include "timerq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NTIMERS 200

struct model {
	struct timerq queue;
	struct timer timers[NTIMERS];
	bool queued[NTIMERS];
	uint64_t nqueued;
};

/* The number of timers below and with `timer`; `place` is its number in the complete tree. */
static uint64_t check_tree(const struct timer *timer, const struct timer *parent, uint64_t place,
			   uint64_t ntimers)
{
	if (!timer)
		return 0;
	assert_ptr_equal(timer->parent, parent);
	assert_true(place <= ntimers);
	if (parent)
		assert_true(timer->deadline_ns >= parent->deadline_ns);
	return 1 + check_tree(timer->left, timer, place * 2, ntimers) +
	       check_tree(timer->right, timer, place * 2 + 1, ntimers);
}

static void check(const struct model *model)
{
	uint64_t earliest_ns = UINT64_MAX;

	assert_int_equal(model->queue.ntimers, model->nqueued);
	assert_int_equal(check_tree(model->queue.first, NULL, 1, model->nqueued), model->nqueued);
	for (unsigned i = 0; i < NTIMERS; i++) {
		if (model->queued[i])
			earliest_ns = MIN(earliest_ns, model->timers[i].deadline_ns);
	}
	assert_int_equal(timerq_deadline_ns(&model->queue), earliest_ns);
}

static void insert(struct model *model, unsigned i, uint64_t deadline_ns)
{
	model->timers[i].deadline_ns = deadline_ns;
	timerq_insert(&model->queue, &model->timers[i]);
	model->queued[i] = true;
	model->nqueued++;
}

static void take(struct model *model, unsigned i)
{
	timerq_remove(&model->queue, &model->timers[i]);
	model->queued[i] = false;
	model->nqueued--;
}

static void random_insertions_and_removals_agree_with_the_model(void **state)
{
	static struct model model;

	(void)state;
	srand(11);
	for (int step = 0; step < 50000; step++) {
		unsigned i = (unsigned)rand() % NTIMERS;

		/* Few different deadlines, so that many are equal. */
		if (model.queued[i])
			take(&model, i);
		else
			insert(&model, i, (uint64_t)rand() % 500);
		check(&model);
	}
}

static void comes_out_in_order(const uint64_t *deadlines_ns)
{
	static struct model model;
	uint64_t last_ns = 0;

	model = (struct model){.nqueued = 0};
	for (unsigned i = 0; i < NTIMERS; i++) {
		insert(&model, i, deadlines_ns[i]);
		check(&model);
	}
	while (model.queue.first) {
		assert_true(model.queue.first->deadline_ns >= last_ns);
		last_ns = model.queue.first->deadline_ns;
		take(&model, (unsigned)(model.queue.first - model.timers));
		check(&model);
	}
	assert_int_equal(model.nqueued, 0);
}

static void rising_and_falling_and_random_come_out_in_order(void **state)
{
	uint64_t rising[NTIMERS];
	uint64_t falling[NTIMERS];
	uint64_t random[NTIMERS];

	(void)state;
	for (unsigned i = 0; i < NTIMERS; i++) {
		rising[i] = i;
		falling[i] = NTIMERS - i;
		random[i] = (uint64_t)rand();
	}
	comes_out_in_order(rising);
	comes_out_in_order(falling);
	comes_out_in_order(random);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_insertions_and_removals_agree_with_the_model),
		cmocka_unit_test(rising_and_falling_and_random_come_out_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
