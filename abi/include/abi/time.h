/*
 * Times and clocks, as Linux has them on x86-64.
 */
#ifndef ABI_TIME_H
#define ABI_TIME_H

#include <abi/fs.h> /* struct abi_timespec */
#include <stdint.h>

struct abi_timeval {
	int64_t seconds;
	int64_t microseconds;
};

struct abi_timezone {
	int32_t minutes_west;
	int32_t dst_time;
};

struct abi_tms { /* in ticks of 1/USER_HZ s */
	int64_t user, system, children_user, children_system;
};

#define USER_HZ 100 /* AT_CLKTCK */

#define CLOCK_REALTIME           0
#define CLOCK_MONOTONIC          1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID  3
#define CLOCK_MONOTONIC_RAW      4
#define CLOCK_REALTIME_COARSE    5
#define CLOCK_MONOTONIC_COARSE   6
#define CLOCK_BOOTTIME           7

#define TIMER_ABSTIME 1

#endif
