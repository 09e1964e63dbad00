/*
 * Whether the clock and a counter have gone on equally between two looks, as pure arithmetic. The
 * counter begins anew after each round, so it says how long it was but for whole rounds.
 */
#ifndef ARCH_DRIFT_H
#define ARCH_DRIFT_H

#include <lib/types.h>

/* As Linux has it: a sixteenth of the time. The rate is measured in a millisecond of a machine that
 * may be shared, and is wrong by up to a fiftieth. */
#define DRIFT_PART  16
#define DRIFT_FLOOR NSEC_PER_MSEC

struct drift {
	int64_t ahead_ns; /* the clock is before the counter; negative: behind it */
	uint64_t limit_ns;
};

static inline struct drift drift_between(uint64_t clock_ns, uint64_t counter_ns, uint64_t round_ns)
{
	int64_t round = (int64_t)round_ns;
	int64_t ahead = (int64_t)(clock_ns - counter_ns) % round;

	if (ahead > round / 2)
		ahead -= round;
	else if (ahead < -round / 2)
		ahead += round;
	/* A round may have ended in between: only the clock knows, and it may err all along. */
	return (struct drift){
		.ahead_ns = ahead,
		.limit_ns = counter_ns / DRIFT_PART + DRIFT_FLOOR +
			    ((int64_t)clock_ns >= round / 2 ? round_ns / 8 : 0),
	};
}

static inline bool drift_is_too_much(const struct drift *drift)
{
	uint64_t size = (uint64_t)(drift->ahead_ns < 0 ? -drift->ahead_ns : drift->ahead_ns);

	return size > drift->limit_ns;
}

#endif
