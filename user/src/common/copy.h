/*
 * Bytes from one descriptor to another.
 */
#ifndef COMMON_COPY_H
#define COMMON_COPY_H

#include <stddef.h>

enum copy_result { COPY_DONE, COPY_READ_FAILED, COPY_WRITE_FAILED };

/* Copies until end of file. What failed, with errno; nothing is buffered. */
enum copy_result copy_bytes(int from, int to);

/* Writes all of it. 0, or -1 with errno. */
int write_all(int fd, const void *bytes, size_t len);

#endif
