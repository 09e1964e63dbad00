/*
 * spin: keeps one CPU busy in user mode, so that there is something to share it with.
 */
#include <stdbool.h>
#include <time.h>

#include "common/program.h"
#include "common/seconds.h"

/* Long enough that asking for the time does not count, short enough that the end is on time. */
#define STEPS_PER_ROUND 1000000

static const char help[] = "usage: spin [SECONDS]\n"
			   "Keeps a CPU busy for so long, or until it is killed.\n";

static void burn(void)
{
	for (unsigned i = 0; i < STEPS_PER_ROUND; i++)
		__asm__ volatile("" : : "r"(i));
}

static bool is_before(struct timespec left, struct timespec right)
{
	if (left.tv_sec != right.tv_sec)
		return left.tv_sec < right.tv_sec;
	return left.tv_nsec < right.tv_nsec;
}

int main(int argc, char **argv)
{
	struct timespec now, end;

	program_start("spin", help, argc, argv);
	if (argc > 2)
		usage_error("one number of seconds is enough");
	if (argc < 2) {
		for (;;)
			burn();
	}

	struct timespec duration = parse_seconds(argv[1]);

	clock_gettime(CLOCK_MONOTONIC, &now);
	end.tv_sec = now.tv_sec + duration.tv_sec;
	end.tv_nsec = now.tv_nsec + duration.tv_nsec;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	while (is_before(now, end)) {
		burn();
		clock_gettime(CLOCK_MONOTONIC, &now);
	}
	return 0;
}
