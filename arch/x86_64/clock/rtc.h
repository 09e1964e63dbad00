/*
 * The battery-backed clock, read at start, for arch/ alone.
 */
#ifndef ARCH_RTC_H
#define ARCH_RTC_H

#include <lib/types.h>

/* The wall clock of the machine, in nanoseconds since 1970; 0 if it makes no sense. */
uint64_t rtc_read_ns(void);

#endif
