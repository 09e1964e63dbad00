/*
 * Terminals at serial ports: what termios says about the line, and the way in. Used by ttyS1, which
 * is nothing else, and by the serial console.
 */
#ifndef KERNEL_SERIAL_SERIAL_TTY_H
#define KERNEL_SERIAL_SERIAL_TTY_H

#include "serial.h"

#include "tty.h"

#define SERIAL_IN_BYTES   4096
#define SERIAL_TAKE_BYTES 256

/* Brings what a port receives to its terminal. The task's alone. */
struct serial_input {
	struct task task;
	struct tty_source source;
	struct serial_port *port;      /* constant */
	bool takes_sysrq;              /* constant: a BREAK is not the terminal's, but the next
					  character is a command to the kernel */
	uint64_t sysrq_until_ns;       /* the next character is one; 0: it is not */
	enum uart_condition condition; /* of bytes[0], which then is alone */
	uint8_t bytes[SERIAL_TAKE_BYTES];
	size_t len_bytes;
	size_t taken; /* of them, by the terminal */
};

/* Opens the port (see serial_open()) for a terminal that nobody uses yet: settings, flow control,
 * draining, and the input's task. `in` has SERIAL_IN_BYTES. False: there is no such port. */
bool serial_tty_open(struct serial_input *input, struct tty *tty, struct serial_port *port,
		     const struct serial_place *place, uint8_t *in, uint8_t *out);

/* ttyS1 at COM2, if there is one and nobody else has it. */
void serial_tty_init(void);

#endif
