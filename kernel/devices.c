/*
 * /dev/null, zero, full, random, urandom, kmsg, tty; what all terminals have in common. Nothing
 * here has state but an open kmsg, which remembers the next log line to read.
 */
#define LOG_SUBSYSTEM "dev"

#include "devices.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <fusek/devfs.h>
#include <ipc/buffer.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/slab.h>

#include "log.h"
#include "log_hide.h"
#include "process.h"
#include "random.h"
#include "tty.h"

#define PIECE 512

/* ---- null, zero, full ---- */

static ssize_t null_read(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			 unsigned flags)
{
	(void)file, (void)buffer, (void)offset_bytes, (void)flags;
	return 0;
}

static ssize_t null_write(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			  unsigned flags)
{
	(void)file, (void)offset_bytes, (void)flags;
	return (ssize_t)buffer_remaining(buffer);
}

static ssize_t zero_read(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			 unsigned flags)
{
	size_t wanted = buffer_remaining(buffer);

	(void)file, (void)offset_bytes, (void)flags;
	return buffer_result(buffer_clear(buffer, wanted), wanted);
}

static ssize_t full_write(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			  unsigned flags)
{
	(void)file, (void)offset_bytes, (void)flags;
	return buffer_remaining(buffer) ? -ENOSPC : 0;
}

/* ---- random ---- */

static ssize_t random_read(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			   unsigned flags)
{
	size_t wanted = buffer_remaining(buffer);
	uint8_t piece[PIECE];
	size_t done = 0;

	(void)file, (void)offset_bytes, (void)flags;
	while (done < wanted && !thread_interrupted()) {
		size_t n = MIN(sizeof(piece), wanted - done);
		size_t moved;

		random_bytes(piece, n);
		moved = buffer_copy_to(buffer, piece, n);
		done += moved;
		if (moved < n)
			return buffer_result(done, wanted);
	}
	return done || !wanted ? (ssize_t)done : -EINTR;
}

static ssize_t random_write(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			    unsigned flags)
{
	size_t wanted = buffer_remaining(buffer);
	uint8_t piece[PIECE];
	size_t done = 0;

	(void)file, (void)offset_bytes, (void)flags;
	while (done < wanted && !thread_interrupted()) {
		size_t n = buffer_copy_from(buffer, piece, MIN(sizeof(piece), wanted - done));

		if (n == 0)
			break;
		random_mix(piece, n);
		done += n;
	}
	if (!done && wanted && thread_interrupted())
		return -EINTR;
	return buffer_result(done, wanted);
}

/* ---- kmsg: a record a read, "level,sequence,microseconds,-;text\n" ---- */

static err_t kmsg_open(struct device_file *file, unsigned flags)
{
	uint64_t *next;

	(void)flags;
	next = kzalloc(sizeof(*next));
	if (!next)
		return -ENOMEM;
	file->private = next;
	return 0;
}

static void kmsg_release(struct device_file *file)
{
	kfree(file->private);
}

static err_t kmsg_wait(uint64_t next, unsigned flags, struct log_line *line)
{
	while (!log_read(next, line)) {
		if (flags & O_NONBLOCK)
			return -EAGAIN;
		if (thread_interrupted() || thread_sleep_ns(LOG_LOOK_NS))
			return -EINTR;
	}
	return 0;
}

static ssize_t kmsg_read(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			 unsigned flags)
{
	char text[LOG_LINE_MAX + 64];
	uint64_t *next = file->private;
	struct log_line line;
	uint64_t expected;
	size_t len;
	err_t err;

	(void)offset_bytes;
	/* Several may read one open file: who moves the position on has the line. */
	do {
		expected = read_once(next);
		err = kmsg_wait(expected, flags, &line);
		if (err)
			return err;
		log_hide_addresses(line.text);
		len = kernel_format(text, sizeof(text), "%u,%lu,%lu,-;%s\n",
				    log_syslog_level(line.level), line.sequence,
				    (uint64_t)(line.time_ns / NSEC_PER_USEC), line.text);
		len = MIN(len, sizeof(text) - 1);
		if (len > buffer_remaining(buffer))
			return -EINVAL;
	} while (!atomic_cas(next, &expected, line.sequence + 1));
	return buffer_result(buffer_copy_to(buffer, text, len), len);
}

/* A line into the log: "<level>text" or plain text. */
static ssize_t kmsg_write(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			  unsigned flags)
{
	size_t wanted = buffer_remaining(buffer);
	enum log_level level = LOG_INFO;
	char text[LOG_LINE_MAX];
	char *start = text;
	size_t len;

	(void)file, (void)offset_bytes, (void)flags;
	if (wanted >= sizeof(text))
		return -EINVAL; /* a line is logged as a whole or not at all */
	len = buffer_copy_from(buffer, text, wanted);
	if (len < wanted)
		return -EFAULT;
	if (len == 0)
		return 0;
	while (len > 0 && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	if (text[0] == '<' && text[1] >= '0' && text[1] <= '7' && text[2] == '>') {
		level = text[1] <= '3' ? LOG_ERR : text[1] == '4' ? LOG_WARN : LOG_INFO;
		level = text[1] == '7' ? LOG_DEBUG : level;
		start += 3;
	}
	log_emit(level, "user", "%s", start);
	return (ssize_t)wanted;
}

/* ---- terminals ---- */

err_t terminal_open_as(struct device_file *file, struct tty *tty, unsigned flags, bool survives)
{
	struct tty_file *opened = kmalloc(sizeof(*opened));
	err_t err = opened ? tty_file_open(opened, tty, flags, survives) : -ENOMEM;

	if (err)
		kfree(opened);
	else
		file->private = opened;
	return err;
}

static err_t terminal_open(struct device_file *file, unsigned flags)
{
	return terminal_open_as(file, file->argument, flags, false);
}

static err_t console_open(struct device_file *file, unsigned flags)
{
	return terminal_open_as(file, file->argument, flags, true);
}

/* /dev/tty: the terminal that the program belongs to. ksh is no program: it reads its console in
 * its own way, and a read through a file would never see Ctrl-C. */
static err_t controlling_open(struct device_file *file, unsigned flags)
{
	struct tty *tty = tty_controlling_get();
	err_t err = tty ? terminal_open_as(file, tty, flags | O_NOCTTY, false) : -ENXIO;

	tty_put(tty);
	return err;
}

void terminal_release(struct device_file *file)
{
	tty_file_close(file->private);
	kfree(file->private);
}

ssize_t terminal_read(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
		      unsigned flags)
{
	(void)offset_bytes;
	return tty_read(file->private, buffer, flags & O_NONBLOCK);
}

ssize_t terminal_write(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
		       unsigned flags)
{
	(void)offset_bytes;
	return tty_write(file->private, buffer, flags & O_NONBLOCK);
}

ssize_t terminal_ioctl(struct device_file *file, unsigned command, uptr_t argument, unsigned flags)
{
	(void)flags;
	return tty_ioctl(file->private, command, argument);
}

unsigned terminal_poll(struct device_file *file, struct waitq **queue)
{
	return tty_poll(file->private, queue);
}

/* ---- the table ---- */

static const struct device_ops null_ops = {.read = null_read, .write = null_write};
static const struct device_ops zero_ops = {.read = zero_read, .write = null_write};
static const struct device_ops full_ops = {.read = zero_read, .write = full_write};
static const struct device_ops random_ops = {.read = random_read, .write = random_write};
static const struct device_ops kmsg_ops = {
	.open = kmsg_open,
	.read = kmsg_read,
	.write = kmsg_write,
	.release = kmsg_release,
};
const struct device_ops terminal_device_ops = TERMINAL_DEVICE_OPS(terminal_open);
const struct device_ops console_device_ops = TERMINAL_DEVICE_OPS(console_open);
static const struct device_ops controlling_ops = TERMINAL_DEVICE_OPS(controlling_open);

static const struct device {
	const char *name;
	uint32_t major;
	uint32_t minor;
	uint32_t mode;
	unsigned flags;
	const struct device_ops *ops;
	void *argument;
} devices[] = {
	{"null", DEVICE_MEMORY_MAJOR, 3, 0666, DEVICE_SEEKABLE, &null_ops, NULL},
	{"zero", DEVICE_MEMORY_MAJOR, 5, 0666, DEVICE_SEEKABLE, &zero_ops, NULL},
	{"full", DEVICE_MEMORY_MAJOR, 7, 0666, DEVICE_SEEKABLE, &full_ops, NULL},
	{"random", DEVICE_MEMORY_MAJOR, 8, 0666, DEVICE_SEEKABLE, &random_ops, NULL},
	{"urandom", DEVICE_MEMORY_MAJOR, 9, 0666, DEVICE_SEEKABLE, &random_ops, NULL},
	{"kmsg", DEVICE_MEMORY_MAJOR, 11, 0600, 0, &kmsg_ops, NULL},
	{"tty", DEVICE_TTY_MAJOR, DEVICE_TTY_MINOR, 0666, 0, &controlling_ops, NULL},
};

bool device_never_waits(uint64_t rdev)
{
	unsigned minor = abi_minor(rdev);

	return abi_major(rdev) == DEVICE_MEMORY_MAJOR &&
	       (minor == 3 || minor == 5 || minor == 8 || minor == 9);
}

void devices_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		const struct device *device = &devices[i];
		err_t err = devfs_register(device->name, device->major, device->minor, device->mode,
					   device->flags, device->ops, device->argument);

		if (err)
			log_err("/dev/%s cannot be made (error %d)", device->name, -err);
	}
}
