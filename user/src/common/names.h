/*
 * The names in a folder, sorted by byte: what ls, tree, pack, cp and rm walk.
 */
#ifndef COMMON_NAMES_H
#define COMMON_NAMES_H

#include <stddef.h>

struct names {
	char **list;
	size_t count;
};

/*
 * Reads all names but "." and ".." of the open folder `fd`, which it takes over and closes.
 * 0, or -1 with errno (and nothing to free). names_free() when done.
 */
int names_read(int fd, struct names *names);
void names_free(struct names *names);

/* "folder/name" without doubled slashes, in memory that the caller frees. Exits when out of memory.
 */
char *path_join(const char *folder, const char *name);

/* The last component of a path, as a pointer into it: "c" of "a/b/c". */
const char *path_base(const char *path);

#endif
