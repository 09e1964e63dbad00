/*
 * For tests of time namespaces: clocks by both ways, and the offsets of what the process makes.
 */
#ifndef TIME_NAMESPACE_H
#define TIME_NAMESPACE_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "check.h"

#include "as_user.h"
#include "in_user_namespace.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#define CLONE3     435
#define PIDFD_OPEN 434

#define OFFSETS  "/proc/self/timens_offsets"
#define OWN      "/proc/self/ns/time"
#define CHILDREN "/proc/self/ns/time_for_children"

#define NS_PER_S INT64_C(1000000000)

/* s, of go_ahead(). */
#define AHEAD      100000000
#define BOOT_AHEAD 200000000

static inline int64_t ns_in(const struct timespec *time)
{
	return time->tv_sec * NS_PER_S + time->tv_nsec;
}

/* As the C library reads it: by the vDSO. */
static inline int64_t ns_of(clockid_t clock)
{
	struct timespec time = {0};

	clock_gettime(clock, &time);
	return ns_in(&time);
}

static inline int64_t ns_by_call(clockid_t clock)
{
	struct timespec time = {0};

	syscall(SYS_clock_gettime, clock, &time);
	return ns_in(&time);
}

static inline int64_t seconds(clockid_t clock)
{
	return ns_of(clock) / NS_PER_S;
}

static inline int64_t seconds_by_call(clockid_t clock)
{
	return ns_by_call(clock) / NS_PER_S;
}

/* What the process makes has its clocks there. */
static inline bool go_ahead(void)
{
	return write_text(OFFSETS, "monotonic 100000000 0\nboottime 200000000 0\n") == 0;
}

static inline bool offsets_are(long monotonic_s, long monotonic_ns, long boot_s, long boot_ns)
{
	char text[256], expected[256];

	snprintf(expected, sizeof(expected), "%-10s %10ld %9ld\n%-10s %10ld %9ld\n", "monotonic",
		 monotonic_s, monotonic_ns, "boottime", boot_s, boot_ns);
	return read_text(OFFSETS, text, sizeof(text)) > 0 && strcmp(text, expected) == 0;
}

static inline bool time_namespaces_are_forbidden(void)
{
	pid_t child;

	if (!may_be_restricted())
		return false;
	child = fork();
	if (!child)
		_exit(unshare(CLONE_NEWTIME) || !go_ahead());
	return !child_failed_not();
}

#endif
