/*
 * Threads for the scheduler's self-tests: a few, with stacks of their own, since sched/ can
 * allocate none. Tests run one at a time and join what they start.
 */
#ifndef SCHED_SELFTEST_THREADS_H
#define SCHED_SELFTEST_THREADS_H

#include <sched/thread.h>

#define TEST_THREADS 4

/* Starts thread `index`; it was never started or has been joined. It and the calling thread stay on
 * one CPU until all have been joined: most tests are about the order there. */
struct thread *test_start(unsigned index, void (*entry)(void *argument), void *argument);
/* The same with a policy; `value` is the nice value of OTHER, the priority of FIFO and RR. */
struct thread *test_start_as(unsigned index, enum sched_policy policy, int value,
			     void (*entry)(void *argument), void *argument);
/* On any CPU, and the caller stays free. */
struct thread *test_start_anywhere(unsigned index, void (*entry)(void *argument), void *argument);
/* Waits until it has ended and its memory may be used again. */
void test_join(unsigned index);

/* Uses the CPU until the clock has gone on so far; is preempted as any thread. */
void test_spin_ns(uint64_t duration_ns);

/* Keeps the calling thread on its CPU, and lets it go. */
void test_stay(void);
void test_go(void);

/* Lets every ready thread run until it waits. */
void test_settle(void);

/* A list of letters in the order in which they were noted. */
struct test_trace {
	char letters[32];
	unsigned nletters;
};
void test_note(struct test_trace *trace, char letter);
bool test_trace_is(const struct test_trace *trace, const char *letters);

#endif
