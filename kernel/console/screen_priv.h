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

/* From now on a terminal has the screen: console_screen_raw() shows nothing but a panic. */
void screen_raw_end(void);

#endif
