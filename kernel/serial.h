/*
 * Serial ports (16550 and its heirs). Received bytes go into a ring by interrupt, a task takes them
 * out; sending is by polling, a FIFO's load at a time, with sleeps where the line is slow.
 */
#ifndef KERNEL_SERIAL_H
#define KERNEL_SERIAL_H

#include <arch/spin.h>
#include <arch/trap.h>
#include <lib/types.h>
#include <sched/task.h>

/*
 * One receiving task, which owns `head`; the interrupt owns `tail`. No lock between them.
 *   [c] constant after serial_open()
 *   [r] the receiving task
 *   [i] the interrupt handler
 */
struct serial_port {
	uint16_t base;              /* [c] first I/O port */
	unsigned irq;               /* [c] */
	const char *name;           /* [c] */
	bool present;               /* [c] */
	uint8_t *ring;              /* [c] */
	uint32_t ring_bytes;        /* [c] a power of two */
	uint32_t head;              /* [r] atomic; position of the next byte to take */
	uint32_t tail;              /* [i] atomic; where the next byte goes */
	bool throttled;             /* atomic: the ring was full, the interrupt is masked */
	uint32_t overruns;          /* [i] the FIFO lost something */
	struct task *receiver;      /* [c] woken when bytes came */
	struct irq_handler handler; /* [c] */
};

#define SERIAL_FIFO_BYTES 16

/* Sets the port up: 115200 baud, 8N1, FIFO. False: there is none at `base`. `ring` and `receiver`
 * are its own for good. */
bool serial_open(struct serial_port *port, const char *name, uint16_t base, unsigned irq,
		 uint8_t *ring, uint32_t ring_bytes, struct task *receiver);

/* By the receiver: takes up to `max_bytes` of what has come; 0: nothing has, and it is woken when
 * something does. */
size_t serial_receive(struct serial_port *port, void *to, size_t max_bytes);

/* Sends all. Sleeps where the line is slower than we are; gives up when the calling thread is
 * killed and the line does not move. */
void serial_send(struct serial_port *port, const void *bytes, size_t len_bytes);
/* The same by polling alone: from any context. Gives up after a bounded time where nothing moves.
 */
void serial_send_polled(struct serial_port *port, const void *bytes, size_t len_bytes);

#endif
