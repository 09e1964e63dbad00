/*
 * The keyboard controller of a PC (Intel 8042 and what took its place; IBM PS/2 Hardware Interface
 * Technical Reference, "Keyboard/Auxiliary Device Controller"). It may be missing, broken, or
 * something that the firmware feigns for a USB keyboard: every wait has an end.
 *
 * Received bytes go into a ring by interrupt; one task takes them out and sends commands.
 */
#ifndef KERNEL_INPUT_I8042_H
#define KERNEL_INPUT_I8042_H

#include <lib/types.h>

struct task;

struct i8042_stats {
	uint64_t received;
	uint64_t errors;  /* parity or time-out on the way from the keyboard: dropped */
	uint64_t dropped; /* the ring was full */
	uint64_t unsent;  /* bytes that the controller did not take in time */
};

enum i8042_state {
	I8042_ABSENT,     /* there is none, or it does not answer */
	I8042_TRANSLATES, /* keyboards send set 1 */
	I8042_SET2,       /* the controller does not translate: they send set 2 */
};

/* Looks for the controller, tests it, lets the keyboard's interrupt through. `translate`: false
 * leaves the keyboard's own scan codes alone. `receiver` is woken when bytes came. Sleeps, at most
 * about a second where nothing answers. Called once. */
enum i8042_state i8042_start(bool translate, struct task *receiver);

/* By the receiver: takes up to `max_bytes` of what has come. 0: nothing has, and it is woken when
 * something does. */
size_t i8042_receive(uint8_t *to, size_t max_bytes);

/* Sends a byte to the keyboard; false: the controller did not take it within some microseconds.
 * What the keyboard answers comes by i8042_receive(). For the receiver. */
bool i8042_send(uint8_t byte);

void i8042_stats(struct i8042_stats *out);

#endif
