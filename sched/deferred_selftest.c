/*
 * Self-tests of what happens later: timers, RCU.
 */
#include "selftest_threads.h"

#include <arch/clock.h>
#include <lib/selftest.h>
#include <sched/rcu.h>
#include <sched/timer.h>

static struct test_trace trace;

static void note_letter(void *argument)
{
	test_note(&trace, *(const char *)argument);
}

/* ---- timers ---- */

SELFTEST(timers_fire_in_the_order_of_their_deadlines)
{
	static const unsigned ms[5] = {4, 1, 5, 3, 2};
	static struct timer timers[5];
	uint64_t now_ns = clock_ns();

	trace = (struct test_trace){.nletters = 0};
	for (unsigned i = 0; i < 5; i++) {
		timer_init(&timers[i], note_letter, (void *)&"dbeca"[i]);
		timer_start(&timers[i], now_ns + ms[i] * NSEC_PER_MSEC);
	}
	selftest_check(thread_sleep_until_ns(now_ns + 8 * NSEC_PER_MSEC) == 0);
	selftest_check(test_trace_is(&trace, "bacde"));
	selftest_check(!timer_cancel(&timers[0]));
}

SELFTEST(cancelled_timer_never_fires)
{
	static struct timer timer;
	uint64_t now_ns = clock_ns();

	trace = (struct test_trace){.nletters = 0};
	timer_init(&timer, note_letter, (void *)"x");
	timer_start(&timer, now_ns + 2 * NSEC_PER_MSEC);
	selftest_check(timer_cancel(&timer));
	selftest_check(!timer_cancel(&timer));
	selftest_check(thread_sleep_until_ns(now_ns + 4 * NSEC_PER_MSEC) == 0);
	selftest_check(test_trace_is(&trace, ""));
}

SELFTEST(restarted_timer_fires_once_at_the_new_time)
{
	static struct timer timer;
	uint64_t now_ns = clock_ns();

	trace = (struct test_trace){.nletters = 0};
	timer_init(&timer, note_letter, (void *)"x");
	timer_start(&timer, now_ns + 1 * NSEC_PER_MSEC);
	timer_start(&timer, now_ns + 60 * NSEC_PER_MSEC);
	selftest_check(thread_sleep_until_ns(now_ns + 10 * NSEC_PER_MSEC) == 0);
	selftest_check(clock_ns() >= now_ns + 60 * NSEC_PER_MSEC || test_trace_is(&trace, ""));
	selftest_check(thread_sleep_until_ns(now_ns + 65 * NSEC_PER_MSEC) == 0);
	selftest_check(test_trace_is(&trace, "x"));
}

/* ---- RCU ---- */

struct counted {
	struct rcu_head head;
	char letter;
};

static void note_grace(struct rcu_head *head)
{
	test_note(&trace, container_of(head, struct counted, head)->letter);
}

SELFTEST(rcu_waits_for_the_reader)
{
	static struct counted counted = {.letter = 'g'};

	trace = (struct test_trace){.nletters = 0};
	rcu_read_lock();
	rcu_call(&counted.head, note_grace);
	test_spin_ns(5 * NSEC_PER_MSEC); /* ticks and their polls come, and must not end it */
	selftest_check(test_trace_is(&trace, ""));
	rcu_read_unlock();
	rcu_barrier();
	selftest_check(test_trace_is(&trace, "g"));
}

SELFTEST(rcu_calls_keep_their_order)
{
	static struct counted counted[4];

	trace = (struct test_trace){.nletters = 0};
	for (unsigned i = 0; i < 4; i++) {
		counted[i].letter = "abcd"[i];
		rcu_call(&counted[i].head, note_grace);
	}
	rcu_barrier();
	selftest_check(test_trace_is(&trace, "abcd"));
}

static int *published;

static void read_published(void *argument)
{
	bool *failed = argument;

	for (int i = 0; i < 2000; i++) {
		int *value;

		rcu_read_lock();
		value = rcu_dereference(&published);
		for (int look = 0; look < 20; look++) {
			if (read_once(value) != 1)
				write_once(failed, true);
		}
		rcu_read_unlock();
	}
}

SELFTEST(rcu_synchronize_outlasts_readers)
{
	static int values[2] = {1, 1};
	bool failed = false;

	rcu_assign(&published, &values[0]);
	test_start_anywhere(0, read_published, &failed);
	test_start_anywhere(1, read_published, &failed);
	for (int i = 1; i <= 50; i++) {
		int *old = &values[(i - 1) & 1];

		write_once(&values[i & 1], 1);
		rcu_assign(&published, &values[i & 1]);
		rcu_synchronize();
		write_once(old, 0); /* as if freed */
		thread_yield();
	}
	test_join(0);
	test_join(1);
	selftest_check(!read_once(&failed));
}
