/*
 * The machine's console: which terminal it is, and how log lines and that terminal's output share
 * one screen.
 *
 * A log line never enters what somebody draws. It is shown at once when the cursor stands in a row
 * that can be drawn again (the console keeps the bytes of the cursor's row, so the line being
 * edited is erased, the log line printed, the row put back); it waits while an escape sequence or
 * a piece of output is on its way; it is not shown at all while a program has the terminal in raw
 * mode (an editor, a pager: the screen is theirs), but for one who said that it is a line editor.
 * Whatever is not shown stays in the log's ring, where `dmesg` finds it.
 */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include <lib/types.h>

/* Sets up COM1 (`console=`), the console's terminal, and takes over the log's lines. Called once,
 * when interrupts and threads work. `rows=` and `cols=` of the command line give the size. */
void console_init(void);

/*
 * For a line editor in raw mode (ksh's prompt): from now on log lines may be shown, the row put
 * back after them. What it asks: the bytes written since the last carriage return or newline must
 * draw the row anew ("\r\033[K" + prompt + text + cursor movement, or just the text as it is
 * typed). false: off again. Lines held back meanwhile are shown when it is switched on.
 */
void console_line_editor(bool editing);

#endif
