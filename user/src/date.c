/*
 * date: the date and the time.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/program.h"

static const char help[] = "usage: date [-u] [+FORMAT]\n"
			   "Writes the date and the time.\n"
			   "  -u       in universal time\n"
			   "  +FORMAT  as strftime() would: date +%F\n";

int main(int argc, char **argv)
{
	const char *format = "%a %b %e %H:%M:%S %Z %Y";
	time_t now = time(NULL);
	char text[1000];
	bool universal = false;
	int option;

	program_start("date", help, argc, argv);
	opterr = 0;
	while ((option = getopt(argc, argv, "u")) != -1) {
		if (option == '?')
			usage_error("there is no option -%c", optopt);
		universal = true;
	}
	if (optind < argc && argv[optind][0] == '+')
		format = argv[optind++] + 1;
	if (optind < argc)
		usage_error("what is '%s'? A format starts with +", argv[optind]);

	struct tm *parts = universal ? gmtime(&now) : localtime(&now);

	if (!parts || (*format && !strftime(text, sizeof(text), format, parts))) {
		complain("the date does not fit");
		return 1;
	}
	puts(*format ? text : "");
	return program_end(0);
}
