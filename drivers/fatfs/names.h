/*
 * Names on a FAT volume. Programs give UTF-8; the disk has long names in UTF-16 and short ones of 8
 * and 3 bytes in code page 437. Letters of both cases are the same name.
 */
#ifndef FATFS_NAMES_H
#define FATFS_NAMES_H

#include "format.h"

#include <stdbool.h>
#include <stddef.h>

#define NAME_BYTES_MAX (NAME_UNITS_MAX * 3) /* in UTF-8, without a NUL */

/* A name as it is compared and written. */
struct name {
	uint16_t units[NAME_UNITS_MAX];
	unsigned n;
};

/* What can be a name: -EINVAL with a character that no name may have, a space at the end, or what
 * is not UTF-8; -ENAMETOOLONG; -ENOENT when nothing is left. Dots at the end are left away, as
 * Linux and Windows do. */
int name_from_utf8(const char *text, struct name *out);
/* NUL-terminated. What stands alone of a surrogate pair becomes U+FFFD. */
void name_to_utf8(const struct name *name, char out[NAME_BYTES_MAX + 1]);
bool name_equal(const struct name *a, const struct name *b);
/* Could this be a name at all? (What a spoiled disk says may hold a slash.) */
bool name_is_possible(const struct name *name);

/* ---- short names ---- */

/* `lower` are the LOWER_* of the entry. */
void short_to_name(const uint8_t raw[11], uint8_t lower, struct name *out);
uint8_t short_checksum(const uint8_t raw[11]);

/* A short name for a long one. */
struct short_name {
	uint8_t raw[11];
	uint8_t lower;   /* LOWER_* with which it says the same as the long name */
	bool is_enough;  /* no long entry is needed */
	unsigned base_n; /* bytes of the base, before a number is put to its end */
};

void short_from_name(const struct name *name, struct short_name *out);
/* BASE~number, number from 1 to 99999. */
void short_number(const struct short_name *base, unsigned number, uint8_t raw[11]);
/* The number in `raw`, if it is one of short_number()'s for this base; else 0. */
unsigned short_number_of(const struct short_name *base, const uint8_t raw[11]);

#define SHORT_NUMBER_MAX 99999

#endif
