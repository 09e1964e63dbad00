/*
 * Commands to a PS/2 keyboard, which acknowledges each byte before it takes the next. Pure logic:
 * the caller sends what commands_next() gives, and shows received bytes to commands_answer() first.
 */
#ifndef KERNEL_INPUT_PS2_COMMANDS_H
#define KERNEL_INPUT_PS2_COMMANDS_H

#include <lib/types.h>

/* IBM PS/2 Hardware Interface Technical Reference, "Keyboard commands". */
#define PS2_SET_LAMPS  0xed /* + lamps, the bits of enum keyboard_lock */
#define PS2_SET_REPEAT 0xf3 /* + delay and rate */
#define PS2_ENABLE     0xf4
#define PS2_FASTEST    0x00 /* after 250 ms 30 a second */

#define PS2_ANSWER_NS   (200 * NSEC_PER_MSEC)
#define PS2_TRIES       3
#define PS2_QUEUE_BYTES 16 /* a power of two */

struct ps2_commands {
	uint8_t bytes[PS2_QUEUE_BYTES];
	uint32_t head; /* positions count up; place in the queue by modulo */
	uint32_t tail;
	bool waiting;         /* the byte at head was sent and is not acknowledged */
	unsigned tries;       /* how often it was sent */
	uint64_t deadline_ns; /* for the answer; while waiting */
};

/* Adds a command of one or two bytes; a full queue drops it as a whole. */
void ps2_command(struct ps2_commands *commands, const uint8_t *bytes, unsigned len_bytes);

/* The byte to send now. False: there is none, or an answer is awaited. */
bool ps2_next(struct ps2_commands *commands, uint64_t now_ns, uint8_t *out);

/* True: the byte was an answer. A keyboard that asks for a byte again gets it PS2_TRIES times. */
bool ps2_answer(struct ps2_commands *commands, uint8_t byte);

/* Without an answer in time nobody is there, and all commands are dropped. Returns when to look
 * again; UINT64_MAX: never. */
uint64_t ps2_expire(struct ps2_commands *commands, uint64_t now_ns);

#endif
