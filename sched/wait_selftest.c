/*
 * Self-tests of wait queues and mutexes.
 */
#include "selftest_threads.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <lib/selftest.h>
#include <sched/lock.h>
#include <sched/wait.h>

/* What a test and its threads share. */
struct shared {
	struct waitq queue;
	bool go;          /* atomic */
	unsigned npassed; /* atomic */
	err_t result;
	struct mutex mutex;
	unsigned inside;
	unsigned overlaps;
	struct test_trace trace;
};

static struct shared shared;

static void reset(void)
{
	shared = (struct shared){.result = 1};
	waitq_init(&shared.queue);
	mutex_init(&shared.mutex, LOCK_SELFTEST);
}

static void pass_gate(void *argument)
{
	wait_event(&shared.queue, read_once(&shared.go));
	__atomic_fetch_add(&shared.npassed, 1, __ATOMIC_RELAXED);
}

/* One that needs a wake for itself: takes the token that `go` is. */
static void take_token(void *argument)
{
	bool token;

	wait_event(&shared.queue, (token = true, atomic_cas(&shared.go, &token, false)));
	__atomic_fetch_add(&shared.npassed, 1, __ATOMIC_RELAXED);
}

SELFTEST(waitq_wake_all_wakes_all)
{
	reset();
	for (unsigned i = 0; i < 3; i++)
		test_start(i, pass_gate, NULL);
	test_settle();
	selftest_check(waitq_has_waiters(&shared.queue));
	selftest_check(read_once(&shared.npassed) == 0);
	write_once(&shared.go, true);
	waitq_wake_all(&shared.queue);
	for (unsigned i = 0; i < 3; i++)
		test_join(i);
	selftest_check(read_once(&shared.npassed) == 3);
	selftest_check(!waitq_has_waiters(&shared.queue));
}

/* ---- watches ---- */

struct test_watch {
	struct waitq_watch watch;
	unsigned ntold;
	unsigned events; /* of the last time */
	bool answers;
};

static bool note_told(struct waitq_watch *watch, unsigned events)
{
	struct test_watch *test = container_of(watch, struct test_watch, watch);

	test->ntold++;
	test->events = events;
	return test->answers;
}

SELFTEST(waitq_watches_are_told_and_stay)
{
	struct test_watch plain = {.watch.notify = note_told, .answers = true};
	struct test_watch first = {.watch = {.notify = note_told, .exclusive = true}};
	struct test_watch second = first;

	reset();
	waitq_watch(&shared.queue, &first.watch);
	waitq_watch(&shared.queue, &second.watch);
	waitq_watch(&shared.queue, &plain.watch);
	selftest_check(!waitq_wake_one(&shared.queue)); /* all were told, nobody answered */
	selftest_check(plain.ntold == 1 && first.ntold == 1 && second.ntold == 1);
	first.answers = second.answers = true;
	selftest_check(waitq_wake_one(&shared.queue));
	selftest_check(first.ntold == 2 && second.ntold == 1);
	waitq_wake_all_events(&shared.queue, 4); /* the next one's turn */
	selftest_check(first.ntold == 2 && second.ntold == 2 && second.events == 4);
	selftest_check(plain.ntold == 3 && plain.events == 4);
	/* Who waits has what the watches leave. */
	test_start(0, take_token, NULL);
	test_settle();
	waitq_unwatch(&shared.queue, &first.watch);
	waitq_unwatch(&shared.queue, &second.watch);
	write_once(&shared.go, true);
	selftest_check(waitq_wake_one(&shared.queue));
	test_join(0);
	selftest_check(plain.ntold == 4 && read_once(&shared.npassed) == 1);
	waitq_unwatch(&shared.queue, &plain.watch);
	selftest_check(!waitq_has_waiters(&shared.queue));
}

#define MEETING_ROUNDS 20000

static unsigned ntold_of[2]; /* atomic: wakes with each of two events */

static bool count_told(UNUSED struct waitq_watch *watch, unsigned events)
{
	(void)__atomic_fetch_add(&ntold_of[events == 2], 1, __ATOMIC_RELAXED);
	return false;
}

static void wake_with_two(UNUSED void *argument)
{
	for (unsigned i = 0; i < MEETING_ROUNDS; i++)
		waitq_wake_all_events(&shared.queue, 2);
}

/* Each tells all watches, though the other is at them as well. */
SELFTEST(waitq_wakes_that_meet_tell_both)
{
	struct waitq_watch watches[3];

	reset();
	ntold_of[0] = ntold_of[1] = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(watches); i++) {
		watches[i] = (struct waitq_watch){.notify = count_told};
		waitq_watch(&shared.queue, &watches[i]);
	}
	test_start_anywhere(0, wake_with_two, NULL);
	for (unsigned i = 0; i < MEETING_ROUNDS; i++)
		waitq_wake_all_events(&shared.queue, 1);
	test_join(0);
	selftest_check(ntold_of[0] == MEETING_ROUNDS * ARRAY_SIZE(watches));
	selftest_check(ntold_of[1] == MEETING_ROUNDS * ARRAY_SIZE(watches));
	for (unsigned i = 0; i < ARRAY_SIZE(watches); i++)
		waitq_unwatch(&shared.queue, &watches[i]);
}

SELFTEST(waitq_wake_one_wakes_one)
{
	reset();
	for (unsigned i = 0; i < 3; i++)
		test_start(i, take_token, NULL);
	test_settle();
	for (unsigned i = 1; i <= 3; i++) {
		write_once(&shared.go, true);
		selftest_check(waitq_wake_one(&shared.queue));
		test_settle();
		selftest_check(read_once(&shared.npassed) == i);
	}
	for (unsigned i = 0; i < 3; i++)
		test_join(i);
	selftest_check(!waitq_wake_one(&shared.queue));
}

static struct test_trace order;

static void take_token_and_note(void *argument)
{
	take_token(NULL);
	test_note(&order, *(const char *)argument);
}

SELFTEST(waitq_wake_one_wakes_the_longest_waiting)
{
	static char letters[] = "abc";

	reset();
	order = (struct test_trace){.nletters = 0};
	for (unsigned i = 0; i < 3; i++) {
		test_start(i, take_token_and_note, &letters[i]);
		test_settle();
	}
	for (unsigned i = 0; i < 3; i++) {
		write_once(&shared.go, true);
		selftest_check(waitq_wake_one(&shared.queue));
		test_settle();
	}
	for (unsigned i = 0; i < 3; i++)
		test_join(i);
	selftest_check(test_trace_is(&order, "abc"));
}

SELFTEST(wait_times_out_at_its_deadline)
{
	uint64_t deadline_ns;

	reset();
	deadline_ns = clock_ns() + 3 * NSEC_PER_MSEC;
	selftest_check(wait_event_timeout(&shared.queue, read_once(&shared.go), deadline_ns) ==
		       -ETIMEDOUT);
	selftest_check(clock_ns() >= deadline_ns);
	selftest_check(!waitq_has_waiters(&shared.queue));
	write_once(&shared.go, true);
	selftest_check(wait_event_timeout(&shared.queue, read_once(&shared.go), 0) == 0);
}

static void open_gate_later(void *argument)
{
	(void)thread_sleep_ns(2 * NSEC_PER_MSEC);
	write_once(&shared.go, true);
	waitq_wake_all(&shared.queue);
}

SELFTEST(wake_comes_before_the_deadline)
{
	uint64_t deadline_ns = clock_ns() + 100 * NSEC_PER_SEC;

	reset();
	test_start(0, open_gate_later, NULL);
	selftest_check(wait_event_timeout(&shared.queue, read_once(&shared.go), deadline_ns) == 0);
	selftest_check(clock_ns() < deadline_ns);
	test_join(0);
}

/* ---- wakes for nothing ---- */

#define WASTED_ROUNDS   300
#define WASTED_LIMIT_NS (20 * NSEC_PER_SEC)

static unsigned wasted_round;  /* atomic: the waiter waits for it to rise */
static unsigned wasted_passed; /* atomic: how often it has seen that */
static bool wasted_lost;       /* atomic */
static WAITQ(wasted_seen);     /* of who waits for wasted_passed */

static void pass_each_round(void *argument)
{
	for (unsigned i = 0; i < WASTED_ROUNDS; i++) {
		uint64_t deadline_ns = clock_ns() + WASTED_LIMIT_NS;

		(void)!wait_event_timeout(&shared.queue, read_once(&wasted_round) > i, deadline_ns);
		if (clock_ns() >= deadline_ns) {
			write_once(&wasted_lost, true);
			waitq_wake_all(&wasted_seen);
			break;
		}
		write_once(&wasted_passed, i + 1);
		waitq_wake_all(&wasted_seen);
	}
}

/* Wakes that come while the waiter goes to sleep again, from another CPU if there is one: the last
 * of them, which has something to tell, finds it waiting. */
SELFTEST(wakes_for_nothing_lose_no_other)
{
	unsigned round = 0;

	reset();
	wasted_round = wasted_passed = 0;
	wasted_lost = false;
	test_start_anywhere(0, pass_each_round, NULL);
	while (round < WASTED_ROUNDS && !read_once(&wasted_lost)) {
		for (unsigned i = 0; i < 1 + round % 5; i++)
			waitq_wake_all(&shared.queue);
		write_once(&wasted_round, ++round);
		waitq_wake_all(&shared.queue);
		/* Asleep: on the measuring machine, CPUs take turns, and one that spins has the
		 * longest. */
		wait_event(&wasted_seen,
			   read_once(&wasted_passed) >= round || read_once(&wasted_lost));
	}
	test_join(0);
	selftest_check(!wasted_lost);
}

/* ---- what ends a wait early ---- */

static void wait_killable(void *argument)
{
	shared.result = wait_event_killable(&shared.queue, read_once(&shared.go));
}

SELFTEST(kill_ends_a_killable_wait)
{
	struct thread *thread;

	reset();
	thread = test_start(0, wait_killable, NULL);
	test_settle();
	thread_kill(thread);
	test_join(0);
	selftest_check(shared.result == -EINTR);
	selftest_check(!waitq_has_waiters(&shared.queue));
}

SELFTEST(kill_does_not_end_an_unkillable_wait)
{
	struct thread *thread;

	reset();
	thread = test_start(0, pass_gate, NULL);
	test_settle();
	thread_kill(thread);
	test_settle();
	selftest_check(read_once(&shared.npassed) == 0);
	write_once(&shared.go, true);
	waitq_wake_all(&shared.queue);
	test_join(0);
	selftest_check(read_once(&shared.npassed) == 1);
}

static void wait_interruptible(void *argument)
{
	shared.result = wait_event_interruptible(&shared.queue, read_once(&shared.go));
	thread_clear_interrupt();
	if (wait_event_killable(&shared.queue, read_once(&shared.go)) == 0)
		__atomic_fetch_add(&shared.npassed, 1, __ATOMIC_RELAXED);
}

SELFTEST(interrupt_ends_only_interruptible_waits)
{
	struct thread *thread;

	reset();
	thread = test_start(0, wait_interruptible, NULL);
	test_settle();
	thread_interrupt(thread);
	test_settle();
	selftest_check(shared.result == -EINTR);
	thread_interrupt(thread);
	test_settle();
	selftest_check(read_once(&shared.npassed) == 0);
	write_once(&shared.go, true);
	waitq_wake_all(&shared.queue);
	test_join(0);
	selftest_check(read_once(&shared.npassed) == 1);
}

/* A server that answers each request by waking, and waits for the next by switching. */
struct rally {
	struct waitq ping;
	struct waitq pong;
	unsigned nsent;     /* atomic */
	unsigned nanswered; /* atomic */
};

static struct rally rally;

#define RALLIES 100

static void answer(void *argument)
{
	for (unsigned i = 1; i <= RALLIES; i++) {
		(void)wait_event_killable(&rally.ping, read_once(&rally.nsent) >= i);
		write_once(&rally.nanswered, i);
		waitq_wake_one(&rally.pong);
	}
}

SELFTEST(wait_with_switch_hands_the_cpu_over)
{
	struct sched_stats before;
	struct sched_stats after;
	unsigned nlost = 0;

	rally = (struct rally){.nsent = 0};
	waitq_init(&rally.ping);
	waitq_init(&rally.pong);
	test_start(0, answer, NULL);
	test_settle();
	sched_stats(cpu_id(), &before);
	for (unsigned i = 1; i <= RALLIES; i++) {
		write_once(&rally.nsent, i);
		if (wait_event_switch(&rally.pong, read_once(&rally.nanswered) >= i, &rally.ping))
			nlost++;
	}
	sched_stats(cpu_id(), &after);
	test_join(0);
	selftest_check(nlost == 0);
	/* A slice ends, or the partner is not asleep yet: often where the machine itself waits. */
	selftest_check(after.ndirect - before.ndirect >= RALLIES / 10);
}

/* The same without queues: who asks knows who serves, and a lock of the two says how far they are.
 */
struct desk {
	struct spinlock lock;
	struct thread *asks;
	struct thread *serves;
	unsigned nasked;  /* lock */
	unsigned nserved; /* lock */
};

static struct desk desk;

static bool serve_one(void)
{
	bool any;

	spin_lock(&desk.lock);
	any = desk.nserved < desk.nasked;
	if (any) {
		desk.nserved++;
		thread_wake(desk.asks);
	}
	spin_unlock(&desk.lock);
	return any;
}

static void serve(void *argument)
{
	for (unsigned nserved = 0; nserved < RALLIES;) {
		if (serve_one())
			nserved++;
		else
			(void)!thread_wait(THREAD_KILLED, UINT64_MAX);
	}
}

static bool is_served(unsigned n)
{
	bool served;

	spin_lock(&desk.lock);
	served = desk.nserved >= n;
	spin_unlock(&desk.lock);
	return served;
}

static err_t ask_for(unsigned n)
{
	err_t err;

	spin_lock(&desk.lock);
	desk.nasked = n;
	err = thread_wait_switch(THREAD_KILLED | THREAD_INTERRUPTED, desk.serves, &desk.lock);
	while (!is_served(n))
		(void)!thread_wait(THREAD_KILLED, UINT64_MAX);
	return err;
}

SELFTEST(who_is_known_gets_the_cpu_and_wakes_who_asked)
{
	struct sched_stats before;
	struct sched_stats after;
	unsigned nlost = 0;
	err_t interrupted;

	desk = (struct desk){.asks = current_thread()};
	spin_init(&desk.lock, LOCK_DRIVER);
	desk.serves = test_start(0, serve, NULL);
	test_settle();
	sched_stats(cpu_id(), &before);
	for (unsigned i = 1; i < RALLIES; i++) {
		if (ask_for(i))
			nlost++;
	}
	sched_stats(cpu_id(), &after);
	/* Who may not sleep has woken the other all the same. */
	thread_interrupt(current_thread());
	interrupted = ask_for(RALLIES);
	thread_clear_interrupt();
	test_join(0);
	selftest_check(nlost == 0);
	selftest_check(interrupted == -EINTR);
	selftest_check(after.ndirect - before.ndirect >= RALLIES / 10);
}

/* ---- mutexes ---- */

static void enter_and_leave(void *argument)
{
	for (int i = 0; i < 20; i++) {
		mutex_lock(&shared.mutex);
		if (shared.inside++ != 0)
			shared.overlaps++;
		thread_yield();
		shared.inside--;
		mutex_unlock(&shared.mutex);
	}
	__atomic_fetch_add(&shared.npassed, 1, __ATOMIC_RELAXED);
}

SELFTEST(mutex_excludes)
{
	reset();
	for (unsigned i = 0; i < TEST_THREADS; i++)
		test_start(i, enter_and_leave, NULL);
	for (unsigned i = 0; i < TEST_THREADS; i++)
		test_join(i);
	selftest_check(shared.npassed == TEST_THREADS);
	selftest_check(shared.overlaps == 0);
	selftest_check(!mutex_is_locked(&shared.mutex));
}

static void lock_and_note(void *argument)
{
	mutex_lock(&shared.mutex);
	test_note(&shared.trace, *(const char *)argument);
	mutex_unlock(&shared.mutex);
}

SELFTEST(mutex_goes_to_the_longest_waiting)
{
	reset();
	mutex_lock(&shared.mutex);
	for (unsigned i = 0; i < 3; i++) {
		test_start(i, lock_and_note, (void *)&"abc"[i]);
		test_settle();
	}
	selftest_check(test_trace_is(&shared.trace, ""));
	mutex_unlock(&shared.mutex);
	/* It was handed over: who comes now waits, though no other has run yet. */
	mutex_lock(&shared.mutex);
	test_note(&shared.trace, 'm');
	mutex_unlock(&shared.mutex);
	for (unsigned i = 0; i < 3; i++)
		test_join(i);
	selftest_check(test_trace_is(&shared.trace, "abcm"));
}

static void lock_killable(void *argument) NO_THREAD_SAFETY
{
	shared.result = mutex_lock_killable(&shared.mutex);
	if (!shared.result)
		mutex_unlock(&shared.mutex);
}

SELFTEST(kill_ends_a_killable_lock)
{
	struct thread *thread;

	reset();
	mutex_lock(&shared.mutex);
	thread = test_start(0, lock_killable, NULL);
	test_settle();
	thread_kill(thread);
	test_join(0);
	selftest_check(shared.result == -EINTR);
	selftest_check(mutex_is_mine(&shared.mutex));
	mutex_unlock(&shared.mutex);
	selftest_check(!mutex_is_locked(&shared.mutex));
	if (mutex_trylock(&shared.mutex))
		mutex_unlock(&shared.mutex);
	else
		selftest_check(false);
}

static void try_lock(void *argument)
{
	shared.result = mutex_trylock(&shared.mutex) ? 0 : -EBUSY;
}

SELFTEST(trylock_never_waits)
{
	reset();
	mutex_lock(&shared.mutex);
	test_start(0, try_lock, NULL);
	test_join(0);
	selftest_check(shared.result == -EBUSY);
	mutex_unlock(&shared.mutex);
}
