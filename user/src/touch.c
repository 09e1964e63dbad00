/*
 * touch: makes files that are not there, and sets the times of those that are to now.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/program.h"

static const char help[] = "usage: touch FILE...\n"
			   "Makes empty files, and sets the times of those that exist to now.\n";

static int touch(const char *path)
{
	if (utimensat(AT_FDCWD, path, NULL, 0) == 0)
		return 0;
	if (errno == ENOENT) {
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

		if (fd >= 0)
			return close(fd);
	}
	complain_errno("%s", path);
	return 1;
}

int main(int argc, char **argv)
{
	int failed = 0;

	program_start("touch", help, argc, argv);
	if (argc < 2)
		usage_error("which file?");
	for (int i = 1; i < argc; i++)
		failed |= touch(argv[i]);
	return failed != 0;
}
