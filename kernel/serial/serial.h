/*
 * Serial ports for those who may sleep and those who may not: a chip (uart.h), its interrupt and
 * its lock.
 */
#ifndef KERNEL_SERIAL_SERIAL_H
#define KERNEL_SERIAL_SERIAL_H

#include "uart.h"

#include <arch/spin.h>
#include <arch/trap.h>
#include <lib/types.h>
#include <sched/task.h>
#include <sched/wait.h>

/*
 *   [c] constant after serial_open()
 *   [l] lock, with interrupts off
 */
struct serial_port {
	struct spinlock lock;  /* LOCK_SERIAL: taken inside of all others */
	struct uart uart;      /* [l] */
	const char *name;      /* [c] */
	bool crowded;          /* [l] more than half of the way out is taken */
	bool present;          /* [c] */
	bool polled;           /* [c] it has no interrupt: what is to be sent is pushed */
	struct task *receiver; /* [c] woken when bytes came */
	void (*sent)(
		void *argument); /* [c] half of the way out is free again; NULL: nobody to tell */
	void *argument;          /* [c] for `sent` */
	struct waitq room;       /* writers: bytes have gone */
	struct task room_task;   /* wakes them: what made room may hold any lock */
	struct irq_handler handler; /* [c] */
};

#define SERIAL_OUT_BYTES 4096

/* COM1 and COM2 of every PC. */
struct serial_place {
	const char *name;
	uint16_t base;
	unsigned irq;
};
extern const struct serial_place serial_places[2];

/* Sets the port up: 115200 baud, 8N1. False: there is none. The caller has filled in `receiver`,
 * which is initialised, `sent` and `argument`. `in`, of a power of two bytes, and `out` of
 * SERIAL_OUT_BYTES are the port's for good. */
bool serial_open(struct serial_port *port, const struct serial_place *place, uint8_t *in,
		 uint32_t in_bytes, uint8_t *out);

/* By the receiver: takes up to `max_bytes` of what has come, as uart_receive(); 0: nothing has, and
 * it is woken when something does. */
size_t serial_receive(struct serial_port *port, void *to, size_t max_bytes,
		      enum uart_condition *condition);

/* Sends all. Sleeps while the line is busy or held; gives up when the calling thread is killed. */
void serial_send(struct serial_port *port, const void *bytes, size_t len_bytes);
/* The same without sleeping, from any context and under any lock. What the line does not take
 * within a bounded time is lost; while it is held that is all for which there is no room. */
void serial_send_polled(struct serial_port *port, const void *bytes, size_t len_bytes);
/* What waits goes out by polling, for a bounded time, lock or no lock: for the machine's end. */
void serial_push_out(struct serial_port *port);

/* Waits until all has been sent. -EINTR. */
err_t must_check serial_drain(struct serial_port *port);
uint32_t serial_waiting(struct serial_port *port); /* bytes to be sent */
uint32_t serial_room(struct serial_port *port);
void serial_discard(struct serial_port *port);

/* From any context: */
void serial_configure(struct serial_port *port, const struct uart_settings *settings);
void serial_stop(struct serial_port *port, bool stop);
void serial_break(struct serial_port *port, bool on);
void serial_counts(struct serial_port *port, struct uart_counts *out);

#endif
