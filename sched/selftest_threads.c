/*
 * Threads for the self-tests: see selftest_threads.h. A thread's memory is free again when its
 * release was called; `ended` says so.
 */
#include "selftest_threads.h"

#include <arch/clock.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <sched/wait.h>

#define TEST_STACK_BYTES (8 * KIB)

struct test_thread {
	struct thread thread;
	bool started; /* the test's */
	bool stays;   /* the test's: on the test's CPU */
	bool ended;   /* atomic */
	alignas(16) char stack[TEST_STACK_BYTES];
};

static struct test_thread threads[TEST_THREADS];
static WAITQ(joiners);
static unsigned nstaying; /* the test's */

static void note_end(struct thread *thread)
{
	store_release(&container_of(thread, struct test_thread, thread)->ended, true);
	waitq_wake_all(&joiners);
}

void test_stay(void)
{
	err_t err;

	preempt_disable();
	err = thread_set_affinity(current_thread(), cpuset_of(cpu_id()));
	preempt_enable();
	assert(!err);
}

void test_go(void)
{
	assert(!thread_set_affinity(current_thread(), ~UINT64_C(0)));
}

static struct thread *start(unsigned index, enum sched_policy policy, int value, cpuset_t affinity,
			    void (*entry)(void *argument), void *argument)
{
	struct test_thread *test = &threads[index];

	assert(index < TEST_THREADS && !test->started);
	test->started = true;
	test->ended = false;
	thread_init(&test->thread, &(struct thread_params){
					   .name = "selftest",
					   .entry = entry,
					   .argument = argument,
					   .stack_base = (vaddr_t)test->stack,
					   .stack_top = (vaddr_t)test->stack + TEST_STACK_BYTES,
					   .policy = policy,
					   .nice = policy == POLICY_OTHER ? value : 0,
					   .priority = (unsigned)value,
					   .affinity = affinity,
					   .release = note_end,
				   });
	thread_start(&test->thread);
	return &test->thread;
}

struct thread *test_start_as(unsigned index, enum sched_policy policy, int value,
			     void (*entry)(void *argument), void *argument)
{
	if (nstaying++ == 0)
		test_stay();
	threads[index].stays = true;
	return start(index, policy, value, current_thread()->affinity, entry, argument);
}

struct thread *test_start_anywhere(unsigned index, void (*entry)(void *argument), void *argument)
{
	threads[index].stays = false;
	return start(index, POLICY_OTHER, 0, 0, entry, argument);
}

struct thread *test_start(unsigned index, void (*entry)(void *argument), void *argument)
{
	return test_start_as(index, POLICY_OTHER, 0, entry, argument);
}

void test_join(unsigned index)
{
	struct test_thread *test = &threads[index];

	assert(test->started);
	wait_event(&joiners, load_acquire(&test->ended));
	test->started = false;
	if (test->stays && --nstaying == 0)
		test_go();
}

void test_spin_ns(uint64_t duration_ns)
{
	uint64_t start_ns = clock_ns();

	while (clock_ns() - start_ns < duration_ns)
		cpu_relax();
}

void test_settle(void)
{
	(void)thread_sleep_ns(3 * NSEC_PER_MSEC);
}

void test_note(struct test_trace *trace, char letter)
{
	unsigned place = __atomic_fetch_add(&trace->nletters, 1, __ATOMIC_RELAXED);

	if (place < sizeof(trace->letters) - 1)
		trace->letters[place] = letter;
}

bool test_trace_is(const struct test_trace *trace, const char *letters)
{
	return read_once(&trace->nletters) == strlen(letters) &&
	       strcmp(trace->letters, letters) == 0;
}
