/*
 * Between the parts of the consoles: console.c (one of them), setup.c (which there are).
 */
#ifndef KERNEL_CONSOLE_CONSOLE_PRIV_H
#define KERNEL_CONSOLE_CONSOLE_PRIV_H

#include "console.h"

struct log_line;

/* The log's sink for one console: under the log's lock, from anywhere. */
void console_log_line(struct console *console, const struct log_line *line);
/* The sink shows what comes from now on; `from_start`: also what is in the log's ring already. */
void console_show_log(struct console *console, bool from_start);
void console_set_line_editor(struct console *console, bool editing);

/* COM1 as a console; there always is one, though it may have neither input nor output. */
void serial_console_init(void);
bool serial_console_works(void);

#endif
