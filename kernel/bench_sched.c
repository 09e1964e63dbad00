/*
 * What a switch between two threads of the kernel costs: by yielding, through the run queue, and as
 * a direct switch to a partner. Both threads run on one CPU; each round is two switches.
 */
#include "bench_priv.h"

#include "kthread.h"

#include <lib/atomic.h>
#include <sched/thread.h>
#include <sched/wait.h>

#define WARM_UP      200
#define BATCHES      10
#define ROUNDS       1000 /* in a batch */
#define SWITCH_LIMIT 250

/* Not part of the pair: the partner wakes it when the pair is gone already. */
static WAITQ(partner_done);

/* On the stack of the measuring thread, which leaves as soon as it sees `finished`. */
struct pair {
	struct thread *measurer;
	bool direct;
	uint32_t stop;     /* atomic */
	uint32_t finished; /* atomic; the partner's last touch */
};

static void partner(void *argument)
{
	struct pair *pair = argument;

	while (!read_once(&pair->stop)) {
		if (pair->direct)
			thread_wake_switch(pair->measurer);
		else
			thread_yield();
	}
	store_release(&pair->finished, 1); /* pairs with the acquire in measure() */
	waitq_wake_all(&partner_done);
}

static void rounds(const struct pair *pair, struct thread *other, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (pair->direct)
			thread_wake_switch(other);
		else
			thread_yield();
	}
}

static err_t measure(struct bench_rows *rows, const char *name, bool direct)
{
	struct pair pair = {.measurer = current_thread(), .direct = direct};
	struct thread *other;
	uint64_t least = 0;
	err_t err;

	err = kthread_start("bench", partner, &pair, &other);
	if (err)
		return err;
	rounds(&pair, other, WARM_UP);
	for (unsigned i = 0; i < BATCHES; i++) {
		uint64_t start = clock_cycles();

		rounds(&pair, other, ROUNDS);
		bench_keep_least(&least, clock_cycles() - start);
	}

	write_once(&pair.stop, 1);
	thread_wake(other);
	wait_event(&partner_done, load_acquire(&pair.finished));
	bench_add(rows, name, least, 2 * ROUNDS, SWITCH_LIMIT, "");
	return 0;
}

err_t bench_switch(struct bench_rows *rows)
{
	err_t err = measure(rows, "thread switch, direct", true);

	return err ? err : measure(rows, "thread switch, by yielding", false);
}
