/*
 * The first serial port, written by waiting: for the log before there are drivers, and for the last
 * words of a panic. Programs' terminals use the interrupt-driven driver in kernel/.
 */
#ifndef ARCH_CONSOLE_H
#define ARCH_CONSOLE_H

#include <lib/types.h>

/* Takes no lock and may be called from anywhere; a line feed becomes carriage return and line feed.
 * A port that is not there costs nothing. */
void console_write_raw(const char *text, size_t len_bytes);

/* Hook of kernel/, called by console_write_raw(): the screen, if one was found. */
void console_screen_raw(const char *text, size_t len_bytes);

#endif
