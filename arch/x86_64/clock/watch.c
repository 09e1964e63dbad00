/*
 * The watch over the TSC: looks at the clock and at a counter at once, and compares how far both
 * have gone since the last look. Owns the last look, which is of who calls clock_check(), one at a
 * time.
 */
#define LOG_SUBSYSTEM "clock"

#include "clock_priv.h"
#include "drift.h"

#include <arch/clock.h>
#include <arch/cpu.h>
#include <lib/log.h>

#define INTERVAL_NS NSEC_PER_SEC
/* A look that takes longer was interrupted, by a hypervisor for one, and says nothing. */
#define LOOK_MAX_NS (100 * NSEC_PER_USEC)
#define ATTEMPTS    5

struct look {
	uint64_t clock_ns;
	uint32_t ticks;
};

static struct look last;
static bool have_last;

static bool look(const struct clock_counter *counter, struct look *out)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		irqflags_t flags = irq_save();
		uint64_t before_ns = clock_ns();
		uint32_t ticks = counter->read();
		uint64_t took_ns = clock_ns() - before_ns;

		irq_restore(flags);
		*out = (struct look){before_ns + took_ns / 2, ticks};
		if (took_ns <= LOOK_MAX_NS)
			return true;
	}
	return false;
}

/* True: the counter is the clock now. */
static bool compare(const struct clock_counter *counter, const struct look *now)
{
	uint64_t since_ns = counter_ns(counter, (now->ticks - last.ticks) & counter->mask);
	struct drift drift =
		drift_between(now->clock_ns - last.clock_ns, since_ns, counter_round_ns(counter));

	if (!drift_is_too_much(&drift))
		return false;
	clock_take_counter(last.clock_ns + since_ns, now->ticks);
	log_warn("the TSC is %ld us %s %s after %llu us: %s is the clock from now on",
		 (drift.ahead_ns < 0 ? -drift.ahead_ns : drift.ahead_ns) / (int64_t)NSEC_PER_USEC,
		 drift.ahead_ns < 0 ? "behind" : "ahead of", counter->name,
		 since_ns / NSEC_PER_USEC, counter->name);
	return true;
}

uint64_t clock_check(void)
{
	const struct clock_counter *counter = clock_counter_that_watches();
	struct look now;

	if (!counter)
		return clock_keep_counting();
	if (look(counter, &now)) {
		if (have_last && compare(counter, &now))
			return clock_keep_counting();
		last = now;
		have_last = true;
	}
	return INTERVAL_NS;
}
