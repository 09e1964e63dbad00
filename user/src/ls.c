/*
 * ls: lists folders and files, in columns where standard output is a terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "common/names.h"
#include "common/program.h"
#include "common/screen.h"
#include "common/status.h"

#define HALF_A_YEAR_S (182 * 24 * 3600)

static const char help[] = "usage: ls [-a] [-d] [-l] [-1] [PATH]...\n"
			   "Lists what is in the folders, or here.\n"
			   "  -a  names that start with a dot as well\n"
			   "  -d  folders themselves, not what is in them\n"
			   "  -l  one on a line: mode, links, owner, group, size, time, name\n"
			   "  -1  one on a line\n";

static bool show_hidden, folders_as_files, long_form, one_on_a_line;
static struct screen screen;

struct entry {
	const char *name;
	bool known; /* status could be read */
	struct stat status;
	char *target; /* of a symbolic link, long form only; owned */
};

/* Columns that a name takes on the screen: characters of UTF-8, not bytes. */
static unsigned name_width(const char *name)
{
	unsigned width = 0;

	for (; *name; name++)
		width += ((unsigned char)*name & 0xc0) != 0x80;
	return width;
}

/* Names may hold anything, escape sequences too: a terminal does not get to see control characters.
 */
static void print_name(const struct entry *entry)
{
	const char *colour = "";

	if (screen.has_colours && entry->known)
		colour = name_colour(entry->status.st_mode);
	fputs(colour, stdout);
	for (const char *c = entry->name; *c; c++) {
		bool control = (unsigned char)*c < ' ' || *c == 0x7f;

		putchar(screen.is_terminal && control ? '?' : *c);
	}
	if (*colour)
		fputs(COLOUR_END, stdout);
}

/* getpwuid() would ask a name service by socket; the file is all there is here. */
static const char *owner_name(uid_t uid, char *digits, size_t room)
{
	static uid_t last_uid;
	static char last_name[33];
	FILE *file;
	struct passwd *user;

	if (*last_name && uid == last_uid)
		return last_name;
	snprintf(digits, room, "%u", uid);
	file = fopen("/etc/passwd", "re");
	if (!file)
		return digits;
	while ((user = fgetpwent(file)) != NULL) {
		if (user->pw_uid == uid) {
			last_uid = uid;
			snprintf(last_name, sizeof(last_name), "%s", user->pw_name);
			break;
		}
	}
	fclose(file);
	return user ? last_name : digits;
}

static const char *group_name(gid_t gid, char *digits, size_t room)
{
	static gid_t last_gid;
	static char last_name[33];
	FILE *file;
	struct group *group;

	if (*last_name && gid == last_gid)
		return last_name;
	snprintf(digits, room, "%u", gid);
	file = fopen("/etc/group", "re");
	if (!file)
		return digits;
	while ((group = fgetgrent(file)) != NULL) {
		if (group->gr_gid == gid) {
			last_gid = gid;
			snprintf(last_name, sizeof(last_name), "%s", group->gr_name);
			break;
		}
	}
	fclose(file);
	return group ? last_name : digits;
}

/* Time of day for what is recent, the year for the rest. */
static void print_time(time_t when)
{
	time_t now = time(NULL);
	bool recent = when <= now && now - when < HALF_A_YEAR_S;
	char text[32] = "?";
	struct tm *local = localtime(&when);

	if (local)
		strftime(text, sizeof(text), recent ? "%b %e %H:%M" : "%b %e  %Y", local);
	printf("%12s ", text);
}

static void print_long(const struct entry *entry, int size_width)
{
	const struct stat *status = &entry->status;
	char mode[11], user[16], group[16];

	if (!entry->known) {
		printf("?????????? %s\n", entry->name);
		return;
	}
	mode_text(status->st_mode, mode);
	printf("%s %3lu %-6s %-6s ", mode, (unsigned long)status->st_nlink,
	       owner_name(status->st_uid, user, sizeof(user)),
	       group_name(status->st_gid, group, sizeof(group)));
	if (S_ISCHR(status->st_mode) || S_ISBLK(status->st_mode))
		printf("%*u,%4u ", size_width - 5 > 3 ? size_width - 5 : 3, major(status->st_rdev),
		       minor(status->st_rdev));
	else
		printf("%*lld ", size_width, (long long)status->st_size);
	print_time(status->st_mtime);
	print_name(entry);
	if (entry->target)
		printf(" -> %s", entry->target);
	putchar('\n');
}

static void list_long(const struct entry *entries, size_t count)
{
	int size_width = 8;

	for (size_t i = 0; i < count; i++) {
		int width = snprintf(NULL, 0, "%lld", (long long)entries[i].status.st_size);

		if (width > size_width)
			size_width = width;
	}
	for (size_t i = 0; i < count; i++)
		print_long(&entries[i], size_width);
}

/* The widths of `columns` columns filled downwards; their sum with two blanks between. */
static unsigned column_widths(const struct entry *entries, size_t count, size_t rows,
			      unsigned *widths)
{
	unsigned total = 0;

	for (size_t start = 0, column = 0; start < count; start += rows, column++) {
		widths[column] = 0;
		for (size_t i = start; i < start + rows && i < count; i++) {
			unsigned width = name_width(entries[i].name) + 2;

			if (width > widths[column])
				widths[column] = width;
		}
		total += widths[column];
	}
	return total ? total - 2 : 0;
}

static void list_columns(const struct entry *entries, size_t count)
{
	unsigned *widths = calloc(count, sizeof(*widths));
	size_t rows = 1;

	if (!widths) {
		complain("out of memory");
		exit(1);
	}
	while (rows < count && column_widths(entries, count, rows, widths) > screen.columns)
		rows++;
	column_widths(entries, count, rows, widths);
	for (size_t row = 0; row < rows; row++) {
		for (size_t i = row, column = 0; i < count; i += rows, column++) {
			unsigned padding = widths[column] - name_width(entries[i].name);

			print_name(&entries[i]);
			printf("%*s", i + rows < count ? (int)padding : 0, "");
		}
		putchar('\n');
	}
	free(widths);
}

static void list_entries(const struct entry *entries, size_t count)
{
	if (!count)
		return;
	if (long_form) {
		list_long(entries, count);
	} else if (screen.is_terminal && !one_on_a_line) {
		list_columns(entries, count);
	} else {
		for (size_t i = 0; i < count; i++) {
			print_name(&entries[i]);
			putchar('\n');
		}
	}
}

static int entry_fill(struct entry *entry, int at, const char *name)
{
	char target[PATH_MAX];
	ssize_t len;

	*entry = (struct entry){.name = name};
	if (fstatat(at, name, &entry->status, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	entry->known = true;
	if (!long_form || !S_ISLNK(entry->status.st_mode))
		return 0;
	len = readlinkat(at, name, target, sizeof(target) - 1);
	if (len >= 0)
		entry->target = strndup(target, (size_t)len);
	return 0;
}

/* Whether more than the names has to be known, which costs a call for each. */
static bool status_needed(void)
{
	return long_form || screen.has_colours;
}

static int list_names(int fd, const char *path, struct names *names)
{
	struct entry *entries = calloc(names->count + 2, sizeof(*entries));
	size_t count = 0;
	int failed = 0;

	if (!entries) {
		complain("out of memory");
		exit(1);
	}
	for (size_t i = 0; i < names->count + 2; i++) {
		const char *name = i == 0 ? "." : i == 1 ? ".." : names->list[i - 2];

		if (name[0] == '.' && !show_hidden)
			continue;
		entries[count] = (struct entry){.name = name};
		if (status_needed() && entry_fill(&entries[count], fd, name) < 0) {
			complain_errno("%s/%s", path, name);
			failed = 1;
		}
		count++;
	}
	list_entries(entries, count);
	for (size_t i = 0; i < count; i++)
		free(entries[i].target);
	free(entries);
	return failed;
}

static int list_folder(const char *path)
{
	struct names names;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), listing, failed;

	listing = fd < 0 ? -1 : dup(fd);
	if (listing < 0 || names_read(listing, &names) < 0) {
		complain_errno("%s", path);
		if (fd >= 0)
			close(fd);
		return 1;
	}
	failed = list_names(fd, path, &names);
	names_free(&names);
	close(fd);
	return failed;
}

/* Folders come after everything else, under headings where there are several things. */
static int list_arguments(char **paths, size_t count)
{
	struct entry *files = calloc(count, sizeof(*files));
	bool *is_folder = calloc(count, sizeof(*is_folder));
	size_t nfiles = 0;
	int failed = 0;

	if (!files || !is_folder) {
		complain("out of memory");
		exit(1);
	}
	for (size_t i = 0; i < count; i++) {
		struct stat status;

		is_folder[i] = !folders_as_files && stat(paths[i], &status) == 0 &&
			       S_ISDIR(status.st_mode);
		if (is_folder[i])
			continue;
		if (entry_fill(&files[nfiles], AT_FDCWD, paths[i]) == 0) {
			nfiles++;
		} else {
			complain_errno("%s", paths[i]);
			failed = 1;
		}
	}
	list_entries(files, nfiles);
	for (size_t i = 0; i < nfiles; i++)
		free(files[i].target);
	free(files);

	bool something_above = nfiles > 0;

	for (size_t i = 0; i < count; i++) {
		if (!is_folder[i])
			continue;
		if (something_above)
			putchar('\n');
		if (count > 1)
			printf("%s:\n", paths[i]);
		failed |= list_folder(paths[i]);
		something_above = true;
	}
	free(is_folder);
	return failed;
}

int main(int argc, char **argv)
{
	int option;

	program_start("ls", help, argc, argv);
	screen = screen_get();
	opterr = 0;
	while ((option = getopt(argc, argv, "adl1")) != -1) {
		switch (option) {
		case 'a':
			show_hidden = true;
			break;
		case 'd':
			folders_as_files = true;
			break;
		case 'l':
			long_form = true;
			break;
		case '1':
			one_on_a_line = true;
			break;
		default:
			usage_error("there is no option -%c", optopt);
		}
	}
	if (optind == argc)
		return program_end(list_folder("."));
	return program_end(list_arguments(argv + optind, (size_t)(argc - optind)));
}
