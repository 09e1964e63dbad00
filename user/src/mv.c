/*
 * mv: renames files and folders, within one file system.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/names.h"
#include "common/program.h"

static const char help[] = "usage: mv SOURCE... TARGET\n"
			   "Renames; moves into TARGET if that is a folder.\n";

static int move(const char *source, const char *target)
{
	if (rename(source, target) == 0)
		return 0;
	if (errno == EXDEV)
		complain("%s and %s are on two file systems: copy it with cp -r, then rm -r",
			 source, target);
	else
		complain_errno("%s to %s", source, target);
	return 1;
}

int main(int argc, char **argv)
{
	struct stat status;
	int wrong = 0;

	program_start("mv", help, argc, argv);
	if (argc < 3)
		usage_error("a source and a target are needed");

	const char *target = argv[argc - 1];
	bool into_folder = stat(target, &status) == 0 && S_ISDIR(status.st_mode);

	if (argc > 3 && !into_folder) {
		complain("%s is not a folder, and there are several sources", target);
		return 1;
	}
	for (int i = 1; i < argc - 1; i++) {
		if (!into_folder) {
			wrong |= move(argv[i], target);
			continue;
		}

		char *place = path_join(target, path_base(argv[i]));

		wrong |= move(argv[i], place);
		free(place);
	}
	return wrong;
}
