/*
 * Self-tests of threads: their life, yielding, sleeping, preemption, priorities and the share of
 * the CPU.
 */
#include "selftest_threads.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <arch/spin.h>
#include <lib/selftest.h>
#include <sched/thread.h>

static void store_argument(void *argument)
{
	write_once((bool *)argument, true);
}

SELFTEST(thread_runs_and_ends)
{
	bool ran = false;

	test_start(0, store_argument, &ran);
	test_join(0);
	selftest_check(read_once(&ran));
}

static void take_tid(struct thread *thread, void *argument)
{
	bool *found = argument;

	if (thread == current_thread())
		*found = true;
}

SELFTEST(thread_finds_itself_in_the_list)
{
	bool found = false;

	thread_for_each(take_tid, &found);
	selftest_check(found);
}

struct yielder {
	struct test_trace *trace;
	char letter;
};

static void note_and_yield(void *argument)
{
	struct yielder *yielder = argument;

	for (int i = 0; i < 3; i++) {
		test_note(yielder->trace, yielder->letter);
		thread_yield();
	}
}

SELFTEST(yield_alternates_between_equals)
{
	static struct test_trace trace;
	struct yielder a = {&trace, 'a'};
	struct yielder b = {&trace, 'b'};

	trace = (struct test_trace){.nletters = 0};
	preempt_disable();
	/* Real-time, so that no slice ends meanwhile. */
	test_start_as(0, POLICY_FIFO, 1, note_and_yield, &a);
	test_start_as(1, POLICY_FIFO, 1, note_and_yield, &b);
	preempt_enable();
	test_join(0);
	test_join(1);
	selftest_check(test_trace_is(&trace, "ababab"));
}

SELFTEST(sleep_is_never_short)
{
	for (unsigned ms = 1; ms <= 4; ms++) {
		uint64_t start_ns = clock_ns();

		selftest_check(thread_sleep_ns(ms * NSEC_PER_MSEC) == 0);
		selftest_check(clock_ns() - start_ns >= ms * NSEC_PER_MSEC);
	}
}

struct sleeper {
	struct test_trace *trace;
	char letter;
	uint64_t deadline_ns;
};

static void sleep_and_note(void *argument)
{
	struct sleeper *sleeper = argument;

	(void)thread_sleep_until_ns(sleeper->deadline_ns);
	test_note(sleeper->trace, sleeper->letter);
}

SELFTEST(sleepers_wake_in_the_order_of_their_deadlines)
{
	static struct test_trace trace;
	uint64_t now_ns = clock_ns();
	struct sleeper sleepers[3] = {{&trace, 'c', now_ns + 15 * NSEC_PER_MSEC},
				      {&trace, 'a', now_ns + 5 * NSEC_PER_MSEC},
				      {&trace, 'b', now_ns + 10 * NSEC_PER_MSEC}};

	trace = (struct test_trace){.nletters = 0};
	for (unsigned i = 0; i < 3; i++)
		test_start(i, sleep_and_note, &sleepers[i]);
	for (unsigned i = 0; i < 3; i++)
		test_join(i);
	selftest_check(test_trace_is(&trace, "abc"));
}

/* Without cpu_relax(): an emulator that counts instructions leaves its fast path for each PAUSE. */
static void spin_until_told(void *argument)
{
	while (!read_once((bool *)argument))
		compiler_barrier();
}

SELFTEST(spinning_kernel_thread_is_preempted)
{
	bool stop = false;

	test_start(0, spin_until_told, &stop);
	/* Without preemption the spinner would keep the CPU for good. */
	selftest_check(thread_sleep_ns(2 * NSEC_PER_MSEC) == 0);
	thread_yield();
	write_once(&stop, true);
	test_join(0);
}

SELFTEST(woken_thread_runs_before_those_who_compute)
{
	bool stop = false;
	uint64_t best_late_ns = UINT64_MAX;

	test_start(0, spin_until_told, &stop);
	test_start(1, spin_until_told, &stop);
	for (int i = 0; i < 10; i++) {
		uint64_t deadline_ns = clock_ns() + NSEC_PER_MSEC;

		(void)thread_sleep_until_ns(deadline_ns);
		best_late_ns = MIN(best_late_ns, clock_ns() - deadline_ns);
	}
	write_once(&stop, true);
	test_join(0);
	test_join(1);
	/* Behind two spinners it would be up to 6 ms. */
	selftest_check(best_late_ns < NSEC_PER_MSEC);
}

SELFTEST(nice_divides_the_cpu_as_documented)
{
	bool stop = false;
	struct thread *normal = test_start_as(0, POLICY_OTHER, 0, spin_until_told, &stop);
	struct thread *nice = test_start_as(1, POLICY_OTHER, 10, spin_until_told, &stop);
	uint64_t normal_ns;
	uint64_t nice_ns;

	test_settle();
	normal_ns = thread_cpu_time_ns(normal);
	nice_ns = thread_cpu_time_ns(nice);
	(void)thread_sleep_ns(200 * NSEC_PER_MSEC);
	normal_ns = thread_cpu_time_ns(normal) - normal_ns;
	nice_ns = thread_cpu_time_ns(nice) - nice_ns;
	write_once(&stop, true);
	test_join(0);
	test_join(1);
	/* 3 ms to 0.322 ms, 9.3 to 1; with room for an emulator that loses time in somebody's
	 * slice. */
	selftest_check(normal_ns > nice_ns * 4);
	selftest_check(normal_ns < nice_ns * 20);
}

static void note_yield_note(void *argument)
{
	struct yielder *yielder = argument;

	test_note(yielder->trace, yielder->letter);
	thread_yield();
	test_note(yielder->trace, yielder->letter);
}

SELFTEST(fifo_levels_are_strict)
{
	static struct test_trace trace;
	struct yielder low = {&trace, 'l'};
	struct yielder high = {&trace, 'h'};

	trace = (struct test_trace){.nletters = 0};
	preempt_disable();
	test_start_as(0, POLICY_FIFO, 10, note_yield_note, &low);
	test_start_as(1, POLICY_FIFO, 20, note_yield_note, &high);
	preempt_enable();
	/* Both outrank this thread: they are through by now. */
	selftest_check(test_trace_is(&trace, "hhll"));
	test_join(0);
	test_join(1);
}

static void sleep_then_store(void *argument)
{
	(void)thread_sleep_ns(2 * NSEC_PER_MSEC);
	write_once((bool *)argument, true);
}

SELFTEST(preemption_waits_for_the_spinlock)
{
	static struct spinlock lock = SPINLOCK_INIT(LOCK_TEST);
	uint64_t start_ns = clock_ns();
	struct thread *thread;
	bool ran = false;
	bool ran_inside;
	bool was_ready;

	thread = test_start_as(0, POLICY_FIFO, 1, sleep_then_store, &ran);
	spin_lock(&lock);
	/* The timer interrupt wakes it, and it outranks us. */
	while (read_once(&thread->state) == THREAD_BLOCKED && clock_ns() - start_ns < NSEC_PER_SEC)
		cpu_relax();
	was_ready = read_once(&thread->state) == THREAD_READY;
	ran_inside = read_once(&ran);
	spin_unlock(&lock);
	selftest_check(read_once(&ran));
	selftest_check(was_ready);
	selftest_check(!ran_inside);
	test_join(0);
}

static void sleep_long(void *argument)
{
	write_once((err_t *)argument, thread_sleep_ns(1000 * NSEC_PER_SEC));
}

SELFTEST(kill_ends_a_sleep)
{
	err_t result = 1;
	struct thread *thread = test_start(0, sleep_long, &result);

	test_settle();
	selftest_check(read_once(&result) == 1);
	thread_kill(thread);
	test_join(0);
	selftest_check(read_once(&result) == -EINTR);
}

SELFTEST(wake_before_block_is_kept)
{
	thread_wake(current_thread());
	thread_block(); /* would never return */
	selftest_check(current_thread()->state == THREAD_RUNNING);
}

struct blocker {
	struct test_trace *trace;
	struct thread *wakes; /* NULL: nobody */
	char letter;
};

static void block_note_wake(void *argument)
{
	struct blocker *blocker = argument;

	thread_block();
	test_note(blocker->trace, blocker->letter);
	if (blocker->wakes)
		thread_wake(blocker->wakes);
}

SELFTEST(direct_switch_passes_the_queue)
{
	static struct test_trace trace;
	struct blocker partner = {&trace, current_thread(), 'p'};
	struct blocker other = {&trace, NULL, 'o'};
	struct thread *partner_thread;
	struct thread *other_thread;

	trace = (struct test_trace){.nletters = 0};
	partner_thread = test_start(0, block_note_wake, &partner);
	other_thread = test_start(1, block_note_wake, &other);
	do {
		test_settle();
	} while (current_thread()->sched.level != LEVEL_BOOSTED);
	/* Of our own level, so it waits for the CPU, first in the queue. */
	thread_wake(other_thread);
	thread_wake_switch(partner_thread);
	test_join(0);
	test_join(1);
	selftest_check(test_trace_is(&trace, "po"));
}

static void block_then_spin(void *argument)
{
	thread_block();
	test_spin_ns(2 * NSEC_PER_MSEC);
	thread_wake(argument);
}

SELFTEST(direct_switch_charges_who_ran)
{
	struct thread *self = current_thread();
	struct thread *partner;
	uint64_t partner_ns;
	uint64_t own_ns;

	partner = test_start(0, block_then_spin, self);
	test_settle();
	partner_ns = thread_cpu_time_ns(partner);
	own_ns = thread_cpu_time_ns(self);
	thread_wake_switch(partner);
	partner_ns = thread_cpu_time_ns(partner) - partner_ns;
	own_ns = thread_cpu_time_ns(self) - own_ns;
	test_join(0);
	selftest_check(partner_ns >= 2 * NSEC_PER_MSEC * 9 / 10);
	selftest_check(own_ns < NSEC_PER_MSEC);
}

SELFTEST(idle_time_is_counted)
{
	struct sched_stats before;
	struct sched_stats after;

	test_stay();
	sched_stats(cpu_id(), &before);
	(void)thread_sleep_ns(5 * NSEC_PER_MSEC);
	sched_stats(cpu_id(), &after);
	test_go();
	selftest_check(after.nswitches > before.nswitches);
	selftest_check(after.idle_ns > before.idle_ns);
}
