/*
 * uptime: the time, and for how long the machine has been up.
 */
#include <stdio.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "common/amount.h"
#include "common/program.h"

static const char help[] = "usage: uptime\n"
			   "Shows the time, how long the machine has been up, and its load.\n";

int main(int argc, char **argv)
{
	struct sysinfo info;
	char up[AMOUNT_ROOM], clock[32] = "?";
	time_t now = time(NULL);
	struct tm *local = localtime(&now);

	program_start("uptime", help, argc, argv);
	if (sysinfo(&info) < 0) {
		complain_errno("sysinfo");
		return 1;
	}
	if (local)
		strftime(clock, sizeof(clock), "%H:%M:%S", local);
	printf("%s up %s, load", clock, duration_text((unsigned long)info.uptime, up));
	/* Loads are fixed-point numbers with 16 binary places. */
	for (int i = 0; i < 3; i++)
		printf("%s %lu.%02lu", i ? "," : "", info.loads[i] >> 16,
		       (info.loads[i] & 0xffff) * 100 >> 16);
	putchar('\n');
	return program_end(0);
}
