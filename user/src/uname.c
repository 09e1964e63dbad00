/*
 * uname: what the kernel calls itself.
 */
#include <stdbool.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/program.h"

static const char help[] = "usage: uname [-a] [-s] [-n] [-r] [-v] [-m]\n"
			   "Says what the system is.\n"
			   "  -s  the kernel's name (when nothing is asked for)\n"
			   "  -n  the host's name   -r  release   -v  version   -m  machine\n"
			   "  -a  all of them\n";

enum { NFIELDS = 5 };

int main(int argc, char **argv)
{
	static const char options[] = "snrvma";
	struct utsname name;
	bool wanted[NFIELDS] = {false}, any = false, first = true;
	int option;

	program_start("uname", help, argc, argv);
	opterr = 0;
	while ((option = getopt(argc, argv, options)) != -1) {
		if (option == '?')
			usage_error("there is no option -%c", optopt);
		for (int i = 0; i < NFIELDS; i++)
			wanted[i] |= option == 'a' || option == options[i];
		any = true;
	}
	if (uname(&name) < 0) {
		complain_errno("uname");
		return 1;
	}
	if (!any)
		wanted[0] = true;

	const char *const fields[NFIELDS] = {name.sysname, name.nodename, name.release,
					     name.version, name.machine};

	for (int i = 0; i < NFIELDS; i++) {
		if (!wanted[i])
			continue;
		printf("%s%s", first ? "" : " ", fields[i]);
		first = false;
	}
	putchar('\n');
	return program_end(0);
}
