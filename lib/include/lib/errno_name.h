/*
 * Error numbers as text, for the tracer and for messages.
 */
#ifndef LIB_ERRNO_NAME_H
#define LIB_ERRNO_NAME_H

/* "ENOENT" for ENOENT (positive); a number without a name is "E?". */
const char *errno_name(int number);

#endif
