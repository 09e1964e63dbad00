/*
 * Between the parts of the screen: screen.c (the terminal on a display), screen_raw.c (words
 * without a terminal), vga.c and framebuffer.c (displays).
 */
#ifndef KERNEL_CONSOLE_SCREEN_PRIV_H
#define KERNEL_CONSOLE_SCREEN_PRIV_H

#include "display.h"

/* What was found; NULL: nothing. */
struct display *screen_display(void);

/* The VGA's text mode, if there is one and it is on. Once, after mm_init(). */
struct display *vga_find(void);
/* Pixels, if the loader left some or `video=` asks for them. Likewise. */
struct display *framebuffer_find(void);

struct console;

/* Commands of tty1 alone (screen_ioctl.c). */
ssize_t screen_ioctl(struct console *console, unsigned command, uptr_t argument);
/* The pixels are a program's: nothing is drawn after the row that is being drawn; false: all is
 * drawn anew. From any context. */
void screen_set_graphics(bool on);
/* Until that row is drawn. Sleeps. */
void screen_wait_for_picture(void);
bool screen_graphics(void);

/* From now on a terminal has the screen: console_screen_raw() shows nothing but a panic. */
void screen_raw_end(void);

#endif
