/*
 * A console: a terminal, the model of what it shows, and the log lines between.
 *
 * `claimed` says who may send to the device and look at `row`, `terminal` and `next_shown`:
 * somebody who has the terminal's writer (which may sleep meanwhile; the mutex keeps its kind to
 * one) or the log's sink (which may be called from anywhere and never waits). A line that comes
 * while it is claimed, or while nothing may be shown, stays in the log's ring and sets `behind`;
 * who gives the writer back looks at `behind` afterwards, and so does a task that the sink wakes
 * after setting it. Lines are shown in order: `next_shown` is the number of the first one that was
 * not.
 */
#include "console.h"

#include <abi/errno.h>
#include <abi/stat.h>
#include <arch/cpu.h>
#include <lib/atomic.h>
#include <lib/string.h>
#include <mm/kva.h>
#include <mm/slab.h>

#include "console_priv.h"
#include "devices.h"
#include "display.h"
#include "log.h"

#define SHOWN_MAX (LOG_LINE_MAX + 40)

/* ---- the claim ---- */

static bool try_claim(struct console *console)
{
	return !atomic_exchange_full(&console->claimed, true);
}

static void release(struct console *console)
{
	/* Full order: the look at `behind` comes after it (see the head of the file). */
	(void)atomic_exchange_full(&console->claimed, false);
}

/* Only the sink can have it, for the time of a line. The caller holds tty.writer. */
static void claim(struct console *console)
{
	while (!try_claim(console))
		cpu_relax();
}

/* ---- the model ---- */

static void follow(struct console *console, const void *bytes, size_t len_bytes)
{
	if (!console->terminal)
		return;
	terminal_feed(console->terminal, bytes, len_bytes);
	if (console->ops->changed)
		console->ops->changed(console);
}

static size_t npages(size_t len_bytes)
{
	return ALIGN_UP(len_bytes, PAGE_SIZE) / PAGE_SIZE;
}

void *console_alternate_memory(void *argument, size_t len_bytes)
{
	struct console *console = argument;

	console->alternate_memory = kva_alloc(npages(len_bytes));
	return console->alternate_memory;
}

static void make_model(struct console *console, unsigned rows, unsigned columns)
{
	size_t len_bytes = terminal_memory_bytes(rows, columns);

	if (!len_bytes)
		return;
	console->terminal = kmalloc(sizeof(*console->terminal));
	console->memory = kva_alloc(npages(len_bytes));
	if (!console->terminal || !console->memory) {
		kfree(console->terminal);
		kva_free(console->memory);
		console->terminal = NULL;
		console->memory = NULL;
		return;
	}
	terminal_init(console->terminal, rows, columns, console->memory, console->host, console);
}

static void drop_model(struct console *console)
{
	kfree(console->terminal);
	kva_free(console->memory);
	kva_free(console->alternate_memory);
	console->terminal = NULL;
	console->memory = NULL;
	console->alternate_memory = NULL;
}

static void resize_model(struct console *console, unsigned rows, unsigned columns)
{
	struct terminal *terminal = console->terminal;
	size_t len_bytes = terminal_memory_bytes(rows, columns);
	void *old_alternate = console->alternate_memory;
	void *memory;

	if (!terminal) {
		make_model(console, rows, columns);
		return;
	}
	if (terminal->rows == rows && terminal->columns == columns)
		return;
	memory = len_bytes ? kva_alloc(npages(len_bytes)) : NULL;
	if (!memory) {
		drop_model(console); /* a wrong picture is worse than none */
		return;
	}
	console->alternate_memory = NULL;
	terminal_resize(terminal, rows, columns, memory);
	kva_free(console->memory);
	kva_free(old_alternate);
	console->memory = memory;
}

/* ---- log lines ---- */

/* May a line be shown now? The mode is read without its lock: a line that just missed the change is
 * as good as one that came before it. */
static bool may_show(struct console *console)
{
	bool canonical = read_once(&console->tty.ldisc.termios.c_lflag) & ICANON;

	return console_row_is_whole(&console->row) && !read_once(&console->tty.stopped) &&
	       (canonical || read_once(&console->line_editor));
}

static void show_bytes(struct console *console, const void *bytes, size_t len_bytes)
{
	if (console->ops->send_polled)
		console->ops->send_polled(console, bytes, len_bytes);
	follow(console, bytes, len_bytes);
}

/* A terminal that does not take UTF-8 may take parts of it for control characters. */
static void make_ascii(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] & 0x80)
			text[i] = '?';
	}
}

/* What is sent here nobody asks for: the terminal does not answer, least of all under the log's
 * lock. */
static void show(struct console *console, const struct log_line *line)
{
	struct terminal *terminal = console->terminal;
	struct console_row *row = &console->row;
	char text[SHOWN_MAX];
	char erase[CONSOLE_ROW_ERASE_BYTES];
	unsigned columns = read_once(&console->tty.size.ws_col);
	size_t len = log_format(line, text, sizeof(text) - 1);

	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (terminal && !terminal->utf8)
		make_ascii(text, len);
	text[len++] = '\r';
	text[len++] = '\n';
	if (terminal)
		terminal->silent = true;
	show_bytes(console, erase, console_row_erase(row, columns, erase));
	show_bytes(console, text, len);
	show_bytes(console, row->bytes, console_row_redraw_bytes(row));
	if (terminal)
		terminal->silent = false;
	console->next_shown = line->sequence + 1;
}

void console_log_line(struct console *console, const struct log_line *line)
{
	bool shown = false;

	if (try_claim(console)) {
		shown = !read_once(&console->behind) && may_show(console);
		if (shown)
			show(console, line);
		release(console);
	}
	if (shown)
		return;
	(void)atomic_exchange_full(&console->behind, true);
	task_wake(&console->flush_task);
}

/* Shows what waits; false: it may not be shown now. */
static bool show_waiting(struct console *console) REQUIRES(console->tty.writer)
{
	struct log_line line;
	bool may;

	claim(console);
	may = may_show(console);
	if (may) {
		(void)atomic_exchange_full(&console->behind, false);
		while (log_read(console->next_shown, &line)) {
			if (line.level <= (uint8_t)log_level())
				show(console, &line);
			console->next_shown = line.sequence + 1;
		}
	}
	release(console);
	return may;
}

/* The model takes the window's size. The caller has tty.writer. */
static void follow_size(struct console *console)
{
	struct abi_winsize size;

	if (!atomic_exchange_full(&console->resized, false))
		return;
	tty_get_size(&console->tty, &size);
	claim(console);
	resize_model(console, size.ws_row, size.ws_col);
	release(console);
}

/* Whoever has the terminal's writer comes here when it is done, so we need not wait for it. */
static void flush(struct console *console)
{
	bool may = console->shows_log;

	while ((read_once(&console->resized) || (may && read_once(&console->behind))) &&
	       mutex_trylock(&console->tty.writer)) {
		follow_size(console);
		if (may)
			may = show_waiting(console);
		tty_writer_unlock(&console->tty);
	}
}

static enum task_poll flush_poll(struct task *task)
{
	flush(container_of(task, struct console, flush_task));
	return task_pending(task, "log lines");
}

void console_show_log(struct console *console, bool from_start)
{
	struct log_line line;

	if (from_start) {
		write_once(&console->behind, true);
		flush(console);
	}
	while (log_read(console->next_shown, &line))
		console->next_shown = line.sequence + 1;
}

void console_set_line_editor(struct console *console, bool editing)
{
	write_once(&console->line_editor, editing);
	flush(console);
}

/* ---- the terminal ---- */

static struct console *console_of(struct tty *tty)
{
	return container_of(tty, struct console, tty);
}

static void send(struct tty *tty, const void *bytes, size_t len_bytes) REQUIRES(tty->writer)
{
	struct console *console = console_of(tty);

	follow_size(console);
	claim(console);
	console_row_feed(&console->row, bytes, len_bytes);
	if (console->ops->send)
		console->ops->send(console, bytes, len_bytes);
	follow(console, bytes, len_bytes);
	release(console);
}

/* As send(), but from a task. */
static void echo(struct tty *tty, const void *bytes, size_t len_bytes) REQUIRES(tty->writer)
{
	struct console *console = console_of(tty);

	claim(console);
	console_row_feed(&console->row, bytes, len_bytes);
	show_bytes(console, bytes, len_bytes);
	release(console);
}

static void settled(struct tty *tty)
{
	flush(console_of(tty));
}

/* From a task as well as from a program's call, so the rest is left to who may wait. */
static void resized(struct tty *tty)
{
	struct console *console = console_of(tty);

	write_once(&console->resized, true);
	task_wake(&console->flush_task);
}

static ssize_t fixed_ioctl(struct tty *tty, unsigned command, uptr_t argument)
{
	const struct console_ops *ops = console_of(tty)->ops;

	return ops->ioctl ? ops->ioctl(console_of(tty), command, argument) : -ENOTTY;
}

static const struct tty_ops console_tty_ops = {
	.send = send,
	.echo = echo,
	.settled = settled,
	.resized = resized,
};
static const struct tty_ops fixed_tty_ops = {
	.send = send,
	.echo = echo,
	.settled = settled,
	.ioctl = fixed_ioctl,
	.size_fixed = true,
};

/* ---- single cells ---- */

err_t console_lock(struct console *console)
{
	err_t err = mutex_lock_killable(&console->tty.writer);

	if (err)
		return err;
	claim(console);
	if (console->terminal)
		return 0;
	release(console);
	tty_writer_unlock(&console->tty);
	return -ENODEV;
}

void console_unlock(struct console *console)
{
	if (console->drawn)
		console->display->ops->cursor(console->display, NULL);
	console->drawn = false;
	release(console);
	tty_writer_unlock(&console->tty);
	flush(console);
}

static void cells_changed(struct console *console)
{
	if (console->ops->changed)
		console->ops->changed(console);
}

/* On a display that draws at once: what is another cell than before, in pieces without a gap. */
static void draw_changes(struct console *console, unsigned row, unsigned column,
			 const struct cell *cells, unsigned count)
{
	const struct cell *now = console->terminal->lines[row] + column;
	unsigned start;

	for (unsigned i = 0; i < count; i++) {
		for (start = i; i < count && !cell_equal(&now[i], &cells[i]); i++)
			;
		if (i > start)
			console->display->ops->draw(console->display, row, column + start,
						    cells + start, i - start);
	}
}

void console_put_cells(struct console *console, unsigned row, unsigned column, struct cell *cells,
		       unsigned count)
{
	terminal_clean_cells(cells, count);
	if (console->display) {
		draw_changes(console, row, column, cells, count);
		console->drawn = true;
	}
	terminal_put_cells(console->terminal, row, column, cells, count);
	cells_changed(console);
}

void console_put_cursor(struct console *console, unsigned row, unsigned column)
{
	struct terminal_place *place = &console->terminal->place;

	place->row = MIN(row, console->terminal->rows - 1);
	place->column = MIN(column, console->terminal->columns - 1);
	place->wrap_pending = false;
	console->drawn = console->display != NULL;
	cells_changed(console);
}

/* ---- setting up ---- */

bool console_setup(struct console *console, const char *name, unsigned minor,
		   const struct console_ops *ops, const struct terminal_host *host, unsigned rows,
		   unsigned columns)
{
	static const struct terminal_host plain = {.memory = console_alternate_memory};

	*console = (struct console){
		.ops = ops,
		.host = host ? host : &plain,
	};
	make_model(console, rows, columns);
	if (!console->terminal && ops->size_fixed)
		return false;
	task_init(&console->flush_task, "console-log", flush_poll, NULL);
	task_start(&console->flush_task);
	tty_init(&console->tty, name, ops->size_fixed ? &fixed_tty_ops : &console_tty_ops, NULL);
	console->tty.rdev = abi_makedev(DEVICE_SERIAL_MAJOR, minor);
	console->tty.size.ws_row = (unsigned short)rows;
	console->tty.size.ws_col = (unsigned short)columns;
	return true;
}
