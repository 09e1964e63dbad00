/*
 * The pages that the vDSO reads: between the kernel and its own vDSO, of one build, so no program
 * may rely on their layout. Written by arch/x86_64/vdso.c alone.
 */
#ifndef ARCH_VDSO_DATA_H
#define ARCH_VDSO_DATA_H

#include <stdint.h>

/* The descriptor of the GDT whose limit is the number of the CPU: LSL reads it in user mode. */
#define VDSO_CPU_SELECTOR 0x3b

struct vdso_data {
	uint32_t sequence; /* odd while the others change */
	uint32_t tsc;      /* the TSC is the clock; 0: ask the kernel */
	uint32_t rdpid;    /* the CPU has RDPID; constant */
	uint32_t spare;
	uint64_t tsc_start; /* where the clock was 0 */
	uint64_t ns_mult;   /* ns = (cycles * ns_mult) >> 32 */
	uint64_t wall_offset_ns;
	int64_t wall_rate;     /* what the wall clock gains, in 2^-32; */
	uint64_t wall_base_ns; /* since when */
	/* Of the page in the first one's place that programs of a time namespace have, in which
	 * `tsc` is 0. Constant once they run. */
	uint64_t namespaced;
	int64_t monotonic_offset_ns;
	int64_t boot_offset_ns;
};

#endif
