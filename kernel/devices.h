/*
 * The devices that the kernel itself has, as files below /dev.
 */
#ifndef KERNEL_DEVICES_H
#define KERNEL_DEVICES_H

struct device_ops;

/* Device numbers as Linux's (Documentation/admin-guide/devices.txt). */
#define DEVICE_MEMORY_MAJOR  1
#define DEVICE_TTY_MAJOR     5
#define DEVICE_SERIAL_MAJOR  4 /* tty0, tty1 too */
#define DEVICE_TTY_MINOR     0
#define DEVICE_CONSOLE_MINOR 1
#define DEVICE_TTYS0_MINOR   64

/* What a terminal does as a device; the registration's argument is its struct tty. */
extern const struct device_ops terminal_device_ops;

/* Registers null zero full random urandom kmsg tty. The terminals' own: console_init(). */
void devices_init(void);

#endif
