/*
 * tmpfs: what files in memory cost: names made and taken away, bytes in and out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/bench.h"

#define NAME      "bench.t"
#define OTHER     "bench.u"
#define NAMES     1000 /* of readdir */
#define LOAD_MAX  65536
#define CHUNK_MAX 32768

static int file = -1;
static char bytes[LOAD_MAX];

static long open_file(int flags)
{
	file = open(NAME, O_RDWR | O_CREAT | flags, 0600);
	if (file < 0)
		return -errno;
	return flags & O_APPEND ? 0 : bench_whole(pwrite(file, bytes, LOAD_MAX, 0), LOAD_MAX);
}

static long open_filled(unsigned count)
{
	(void)count;
	return open_file(O_TRUNC);
}

static long open_appending(unsigned count)
{
	(void)count;
	return open_file(O_TRUNC | O_APPEND);
}

static long close_file(unsigned count)
{
	(void)count;
	close(file);
	return unlink(NAME) == 0 ? 0 : -errno;
}

static long transfer(long number, unsigned long length, unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error)
		error = bench_whole(call6(number, file, (long)bytes, (long)length, 0, 0, 0),
				    length);
	return error;
}

static long read_1(unsigned count)
{
	return transfer(SYS_pread64, 1, count);
}

static long read_4k(unsigned count)
{
	return transfer(SYS_pread64, PAGE_BYTES, count);
}

static long read_64k(unsigned count)
{
	return transfer(SYS_pread64, LOAD_MAX, count);
}

static long write_4k(unsigned count)
{
	return transfer(SYS_pwrite64, PAGE_BYTES, count);
}

static long append_4k(unsigned count)
{
	return transfer(SYS_write, PAGE_BYTES, count);
}

static long create_unlink(unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error) {
		long fd = call3(SYS_open, (long)NAME, O_WRONLY | O_CREAT | O_EXCL, 0600);

		if (fd < 0)
			return fd;
		call1(SYS_close, fd);
		error = call1(SYS_unlink, (long)NAME);
	}
	return error;
}

static long make_remove_directory(unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error) {
		error = call2(SYS_mkdir, (long)OTHER, 0700);
		if (!error)
			error = call1(SYS_rmdir, (long)OTHER);
	}
	return error;
}

static long rename_pair(unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error) {
		error = call2(SYS_rename, (long)NAME, (long)OTHER);
		if (!error)
			error = call2(SYS_rename, (long)OTHER, (long)NAME);
	}
	return error;
}

static long each_name(long (*act)(const char *name))
{
	char name[40];
	long error = 0;

	for (unsigned i = 0; i < NAMES && !error; i++) {
		snprintf(name, sizeof(name), OTHER "/%u", i);
		error = act(name);
	}
	return error;
}

static long make_name(const char *name)
{
	return mknod(name, S_IFREG | 0600, 0) == 0 ? 0 : -errno;
}

static long remove_name(const char *name)
{
	return unlink(name) == 0 ? 0 : -errno;
}

static long fill_directory(unsigned count)
{
	long error;

	(void)count;
	if (mkdir(OTHER, 0700) != 0)
		return -errno;
	error = each_name(make_name);
	if (error)
		return error;
	file = open(OTHER, O_RDONLY | O_DIRECTORY);
	return file < 0 ? -errno : 0;
}

static long empty_directory(unsigned count)
{
	(void)count;
	close(file);
	each_name(remove_name);
	return rmdir(OTHER) == 0 ? 0 : -errno;
}

static long read_directory(unsigned count)
{
	long result;

	while (count-- > 0) {
		lseek(file, 0, SEEK_SET);
		do
			result = call3(SYS_getdents64, file, (long)bytes, CHUNK_MAX);
		while (result > 0);
		if (result < 0)
			return result;
	}
	return 0;
}

static const struct bench_row rows[] = {
	{"read_1", 2000, open_filled, read_1, close_file},
	{"read_4k", 500, open_filled, read_4k, close_file},
	{"read_64k", 50, open_filled, read_64k, close_file},
	{"write_4k", 500, open_filled, write_4k, close_file},
	{"append_4k", 256, open_appending, append_4k, close_file},
	{"create_unlink", 200, NULL, create_unlink, NULL},
	{"mkdir_rmdir", 200, NULL, make_remove_directory, NULL},
	{"rename_pair", 200, open_filled, rename_pair, close_file},
	{"readdir_1000", 2, fill_directory, read_directory, empty_directory},
};

int main(int argc, char **argv)
{
	return bench_main("tmpfs", rows, LENGTH(rows), argc, argv);
}
