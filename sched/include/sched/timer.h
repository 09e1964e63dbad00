/*
 * Timers: a function called in interrupt context (interrupts off, on the CPU that started the
 * timer) once the clock has reached a time. Each CPU has its own queue behind its one-shot timer
 * interrupt; starting and cancelling cost the logarithm of the timers that run.
 */
#ifndef SCHED_TIMER_H
#define SCHED_TIMER_H

#include <arch/clock.h>
#include <lib/types.h>

struct timer_cpu;

/*
 * Owned by who started it; it may be freed once it has been cancelled, or in its own function.
 *   [t] the lock of the CPU's timers (LOCK_TIMER)
 */
struct timer {
	struct timer *parent;             /* [t] its place in the queue */
	struct timer *left;               /* [t] */
	struct timer *right;              /* [t] */
	uint64_t deadline_ns;             /* [t] of clock_ns() */
	struct timer_cpu *cpu;            /* atomic: whose queue it is in, NULL: in none */
	void (*function)(void *argument); /* constant */
	void *argument;                   /* constant */
};

void timer_init(struct timer *timer, void (*function)(void *argument), void *argument);
/* Calls the function at `deadline_ns` or as soon after as may be; a timer that runs is moved. One
 * timer is started and cancelled by one at a time: the owner's business. From any context that
 * holds no lock of class LOCK_TIMER or later. */
void timer_start(struct timer *timer, uint64_t deadline_ns);
/* True if it had not fired. Afterwards its function is not running on any CPU, unless that is who
 * calls. The caller holds no lock that the function takes. An interrupt does not wait: for it,
 * false may mean that the function still runs on another CPU, so it must not free what that uses.
 */
bool timer_cancel(struct timer *timer);

#endif
