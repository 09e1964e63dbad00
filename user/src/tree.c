/*
 * tree: a folder and all that is below it, as a drawing.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/names.h"
#include "common/program.h"
#include "common/screen.h"
#include "common/status.h"

static const char help[] = "usage: tree [-a] [FOLDER]...\n"
			   "Draws a folder and all that is below it.\n"
			   "  -a  names that start with a dot as well\n";

static bool show_hidden, colours;
static unsigned long nfolders, nfiles;

static void print_name(const char *name, mode_t mode)
{
	const char *colour = colours ? name_colour(mode) : "";

	printf("%s%s%s", colour, name, *colour ? COLOUR_END : "");
}

static int draw_folder(int at, const char *name, const char *path, const char *margin);

static int draw_entry(int at, const char *name, const char *path, const char *margin, bool last)
{
	struct stat status;
	int failed = 0;

	printf("%s%s", margin, last ? "\u2514\u2500 " : "\u251c\u2500 ");
	if (fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
		puts(name);
		complain_errno("%s", path);
		return 1;
	}
	print_name(name, status.st_mode);
	if (S_ISLNK(status.st_mode)) {
		char target[PATH_MAX];
		ssize_t len = readlinkat(at, name, target, sizeof(target));

		if (len >= 0)
			printf(" -> %.*s", (int)len, target);
	}
	putchar('\n');
	if (!S_ISDIR(status.st_mode)) {
		nfiles++;
		return 0;
	}

	char *wider;

	if (asprintf(&wider, "%s%s", margin, last ? "   " : "\u2502  ") < 0) {
		complain("out of memory");
		exit(1);
	}
	nfolders++;
	failed = draw_folder(at, name, path, wider);
	free(wider);
	return failed;
}

static int draw_folder(int at, const char *name, const char *path, const char *margin)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int listing = fd < 0 ? -1 : dup(fd), failed = 0;
	struct names names;
	size_t shown = 0;

	if (listing < 0 || names_read(listing, &names) < 0) {
		complain_errno("%s", path);
		if (fd >= 0)
			close(fd);
		return 1;
	}
	/* Counted first: the last that is drawn has a corner. */
	for (size_t i = 0; i < names.count; i++)
		if (show_hidden || names.list[i][0] != '.')
			shown++;
	for (size_t i = 0; i < names.count; i++) {
		if (!show_hidden && names.list[i][0] == '.')
			continue;

		char *below = path_join(path, names.list[i]);

		failed |= draw_entry(fd, names.list[i], below, margin, --shown == 0);
		free(below);
	}
	names_free(&names);
	close(fd);
	return failed;
}

static int draw_root(const char *path)
{
	print_name(path, S_IFDIR);
	putchar('\n');
	return draw_folder(AT_FDCWD, path, path, "");
}

int main(int argc, char **argv)
{
	int option, failed = 0;

	program_start("tree", help, argc, argv);
	colours = screen_get().has_colours;
	opterr = 0;
	while ((option = getopt(argc, argv, "a")) != -1) {
		if (option == '?')
			usage_error("there is no option -%c", optopt);
		show_hidden = true;
	}
	if (optind == argc)
		failed = draw_root(".");
	for (int i = optind; i < argc; i++)
		failed |= draw_root(argv[i]);
	printf("%lu folder%s, %lu file%s\n", nfolders, nfolders == 1 ? "" : "s", nfiles,
	       nfiles == 1 ? "" : "s");
	return program_end(failed);
}
