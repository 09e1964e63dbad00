/*
 * Layouts (see the header): the reader of files, and the one that is built in.
 */
#include "keymap.h"

#include <lib/string.h>

/* ---- files ---- */

static unsigned u16_at(const uint8_t *bytes)
{
	return bytes[0] | (unsigned)bytes[1] << 8;
}

/* Nothing that a terminal would take for a command, no half of a surrogate pair. */
static bool is_symbol(unsigned symbol)
{
	if (symbol >= KEYSYM_DEAD)
		return symbol < KEYSYM_DEAD + DEAD_KEYS;
	return symbol == 0 || (symbol >= 0x20 && symbol < 0x7f) ||
	       (symbol >= 0xa0 && symbol < 0xd800);
}

static const char *parse_key(const uint8_t *entry, unsigned previous, struct keymap *out)
{
	unsigned key = entry[0];

	if (key <= previous || key >= KEYS_MAX)
		return "its keys are not in order";
	if (entry[1] & ~(KEY_IS_LETTER | KEY_IS_ALTGR_LETTER))
		return "a key has unknown flags";
	out->key_flags[key] = entry[1];
	for (unsigned level = 0; level < LEVELS; level++) {
		unsigned symbol = u16_at(entry + 2 + 2 * level);

		if (!is_symbol(symbol))
			return "a key means no character";
		out->symbols[key][level] = (keysym_t)symbol;
	}
	return NULL;
}

const char *keymap_parse(const uint8_t *bytes, size_t len_bytes, struct keymap *out)
{
	const char *problem = NULL;
	unsigned previous = 0;
	unsigned nkeys;

	if (len_bytes < KEYMAP_HEADER_BYTES || memcmp(bytes, "FKM1", 4) != 0)
		return "it is no keymap (FKM1)";
	if ((bytes[4] & ~(KEYMAP_ALTGR | KEYMAP_PAD_COMMA)) || bytes[5])
		return "it has unknown flags";
	nkeys = u16_at(bytes + 6);
	if (nkeys >= KEYS_MAX || len_bytes != KEYMAP_HEADER_BYTES + nkeys * KEYMAP_KEY_BYTES)
		return "its size is not that of its keys";
	*out = (struct keymap){.flags = bytes[4]};
	for (unsigned i = 0; i < nkeys && !problem; i++) {
		const uint8_t *entry = bytes + KEYMAP_HEADER_BYTES + i * KEYMAP_KEY_BYTES;

		problem = parse_key(entry, previous, out);
		previous = entry[0];
	}
	return problem;
}

/* ---- the built-in one ---- */

void keymap_us(struct keymap *out)
{
	/* Keys that lie in a row have numbers in a row. */
	static const struct {
		uint8_t first_key;
		const char *plain;
		const char *shifted;
	} rows[] = {
		{KEY_1, "1234567890-=", "!@#$%^&*()_+"},
		{KEY_Q, "qwertyuiop[]", "QWERTYUIOP{}"},
		{KEY_A, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
		{KEY_BACKSLASH, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
		{KEY_SPACE, " ", " "},
		{KEY_102ND, "<", ">"},
	};

	*out = (struct keymap){.name = "us"};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned n = 0; rows[i].plain[n]; n++) {
			unsigned key = rows[i].first_key + n;
			char plain = rows[i].plain[n];

			out->symbols[key][LEVEL_PLAIN] = (keysym_t)plain;
			out->symbols[key][LEVEL_SHIFT] = (keysym_t)rows[i].shifted[n];
			if (plain >= 'a' && plain <= 'z')
				out->key_flags[key] = KEY_IS_LETTER;
		}
	}
}
