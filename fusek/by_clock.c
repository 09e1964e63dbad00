/*
 * What happens with drivers by the clock, as on Linux: pages that were changed in memory go to
 * their servers when they are old, though nobody syncs or closes; and a driver that takes longer
 * for an answer than it said, or than is allowed, loses its connection. Owns the settings and the
 * thread, which sleeps for good while there is neither of both.
 */
#include "by_clock.h"

#include <arch/clock.h>
#include <lib/atomic.h>
#include <sched/thread.h>
#include <sched/wait.h>

#define LATE_LOOK_NS (15 * NSEC_PER_SEC) /* as Linux */
#define NSEC_PER_CS  (NSEC_PER_SEC / 100)

uint32_t dirty_expire_cs = 3000;
uint32_t dirty_writeback_cs = 500;
uint32_t fuse_default_timeout_s;
uint32_t fuse_max_timeout_s;

static WAITQ(wanted);
static bool has_thread; /* atomic */

static bool has_work(void)
{
	return pages_any_changed() || fuse_any_timed();
}

void vfs_look_at_clock(uint64_t now_ns)
{
	if (read_once(&dirty_writeback_cs))
		pages_write_old(now_ns, read_once(&dirty_expire_cs) * NSEC_PER_CS);
	fuse_end_late(now_ns);
}

static noreturn void look_for_ever(void *argument)
{
	(void)argument;
	for (;;) {
		uint64_t pages_ns;

		wait_event_idle(&wanted, has_work());
		pages_ns = read_once(&dirty_writeback_cs) * NSEC_PER_CS;
		(void)thread_sleep_ns(pages_ns ? MIN(pages_ns, LATE_LOOK_NS) : LATE_LOOK_NS);
		vfs_look_at_clock(clock_ns());
	}
}

err_t by_clock_begin(void)
{
	err_t err = 0;

	if (!atomic_exchange_full(&has_thread, true)) {
		err = vfs_start_clock(look_for_ever);
		if (err)
			write_once(&has_thread, false);
	}
	return err;
}

void by_clock_wake(void)
{
	waitq_wake_all(&wanted);
}
