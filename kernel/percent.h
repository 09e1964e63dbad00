/*
 * Percent-encoding, as the command line carries argument lists: `%XX` is a byte, everything else
 * stands for itself.
 */
#ifndef KERNEL_PERCENT_H
#define KERNEL_PERCENT_H

#include <lib/types.h>

/* Decodes the string `text` in place; *len_bytes is the result's length, which may have NULs in it
 * and has one more behind it. -EINVAL: a % without two hexadecimal digits; *len_bytes is its place
 * in the result. */
err_t must_check percent_decode(char *text, size_t *len_bytes);

/* Cuts `text`, `len_bytes` long with a NUL behind it, at its NULs: fills `list` with pointers to
 * the strings and a NULL behind them. Returns how many strings there are; list_room too small: more
 * than list_room - 1, and only so many are there. */
size_t percent_split(char *text, size_t len_bytes, char **list, size_t list_room);

#endif
