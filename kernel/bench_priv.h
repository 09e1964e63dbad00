/*
 * Between the files of the measurements: where rows go, and how a loop becomes a figure.
 */
#ifndef KERNEL_BENCH_PRIV_H
#define KERNEL_BENCH_PRIV_H

#include "bench.h"

#include <arch/clock.h>

struct bench_rows {
	struct ksh_bench_row *out;
	size_t max;
	size_t count; /* wanted: may be more than max */
};

/* Of several batches the cheapest counts: an interrupt that came during one is not the subject. */
static inline void bench_keep_least(uint64_t *least, uint64_t cycles)
{
	if (!*least || cycles < *least)
		*least = cycles;
}

/* `total` cycles for `times` runs, less what reading the counter takes. `limit`: what is promised,
 * 0 nothing. */
void bench_add(struct bench_rows *rows, const char *name, uint64_t total, uint64_t times,
	       uint64_t limit, const char *note);
/* A figure that is no time, in hundredths of `unit`. */
void bench_add_value(struct bench_rows *rows, const char *name, const char *unit,
		     uint64_t hundredths, uint64_t limit_hundredths, const char *note);

err_t bench_switch(struct bench_rows *rows); /* bench_sched.c */
err_t bench_tasks(struct bench_rows *rows);  /* bench_tasks.c */
err_t bench_frames(struct bench_rows *rows); /* bench_memory.c */
err_t bench_slab(struct bench_rows *rows);   /* bench_memory.c */
err_t bench_calls(struct bench_rows *rows);  /* bench_programs.c */
err_t bench_spawn(struct bench_rows *rows);  /* bench_programs.c */

#endif
