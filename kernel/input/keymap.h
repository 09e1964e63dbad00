/*
 * Keyboard layouts: what each key means alone, with Shift, with AltGr and with both. One is part of
 * the kernel (us); the others are files /lib/keymaps/NAME of the ramdisk, made by
 * tools/keymaps.py and read by keymap_parse(), which believes nothing.
 */
#ifndef KERNEL_INPUT_KEYMAP_H
#define KERNEL_INPUT_KEYMAP_H

#include <lib/types.h>

#include "keys.h"

#define KEYMAP_NAME_BYTES 24 /* with the NUL */

/* What a key means: a character of Unicode's first plane, a dead key, or nothing (0). */
typedef uint16_t keysym_t;

#define KEYSYM_DEAD 0xe000 /* + enum dead_key; below lies nothing but characters */

/* A dead key shows nothing and puts its accent on the next character. The order is that of the
 * files: new ones go to the end. */
enum dead_key {
	DEAD_GRAVE,
	DEAD_ACUTE,
	DEAD_CIRCUMFLEX,
	DEAD_TILDE,
	DEAD_DIAERESIS,
	DEAD_CEDILLA,
	DEAD_MACRON,
	DEAD_BREVE,
	DEAD_ABOVE_DOT,
	DEAD_ABOVE_RING,
	DEAD_DOUBLE_ACUTE,
	DEAD_CARON,
	DEAD_OGONEK,
	DEAD_BELOW_DOT,
	DEAD_STROKE,
	DEAD_KEYS,
};

enum keymap_level {
	LEVEL_PLAIN,
	LEVEL_SHIFT,
	LEVEL_ALTGR,
	LEVEL_ALTGR_SHIFT,
	LEVELS,
};

enum keymap_key_flags {
	KEY_IS_LETTER = 1 << 0,       /* Caps Lock exchanges plain and Shift */
	KEY_IS_ALTGR_LETTER = 1 << 1, /* likewise with AltGr */
};

enum keymap_flags {
	KEYMAP_ALTGR = 1 << 0,     /* the right Alt is AltGr */
	KEYMAP_PAD_COMMA = 1 << 1, /* the keypad's decimal key is a comma */
};

struct keymap {
	char name[KEYMAP_NAME_BYTES];
	unsigned flags; /* enum keymap_flags */
	uint8_t key_flags[KEYS_MAX];
	keysym_t symbols[KEYS_MAX][LEVELS];
};

/*
 * A file, little-endian: "FKM1", flags (1 byte), 0 (1 byte), the number of keys (2 bytes), and for
 * each key, in ascending order: its number (1), its flags (1), its symbols (4 times 2).
 */
#define KEYMAP_HEADER_BYTES 8
#define KEYMAP_KEY_BYTES    10
#define KEYMAP_FILE_MAX     (KEYMAP_HEADER_BYTES + (KEYS_MAX - 1) * KEYMAP_KEY_BYTES)

/* Fills `out` but for its name, or returns what is wrong with the file and leaves it undefined;
 * NULL: it is good. */
const char *keymap_parse(const uint8_t *bytes, size_t len_bytes, struct keymap *out) must_check;

/* The American layout, which needs no file. */
void keymap_us(struct keymap *out);

#endif
