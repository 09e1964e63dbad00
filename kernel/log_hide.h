/*
 * The log as programs may read it and write to it.
 */
#ifndef KERNEL_LOG_HIDE_H
#define KERNEL_LOG_HIDE_H

#include <lib/types.h>

/* Overwrites every address of the kernel's half in `text`: whoever reads it has no use for it but
 * to find the kernel. A number counts as one if it has 16 hexadecimal digits and lies there; small
 * negative numbers do not. */
void log_hide_addresses(char *text);

/* Names of programs and files get into the log: nothing in it may be a command to the terminal that
 * shows it. Control characters become question marks, those of the second half (C1) as well, and
 * what is not UTF-8. */
void log_hide_controls(char *text, size_t len_bytes);

#endif
