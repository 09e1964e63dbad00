/*
 * Self-tests of the devices, through their names in /dev.
 */
#define LOG_SUBSYSTEM "selftest"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <fusek/file.h>
#include <ipc/object.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/selftest.h>
#include <lib/string.h>

#include "devices.h"
#include "random.h"

static struct object *open_device(const char *name, unsigned flags)
{
	struct vfs_context context = vfs_kernel_context();
	struct object *object = NULL;
	char path[32];

	kernel_format(path, sizeof(path), "/dev/%s", name);
	selftest_check(vfs_open(&context, NULL, path, flags, 0, &object) == 0);
	return object;
}

static ssize_t read_device(struct object *object, void *to, size_t len_bytes)
{
	struct buffer buffer;

	buffer_init_kernel(&buffer, to, len_bytes);
	return object_read(object, &buffer, NULL);
}

static ssize_t write_device(struct object *object, const void *from, size_t len_bytes)
{
	struct buffer buffer;

	buffer_init_kernel(&buffer, (void *)(uintptr_t)from, len_bytes);
	return object_write(object, &buffer, NULL);
}

SELFTEST(dev_null_swallows_and_is_empty)
{
	struct object *null = open_device("null", O_RDWR);
	struct abi_stat stat;
	char byte;

	if (!null)
		return;
	selftest_check(write_device(null, "lost", 4) == 4);
	selftest_check(read_device(null, &byte, 1) == 0);
	selftest_check(object_stat(null, &stat) == 0);
	selftest_check(S_ISCHR(stat.st_mode) && stat.st_rdev == (DEVICE_MEMORY_MAJOR << 8 | 3));
	object_put(null);
}

SELFTEST(dev_zero_and_full)
{
	struct object *zero = open_device("zero", O_RDONLY);
	struct object *full = open_device("full", O_RDWR);
	uint8_t bytes[600];

	memset(bytes, 0xff, sizeof(bytes));
	if (zero && full) {
		selftest_check(read_device(zero, bytes, sizeof(bytes)) == sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes); i++)
			selftest_check(bytes[i] == 0);
		selftest_check(write_device(full, "x", 1) == -ENOSPC);
		selftest_check(read_device(full, bytes, 1) == 1);
	}
	object_put(zero);
	object_put(full);
}

SELFTEST(dev_urandom_gives_what_was_asked)
{
	struct object *urandom = open_device("urandom", O_RDONLY);
	uint8_t first[600];
	uint8_t second[600];

	if (!urandom)
		return;
	selftest_check(read_device(urandom, first, sizeof(first)) == sizeof(first));
	selftest_check(read_device(urandom, second, sizeof(second)) == sizeof(second));
	selftest_check(memcmp(first, second, sizeof(first)) != 0);
	object_put(urandom);
}

SELFTEST(dev_kmsg_tells_what_was_logged)
{
	struct object *kmsg = open_device("kmsg", O_RDWR | O_NONBLOCK);
	uint32_t token = (uint32_t)random_u64();
	char expected[48];
	char line[512];
	bool found = false;
	ssize_t n;

	if (!kmsg)
		return;
	n = (ssize_t)kernel_format(expected, sizeof(expected), "<7>a line for kmsg: %08x\n", token);
	selftest_check(write_device(kmsg, expected, (size_t)n) == n);
	kernel_format(expected, sizeof(expected), "user: a line for kmsg: %08x\n", token);
	while (!found && (n = read_device(kmsg, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		found = line[0] == '7' && strstr(line, expected);
	}
	selftest_check(found);
	object_put(kmsg);
}
