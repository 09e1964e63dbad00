/*
 * A terminal's screen as programs draw it: bytes go in, a grid of cells comes out. It speaks what
 * terminfo calls `linux` and `xterm-256color` (ECMA-48, DEC's VT220, xterm's additions), in UTF-8.
 * Pure logic without locks: the owner has one (screen.h), a host test or a fuzzer none.
 *
 * Rows and columns count from 0. Combining characters are dropped: a cell holds one code point.
 */
#ifndef KERNEL_CONSOLE_TERMINAL_H
#define KERNEL_CONSOLE_TERMINAL_H

#include "cell.h"

#include <lib/types.h>

#define TERMINAL_CELLS_MAX  65536
#define TERMINAL_SIDE_MAX   1024 /* rows or columns */
#define TERMINAL_PARAMETERS 24
#define TERMINAL_STRING     64
#define TERMINAL_PALETTE    256

/* What a terminal asks of its owner. All may be NULL. */
struct terminal_host {
	/* Bytes for the program, as if they had been typed. */
	void (*answer)(void *argument, const char *bytes, size_t len_bytes);
	/* A row leaves the main screen at the top. */
	void (*history)(void *argument, const struct cell *cells, unsigned columns);
	/* The rows that left are to be forgotten. */
	void (*forget)(void *argument);
	/* Memory for the alternate screen, asked for once a size; NULL: there is none, and then
	 * programs share one screen. It is the owner's to free. */
	void *(*memory)(void *argument, size_t len_bytes);
};

struct pen {
	colour_t foreground;
	colour_t background;
	unsigned attributes;
};

enum terminal_charset { CHARSET_ASCII, CHARSET_LINES, CHARSET_UK, CHARSET_CODEPAGE };

/* Modes as bits: set and reset by CSI h and l. */
enum terminal_mode {
	MODE_INSERT = 1 << 0,         /* IRM, 4 */
	MODE_NEWLINE = 1 << 1,        /* LNM, 20 */
	MODE_CURSOR_KEYS = 1 << 2,    /* DECCKM, ?1: ESC O A instead of ESC [ A */
	MODE_REVERSE_SCREEN = 1 << 3, /* DECSCNM, ?5 */
	MODE_ORIGIN = 1 << 4,         /* DECOM, ?6 */
	MODE_WRAP = 1 << 5,           /* DECAWM, ?7 */
	MODE_CURSOR_SHOWN = 1 << 6,   /* DECTCEM, ?25 */
	MODE_KEYPAD = 1 << 7,         /* DECKPAM, ESC = and ?66 */
	MODE_BRACKETED = 1 << 8,      /* ?2004 */
	MODE_FOCUS = 1 << 9,          /* ?1004 */
	MODE_MOUSE_PRESS = 1 << 10,   /* ?1000; remembered: there is no mouse */
	MODE_MOUSE_DRAG = 1 << 11,    /* ?1002 */
	MODE_MOUSE_MOVE = 1 << 12,    /* ?1003 */
	MODE_MOUSE_SGR = 1 << 13,     /* ?1006 */
	MODE_BLINKING = 1 << 14,      /* ?12 */
	MODE_REVERSE_WRAP = 1 << 15,  /* ?45 */
	MODE_ALTERNATE = 1 << 16,     /* ?47, ?1047, ?1049: the alternate screen is shown */
};

enum terminal_cursor { CURSOR_BLOCK, CURSOR_UNDERLINE, CURSOR_BAR };

/* The cursor and what goes with it when it is saved (DECSC). */
struct terminal_place {
	unsigned row;
	unsigned column;
	bool wrap_pending; /* the last column was written: the next character begins a row */
	bool origin;
	struct pen pen;
	enum terminal_charset charsets[2]; /* G0, G1 */
	unsigned shift;                    /* which of them is used */
	bool codepage; /* SGR 11: bytes below 32 are characters of code page 437 */
};

enum terminal_state {
	STATE_GROUND,
	STATE_ESCAPE,
	STATE_ESCAPE_MORE, /* after an intermediate byte */
	STATE_CSI,
	STATE_CSI_IGNORE,
	STATE_STRING, /* OSC: kept as far as it fits */
	STATE_STRING_IGNORE,
	STATE_PALETTE, /* ESC ] P: seven hexadecimal digits */
};

struct terminal {
	unsigned rows;    /* constant until terminal_resize() */
	unsigned columns; /* likewise */
	const struct terminal_host *host;
	void *host_argument;

	struct cell **lines; /* of the screen that is shown: [row][column] */
	struct cell **main_lines;
	struct cell **alternate_lines; /* NULL: not asked for yet, or no memory */
	bool alternate_refused;
	bool *dirty; /* by row: changed since the owner cleared it */

	struct terminal_place place;
	struct terminal_place saved[2]; /* of the main and of the alternate screen */
	unsigned top;                   /* scroll region, both inclusive */
	unsigned bottom;
	unsigned modes; /* enum terminal_mode */
	enum terminal_cursor cursor;
	uint64_t tabs[TERMINAL_SIDE_MAX / 64]; /* a bit a column */
	uint32_t palette[TERMINAL_PALETTE];    /* 0xrrggbb */
	uint32_t last_character;               /* for REP; 0: none */
	bool silent;                           /* the owner's: questions are not answered */

	enum terminal_state state;
	bool utf8;                                /* ESC % G and ESC % @ */
	uint8_t utf8_bytes[4];                    /* of a character that is on its way */
	unsigned utf8_count;                      /* how many of them there are */
	uint8_t private;                          /* '?', '>', '=' or 0 */
	uint8_t intermediate;                     /* the last one; 0: none */
	unsigned parameters[TERMINAL_PARAMETERS]; /* 0: not given */
	bool sub_parameter[TERMINAL_PARAMETERS];  /* it followed a colon */
	unsigned nparameters;                     /* at least 1 in a CSI sequence */
	uint8_t string[TERMINAL_STRING];
	unsigned string_count;
};

/* Memory that a terminal of that size needs for one screen; 0: too large, or no size at all. */
size_t terminal_memory_bytes(unsigned rows, unsigned columns);

/* As after power-on. `memory` of terminal_memory_bytes() is the owner's to free. */
void terminal_init(struct terminal *terminal, unsigned rows, unsigned columns, void *memory,
		   const struct terminal_host *host, void *argument);

/* Another size, in other memory: the lower left part of what is shown stays, so does the mode. The
 * old memory (and that of the old alternate screen) is not used any more afterwards. */
void terminal_resize(struct terminal *terminal, unsigned rows, unsigned columns, void *memory);

void terminal_feed(struct terminal *terminal, const void *bytes, size_t len_bytes);

/* Makes cells that came from outside what a terminal may hold: control characters become blanks,
 * halves of wide characters too, a wide character in one cell U+FFFD. */
void terminal_clean_cells(struct cell *cells, unsigned count);
/* Writes clean cells without moving the cursor, for those who do not speak escape sequences; a wide
 * character that is cut in half becomes blanks. The range lies within the row. */
void terminal_put_cells(struct terminal *terminal, unsigned row, unsigned column,
			const struct cell *cells, unsigned count);

/* Whether nothing half sent is on its way: then other bytes may come between. */
bool terminal_is_whole(const struct terminal *terminal);

/* Code page 437's character for a byte, as a code point. */
uint32_t codepage_character(uint8_t byte);

/* The palette as it is at power-on. */
void terminal_palette_reset(struct terminal *terminal);

#endif
