/*
 * paths: names and descriptors, on tmpfs, all of it known to the kernel's caches after the first
 * batch.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/bench.h"

#define DEEP "bench.d/2/3/4/5/6/7"

static int file = -1;

static long make_tree(unsigned count)
{
	static const char deep[] = DEEP;
	char path[sizeof(deep)];

	(void)count;
	for (unsigned i = 0; i < sizeof(deep); i++) {
		path[i] = deep[i];
		if (deep[i] != '/' && deep[i] != '\0')
			continue;
		path[i] = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			return -errno;
		path[i] = deep[i];
	}
	file = open(DEEP "/8", O_RDWR | O_CREAT, 0644);
	return file < 0 ? -errno : 0;
}

static long leave_tree(unsigned count)
{
	(void)count;
	close(file);
	return 0;
}

static long stat_open_file(unsigned count)
{
	struct stat status;
	long error = 0;

	while (count-- > 0 && !error)
		error = call2(SYS_fstat, file, (long)&status);
	return error;
}

static long stat_name(const char *name, unsigned count, long expected)
{
	struct stat status;

	while (count-- > 0) {
		long result = call2(SYS_stat, (long)name, (long)&status);

		if (result != expected)
			return result < 0 ? result : -EPROTO;
	}
	return 0;
}

static long stat_depth1(unsigned count)
{
	return stat_name("bench.d", count, 0);
}

static long stat_depth8(unsigned count)
{
	return stat_name(DEEP "/8", count, 0);
}

static long stat_missing(unsigned count)
{
	return stat_name("bench.missing", count, -ENOENT);
}

static long may_read(unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error)
		error = call2(SYS_access, (long)"bench.d", R_OK);
	return error;
}

static long open_and_close(unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error) {
		long fd = call3(SYS_open, (long)DEEP "/8", O_RDONLY, 0);

		error = fd < 0 ? fd : call1(SYS_close, fd);
	}
	return error;
}

static long duplicate_and_close(unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error) {
		long fd = call1(SYS_dup, file);

		error = fd < 0 ? fd : call1(SYS_close, fd);
	}
	return error;
}

static long get_flags(unsigned count)
{
	long result = 0;

	while (count-- > 0 && result >= 0)
		result = call2(SYS_fcntl, file, F_GETFL);
	return result < 0 ? result : 0;
}

static long seek(unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error)
		error = call3(SYS_lseek, file, 0, SEEK_SET);
	return error;
}

static long working_directory(unsigned count)
{
	char path[64];
	long result = 0;

	while (count-- > 0 && result >= 0)
		result = call2(SYS_getcwd, (long)path, sizeof(path));
	return result < 0 ? result : 0;
}

static const struct bench_row rows[] = {
	{"fstat", 2000, make_tree, stat_open_file, leave_tree},
	{"stat_depth1", 1000, make_tree, stat_depth1, leave_tree},
	{"stat_depth8", 1000, make_tree, stat_depth8, leave_tree},
	{"stat_missing", 1000, NULL, stat_missing, NULL},
	{"access", 1000, make_tree, may_read, leave_tree},
	{"open_close_depth8", 500, make_tree, open_and_close, leave_tree},
	{"dup_close", 1000, make_tree, duplicate_and_close, leave_tree},
	{"fcntl_getfl", 2000, make_tree, get_flags, leave_tree},
	{"lseek", 2000, make_tree, seek, leave_tree},
	{"getcwd", 1000, NULL, working_directory, NULL},
};

int main(int argc, char **argv)
{
	return bench_main("paths", rows, LENGTH(rows), argc, argv);
}
