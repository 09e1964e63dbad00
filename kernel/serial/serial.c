/*
 * Serial ports (see the header). `lock` protects the chip and its rings and is the innermost lock
 * of all, since log lines come here. Nothing is woken under it, and writers only by a task: who
 * made room may hold a lock that waking must not be done under.
 */
#define LOG_SUBSYSTEM "serial"

#include "serial.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <lib/log.h>
#include <sched/thread.h>

#define POLLED_LIMIT 200000 /* looks at the line, about a microsecond each */
#define POLLED_STEP  100    /* of them with interrupts off; a byte at 115200 baud takes 87 us */
#define BYTE_BITS    12     /* at most, with start, parity and stops */

const struct serial_place serial_places[2] = {
	{.name = "COM1", .base = 0x3f8, .irq = 4},
	{.name = "COM2", .base = 0x2f8, .irq = 3},
};

/* ---- the lock ---- */

static irqflags_t lock(struct serial_port *port) ACQUIRE(port->lock)
{
	return spin_lock_irqsave(&port->lock);
}

/* Who waits for room has seen that there is none, so `crowded` was set before. */
static void unlock(struct serial_port *port, irqflags_t flags) RELEASE(port->lock)
{
	bool was_crowded = port->crowded;
	bool crowded = uart_room(&port->uart) < port->uart.out.size / 2;

	port->crowded = crowded;
	spin_unlock_irqrestore(&port->lock, flags);
	if (was_crowded && !crowded)
		task_wake(&port->room_task);
}

static enum task_poll tell_room(struct task *task)
{
	struct serial_port *port = container_of(task, struct serial_port, room_task);

	waitq_wake_all(&port->room);
	if (port->sent)
		port->sent(port->argument);
	return task_pending(task, "a line that is busy");
}

static void handle_interrupt(void *argument)
{
	struct serial_port *port = argument;
	irqflags_t flags = lock(port);
	unsigned events = uart_interrupt(&port->uart);

	unlock(port, flags);
	if (events & UART_RECEIVED)
		task_wake(port->receiver);
}

/* ---- receiving ---- */

size_t serial_receive(struct serial_port *port, void *to, size_t max_bytes,
		      enum uart_condition *condition)
{
	irqflags_t flags;
	size_t n;

	flags = lock(port);
	n = uart_receive(&port->uart, to, max_bytes, condition);
	unlock(port, flags);
	return n;
}

/* ---- sending ---- */

static size_t send_some(struct serial_port *port, const uint8_t *bytes, size_t len_bytes)
{
	irqflags_t flags = lock(port);
	size_t n = uart_send(&port->uart, bytes, len_bytes);

	unlock(port, flags);
	return n;
}

void serial_send(struct serial_port *port, const void *bytes, size_t len_bytes)
{
	const uint8_t *from = bytes;

	if (port->polled) {
		serial_send_polled(port, bytes, len_bytes);
		return;
	}
	while (port->present && len_bytes > 0) {
		size_t n = send_some(port, from, len_bytes);

		from += n;
		len_bytes -= n;
		if (n == 0 && wait_event_killable(&port->room, serial_room(port) > 0))
			return;
	}
}

/* Makes some room, at most for what the chip takes at once: interrupts are off, and a ring takes a
 * third of a second. *made_bytes says how much. False: it is enough, or nothing goes now. */
static bool push_some(struct serial_port *port, uint32_t room_bytes, uint32_t *made_bytes)
{
	irqflags_t flags = lock(port);
	uint32_t before = uart_room(&port->uart);
	bool goes;

	(void)uart_push(&port->uart, MIN(room_bytes, before + UART_FIFO_BYTES), POLLED_STEP);
	*made_bytes = uart_room(&port->uart) - before;
	goes = uart_room(&port->uart) < room_bytes && uart_has_to_send(&port->uart);
	unlock(port, flags);
	return goes;
}

/* No more than the room that is needed. False: nothing goes. */
static bool push(struct serial_port *port, size_t room_bytes)
{
	uint32_t wanted = (uint32_t)MIN(room_bytes, (size_t)SERIAL_OUT_BYTES);
	unsigned idle = 0;
	uint32_t made;

	while (push_some(port, wanted, &made) && idle < POLLED_LIMIT / POLLED_STEP)
		idle = made ? 0 : idle + 1;
	return serial_room(port) > 0;
}

void serial_send_polled(struct serial_port *port, const void *bytes, size_t len_bytes)
{
	const uint8_t *from = bytes;

	while (port->present && len_bytes > 0) {
		size_t n = send_some(port, from, len_bytes);

		from += n;
		len_bytes -= n;
		if (n == 0 && !push(port, len_bytes))
			return;
	}
	if (port->polled)
		(void)push(port, SERIAL_OUT_BYTES);
}

/* The lock's owner may be a CPU that was stopped. */
void serial_push_out(struct serial_port *port) NO_THREAD_SAFETY
{
	if (!port->present)
		return;
	uart_stop(&port->uart, false);
	(void)uart_push(&port->uart, SERIAL_OUT_BYTES, POLLED_LIMIT);
}

static bool is_idle(struct serial_port *port)
{
	irqflags_t flags = lock(port);
	bool idle = uart_is_idle(&port->uart);

	unlock(port, flags);
	return idle;
}

/* Nobody is told when the last bit is out, so we look once in the time of a byte. */
err_t serial_drain(struct serial_port *port)
{
	uint64_t byte_ns = NSEC_PER_SEC * BYTE_BITS / MAX(port->uart.settings.rate, 50u);
	err_t err = 0;

	while (port->present && !err && serial_waiting(port) > SERIAL_OUT_BYTES / 2)
		err = wait_event_interruptible(&port->room,
					       serial_waiting(port) <= SERIAL_OUT_BYTES / 2);
	while (port->present && !err && !is_idle(port))
		err = thread_sleep_ns(byte_ns) || thread_interrupted() ? -EINTR : 0;
	return err;
}

uint32_t serial_waiting(struct serial_port *port)
{
	irqflags_t flags = lock(port);
	uint32_t waiting = uart_waiting(&port->uart);

	unlock(port, flags);
	return waiting;
}

uint32_t serial_room(struct serial_port *port)
{
	irqflags_t flags = lock(port);
	uint32_t room = uart_room(&port->uart);

	unlock(port, flags);
	return room;
}

void serial_discard(struct serial_port *port)
{
	irqflags_t flags = lock(port);

	uart_discard(&port->uart);
	unlock(port, flags);
}

/* ---- settings ---- */

void serial_configure(struct serial_port *port, const struct uart_settings *settings)
{
	irqflags_t flags;

	if (!port->present)
		return;
	flags = lock(port);
	uart_configure(&port->uart, settings);
	unlock(port, flags);
}

void serial_stop(struct serial_port *port, bool stop)
{
	irqflags_t flags;

	if (!port->present)
		return;
	flags = lock(port);
	uart_stop(&port->uart, stop);
	unlock(port, flags);
}

void serial_break(struct serial_port *port, bool on)
{
	irqflags_t flags;

	if (!port->present)
		return;
	flags = lock(port);
	uart_break(&port->uart, on);
	unlock(port, flags);
}

void serial_counts(struct serial_port *port, struct uart_counts *out)
{
	irqflags_t flags = lock(port);

	*out = port->uart.counts;
	unlock(port, flags);
}

/* ---- setting up ---- */

bool serial_open(struct serial_port *port, const struct serial_place *place, uint8_t *in,
		 uint32_t in_bytes, uint8_t *out)
{
	irqflags_t flags;
	err_t err;

	port->name = place->name;
	port->handler = (struct irq_handler){
		.name = place->name, .handle = handle_interrupt, .argument = port};
	spin_init(&port->lock, LOCK_SERIAL);
	waitq_init(&port->room);
	task_init(&port->room_task, place->name, tell_room, NULL);
	task_start(&port->room_task);
	port->present = uart_open(&port->uart, place->base, in, in_bytes, out, SERIAL_OUT_BYTES);
	if (!port->present)
		return false;
	err = irq_register(place->irq, &port->handler);
	if (err) {
		port->polled = true;
		log_err("%s: no interrupt %u (error %d): it is polled, and receives nothing",
			place->name, place->irq, -err);
		return true;
	}
	flags = lock(port);
	uart_enable(&port->uart);
	unlock(port, flags);
	return true;
}
