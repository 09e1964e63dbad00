/*
 * The chip (see the header). Port accesses are few where bytes are many: under an emulator each is
 * worth hundreds of instructions.
 */
#include "uart.h"

#include <arch/cpu.h>
#include <arch/port.h>
#include <lib/string.h>

/* Registers by offset. */
enum uart_register {
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
#define IER_SEND_EMPTY  0x02
#define IER_LINE_STATUS 0x04
#define IER_MODEM       0x08

#define IIR_CAUSE      0x0f
#define IIR_MODEM      0x00
#define IIR_NONE       0x01
#define IIR_SEND_EMPTY 0x02
#define IIR_TRIGGER    0x04 /* the FIFO has FIFO_TRIGGER bytes or more */
#define IIR_FIFO_WORKS 0xc0
#define FCR_ON         0xc7 /* FIFOs on and emptied, interrupt from FIFO_TRIGGER bytes on */
#define FIFO_TRIGGER   14

#define LCR_TWO_STOPS    0x04
#define LCR_PARITY       0x08
#define LCR_EVEN         0x10
#define LCR_STICK_PARITY 0x20
#define LCR_BREAK        0x40
#define LCR_DIVISOR      0x80

#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT2 0x08 /* on a PC: lets the interrupt through */

#define LSR_DATA       0x01
#define LSR_OVERRUN    0x02
#define LSR_PARITY     0x04
#define LSR_FRAME      0x08
#define LSR_BREAK      0x10
#define LSR_ERRORS     (LSR_PARITY | LSR_FRAME | LSR_BREAK)
#define LSR_SEND_READY 0x20
#define LSR_IDLE       0x40
#define LSR_FIFO_ERROR 0x80 /* one of the bytes in the FIFO has an error */

#define MSR_CTS 0x10

#define SCRATCH_PATTERN 0x5a

#define LOADS_AT_ONCE 4  /* of the FIFO, with interrupts off */
#define INTERRUPT_MAX 64 /* causes in one interrupt: others want the CPU, too */

/* ---- registers ---- */

static uint8_t get(const struct uart *uart, enum uart_register reg)
{
	return port_in8(uart->base + reg);
}

static void put(const struct uart *uart, enum uart_register reg, uint8_t value)
{
	port_out8(uart->base + reg, value);
}

static void set_interrupts(struct uart *uart, uint8_t interrupts)
{
	if (interrupts == uart->interrupts)
		return;
	uart->interrupts = interrupts;
	put(uart, REG_IER, interrupts);
}

static void set_modem(struct uart *uart, uint8_t modem)
{
	if (modem == uart->modem)
		return;
	uart->modem = modem;
	put(uart, REG_MCR, modem);
}

/* ---- rings ---- */

static uint32_t filled(const struct uart_ring *ring)
{
	return ring->tail - ring->head;
}

static uint32_t ring_room(const struct uart_ring *ring)
{
	return ring->size - filled(ring);
}

static uint32_t place(const struct uart_ring *ring, uint32_t position)
{
	return position & (ring->size - 1);
}

static void ring_put(struct uart_ring *ring, const uint8_t *bytes, uint32_t nbytes)
{
	uint32_t first = MIN(nbytes, ring->size - place(ring, ring->tail));

	memcpy(ring->bytes + place(ring, ring->tail), bytes, first);
	memcpy(ring->bytes, bytes + first, nbytes - first);
	ring->tail += nbytes;
}

static void ring_take(struct uart_ring *ring, uint8_t *to, uint32_t nbytes)
{
	uint32_t first = MIN(nbytes, ring->size - place(ring, ring->head));

	memcpy(to, ring->bytes + place(ring, ring->head), first);
	memcpy(to + first, ring->bytes, nbytes - first);
	ring->head += nbytes;
}

/* ---- sending ---- */

static bool may_send(const struct uart *uart)
{
	return !uart->stopped && (!uart->settings.hardware_flow || uart->clear_to_send);
}

/* Gives the chip, which is empty, what it can take. False: nothing goes now. */
static bool load(struct uart *uart)
{
	struct uart_ring *out = &uart->out;
	uint32_t n;

	if (uart->urgent) {
		put(uart, REG_DATA, uart->urgent);
		uart->urgent = 0;
		return true;
	}
	if (!may_send(uart))
		return false;
	n = MIN(filled(out), uart->fifo_bytes);
	n = MIN(n, out->size - place(out, out->head));
	if (n == 0)
		return false;
	port_out_bytes(uart->base + REG_DATA, out->bytes + place(out, out->head), n);
	out->head += n;
	uart->counts.sent += n;
	return true;
}

bool uart_has_to_send(const struct uart *uart)
{
	return uart->urgent || (filled(&uart->out) > 0 && may_send(uart));
}

static bool send_ready(const struct uart *uart)
{
	return get(uart, REG_LSR) & LSR_SEND_READY;
}

/* Loads the chip while it takes loads at once; the interrupt does the rest. */
static void kick(struct uart *uart)
{
	for (unsigned i = 0; i < LOADS_AT_ONCE && uart_has_to_send(uart) && send_ready(uart); i++)
		(void)load(uart);
	set_interrupts(uart, uart_has_to_send(uart) ? uart->interrupts | IER_SEND_EMPTY
						    : uart->interrupts & (uint8_t)~IER_SEND_EMPTY);
}

size_t uart_send(struct uart *uart, const uint8_t *bytes, size_t len_bytes)
{
	uint32_t at_once = LOADS_AT_ONCE * UART_FIFO_BYTES;
	uint32_t room = MIN(at_once, ring_room(&uart->out));
	uint32_t n = (uint32_t)MIN(len_bytes, (size_t)room);

	ring_put(&uart->out, bytes, n);
	kick(uart);
	return n;
}

bool uart_push(struct uart *uart, uint32_t room_bytes, unsigned polls)
{
	unsigned left = polls;

	while (ring_room(&uart->out) < room_bytes && uart_has_to_send(uart)) {
		if (send_ready(uart) && load(uart)) {
			left = polls;
			continue;
		}
		if (left-- == 0)
			return false;
		cpu_relax();
	}
	return ring_room(&uart->out) >= room_bytes;
}

void uart_discard(struct uart *uart)
{
	uart->out.head = uart->out.tail;
}

uint32_t uart_waiting(const struct uart *uart)
{
	return filled(&uart->out);
}

uint32_t uart_room(const struct uart *uart)
{
	return ring_room(&uart->out);
}

bool uart_is_idle(const struct uart *uart)
{
	return filled(&uart->out) == 0 && (get(uart, REG_LSR) & LSR_IDLE);
}

void uart_stop(struct uart *uart, bool stop)
{
	uart->stopped = stop;
	kick(uart);
}

void uart_break(struct uart *uart, bool on)
{
	uart->line = on ? uart->line | LCR_BREAK : uart->line & (uint8_t)~LCR_BREAK;
	put(uart, REG_LCR, uart->line);
}

/* ---- flow control of what comes in ---- */

static void ask_other_end(struct uart *uart, bool stop)
{
	const struct uart_settings *settings = &uart->settings;

	if (uart->asked_to_stop == stop)
		return;
	uart->asked_to_stop = stop;
	if (settings->hardware_flow)
		set_modem(uart, stop ? uart->modem & (uint8_t)~MCR_RTS : uart->modem | MCR_RTS);
	if (settings->software_flow) {
		uart->urgent = stop ? settings->xoff : settings->xon;
		kick(uart);
	}
}

static void watch_fill(struct uart *uart)
{
	uint32_t n = filled(&uart->in);

	if (n >= uart->in.size / 4 * 3)
		ask_other_end(uart, true);
	else if (n <= uart->in.size / 4)
		ask_other_end(uart, false);
}

/* ---- receiving ---- */

static void note_condition(struct uart *uart, enum uart_condition condition)
{
	uint32_t at = uart->conditions_tail;

	if (at - uart->conditions_head == UART_CONDITIONS)
		return; /* it is counted; the byte comes without */
	uart->conditions[at % UART_CONDITIONS].position = uart->in.tail;
	uart->conditions[at % UART_CONDITIONS].condition = condition;
	uart->conditions_tail++;
}

/* What the line status says of the byte that is next. A break has frame and parity errors as
 * well. */
static void note_errors(struct uart *uart, uint8_t status)
{
	if (status & LSR_BREAK) {
		uart->counts.breaks++;
		note_condition(uart, UART_BREAK);
	} else if (status & LSR_FRAME) {
		uart->counts.frame_errors++;
		note_condition(uart, UART_FRAME);
	} else if (status & LSR_PARITY) {
		uart->counts.parity_errors++;
		note_condition(uart, UART_PARITY);
	}
}

/* False: the ring is full. What the chip still has stays there, and it is silent about it until
 * the ring has been emptied; so a sender that can be held (an emulator's) loses nothing. */
static bool make_silent_if_full(struct uart *uart)
{
	if (ring_room(&uart->in) >= FIFO_TRIGGER)
		return false;
	set_interrupts(uart, uart->interrupts & (uint8_t) ~(IER_RECEIVED | IER_LINE_STATUS));
	return true;
}

/* Takes out what the chip has, in the cheapest way that keeps errors with their bytes. */
static void receive(struct uart *uart, bool triggered)
{
	uint8_t bytes[FIFO_TRIGGER] = {0}; /* the analyser cannot see what `insb` writes */
	uint8_t status;

	while (!make_silent_if_full(uart)) {
		status = get(uart, REG_LSR);
		if (status & LSR_OVERRUN)
			uart->counts.overruns++;
		if (triggered && !(status & (LSR_FIFO_ERROR | LSR_ERRORS))) {
			port_in_bytes(uart->base + REG_DATA, bytes, FIFO_TRIGGER);
			ring_put(&uart->in, bytes, FIFO_TRIGGER);
			uart->counts.received += FIFO_TRIGGER;
			break; /* the cause of the next interrupt says how to go on */
		}
		if (!(status & LSR_DATA))
			break;
		if (status & LSR_ERRORS)
			note_errors(uart, status);
		bytes[0] = get(uart, REG_DATA);
		ring_put(&uart->in, bytes, 1);
		uart->counts.received++;
		triggered = false;
	}
	watch_fill(uart);
}

static void modem_changed(struct uart *uart)
{
	uart->clear_to_send = get(uart, REG_MSR) & MSR_CTS;
	kick(uart);
}

/* The line to the interrupt controller may be edge-triggered: we go on until the chip has no cause
 * left, or nothing would ever raise it again. */
unsigned uart_interrupt(struct uart *uart)
{
	uint32_t received_before = uart->in.tail;
	uint32_t room_before = ring_room(&uart->out);
	unsigned events = 0;

	for (unsigned i = 0;; i++) {
		uint8_t cause = get(uart, REG_IIR) & IIR_CAUSE;

		if (cause & IIR_NONE)
			break;
		if (i == INTERRUPT_MAX) { /* raises the line anew when we have returned */
			put(uart, REG_IER, 0);
			put(uart, REG_IER, uart->interrupts);
			break;
		}
		if (cause == IIR_MODEM)
			modem_changed(uart);
		else if (cause == IIR_SEND_EMPTY)
			kick(uart);
		else
			receive(uart, cause == IIR_TRIGGER && uart->fifo_bytes > 1);
	}
	if (uart->in.tail != received_before)
		events |= UART_RECEIVED;
	if (ring_room(&uart->out) != room_before && ring_room(&uart->out) >= uart->out.size / 2)
		events |= UART_ROOM;
	return events;
}

/* How many bytes come before the next condition, and *condition of the first one. */
static uint32_t without_condition(struct uart *uart, uint32_t n, enum uart_condition *condition)
{
	uint32_t at = uart->conditions_head;
	uint32_t ahead;

	*condition = UART_NONE;
	if (at == uart->conditions_tail)
		return n;
	ahead = uart->conditions[at % UART_CONDITIONS].position - uart->in.head;
	if (ahead > 0)
		return MIN(n, ahead);
	*condition = uart->conditions[at % UART_CONDITIONS].condition;
	uart->conditions_head++;
	return MIN(n, 1u);
}

size_t uart_receive(struct uart *uart, uint8_t *to, size_t max_bytes,
		    enum uart_condition *condition)
{
	uint32_t n = (uint32_t)MIN(max_bytes, (size_t)filled(&uart->in));

	if (n == 0)
		return 0;
	if (condition)
		n = without_condition(uart, n, condition);
	else
		uart->conditions_head = uart->conditions_tail;
	ring_take(&uart->in, to, n);
	watch_fill(uart);
	if (!(uart->interrupts & IER_RECEIVED) && filled(&uart->in) <= uart->in.size / 4)
		set_interrupts(uart, uart->interrupts | IER_RECEIVED | IER_LINE_STATUS);
	return n;
}

/* ---- setting up ---- */

static uint8_t line_control(const struct uart_settings *settings)
{
	static const uint8_t parities[] = {
		[PARITY_NONE] = 0,
		[PARITY_ODD] = LCR_PARITY,
		[PARITY_EVEN] = LCR_PARITY | LCR_EVEN,
		[PARITY_MARK] = LCR_PARITY | LCR_STICK_PARITY,
		[PARITY_SPACE] = LCR_PARITY | LCR_EVEN | LCR_STICK_PARITY,
	};

	return (uint8_t)((settings->data_bits - 5) | parities[settings->parity] |
			 (settings->two_stop_bits ? LCR_TWO_STOPS : 0));
}

static void set_line(struct uart *uart, uint8_t line, uint32_t rate)
{
	uint32_t divisor = MAX(UART_CLOCK_RATE / rate, 1u);

	put(uart, REG_LCR, line | LCR_DIVISOR);
	put(uart, REG_DATA, (uint8_t)divisor);
	put(uart, REG_IER, (uint8_t)(divisor >> 8)); /* rates begin at 2: 16 bits hold it */
	put(uart, REG_LCR, line);
	uart->line = line;
}

void uart_configure(struct uart *uart, const struct uart_settings *settings)
{
	const struct uart_settings old = uart->settings;
	uint8_t line = line_control(settings);

	uart->settings = *settings;
	if (settings->rate && (settings->rate != old.rate || line != line_control(&old)))
		set_line(uart, line | (uart->line & LCR_BREAK), settings->rate);
	if (!settings->rate)
		set_modem(uart, uart->modem & (uint8_t) ~(MCR_DTR | MCR_RTS));
	else if (uart->asked_to_stop && settings->hardware_flow)
		set_modem(uart, (uart->modem & (uint8_t)~MCR_RTS) | MCR_DTR);
	else
		set_modem(uart, uart->modem | MCR_DTR | MCR_RTS);
	/* What the other end was told by the old settings, or not told. */
	if (uart->asked_to_stop && settings->software_flow != old.software_flow)
		uart->urgent = settings->software_flow ? settings->xoff : old.xon;
	if (settings->hardware_flow) {
		set_interrupts(uart, uart->interrupts | IER_MODEM);
		uart->clear_to_send = get(uart, REG_MSR) & MSR_CTS;
	} else {
		set_interrupts(uart, uart->interrupts & (uint8_t)~IER_MODEM);
	}
	kick(uart);
}

void uart_enable(struct uart *uart)
{
	set_interrupts(uart, uart->interrupts | IER_RECEIVED | IER_LINE_STATUS);
}

/* A register that holds what is written tells a chip from an empty bus, which reads as ones. */
static bool is_there(const struct uart *uart)
{
	uint8_t before = get(uart, REG_SCRATCH);
	bool same;

	put(uart, REG_SCRATCH, SCRATCH_PATTERN);
	same = get(uart, REG_SCRATCH) == SCRATCH_PATTERN;
	put(uart, REG_SCRATCH, before);
	return same && get(uart, REG_LSR) != 0xff;
}

bool uart_open(struct uart *uart, uint16_t base, uint8_t *in, uint32_t in_bytes, uint8_t *out,
	       uint32_t out_bytes)
{
	*uart = (struct uart){
		.base = base,
		.fifo_bytes = 1,
		.settings = {.rate = UART_CLOCK_RATE, .data_bits = 8},
		.in = {.bytes = in, .size = in_bytes},
		.out = {.bytes = out, .size = out_bytes},
	};
	if (!is_there(uart))
		return false;
	put(uart, REG_IER, 0);
	set_line(uart, line_control(&uart->settings), uart->settings.rate);
	put(uart, REG_IER, 0);
	put(uart, REG_FCR, FCR_ON);
	/* The 8250 and 16450 have no FIFO, the first 16550 one that does not work. */
	if ((get(uart, REG_IIR) & IIR_FIFO_WORKS) == IIR_FIFO_WORKS)
		uart->fifo_bytes = UART_FIFO_BYTES;
	else
		put(uart, REG_FCR, 0);
	uart->modem = MCR_DTR | MCR_RTS | MCR_OUT2;
	put(uart, REG_MCR, uart->modem);
	return true;
}
