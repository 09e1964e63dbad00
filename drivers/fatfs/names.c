/*
 * Long names: UTF-8 to UTF-16 and back, and which of them are equal. Capitals are made as Windows
 * makes them for the scripts that have any in code page 437 and its neighbours: Latin, Greek and
 * Cyrillic; other letters are equal to themselves alone.
 */
#include "names.h"

#include <errno.h>
#include <string.h>

/* One character. Returns its bytes, 0 for what is not UTF-8: too long, a surrogate, cut. */
static unsigned utf8_decode(const unsigned char *at, uint32_t *out)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned len = *at < 0x80 ? 1 : *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;

	*out = *at;
	if (len < 2)
		return len;
	*out = *at & (0xffu >> (len + 1));
	for (unsigned i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		*out = *out << 6 | (at[i] & 0x3f);
	}
	if (*out < least[len] || *out > 0x10ffff || (*out >= 0xd800 && *out < 0xe000))
		return 0;
	return len;
}

static unsigned utf8_encode(uint32_t character, char *to)
{
	static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
	unsigned len = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

	for (unsigned i = len; i-- > 1; character >>= 6)
		to[i] = (char)(0x80 | (character & 0x3f));
	to[0] = (char)(marks[len] | character);
	return len;
}

static bool is_forbidden(uint32_t character)
{
	return character < ' ' || (character < 0x80 && strchr("\"*/:<>?\\|", (int)character));
}

int name_from_utf8(const char *text, struct name *out)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t len_bytes = strlen(text);
	const unsigned char *end;
	uint32_t character;
	unsigned len;

	while (len_bytes && text[len_bytes - 1] == '.')
		len_bytes--;
	if (!len_bytes)
		return -ENOENT;
	if (text[len_bytes - 1] == ' ')
		return -EINVAL;
	out->n = 0;
	for (end = at + len_bytes; at < end; at += len) {
		len = utf8_decode(at, &character);
		if (!len || is_forbidden(character))
			return -EINVAL;
		if (out->n + (len == 4 ? 2 : 1) > NAME_UNITS_MAX)
			return -ENAMETOOLONG;
		if (len == 4) {
			out->units[out->n++] = (uint16_t)(0xd7c0 + (character >> 10));
			character = 0xdc00 | (character & 0x3ff);
		}
		out->units[out->n++] = (uint16_t)character;
	}
	return 0;
}

void name_to_utf8(const struct name *name, char out[NAME_BYTES_MAX + 1])
{
	for (unsigned i = 0; i < name->n; i++) {
		uint32_t character = name->units[i];
		uint32_t next = i + 1 < name->n ? name->units[i + 1] : 0;

		if ((character & 0xfc00) == 0xd800 && (next & 0xfc00) == 0xdc00) {
			character = (character - 0xd7c0) << 10 | (next & 0x3ff);
			i++;
		} else if ((character & 0xf800) == 0xd800) {
			character = 0xfffd;
		}
		out += utf8_encode(character, out);
	}
	*out = 0;
}

static uint16_t capital(uint16_t unit)
{
	if ((unit >= 'a' && unit <= 'z') || (unit >= 0xe0 && unit <= 0xfe && unit != 0xf7) ||
	    (unit >= 0x3b1 && unit <= 0x3cb && unit != 0x3c2) || (unit >= 0x430 && unit <= 0x44f))
		return (uint16_t)(unit - 0x20);
	if (unit == 0xff)
		return 0x178;
	if (unit >= 0x450 && unit <= 0x45f)
		return (uint16_t)(unit - 0x50);
	/* Pairs, the small one odd; then those where it is even. */
	if ((unit >= 0x100 && unit <= 0x137 && unit != 0x131) || (unit >= 0x14a && unit <= 0x177) ||
	    (unit >= 0x460 && unit <= 0x481) || (unit >= 0x48a && unit <= 0x4bf) ||
	    (unit >= 0x4d0 && unit <= 0x52f) || (unit >= 0x1e00 && unit <= 0x1e95) ||
	    (unit >= 0x1ea0 && unit <= 0x1eff))
		return (uint16_t)(unit & ~1u);
	if ((unit >= 0x139 && unit <= 0x148) || (unit >= 0x179 && unit <= 0x17e) ||
	    (unit >= 0x4c1 && unit <= 0x4ce))
		return (uint16_t)(unit - !(unit & 1));
	return unit;
}

bool name_equal(const struct name *a, const struct name *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++) {
		if (capital(a->units[i]) != capital(b->units[i]))
			return false;
	}
	return true;
}

bool name_is_possible(const struct name *name)
{
	uint16_t last = name->n ? name->units[name->n - 1] : '.';

	/* name_from_utf8() would leave the dot away: nobody could ask for it. */
	if (last == '.' || last == ' ')
		return false;
	for (unsigned i = 0; i < name->n; i++) {
		if (is_forbidden(name->units[i]))
			return false;
	}
	return true;
}
