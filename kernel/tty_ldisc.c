/*
 * The line discipline's logic (see the header): input with editing and echo, output processing,
 * and the queue between the device and the reader. The caller's lock protects all of it.
 *
 * In raw mode everything is committed as it comes; so a reader looks at head and committed alone,
 * whatever the mode.
 */
#include "tty_ldisc.h"

#include <abi/signal.h>
#include <lib/string.h>

#define PLACE(position) ((position) & (LDISC_INPUT_BYTES - 1))
#define TAB_COLUMNS     8
#define MARK            0xff /* PARMRK: what follows was bad; twice: it was this byte */

enum erase { ERASE_CHARACTER, ERASE_WORD, ERASE_LINE };

static bool is_control(uint8_t character)
{
	return character < 0x20 || character == 0x7f;
}

/* The second and later bytes of a UTF-8 character. */
static bool is_continuation(const struct ldisc *ldisc, uint8_t character)
{
	return (ldisc->termios.c_iflag & IUTF8) && (character & 0xc0) == 0x80;
}

static bool is_word(uint8_t character)
{
	return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
	       (character >= 'A' && character <= 'Z') || character == '_' || character >= 0x80;
}

static bool local(const struct ldisc *ldisc, unsigned flags)
{
	return (ldisc->termios.c_lflag & flags) == flags;
}

/* True if `character` is the one that the settings have for `which`; 0 means "none". */
static bool is_special(const struct ldisc *ldisc, unsigned which, uint8_t character)
{
	return character != 0 && character == ldisc->termios.c_cc[which];
}

/* ---- output ---- */

/* What becomes of one character on its way to the device: up to TAB_COLUMNS bytes at `to`, which
 * has room for them. Keeps the column. */
static size_t output_character(struct ldisc *ldisc, uint8_t character, uint8_t *to)
{
	unsigned flags = ldisc->termios.c_oflag;
	size_t nspaces;

	to[0] = character;
	if (!(flags & OPOST))
		return 1;
	switch (character) {
	case '\n':
		if (flags & (ONLCR | ONLRET))
			ldisc->column = 0;
		if (!(flags & ONLCR))
			return 1;
		to[0] = '\r';
		to[1] = '\n';
		return 2;
	case '\r':
		if ((flags & ONOCR) && ldisc->column == 0)
			return 0;
		if (flags & OCRNL) {
			to[0] = '\n';
			if (flags & ONLRET)
				ldisc->column = 0;
			return 1;
		}
		ldisc->column = 0;
		return 1;
	case '\t':
		nspaces = TAB_COLUMNS - ldisc->column % TAB_COLUMNS;
		ldisc->column += (uint32_t)nspaces;
		if ((flags & TABDLY) != XTABS)
			return 1;
		memset(to, ' ', nspaces);
		return nspaces;
	case '\b':
		if (ldisc->column > 0)
			ldisc->column--;
		return 1;
	default:
		if (!is_control(character) && !is_continuation(ldisc, character))
			ldisc->column++;
		return 1;
	}
}

size_t ldisc_output(struct ldisc *ldisc, const uint8_t *from, size_t len_bytes, uint8_t *to,
		    size_t room_bytes, size_t *taken)
{
	size_t made = 0;
	size_t i;

	if (!(ldisc->termios.c_oflag & OPOST)) {
		*taken = MIN(len_bytes, room_bytes);
		memcpy(to, from, *taken);
		return *taken;
	}
	for (i = 0; i < len_bytes && room_bytes - made >= TAB_COLUMNS; i++)
		made += output_character(ldisc, from[i], to + made);
	*taken = i;
	return made;
}

/* ---- echo ---- */

static size_t echo_room(const struct ldisc_echo *echo)
{
	return echo->room_bytes - echo->len_bytes;
}

static void echo_raw(struct ldisc *ldisc, struct ldisc_echo *echo, uint8_t character)
{
	uint8_t processed[TAB_COLUMNS];
	size_t len_bytes = output_character(ldisc, character, processed);

	if (len_bytes > echo_room(echo))
		return;
	memcpy(echo->to + echo->len_bytes, processed, len_bytes);
	echo->len_bytes += len_bytes;
}

static bool echoed_as_two(const struct ldisc *ldisc, uint8_t character)
{
	return local(ldisc, ECHOCTL) && is_control(character) && character != '\t';
}

/* A control character as ^X. */
static void echo_character(struct ldisc *ldisc, struct ldisc_echo *echo, uint8_t character)
{
	if (echoed_as_two(ldisc, character)) {
		echo_raw(ldisc, echo, '^');
		character ^= 0x40;
	}
	echo_raw(ldisc, echo, character);
}

static void echo_backspaces(struct ldisc *ldisc, struct ldisc_echo *echo, uint32_t ncolumns)
{
	while (ncolumns-- > 0) {
		echo_raw(ldisc, echo, '\b');
		echo_raw(ldisc, echo, ' ');
		echo_raw(ldisc, echo, '\b');
	}
}

/* ---- the queue ---- */

static void mark_line_end(struct ldisc *ldisc, uint32_t position, bool end)
{
	uint64_t bit = UINT64_C(1) << (PLACE(position) % 64);

	if (end)
		ldisc->line_end[PLACE(position) / 64] |= bit;
	else
		ldisc->line_end[PLACE(position) / 64] &= ~bit;
}

static bool is_line_end(const struct ldisc *ldisc, uint32_t position)
{
	return (ldisc->line_end[PLACE(position) / 64] >> (PLACE(position) % 64)) & 1;
}

/* The place of a VEOF: the only end of a line with a 0 in it, but for a line that was none when it
 * was typed. */
static bool is_eof_mark(const struct ldisc *ldisc, uint32_t position)
{
	return is_line_end(ldisc, position) && ldisc->input[PLACE(position)] == 0 &&
	       position + 1 != ldisc->pushed;
}

static size_t room(const struct ldisc *ldisc)
{
	return LDISC_INPUT_BYTES - (ldisc->tail - ldisc->head);
}

static void put(struct ldisc *ldisc, uint8_t character, bool ends_line)
{
	ldisc->input[PLACE(ldisc->tail)] = character;
	mark_line_end(ldisc, ldisc->tail, ends_line);
	ldisc->tail++;
	if (ends_line || !ldisc_canonical(ldisc))
		ldisc->committed = ldisc->tail;
}

/* The end of a line always has a place: ordinary characters leave the last one free. */
static struct ldisc_result put_line_end(struct ldisc *ldisc, uint8_t character)
{
	if (room(ldisc) == 0)
		return (struct ldisc_result){0};
	put(ldisc, character, true);
	return (struct ldisc_result){.events = LDISC_READABLE};
}

static struct ldisc_result put_ordinary(struct ldisc *ldisc, uint8_t character,
					struct ldisc_echo *echo)
{
	bool canonical = ldisc_canonical(ldisc);

	if (room(ldisc) <= (canonical ? 1 : 0)) {
		if (ldisc->termios.c_iflag & IMAXBEL)
			echo_raw(ldisc, echo, '\a');
		return (struct ldisc_result){0};
	}
	if (ldisc->tail == ldisc->committed)
		ldisc->line_column = ldisc->column;
	if (local(ldisc, ECHO)) {
		if (character == '\n')
			echo_raw(ldisc, echo, character);
		else
			echo_character(ldisc, echo, character);
	}
	put(ldisc, character, false);
	return (struct ldisc_result){.events = canonical ? 0 : LDISC_READABLE};
}

/* ---- editing ---- */

/* Columns that the line's characters up to `end` take on the screen. */
static uint32_t line_width(const struct ldisc *ldisc, uint32_t end)
{
	uint32_t column = ldisc->line_column;

	for (uint32_t i = ldisc->committed; i != end; i++) {
		uint8_t character = ldisc->input[PLACE(i)];

		if (character == '\t')
			column += TAB_COLUMNS - column % TAB_COLUMNS;
		else if (echoed_as_two(ldisc, character))
			column += 2;
		else if (!is_control(character) && !is_continuation(ldisc, character))
			column++;
	}
	return column - ldisc->line_column;
}

/* Where the last character of the line begins. */
static uint32_t last_character(const struct ldisc *ldisc)
{
	uint32_t position = ldisc->tail - 1;

	while (position != ldisc->committed &&
	       is_continuation(ldisc, ldisc->input[PLACE(position)]))
		position--;
	return position;
}

static uint32_t erase_start(const struct ldisc *ldisc, enum erase what)
{
	uint32_t position = ldisc->tail;
	bool seen_word = false;

	if (what == ERASE_LINE)
		return ldisc->committed;
	if (what == ERASE_CHARACTER)
		return last_character(ldisc);
	while (position != ldisc->committed) {
		bool word = is_word(ldisc->input[PLACE(position - 1)]);

		if (seen_word && !word)
			break;
		seen_word = seen_word || word;
		position--;
	}
	return position;
}

static void erase(struct ldisc *ldisc, enum erase what, uint8_t character, struct ldisc_echo *echo)
{
	uint32_t ncolumns;
	uint32_t start;
	bool visible;

	if (ldisc->tail == ldisc->committed)
		return;
	start = erase_start(ldisc, what);
	ncolumns = line_width(ldisc, ldisc->tail) - line_width(ldisc, start);
	ldisc->tail = start;
	if (!local(ldisc, ECHO))
		return;

	visible = local(ldisc, ECHOE) && (what != ERASE_LINE || local(ldisc, ECHOK | ECHOKE));
	if (visible && ncolumns * 3 <= echo_room(echo)) {
		echo_backspaces(ldisc, echo, ncolumns);
		return;
	}
	echo_character(ldisc, echo, character);
	if (what == ERASE_LINE && local(ldisc, ECHOK))
		echo_raw(ldisc, echo, '\n');
}

/* Shows the line once more, below. */
static void reprint(struct ldisc *ldisc, uint8_t character, struct ldisc_echo *echo)
{
	echo_character(ldisc, echo, character);
	echo_raw(ldisc, echo, '\n');
	ldisc->line_column = ldisc->column;
	for (uint32_t i = ldisc->committed; i != ldisc->tail; i++)
		echo_character(ldisc, echo, ldisc->input[PLACE(i)]);
}

/* ---- input ---- */

static int signal_of(const struct ldisc *ldisc, uint8_t character)
{
	if (!local(ldisc, ISIG))
		return 0;
	if (is_special(ldisc, VINTR, character))
		return SIGINT;
	if (is_special(ldisc, VQUIT, character))
		return SIGQUIT;
	if (is_special(ldisc, VSUSP, character))
		return SIGTSTP;
	return 0;
}

static struct ldisc_result input_signal(struct ldisc *ldisc, uint8_t character, int signal,
					struct ldisc_echo *echo)
{
	struct ldisc_result result = {.signal = signal};

	if (ldisc->termios.c_iflag & IXON)
		result.events = LDISC_GO;
	if (!local(ldisc, NOFLSH)) {
		ldisc_flush_input(ldisc);
		result.events |= LDISC_FLUSHED;
	}
	if (local(ldisc, ECHO))
		echo_character(ldisc, echo, character);
	return result;
}

/* What canonical mode makes of a character. */
static struct ldisc_result input_canonical(struct ldisc *ldisc, uint8_t character,
					   struct ldisc_echo *echo)
{
	bool extended = local(ldisc, IEXTEN);

	if (is_special(ldisc, VERASE, character)) {
		erase(ldisc, ERASE_CHARACTER, character, echo);
	} else if (extended && is_special(ldisc, VWERASE, character)) {
		erase(ldisc, ERASE_WORD, character, echo);
	} else if (is_special(ldisc, VKILL, character)) {
		erase(ldisc, ERASE_LINE, character, echo);
	} else if (extended && is_special(ldisc, VLNEXT, character)) {
		ldisc->literal = true;
		if (local(ldisc, ECHO | ECHOCTL)) {
			echo_raw(ldisc, echo, '^');
			echo_raw(ldisc, echo, '\b');
		}
	} else if (extended && local(ldisc, ECHO) && is_special(ldisc, VREPRINT, character)) {
		reprint(ldisc, character, echo);
	} else if (is_special(ldisc, VEOF, character)) {
		return put_line_end(ldisc, 0);
	} else if (character == '\n') {
		if (local(ldisc, ECHO) || local(ldisc, ECHONL))
			echo_raw(ldisc, echo, character);
		return put_line_end(ldisc, character);
	} else if (is_special(ldisc, VEOL, character) ||
		   (extended && is_special(ldisc, VEOL2, character))) {
		if (local(ldisc, ECHO))
			echo_character(ldisc, echo, character);
		return put_line_end(ldisc, character);
	} else {
		return put_ordinary(ldisc, character, echo);
	}
	return (struct ldisc_result){0};
}

/* Bytes that mean nothing special. All of them or, where there is no room, none. */
static struct ldisc_result put_marked(struct ldisc *ldisc, const uint8_t *bytes, size_t len_bytes)
{
	bool canonical = ldisc_canonical(ldisc);

	if (room(ldisc) < len_bytes + (canonical ? 1 : 0))
		return (struct ldisc_result){0};
	for (size_t i = 0; i < len_bytes; i++)
		put(ldisc, bytes[i], false);
	return (struct ldisc_result){.events = canonical ? 0 : LDISC_READABLE};
}

struct ldisc_result ldisc_input(struct ldisc *ldisc, uint8_t character, bool stopped,
				struct ldisc_echo *echo)
{
	unsigned flags = ldisc->termios.c_iflag;
	struct ldisc_result result;
	int signal;

	if (flags & ISTRIP)
		character &= 0x7f;
	else if ((flags & PARMRK) && character == MARK)
		return put_marked(ldisc, (const uint8_t[]){MARK, MARK}, 2);
	if (ldisc->literal) {
		ldisc->literal = false;
		return put_ordinary(ldisc, character, echo);
	}
	if (flags & IXON) {
		if (is_special(ldisc, VSTART, character))
			return (struct ldisc_result){.events = LDISC_GO};
		if (is_special(ldisc, VSTOP, character))
			return (struct ldisc_result){.events = LDISC_STOP};
	}
	signal = signal_of(ldisc, character);
	if (signal)
		return input_signal(ldisc, character, signal, echo);

	if (character == '\r') {
		if (flags & IGNCR)
			return (struct ldisc_result){0};
		if (flags & ICRNL)
			character = '\n';
	} else if (character == '\n' && (flags & INLCR)) {
		character = '\r';
	}
	if (ldisc_canonical(ldisc))
		result = input_canonical(ldisc, character, echo);
	else
		result = put_ordinary(ldisc, character, echo);
	if (stopped && (flags & (IXON | IXANY)) == (IXON | IXANY))
		result.events |= LDISC_GO;
	return result;
}

struct ldisc_result ldisc_input_condition(struct ldisc *ldisc, uint8_t character,
					  enum ldisc_condition condition, bool stopped,
					  struct ldisc_echo *echo)
{
	unsigned flags = ldisc->termios.c_iflag;
	bool is_break = condition == LDISC_BREAK;
	uint8_t marked[] = {MARK, 0, is_break ? 0 : character};

	if (condition == LDISC_FINE || (condition == LDISC_BAD_BYTE && !(flags & INPCK)))
		return ldisc_input(ldisc, character, stopped, echo);
	if (flags & (is_break ? IGNBRK : IGNPAR))
		return (struct ldisc_result){0};
	if (is_break && (flags & BRKINT)) {
		ldisc_flush_input(ldisc);
		return (struct ldisc_result){.signal = SIGINT, .events = LDISC_GO | LDISC_FLUSHED};
	}
	if (flags & PARMRK)
		return put_marked(ldisc, marked, sizeof(marked));
	return put_marked(ldisc, marked + 1, 1);
}

/* ---- reading ---- */

bool ldisc_has_room(const struct ldisc *ldisc)
{
	if (ldisc_canonical(ldisc))
		return room(ldisc) > 1 || !ldisc_readable(ldisc);
	return room(ldisc) > 0;
}

bool ldisc_readable(const struct ldisc *ldisc)
{
	return ldisc->committed != ldisc->head;
}

size_t ldisc_count(const struct ldisc *ldisc)
{
	size_t count = ldisc->committed - ldisc->head;

	if (!ldisc_canonical(ldisc))
		return count;
	for (uint32_t i = ldisc->head; i != ldisc->committed; i++)
		count -= is_eof_mark(ldisc, i);
	return count;
}

static size_t read_line(struct ldisc *ldisc, uint8_t *to, size_t max_bytes, bool *line_done)
{
	size_t n = 0;

	while (ldisc->head != ldisc->committed && !*line_done) {
		/* Also looked at when `to` is full: a VEOF right behind the last byte belongs to
		 * this read, or the next one would find an end of file that nobody typed. */
		if (is_eof_mark(ldisc, ldisc->head)) {
			ldisc->head++;
			*line_done = true;
			break;
		}
		if (n == max_bytes)
			break;
		*line_done = is_line_end(ldisc, ldisc->head);
		to[n++] = ldisc->input[PLACE(ldisc->head)];
		ldisc->head++;
	}
	return n;
}

size_t ldisc_read(struct ldisc *ldisc, uint8_t *to, size_t max_bytes, bool *line_done)
{
	size_t n;

	*line_done = false;
	if (max_bytes == 0)
		return 0;
	if (ldisc_canonical(ldisc))
		return read_line(ldisc, to, max_bytes, line_done);
	n = MIN(max_bytes, (size_t)(ldisc->committed - ldisc->head));
	for (size_t i = 0; i < n; i++)
		to[i] = ldisc->input[PLACE(ldisc->head + (uint32_t)i)];
	ldisc->head += (uint32_t)n;
	return n;
}

/* ---- settings ---- */

void ldisc_flush_input(struct ldisc *ldisc)
{
	ldisc->head = ldisc->tail;
	ldisc->committed = ldisc->tail;
	ldisc->literal = false;
}

size_t ldisc_take_raw(struct ldisc *ldisc, uint8_t *to)
{
	uint32_t from = ldisc->raw_from;
	size_t n;

	if (ldisc_canonical(ldisc))
		return 0;
	if (ldisc->tail - from > ldisc->tail - ldisc->head)
		from = ldisc->head; /* some of it was read */
	n = ldisc->tail - from;
	for (size_t i = 0; i < n; i++)
		to[i] = ldisc->input[PLACE(from + (uint32_t)i)];
	ldisc->tail = from;
	ldisc->committed = from;
	return n;
}

void ldisc_set_termios(struct ldisc *ldisc, const struct abi_termios *termios)
{
	bool was_canonical = ldisc_canonical(ldisc);

	ldisc->termios = *termios;
	if (was_canonical == ldisc_canonical(ldisc))
		return;

	/* What was typed before the change can be read: raw, as it is; canonical, as one line. */
	memset(ldisc->line_end, 0, sizeof(ldisc->line_end));
	ldisc->committed = ldisc->tail;
	ldisc->literal = false;
	ldisc->pushed = 0;
	if (was_canonical) {
		ldisc->raw_from = ldisc->tail;
	} else if (ldisc->tail != ldisc->head) {
		mark_line_end(ldisc, ldisc->tail - 1, true);
		ldisc->pushed = ldisc->tail;
	}
}

void ldisc_init(struct ldisc *ldisc)
{
	*ldisc = (struct ldisc){
		.termios =
			{
				.c_iflag = ICRNL | IXON | IUTF8,
				.c_oflag = OPOST | ONLCR,
				.c_cflag = B115200 | CS8 | CREAD | HUPCL,
				.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE |
					   IEXTEN,
				.c_cc =
					{
						[VINTR] = 'C' & 0x1f,
						[VQUIT] = '\\' & 0x1f,
						[VERASE] = 0x7f,
						[VKILL] = 'U' & 0x1f,
						[VEOF] = 'D' & 0x1f,
						[VMIN] = 1,
						[VSTART] = 'Q' & 0x1f,
						[VSTOP] = 'S' & 0x1f,
						[VSUSP] = 'Z' & 0x1f,
						[VREPRINT] = 'R' & 0x1f,
						[VDISCARD] = 'O' & 0x1f,
						[VWERASE] = 'W' & 0x1f,
						[VLNEXT] = 'V' & 0x1f,
					},
			},
	};
}
