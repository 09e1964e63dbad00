/*
 * cat: files, or standard input, to standard output.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/copy.h"
#include "common/program.h"

static const char help[] =
	"usage: cat [FILE]...\n"
	"Writes the files one after the other; - or no file is standard input.\n";

static int cat_descriptor(int fd, const char *name)
{
	switch (copy_bytes(fd, STDOUT_FILENO)) {
	case COPY_READ_FAILED:
		complain_errno("%s", name);
		return 1;
	case COPY_WRITE_FAILED:
		complain_errno("standard output");
		return -1;
	default:
		return 0;
	}
}

/* 0, 1 when this file failed, -1 when going on is pointless. */
static int cat_file(const char *name)
{
	int fd, result;

	if (strcmp(name, "-") == 0)
		return cat_descriptor(STDIN_FILENO, "standard input");
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		complain_errno("%s", name);
		return 1;
	}
	result = cat_descriptor(fd, name);
	close(fd);
	return result;
}

int main(int argc, char **argv)
{
	int status = 0;

	program_start("cat", help, argc, argv);
	if (argc < 2)
		return cat_file("-") != 0;
	for (int i = 1; i < argc; i++) {
		int result = cat_file(argv[i]);

		if (result < 0)
			return 1;
		status |= result;
	}
	return status;
}
