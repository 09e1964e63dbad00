/*
 * Serial ports: the 16550's registers, its interrupt, and the ring between the interrupt and the
 * task that takes the bytes. Sending is by polling in loads of the FIFO; a line that does not
 * take a load within SPIN_POLLS looks is slow, and then we sleep about as long as one takes.
 *
 * The ring has one writer (the interrupt handler) and one reader (the receiving task) and no lock.
 * When it is full, the handler masks the receive interrupt and leaves the bytes in the device, so a
 * sender with flow control (QEMU) loses nothing; the reader unmasks it when there is room. The mask
 * is the only register that both sides write: the reader does it with interrupts off and only while
 * `throttled`, when the handler cannot come.
 */
#define LOG_SUBSYSTEM "serial"

#include "serial.h"

#include <arch/cpu.h>
#include <arch/port.h>
#include <lib/atomic.h>
#include <lib/log.h>
#include <lib/string.h>
#include <sched/thread.h>

/* National Semiconductor PC16550D data sheet, section 8: registers by offset. */
enum serial_register {
	REG_DATA = 0, /* receive and transmit; divisor's low byte while LCR_DIVISOR is set */
	REG_IER = 1,  /* interrupt enable; divisor's high byte */
	REG_IIR = 2,  /* read: why it interrupts */
	REG_FCR = 2,  /* write: FIFO control */
	REG_LCR = 3,
	REG_MCR = 4,
	REG_LSR = 5,
	REG_MSR = 6,
	REG_SCRATCH = 7,
};

#define IER_RECEIVED    0x01
#define IIR_CAUSE       0x0f
#define IIR_TRIGGER     0x04 /* the FIFO has FIFO_TRIGGER bytes or more */
#define FCR_ON          0xc7 /* FIFOs on and emptied, interrupt from FIFO_TRIGGER bytes on */
#define FIFO_TRIGGER    14
#define LCR_8N1         0x03
#define LCR_DIVISOR     0x80
#define MCR_DTR_RTS     0x03
#define MCR_OUT2        0x08 /* on a PC: lets the interrupt through */
#define LSR_DATA        0x01
#define LSR_OVERRUN     0x02
#define LSR_SEND_READY  0x20
#define DIVISOR_115200  1
#define SCRATCH_PATTERN 0x5a

#define SPIN_POLLS   64
#define LOAD_NS      (NSEC_PER_SEC / 115200 * 10 * SERIAL_FIFO_BYTES)
#define POLLED_LIMIT 200000 /* looks at the line, about a microsecond each */

/* ---- receiving ---- */

static uint32_t ring_room(const struct serial_port *port)
{
	/* Acquire: pairs with the release in take(); the bytes there were copied out. */
	return port->ring_bytes - (port->tail - load_acquire(&port->head));
}

static void ring_put(struct serial_port *port, const uint8_t *bytes, uint32_t nbytes)
{
	for (uint32_t i = 0; i < nbytes; i++)
		port->ring[(port->tail + i) & (port->ring_bytes - 1)] = bytes[i];
	/* Release: pairs with the acquire in available(); the bytes are there before the count. */
	store_release(&port->tail, port->tail + nbytes);
}

/* Takes a part of what the FIFO has: 0, FIFO_TRIGGER bytes when it says that it has as many (which
 * saves asking for each), or 1. */
static uint32_t receive_some(struct serial_port *port, uint8_t *to)
{
	uint8_t status;

	if ((port_in8(port->base + REG_IIR) & IIR_CAUSE) == IIR_TRIGGER) {
		port_in_bytes(port->base + REG_DATA, to, FIFO_TRIGGER);
		return FIFO_TRIGGER;
	}
	status = port_in8(port->base + REG_LSR);
	if (status & LSR_OVERRUN)
		port->overruns++;
	if (!(status & LSR_DATA))
		return 0;
	*to = port_in8(port->base + REG_DATA);
	return 1;
}

/* The line to the interrupt controller is edge-triggered: we go on until the FIFO is empty, or
 * nothing would ever raise it again. */
static void handle_interrupt(void *argument)
{
	struct serial_port *port = argument;
	uint8_t bytes[FIFO_TRIGGER] = {0}; /* the analyser cannot see what `insb` writes */
	uint32_t n;

	do {
		if (ring_room(port) < FIFO_TRIGGER) {
			port_out8(port->base + REG_IER, 0);
			store_release(&port->throttled, true);
			break;
		}
		n = receive_some(port, bytes);
		ring_put(port, bytes, n);
	} while (n > 0);
	task_wake(port->receiver);
}

static uint32_t available(const struct serial_port *port)
{
	/* Acquire: pairs with the release in ring_put(). */
	return load_acquire(&port->tail) - port->head;
}

static size_t take(struct serial_port *port, void *to, size_t max_bytes)
{
	uint32_t place = port->head & (port->ring_bytes - 1);
	size_t n = MIN(max_bytes, (size_t)available(port));
	size_t first = MIN(n, (size_t)(port->ring_bytes - place));

	memcpy(to, port->ring + place, first);
	memcpy((uint8_t *)to + first, port->ring, n - first);
	/* Release: pairs with the acquire in ring_room(). */
	store_release(&port->head, port->head + (uint32_t)n);
	return n;
}

size_t serial_receive(struct serial_port *port, void *to, size_t max_bytes)
{
	irqflags_t flags;
	size_t n;

	n = take(port, to, max_bytes);
	if (load_acquire(&port->throttled) && available(port) == 0) {
		flags = irq_save();
		store_release(&port->throttled, false);
		port_out8(port->base + REG_IER, IER_RECEIVED);
		irq_restore(flags);
	}
	return n;
}

/* ---- sending ---- */

static bool send_ready(const struct serial_port *port)
{
	return port_in8(port->base + REG_LSR) & LSR_SEND_READY;
}

static bool send_ready_soon(const struct serial_port *port)
{
	for (unsigned i = 0; i < SPIN_POLLS; i++) {
		if (send_ready(port))
			return true;
		cpu_relax();
	}
	return false;
}

void serial_send(struct serial_port *port, const void *bytes, size_t len_bytes)
{
	const uint8_t *from = bytes;
	size_t load;

	while (port->present && len_bytes > 0) {
		while (!send_ready_soon(port)) {
			if (thread_sleep_ns(LOAD_NS))
				return;
		}
		load = MIN(len_bytes, (size_t)SERIAL_FIFO_BYTES);
		port_out_bytes(port->base + REG_DATA, from, load);
		from += load;
		len_bytes -= load;
	}
}

void serial_send_polled(struct serial_port *port, const void *bytes, size_t len_bytes)
{
	const uint8_t *from = bytes;
	unsigned polls = 0;
	size_t load;

	while (port->present && len_bytes > 0) {
		if (!send_ready(port)) {
			if (++polls == POLLED_LIMIT)
				return;
			cpu_relax();
			continue;
		}
		load = MIN(len_bytes, (size_t)SERIAL_FIFO_BYTES);
		port_out_bytes(port->base + REG_DATA, from, load);
		from += load;
		len_bytes -= load;
		polls = 0;
	}
}

/* ---- setting up ---- */

/* A register that holds what is written tells a UART from an empty bus, which reads as ones. */
static bool port_exists(uint16_t base)
{
	uint8_t before = port_in8(base + REG_SCRATCH);
	bool same;

	port_out8(base + REG_SCRATCH, SCRATCH_PATTERN);
	same = port_in8(base + REG_SCRATCH) == SCRATCH_PATTERN;
	port_out8(base + REG_SCRATCH, before);
	return same && port_in8(base + REG_LSR) != 0xff;
}

bool serial_open(struct serial_port *port, const char *name, uint16_t base, unsigned irq,
		 uint8_t *ring, uint32_t ring_bytes, struct task *receiver)
{
	err_t err;

	*port = (struct serial_port){
		.base = base,
		.irq = irq,
		.name = name,
		.present = port_exists(base),
		.ring = ring,
		.ring_bytes = ring_bytes,
		.receiver = receiver,
		.handler = {.name = name, .handle = handle_interrupt, .argument = port},
	};
	if (!port->present)
		return false;

	port_out8(base + REG_IER, 0);
	port_out8(base + REG_LCR, LCR_DIVISOR | LCR_8N1);
	port_out8(base + REG_DATA, DIVISOR_115200);
	port_out8(base + REG_IER, 0);
	port_out8(base + REG_LCR, LCR_8N1);
	port_out8(base + REG_FCR, FCR_ON);
	port_out8(base + REG_MCR, MCR_DTR_RTS | MCR_OUT2);

	err = irq_register(irq, &port->handler);
	if (err) {
		log_err("%s: no interrupt %u (error %d): nothing can be received", name, irq, -err);
		return true;
	}
	port_out8(base + REG_IER, IER_RECEIVED);
	return true;
}
