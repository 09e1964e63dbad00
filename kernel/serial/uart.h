/*
 * A serial port's chip, the 16550 and its relatives (National Semiconductor PC16550D data sheet,
 * sections 6 and 8): registers, the rings of bytes in both directions, flow control. It knows no
 * threads: the caller holds the port's lock, with interrupts off, in every call.
 *
 * Sending. Bytes go into a ring and from there into the chip as it takes them: at once while it
 * does, else by its interrupt. Output is held by uart_stop() (the other end's XOFF), and with
 * hardware flow control while the other end withholds CTS.
 *
 * Receiving. The interrupt fills a ring. When it is three quarters full the other end is asked to
 * stop, by RTS or XOFF as the settings say, and to go on at a quarter; when it is full, the bytes
 * stay in the chip. An error or a break is kept with its place among the bytes.
 */
#ifndef KERNEL_SERIAL_UART_H
#define KERNEL_SERIAL_UART_H

#include <lib/types.h>

#define UART_CLOCK_RATE 115200 /* the divisor 1 */
#define UART_FIFO_BYTES 16
#define UART_CONDITIONS 8 /* errors that are kept at a time; a power of two */

enum uart_condition {
	UART_NONE,
	UART_BREAK,  /* the line was held low */
	UART_PARITY, /* the byte is probably wrong */
	UART_FRAME,  /* the same */
};

enum uart_parity { PARITY_NONE, PARITY_ODD, PARITY_EVEN, PARITY_MARK, PARITY_SPACE };

struct uart_settings {
	uint32_t rate;      /* bits a second, 2 to UART_CLOCK_RATE; 0: hang up (DTR and RTS go) */
	unsigned data_bits; /* 5 to 8 */
	bool two_stop_bits;
	enum uart_parity parity;
	bool hardware_flow; /* RTS and CTS */
	bool software_flow; /* XOFF and XON ask the other end to stop and go on */
	uint8_t xon, xoff;  /* what to send for it */
};

struct uart_counts {
	uint64_t received;
	uint64_t sent;
	uint64_t overruns; /* the chip lost bytes */
	uint64_t parity_errors;
	uint64_t frame_errors;
	uint64_t breaks;
};

/* A ring of bytes. Positions count up, the place is the position modulo the size. */
struct uart_ring {
	uint8_t *bytes;
	uint32_t size; /* a power of two */
	uint32_t head; /* the next to take */
	uint32_t tail; /* where the next goes */
};

struct uart {
	uint16_t base;       /* first I/O port */
	unsigned fifo_bytes; /* that it takes at once: 1 or UART_FIFO_BYTES */
	struct uart_settings settings;
	struct uart_ring in;
	struct uart_ring out;
	struct {
		uint32_t position; /* of the byte in `in` */
		enum uart_condition condition;
	} conditions[UART_CONDITIONS];
	uint32_t conditions_head;
	uint32_t conditions_tail;
	uint8_t interrupts; /* the interrupt enable register */
	uint8_t modem;      /* the modem control register */
	uint8_t line;       /* the line control register */
	uint8_t urgent;     /* XON or XOFF, to be sent before everything else; 0: nothing */
	bool clear_to_send; /* CTS, as it was last seen */
	bool stopped;       /* uart_stop() */
	bool asked_to_stop; /* the other end, by us */
	struct uart_counts counts;
};

/* What uart_interrupt() found: bits. */
enum uart_event {
	UART_RECEIVED = 1 << 0, /* something can be taken */
	UART_ROOM = 1 << 1,     /* at least half of the ring for sending is free */
};

/* False: there is no chip at `base`. The rings' memory is the chip's for good; sizes are powers of
 * two. 115200 baud, 8 bits, no parity; interrupts off. */
bool uart_open(struct uart *uart, uint16_t base, uint8_t *in, uint32_t in_bytes, uint8_t *out,
	       uint32_t out_bytes);
/* Lets it interrupt. */
void uart_enable(struct uart *uart);
/* Settings that differ from those in use are given to the chip. */
void uart_configure(struct uart *uart, const struct uart_settings *settings);

/* Deals with all that the chip interrupts for; enum uart_event. */
unsigned uart_interrupt(struct uart *uart);

/* Takes up to `max_bytes`, not beyond a byte with a condition: that one comes alone, and
 * *condition says what is with it. NULL: who does not care gets all bytes alike. */
size_t uart_receive(struct uart *uart, uint8_t *to, size_t max_bytes,
		    enum uart_condition *condition);

/* Takes what there is room for, and has it sent. Returns how many; less than all: wait for
 * UART_ROOM. Never more than a few FIFO's loads at once, so call again. */
size_t uart_send(struct uart *uart, const uint8_t *bytes, size_t len_bytes);
/* Moves what waits into the chip by polling until there is room for `room_bytes`, for at most
 * `polls` looks without progress. False: there is not. */
bool uart_push(struct uart *uart, uint32_t room_bytes, unsigned polls);
/* Something waits, and the line may go. */
bool uart_has_to_send(const struct uart *uart);
/* Forgets what waits to be sent. */
void uart_discard(struct uart *uart);
uint32_t uart_waiting(const struct uart *uart); /* bytes to be sent */
uint32_t uart_room(const struct uart *uart);
/* The last bit is on the line. */
bool uart_is_idle(const struct uart *uart);

/* Output stops (nothing but XON and XOFF goes), or goes on. */
void uart_stop(struct uart *uart, bool stop);
/* Holds the line low, or lets go. */
void uart_break(struct uart *uart, bool on);

#endif
