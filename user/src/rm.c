/*
 * rm: removes files, and folders with all that is in them.
 *
 * Works relative to open folders and never through a symbolic link, so what is removed is what was
 * named, whatever somebody renames meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/names.h"
#include "common/program.h"

static const char help[] = "usage: rm [-r] [-f] PATH...\n"
			   "Removes files.\n"
			   "  -r  folders too, with all that is in them\n"
			   "  -f  one that is not there is no error\n";

static bool recursive, forgiving;

static int failed(const char *path)
{
	if (forgiving && errno == ENOENT)
		return 0;
	complain_errno("%s", path);
	return 1;
}

static int remove_entry(int at, const char *name, const char *path);

static int remove_folder(int at, const char *name, const char *path)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int listing = fd < 0 ? -1 : dup(fd), wrong = 0;
	struct names names;

	if (listing < 0 || names_read(listing, &names) < 0) {
		wrong = failed(path);
		if (fd >= 0)
			close(fd);
		return wrong;
	}
	for (size_t i = 0; i < names.count; i++) {
		char *below = path_join(path, names.list[i]);

		wrong |= remove_entry(fd, names.list[i], below);
		free(below);
	}
	names_free(&names);
	close(fd);
	if (!wrong && unlinkat(at, name, AT_REMOVEDIR) < 0)
		wrong = failed(path);
	return wrong;
}

/* Linux says EISDIR for a folder, POSIX EPERM. */
static int remove_entry(int at, const char *name, const char *path)
{
	if (unlinkat(at, name, 0) == 0)
		return 0;
	if (recursive && (errno == EISDIR || errno == EPERM))
		return remove_folder(at, name, path);
	return failed(path);
}

int main(int argc, char **argv)
{
	int option, wrong = 0;

	program_start("rm", help, argc, argv);
	opterr = 0;
	while ((option = getopt(argc, argv, "rf")) != -1) {
		if (option == '?')
			usage_error("there is no option -%c", optopt);
		recursive |= option == 'r';
		forgiving |= option == 'f';
	}
	if (optind == argc && !forgiving)
		usage_error("which file?");
	for (int i = optind; i < argc; i++) {
		const char *base = path_base(argv[i]);

		if (strcmp(base, ".") == 0 || strcmp(base, "..") == 0 || strcmp(base, "/") == 0) {
			complain("%s: that would be the folder we stand in, or all there is",
				 argv[i]);
			wrong = 1;
			continue;
		}
		wrong |= remove_entry(AT_FDCWD, argv[i], argv[i]);
	}
	return wrong;
}
