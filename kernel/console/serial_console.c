/*
 * The console at the other end of the first serial port. What programs write passes through as it
 * is, and the model follows; single cells are sent as the escape sequences that draw them, after
 * which the cursor, the pen and the modes are put back to what the program believes.
 */
#define LOG_SUBSYSTEM "console"

#include <arch/boot.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/string.h>

#include "console_priv.h"
#include "devices.h"
#include "display.h"
#include "serial/serial_tty.h"
#include "serial_cells.h"

#define DEFAULT_ROWS    24
#define DEFAULT_COLUMNS 80
#define CELLS_PIECE     512

struct console serial_console;

static struct serial_port com1;
static uint8_t com1_in[SERIAL_IN_BYTES];
static uint8_t com1_out[SERIAL_OUT_BYTES];
static struct serial_input input;

/* ---- the stream ---- */

static void send(struct console *console, const void *bytes, size_t len_bytes)
{
	(void)console;
	serial_send(&com1, bytes, len_bytes);
}

static void send_polled(struct console *console, const void *bytes, size_t len_bytes)
{
	(void)console;
	serial_send_polled(&com1, bytes, len_bytes);
}

static const struct console_ops serial_ops = {.send = send, .send_polled = send_polled};

void serial_console_push_out(void)
{
	serial_push_out(&com1);
}

/* ---- single cells, with the console's claim ---- */

static void draw(struct display *display, unsigned row, unsigned column, const struct cell *cells,
		 unsigned count)
{
	char text[CELLS_PIECE];
	unsigned done = 0;
	size_t len;

	(void)display;
	len = serial_cells_begin(serial_console.terminal, row, column, text, sizeof(text));
	serial_send(&com1, text, len);
	while (done < count) {
		unsigned taken;

		len = serial_cells(cells + done, count - done, text, sizeof(text), &taken);
		serial_send(&com1, text, len);
		done += taken;
	}
}

static void put_back(struct display *display, const struct display_cursor *cursor)
{
	char text[CELLS_PIECE];

	(void)display, (void)cursor;
	serial_send(&com1, text, serial_cells_end(serial_console.terminal, text, sizeof(text)));
}

static const struct display_ops serial_display_ops = {.draw = draw, .cursor = put_back};
static struct display serial_display = {.ops = &serial_display_ops, .name = "serial terminal"};

/* ---- setting up ---- */

static unsigned size_option(const char *name, unsigned otherwise)
{
	char text[16];
	uint64_t value;

	if (!boot_option(name, text, sizeof(text)) || string_to_u64(text, &value) || !value ||
	    value > UINT16_MAX)
		return otherwise;
	return (unsigned)value;
}

void serial_console_init(void)
{
	(void)console_setup(&serial_console, "ttyS0", DEVICE_TTYS0_MINOR, &serial_ops, NULL,
			    size_option("rows", DEFAULT_ROWS),
			    size_option("cols", DEFAULT_COLUMNS));
	serial_console.display = &serial_display;
	input.takes_sysrq = true;
	(void)serial_tty_open(&input, &serial_console.tty, &com1, &serial_places[0], com1_in,
			      com1_out); /* without one there is neither input nor output */
}

bool serial_console_works(void)
{
	return com1.present;
}
