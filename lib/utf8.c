/*
 * UTF-8 decoding (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF) and the width
 * of characters on a terminal. Pure.
 */
#include <lib/utf8.h>

#include <lib/string.h>

struct code_range {
	uint32_t first;
	uint32_t last;
};

/* Combining marks and format characters that move no cursor (Unicode general categories Mn, Me, Cf;
 * the blocks that people type). Sorted. */
static const struct code_range zero_width[] = {
	{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f},
	{0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},
	{0x2060, 0x2064}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff},
};

/* East Asian Wide and Fullwidth (UAX 11), emoji. Sorted. */
static const struct code_range double_width[] = {
	{0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x2614, 0x2615},
	{0x26a1, 0x26a1},   {0x2705, 0x2705},   {0x274c, 0x274c},   {0x2e80, 0x303e},
	{0x3041, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
	{0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
	{0x1f680, 0x1f6ff}, {0x1f900, 0x1faff}, {0x20000, 0x3fffd},
};

static bool in_ranges(uint32_t code, const struct code_range *ranges, size_t nranges)
{
	size_t end = nranges;

	for (size_t start = 0; start < end;) {
		size_t middle = start + (end - start) / 2;

		if (code < ranges[middle].first)
			end = middle;
		else if (code > ranges[middle].last)
			start = middle + 1;
		else
			return true;
	}
	return false;
}

size_t utf8_sequence_bytes(unsigned char lead)
{
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 1;
}

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

static bool is_code_point(uint32_t code)
{
	return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

size_t utf8_decode(const char *text, size_t len, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char lead = (unsigned char)text[0];
	size_t nbytes = utf8_sequence_bytes(lead);
	uint32_t value = lead;

	*code = UTF8_REPLACEMENT;
	if (nbytes == 1) {
		if (lead < 0x80)
			*code = lead;
		return 1;
	}
	if (nbytes > len)
		return 1;
	value &= 0xffu >> (nbytes + 1);
	for (size_t i = 1; i < nbytes; i++) {
		if (!is_continuation(text[i]))
			return 1;
		value = value << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (value < smallest[nbytes] || !is_code_point(value))
		return 1;
	*code = value;
	return nbytes;
}

size_t utf8_encode(uint32_t code, char to[4])
{
	static const uint32_t ends[] = {0x80, 0x800, 0x10000};
	static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
	size_t following = 0;

	if (!is_code_point(code))
		code = UTF8_REPLACEMENT;
	while (following < 3 && code >= ends[following])
		following++;
	for (size_t i = following; i > 0; i--) {
		to[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	to[0] = (char)(leads[following] | code);
	return following + 1;
}

unsigned utf8_cells(uint32_t code)
{
	if (code < 0x300)
		return 1;
	if (in_ranges(code, zero_width, ARRAY_SIZE(zero_width)))
		return 0;
	return in_ranges(code, double_width, ARRAY_SIZE(double_width)) ? 2 : 1;
}

size_t utf8_next(const char *text, size_t len, size_t position)
{
	uint32_t code;

	if (position >= len)
		return len;
	position += utf8_decode(text + position, len - position, &code);
	while (position < len) {
		size_t nbytes = utf8_decode(text + position, len - position, &code);

		if (utf8_cells(code))
			break;
		position += nbytes;
	}
	return position;
}

size_t utf8_previous(const char *text, size_t position)
{
	/* Walked from the start: a sequence that is cut off looks different from behind, and lines
	 * are short. */
	size_t before = 0;

	for (size_t at = 0; at < position; at = utf8_next(text, position, at))
		before = at;
	return before;
}

size_t utf8_text_cells(const char *text)
{
	size_t len = strlen(text);
	size_t cells = 0;
	size_t at = 0;
	uint32_t code;

	while (at < len) {
		if (text[at] == '\033') {
			while (at < len && text[at] != 'm')
				at++;
			at++;
			continue;
		}
		at += utf8_decode(text + at, len - at, &code);
		cells += utf8_cells(code);
	}
	return cells;
}
