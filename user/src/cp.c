/*
 * cp: copies files, and folders with all that is in them.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/copy.h"
#include "common/names.h"
#include "common/program.h"

static const char help[] = "usage: cp [-r] SOURCE... TARGET\n"
			   "Copies files; into TARGET if that is a folder.\n"
			   "  -r  folders too, with all that is in them, symbolic links as such\n";

static bool recursive;

static int failed(const char *path)
{
	complain_errno("%s", path);
	return 1;
}

static int copy_open_file(int from, const char *source, const char *target)
{
	struct stat in, out;
	int to, wrong = 0;

	if (fstat(from, &in) < 0)
		return failed(source);
	if (stat(target, &out) == 0 && in.st_dev == out.st_dev && in.st_ino == out.st_ino) {
		complain("%s and %s are the same file", source, target);
		return 1;
	}
	to = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, in.st_mode & 0777);
	if (to < 0)
		return failed(target);
	switch (copy_bytes(from, to)) {
	case COPY_READ_FAILED:
		wrong = failed(source);
		break;
	case COPY_WRITE_FAILED:
		wrong = failed(target);
		break;
	case COPY_DONE:
		break;
	}
	if (close(to) < 0 && !wrong)
		wrong = failed(target);
	return wrong;
}

static int copy_file(const char *source, const char *target)
{
	int from = open(source, O_RDONLY | O_CLOEXEC), wrong;

	if (from < 0)
		return failed(source);
	wrong = copy_open_file(from, source, target);
	close(from);
	return wrong;
}

static int copy_link(const char *source, const char *target)
{
	char text[PATH_MAX];
	ssize_t len = readlink(source, text, sizeof(text) - 1);

	if (len < 0)
		return failed(source);
	text[len] = 0;
	return symlink(text, target) < 0 ? failed(target) : 0;
}

static int copy_entry(const char *source, const char *target);

/* The names are read before the folder is made: a copy into itself copies what there was. */
static int copy_folder(const char *source, const char *target, mode_t mode)
{
	int fd = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC), wrong = 0;
	struct names names;

	if (fd < 0 || names_read(fd, &names) < 0)
		return failed(source);
	/* Writable by us until it is full. */
	if (mkdir(target, (mode & 0777) | 0700) < 0 && errno != EEXIST) {
		names_free(&names);
		return failed(target);
	}
	for (size_t i = 0; i < names.count; i++) {
		char *below_source = path_join(source, names.list[i]);
		char *below_target = path_join(target, names.list[i]);

		wrong |= copy_entry(below_source, below_target);
		free(below_target);
		free(below_source);
	}
	names_free(&names);
	if ((mode & 0700) != 0700 && chmod(target, mode & 0777) < 0)
		wrong = failed(target);
	return wrong;
}

static int copy_entry(const char *source, const char *target)
{
	struct stat status;
	int follow = recursive ? AT_SYMLINK_NOFOLLOW : 0;

	if (fstatat(AT_FDCWD, source, &status, follow) < 0)
		return failed(source);
	if (S_ISLNK(status.st_mode))
		return copy_link(source, target);
	if (!S_ISDIR(status.st_mode))
		return copy_file(source, target);
	if (recursive)
		return copy_folder(source, target, status.st_mode);
	complain("%s is a folder; -r copies folders", source);
	return 1;
}

int main(int argc, char **argv)
{
	const char *target = argv[argc - 1];
	struct stat status;
	int option, wrong = 0;

	program_start("cp", help, argc, argv);
	opterr = 0;
	while ((option = getopt(argc, argv, "r")) != -1) {
		if (option == '?')
			usage_error("there is no option -%c", optopt);
		recursive = true;
	}
	if (argc - optind < 2)
		usage_error("a source and a target are needed");

	bool into_folder = stat(target, &status) == 0 && S_ISDIR(status.st_mode);

	if (argc - optind > 2 && !into_folder) {
		complain("%s is not a folder, and there are several sources", target);
		return 1;
	}
	for (int i = optind; i < argc - 1; i++) {
		char *place = into_folder ? path_join(target, path_base(argv[i])) : strdup(target);

		if (!place) {
			complain("out of memory");
			return 1;
		}
		wrong |= copy_entry(argv[i], place);
		free(place);
	}
	return wrong;
}
