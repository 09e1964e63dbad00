/*
 * poweroff, reboot, halt: the name says which. Init is asked to do it in order.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "common/program.h"

static const char help[] =
	"usage: poweroff [-f], reboot [-f], halt [-f]\n"
	"Ends all programs in order and switches the machine off, starts it anew,\n"
	"or goes back to ksh.\n"
	"  -f  at once, without asking init\n";

static const struct {
	const char *name;
	int signal; /* what init understands */
	int command;
} ways[] = {
	{"poweroff", SIGUSR2, RB_POWER_OFF},
	{"reboot", SIGTERM, RB_AUTOBOOT},
	{"halt", SIGUSR1, RB_HALT_SYSTEM},
};

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *called = slash ? slash + 1 : argv[0];
	bool at_once = false;
	size_t way = 0;
	int option;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].name, called) == 0)
			way = i;
	}
	program_start(ways[way].name, help, argc, argv);
	while ((option = getopt(argc, argv, "f")) != -1) {
		if (option != 'f')
			usage_error("what is -%c?", optopt);
		at_once = true;
	}
	if (!at_once && kill(1, ways[way].signal) == 0)
		return program_end(0);
	if (!at_once && errno != ESRCH) {
		complain_errno("init");
		return 1;
	}
	sync();
	reboot(ways[way].command);
	complain_errno("%s", ways[way].name);
	return 1;
}
