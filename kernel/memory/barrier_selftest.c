/*
 * Self-test of membarrier(2): it is not over before every other CPU has passed the barrier.
 */
#include "../kthread.h"

#include "syscall_table.h"

#include <abi/membarrier.h>
#include <arch/clock.h>
#include <arch/context.h>
#include <arch/cpu.h>
#include <lib/atomic.h>
#include <lib/selftest.h>
#include <sched/thread.h>
#include <sched/wait.h>

#define HELD_NS (2 * NSEC_PER_MSEC)

static WAITQ(ended);
static bool closed, asked, opened, has_ended; /* atomic */

/* Takes no interrupt from `closed` until `opened`. */
static void hold_out(void *argument)
{
	irqflags_t flags = irq_save();
	uint64_t until_ns;

	(void)argument;
	write_once(&closed, true);
	while (!read_once(&asked))
		cpu_relax();
	until_ns = clock_ns() + HELD_NS;
	while (clock_ns() < until_ns)
		cpu_relax();
	write_once(&opened, true);
	irq_restore(flags);
	write_once(&has_ended, true);
	waitq_wake_all(&ended);
}

SELFTEST(membarrier_waits_for_every_cpu)
{
	cpuset_t before = thread_affinity(current_thread());
	struct thread *thread;

	if (cpu_count() < 2) {
		selftest_check(sys_membarrier(MEMBARRIER_CMD_GLOBAL, 0, 0) == 0);
		return;
	}
	closed = asked = opened = has_ended = false;
	if (!selftest_check(!kthread_create("selftest", hold_out, NULL, &thread)))
		return;
	selftest_check(!thread_set_affinity(current_thread(), cpuset_of(0)));
	selftest_check(!thread_set_affinity(thread, cpuset_of(1)));
	thread_start(thread);
	while (!read_once(&closed))
		thread_yield();
	write_once(&asked, true);
	selftest_check(sys_membarrier(MEMBARRIER_CMD_GLOBAL, 0, 0) == 0);
	selftest_check(read_once(&opened));
	wait_event(&ended, read_once(&has_ended));
	selftest_check(!thread_set_affinity(current_thread(), before));
}
