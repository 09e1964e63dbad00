/*
 * Between the parts of the screen: screen.c (the terminal on a display), screen_raw.c (words
 * without a terminal), vga.c and framebuffer.c (displays).
 */
#ifndef KERNEL_CONSOLE_SCREEN_PRIV_H
#define KERNEL_CONSOLE_SCREEN_PRIV_H

#include "console.h"
#include "display.h"
#include "history.h"
#include "input/input.h"

#define VC_INPUT_BYTES 1024 /* a power of two */

/*
 * A virtual console.
 *   [c] constant once it is made
 *   [o] the claim of its console
 *   [i] input_lock
 *   [t] its task's alone
 *   [a] atomic
 */
struct vc {
	struct console console;
	bool made;                   /* [a] */
	bool graphics;               /* [a] its pixels are a program's */
	enum keyboard_mode key_mode; /* [a] what keys send while it is shown */
	int graphics_owner;          /* [a] the process whose setting it is; 0: none */
	int keys_owner;              /* [a] the same */
	struct history history;      /* [o] */
	unsigned view; /* [o], read [a]: rows that it is scrolled back, never more than it has */
	struct input_target keys; /* [c] */
	struct spinlock input_lock;
	uint32_t input_head; /* [i] positions count up; the place by modulo */
	uint32_t input_tail; /* [i] */
	struct task feeder;
	struct tty_source source;      /* [t] what is on its way to the terminal */
	size_t feeding_bytes;          /* [t] */
	size_t fed;                    /* [t] */
	uint8_t feeding[64];           /* [t] */
	uint8_t input[VC_INPUT_BYTES]; /* [i] keys and answers */
};

/* NULL: it has not been made. Numbers from 1. */
struct vc *screen_made(unsigned number);
/* Asks for another one to be shown; what is none is not heard. From any context. */
void screen_show(unsigned number);
unsigned screen_shown(void);
/* Until it is: 0, -EINTR. */
err_t must_check screen_wait_shown(unsigned number);

/* What was found; NULL: nothing. */
struct display *screen_display(void);

/* The VGA's text mode, if there is one and it is on. Once, after mm_init(). */
struct display *vga_find(void);
/* Pixels, if the loader left some or `video=` asks for them. Likewise. */
struct display *framebuffer_find(void);

/* Commands of virtual consoles alone (screen_ioctl.c). */
ssize_t screen_ioctl(struct console *console, unsigned command, uptr_t argument);
/* The pixels are a program's: nothing is drawn after the row that is being drawn; false: all is
 * drawn anew. From any context. */
void screen_set_graphics(struct vc *vc, bool on);
/* Until that row is drawn. Sleeps. */
void screen_wait_for_picture(void);

/* From now on a terminal has the screen: console_screen_raw() shows nothing but a panic. */
void screen_raw_end(void);

#endif
