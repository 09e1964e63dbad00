/*
 * The names in a folder, sorted by byte, and paths made of them.
 */
#include "common/names.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/program.h"

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static int names_add(struct names *names, const char *name)
{
	/* Room doubles whenever the count reaches a power of two. */
	if ((names->count & (names->count - 1)) == 0) {
		size_t room = names->count ? names->count * 2 : 1;
		char **list = realloc(names->list, room * sizeof(*list));

		if (!list)
			return -1;
		names->list = list;
	}
	names->list[names->count] = strdup(name);
	if (!names->list[names->count])
		return -1;
	names->count++;
	return 0;
}

int names_read(int fd, struct names *names)
{
	DIR *folder = fdopendir(fd);
	struct dirent *entry;

	*names = (struct names){0};
	if (!folder) {
		close(fd);
		return -1;
	}
	while (errno = 0, (entry = readdir(folder)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (names_add(names, entry->d_name) < 0)
			break;
	}

	int reason = errno;

	closedir(folder);
	if (reason) {
		names_free(names);
		errno = reason;
		return -1;
	}
	if (names->count)
		qsort(names->list, names->count, sizeof(*names->list), compare_names);
	return 0;
}

void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct names){0};
}

char *path_join(const char *folder, const char *name)
{
	size_t folder_len = strlen(folder);
	const char *slash = folder_len && folder[folder_len - 1] != '/' ? "/" : "";
	char *path;

	if (asprintf(&path, "%s%s%s", folder, slash, name) < 0) {
		complain("out of memory");
		exit(1);
	}
	return path;
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}
