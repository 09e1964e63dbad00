/*
 * What happens with drivers by the clock: see by_clock.c. The settings are /proc/sys's, atomic.
 */
#ifndef FUSEK_BY_CLOCK_H
#define FUSEK_BY_CLOCK_H

#include <lib/types.h>

extern uint32_t dirty_expire_cs;    /* how old what was changed becomes, in 1/100 s */
extern uint32_t dirty_writeback_cs; /* how often it is looked for; 0: not at all */

/* How many seconds a driver may take for an answer: where it does not say, and at most; 0: as long
 * as it wants. Taken by those who are mounted afterwards. */
extern uint32_t fuse_default_timeout_s, fuse_max_timeout_s;

/* Once around, at `now_ns` of clock_ns(). Sleeps. */
void vfs_look_at_clock(uint64_t now_ns);

/* Hook of kernel/: a thread that runs `main`, which never returns. Once. -ENOMEM. Sleeps. */
err_t must_check vfs_start_clock(void (*main)(void *argument));

#endif
