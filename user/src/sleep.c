/*
 * sleep: waits.
 */
#include <errno.h>
#include <time.h>

#include "common/program.h"
#include "common/seconds.h"

static const char help[] = "usage: sleep SECONDS\n"
			   "Waits for so long; 0.5 is half a second.\n";

int main(int argc, char **argv)
{
	struct timespec left;

	program_start("sleep", help, argc, argv);
	if (argc != 2)
		usage_error("one number of seconds is needed");
	left = parse_seconds(argv[1]);
	while (nanosleep(&left, &left) < 0) {
		if (errno != EINTR) {
			complain_errno("cannot sleep");
			return 1;
		}
	}
	return 0;
}
