/*
 * For who has something that the clock is to look after (by_clock.c).
 */
#ifndef FUSEK_BY_CLOCK_PRIV_H
#define FUSEK_BY_CLOCK_PRIV_H

#include <fusek/by_clock.h>

/* There is a driver: from now on somebody looks. -ENOMEM. Sleeps. */
err_t must_check by_clock_begin(void);
/* There is something to look after. Under no spinlock. */
void by_clock_wake(void);

/* pages_back.c: a file has pages that its server has not seen. */
bool pages_any_changed(void);
/* Begins to send those that were changed `age_ns` ago. Sleeps. */
void pages_write_old(uint64_t now_ns, uint64_t age_ns);

/* driver/connections.c: a driver may not take as long as it wants. */
bool fuse_any_timed(void);
/* Ends the connections of those that did. Sleeps. */
void fuse_end_late(uint64_t now_ns);

#endif
