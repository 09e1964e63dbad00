/*
 * The start of the clock, for arch/ alone.
 */
#ifndef ARCH_CLOCK_PRIV_H
#define ARCH_CLOCK_PRIV_H

#include "counter.h"

#include <lib/types.h>

/* Measures the TSC and the local APIC's timer in about 1 ms; chooses clock and timer. */
void clock_init(void);

/* Has the 8254 interrupt on its line after `count` of its ticks (1 .. 65535). */
void pit_set(uint32_t count);
#define PIT_LINE 0

/* A CPU's TSC has an offset: clock_ns() adds it from now on. While CPUs are started. */
void clock_tscs_differ(void);

/* ---- for watch.c ---- */

/* The counter that the TSC is compared with. NULL: none is, or the TSC is not the clock. */
const struct clock_counter *clock_counter_that_watches(void);
/* Makes that counter the clock, which should have been `right_ns` when the counter was `ticks`, a
 * moment ago. The clock stands still for some microseconds and never goes back: if it is ahead, it
 * stays so, but the wall clock is set right. Calls all CPUs; in a thread. */
void clock_take_counter(uint64_t right_ns, uint32_t ticks);
/* If a counter is the clock: reads it, and says within how many nanoseconds it must be read again;
 * else 0. */
uint64_t clock_keep_counting(void);

#endif
