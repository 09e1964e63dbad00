/*
 * Formatting into a buffer, printf's way: %d %i %u %x %X %o %c %s %p %% with flags `-0+ #`, width,
 * precision, `*`, and the lengths hh h l ll z j t. No floating point. Nothing is ever written
 * beyond the buffer.
 */
#ifndef LIB_FMT_H
#define LIB_FMT_H

#include <lib/types.h>

/* Returns the length that the whole text has (without the NUL), which may be more than was stored.
 * `to` ends with a NUL unless `to_bytes` is 0. */
size_t kernel_format(char *to, size_t to_bytes, const char *format, ...) PRINTF(3, 4);
size_t kernel_format_list(char *to, size_t to_bytes, const char *format, va_list arguments);

#endif
