/*
 * Has the clock compared with a second one, about once each second.
 */
#ifndef SCHED_CLOCK_WATCH_H
#define SCHED_CLOCK_WATCH_H

/* Once, in a thread, when all CPUs have started. */
void clock_watch_start(void);

/* The clock looks wrong: it is compared soon. Before the start, or if there is nothing to compare
 * with: nothing. In a timer interrupt. */
void clock_watch_wake(void);

#endif
