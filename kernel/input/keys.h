/*
 * Keys by number, as Linux counts them (linux/input-event-codes.h): the code that a PC/XT keyboard
 * sent for its 83 keys, and numbers of their own for those that came later.
 */
#ifndef KERNEL_INPUT_KEYS_H
#define KERNEL_INPUT_KEYS_H

#define KEYS_MAX 128 /* 0 is no key */

enum key {
	KEY_ESCAPE = 1,
	KEY_1 = 2,
	KEY_0 = 11,
	KEY_MINUS = 12,
	KEY_EQUAL = 13,
	KEY_BACKSPACE = 14,
	KEY_TAB = 15,
	KEY_Q = 16,
	KEY_BRACKET_LEFT = 26,
	KEY_BRACKET_RIGHT = 27,
	KEY_ENTER = 28,
	KEY_LEFT_CONTROL = 29,
	KEY_A = 30,
	KEY_SEMICOLON = 39,
	KEY_APOSTROPHE = 40,
	KEY_GRAVE = 41,
	KEY_LEFT_SHIFT = 42,
	KEY_BACKSLASH = 43,
	KEY_Z = 44,
	KEY_COMMA = 51,
	KEY_DOT = 52,
	KEY_SLASH = 53,
	KEY_RIGHT_SHIFT = 54,
	KEY_PAD_STAR = 55,
	KEY_LEFT_ALT = 56,
	KEY_SPACE = 57,
	KEY_CAPS_LOCK = 58,
	KEY_F1 = 59,
	KEY_F10 = 68,
	KEY_NUM_LOCK = 69,
	KEY_SCROLL_LOCK = 70,
	KEY_PAD_7 = 71,
	KEY_PAD_MINUS = 74,
	KEY_PAD_4 = 75,
	KEY_PAD_PLUS = 78,
	KEY_PAD_1 = 79,
	KEY_PAD_0 = 82,
	KEY_PAD_DOT = 83,
	KEY_102ND = 86, /* the one that a US keyboard lacks, right of the left Shift */
	KEY_F11 = 87,
	KEY_F12 = 88,
	KEY_RO = 89, /* the one more that Brazil and Japan have */
	KEY_PAD_ENTER = 96,
	KEY_RIGHT_CONTROL = 97,
	KEY_PAD_SLASH = 98,
	KEY_SYSRQ = 99, /* Print Screen */
	KEY_RIGHT_ALT = 100,
	KEY_HOME = 102,
	KEY_UP = 103,
	KEY_PAGE_UP = 104,
	KEY_LEFT = 105,
	KEY_RIGHT = 106,
	KEY_END = 107,
	KEY_DOWN = 108,
	KEY_PAGE_DOWN = 109,
	KEY_INSERT = 110,
	KEY_DELETE = 111,
	KEY_PAUSE = 119,
	KEY_PAD_COMMA = 121,
	KEY_YEN = 124,
	KEY_LEFT_META = 125,
	KEY_RIGHT_META = 126,
	KEY_MENU = 127,
};

#endif
