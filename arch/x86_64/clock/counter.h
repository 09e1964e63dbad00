/*
 * Counters beside the TSC: slow to read, but of a rate that is known and that nothing changes.
 */
#ifndef ARCH_COUNTER_H
#define ARCH_COUNTER_H

#include <lib/types.h>

/* All constant. */
struct clock_counter {
	const char *name;     /* as the command line says it */
	const char *watching; /* what the clock's source is called while this one checks it */
	uint32_t mask;        /* it counts up to here, then from 0 */
	uint64_t ns_mult;     /* ns = (ticks * ns_mult) >> 32 */
	uint32_t (*read)(void);
};

/* The HPET, and the timer of ACPI's power management. NULL: the machine has none that works. Once,
 * on the first CPU, after acpi_init(). */
const struct clock_counter *hpet_find(void);
const struct clock_counter *pm_timer_find(void);

static inline uint64_t clock_scale(uint64_t value, uint64_t mult)
{
	return (uint64_t)((unsigned __int128)value * mult >> 32);
}

static inline uint64_t counter_ns(const struct clock_counter *counter, uint64_t ticks)
{
	return clock_scale(ticks, counter->ns_mult);
}

/* Ticks since it read `before`, less than one round ago. */
static inline uint32_t counter_since(const struct clock_counter *counter, uint32_t before)
{
	return (counter->read() - before) & counter->mask;
}

/* After so long it has begun anew. */
static inline uint64_t counter_round_ns(const struct clock_counter *counter)
{
	return counter_ns(counter, (uint64_t)counter->mask + 1);
}

#endif
