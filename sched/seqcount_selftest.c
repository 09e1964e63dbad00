/*
 * Self-tests of readers without a lock.
 */
#include "selftest_threads.h"

#include <arch/spin.h>
#include <lib/selftest.h>
#include <sched/seqcount.h>

#define WRITES 20000

static struct {
	struct spinlock lock;
	struct seqcount changes;
	uint64_t words[6]; /* written under the lock, all alike; by atomic access */
	bool ended;        /* atomic */
} shared;

static void write_alike(void *argument)
{
	(void)argument;
	for (uint64_t i = 1; i <= WRITES; i++) {
		spin_lock(&shared.lock);
		seqcount_write_begin(&shared.changes);
		for (unsigned word = 0; word < ARRAY_SIZE(shared.words); word++)
			write_once(&shared.words[word], i);
		seqcount_write_end(&shared.changes);
		spin_unlock(&shared.lock);
	}
	store_release(&shared.ended, true);
}

/* One reading: whether all words were alike, and not older than those seen before. */
static bool read_alike(uint64_t *seen)
{
	uint64_t words[ARRAY_SIZE(shared.words)];
	uint32_t begun;
	bool alike;

	do {
		begun = seqcount_read_begin(&shared.changes);
		for (unsigned word = 0; word < ARRAY_SIZE(words); word++)
			words[word] = read_once(&shared.words[word]);
	} while (seqcount_changed(&shared.changes, begun));

	alike = words[0] >= *seen;
	for (unsigned word = 1; word < ARRAY_SIZE(words); word++)
		alike = alike && words[word] == words[0];
	*seen = words[0];
	return alike;
}

SELFTEST(readers_without_a_lock_see_no_half_of_a_change)
{
	uint64_t nwrong = 0;
	uint64_t seen = 0;

	shared.ended = false;
	for (unsigned word = 0; word < ARRAY_SIZE(shared.words); word++)
		shared.words[word] = 0;
	spin_init(&shared.lock, LOCK_TEST);
	(void)test_start_anywhere(0, write_alike, NULL);
	while (!load_acquire(&shared.ended)) {
		for (unsigned i = 0; i < 100; i++)
			nwrong += !read_alike(&seen);
		thread_yield();
	}
	test_join(0);
	selftest_check(nwrong == 0);
	selftest_check(read_alike(&seen) && seen == WRITES);
}
