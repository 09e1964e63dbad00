/*
 * Shortage of memory: the marks, who waits, and the thread `memory`, which takes back what nobody
 * needs and, if that is not enough, has somebody killed.
 *
 * Invariant: whoever waits has set `wanted` since it looked at `nrounds`, so a round ends after
 * that, and every round's end wakes all. A round may not help this one; it then fails again and
 * waits again. So nothing has to be known of who wants how much.
 *
 * The thread needs no memory, holds no lock while it calls a reclaimer or the hook, and waits for
 * nobody but for its own timer and RCU. What other CPUs keep at hand it fetches by going there.
 */
#include <mm/pressure.h>

#include "frame_priv.h"
#include "kva_priv.h"
#include "slab_priv.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <lib/panic.h>
#include <mm/frame.h>
#include <sched/rcu.h>
#include <sched/task.h>
#include <sched/thread.h>
#include <sched/wait.h>

#define KIB_OF_FRAMES(n) ((n) * (PAGE_SIZE / KIB))
#define IDLE_TRIES_MAX   16
#define PAUSE_NS         NSEC_PER_MSEC
#define SLOW_PATIENCE_NS (5 * NSEC_PER_MSEC)

static WAITQ(work);           /* the thread waits for `wanted` */
static WAITQ(waiters);        /* programs wait for the end of a round */
static uint32_t nwaiting;     /* atomic: how many, counted before they ask for one */
static bool wanted;           /* atomic: a round is */
static uint64_t nrounds;      /* atomic */
static bool nobody_left;      /* atomic: the last round found nobody to kill */
static struct task waker;     /* wakes the thread, for who holds the pool's lock */
static bool thread_is_there;  /* atomic */
static WAITQ(slow_work);      /* the other thread waits for `slow_wanted` */
static WAITQ(slow_end);       /* and the first one for its end, not for long */
static bool slow_wanted;      /* atomic */
static LIST_HEAD(reclaimers); /* written while the machine starts, by one thread */

void memory_register_reclaimer(struct memory_reclaimer *reclaimer)
{
	list_add_tail(&reclaimers, &reclaimer->link);
}

/* ---- the marks ---- */

static uint64_t square_root(uint64_t number)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1) {
		if ((root | bit) * (root | bit) <= number)
			root |= bit;
	}
	return root;
}

/* As Linux's min_free_kbytes: 4 * sqrt(KiB of memory), at most 64 MiB; so 600 KiB of 24 MiB. */
void pressure_init(void)
{
	uint64_t min_kib = MIN(4 * square_root(KIB_OF_FRAMES(frame_pool.total)), 64 * KIB);

	frame_pool.min = min_kib / (PAGE_SIZE / KIB);
	frame_pool.low = frame_pool.min + frame_pool.min / 4;
	frame_pool.high = frame_pool.min + frame_pool.min / 2;
}

void memory_marks(struct memory_marks *out)
{
	*out = (struct memory_marks){frame_pool.min, frame_pool.low, frame_pool.high};
}

/* Read without the lock: a guess, which is looked at again. */
static uint64_t pool_free(void)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < ZONES; i++)
		count += read_once(&frame_pool.zones[i].buddy.nfree) +
			 read_once(&frame_pool.zones[i].untouched);
	return count;
}

/* ---- those who wait ---- */

static void want_round(void)
{
	store_release(&wanted, true); /* pairs with the acquire in memory_reclaim_forever() */
	waitq_wake_one(&work);
}

void pressure_note(void)
{
	if (!load_acquire(&thread_is_there))
		return;
	task_wake(&waker);
}

static enum task_poll waker_poll(struct task *task)
{
	if (pool_free() < frame_pool.low)
		want_round();
	return task_pending(task, "shortage");
}

/* Sleeps until the end of a round. */
static err_t wait_for_round(void)
{
	uint64_t before = load_acquire(&nrounds);
	err_t err;

	(void)atomic_fetch_add_full(&nwaiting, 1);
	want_round();
	err = wait_event_killable(&waiters, load_acquire(&nrounds) != before);
	(void)atomic_fetch_sub_full(&nwaiting, 1);
	return err;
}

err_t memory_wait(struct memory_wait *wait)
{
	err_t err;

	if (thread_killed())
		return -EINTR;
	if (!load_acquire(&thread_is_there))
		return -ENOMEM;
	/* Others may have given some back since; but what fails again and again fails for another
	 * reason: it wants frames side by side. */
	if (pool_free() >= frame_pool.min && wait->idle++ >= IDLE_TRIES_MAX)
		return -ENOMEM;
	if (pool_free() >= frame_pool.low)
		return 0;
	err = wait_for_round();
	if (!err && read_once(&nobody_left))
		err = -ENOMEM;
	return err;
}

err_t frame_alloc_waiting(unsigned flags, struct frame **out)
{
	struct memory_wait wait = {0};
	err_t err = 0;

	while (!(*out = frame_alloc(0, flags | FRAME_PROGRAM)) && !err)
		err = memory_wait(&wait);
	return *out ? 0 : err;
}

void memory_throttle(void)
{
	while (pool_free() < frame_pool.min && load_acquire(&thread_is_there) && !thread_killed()) {
		if (wait_for_round() || read_once(&nobody_left))
			break;
	}
}

/* ---- the thread ---- */

/* What is kept at hand on this CPU goes back: stacks, blocks, frames, in this order, since each
 * becomes the next. */
static void drain_here(void)
{
	kva_drain_cpu();
	slab_drain_cpu();
	frame_drain_cpu();
}

static void drain_everywhere(void)
{
	for_each_cpu (cpu) {
		/* One that has just stopped is passed over. */
		if (!thread_set_affinity(current_thread(), cpuset_of(cpu)))
			drain_here();
	}
	(void)!thread_set_affinity(current_thread(), cpuset_all());
}

static void ask_reclaimers(bool that_may_wait)
{
	struct memory_reclaimer *reclaimer;

	list_for_each (reclaimer, &reclaimers, link) {
		uint64_t have = pool_free();
		uint64_t got;

		if (reclaimer->may_wait != that_may_wait)
			continue;
		if (have >= frame_pool.high)
			return;
		got = reclaimer->reclaim(frame_pool.high - have);
		write_once(&reclaimer->nreclaimed, reclaimer->nreclaimed + got);
	}
}

void memory_reclaim_slowly_forever(UNUSED void *argument)
{
	for (;;) {
		wait_event_idle(&slow_work, load_acquire(&slow_wanted));
		ask_reclaimers(true);
		store_release(&slow_wanted, false);
		waitq_wake_all(&slow_end);
	}
}

/* As long as they bring something. */
static void wait_for_slow(void)
{
	uint64_t before;
	err_t err;

	do {
		before = pool_free();
		err = wait_event_timeout(&slow_end, !load_acquire(&slow_wanted),
					 clock_ns() + SLOW_PATIENCE_NS);
	} while (err && pool_free() > before && before < frame_pool.high);
}

static void reclaim(void)
{
	drain_everywhere();
	ask_reclaimers(false);
	if (pool_free() >= frame_pool.high)
		return;
	store_release(&slow_wanted, true);
	waitq_wake_one(&slow_work);
	wait_for_slow();
	rcu_synchronize(); /* what readers may still see goes back only then */
	drain_everywhere();
}

static void one_round(void)
{
	bool nobody = false;

	reclaim();
	if (pool_free() < frame_pool.min && read_once(&nwaiting))
		nobody = memory_kill() == MEMORY_NOBODY;
	write_once(&nobody_left, nobody);
	(void)atomic_fetch_add_full(&nrounds, 1);
	waitq_wake_all(&waiters);
}

void memory_reclaim_forever(UNUSED void *argument)
{
	task_init(&waker, "shortage", waker_poll, NULL);
	task_start(&waker);
	store_release(&thread_is_there, true);
	for (;;) {
		wait_event_idle(&work, load_acquire(&wanted));
		write_once(&wanted, false);
		one_round();
		/* Who is dying needs the CPU as well. */
		if (pool_free() < frame_pool.low)
			(void)!thread_sleep_ns(PAUSE_NS);
	}
}
