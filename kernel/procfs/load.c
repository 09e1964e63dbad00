/*
 * Load averages as Linux counts them: every 5 seconds the number of threads that run or wait for a
 * CPU goes into three sums that decay. A timer does it, in its interrupt; who reads may see one of
 * the three a moment older than the others.
 */
#include "load.h"

#include <arch/clock.h>
#include <arch/cpu.h>
#include <lib/atomic.h>
#include <sched/thread.h>
#include <sched/timer.h>

#define PERIOD_NS (5 * NSEC_PER_SEC)

/* 2048 * exp(-5 / 60), exp(-5 / 300), exp(-5 / 900) */
static const uint64_t decay[3] = {1884, 2014, 2037};

static uint64_t averages[3]; /* the timer's; read by anybody */
static struct timer timer;

unsigned load_running(void)
{
	unsigned nrunning = 0;

	for_each_cpu (cpu) {
		struct sched_stats stats;

		sched_stats(cpu, &stats);
		nrunning += stats.nready + stats.is_busy;
	}
	return nrunning;
}

static void count(UNUSED void *argument)
{
	const uint64_t one = UINT64_C(1) << LOAD_SHIFT;
	uint64_t running = load_running() * one;

	for (unsigned i = 0; i < ARRAY_SIZE(averages); i++) {
		uint64_t sum = averages[i] * decay[i] + running * (one - decay[i]);

		/* Upwards while it rises, or it would never come to a whole number. */
		if (running >= averages[i])
			sum += one - 1;
		write_once(&averages[i], sum / one);
	}
	timer_start(&timer, clock_ns() + PERIOD_NS);
}

void load_start(void)
{
	timer_init(&timer, count, NULL);
	timer_start(&timer, clock_ns() + PERIOD_NS);
}

void load_averages(uint64_t out[3])
{
	for (unsigned i = 0; i < ARRAY_SIZE(averages); i++)
		out[i] = read_once(&averages[i]);
}
