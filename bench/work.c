/*
 * work: as much as it can in a given time, for the comparison by the clock on several CPUs.
 *
 *   work compute SECONDS     arithmetic, with nothing of the kernel's but the look at the clock
 *   work calls SECONDS       small system calls of several kinds, on descriptors
 *
 * Prints `work MODE UNITS NANOSECONDS`: how many units of work it did, and the time it really took.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/bench.h"

#define COMPUTE_STEPS 400000
#define CALL_ROUNDS   500

static int zero;
static int null;

static uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* A linear congruential generator: each step waits for the one before. */
static int compute(void)
{
	static volatile uint64_t sink;
	uint64_t x = sink + 1;

	for (unsigned i = 0; i < COMPUTE_STEPS; i++)
		x = x * 6364136223846793005 + 1442695040888963407;
	sink = x;
	return 0;
}

static int make_calls(void)
{
	struct stat status;
	char byte = 0;
	long bad = 0;

	for (unsigned i = 0; i < CALL_ROUNDS; i++) {
		call0(SYS_getppid);
		bad |= call3(SYS_read, zero, (long)&byte, 1) != 1;
		bad |= call3(SYS_write, null, (long)&byte, 1) != 1;
		bad |= call2(SYS_fstat, null, (long)&status) != 0;
	}
	return bad ? -1 : 0;
}

int main(int argc, char **argv)
{
	double seconds = argc == 3 ? strtod(argv[2], NULL) : 0;
	int (*unit)(void) = argc != 3                     ? NULL
			    : !strcmp(argv[1], "compute") ? compute
			    : !strcmp(argv[1], "calls")   ? make_calls
							  : NULL;
	uint64_t start, time, units = 0;

	zero = open("/dev/zero", O_RDONLY);
	null = open("/dev/null", O_WRONLY);
	if (!unit || seconds <= 0 || zero < 0 || null < 0) {
		fprintf(stderr, "usage: work compute|calls SECONDS\n");
		return 2;
	}
	start = now_ns();
	do {
		if (unit() != 0) {
			fprintf(stderr, "work: a call failed\n");
			return 1;
		}
		units++;
		time = now_ns() - start;
	} while (time < (uint64_t)(seconds * 1e9));
	printf("work %s %llu %llu\n", argv[1], (unsigned long long)units, (unsigned long long)time);
	return 0;
}
