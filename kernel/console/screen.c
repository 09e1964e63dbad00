/*
 * The screen. Owns the display, the record of what it shows (`drawn`), and the virtual consoles,
 * one of which is shown: each has a terminal, the rows that left at its top and the keys on their
 * way to it. The first is made at the start, another when it is opened or asked for by its key.
 *
 * The cells belong to the console's claim (console.h). The thread `screen` copies one dirty row
 * after the other with the claim and draws it without, so nobody who writes waits for slow video
 * memory; that memory is never read. After a picture it rests for as long as that took, at least a
 * 60th of a second: a flood of output costs half of the time at most, and a key is shown at once.
 */
#define LOG_SUBSYSTEM "screen"

#include "screen.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <arch/spin.h>
#include <lib/atomic.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/kva.h>
#include <sched/lock.h>
#include <sched/thread.h>
#include <sched/wait.h>

#include "display.h"
#include "framebuffer.h"
#include "history.h"
#include "kthread.h"
#include "logo.h"
#include "palette.h"
#include "random.h"
#include "screen_priv.h"

#define REST_NS       (NSEC_PER_SEC / 60)
#define HISTORY_PAGES 16

static struct vc vcs[SCREEN_VCS];
static MUTEX(making, LOCK_SCREEN); /* of a virtual console */
static struct vc *shown = &vcs[0]; /* atomic, written by the drawing thread */
static unsigned wanted_number;     /* atomic: to be shown; 0: the one that is */
static WAITQ(shown_queue);         /* another one is shown */

static struct display *display; /* constant after screen_find_display(); NULL: none */
static bool present;            /* constant after screen_init() */
static int view_change;         /* atomic: asked for, not done yet */
static bool view_home;          /* atomic: back to the newest rows */

/* ---- the drawing thread's ---- */

static struct cell *drawn;     /* what the display shows, row by row */
static struct cell *row_cells; /* the row that is being drawn */
static bool redraw;            /* atomic: what the display shows is not known */
static bool wanted;            /* atomic: something changed since the last picture */
static WAITQ(wanted_queue);
static MUTEX(picture, LOCK_SCREEN); /* the drawing thread has it while it draws one */

static struct task wake_task;

static enum task_poll wake_drawer(struct task *task)
{
	if (read_once(&wanted))
		waitq_wake_one(&wanted_queue);
	return task_pending(task, "changes of the screen");
}

/* From any context: waking a thread takes locks, so it is left to a task. */
static void want_picture(void)
{
	if (!atomic_exchange_full(&wanted, true))
		task_wake(&wake_task);
}

static struct vc *vc_of(struct console *console)
{
	return container_of(console, struct vc, console);
}

static void changed(struct console *console)
{
	if (vc_of(console) == read_once(&shown))
		want_picture();
}

/* The pixels are a program's. */
static bool has_pixels(void)
{
	return read_once(&read_once(&shown)->graphics);
}

/* ---- drawing ---- */

static void forget_drawn(void)
{
	for (unsigned i = 0; i < display->rows * display->columns; i++)
		drawn[i] = (struct cell){.character = 0x1fffff};
}

static void all_dirty(struct terminal *terminal)
{
	memset(terminal->dirty, true, terminal->rows * sizeof(bool));
}

void screen_set_graphics(struct vc *vc, bool on)
{
	if (!on && read_once(&vc->graphics))
		write_once(&redraw, true);
	/* Full order: who sees the text's return sees `redraw`. */
	(void)atomic_exchange_full(&vc->graphics, on);
	want_picture();
}

void screen_wait_for_picture(void)
{
	mutex_lock(&picture);
	mutex_unlock(&picture);
}

/* Colours are the same for all cells, so others mean another picture. */
static void take_colours(struct terminal *terminal)
{
	struct display_colours *colours = &display->colours;
	bool reverse = (terminal->modes & MODE_REVERSE_SCREEN) != 0;
	bool same = memcmp(colours->palette, terminal->palette, sizeof(colours->palette)) == 0;

	colours->cursor = terminal->cursor;
	if (same && colours->reverse == reverse)
		return;
	memcpy(colours->palette, terminal->palette, sizeof(colours->palette));
	colours->reverse = reverse;
	if (!same && display->ops->palette)
		display->ops->palette(display);
	forget_drawn();
	all_dirty(terminal);
}

static void move_view(struct terminal *terminal)
{
	int change = atomic_exchange_full(&view_change, 0);
	bool home = atomic_exchange_full(&view_home, false);
	int place = home ? 0 : MAX((int)shown->view + change, 0);

	place = MIN(place, (int)history_rows(&shown->history));
	if ((unsigned)place != shown->view || shown->view)
		all_dirty(terminal);
	write_once(&shown->view, (unsigned)place);
}

static void take_cursor(const struct terminal *terminal, struct display_cursor *cursor)
{
	unsigned view = shown->view;

	*cursor = (struct display_cursor){
		.row = terminal->place.row + view,
		.column = terminal->place.column,
		.shown = (terminal->modes & MODE_CURSOR_SHOWN) &&
			 terminal->place.row + view < display->rows,
		.style = terminal->cursor,
	};
}

/* Copies what the picture has in `row`. */
static void compose_row(const struct terminal *terminal, unsigned row)
{
	unsigned view = shown->view;

	if (row < view)
		history_row(&shown->history, view - 1 - row, row_cells, display->columns);
	else
		memcpy(row_cells, terminal->lines[row - view],
		       display->columns * sizeof(struct cell));
}

/* False: nothing in that row is to be drawn. `old` and `now` are where the cursor was in the last
 * picture and is in this one, though it may have moved on. */
static bool take_row(unsigned row, const struct display_cursor *old,
		     const struct display_cursor *now)
{
	struct terminal *terminal;
	bool dirty;

	if (console_lock(&shown->console))
		return false;
	terminal = shown->console.terminal;
	dirty = terminal->dirty[row] || row == now->row || row == old->row;
	if (dirty) {
		compose_row(terminal, row);
		terminal->dirty[row] = false;
	}
	console_unlock(&shown->console);
	if (dirty && now->shown && row == now->row && !display->ops->cursor)
		row_cells[now->column].attributes |= CELL_CURSOR;
	return dirty;
}

static void draw_row(unsigned row)
{
	struct cell *before = drawn + (size_t)row * display->columns;
	unsigned end;

	for (unsigned column = 0; column < display->columns; column = end + 1) {
		for (end = column;
		     end < display->columns && !cell_equal(&before[end], &row_cells[end]); end++)
			before[end] = row_cells[end];
		if (end > column)
			display->ops->draw(display, row, column, row_cells + column, end - column);
	}
}

static bool begin_picture(struct display_cursor *cursor)
{
	if (has_pixels() || console_lock(&shown->console))
		return false;
	if (atomic_exchange_full(&redraw, false)) {
		if (display->ops->clear)
			display->ops->clear(display);
		forget_drawn();
		all_dirty(shown->console.terminal);
	}
	take_colours(shown->console.terminal);
	move_view(shown->console.terminal);
	take_cursor(shown->console.terminal, cursor);
	console_unlock(&shown->console);
	return true;
}

static void draw_picture(void)
{
	static struct display_cursor last;
	struct display_cursor cursor;

	mutex_lock(&picture);
	if (!begin_picture(&cursor)) {
		mutex_unlock(&picture);
		return;
	}
	for (unsigned row = 0; row < display->rows && !has_pixels(); row++) {
		if (take_row(row, &last, &cursor))
			draw_row(row);
	}
	if (display->ops->cursor)
		display->ops->cursor(display, &cursor);
	last = cursor;
	mutex_unlock(&picture);
}

/* The console that was asked for, by its key or by a program, is the one that is drawn and typed
 * into from now on. */
static void switch_console(void)
{
	unsigned number = atomic_exchange_full(&wanted_number, 0);
	struct vc *next = number ? &vcs[number - 1] : shown;

	if (next == shown || !screen_console_get(number) || console_lock(&next->console))
		return;
	all_dirty(next->console.terminal);
	if (shown->graphics)
		write_once(&redraw, true);
	write_once(&next->view, 0);
	(void)atomic_exchange_full(&view_change, 0);
	write_once(&shown, next);
	console_unlock(&next->console);
	input_set_mode(read_once(&next->key_mode));
	input_set_target(&next->keys);
	waitq_wake_all(&shown_queue);
}

static void draw_forever(void *argument)
{
	uint64_t start_ns;
	uint64_t end_ns;

	(void)argument;
	for (;;) {
		wait_event_idle(&wanted_queue, read_once(&wanted));
		(void)atomic_exchange_full(&wanted, false);
		switch_console();
		start_ns = clock_ns();
		draw_picture();
		end_ns = clock_ns();
		(void)thread_sleep_until_ns(MAX(start_ns + REST_NS, end_ns + (end_ns - start_ns)));
	}
}

/* ---- keys and answers ---- */

static void put_input(struct vc *vc, const uint8_t *bytes, size_t len_bytes)
{
	irqflags_t flags = spin_lock_irqsave(&vc->input_lock);

	for (size_t i = 0; i < len_bytes && vc->input_tail - vc->input_head < VC_INPUT_BYTES; i++)
		vc->input[vc->input_tail++ % VC_INPUT_BYTES] = bytes[i];
	spin_unlock_irqrestore(&vc->input_lock, flags);
	task_wake(&vc->feeder);
}

static size_t take_input(struct vc *vc)
{
	irqflags_t flags = spin_lock_irqsave(&vc->input_lock);
	size_t n = 0;

	while (n < sizeof(vc->feeding) && vc->input_head != vc->input_tail)
		vc->feeding[n++] = vc->input[vc->input_head++ % VC_INPUT_BYTES];
	spin_unlock_irqrestore(&vc->input_lock, flags);
	return n;
}

static enum task_poll feed_terminal(struct task *task)
{
	struct vc *vc = container_of(task, struct vc, feeder);
	size_t taken;

	for (;;) {
		bool all = tty_input(&vc->source, vc->feeding + vc->fed,
				     vc->feeding_bytes - vc->fed, &taken);

		vc->fed += taken;
		if (!all)
			return task_pending(task, "readers, or the writer");
		vc->fed = 0;
		vc->feeding_bytes = take_input(vc);
		if (vc->feeding_bytes == 0)
			return task_pending(task, "keys");
		random_mix(NULL, 0); /* when a key came is hard to foresee */
	}
}

/* What a key sends. Whoever looked back sees the newest rows again. */
static void type(const void *bytes, size_t len_bytes)
{
	struct vc *vc = read_once(&shown);

	put_input(vc, bytes, len_bytes);
	if (len_bytes > 0 && read_once(&vc->view)) {
		write_once(&view_home, true);
		want_picture();
	}
}

/* ---- what the terminal asks of us, with the claim ---- */

static void answer(void *argument, const char *bytes, size_t len_bytes)
{
	put_input(vc_of(argument), (const uint8_t *)bytes, len_bytes);
}

static void keep_row(void *argument, const struct cell *cells, unsigned columns)
{
	struct vc *vc = vc_of(argument);

	history_push(&vc->history, cells, columns);
	if (vc->view) /* who looks back goes on to see the same */
		write_once(&vc->view, MIN(vc->view + 1, history_rows(&vc->history)));
}

static void forget_rows(void *argument)
{
	struct vc *vc = vc_of(argument);

	history_clear(&vc->history);
	write_once(&vc->view, 0);
}

static const struct terminal_host host = {
	.answer = answer,
	.history = keep_row,
	.forget = forget_rows,
	.memory = console_alternate_memory,
};

/* ---- setting up ---- */

static const struct console_ops screen_ops = {
	.changed = changed,
	.ioctl = screen_ioctl,
	.size_fixed = true,
};

bool screen_present(void)
{
	return present;
}

struct display *screen_display(void)
{
	return display;
}

void screen_find_display(void)
{
	display = framebuffer_find();
	if (!display)
		display = vga_find();
	if (!display)
		return;
	for (unsigned i = 0; i < TERMINAL_PALETTE; i++)
		display->colours.palette[i] = palette_initial(i);
	if (display->ops->palette)
		display->ops->palette(display);
}

static size_t npages(size_t len_bytes)
{
	return ALIGN_UP(len_bytes, PAGE_SIZE) / PAGE_SIZE;
}

/* All that the drawing thread needs; false: no memory. */
static bool take_memory(void)
{
	size_t ncells = (size_t)display->rows * display->columns;

	drawn = kva_alloc(npages((ncells + display->columns) * sizeof(struct cell)));
	if (!drawn)
		return false;
	row_cells = drawn + ncells;
	forget_drawn();
	return true;
}

static void key_modes(struct keyboard_modes *out)
{
	unsigned modes = read_once(&read_once(&shown)->console.terminal->modes);

	out->application_cursor = modes & MODE_CURSOR_KEYS;
	out->application_keypad = modes & MODE_KEYPAD;
	out->newline = modes & MODE_NEWLINE;
}

static void scroll_pages(int half_screens)
{
	atomic_fetch_add_full(&view_change, half_screens * (int)(display->rows / 2));
	want_picture();
}

/* ---- virtual consoles ---- */

void screen_show(unsigned number)
{
	if (number < 1 || number > SCREEN_VCS)
		return;
	write_once(&wanted_number, number);
	want_picture();
}

void screen_show_console(const struct tty *tty)
{
	for (unsigned number = 1; number <= SCREEN_VCS; number++) {
		if (tty == &vcs[number - 1].console.tty)
			screen_show(number);
	}
}

unsigned screen_shown(void)
{
	return (unsigned)(read_once(&shown) - vcs) + 1;
}

err_t screen_wait_shown(unsigned number)
{
	return wait_event_interruptible(&shown_queue, screen_shown() == number);
}

static bool make(struct vc *vc, unsigned number)
{
	void *rows = kva_alloc(HISTORY_PAGES);
	char name[8];

	kernel_format(name, sizeof(name), "tty%u", number);
	if (!rows || !console_setup(&vc->console, name, number, &screen_ops, &host, display->rows,
				    display->columns)) {
		kva_free(rows);
		return false; /* the next one who asks tries again */
	}
	history_init(&vc->history, rows, HISTORY_PAGES * PAGE_SIZE);
	spin_init(&vc->input_lock, LOCK_DEVICE);
	vc->key_mode = KEYBOARD_UNICODE;
	vc->keys = (struct input_target){.tty = &vc->console.tty,
					 .type = type,
					 .modes = key_modes,
					 .scroll = scroll_pages,
					 .show = screen_show};
	task_init(&vc->feeder, vc->console.tty.name, feed_terminal, NULL);
	tty_source_init(&vc->source, &vc->console.tty, &vc->feeder);
	task_start(&vc->feeder);
	/* Release: pairs with the acquire in screen_made(). */
	store_release(&vc->made, true);
	return true;
}

struct vc *screen_made(unsigned number)
{
	struct vc *vc = &vcs[number - 1];

	return load_acquire(&vc->made) ? vc : NULL;
}

struct console *screen_console_get(unsigned number)
{
	struct vc *vc = number ? &vcs[number - 1] : read_once(&shown);
	bool made = load_acquire(&vc->made);

	if (!made) {
		mutex_lock(&making);
		made = vc->made || make(vc, number);
		mutex_unlock(&making);
	}
	return made ? &vc->console : NULL;
}

bool screen_init(void)
{
	struct console *first;
	err_t err;

	if (!display)
		return false;
	if (!take_memory()) {
		log_err("no memory for the screen (%s): it stays as it is", display->name);
		return false;
	}
	first = screen_console_get(1);
	if (!first) {
		log_err("no memory for the terminal of the screen (%s)", display->name);
		return false;
	}
	task_init(&wake_task, "screen", wake_drawer, NULL);
	task_start(&wake_task);
	err = kthread_start("screen", draw_forever, NULL, NULL);
	if (err) {
		log_err("no memory for the thread of the screen (%s)", display->name);
		return false;
	}
	logo_draw(first->terminal, framebuffer_shape() != NULL);
	input_set_target(&shown->keys);
	present = true;
	screen_raw_end();
	want_picture();
	return true;
}
