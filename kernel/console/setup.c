/*
 * Which consoles there are, and what `console=` says about them. As on Linux it may be given more
 * than once: each named console shows the log, and the last one is /dev/console. Without it, the
 * screen is the console where there is one, else the serial port; both show the log.
 */
#define LOG_SUBSYSTEM "console"

#include <abi/errno.h>
#include <abi/stat.h>
#include <arch/boot.h>
#include <fusek/devfs.h>
#include <lib/fmt.h>
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

static struct console *screen; /* tty1; NULL: there is no screen */

/* Under the log's lock, from anywhere. */
static void sink(const struct log_line *line)
{
	if (serial_console.shows_log)
		console_log_line(&serial_console, line);
	if (screen && screen->shows_log)
		console_log_line(screen, line);
}

/* NULL: there is no such console, or not on this machine. */
static struct console *find(const char *name)
{
	if (strcmp(name, "ttyS0") == 0)
		return &serial_console;
	if (strcmp(name, "tty0") == 0 || strcmp(name, "tty1") == 0)
		return screen;
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
	if (screen)
		screen->shows_log = true;
	main_console = screen ? screen : &serial_console;
}

static void make_device(const char *name, uint32_t major, uint32_t minor, uint32_t mode,
			const struct device_ops *ops, struct tty *tty)
{
	err_t err = devfs_register(name, major, minor, mode, 0, ops, tty);

	if (err)
		log_err("/dev/%s cannot be made (error %d)", name, -err);
}

/* ttyN, or with number 0 the one that is shown; made when it is opened. */
static err_t open_screen(struct device_file *file, unsigned flags)
{
	struct console *console = screen_console_get(abi_minor(file->rdev));

	return console ? terminal_open_as(file, &console->tty, flags, false) : -ENOMEM;
}

static const struct device_ops screen_device_ops = TERMINAL_DEVICE_OPS(open_screen);

static void make_screen_devices(void)
{
	static char names[SCREEN_VCS + 1][8];

	for (unsigned i = 0; i <= SCREEN_VCS; i++) {
		kernel_format(names[i], sizeof(names[i]), "tty%u", i);
		make_device(names[i], DEVICE_SERIAL_MAJOR, i, 0620, &screen_device_ops, NULL);
	}
}

void console_init(void)
{
	serial_console_init();
	if (screen_init())
		screen = screen_console_get(1);
	read_options();
	console_tty = &main_console->tty;

	make_device("console", DEVICE_TTY_MAJOR, DEVICE_CONSOLE_MINOR, 0600, &console_device_ops,
		    console_tty);
	make_device("ttyS0", DEVICE_SERIAL_MAJOR, DEVICE_TTYS0_MINOR, 0620, &terminal_device_ops,
		    &serial_console.tty);
	if (screen)
		make_screen_devices();
	vcs_init();
	fb0_init();
	if (!serial_console_works() && main_console == &serial_console)
		log_warn("no serial port and no screen: the console has no input and no output");

	/* Up to here the log itself wrote to the serial port; the screen gets all of it now. */
	log_set_sink(sink);
	if (serial_console.shows_log)
		console_show_log(&serial_console, false);
	if (screen && screen->shows_log)
		console_show_log(screen, true);
}

void console_line_editor(bool editing)
{
	console_set_line_editor(main_console, editing);
}
