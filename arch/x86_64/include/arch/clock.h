/*
 * Time. One monotonic clock in nanoseconds since boot (the TSC where it can be trusted, else a
 * counter behind it), the wall clock as an offset to it, and one one-shot timer interrupt for each
 * CPU.
 */
#ifndef ARCH_CLOCK_H
#define ARCH_CLOCK_H

#include <lib/types.h>

/* May be called from anywhere; never goes backwards, whichever CPU is asked. */
uint64_t clock_ns(void);
/* Seconds and nanoseconds since 1970, UTC. */
uint64_t clock_wall_ns(void);
void clock_wall_set(uint64_t wall_ns);
/* Puts it forward by so much (back: negative). */
void clock_wall_step(int64_t forward_ns);
/* What it is ahead of clock_ns() now: constant while it is neither set nor steered. */
int64_t clock_wall_offset_ns(void);
/* From now on the wall clock gains so much on clock_ns(), in 2^-32 of the time that passes; it does
 * not jump. Within CLOCK_STEER_MAX of 0. */
#define CLOCK_STEER_MAX (INT64_C(1) << 30)
void clock_wall_steer(int64_t rate);

/* The TSC's raw count, and its rate in Hz: for measuring. */
uint64_t clock_cycles(void);
/* False: the CPUs' counts differ, and only clock_ns() knows by how much. */
bool clock_cycles_agree(void);
uint64_t clock_cycles_hz(void);
/* What the clock is made of, and what watches over it. */
const char *clock_source_name(void);

/* Compares the clock with what watches over it, and has that take over (the log says so) if they
 * differ by more than a sixteenth of the time between two looks and 1 ms. Returns in how many
 * nanoseconds it wants to be called again; 0: never. In a thread or task, by one at a time. */
uint64_t clock_check(void);

/* Asks for the timer interrupt on this CPU at `deadline_ns` of clock_ns() (at once if it has
 * passed); UINT64_MAX: none. Interrupts are off. Only the last call counts. It may come early or
 * late by the hardware's grain; it may come when not asked for. */
void clock_set_timer(uint64_t deadline_ns);
const char *clock_timer_name(void);

/* Hook of sched/: the timer interrupt, interrupts off. */
void clock_timer_interrupt(void);

#endif
