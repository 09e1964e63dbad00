/*
 * What the cursor's row on a terminal holds, as far as it can be told from the bytes sent: enough
 * to erase it, print something above, and draw it again. Only what draws in a row is kept: a
 * question must not be asked again, nor a title set or a screen exchanged. Pure logic, no lock;
 * console.c's owner has it.
 */
#ifndef KERNEL_CONSOLE_ROW_H
#define KERNEL_CONSOLE_ROW_H

#include <lib/types.h>

#define CONSOLE_ROW_BYTES 512

enum console_row_state {
	ROW_GROUND,
	ROW_UTF8,   /* inside a character */
	ROW_ESCAPE, /* after ESC */
	ROW_CSI,    /* ESC [ ... letter */
	ROW_STRING, /* ESC ] ... or ESC P ..., up to BEL or an escape sequence (ESC \) */
};

struct console_row {
	enum console_row_state state;
	uint8_t utf8_lead;   /* the first byte of a character, */
	unsigned utf8_left;  /* and bytes of it still to come */
	unsigned sequence;   /* bytes of the escape sequence so far */
	unsigned parameter;  /* first number of a CSI sequence; 0: none */
	bool parameter_done; /* a second one began */
	uint8_t mark;        /* of a CSI sequence: '?', '$' and the like; 0: none */
	size_t started;      /* where in `bytes` the sequence or character begins */
	bool unwanted;       /* it does not draw: it is not kept */
	bool too_long;    /* bytes are missing, or it takes too much: the row is not drawn again */
	unsigned effort;  /* of drawing it, beyond its bytes: see ROW_EFFORT_MAX */
	unsigned column;  /* of the cursor, wrapped rows counted on */
	size_t len_bytes; /* kept since the last CR or LF */
	uint8_t bytes[CONSOLE_ROW_BYTES];
};

void console_row_feed(struct console_row *row, const uint8_t *bytes, size_t len_bytes);

/* False: an escape sequence or a character is half sent; nothing may come between. */
static inline bool console_row_is_whole(const struct console_row *row)
{
	return row->state == ROW_GROUND;
}

#define CONSOLE_ROW_ERASE_BYTES 32
/* The bytes that clear the row, or begin a new one where it could not be drawn again; the cursor is
 * then at the start of a row. Returns how many, at most CONSOLE_ROW_ERASE_BYTES. `columns`: the
 * terminal's width. */
size_t console_row_erase(const struct console_row *row, unsigned columns, char *to);

/* After something was printed above: the bytes to send again are row->bytes, len_bytes, unless the
 * row was too long, which is forgotten here. */
size_t console_row_redraw_bytes(struct console_row *row);

#endif
