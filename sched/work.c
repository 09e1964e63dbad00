/*
 * Deferred work: see sched/work.h. Work is pushed onto one lock-free stack from any context; the
 * worker thread takes all of it at once and runs it in the order it came.
 *
 * Waking the worker takes LOCK_RUNQ, which whoever queues work may not be allowed to take. So the
 * CPU only notes it and asks for a switch, and the switch, which happens with no lock held, wakes.
 */
#include <sched/work.h>

#include "sched_priv.h"

#include <lib/panic.h>
#include <sched/wait.h>

static struct work *pushed; /* atomic: the newest first */
static struct thread worker;
static bool worker_exists; /* atomic: set once */

/* Of work_flush(). The queue is not on the stack of who waits: the one who wakes may still be in it
 * when the waiter has seen the condition and gone. */
static WAITQ(flushed);

bool work_queue(struct work *work)
{
	struct work *newest;

	/* Full barrier: if it is queued, its function sees what was done before (run_batch()). */
	if (atomic_exchange_full(&work->queued, true))
		return false;
	newest = read_once(&pushed);
	do {
		work->next = newest;
	} while (!atomic_cas(&pushed, &newest, work));
	preempt_disable();
	write_once(&this_percpu(cpu_sched)->worker_wanted, true);
	cpu_want_switch();
	preempt_enable();
	return true;
}

void work_wake_worker(void)
{
	if (likely(load_acquire(&worker_exists)))
		thread_wake(&worker);
}

static struct work *reverse(struct work *work)
{
	struct work *oldest_first = NULL;

	while (work) {
		struct work *next = work->next;

		work->next = oldest_first;
		oldest_first = work;
		work = next;
	}
	return oldest_first;
}

static void run_batch(struct work *work)
{
	while (work) {
		struct work *next = work->next;

		/* From here on it may be queued again, and after the call it may be gone. */
		(void)atomic_exchange_full(&work->queued, false);
		work->function(work);
		work = next;
	}
}

static void worker_main(void *argument)
{
	(void)argument;
	for (;;) {
		struct work *batch = atomic_exchange_full(&pushed, NULL);

		if (batch)
			run_batch(reverse(batch));
		else
			thread_block();
	}
}

void work_start(vaddr_t stack_base, vaddr_t stack_top)
{
	thread_init(&worker, &(struct thread_params){
				     .name = "work",
				     .entry = worker_main,
				     .stack_base = stack_base,
				     .stack_top = stack_top,
				     .policy = POLICY_OTHER,
				     .nice = -10, /* others wait for what it frees */
			     });
	thread_start(&worker);
	store_release(&worker_exists, true);
}

struct flush {
	struct work work;
	bool done; /* atomic */
};

static void flush_done(struct work *work)
{
	store_release(&container_of(work, struct flush, work)->done, true);
	waitq_wake_all(&flushed);
}

void work_flush(void)
{
	struct flush flush = {.work = WORK_INIT(flush_done)};

	debug_assert(current_thread() != &worker);
	work_queue(&flush.work);
	wait_event(&flushed, load_acquire(&flush.done));
}
