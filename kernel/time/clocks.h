/*
 * The clocks that programs name, and times as they write them.
 */
#ifndef KERNEL_TIME_CLOCKS_H
#define KERNEL_TIME_CLOCKS_H

#include "../process/uthread.h"

#include <abi/time.h>

enum clock_cpu { CLOCK_CPU_NONE, CLOCK_CPU_PROCESS, CLOCK_CPU_THREAD };

struct clock {
	enum clock_cpu cpu; /* CPU time of whom */
	bool user_only;     /* of that: in the program itself */
	bool wall;          /* of the day */
	bool boot;          /* since the start, sleep included: another offset in namespaces */
	bool tai;           /* the same, ahead by leap seconds */
	bool has_timers;
	int32_t tid; /* of CPU clocks: the process or the thread */
};

/* What a clockid_t means to the running thread. -EINVAL: nothing, or the CPU time of another
 * process's thread. */
err_t must_check clock_find(int number, struct clock *out);
/* Whose CPU time it is, with a reference. NULL: it has gone. */
struct process *clock_process(const struct clock *clock);
/* In nanoseconds. Of all but CPU time it is clock_ns(), which timers go by. With process's
 * signal_lock held, which is who has the clock. */
uint64_t clock_now_ns(const struct clock *clock, struct process *process);
/* What lies between a time of day and the time of clock_ns() when it comes: the first less the
 * second. While the clock is steered that is a little late (steer.c), never early. */
int64_t clock_day_offset_ns(void);
/* By it: the time of clock_ns(), now if it is past. `clock`: a wall clock; NULL: CLOCK_REALTIME.
 * Until clock_day_slept() the running thread's waits are interrupted when the clock is set. */
uint64_t clock_deadline_of_day(const struct clock *clock, uint64_t day_ns);
/* What its call said; -ERESTARTNOINTR instead of -EINTR if the clock was set meanwhile: the call
 * begins anew, and asks for its deadline again. Whether it had one or not. */
ssize_t clock_day_slept(ssize_t result);
/* How far a time of such a wall clock is ahead of clock_wall_ns(). */
int64_t clock_ahead_ns(const struct clock *clock);
/* As programs read it: the wall clock since 1970, others that go by clock_ns() as their time
 * namespace has them; 0 if who has it has gone meanwhile. */
uint64_t clock_read_ns(const struct clock *clock);
/* The time of clock_ns() that the running process's clock, neither a wall clock nor of CPU time,
 * calls so. */
uint64_t clock_meant_ns(const struct clock *clock, uint64_t ns);

static inline struct abi_timespec timespec_of_ns(uint64_t ns)
{
	return (struct abi_timespec){.tv_sec = (int64_t)(ns / NSEC_PER_SEC),
				     .tv_nsec = (int64_t)(ns % NSEC_PER_SEC)};
}

static inline struct abi_timeval timeval_of_ns(uint64_t ns)
{
	return (struct abi_timeval){.tv_sec = (int64_t)(ns / NSEC_PER_SEC),
				    .tv_usec = (int64_t)(ns % NSEC_PER_SEC / NSEC_PER_USEC)};
}

static inline bool timespec_is_valid(const struct abi_timespec *time)
{
	return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < (int64_t)NSEC_PER_SEC;
}

static inline bool timeval_is_valid(const struct abi_timeval *time)
{
	return time->tv_sec >= 0 && time->tv_usec >= 0 && time->tv_usec < 1000000;
}

/* At most 73 years, so that sums fit. */
static inline uint64_t ns_of_timespec(const struct abi_timespec *time)
{
	if ((uint64_t)time->tv_sec > UINT64_MAX / NSEC_PER_SEC / 8)
		return UINT64_MAX / 8;
	return (uint64_t)time->tv_sec * NSEC_PER_SEC + (uint64_t)time->tv_nsec;
}

static inline uint64_t ns_of_timeval(const struct abi_timeval *time)
{
	const struct abi_timespec fine = {.tv_sec = time->tv_sec,
					  .tv_nsec = time->tv_usec * (int64_t)NSEC_PER_USEC};

	return ns_of_timespec(&fine);
}

#endif
