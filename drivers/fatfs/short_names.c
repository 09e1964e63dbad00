/*
 * Short names: 8 and 3 bytes in capitals of code page 437, and which one a long name gets. A name
 * that is itself short, each half in one case, needs nothing else; all others get BASE~NUMBER
 * beside their long one.
 */
#include "names.h"

#include <string.h>

/* Code page 437 from 0x80 on. */
static const uint16_t page437[128] = {
	0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8,
	0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2,
	0x00fb, 0x00f9, 0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1,
	0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd,
	0x00bc, 0x00a1, 0x00ab, 0x00bb, 0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562,
	0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534,
	0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560,
	0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b,
	0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580, 0x03b1, 0x00df, 0x0393,
	0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6,
	0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248, 0x00b0,
	0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0};

static void put_half(const uint8_t *raw, unsigned n, bool lower, struct name *out)
{
	while (n && raw[n - 1] == ' ')
		n--;
	for (unsigned i = 0; i < n; i++) {
		uint16_t unit = raw[i] < 0x80 ? raw[i] : page437[raw[i] - 0x80];

		if (lower && unit >= 'A' && unit <= 'Z')
			unit += 'a' - 'A';
		out->units[out->n++] = unit;
	}
}

void short_to_name(const uint8_t raw[11], uint8_t lower, struct name *out)
{
	uint8_t base[8];

	memcpy(base, raw, 8);
	if (base[0] == ENTRY_E5)
		base[0] = 0xe5;
	out->n = 0;
	put_half(base, 8, lower & LOWER_BASE, out);
	out->units[out->n++] = '.';
	put_half(raw + 8, 3, lower & LOWER_EXTENSION, out);
	if (out->units[out->n - 1] == '.')
		out->n--;
}

uint8_t short_checksum(const uint8_t raw[11])
{
	uint8_t sum = 0;

	for (unsigned i = 0; i < 11; i++)
		sum = (uint8_t)((sum >> 1 | sum << 7) + raw[i]);
	return sum;
}

/* ---- making one ---- */

/* What was met in half a name. */
struct half {
	bool has_lower, has_upper;
	bool is_changed; /* something of it cannot be kept */
};

/* The byte of a character, 0 for one that is left away. */
static uint8_t byte_of(uint16_t unit, struct half *half)
{
	if (unit == ' ' || unit == '.') {
		half->is_changed = true;
		return 0;
	}
	if (unit >= 'a' && unit <= 'z') {
		half->has_lower = true;
		return (uint8_t)(unit - 'a' + 'A');
	}
	half->has_upper |= unit >= 'A' && unit <= 'Z';
	if (unit < 0x80 && !strchr("+,;=[]", unit))
		return (uint8_t)unit;
	/* Case is a matter of the long name beyond ASCII: such a name always has one. */
	half->is_changed = true;
	for (unsigned i = 0; i < 128; i++) {
		if (page437[i] == unit)
			return (uint8_t)(0x80 + i);
	}
	return '_';
}

static unsigned make_half(const uint16_t *units, unsigned n, uint8_t *raw, unsigned room,
			  struct half *half)
{
	unsigned used = 0;

	*half = (struct half){0};
	for (unsigned i = 0; i < n; i++) {
		uint8_t byte = byte_of(units[i], half);

		if (!byte)
			continue;
		if (used == room) {
			half->is_changed = true;
			break;
		}
		raw[used++] = byte;
	}
	return used;
}

void short_from_name(const struct name *name, struct short_name *out)
{
	unsigned dot = name->n, extension_at;
	struct half base, extension;

	memset(out->raw, ' ', sizeof(out->raw));
	while (dot && name->units[dot - 1] != '.')
		dot--;
	/* `dot` is behind the last one. A dot at the beginning begins no extension. */
	extension_at = dot > 1 ? dot : name->n;
	dot = dot > 1 ? dot - 1 : name->n;
	out->base_n = make_half(name->units, dot, out->raw, 8, &base);
	make_half(name->units + extension_at, name->n - extension_at, out->raw + 8, 3, &extension);
	if (!out->base_n) {
		out->raw[0] = '_';
		out->base_n = 1;
		base.is_changed = true;
	}
	out->lower = (uint8_t)((base.has_lower ? LOWER_BASE : 0) |
			       (extension.has_lower ? LOWER_EXTENSION : 0));
	out->is_enough = !base.is_changed && !extension.is_changed &&
			 !(base.has_lower && base.has_upper) &&
			 !(extension.has_lower && extension.has_upper);
	if (!out->is_enough)
		out->lower = 0;
	if (out->raw[0] == ENTRY_FREE)
		out->raw[0] = ENTRY_E5;
}

void short_number(const struct short_name *base, unsigned number, uint8_t raw[11])
{
	unsigned ndigits = 1, at;

	for (unsigned rest = number; rest >= 10; rest /= 10)
		ndigits++;
	memcpy(raw, base->raw, 11);
	at = base->base_n < 7 - ndigits ? base->base_n : 7 - ndigits;
	raw[at] = '~';
	for (unsigned i = ndigits; i; i--, number /= 10)
		raw[at + i] = (uint8_t)('0' + number % 10);
	memset(raw + at + ndigits + 1, ' ', 8 - (at + ndigits + 1));
}

unsigned short_number_of(const struct short_name *base, const uint8_t raw[11])
{
	unsigned number = 0, at = 8;
	uint8_t same[11];

	while (at && raw[at - 1] != '~')
		at--;
	for (; at && at < 8 && raw[at] >= '0' && raw[at] <= '9'; at++)
		number = number * 10 + raw[at] - '0';
	if (!number || number > SHORT_NUMBER_MAX)
		return 0;
	short_number(base, number, same);
	return memcmp(same, raw, 11) ? 0 : number;
}
