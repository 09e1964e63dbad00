/*
 * Self-test of several CPUs with threads on each of them.
 */
#include "kthread.h"

#include <abi/errno.h>
#include <arch/context.h>
#include <arch/cpu.h>
#include <lib/atomic.h>
#include <lib/selftest.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <sched/rcu.h>
#include <sched/thread.h>
#include <sched/wait.h>

#define ROUNDS 200

static WAITQ(ended);
static uint32_t nended;   /* atomic */
static cpuset_t seen;     /* atomic: where they ran */
static uint64_t ncalled;  /* atomic */
static uint64_t nbroken;  /* atomic */
static uint32_t narrived; /* atomic */

static void add_one(void *argument)
{
	atomic_fetch_add_full((uint64_t *)argument, 1);
}

/* Frames and slab objects through this CPU's stocks, each marked and looked at again. */
static void use_memory(uint64_t mark)
{
	struct frame *frame = frame_alloc(0, FRAME_ZERO);
	uint64_t *object = kmalloc(64);

	if (frame && *(uint64_t *)frame_virt(frame) != 0)
		atomic_fetch_add_full(&nbroken, 1);
	if (frame)
		*(uint64_t *)frame_virt(frame) = mark;
	if (object)
		*object = ~mark;
	thread_yield();
	if ((frame && *(uint64_t *)frame_virt(frame) != mark) || (object && *object != ~mark))
		atomic_fetch_add_full(&nbroken, 1);
	kfree(object);
	if (frame)
		frame_put(frame);
}

static void busy(void *argument)
{
	atomic_fetch_or_full(&seen, cpuset_of(cpu_id()));
	/* All at once, or there is nothing to find. */
	atomic_fetch_add_full(&narrived, 1);
	while (read_once(&narrived) < cpu_count())
		thread_yield();
	for (uint64_t round = 0; round < ROUNDS; round++) {
		irqflags_t flags = irq_save();

		cpu_call(cpuset_all(), add_one, &ncalled);
		irq_restore(flags);
		use_memory((uint64_t)argument << 32 | round);
	}
	rcu_synchronize();
	atomic_fetch_add_full(&nended, 1);
	waitq_wake_all(&ended);
}

SELFTEST(threads_on_every_cpu_call_each_other_and_use_memory)
{
	static struct thread *threads[CPU_MAX];
	uint32_t nthreads = cpu_count();

	seen = 0;
	ncalled = nbroken = 0;
	narrived = nended = 0;
	for_each_cpu (id) {
		if (!selftest_check(
			    !kthread_create("selftest", busy, (void *)(uint64_t)id, &threads[id])))
			return; /* those that were made are leaked, which is told as well */
	}
	for_each_cpu (id) {
		selftest_check(!thread_set_affinity(threads[id], cpuset_of(id)));
		thread_start(threads[id]);
	}
	wait_event(&ended, read_once(&nended) == nthreads);
	selftest_check(seen == cpuset_all());
	selftest_check(nbroken == 0);
	selftest_check(ncalled == (uint64_t)nthreads * nthreads * ROUNDS);
}
