/*
 * The vDSO's data, for arch/ alone.
 */
#ifndef ARCH_VDSO_PRIV_H
#define ARCH_VDSO_PRIV_H

#include <lib/types.h>

struct vdso_clock {
	bool tsc_trusted; /* false: programs ask by the system call */
	uint64_t tsc_start;
	uint64_t ns_mult; /* ns = (cycles * ns_mult) >> 32 */
	uint64_t wall_offset_ns;
	int64_t wall_rate; /* wall = ns + offset + ((ns - base) * rate >> 32) */
	uint64_t wall_base_ns;
};

/* Makes programs see this clock from now on, whole or not yet. One caller at a time, with
 * interrupts off: readers on this CPU would wait for a writer that does not run. */
void vdso_set_clock(const struct vdso_clock *clock);
/* How this CPU tells its number to programs. Once on each CPU. */
void vdso_init_cpu(void);

#endif
