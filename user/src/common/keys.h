/*
 * Keys of a terminal, one by one: raw mode, and what the bytes of a key mean.
 */
#ifndef COMMON_KEYS_H
#define COMMON_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

/* What a key was, if it is not simply a character. */
enum key_code {
	KEY_NONE = 0, /* no key came in time */
	KEY_END_OF_INPUT = -1,
	/* Unicode's characters are themselves. */
	KEY_UP = 0x110000,
	KEY_DOWN,
	KEY_RIGHT,
	KEY_LEFT,
	KEY_HOME,
	KEY_END,
	KEY_INSERT,
	KEY_DELETE,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_F1, /* to F20, in a row */
	KEY_F20 = KEY_F1 + 19,
	KEY_OTHER, /* an escape sequence that we do not know */
};

#define KEY_BYTES_MAX 16

struct key {
	int code; /* a character, or enum key_code */
	bool alt; /* an ESC came in front */
	unsigned char bytes[KEY_BYTES_MAX];
	size_t nbytes;
};

struct keys {
	int descriptor;
	bool is_terminal;
	struct termios saved;
	unsigned char pushed[KEY_BYTES_MAX]; /* read too far */
	size_t npushed;
};

/* Sets the terminal raw: no echo, no lines, no signals; Ctrl-C is the character 3. What is no
 * terminal is read as it is. */
void keys_start(struct keys *keys, int descriptor);
/* Puts the terminal back as it was. */
void keys_end(struct keys *keys);

/* The next key; waits for `timeout_ms`, or for ever if that is negative. */
struct key keys_read(struct keys *keys, int timeout_ms);

/* Its name: "a", "Ctrl-A", "Alt-x", "Up", "F1" ... */
const char *key_name(const struct key *key, char text[40]);

#endif
