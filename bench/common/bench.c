/*
 * The measuring itself. Owns the figures until the last row is measured: a line printed in between
 * would be work of the console's, done while the next row is timed.
 */
#include "bench.h"

#include "marks.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROWS_MAX 32

struct outcome {
	uint64_t hundredths; /* of a cycle or nanosecond, for one operation */
	long error;          /* 0 or a negative errno */
};

static bool wall;
static bool marked; /* stretches are told to qemu/split.c */
static struct outcome outcomes[ROWS_MAX];

static uint64_t now(void)
{
	struct timespec time;
	uint32_t low, high;

	if (wall) {
		clock_gettime(CLOCK_MONOTONIC, &time);
		return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
	}
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

/* Functions of their own with names to be found: what runs between the two is what is measured, so
 * that a trace of the machine can be cut to it. */
uint64_t bench_timed_begin(void);
uint64_t bench_timed_end(void);

__attribute__((noinline)) uint64_t bench_timed_begin(void)
{
	if (marked)
		BENCH_MARK(BENCH_MARK_BEGIN);
	return now();
}

__attribute__((noinline)) uint64_t bench_timed_end(void)
{
	uint64_t time = now();

	if (marked)
		BENCH_MARK(BENCH_MARK_END);
	return time;
}

long bench_whole(long result, unsigned long wanted)
{
	if (result < 0)
		return result;
	return (unsigned long)result == wanted ? 0 : -EIO;
}

static long one_batch(const struct bench_row *row, uint64_t *time)
{
	long error = row->before ? row->before(row->count) : 0;
	long after;
	uint64_t start;

	if (error)
		return error;
	start = bench_timed_begin();
	error = row->batch(row->count);
	*time = bench_timed_end() - start;
	after = row->after ? row->after(row->count) : 0;
	return error ? error : after;
}

static int compare_times(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static void measure(const struct bench_row *row, struct outcome *outcome)
{
	uint64_t times[BENCH_BATCHES];
	long error = one_batch(row, &times[0]); /* warms up */

	for (unsigned i = 0; i < BENCH_BATCHES && !error; i++)
		error = one_batch(row, &times[i]);
	outcome->error = error;
	if (error)
		return;
	qsort(times, BENCH_BATCHES, sizeof(times[0]), compare_times);
	outcome->hundredths = times[BENCH_BATCHES / 2] * 100 / row->count;
}

static void print(const char *family, const struct bench_row *row, const struct outcome *outcome)
{
	char line[160];

	if (outcome->error)
		snprintf(line, sizeof(line), "lacks %s %s %s", family, row->name,
			 strerror((int)-outcome->error));
	else
		snprintf(line, sizeof(line), "row %s %s %llu.%02u", family, row->name,
			 (unsigned long long)outcome->hundredths / 100,
			 (unsigned)(outcome->hundredths % 100));
	/* In one write: the kernel's own lines stay out of it. */
	puts(line);
	fflush(stdout);
}

static bool wanted(const char *name, int argc, char **argv)
{
	bool any = false;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			continue;
		if (strcmp(argv[i], name) == 0)
			return true;
		any = true;
	}
	return !any;
}

int bench_main(const char *family, const struct bench_row *rows, unsigned nrows, int argc,
	       char **argv)
{
	if (nrows > ROWS_MAX || chdir("/tmp") != 0) {
		fprintf(stderr, "%s: %s\n", family, nrows > ROWS_MAX ? "too many rows" : "no /tmp");
		return 1;
	}
	for (int i = 1; i < argc; i++) {
		wall |= strcmp(argv[i], "--wall") == 0;
		marked |= strcmp(argv[i], "--marked") == 0;
	}
	for (unsigned i = 0; i < nrows; i++) {
		if (wanted(rows[i].name, argc, argv))
			measure(&rows[i], &outcomes[i]);
	}
	for (unsigned i = 0; i < nrows; i++) {
		if (wanted(rows[i].name, argc, argv))
			print(family, &rows[i], &outcomes[i]);
	}
	return 0;
}
