/*
 * The start of the clock, for arch/ alone.
 */
#ifndef ARCH_CLOCK_PRIV_H
#define ARCH_CLOCK_PRIV_H

/* Measures the TSC and the local APIC's timer against the 8254 in about 1 ms; chooses clock and
 * timer. */
void clock_init(void);

/* A CPU's TSC has an offset: clock_ns() adds it from now on. */
void clock_tscs_differ(void);

#endif
