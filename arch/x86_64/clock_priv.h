/*
 * The start of the clock, for arch/ alone.
 */
#ifndef ARCH_CLOCK_PRIV_H
#define ARCH_CLOCK_PRIV_H

#include <lib/types.h>

/* Measures the TSC and the local APIC's timer against the 8254 in about 1 ms; chooses clock and
 * timer. */
void clock_init(void);

/* Has the 8254 interrupt on its line after `count` of its ticks (1 .. 65535). */
void pit_set(uint32_t count);
#define PIT_LINE 0

/* A CPU's TSC has an offset: clock_ns() adds it from now on. */
void clock_tscs_differ(void);

#endif
