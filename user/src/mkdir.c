/*
 * mkdir: makes folders.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/program.h"

static const char help[] = "usage: mkdir [-p] FOLDER...\n"
			   "Makes folders.\n"
			   "  -p  with the folders above them; one that is there is no error\n";

static int make_one(const char *path, bool may_exist)
{
	struct stat status;

	if (mkdir(path, 0777) == 0)
		return 0;
	/* A read-only file system may say so before it says that the folder is there. */
	int reason = errno;

	if (may_exist && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return 0;
	errno = reason;
	complain_errno("%s", path);
	return 1;
}

/* Cuts the path at each slash in turn, and makes what is left of it. */
static int make_with_parents(char *path)
{
	for (char *slash = path + 1; *path && (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = 0;
		int failed = make_one(path, true);

		*slash = '/';
		if (failed)
			return failed;
	}
	return make_one(path, true);
}

int main(int argc, char **argv)
{
	bool parents = false;
	int option, failed = 0;

	program_start("mkdir", help, argc, argv);
	opterr = 0;
	while ((option = getopt(argc, argv, "p")) != -1) {
		if (option == '?')
			usage_error("there is no option -%c", optopt);
		parents = true;
	}
	if (optind == argc)
		usage_error("which folder?");
	for (int i = optind; i < argc; i++)
		failed |= parents ? make_with_parents(argv[i]) : make_one(argv[i], false);
	return failed;
}
