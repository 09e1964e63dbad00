/*
 * Keys of a terminal, one by one. A key that sends several bytes sends them at once, so an ESC that
 * nothing follows for ESCAPE_MS is the key itself.
 */
#include "common/keys.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ESCAPE    0x1b
#define ESCAPE_MS 50

void keys_start(struct keys *keys, int descriptor)
{
	struct termios raw;

	*keys = (struct keys){.descriptor = descriptor};
	if (tcgetattr(descriptor, &keys->saved) != 0)
		return;
	keys->is_terminal = true;
	raw = keys->saved;
	raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | ISTRIP | IXON);
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | ISIG | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(descriptor, TCSADRAIN, &raw);
}

void keys_end(struct keys *keys)
{
	if (keys->is_terminal)
		tcsetattr(keys->descriptor, TCSADRAIN, &keys->saved);
	keys->is_terminal = false;
}

/* ---- bytes ---- */

/* -1: none in time, -2: there will be no more. */
static int next_byte(struct keys *keys, int timeout_ms)
{
	struct pollfd wanted = {.fd = keys->descriptor, .events = POLLIN};
	unsigned char byte;
	ssize_t got;

	if (keys->npushed > 0) {
		byte = keys->pushed[0];
		memmove(keys->pushed, keys->pushed + 1, --keys->npushed);
		return byte;
	}
	do
		got = poll(&wanted, 1, timeout_ms);
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return -1;
	do
		got = read(keys->descriptor, &byte, 1);
	while (got < 0 && errno == EINTR);
	return got == 1 ? byte : -2;
}

static int key_byte(struct keys *keys, struct key *key, int timeout_ms)
{
	int byte = key->nbytes < KEY_BYTES_MAX ? next_byte(keys, timeout_ms) : -1;

	if (byte >= 0)
		key->bytes[key->nbytes++] = (unsigned char)byte;
	return byte;
}

/* A byte that is not the key's. */
static void push_back(struct keys *keys, struct key *key)
{
	keys->pushed[keys->npushed++] = key->bytes[--key->nbytes];
}

/* ---- what they mean ---- */

static int letter_key(int letter)
{
	switch (letter) {
	case 'A':
		return KEY_UP;
	case 'B':
		return KEY_DOWN;
	case 'C':
		return KEY_RIGHT;
	case 'D':
		return KEY_LEFT;
	case 'H':
		return KEY_HOME;
	case 'F':
		return KEY_END;
	case 'P':
	case 'Q':
	case 'R':
	case 'S':
		return KEY_F1 + (letter - 'P');
	default:
		return KEY_OTHER;
	}
}

/* The number in front of a tilde. */
static int tilde_key(int number)
{
	static const int keys[] = {
		[1] = KEY_HOME,     [2] = KEY_INSERT,    [3] = KEY_DELETE,   [4] = KEY_END,
		[5] = KEY_PAGE_UP,  [6] = KEY_PAGE_DOWN, [7] = KEY_HOME,     [8] = KEY_END,
		[11] = KEY_F1,      [12] = KEY_F1 + 1,   [13] = KEY_F1 + 2,  [14] = KEY_F1 + 3,
		[15] = KEY_F1 + 4,  [17] = KEY_F1 + 5,   [18] = KEY_F1 + 6,  [19] = KEY_F1 + 7,
		[20] = KEY_F1 + 8,  [21] = KEY_F1 + 9,   [23] = KEY_F1 + 10, [24] = KEY_F1 + 11,
		[25] = KEY_F1 + 12, [26] = KEY_F1 + 13,  [28] = KEY_F1 + 14, [29] = KEY_F1 + 15,
		[31] = KEY_F1 + 16, [32] = KEY_F1 + 17,  [33] = KEY_F1 + 18, [34] = KEY_F1 + 19,
	};
	const int count = sizeof(keys) / sizeof(keys[0]);

	return number > 0 && number < count && keys[number] ? keys[number] : KEY_OTHER;
}

/* Behind ESC [: parameters and a last byte from @ on. */
static int csi_key(struct keys *keys, struct key *key)
{
	int number = 0;
	bool first = true;
	int byte = key_byte(keys, key, ESCAPE_MS);

	if (byte == '[') { /* Linux's F1 to F5 */
		byte = key_byte(keys, key, ESCAPE_MS);
		return byte >= 'A' && byte <= 'E' ? KEY_F1 + (byte - 'A') : KEY_OTHER;
	}
	for (; byte >= 0x20 && byte < 0x40; byte = key_byte(keys, key, ESCAPE_MS)) {
		if (byte < '0' || byte > '9')
			first = false;
		else if (first && number < 1000)
			number = number * 10 + (byte - '0');
	}
	if (byte == '~')
		return tilde_key(number);
	return byte > 0 ? letter_key(byte) : KEY_OTHER;
}

static int utf8_key(struct keys *keys, struct key *key, int first)
{
	int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
	int code = first & (0x3f >> more);

	while (more-- > 0) {
		int byte = key_byte(keys, key, ESCAPE_MS);

		if (byte < 0)
			return KEY_OTHER;
		if ((byte & 0xc0) != 0x80) {
			push_back(keys, key);
			return KEY_OTHER;
		}
		code = code << 6 | (byte & 0x3f);
	}
	return code;
}

static int character_key(struct keys *keys, struct key *key, int byte)
{
	if (byte >= 0xc0)
		return utf8_key(keys, key, byte);
	return byte < 0x80 ? byte : KEY_OTHER;
}

static void escape_key(struct keys *keys, struct key *key)
{
	int byte = key_byte(keys, key, ESCAPE_MS);

	key->code = ESCAPE;
	if (byte < 0)
		return;
	if (byte == '[') {
		key->code = csi_key(keys, key);
	} else if (byte == 'O') {
		byte = key_byte(keys, key, ESCAPE_MS);
		key->code = byte < 0 ? 'O' : letter_key(byte);
		key->alt = byte < 0;
	} else if (byte == ESCAPE) {
		push_back(keys, key);
	} else {
		key->alt = true;
		key->code = character_key(keys, key, byte);
	}
}

struct key keys_read(struct keys *keys, int timeout_ms)
{
	struct key key = {.code = KEY_NONE};
	int byte = key_byte(keys, &key, timeout_ms);

	if (byte == -2)
		key.code = KEY_END_OF_INPUT;
	else if (byte == ESCAPE)
		escape_key(keys, &key);
	else if (byte >= 0)
		key.code = character_key(keys, &key, byte);
	return key;
}

/* ---- names ---- */

static const char *plain_name(int code, char text[20])
{
	static const char *const named[] = {"Up",  "Down",   "Right",  "Left",    "Home",
					    "End", "Insert", "Delete", "Page-Up", "Page-Down"};

	if (code >= KEY_UP && code <= KEY_PAGE_DOWN)
		return named[code - KEY_UP];
	if (code >= KEY_F1 && code <= KEY_F20)
		snprintf(text, 20, "F%d", code - KEY_F1 + 1);
	else if (code == KEY_OTHER)
		return "unknown";
	else if (code == ESCAPE)
		return "Escape";
	else if (code == '\r')
		return "Enter";
	else if (code == '\t')
		return "Tab";
	else if (code == 0x7f)
		return "Backspace";
	else if (code == ' ')
		return "Space";
	else if (code < 0x20)
		snprintf(text, 20, "Ctrl-%c", code + '@');
	else
		snprintf(text, 20, "%c", code);
	return text;
}

const char *key_name(const struct key *key, char text[40])
{
	const char *alt = key->alt ? "Alt-" : "";
	char plain[20];

	if (key->code >= 0x80 && key->code < KEY_UP) /* a character: its bytes are its name */
		snprintf(text, 40, "%s%.*s", alt, (int)key->nbytes - key->alt,
			 (const char *)key->bytes + key->alt);
	else
		snprintf(text, 40, "%s%s", alt, plain_name(key->code, plain));
	return text;
}
