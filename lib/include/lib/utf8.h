/*
 * Text as terminals count it: how many bytes a character has and how many cells it takes. Bytes
 * that are no UTF-8 count as one character each and are shown as U+FFFD, so no text is ever
 * refused.
 */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include <lib/types.h>

#define UTF8_REPLACEMENT       0xfffdu
#define UTF8_REPLACEMENT_BYTES "\xef\xbf\xbd"

/* Bytes that the sequence wants which begins with `lead`: 1 to 4; 1 for what begins none. */
size_t utf8_sequence_bytes(unsigned char lead);

/* The first character of text[0..len), len > 0. Returns its bytes. */
size_t utf8_decode(const char *text, size_t len, uint32_t *code);

/* The bytes of a code point, 1 to 4; one that is none becomes U+FFFD. */
size_t utf8_encode(uint32_t code, char to[4]);

/* Cells on the screen: 0 (combining), 1 or 2. */
unsigned utf8_cells(uint32_t code);

/* Where the character behind `position` ends, and where the one before it begins; what combines
 * belongs to the character that it follows. */
size_t utf8_next(const char *text, size_t len, size_t position);
size_t utf8_previous(const char *text, size_t position);

/* Cells of a whole text, colour sequences (ESC [ ... m) not counted. */
size_t utf8_text_cells(const char *text);

#endif
