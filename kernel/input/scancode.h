/*
 * From the bytes that a PS/2 keyboard sends to keys that go down and up. Pure logic: no lock, no
 * device; whoever reads the bytes has it.
 *
 * Decoded is scan code set 1 (IBM PS/2 Hardware Interface Technical Reference, "Keyboard"): a code
 * for a key that went down, the code with bit 7 set for one that went up, behind E0 for the keys
 * that the AT keyboard added, and Pause alone behind E1. A keyboard speaks set 2; the controller
 * turns that into set 1 unless it is one that cannot: then scancode_from_set2() does it.
 */
#ifndef KERNEL_INPUT_SCANCODE_H
#define KERNEL_INPUT_SCANCODE_H

#include <lib/types.h>

#define SCANCODE_OK          0xaa /* behind a reset, or a keyboard that was just plugged in: it works */
#define SCANCODE_ACKNOWLEDGE 0xfa
#define SCANCODE_RESEND      0xfe

struct scancode_decoder {
	uint8_t prefix;     /* 0, 0xe0 or 0xe1 */
	uint8_t pause_left; /* bytes of Pause still to come behind 0xe1 */
};

struct key_event {
	uint8_t key; /* enum key; 0: none, the byte completed nothing or means no key */
	bool pressed;
};

/* One byte of set 1. */
struct key_event scancode_decode(struct scancode_decoder *decoder, uint8_t byte);

/* What a controller makes of set 2: the release prefix F0 becomes bit 7 of the next code. */
struct set2_translator {
	bool released;
};

/* The byte of set 1 that stands for it; 0: none yet, or no such code. */
uint8_t scancode_from_set2(struct set2_translator *translator, uint8_t byte);

#endif
