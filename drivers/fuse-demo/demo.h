/*
 * fuse-demo: what its files share.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Says on standard error what went wrong and why (errno), and is false. */
__attribute__((format(printf, 1, 2))) bool failed(const char *format, ...);

/* ---- work.c: what is done in a mounted filesystem ---- */

struct work {
	unsigned nfiles;
	uint64_t bytes;
};

/* Makes folders and files below `at`, writes, renames, cuts, removes; all of it is on its way to
 * the disk at the end. Counts what is left. */
bool work_write(const char *at, struct work *work);

/* Whether all of that is there, and nothing else; counts what it has read. */
bool work_compare(const char *at, bool again, struct work *work); /* `again`: another driver's */

/* libfuse's hello has one file. */
bool work_compare_hello(const char *at, struct work *work);

/* ---- serve.c: a driver, from its start to its end ---- */

struct serving {
	int pid;
	int said;       /* its standard error, a file without a name */
	const char *at; /* where it is mounted */
};

/* Starts it (argv[0] is its path) and waits until `at` is another filesystem. Whoever gets true
 * owes a serve_end(). What a driver that fails has said is passed on. */
bool serve_begin(struct serving *serving, const char *const argv[], const char *at);

/* Unmounts, and waits for the driver's end, which has to be a good one. */
bool serve_end(struct serving *serving);
