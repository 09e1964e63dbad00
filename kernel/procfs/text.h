/*
 * A text that grows while it is written, for the files of /proc. The first failure stays: later
 * additions do nothing, and `err` says why. Used by one thread.
 */
#ifndef KERNEL_PROCFS_TEXT_H
#define KERNEL_PROCFS_TEXT_H

#include <lib/types.h>

struct text {
	char *bytes; /* owned; NULL: nothing yet */
	size_t len_bytes;
	size_t room_bytes;
	err_t err;
};

void text_add(struct text *text, const char *format, ...) PRINTF(2, 3);
void text_add_bytes(struct text *text, const void *bytes, size_t len_bytes);
/* As /proc writes names of files: of `special` each becomes \ooo. */
void text_add_escaped(struct text *text, const char *name, const char *special);
/* As it writes those of programs, but in stat: line ends and backslashes become \n and \\. */
void text_add_name(struct text *text, const char *name);
/* Room for `len_bytes` more, which the caller fills and counts by itself; NULL: no memory. */
char *text_reserve(struct text *text, size_t len_bytes);
void text_free(struct text *text);

#endif
