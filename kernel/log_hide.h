/*
 * The log as programs may read it.
 */
#ifndef KERNEL_LOG_HIDE_H
#define KERNEL_LOG_HIDE_H

/* Overwrites every address of the kernel's half in `text`: whoever reads it has no use for it but
 * to find the kernel. A number counts as one if it has 16 hexadecimal digits and lies there; small
 * negative numbers do not. */
void log_hide_addresses(char *text);

#endif
