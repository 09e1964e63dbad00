/*
 * Times and clocks, as Linux has them on x86-64.
 */
#ifndef ABI_TIME_H
#define ABI_TIME_H

#include <stdint.h>

struct abi_timespec {
	int64_t tv_sec;
	int64_t tv_nsec;
};

struct abi_timeval {
	int64_t tv_sec;
	int64_t tv_usec;
};

struct abi_itimerval {
	struct abi_timeval it_interval;
	struct abi_timeval it_value;
};

#define ITIMER_REAL    0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF    2

struct abi_itimerspec {
	struct abi_timespec it_interval;
	struct abi_timespec it_value;
};

#define TFD_TIMER_ABSTIME       1
#define TFD_TIMER_CANCEL_ON_SET 2

struct abi_timezone {
	int32_t tz_minuteswest;
	int32_t tz_dsttime;
};

struct abi_tms { /* in ticks of 1/USER_HZ s */
	int64_t tms_utime, tms_stime, tms_cutime, tms_cstime;
};

#define USER_HZ 100 /* AT_CLKTCK */

#define UTIME_NOW  ((1l << 30) - 1l)
#define UTIME_OMIT ((1l << 30) - 2l)

#define CLOCK_REALTIME           0
#define CLOCK_MONOTONIC          1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID  3
#define CLOCK_MONOTONIC_RAW      4
#define CLOCK_REALTIME_COARSE    5
#define CLOCK_MONOTONIC_COARSE   6
#define CLOCK_BOOTTIME           7
#define CLOCK_REALTIME_ALARM     8 /* would wake a machine that sleeps */
#define CLOCK_BOOTTIME_ALARM     9
#define CLOCK_TAI                11

struct abi_sigevent { /* of timer_create */
	uint64_t sigev_value;
	int32_t sigev_signo;
	int32_t sigev_notify;
	int32_t sigev_tid;
	uint32_t padding[11];
};
_Static_assert(sizeof(struct abi_sigevent) == 64, "struct sigevent of x86-64");

#define SIGEV_SIGNAL    0
#define SIGEV_NONE      1
#define SIGEV_THREAD    2
#define SIGEV_THREAD_ID 4

#define TIMER_ABSTIME 1

#endif
