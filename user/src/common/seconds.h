/*
 * Durations on the command line.
 */
#ifndef COMMON_SECONDS_H
#define COMMON_SECONDS_H

#include <time.h>

/* Parses decimal seconds like "1.5", up to a nanosecond fine; a usage error for anything else. */
struct timespec parse_seconds(const char *text);

#endif
