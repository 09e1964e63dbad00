/*
 * The console: COM1, its terminal, and the log lines between.
 *
 * `claimed` says who may send to the port and look at `row`: the terminal's sender (which may sleep
 * meanwhile; console_tty.writer keeps its kind to one) or the log's sink (which may be called from
 * anywhere and never waits). A line that comes while it is claimed, or while nothing may be shown,
 * stays in the log's ring and sets `behind`; who gives the claim back looks at `behind` afterwards,
 * and the sink tries once more after setting it, so one of the two always sees the other. Lines are
 * shown in order: `next_shown` is the number of the first one that was not.
 */
#include "console.h"

#include <arch/boot.h>
#include <arch/cpu.h>
#include <lib/atomic.h>
#include <lib/string.h>
#include <sched/task.h>

#include "console_row.h"
#include "log.h"
#include "random.h"
#include "serial.h"
#include "tty.h"

#define COM1_BASE  0x3f8
#define COM1_IRQ   4
#define RING_BYTES 4096
#define TAKE_BYTES 256
#define SHOWN_MAX  (LOG_LINE_MAX + 40)

struct tty console_tty;

static struct serial_port com1;
static uint8_t com1_ring[RING_BYTES];

/* What came and is not yet in the terminal. The task's alone. */
static struct receiver {
	struct task task;
	struct tty_source source;
	uint8_t bytes[TAKE_BYTES];
	size_t len_bytes;
	size_t taken;
} receiver;

static bool claimed;           /* atomic */
static struct console_row row; /* the claim's owner */
static uint64_t next_shown;    /* the claim's owner */
static bool behind;            /* atomic: lines wait in the log's ring */
static bool line_editor;       /* atomic */

static struct task flush_task; /* shows what waits */

/* ---- the claim ---- */

static bool try_claim(void)
{
	return !atomic_exchange_full(&claimed, true);
}

static void release(void)
{
	/* Full order: the look at `behind` comes after it (see the head of the file). */
	(void)atomic_exchange_full(&claimed, false);
}

/* Only the sink can have it, for the time of a line. The caller holds console_tty.writer. */
static void claim(void)
{
	while (!try_claim())
		cpu_relax();
}

/* ---- log lines ---- */

/* May a line be shown now? The mode is read without its lock: a line that just missed the change is
 * as good as one that came before it. */
static bool may_show(void)
{
	bool canonical = read_once(&console_tty.ldisc.termios.c_lflag) & ICANON;

	return console_row_is_whole(&row) && (canonical || read_once(&line_editor));
}

static void show(const struct log_line *line)
{
	char text[SHOWN_MAX];
	char erase[CONSOLE_ROW_ERASE_BYTES];
	unsigned columns = read_once(&console_tty.size.ws_col);
	size_t len = log_format(line, text, sizeof(text) - 1);

	if (len > 0 && text[len - 1] == '\n')
		len--;
	text[len++] = '\r';
	text[len++] = '\n';
	serial_send_polled(&com1, erase, console_row_erase(&row, columns, erase));
	serial_send_polled(&com1, text, len);
	serial_send_polled(&com1, row.bytes, console_row_redraw_bytes(&row));
	next_shown = line->sequence + 1;
}

/* Under the log's lock, from anywhere. */
static void sink(const struct log_line *line)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		if (try_claim()) {
			bool shown = !read_once(&behind) && may_show();

			if (shown)
				show(line);
			release();
			if (shown)
				return;
		}
		(void)atomic_exchange_full(&behind, true);
	}
	task_wake(&flush_task);
}

/* Shows what waits; false: it may not be shown now. */
static bool show_waiting(void) REQUIRES(console_tty.writer)
{
	struct log_line line;
	bool may;

	claim();
	may = may_show();
	if (may) {
		(void)atomic_exchange_full(&behind, false);
		while (log_read(next_shown, &line)) {
			if (line.level <= (uint8_t)log_level())
				show(&line);
			next_shown = line.sequence + 1;
		}
	}
	release();
	return may;
}

/* Whoever has the terminal's writer comes here when it is done, so we need not wait for it. */
static void flush(void)
{
	bool may = true;

	while (may && read_once(&behind) && mutex_trylock(&console_tty.writer)) {
		may = show_waiting();
		tty_writer_unlock(&console_tty);
	}
}

static enum task_poll flush_poll(struct task *task)
{
	flush();
	return task_pending(task, "log lines");
}

void console_line_editor(bool editing)
{
	write_once(&line_editor, editing);
	flush();
}

/* ---- the terminal ---- */

static void send(struct tty *tty, const void *bytes, size_t len_bytes) REQUIRES(tty->writer)
{
	(void)tty;
	claim();
	console_row_feed(&row, bytes, len_bytes);
	serial_send(&com1, bytes, len_bytes);
	release();
}

static void settled(struct tty *tty)
{
	(void)tty;
	flush();
}

static void echo(struct tty *tty, const void *bytes, size_t len_bytes) REQUIRES(tty->writer)
{
	(void)tty;
	claim();
	console_row_feed(&row, bytes, len_bytes);
	serial_send_polled(&com1, bytes, len_bytes);
	release();
}

static const struct tty_ops console_ops = {
	.send = send,
	.echo = echo,
	.settled = settled,
};

/* A key must echo and ^C must count however busy programs are: tasks come before them. */
static enum task_poll receive(struct task *task)
{
	size_t taken;

	for (;;) {
		bool all = tty_input(&receiver.source, receiver.bytes + receiver.taken,
				     receiver.len_bytes - receiver.taken, &taken);

		receiver.taken += taken;
		if (!all)
			return task_pending(task, "readers, or the writer");
		receiver.taken = 0;
		receiver.len_bytes = serial_receive(&com1, receiver.bytes, TAKE_BYTES);
		if (receiver.len_bytes == 0)
			return task_pending(task, "COM1");
		random_mix(NULL, 0); /* when a key came is hard to foresee */
	}
}

/* ---- setting up ---- */

static void size_option(const char *name, unsigned short *out)
{
	char text[16];
	uint64_t value;

	if (!boot_option(name, text, sizeof(text)) || string_to_u64(text, &value))
		return;
	if (value > 0 && value <= UINT16_MAX)
		*out = (unsigned short)value;
}

void console_init(void)
{
	struct abi_winsize size;
	struct log_line line;

	tty_init(&console_tty, "ttyS0", &console_ops, NULL);
	tty_get_size(&console_tty, &size);
	size_option("rows", &size.ws_row);
	size_option("cols", &size.ws_col);
	tty_set_size(&console_tty, &size);

	task_init(&flush_task, "console-log", flush_poll, NULL);
	task_start(&flush_task);
	task_init(&receiver.task, "console", receive, NULL);
	tty_source_init(&receiver.source, &console_tty, &receiver.task);
	if (!serial_open(&com1, "COM1", COM1_BASE, COM1_IRQ, com1_ring, sizeof(com1_ring),
			 &receiver.task))
		log_warn("no serial port at %#x: the console has no input and no output",
			 COM1_BASE);
	else
		task_start(&receiver.task);

	/* Everything up to here was written by the log itself. */
	log_set_sink(sink);
	while (log_read(next_shown, &line))
		next_shown = line.sequence + 1;
}
