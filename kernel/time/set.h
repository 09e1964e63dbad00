/*
 * Setting and steering the wall clock: what set.c, ntp.c and steer.c share.
 */
#ifndef KERNEL_TIME_SET_H
#define KERNEL_TIME_SET_H

#include <abi/timex.h>
#include <lib/types.h>
#include <sched/lock.h>

/* One change of the clock at a time. */
extern struct mutex clockset_lock; /* LOCK_CLOCKSET */

/* `forward` changes the time of day, for sleepers too. What the clock was to gain is forgotten, and
 * a leap second that was to come: they were of the time before. */
void clock_step_locked(int64_t forward_ns) REQUIRES(clockset_lock);

/* Seconds that TAI is ahead of UTC, as adjtimex told it. By read_once. */
extern int32_t clock_tai_s;

/* ---- steering (ntp.c): pure arithmetic on the state, under clockset_lock ---- */

/*
 * What the clock's keeper has said, and what follows from it, as Linux's ntp.c has it. Offsets are
 * nanoseconds that the clock is still to gain.
 */
struct ntp {
	int64_t frequency; /* ppm, 16 bits behind the point */
	int64_t tick_us;   /* how long a hundredth of a second shall be */
	int64_t offset_ns; /* gained bit by bit: a part of what is left each second */
	int64_t adjust_us; /* adjtime's: 500 us each second */
	int64_t part_ns;   /* of offset_ns, in the second that runs */
	int64_t part_us;   /* of adjust_us */
	int64_t counted_s; /* the second that was counted last, as it is called after a leap */
	int64_t reference_s;
	int64_t maxerror_us, esterror_us, constant;
	int32_t status; /* STA_* */
	int state;      /* TIME_OK, TIME_INS ... */
	int64_t leap_s; /* when the second comes, or goes; INT64_MAX: not any more */
};

/* -EINVAL: out of range. */
err_t must_check ntp_check(const struct abi_timex *wanted);
/* All modes but ADJ_SETOFFSET and ADJ_TAI; `now_s`: the wall clock. */
void ntp_apply(struct ntp *ntp, const struct abi_timex *wanted, int64_t now_s);
/* A second of the wall clock begins: how far it is to jump for a leap second (s), mostly 0. One
 * that was counted last counts once. */
int ntp_second(struct ntp *ntp, int64_t now_s);
/* The clock was set. */
void ntp_clear(struct ntp *ntp);
/* What the clock gains now, as clock_wall_steer() takes it. */
int64_t ntp_rate(const struct ntp *ntp);
/* Anything changes with the seconds. */
bool ntp_is_busy(const struct ntp *ntp);

#endif
