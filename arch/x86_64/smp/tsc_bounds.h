/*
 * How far another CPU's TSC is from ours, as pure arithmetic. We read ours, the other reads its
 * own, we read ours again: so its reading was taken between our two, and the difference lies
 * between two bounds. Several rounds narrow them.
 */
#ifndef ARCH_TSC_BOUNDS_H
#define ARCH_TSC_BOUNDS_H

#include <lib/types.h>

/* Of (other TSC - our TSC). */
struct tsc_bounds {
	int64_t low;
	int64_t high;
};

#define TSC_BOUNDS_INIT                                                                            \
	{                                                                                          \
		.low = INT64_MIN, .high = INT64_MAX                                                \
	}

static inline void tsc_bounds_add(struct tsc_bounds *bounds, uint64_t before, uint64_t other,
				  uint64_t after)
{
	bounds->low = MAX(bounds->low, (int64_t)(other - after));
	bounds->high = MIN(bounds->high, (int64_t)(other - before));
}

/* 0 where the readings show no difference: then no exchange between the two CPUs can show one. Else
 * the middle between the bounds. */
static inline int64_t tsc_bounds_difference(const struct tsc_bounds *bounds)
{
	if (bounds->low <= 0 && bounds->high >= 0)
		return 0;
	return bounds->low + (bounds->high - bounds->low) / 2;
}

#endif
