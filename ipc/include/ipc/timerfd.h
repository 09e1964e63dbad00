/*
 * Timers that can be waited for: timerfd_create(2). A read takes how often the time has come since
 * the last one; who finds that it has not, waits.
 */
#ifndef IPC_TIMERFD_H
#define IPC_TIMERFD_H

#include <ipc/object.h>

/* Of clock_ns(), which may lie before the machine's start. */
struct timerfd_setting {
	bool armed;
	bool by_day;        /* the deadline is a time of day: it moves when that is set */
	bool cancel_on_set; /* and who waits for it is told so */
	int64_t deadline_ns;
	int64_t day_offset_ns; /* `by_day`: what the time of day is ahead of the deadline */
	uint64_t interval_ns;  /* 0: once */
};

/* What timerfd_gettime() tells. */
struct timerfd_left {
	uint64_t left_ns; /* 0: none is to come */
	uint64_t interval_ns;
};

/* What its absolute times are of. */
enum timerfd_clock { TIMERFD_MONOTONIC, TIMERFD_BOOT, TIMERFD_WALL };

/* One reference for the caller; not armed. `flags`: O_NONBLOCK or 0. NULL: no memory. */
struct object *timerfd_create(enum timerfd_clock clock, unsigned flags);
bool object_is_timerfd(const struct object *object);
enum timerfd_clock timerfd_clock(const struct object *timerfd);

/* Forgets what has not been read. `before` may be NULL. */
void timerfd_set(struct object *timerfd, const struct timerfd_setting *setting,
		 struct timerfd_left *before);
struct timerfd_left timerfd_get(struct object *timerfd);
/* What the time of day is ahead of clock_ns(), for all deadlines; `is_set`: it was set, which those
 * who asked for it are told. Sleeps. Calls of it, and settings by the day, come one at a time. */
void timerfd_rebase(int64_t day_offset_ns, bool is_set);

#endif
