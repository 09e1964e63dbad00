/*
 * umount: takes filesystems away.
 */
#include <sys/mount.h>
#include <unistd.h>

#include "common/program.h"

static const char help[] =
	"usage: umount [-l] [-f] DIRECTORY...\n"
	"-l: out of the tree at once, though it is in use; -f: what waits for its driver fails.\n";

int main(int argc, char **argv)
{
	int flags = 0, status = 0, option;

	program_start("umount", help, argc, argv);
	while ((option = getopt(argc, argv, "lf")) != -1) {
		if (option == 'l')
			flags |= MNT_DETACH;
		else if (option == 'f')
			flags |= MNT_FORCE;
		else
			usage_error("what is -%c?", optopt);
	}
	if (optind == argc)
		usage_error("which directory?");
	for (; optind < argc; optind++) {
		if (umount2(argv[optind], flags)) {
			complain_errno("%s", argv[optind]);
			status = 1;
		}
	}
	return program_end(status);
}
