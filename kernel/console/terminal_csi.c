/*
 * Control sequences: CSI parameters final (ECMA-48 section 5.4; the private ones from DEC's VT510
 * manual and xterm's ctlseqs). What is not known does nothing.
 */
#include "terminal_priv.h"

#include <lib/string.h>

/* DEC's private modes that are bits and nothing more. */
static const struct {
	unsigned number;
	unsigned mode;
} private_modes[] = {
	{1, MODE_CURSOR_KEYS},    {5, MODE_REVERSE_SCREEN}, {6, MODE_ORIGIN},
	{7, MODE_WRAP},           {12, MODE_BLINKING},      {25, MODE_CURSOR_SHOWN},
	{45, MODE_REVERSE_WRAP},  {47, MODE_ALTERNATE},     {66, MODE_KEYPAD},
	{1000, MODE_MOUSE_PRESS}, {1002, MODE_MOUSE_DRAG},  {1003, MODE_MOUSE_MOVE},
	{1004, MODE_FOCUS},       {1006, MODE_MOUSE_SGR},   {1047, MODE_ALTERNATE},
	{1049, MODE_ALTERNATE},   {2004, MODE_BRACKETED},
};

static unsigned private_mode(unsigned number)
{
	for (size_t i = 0; i < ARRAY_SIZE(private_modes); i++) {
		if (private_modes[i].number == number)
			return private_modes[i].mode;
	}
	return 0;
}

static unsigned ansi_mode(unsigned number)
{
	if (number == 4)
		return MODE_INSERT;
	return number == 20 ? MODE_NEWLINE : 0;
}

/* Parameter `i`, counted from 0; not given or 0: `otherwise`. */
static unsigned parameter(const struct terminal *t, unsigned i, unsigned otherwise)
{
	return i < t->nparameters && t->parameters[i] ? t->parameters[i] : otherwise;
}

static unsigned count(const struct terminal *t)
{
	return parameter(t, 0, 1);
}

/* ---- modes ---- */

static void set_alternate(struct terminal *t, unsigned number, bool on)
{
	bool is_on = (t->modes & MODE_ALTERNATE) != 0;

	if (number == 1049 && on && !is_on)
		terminal_place_save(t);
	if (number == 1047 && !on && is_on)
		cells_erase_rows(t, 0, t->rows - 1);
	terminal_show_alternate(t, on);
	if (number == 1049 && on && !is_on)
		cells_erase_rows(t, 0, t->rows - 1);
	if (number == 1049 && !on && is_on)
		terminal_place_restore(t);
}

static void set_private_mode(struct terminal *t, unsigned number, bool on)
{
	unsigned mode = private_mode(number);

	if (number == 1048 && on)
		terminal_place_save(t);
	else if (number == 1048)
		terminal_place_restore(t);
	if (mode == MODE_ALTERNATE) {
		set_alternate(t, number, on);
		return;
	}
	t->modes = on ? t->modes | mode : t->modes & ~mode;
	if (mode == MODE_ORIGIN)
		cursor_address(t, 0, 0);
	if (mode == MODE_REVERSE_SCREEN)
		cells_dirty(t, 0, t->rows - 1);
	if (mode == MODE_WRAP && !on)
		t->place.wrap_pending = false;
}

static void set_modes(struct terminal *t, bool on)
{
	for (unsigned i = 0; i < t->nparameters; i++) {
		unsigned number = t->parameters[i];

		if (t->private == '?')
			set_private_mode(t, number, on);
		else if (on)
			t->modes |= ansi_mode(number);
		else
			t->modes &= ~ansi_mode(number);
	}
}

/* DECRQM: 1 set, 2 reset, 0 not known. */
static void report_mode(struct terminal *t)
{
	unsigned number = t->parameters[0];
	unsigned mode = t->private == '?' ? private_mode(number) : ansi_mode(number);
	unsigned state = 0;

	if (mode)
		state = t->modes & mode ? 1 : 2;
	terminal_answer(t, "\033[%s%u;%u$y", t->private == '?' ? "?" : "", number, state);
}

/* ---- erasing ---- */

static void erase_line(struct terminal *t)
{
	const struct terminal_place *place = &t->place;

	switch (t->parameters[0]) {
	case 0:
		cells_erase(t, place->row, place->column, t->columns - 1);
		break;
	case 1:
		cells_erase(t, place->row, 0, place->column);
		break;
	case 2:
		cells_erase(t, place->row, 0, t->columns - 1);
		break;
	default:
		return;
	}
	t->place.wrap_pending = false;
}

static void erase_display(struct terminal *t)
{
	unsigned row = t->place.row;

	switch (t->parameters[0]) {
	case 0:
		if (row + 1 < t->rows)
			cells_erase_rows(t, row + 1, t->rows - 1);
		erase_line(t);
		break;
	case 1:
		if (row > 0)
			cells_erase_rows(t, 0, row - 1);
		erase_line(t);
		break;
	case 2:
		cells_erase_rows(t, 0, t->rows - 1);
		t->place.wrap_pending = false;
		break;
	case 3:
		if (t->host->forget)
			t->host->forget(t->host_argument);
		break;
	default:
		break;
	}
}

static void erase_characters(struct terminal *t)
{
	unsigned n = MIN(count(t), t->columns - t->place.column);

	cells_erase(t, t->place.row, t->place.column, t->place.column + n - 1);
	t->place.wrap_pending = false;
}

/* ---- lines, regions ---- */

/* IL and DL: only with the cursor inside the region, and it goes to the row's start. */
static void shift_lines(struct terminal *t, bool insert)
{
	unsigned row = t->place.row;

	if (row < t->top || row > t->bottom)
		return;
	if (insert) {
		cells_scroll_down(t, row, t->bottom, count(t));
	} else {
		/* Rows that are deleted do not leave the screen at its top. */
		const struct terminal_host *host = t->host;
		static const struct terminal_host silent = {0};

		t->host = &silent;
		cells_scroll_up(t, row, t->bottom, count(t));
		t->host = host;
	}
	cursor_move(t, row, 0);
}

static void set_region(struct terminal *t)
{
	unsigned top = parameter(t, 0, 1) - 1;
	unsigned bottom = MIN(parameter(t, 1, t->rows), t->rows) - 1;

	if (top >= bottom)
		return;
	t->top = top;
	t->bottom = bottom;
	cursor_address(t, 0, 0);
}

static void repeat(struct terminal *t)
{
	/* More than a screenful gives the same screen. */
	unsigned n = MIN(count(t), t->rows * t->columns);

	while (t->last_character && n-- > 0)
		terminal_print(t, t->last_character);
}

/* ---- questions and settings ---- */

static void report_status(struct terminal *t)
{
	unsigned top = t->modes & MODE_ORIGIN ? t->top : 0;
	unsigned row = t->place.row - top + 1;
	const char *mark = t->private == '?' ? "?" : "";

	if (t->parameters[0] == 5)
		terminal_answer(t, "\033[%s0n", mark);
	else if (t->parameters[0] == 6)
		terminal_answer(t, "\033[%s%u;%uR", mark, row, t->place.column + 1);
}

/* What we are: a VT220 with colours. */
static void report_attributes(struct terminal *t)
{
	if (t->parameters[0])
		return;
	if (t->private == '>')
		terminal_answer(t, "\033[>1;10;0c");
	else if (!t->private)
		terminal_answer(t, "\033[?62;22c");
}

static void report_window(struct terminal *t)
{
	if (t->parameters[0] == 18)
		terminal_answer(t, "\033[8;%u;%ut", t->rows, t->columns);
}

static void cursor_style(struct terminal *t)
{
	static const enum terminal_cursor styles[] = {
		CURSOR_BLOCK,     CURSOR_BLOCK, CURSOR_BLOCK, CURSOR_UNDERLINE,
		CURSOR_UNDERLINE, CURSOR_BAR,   CURSOR_BAR};

	if (t->parameters[0] < ARRAY_SIZE(styles))
		t->cursor = styles[t->parameters[0]];
}

/* DECSTR: settings as at power-on, the screen as it is. */
static void soft_reset(struct terminal *t)
{
	struct terminal_place place = {.charsets = {CHARSET_ASCII, CHARSET_LINES}};

	t->modes =
		(t->modes & (MODE_ALTERNATE | MODE_REVERSE_SCREEN)) | MODE_WRAP | MODE_CURSOR_SHOWN;
	t->top = 0;
	t->bottom = t->rows - 1;
	t->saved[(t->modes & MODE_ALTERNATE) != 0] = place;
	place.row = t->place.row;
	place.column = t->place.column;
	t->place = place;
	t->cursor = CURSOR_BLOCK;
}

static void clear_tabs(struct terminal *t)
{
	if (t->parameters[0] == 0)
		tab_set(t, t->place.column, false);
	else if (t->parameters[0] == 3)
		memset(t->tabs, 0, sizeof(t->tabs));
}

/* ---- all of them ---- */

/* What only moves the cursor; false: it is something else. */
static bool move(struct terminal *t, uint8_t final)
{
	const struct terminal_place *place = &t->place;
	unsigned n = count(t);

	switch (final) {
	case 'A':
		cursor_up(t, n);
		return true;
	case 'B':
	case 'e':
		cursor_down(t, n);
		return true;
	case 'C':
	case 'a':
		cursor_move(t, place->row, place->column + n);
		return true;
	case 'D':
		cursor_left(t, n);
		return true;
	case 'E':
		cursor_down(t, n);
		t->place.column = 0;
		return true;
	case 'F':
		cursor_up(t, n);
		t->place.column = 0;
		return true;
	case 'G':
	case '`':
		cursor_move(t, place->row, n - 1);
		return true;
	case 'H':
	case 'f':
		cursor_address(t, n - 1, parameter(t, 1, 1) - 1);
		return true;
	case 'I':
		cursor_tab(t, n);
		return true;
	case 'Z':
		cursor_tab_back(t, n);
		return true;
	case 'd':
		cursor_address(t, n - 1, place->column);
		return true;
	default:
		return false;
	}
}

/* What changes cells; false: it is something else. */
static bool edit(struct terminal *t, uint8_t final)
{
	switch (final) {
	case '@':
		cells_insert(t, count(t));
		t->place.wrap_pending = false;
		return true;
	case 'J':
		erase_display(t);
		return true;
	case 'K':
		erase_line(t);
		return true;
	case 'L':
	case 'M':
		shift_lines(t, final == 'L');
		return true;
	case 'P':
		cells_delete(t, count(t));
		t->place.wrap_pending = false;
		return true;
	case 'S':
		cells_scroll_up(t, t->top, t->bottom, count(t));
		return true;
	case 'T':
		cells_scroll_down(t, t->top, t->bottom, count(t));
		return true;
	case 'X':
		erase_characters(t);
		return true;
	case 'b':
		repeat(t);
		return true;
	default:
		return false;
	}
}

static void set_or_ask(struct terminal *t, uint8_t final)
{
	switch (final) {
	case 'c':
		report_attributes(t);
		break;
	case 'g':
		clear_tabs(t);
		break;
	case 'm':
		colour_execute(t);
		break;
	case 'n':
		report_status(t);
		break;
	case 'r':
		set_region(t);
		break;
	case 's':
		terminal_place_save(t);
		break;
	case 't':
		report_window(t);
		break;
	case 'u':
		terminal_place_restore(t);
		break;
	default:
		break;
	}
}

void csi_execute(struct terminal *t, uint8_t final)
{
	if (t->intermediate == ' ' && final == 'q') {
		cursor_style(t);
	} else if (t->intermediate == '!' && final == 'p') {
		soft_reset(t);
	} else if (t->intermediate == '$' && final == 'p') {
		report_mode(t);
	} else if (t->intermediate) {
		return;
	} else if (final == 'h' || final == 'l') {
		set_modes(t, final == 'h');
	} else if (t->private == '?' && (final == 'J' || final == 'K')) {
		(void)edit(t, final); /* nothing is ever protected from erasing */
	} else if (final == 'n' || final == 'c') {
		set_or_ask(t, final);
	} else if (!t->private && !move(t, final) && !edit(t, final)) {
		set_or_ask(t, final);
	}
}
