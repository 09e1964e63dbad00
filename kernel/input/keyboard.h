/*
 * What a person means by the keys: modifiers, locks, layouts, dead keys and Compose, and the bytes
 * that Linux's console sends for all of it (console_codes(4), terminfo's `linux`). Pure logic: the
 * caller has the lock and the device.
 */
#ifndef KERNEL_INPUT_KEYBOARD_H
#define KERNEL_INPUT_KEYBOARD_H

#include <lib/types.h>

#include "keymap.h"
#include "scancode.h"

/* The lamps, and which locks are on; the numbers are KDSETLED's. */
enum keyboard_lock {
	KEYLOCK_SCROLL = 1 << 0,
	KEYLOCK_NUM = 1 << 1,
	KEYLOCK_CAPS = 1 << 2,
};

/* What a program wants from the keyboard: KDSKBMODE (abi/kd.h has the numbers). */
enum keyboard_mode {
	KEYBOARD_RAW,        /* scan codes, which the caller passes on itself */
	KEYBOARD_XLATE,      /* characters of Latin-1, one byte each */
	KEYBOARD_MEDIUM_RAW, /* keys by number, bit 7: went up */
	KEYBOARD_UNICODE,    /* UTF-8 */
	KEYBOARD_OFF,        /* nothing */
};

/* How the terminal that gets the keys is set, at the moment of a key. */
struct keyboard_modes {
	enum keyboard_mode mode;
	bool application_cursor; /* DECCKM: cursor keys send ESC O A */
	bool application_keypad; /* DECKPAM: the keypad sends ESC O p */
	bool newline;            /* LNM: Enter sends CR LF */
};

/* What a key does beside sending bytes. */
enum keyboard_action {
	ACTION_NONE,
	ACTION_SCROLL_BACK, /* half a screen */
	ACTION_SCROLL_FORWARD,
	ACTION_STOP,    /* Scroll Lock: output stops, or goes on (value 0) */
	ACTION_CONSOLE, /* Alt-F1: the terminal number `value`, from 1 */
	ACTION_SYSRQ,   /* Alt-SysRq and the ASCII character `value` */
	ACTION_REBOOT,  /* Ctrl-Alt-Del */
};

#define KEYBOARD_BYTES_MAX 16 /* that one key sends */

struct keyboard_result {
	enum keyboard_action action;
	uint8_t value;
	bool lamps; /* the locks have changed */
	uint8_t len_bytes;
	uint8_t bytes[KEYBOARD_BYTES_MAX];
};

struct keyboard {
	struct keymap map;
	uint8_t down[KEYS_MAX / 8];
	uint8_t locks;    /* enum keyboard_lock */
	keysym_t pending; /* a dead key, or the first character behind Compose */
	bool composing;   /* Compose was pressed; what comes belongs to it */
	bool sysrq;       /* SysRq is held with Alt: the next key is a command */
};

/* The American layout, all keys up, all locks off. */
void keyboard_init(struct keyboard *keyboard);

/* Another layout; keys that are held stay held. */
void keyboard_set_map(struct keyboard *keyboard, const struct keymap *map);

/* A key went down, again (it repeats) or up. */
void keyboard_key(struct keyboard *keyboard, struct key_event event,
		  const struct keyboard_modes *modes, struct keyboard_result *result);

bool keyboard_is_down(const struct keyboard *keyboard, unsigned key);
/* What is held is forgotten: the keyboard was plugged in anew. The locks stay. */
void keyboard_release_all(struct keyboard *keyboard);

#endif
