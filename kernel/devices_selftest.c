/*
 * Self-tests of the devices, through their names in /dev.
 */
#define LOG_SUBSYSTEM "selftest"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <arch/clock.h>
#include <fusek/file.h>
#include <ipc/object.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/selftest.h>
#include <lib/string.h>
#include <sched/thread.h>

#include "devices.h"
#include "kthread.h"
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

SELFTEST(dev_kmsg_hides_where_the_kernel_is)
{
	struct object *kmsg = open_device("kmsg", O_RDONLY | O_NONBLOCK);
	char address[24];
	char line[512];
	bool found = false;
	ssize_t n;

	if (!kmsg)
		return;
	kernel_format(address, sizeof(address), "%#lx", (uint64_t)address);
	log_debug("hidden from programs: %s", address);
	while (!found && (n = read_device(kmsg, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		found = strstr(line, "hidden from programs: ");
		selftest_check(!strstr(line, address));
	}
	selftest_check(found);
	object_put(kmsg);
}

SELFTEST(dev_kmsg_refuses_a_line_that_is_too_long)
{
	struct object *kmsg = open_device("kmsg", O_WRONLY);
	char text[600];

	if (!kmsg)
		return;
	memset(text, 'x', sizeof(text));
	selftest_check(write_device(kmsg, text, sizeof(text)) == -EINVAL);
	selftest_check(write_device(kmsg, text, 0) == 0);
	object_put(kmsg);
}

struct kmsg_reader {
	struct object *kmsg;
	bool done; /* the thread's last touch */
};

static void read_all_and_one(void *argument)
{
	struct kmsg_reader *reader = argument;
	char line[512];
	ssize_t n;

	do {
		n = read_device(reader->kmsg, line, sizeof(line) - 1);
		line[MAX(n, 0)] = '\0';
	} while (n > 0 && !strstr(line, "the reader may go"));
	store_release(&reader->done, true);
}

SELFTEST(dev_kmsg_is_written_while_a_reader_waits)
{
	static const char text[] = "<7>the reader may go\n";
	struct kmsg_reader reader = {.kmsg = open_device("kmsg", O_RDWR)};
	uint64_t deadline_ns = clock_ns() + 10 * NSEC_PER_SEC;

	if (!reader.kmsg)
		return;
	if (selftest_check(!kthread_start("kmsg reader", read_all_and_one, &reader, NULL))) {
		/* It has read all that there is and sleeps. */
		(void)thread_sleep_ns(300 * NSEC_PER_MSEC);
		selftest_check(write_device(reader.kmsg, text, sizeof(text) - 1) ==
			       sizeof(text) - 1);
		while (!load_acquire(&reader.done))
			(void)thread_sleep_ns(NSEC_PER_MSEC);
		selftest_check(clock_ns() < deadline_ns);
	}
	object_put(reader.kmsg);
}

SELFTEST(dev_tty_needs_a_program)
{
	struct vfs_context context = vfs_kernel_context();
	struct object *object = NULL;

	selftest_check(vfs_open(&context, NULL, "/dev/tty", O_RDWR, 0, &object) == -ENXIO);
	object_put(object);
}
