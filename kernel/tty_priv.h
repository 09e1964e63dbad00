/*
 * Between the parts of terminals: tty.c (reading, writing), tty_input.c (the way in) and
 * tty_settings.c.
 */
#ifndef KERNEL_TTY_PRIV_H
#define KERNEL_TTY_PRIV_H

#include "tty.h"

/* The device is told that the writer is done, or that the settings are others. */
static inline void tty_settled(struct tty *tty)
{
	if (tty->ops->settled)
		tty->ops->settled(tty);
}

/* ^S and ^Q, and who says the same in other ways. What TCOOFF holds only TCOON lets go. */
static inline void tty_set_stopped_locked(struct tty *tty, bool stopped) REQUIRES(tty->lock);
static inline void tty_set_stopped_locked(struct tty *tty, bool stopped)
{
	if (tty->stopped == stopped || (tty->held && !stopped))
		return;
	tty->stopped = stopped;
	if (tty->line)
		tty->line->stop(tty->line_device, stopped);
}

static inline void tty_input_dropped_locked(struct tty *tty) REQUIRES(tty->lock);
static inline void tty_input_dropped_locked(struct tty *tty)
{
	if (tty->line && tty->line->input_dropped)
		tty->line->input_dropped(tty->line_device);
}

/* A reader has made room. */
static inline void tty_tell_input_taken(struct tty *tty)
{
	waitq_wake_all(&tty->room);
	if (tty->line && tty->line->input_taken)
		tty->line->input_taken(tty->line_device);
}

#endif
