/*
 * The machine's consoles: terminals that log lines are shown on as well. There are two at most, the
 * first serial port (ttyS0) and the screen (tty1); `console=` of the command line says which of
 * them show the log, the last one named is /dev/console and ksh's.
 *
 * Each console follows what is drawn on it in a terminal model (terminal.h), whatever way it came:
 * the stream that programs write, or single cells (/dev/vcs*).
 *
 * A log line never enters what somebody draws. It is shown at once when the cursor stands in a row
 * that can be drawn again (the console keeps the bytes of the cursor's row, so the line being
 * edited is erased, the log line printed, the row put back); it waits while an escape sequence or
 * a piece of output is on its way; it is not shown at all while a program has the terminal in raw
 * mode (an editor, a pager: the screen is theirs), but for one who said that it is a line editor.
 * Whatever is not shown stays in the log's ring, where `dmesg` finds it.
 */
#ifndef KERNEL_CONSOLE_CONSOLE_H
#define KERNEL_CONSOLE_CONSOLE_H

#include "console_row.h"
#include "terminal.h"

#include <lib/types.h>
#include <sched/task.h>

#include "tty.h"

struct console;
struct display;

struct console_ops {
	/* The stream as it comes, in the writer's context; may sleep. NULL: what the device shows
	 * is drawn from the cells alone. */
	void (*send)(struct console *console, const void *bytes, size_t len_bytes);
	/* The same without sleeping, from any context. */
	void (*send_polled)(struct console *console, const void *bytes, size_t len_bytes);
	/* Rows of the terminal are dirty. From any context, with the claim. NULL: not interested.
	 */
	void (*changed)(struct console *console);
	/* The terminal's own ioctl commands. -ENOTTY: no such command. NULL: none. */
	ssize_t (*ioctl)(struct console *console, unsigned command, uptr_t argument);
	bool size_fixed; /* the window's size is the device's, not for programs to set */
};

/*
 *   [c] constant after console_setup()
 *   [o] whoever has the claim (see console.c)
 *   [a] atomic
 */
struct console {
	struct tty tty;
	const struct console_ops *ops; /* [c] */
	struct display *display;       /* [c] draws single cells at once; NULL: `changed` does it */
	bool shows_log;                /* [c] */
	bool drawn;                /* [o] single cells were: the device's cursor stands elsewhere */
	bool claimed;              /* [a] */
	bool behind;               /* [a] lines wait in the log's ring */
	bool line_editor;          /* [a] */
	bool resized;              /* [a] the window has a size that the model has not */
	uint64_t next_shown;       /* [o] number of the first log line that was not shown */
	struct console_row row;    /* [o] */
	struct terminal *terminal; /* [o] the model; NULL: the window is too large, or no memory */
	void *memory;              /* [o] of the model's screen, and of the alternate one */
	void *alternate_memory;    /* [o] */
	const struct terminal_host *host; /* [c] */
	struct task flush_task;           /* shows lines that could not be shown when they came */
};

/* Finds the serial port and the screen, sets them up as `console=` says, takes over the log's
 * lines. Called once, when interrupts and threads work. `rows=` and `cols=` of the command line
 * give the serial terminal's size. */
void console_init(void);

/*
 * For a line editor in raw mode on /dev/console (ksh's prompt): from now on log lines may be shown,
 * the row put back after them. What it asks: the bytes written since the last carriage return or
 * newline must draw the row anew ("\r\033[K" + prompt + text + cursor movement, or just the text as
 * it is typed). false: off again. Lines held back meanwhile are shown when it is switched on.
 */
void console_line_editor(bool editing);

/* Sends what waits to be sent to the serial port, for a bounded time: before the machine stops or
 * says its last words. From any context, past all locks. */
void serial_console_push_out(void);

/* The serial port's terminal: its window is that of the terminal at the other end. */
extern struct console serial_console;

/* ---- for those who set a console up ---- */

/* `host` may be NULL. Its `memory` is the console's own. `name` and `minor` as in /dev. False: no
 * memory for the model, and nothing was done but where the size may change: there it works without.
 */
bool console_setup(struct console *console, const char *name, unsigned minor,
		   const struct console_ops *ops, const struct terminal_host *host, unsigned rows,
		   unsigned columns);
/* For terminal_host.memory; the argument is the console. */
void *console_alternate_memory(void *argument, size_t len_bytes);

/* ---- single cells, as /dev/vcs* has them ---- */

/* The console's model for the caller alone, until console_unlock(): -EINTR; -ENODEV: there is no
 * model. Sleeps. What is held is short and must not sleep. */
err_t must_check console_lock(struct console *console) TRY_ACQUIRE(0, console->tty.writer);
void console_unlock(struct console *console) RELEASE(console->tty.writer);

/* Between the two: writes cells of one row (cleaned in place), moves the cursor. Both reach the
 * device. */
void console_put_cells(struct console *console, unsigned row, unsigned column, struct cell *cells,
		       unsigned count);
void console_put_cursor(struct console *console, unsigned row, unsigned column);

#endif
