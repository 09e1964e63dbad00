/*
 * The machine's own screen: /dev/tty1 to tty6 on a display (text mode or pixels). What programs
 * write changes the terminal's cells at once; a thread draws them a little later, as often as is
 * worth while, and only those that look other than what is shown.
 */
#ifndef KERNEL_CONSOLE_SCREEN_H
#define KERNEL_CONSOLE_SCREEN_H

#include "console.h"

#define SCREEN_VCS 6

/* The virtual console ttyN, numbers from 1; 0: the one that is shown. The first is there where
 * there is a display (look at screen_present() first), the others are made by this. NULL: no
 * memory. Sleeps. */
struct console *screen_console_get(unsigned number);

/* Whether there is one. From console_init() on. */
bool screen_present(void);

/* The terminal is shown, if it is a virtual console. From any context. */
void screen_show_console(const struct tty *tty);

/* Finds a display. Once, after mm_init(): from here on console_screen_raw() shows something. */
void screen_find_display(void);
/* Makes the terminal. False: there is no display. Sleeps. */
bool screen_init(void);

/* A program has ended: what it has set for itself (the pixels, raw keys) is put back. */
void screen_process_ended(int pid);

/* Last words are about to be said: the screen is theirs from now on. No locks, any context. */
void screen_enter_panic(void);

#endif
