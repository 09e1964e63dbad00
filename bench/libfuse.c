/*
 * libfuse: requests to a driver on the unmodified libfuse (drivers/memfs), which is told to let
 * nothing be remembered. What it does for itself is done on both kernels; qemu/split.c tells it
 * from the kernel's part.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/bench.h"
#include "common/driver.h"
#include "common/fuse_rows.h"

#define DRIVER "/bench/memfs"

/* Until somebody has mounted something there. */
static long wait_for_mount(pid_t driver)
{
	struct stat before, now;

	if (stat(".", &before) != 0)
		return -errno;
	for (;;) {
		if (stat(FUSE_ROWS_MOUNT, &now) != 0)
			return -errno;
		if (now.st_dev != before.st_dev)
			return 0;
		if (waitpid(driver, NULL, WNOHANG) == driver)
			return -ENODEV;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
}

static long make_file(const char *path, unsigned long bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	long error = fd < 0 || ftruncate(fd, (off_t)bytes) != 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return error;
}

static long fill(void)
{
	char path[64];
	long error = make_file(FUSE_ROWS_MOUNT "/" DRIVER_FRESH, DRIVER_FILE_BYTES);

	if (!error && mkdir(FUSE_ROWS_MOUNT "/" DRIVER_FOLDER, 0755) != 0)
		error = -errno;
	for (unsigned i = 0; i < DRIVER_NAMES && !error; i++) {
		snprintf(path, sizeof(path), FUSE_ROWS_MOUNT "/" DRIVER_FOLDER "/name%03u", i);
		error = make_file(path, 0);
	}
	return error;
}

static long start(void)
{
	pid_t driver;
	long error;

	if (chdir("/tmp") != 0 || (mkdir(FUSE_ROWS_MOUNT, 0755) != 0 && errno != EEXIST))
		return -errno;
	driver = fork();
	if (driver == 0) {
		execl(DRIVER, DRIVER, "-f", "-s", "-o", "direct_io,timeout=0", FUSE_ROWS_MOUNT,
		      (char *)NULL);
		_exit(127);
	}
	error = driver < 0 ? -errno : wait_for_mount(driver);
	return error ? error : fill();
}

int main(int argc, char **argv)
{
	return fuse_rows_of("libfuse", start(), argc, argv);
}
