/*
 * What a file's status looks like to a person.
 */
#ifndef COMMON_STATUS_H
#define COMMON_STATUS_H

#include <sys/stat.h>

/* "drwxr-xr-x" for a mode, in `text`. */
void mode_text(mode_t mode, char text[11]);

/* The escape sequence for names of such files, "" for plain ones. */
const char *name_colour(mode_t mode);

#define COLOUR_END "\033[0m"

#endif
