/*
 * Code page 437: the 256 characters of the PC's text mode.
 */
#ifndef KERNEL_CONSOLE_CODEPAGE_H
#define KERNEL_CONSOLE_CODEPAGE_H

#include <lib/types.h>

/* The byte whose picture is, or is like, the character; '?' where there is none. */
uint8_t codepage_byte(uint32_t character);

#endif
