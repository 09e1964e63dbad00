/*
 * What the keys do to the line. One function for each group of keys; line_key() is the map. Drawing
 * is line_draw.c's. Pure but for the host's functions.
 */
#include "line.h"

#include <lib/string.h>

#include <lib/utf8.h>

void line_init(struct line *line, const struct line_host *host, struct history *history)
{
	*line = (struct line){.host = *host, .history = history};
	keys_init(&line->keys);
}

static void reset_text(struct line *line, const char *text)
{
	string_copy(line->text, sizeof(line->text), text);
	line->len = strlen(line->text);
	line->cursor = line->len;
}

void line_start(struct line *line, const char *prompt)
{
	string_copy(line->prompt, sizeof(line->prompt), prompt);
	reset_text(line, "");
	line->written[0] = '\0';
	line->shown_history = line->history->count;
	line->searching = false;
	line->kill_joins = false;
	line->after_tab = false;
	line->screen.drawn = false;
	line->screen.cursor_row = 0;
	line_draw(line);
}

void line_resized(struct line *line)
{
	line_draw(line);
}

/* ---- text ---- */

static bool insert(struct line *line, const char *bytes, size_t nbytes)
{
	if (line->len + nbytes >= sizeof(line->text))
		return false;
	memmove(line->text + line->cursor + nbytes, line->text + line->cursor,
		line->len - line->cursor + 1);
	memcpy(line->text + line->cursor, bytes, nbytes);
	line->len += nbytes;
	line->cursor += nbytes;
	return true;
}

static void remove_range(struct line *line, size_t start, size_t end)
{
	memmove(line->text + start, line->text + end, line->len - end + 1);
	line->len -= end - start;
	line->cursor = start;
}

bool line_replace(struct line *line, size_t start, const char *with)
{
	size_t nbytes = strlen(with);

	if (line->len - (line->cursor - start) + nbytes >= sizeof(line->text))
		return false;
	remove_range(line, start, line->cursor);
	return insert(line, with, nbytes);
}

static void type_text(struct line *line, const struct key *key)
{
	bool at_end = line->cursor == line->len;

	if (!insert(line, key->bytes, key->nbytes)) {
		line_beep(line);
		return;
	}
	if (!at_end || !line_draw_appended(line, key->bytes, key->nbytes))
		line_draw(line);
}

/* ---- killing: what is removed can be yanked back ---- */

/* `forward`: the text lay behind the cursor, so it goes behind what was killed just before. */
static void kill(struct line *line, size_t start, size_t end, bool forward)
{
	size_t nbytes = end - start;
	size_t before = line->kill_joins ? strlen(line->killed) : 0;

	if (before + nbytes >= sizeof(line->killed))
		before = 0;
	if (forward) {
		memcpy(line->killed + before, line->text + start, nbytes);
	} else {
		memmove(line->killed + nbytes, line->killed, before);
		memcpy(line->killed, line->text + start, nbytes);
	}
	line->killed[before + nbytes] = '\0';
	remove_range(line, start, end);
}

static bool is_blank(char character)
{
	return character == ' ' || character == '\t';
}

static bool is_word(char character)
{
	unsigned char byte = (unsigned char)character;

	return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= 'a' && byte <= 'z');
}

/* Ctrl-W's word ends at blanks, Alt's words are letters and digits. */
static size_t blank_word_start(const struct line *line)
{
	size_t at = line->cursor;

	while (at > 0 && is_blank(line->text[at - 1]))
		at--;
	while (at > 0 && !is_blank(line->text[at - 1]))
		at--;
	return at;
}

static size_t word_left(const struct line *line)
{
	size_t at = line->cursor;

	while (at > 0 && !is_word(line->text[at - 1]))
		at--;
	while (at > 0 && is_word(line->text[at - 1]))
		at--;
	return at;
}

static size_t word_right(const struct line *line)
{
	size_t at = line->cursor;

	while (at < line->len && !is_word(line->text[at]))
		at++;
	while (at < line->len && is_word(line->text[at]))
		at++;
	return at;
}

static bool kill_key(struct line *line, enum key_kind kind)
{
	switch (kind) {
	case KEY_KILL_TO_END:
		kill(line, line->cursor, line->len, true);
		return true;
	case KEY_KILL_TO_START:
		kill(line, 0, line->cursor, false);
		return true;
	case KEY_KILL_WORD_LEFT:
		kill(line, blank_word_start(line), line->cursor, false);
		return true;
	case KEY_KILL_WORD_RIGHT:
		kill(line, line->cursor, word_right(line), true);
		return true;
	default:
		return false;
	}
}

/* ---- single characters ---- */

static void swap_characters(struct line *line)
{
	size_t right_end = utf8_next(line->text, line->len, line->cursor);
	size_t middle, left;
	char swapped[LINE_BYTES_MAX];
	size_t nleft, nright;

	if (line->cursor == line->len) /* at the end: the two before the cursor */
		right_end = line->len;
	middle = line->cursor == line->len ? utf8_previous(line->text, line->len) : line->cursor;
	if (middle == 0)
		return;
	left = utf8_previous(line->text, middle);
	nleft = middle - left;
	nright = right_end - middle;
	memcpy(swapped, line->text + middle, nright);
	memcpy(swapped + nright, line->text + left, nleft);
	memcpy(line->text + left, swapped, nleft + nright);
	line->cursor = right_end;
}

static void delete_forward(struct line *line)
{
	if (line->cursor < line->len)
		remove_range(line, line->cursor, utf8_next(line->text, line->len, line->cursor));
}

static bool edit_key(struct line *line, enum key_kind kind)
{
	switch (kind) {
	case KEY_BACKSPACE:
		remove_range(line, utf8_previous(line->text, line->cursor), line->cursor);
		return true;
	case KEY_DELETE:
	case KEY_END_OF_FILE:
		delete_forward(line);
		return true;
	case KEY_SWAP:
		swap_characters(line);
		return true;
	case KEY_YANK:
		if (!insert(line, line->killed, strlen(line->killed)))
			line_beep(line);
		return true;
	default:
		return false;
	}
}

static bool move_key(struct line *line, enum key_kind kind)
{
	switch (kind) {
	case KEY_LEFT:
		line->cursor = utf8_previous(line->text, line->cursor);
		return true;
	case KEY_RIGHT:
		line->cursor = utf8_next(line->text, line->len, line->cursor);
		return true;
	case KEY_HOME:
		line->cursor = 0;
		return true;
	case KEY_END:
		line->cursor = line->len;
		return true;
	case KEY_WORD_LEFT:
		line->cursor = word_left(line);
		return true;
	case KEY_WORD_RIGHT:
		line->cursor = word_right(line);
		return true;
	default:
		return false;
	}
}

/* ---- history ---- */

static void show_history(struct line *line, size_t number)
{
	const char *text = history_line(line->history, number);

	if (line->shown_history == line->history->count)
		string_copy(line->written, sizeof(line->written), line->text);
	line->shown_history = number;
	reset_text(line, text ? text : line->written);
}

static bool history_key(struct line *line, enum key_kind kind)
{
	if (kind == KEY_UP) {
		if (line->shown_history > 0)
			show_history(line, line->shown_history - 1);
		return true;
	}
	if (kind == KEY_DOWN) {
		if (line->shown_history < line->history->count)
			show_history(line, line->shown_history + 1);
		return true;
	}
	return false;
}

/* ---- searching the history ---- */

static void search_from(struct line *line, size_t before)
{
	size_t number = history_find(line->history, before, line->query);

	line->search_failed = number == SIZE_MAX;
	if (!line->search_failed)
		line->found = number;
}

static void search_start(struct line *line)
{
	line->searching = true;
	line->search_failed = false;
	line->query[0] = '\0';
	line->query_len = 0;
	line->found = line->history->count; /* shows the line itself until something is typed */
}

/* Ends the search with the found line in place of the text. */
static void search_accept(struct line *line)
{
	const char *match = history_line(line->history, line->found);
	const char *hit = match ? strstr(match, line->query) : NULL;

	line->searching = false;
	if (!match)
		return;
	show_history(line, line->found);
	if (hit)
		line->cursor = (size_t)(hit - match);
}

/* True: the key belonged to the search. False: the search is over, the key means what it always
 * does. */
static bool search_key(struct line *line, const struct key *key)
{
	switch (key->kind) {
	case KEY_NONE:
		return true;
	case KEY_TEXT:
		if (line->query_len + key->nbytes < sizeof(line->query)) {
			memcpy(line->query + line->query_len, key->bytes, key->nbytes);
			line->query_len += key->nbytes;
			line->query[line->query_len] = '\0';
		}
		search_from(line, MIN(line->found + 1, line->history->count));
		break;
	case KEY_BACKSPACE:
		line->query_len = utf8_previous(line->query, line->query_len);
		line->query[line->query_len] = '\0';
		line->found = line->history->count;
		if (line->query_len)
			search_from(line, line->history->count);
		break;
	case KEY_SEARCH:
		if (line->query_len)
			search_from(line, line->found);
		break;
	case KEY_CANCEL:
	case KEY_INTERRUPT:
		line->searching = false;
		break;
	default:
		search_accept(line);
		line_draw(line);
		return false;
	}
	line_draw(line);
	return true;
}

/* ---- the map ---- */

static enum line_event finish(struct line *line, const char *mark, enum line_event event)
{
	line_draw_finish(line, mark);
	return event;
}

static void clear_screen(struct line *line)
{
	static const char sequence[] = "\033[H\033[2J";

	line->host.write(line->host.argument, sequence, sizeof(sequence) - 1);
	line->screen.drawn = false;
	line->screen.cursor_row = 0;
}

static enum line_event line_key(struct line *line, const struct key *key)
{
	bool after_tab = line->after_tab;
	bool killed;

	if (line->searching && search_key(line, key))
		return LINE_EDITING;
	if (key->kind == KEY_NONE)
		return LINE_EDITING;
	line->after_tab = key->kind == KEY_TAB;
	switch (key->kind) {
	case KEY_TEXT:
		line->kill_joins = false;
		type_text(line, key);
		return LINE_EDITING;
	case KEY_ENTER:
		return finish(line, "", LINE_ENTERED);
	case KEY_INTERRUPT:
		return finish(line, "^C", LINE_ABANDONED);
	case KEY_TAB:
		line->kill_joins = false;
		line->host.complete(line->host.argument, line, after_tab);
		return LINE_EDITING;
	case KEY_END_OF_FILE:
		if (!line->len)
			return finish(line, "", LINE_END_OF_FILE);
		break;
	case KEY_SEARCH:
		search_start(line);
		line_draw(line);
		return LINE_EDITING;
	case KEY_CLEAR_SCREEN:
		clear_screen(line);
		line_draw(line);
		return LINE_EDITING;
	default:
		break;
	}
	killed = kill_key(line, key->kind);
	line->kill_joins = killed;
	if (killed || edit_key(line, key->kind) || move_key(line, key->kind) ||
	    history_key(line, key->kind))
		line_draw(line);
	return LINE_EDITING;
}

enum line_event line_feed(struct line *line, unsigned char byte)
{
	enum line_event event = LINE_EDITING;
	bool again = true;

	while (again && event == LINE_EDITING) {
		struct key key = keys_feed(&line->keys, byte, &again);

		event = line_key(line, &key);
	}
	return event;
}
