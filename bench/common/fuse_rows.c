/*
 * What it costs to ask a filesystem driver, and what it saves not to ask it. The driver is
 * driver.c; both are one program, so the same file on both kernels. A figure is that of client,
 * kernel and driver together.
 */
#include "fuse_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "driver.h"

#define MOUNT         FUSE_ROWS_MOUNT
#define MOUNT_NO_OPEN "bench.fuse.noopen" /* the driver's OPEN is ENOSYS */

static int file = -1;
static long start_error;
/* Whole pages, which is what can be lent. */
static char bytes[DRIVER_FILE_BYTES] __attribute__((aligned(PAGE_BYTES)));

static long open_path(const char *path, int flags)
{
	if (start_error)
		return start_error;
	file = open(path, flags);
	return file < 0 ? -errno : 0;
}

static long open_fresh(unsigned count)
{
	(void)count;
	return open_path(MOUNT "/" DRIVER_FRESH, O_RDWR);
}

static long open_cached(unsigned count)
{
	long error = open_path(MOUNT "/" DRIVER_CACHED, O_RDWR);

	(void)count;
	if (error)
		return error;
	return bench_whole(pread(file, bytes, sizeof(bytes), 0), sizeof(bytes));
}

static long close_file(unsigned count)
{
	(void)count;
	return close(file) == 0 ? 0 : -errno;
}

/* Rows without a file of their own. */
static long is_mounted(unsigned count)
{
	(void)count;
	return start_error;
}

static long stat_open(unsigned count)
{
	struct stat found;
	long error = 0;

	while (count-- > 0 && !error)
		error = call2(SYS_fstat, file, (long)&found);
	return error;
}

static long stat_path(const char *path, unsigned count)
{
	struct stat found;
	long error = 0;

	while (count-- > 0 && !error)
		error = call2(SYS_stat, (long)path, (long)&found);
	return error;
}

static long stat_fresh(unsigned count)
{
	return stat_path(MOUNT "/" DRIVER_FRESH, count);
}

static long stat_cached(unsigned count)
{
	return stat_path(MOUNT "/" DRIVER_CACHED, count);
}

static long open_close_path(const char *path, unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error) {
		long fd = call2(SYS_open, (long)path, O_RDONLY);

		error = fd < 0 ? fd : call1(SYS_close, fd);
	}
	return error;
}

static long open_close(unsigned count)
{
	return open_close_path(MOUNT "/" DRIVER_FRESH, count);
}

static long open_close_cached(unsigned count)
{
	return open_close_path(MOUNT_NO_OPEN "/" DRIVER_CACHED, count);
}

static long transfer(long number, unsigned long length, unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error)
		error = bench_whole(call6(number, file, (long)bytes, (long)length, 0, 0, 0),
				    length);
	return error;
}

static long read_4k(unsigned count)
{
	return transfer(SYS_pread64, PAGE_BYTES, count);
}

static long read_128k(unsigned count)
{
	return transfer(SYS_pread64, DRIVER_CHUNK, count);
}

static long write_4k(unsigned count)
{
	return transfer(SYS_pwrite64, PAGE_BYTES, count);
}

static long write_128k(unsigned count)
{
	return transfer(SYS_pwrite64, DRIVER_CHUNK, count);
}

/* Each open of this file forgets its pages. */
static long read_cold(unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error) {
		error = open_path(MOUNT "/" DRIVER_COLD, O_RDONLY);
		for (unsigned long at = 0; at < DRIVER_FILE_BYTES && !error; at += DRIVER_CHUNK)
			error = bench_whole(call3(SYS_read, file, (long)bytes, DRIVER_CHUNK),
					    DRIVER_CHUNK);
		close(file);
	}
	return error;
}

static long create_unlink(unsigned count)
{
	static const char name[] = MOUNT "/new";
	long error = 0;

	while (count-- > 0 && !error) {
		long fd = call3(SYS_open, (long)name, O_WRONLY | O_CREAT | O_EXCL, 0600);

		if (fd < 0)
			return fd;
		call1(SYS_close, fd);
		error = call1(SYS_unlink, (long)name);
	}
	return error;
}

static long read_directory(unsigned count)
{
	long result = 0;

	while (count-- > 0 && result == 0) {
		long fd = call2(SYS_open, (long)MOUNT "/" DRIVER_FOLDER, O_RDONLY | O_DIRECTORY);

		if (fd < 0)
			return fd;
		do
			result = call3(SYS_getdents64, fd, (long)bytes, 32768);
		while (result > 0);
		call1(SYS_close, fd);
	}
	return result;
}

/* The first NASKED ask the driver each time. */
static const struct bench_row rows[] = {
	{"fstat", 200, open_fresh, stat_open, close_file},
	{"stat", 200, is_mounted, stat_fresh, NULL},
	{"open_close", 100, is_mounted, open_close, NULL},
	{"read_4k_direct", 100, open_fresh, read_4k, close_file},
	{"read_128k_direct", 20, open_fresh, read_128k, close_file},
	{"write_4k_direct", 100, open_fresh, write_4k, close_file},
	{"write_128k_direct", 20, open_fresh, write_128k, close_file},
	{"create_unlink", 50, is_mounted, create_unlink, NULL},
	{"readdir_100", 20, is_mounted, read_directory, NULL},
	{"stat_cached", 500, is_mounted, stat_cached, NULL},
	{"open_close_cached", 200, is_mounted, open_close_cached, NULL},
	{"read_4k_cached", 200, open_cached, read_4k, close_file},
	{"read_cold_1m", 2, is_mounted, read_cold, NULL},
};
#define NASKED 9

static int end(int status, bool unmounted)
{
	while (unmounted && wait(NULL) > 0)
		;
	return unmounted ? status : 1;
}

int fuse_rows_of(const char *family, long error, int argc, char **argv)
{
	int status;

	start_error = error;
	status = bench_main(family, rows, NASKED, argc, argv);
	return end(status, error || umount(FUSE_ROWS_MOUNT) == 0);
}

int fuse_rows_main(const char *family, unsigned flags, int argc, char **argv)
{
	int status;

	if (chdir("/tmp") == 0)
		start_error = driver_start(MOUNT, flags);
	if (!start_error)
		start_error = driver_start(MOUNT_NO_OPEN, flags | DRIVER_NO_OPEN);
	status = bench_main(family, rows, LENGTH(rows), argc, argv);
	return end(status, start_error || (umount(MOUNT) == 0 && umount(MOUNT_NO_OPEN) == 0));
}
