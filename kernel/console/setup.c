/*
 * Which consoles there are, and what `console=` says about them. As on Linux it may be given more
 * than once: each named console shows the log, and the last one is /dev/console. Without it, the
 * screen is the console where there is one, else the serial port; both show the log.
 */
#define LOG_SUBSYSTEM "console"

#include <arch/boot.h>
#include <fusek/devfs.h>
#include <lib/log.h>
#include <lib/string.h>

#include "console_priv.h"
#include "devices.h"
#include "fb0.h"
#include "log.h"
#include "screen.h"
#include "vcs.h"

#define OPTION_BYTES 64

struct tty *console_tty;

static struct console *main_console; /* constant after console_init(): that of console_tty */

static struct console *const all[] = {&serial_console, &screen_console};

/* Under the log's lock, from anywhere. */
static void sink(const struct log_line *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i]->shows_log)
			console_log_line(all[i], line);
	}
}

/* NULL: there is no such console, or not on this machine. */
static struct console *find(const char *name)
{
	if (strcmp(name, "ttyS0") == 0)
		return &serial_console;
	if ((strcmp(name, "tty0") == 0 || strcmp(name, "tty1") == 0) && screen_present())
		return &screen_console;
	return NULL;
}

/* Fills in which consoles show the log. */
static void read_options(void)
{
	char text[OPTION_BYTES];
	char *comma;

	for (unsigned i = 0; boot_option_nth("console", i, text, sizeof(text)); i++) {
		struct console *console;

		comma = strchr(text, ','); /* the rate of a line: Linux's ttyS0,115200n8 */
		if (comma)
			*comma = '\0';
		console = find(text);
		if (!console) {
			log_warn("console=%s: this machine has no such console (ttyS0, or tty1 "
				 "where there is a screen)",
				 text);
			continue;
		}
		console->shows_log = true;
		main_console = console;
	}
	if (main_console)
		return;
	serial_console.shows_log = true;
	screen_console.shows_log = screen_present();
	main_console = screen_present() ? &screen_console : &serial_console;
}

static void make_device(const char *name, uint32_t major, uint32_t minor, uint32_t mode,
			const struct device_ops *ops, struct tty *tty)
{
	err_t err = devfs_register(name, major, minor, mode, 0, ops, tty);

	if (err)
		log_err("/dev/%s cannot be made (error %d)", name, -err);
}

void console_init(void)
{
	serial_console_init();
	(void)screen_init();
	read_options();
	console_tty = &main_console->tty;

	make_device("console", DEVICE_TTY_MAJOR, DEVICE_CONSOLE_MINOR, 0600, &console_device_ops,
		    console_tty);
	make_device("ttyS0", DEVICE_SERIAL_MAJOR, DEVICE_TTYS0_MINOR, 0620, &terminal_device_ops,
		    &serial_console.tty);
	if (screen_present()) {
		make_device("tty0", DEVICE_SERIAL_MAJOR, 0, 0620, &terminal_device_ops,
			    &screen_console.tty);
		make_device("tty1", DEVICE_SERIAL_MAJOR, 1, 0620, &terminal_device_ops,
			    &screen_console.tty);
	}
	vcs_init();
	fb0_init();
	if (!serial_console_works() && main_console == &serial_console)
		log_warn("no serial port and no screen: the console has no input and no output");

	/* Up to here the log itself wrote to the serial port; the screen gets all of it now. */
	log_set_sink(sink);
	if (serial_console.shows_log)
		console_show_log(&serial_console, false);
	if (screen_console.shows_log)
		console_show_log(&screen_console, true);
}

void console_line_editor(bool editing)
{
	console_set_line_editor(main_console, editing);
}
