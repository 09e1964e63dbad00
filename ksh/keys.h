/*
 * From the bytes that a terminal sends to the keys that were pressed: characters (UTF-8 gathered),
 * control keys, and the escape sequences of xterm, the Linux console, rxvt and screen.
 */
#ifndef KSH_KEYS_H
#define KSH_KEYS_H

#include <lib/types.h>

enum key_kind {
	KEY_NONE, /* more bytes are needed, or a sequence that means nothing here */
	KEY_TEXT, /* bytes[0..nbytes): one character */
	KEY_ENTER,
	KEY_TAB,
	KEY_BACKSPACE,
	KEY_DELETE,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_UP,
	KEY_DOWN,
	KEY_HOME,
	KEY_END,
	KEY_WORD_LEFT,
	KEY_WORD_RIGHT,
	KEY_KILL_TO_END,
	KEY_KILL_TO_START,
	KEY_KILL_WORD_LEFT,
	KEY_KILL_WORD_RIGHT,
	KEY_YANK,
	KEY_SWAP,
	KEY_CLEAR_SCREEN,
	KEY_SEARCH,
	KEY_CANCEL,      /* Ctrl-G */
	KEY_INTERRUPT,   /* Ctrl-C */
	KEY_END_OF_FILE, /* Ctrl-D: also deletes forward */
};

struct key {
	enum key_kind kind;
	char bytes[4];
	size_t nbytes;
};

enum key_state { KEYS_PLAIN, KEYS_ESCAPE, KEYS_CSI, KEYS_SS3, KEYS_UTF8 };

struct key_decoder {
	enum key_state state;
	unsigned numbers[2]; /* parameters of a control sequence: the first two */
	unsigned nnumbers;
	char pending[4];
	size_t npending;
	size_t nwanted;
};

void keys_init(struct key_decoder *decoder);

/* Takes one byte. The decoder may need it again (a broken UTF-8 sequence ends at a byte that begins
 * something else): then *again is set, and the same byte is to be fed once more. */
struct key keys_feed(struct key_decoder *decoder, unsigned char byte, bool *again);

#endif
