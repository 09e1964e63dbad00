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
#include <sched/work.h>

#include "console_row.h"
#include "log.h"
#include "random.h"
#include "serial.h"
#include "service.h"
#include "tty.h"

#define COM1_BASE  0x3f8
#define COM1_IRQ   4
#define RING_BYTES 4096
#define TAKE_BYTES 256
#define SHOWN_MAX  (LOG_LINE_MAX + 40)

struct tty console_tty;

static struct serial_port com1;
static uint8_t com1_ring[RING_BYTES];
static struct thread receiver; /* a key must echo and ^C must count however busy programs are */

static bool claimed;           /* atomic */
static struct console_row row; /* the claim's owner */
static uint64_t next_shown;    /* the claim's owner */
static bool behind;            /* atomic: lines wait in the log's ring */
static bool line_editor;       /* atomic */

static void flush_work(struct work *work);
static struct work flush_later = WORK_INIT(flush_work);

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
	work_queue(&flush_later);
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
		mutex_unlock(&console_tty.writer);
	}
}

static void flush_work(struct work *work)
{
	(void)work;
	flush();
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

static const struct tty_ops console_ops = {
	.send = send,
	.settled = settled,
};

static void receive(void *argument)
{
	uint8_t bytes[TAKE_BYTES];

	(void)argument;
	for (;;) {
		size_t n = serial_receive(&com1, bytes, sizeof(bytes));

		random_mix(NULL, 0); /* when a key came is hard to foresee */
		tty_input(&console_tty, bytes, n);
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

	if (!serial_open(&com1, "COM1", COM1_BASE, COM1_IRQ, com1_ring, sizeof(com1_ring)))
		log_warn("no serial port at %#x: the console has no input and no output",
			 COM1_BASE);
	else
		service_start(&receiver, "console", receive, NULL);

	/* Everything up to here was written by the log itself. */
	log_set_sink(sink);
	while (log_read(next_shown, &line))
		next_shown = line.sequence + 1;
}
