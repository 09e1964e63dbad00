/*
 * ln: makes links.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/names.h"
#include "common/program.h"

static const char help[] = "usage: ln [-s] TARGET [LINK]\n"
			   "Makes LINK (here, with the same name) another name of TARGET.\n"
			   "  -s  a symbolic one\n";

int main(int argc, char **argv)
{
	bool symbolic = false;
	struct stat status;
	int option, result;

	program_start("ln", help, argc, argv);
	opterr = 0;
	while ((option = getopt(argc, argv, "s")) != -1) {
		if (option == '?')
			usage_error("there is no option -%c", optopt);
		symbolic = true;
	}
	if (argc - optind < 1 || argc - optind > 2)
		usage_error("a target and a name are needed");

	const char *target = argv[optind], *link_path = argv[argc - 1];
	char *inside = NULL;

	if (argc - optind == 1)
		link_path = ".";
	if (stat(link_path, &status) == 0 && S_ISDIR(status.st_mode))
		link_path = inside = path_join(link_path, path_base(target));
	result = symbolic ? symlink(target, link_path) : link(target, link_path);
	if (result < 0)
		complain_errno("%s", link_path);
	free(inside);
	return result < 0;
}
