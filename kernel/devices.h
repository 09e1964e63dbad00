/*
 * The devices that the kernel itself has, as files below /dev.
 */
#ifndef KERNEL_DEVICES_H
#define KERNEL_DEVICES_H

/* Device numbers as Linux's (Documentation/admin-guide/devices.txt). */
#define DEVICE_MEMORY_MAJOR  1
#define DEVICE_TTY_MAJOR     5
#define DEVICE_SERIAL_MAJOR  4
#define DEVICE_TTY_MINOR     0
#define DEVICE_CONSOLE_MINOR 1
#define DEVICE_TTYS0_MINOR   64

/* Registers null zero full random urandom kmsg tty console ttyS0. */
void devices_init(void);

#endif
