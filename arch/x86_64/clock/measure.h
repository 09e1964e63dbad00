/*
 * How fast the TSC and the local APIC's timer count.
 */
#ifndef ARCH_MEASURE_H
#define ARCH_MEASURE_H

#include "counter.h"

/* The 8254's rate. */
#define PIT_HZ 1193182

struct clock_rates {
	uint64_t tsc_hz;
	uint64_t apic_per_ns; /* the timer's counts, shifted left by 32 */
	bool certain;         /* two measurements agree */
};

/* Measures in about 1 ms, once against `counter` (NULL: there is none) and once against the 8254,
 * so that each checks the other; twice against the one where there is no other. */
struct clock_rates clock_measure(const struct clock_counter *counter);

#endif
