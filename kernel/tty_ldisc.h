/*
 * The line discipline: what a terminal does to the characters on their way, without the terminal.
 * Pure data and logic, no locks, no sleeping: the caller has the lock (tty.c) or is a host test.
 *
 * Input is kept in one ring. In canonical mode a bit beside each character marks the end of what
 * one read may return (newline, VEOL, VEOL2, or VEOF, which itself is left out of the result), and
 * only what lies before `committed` can be read; what lies behind it is still being edited.
 */
#ifndef KERNEL_TTY_LDISC_H
#define KERNEL_TTY_LDISC_H

#include <abi/termios.h>
#include <lib/types.h>

#define LDISC_INPUT_BYTES 4096 /* a power of two; what Linux has (N_TTY_BUF_SIZE) */

/* Positions count up for ever; the place in the ring is the position modulo its size.
 * head <= committed <= tail <= head + LDISC_INPUT_BYTES, all modulo 2^32. */
struct ldisc {
	struct abi_termios termios;
	uint32_t head;        /* the next character that is read */
	uint32_t committed;   /* end of what a canonical read may have */
	uint32_t tail;        /* where the next character goes */
	uint32_t raw_from;    /* raw: where it was when the settings became so */
	uint32_t column;      /* of the cursor, as echo and output left it */
	uint32_t line_column; /* where the line that is being edited began */
	uint32_t pushed; /* behind what became a line by a change of settings; 0: nothing did */
	bool literal;    /* VLNEXT came: the next character means nothing special */
	uint8_t input[LDISC_INPUT_BYTES];
	uint64_t line_end[LDISC_INPUT_BYTES / 64]; /* by place in the ring */
};

/* Where echo goes. What does not fit is lost, but a line whose erasing would not fit is not erased
 * from the screen: a new row is begun. */
struct ldisc_echo {
	uint8_t *to;
	size_t room_bytes;
	size_t len_bytes;
};

/* The most that one character's echo takes where nothing is erased or shown again. */
#define LDISC_ECHO_MIN_BYTES 8

enum ldisc_event {
	LDISC_READABLE = 1 << 0, /* somebody may read now */
	LDISC_STOP = 1 << 1,     /* output stops (VSTOP) */
	LDISC_GO = 1 << 2,       /* and goes on */
	LDISC_FLUSHED = 1 << 3,  /* a signal's character dropped the input */
};

struct ldisc_result {
	unsigned events; /* enum ldisc_event */
	int signal;      /* for the foreground group: SIGINT, SIGQUIT, SIGTSTP; 0: none */
};

/* Linux's settings of a fresh terminal: canonical, echo, signals, CR and LF translated, UTF-8. */
void ldisc_init(struct ldisc *ldisc);

/* One character that the device received. `stopped`: output is stopped now. */
struct ldisc_result ldisc_input(struct ldisc *ldisc, uint8_t character, bool stopped,
				struct ldisc_echo *echo);

/* What a line may say of a character. */
enum ldisc_condition {
	LDISC_FINE,
	LDISC_BREAK,    /* it is none: the line was held low */
	LDISC_BAD_BYTE, /* its parity or frame is wrong */
};

/* The same for one with which something is wrong: by IGNBRK, BRKINT, INPCK, IGNPAR and PARMRK. */
struct ldisc_result ldisc_input_condition(struct ldisc *ldisc, uint8_t character,
					  enum ldisc_condition condition, bool stopped,
					  struct ldisc_echo *echo);

/* False: a character that came now would be lost and a reader can make room, so wait for one. */
bool ldisc_has_room(const struct ldisc *ldisc);

/* True if a read would return at once, for a canonical terminal; raw: if there is anything. */
bool ldisc_readable(const struct ldisc *ldisc);
/* Bytes that could be read: FIONREAD. */
size_t ldisc_count(const struct ldisc *ldisc);

/* Takes input out. *line_done: a canonical line ended with the last byte (or with a VEOF that is
 * not among the bytes): the read is over. 0 bytes and line_done: end of file. */
size_t ldisc_read(struct ldisc *ldisc, uint8_t *to, size_t max_bytes, bool *line_done);

/* Output processing (OPOST): turns bytes of `from` into at most `room_bytes` at `to`. Returns how
 * many were made; *taken says of how many. Progress is certain where room_bytes >= 8. */
size_t ldisc_output(struct ldisc *ldisc, const uint8_t *from, size_t len_bytes, uint8_t *to,
		    size_t room_bytes, size_t *taken);

/* Input that is there stays and is read by the new rules, as on Linux. */
void ldisc_set_termios(struct ldisc *ldisc, const struct abi_termios *termios);
void ldisc_flush_input(struct ldisc *ldisc);
/* Takes out what came since the settings became raw, for who means to type it anew under others:
 * `to` has room for LDISC_INPUT_BYTES. Returns the count; canonical: 0. */
size_t ldisc_take_raw(struct ldisc *ldisc, uint8_t *to);

static inline bool ldisc_canonical(const struct ldisc *ldisc)
{
	return (ldisc->termios.c_lflag & ICANON) != 0;
}

#endif
