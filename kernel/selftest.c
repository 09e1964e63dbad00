/*
 * The runner of the self-tests. The first failure of a test is kept, the test goes on. What a test
 * leaves behind is counted in frames and slab objects; what is deferred (threads that ended, RCU)
 * has time to finish first, so a difference that stays is a leak.
 *
 * One runs at a time: ksh's thread, or the one of the command line's `selftest`. Threads of the
 * test may fail as well, so the failure is written under a lock.
 */
#include "selftest.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <arch/spin.h>
#include <fusek/mount.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <sched/rcu.h>
#include <sched/task.h>
#include <sched/thread.h>

#define SETTLE_ROUNDS   20
#define SETTLE_SLEEP_NS (5 * NSEC_PER_MSEC)

static struct spinlock failure_lock = SPINLOCK_INIT(LOCK_TEST);
static unsigned nfailures;      /* failure_lock */
static char first_failure[160]; /* failure_lock */

const char *selftest_name(size_t number)
{
	return number < (size_t)(selftests_end - selftests_start) ? selftests_start[number].name
								  : NULL;
}

void selftest_fail(const char *file, unsigned line, const char *condition)
{
	irqflags_t flags = spin_lock_irqsave(&failure_lock);

	if (!nfailures++)
		kernel_format(first_failure, sizeof(first_failure), "%s:%u: %s", file, line,
			      condition);
	spin_unlock_irqrestore(&failure_lock, flags);
}

struct usage_count {
	uint64_t frames_free;
	uint64_t objects;
};

static struct usage_count count_usage(void)
{
	return (struct usage_count){.frames_free = frames_free(), .objects = slab_live()};
}

/* What is deferred is done: threads' memory, RCU callbacks. */
static void settle(void)
{
	names_evict(); /* a cached name is no leak */
	rcu_synchronize();
	executors_flush();
}

/* How many more objects are in use than before, once what was deferred has had its time. Free
 * frames may be fewer without a leak: slab caches keep empty slabs, the kernel's area keeps stacks.
 */
static uint64_t leaked_objects(const struct usage_count *before, struct usage_count *after)
{
	for (unsigned round = 0; round < SETTLE_ROUNDS; round++) {
		settle();
		*after = count_usage();
		if (after->objects <= before->objects)
			return 0;
		(void)thread_sleep_ns(SETTLE_SLEEP_NS);
	}
	return after->objects - before->objects;
}

static bool has_failed(void)
{
	irqflags_t flags = spin_lock_irqsave(&failure_lock);
	bool failed = nfailures != 0;

	spin_unlock_irqrestore(&failure_lock, flags);
	return failed;
}

/* Runs the test and says how many objects it leaves behind. */
static uint64_t run_counted(const struct selftest *test, struct ksh_test_result *out)
{
	struct usage_count before, after;
	uint64_t start_ns, leaked;

	settle();
	before = count_usage();
	start_ns = clock_ns();
	test->run();
	out->took_ns = clock_ns() - start_ns;
	leaked = leaked_objects(&before, &after);
	out->leaked_frames = (int64_t)(before.frames_free - after.frames_free);
	return leaked;
}

err_t selftest_run(size_t number, struct ksh_test_result *out)
{
	uint64_t leaked;
	irqflags_t flags;

	if (!selftest_name(number))
		return -ENOENT;
	*out = (struct ksh_test_result){0};
	flags = spin_lock_irqsave(&failure_lock);
	nfailures = 0;
	first_failure[0] = '\0';
	spin_unlock_irqrestore(&failure_lock, flags);

	leaked = run_counted(&selftests_start[number], out);
	/* The first run may have filled caches of names and nodes; the second finds them filled. */
	if (leaked && !has_failed())
		leaked = run_counted(&selftests_start[number], out);
	if (leaked) {
		char text[96];

		kernel_format(text, sizeof(text), "%lu objects are still in use after it", leaked);
		selftest_fail("leak", 0, text);
	}
	out->passed = !has_failed();
	flags = spin_lock_irqsave(&failure_lock);
	string_copy(out->failure, sizeof(out->failure), first_failure);
	spin_unlock_irqrestore(&failure_lock, flags);
	return 0;
}
