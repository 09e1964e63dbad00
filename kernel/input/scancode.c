/*
 * Scan codes to keys (see the header). The decoders hold a prefix and nothing else, so whatever
 * nonsense comes, at most one key is wrong.
 */
#include "scancode.h"

#include "keys.h"

#define PREFIX_EXTENDED 0xe0
#define PREFIX_PAUSE    0xe1
#define RELEASED        0x80
#define SET2_RELEASED   0xf0

/* ---- set 1 ---- */

/* Codes up to here are the keys' numbers. */
#define SAME_CODES_END 0x54

static uint8_t plain_key(uint8_t code)
{
	static const uint8_t keys[KEYS_MAX] = {
		[0x54] = KEY_SYSRQ, /* with Alt held */
		[0x56] = KEY_102ND, [0x57] = KEY_F11, [0x58] = KEY_F12,
		[0x73] = KEY_RO,    [0x7d] = KEY_YEN, [0x7e] = KEY_PAD_COMMA,
	};

	if (code < SAME_CODES_END)
		return code;
	return code < KEYS_MAX ? keys[code] : 0;
}

/* Those that are not here are the Shifts that a keyboard feigns around its grey keys (2A, 36), and
 * keys for sound, power and the web. */
static uint8_t extended_key(uint8_t code)
{
	static const uint8_t keys[KEYS_MAX] = {
		[0x1c] = KEY_PAD_ENTER, [0x1d] = KEY_RIGHT_CONTROL,
		[0x35] = KEY_PAD_SLASH, [0x37] = KEY_SYSRQ,
		[0x38] = KEY_RIGHT_ALT, [0x46] = KEY_PAUSE,
		[0x47] = KEY_HOME,      [0x48] = KEY_UP,
		[0x49] = KEY_PAGE_UP,   [0x4b] = KEY_LEFT,
		[0x4d] = KEY_RIGHT,     [0x4f] = KEY_END,
		[0x50] = KEY_DOWN,      [0x51] = KEY_PAGE_DOWN,
		[0x52] = KEY_INSERT,    [0x53] = KEY_DELETE,
		[0x5b] = KEY_LEFT_META, [0x5c] = KEY_RIGHT_META,
		[0x5d] = KEY_MENU,
	};

	return keys[code];
}

static struct key_event pause_byte(struct scancode_decoder *decoder, uint8_t byte)
{
	static const uint8_t expected[] = {0x45, 0x1d}; /* E1 1D 45 goes down, E1 9D C5 up */

	decoder->pause_left--;
	if ((byte & ~RELEASED) != expected[decoder->pause_left]) {
		decoder->prefix = 0;
		return (struct key_event){0};
	}
	if (decoder->pause_left > 0)
		return (struct key_event){0};
	decoder->prefix = 0;
	return (struct key_event){.key = KEY_PAUSE, .pressed = !(byte & RELEASED)};
}

struct key_event scancode_decode(struct scancode_decoder *decoder, uint8_t byte)
{
	uint8_t prefix = decoder->prefix;
	struct key_event event = {.pressed = !(byte & RELEASED)};

	if (byte == PREFIX_EXTENDED || byte == PREFIX_PAUSE) {
		decoder->prefix = byte;
		decoder->pause_left = 2;
		return (struct key_event){0};
	}
	if (prefix == PREFIX_PAUSE)
		return pause_byte(decoder, byte);
	decoder->prefix = 0;
	byte &= (uint8_t)~RELEASED;
	event.key = prefix ? extended_key(byte) : plain_key(byte);
	return event;
}

/* ---- set 2 ---- */

uint8_t scancode_from_set2(struct set2_translator *translator, uint8_t byte)
{
	static const uint8_t codes[] = {
		/* 00 */ 0x00, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58,
		/* 08 */ 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
		/* 10 */ 0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a,
		/* 18 */ 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
		/* 20 */ 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c,
		/* 28 */ 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
		/* 30 */ 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e,
		/* 38 */ 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
		/* 40 */ 0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60,
		/* 48 */ 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
		/* 50 */ 0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e,
		/* 58 */ 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
		/* 60 */ 0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b,
		/* 68 */ 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
		/* 70 */ 0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45,
		/* 78 */ 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
		/* 80 */ 0x00, 0x00, 0x00, 0x41, 0x54, 0x00, 0x00, 0x00,
	};
	uint8_t code;

	if (byte == SET2_RELEASED) {
		translator->released = true;
		return 0;
	}
	if (byte == PREFIX_EXTENDED || byte == PREFIX_PAUSE)
		return byte;
	code = byte < ARRAY_SIZE(codes) ? codes[byte] : 0;
	if (code && translator->released)
		code |= RELEASED;
	translator->released = false;
	return code;
}
