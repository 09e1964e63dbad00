/*
 * The line editor: a state machine that is fed one byte at a time and writes to the terminal
 * through its host. It holds the text, the cursor, the kill buffer and where it is in the history.
 *
 * Invariant: cursor and len lie on character boundaries of text (lib/utf8.h), text ends with a NUL
 * at len. What the screen shows is described by struct line_screen alone, so a redraw needs nothing
 * else.
 */
#ifndef KSH_LINE_H
#define KSH_LINE_H

#include <lib/types.h>

#include "history.h"
#include "keys.h"

#define LINE_BYTES_MAX  1024 /* of text, with the NUL */
#define PROMPT_BYTES    256
#define QUERY_BYTES_MAX 64

enum line_event {
	LINE_EDITING,
	LINE_ENTERED,     /* text holds the line */
	LINE_ABANDONED,   /* Ctrl-C */
	LINE_END_OF_FILE, /* Ctrl-D on an empty line */
};

struct line;

struct line_host {
	void *argument;
	void (*write)(void *argument, const char *text, size_t len);
	void (*window)(void *argument, unsigned *rows, unsigned *columns);
	/* Tab was pressed; `again`: for the second time in a row. Calls line_insert(), line_list()
	 * and the like. */
	void (*complete)(void *argument, struct line *line, bool again);
};

/* What the terminal shows of the line. */
struct line_screen {
	unsigned rows; /* of the window at the last draw */
	unsigned columns;
	unsigned cursor_row; /* below the first row drawn */
	bool one_row; /* nothing has wrapped: the last draw began with "\r" and has no other */
	bool drawn;
};

struct line {
	struct line_host host;
	struct history *history;
	struct key_decoder keys;
	struct line_screen screen;

	char prompt[PROMPT_BYTES]; /* may hold colour sequences */
	char text[LINE_BYTES_MAX];
	size_t len;
	size_t cursor;

	char killed[LINE_BYTES_MAX];
	bool kill_joins; /* the last key killed too: the next kill adds to it */

	size_t shown_history; /* which line is shown; history->count: the one being written */
	char written[LINE_BYTES_MAX]; /* it, while another one is shown */

	bool searching;
	bool search_failed;
	char query[QUERY_BYTES_MAX];
	size_t query_len;
	size_t found; /* history line that the search shows */

	bool after_tab;
};

void line_init(struct line *line, const struct line_host *host, struct history *history);

/* Begins a new line and draws the prompt. */
void line_start(struct line *line, const char *prompt);

/* One byte from the terminal. After LINE_ENTERED and LINE_ABANDONED the terminal's cursor is at the
 * start of a fresh row. The history is the caller's to add to. */
enum line_event line_feed(struct line *line, unsigned char byte);

/* The window may have another size now. */
void line_resized(struct line *line);

/* ---- for the host's completion ---- */

/* Replaces text[start, cursor) by `with`; false: no room, nothing changed. */
bool line_replace(struct line *line, size_t start, const char *with);
/* Shows `items` below the line, in columns, then the line again. `nmore`: how many were left out.
 */
void line_list(struct line *line, const char *const *items, size_t nitems, size_t nmore);
void line_beep(struct line *line);

/* ---- between line.c and line_draw.c ---- */

void line_draw(struct line *line);
/* The character just put at the end of the text: true if that was all that had to be drawn. */
bool line_draw_appended(struct line *line, const char *bytes, size_t nbytes);
/* Leaves the cursor at the start of the row below the line. */
void line_draw_finish(struct line *line, const char *mark);

#endif
