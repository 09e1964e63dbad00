/*
 * The devices that the kernel itself has, as files below /dev.
 */
#ifndef KERNEL_DEVICES_H
#define KERNEL_DEVICES_H

#include <fusek/devfs.h>

/* Device numbers as Linux's (Documentation/admin-guide/devices.txt). */
#define DEVICE_MEMORY_MAJOR  1
#define DEVICE_TTY_MAJOR     5
#define DEVICE_SERIAL_MAJOR  4 /* tty0, tty1 too */
#define DEVICE_PTS_MAJOR     136
#define DEVICE_TTY_MINOR     0
#define DEVICE_CONSOLE_MINOR 1
#define DEVICE_PTMX_MINOR    2
#define DEVICE_TTYS0_MINOR   64

struct tty;
struct device_file;

/* What a terminal does as a device; the registration's argument is its struct tty. */
extern const struct device_ops terminal_device_ops;
/* The same for /dev/console: no hang-up ends it, and it never becomes anybody's terminal. */
extern const struct device_ops console_device_ops;
/* For a device that finds out which terminal it is: its open calls terminal_open_as(), the rest is
 * in TERMINAL_DEVICE_OPS. */
err_t must_check terminal_open_as(struct device_file *file, struct tty *tty, unsigned flags,
				  bool survives);
void terminal_release(struct device_file *file);
ssize_t terminal_read(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
		      unsigned flags);
ssize_t terminal_write(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
		       unsigned flags);
ssize_t terminal_ioctl(struct device_file *file, unsigned command, uptr_t argument, unsigned flags);
unsigned terminal_poll(struct device_file *file, struct waitq **queue);

#define TERMINAL_DEVICE_OPS(its_open)                                                              \
	{                                                                                          \
		.open = (its_open), .read = terminal_read, .write = terminal_write,                \
		.ioctl = terminal_ioctl, .poll = terminal_poll, .release = terminal_release,       \
	}

/* As Linux counts them: null, zero, random, urandom. */
bool device_never_waits(uint64_t rdev);
/* Registers null zero full random urandom kmsg tty. The terminals' own: console_init(). */
void devices_init(void);

#endif
