/*
 * A terminal's settings, queues and size, and which session and group it has. All of it is under
 * tty->lock.
 */
#include "tty_priv.h"

#include <abi/errno.h>
#include <abi/signal.h>
#include <lib/atomic.h>
#include <lib/string.h>

#include "process.h"

void tty_get_termios(struct tty *tty, struct abi_termios *out)
{
	spin_lock(&tty->lock);
	*out = tty->ldisc.termios;
	spin_unlock(&tty->lock);
}

void tty_set_termios(struct tty *tty, const struct abi_termios *termios, bool flush)
{
	struct abi_termios new = *termios;

	spin_lock(&tty->lock);
	if (flush)
		ldisc_flush_input(&tty->ldisc);
	if (tty->line)
		tty->line->settings(tty->line_device, &tty->ldisc.termios, &new);
	ldisc_set_termios(&tty->ldisc, &new);
	if (!(new.c_iflag &IXON))
		tty_set_stopped_locked(tty, false);
	spin_unlock(&tty->lock);
	waitq_wake_all(&tty->room);
	waitq_wake_all(&tty->readable);
	waitq_wake_all(&tty->flowing);
	tty_settled(tty);
}

void tty_flush_input(struct tty *tty)
{
	spin_lock(&tty->lock);
	ldisc_flush_input(&tty->ldisc);
	tty_input_dropped_locked(tty);
	spin_unlock(&tty->lock);
	tty_tell_input_taken(tty);
}

size_t tty_input_bytes(struct tty *tty)
{
	size_t count;

	spin_lock(&tty->lock);
	count = ldisc_count(&tty->ldisc);
	spin_unlock(&tty->lock);
	return count;
}

err_t tty_drain(struct tty *tty)
{
	return tty->line ? tty->line->drain(tty->line_device) : 0;
}

void tty_flush_output(struct tty *tty)
{
	if (tty->line)
		tty->line->discard(tty->line_device);
}

size_t tty_output_bytes(struct tty *tty)
{
	return tty->line ? tty->line->waiting(tty->line_device) : 0;
}

void tty_set_stopped(struct tty *tty, bool stopped)
{
	spin_lock(&tty->lock);
	tty_set_stopped_locked(tty, stopped);
	spin_unlock(&tty->lock);
	waitq_wake_all(&tty->flowing);
	tty_settled(tty);
}

void tty_set_held(struct tty *tty, bool held)
{
	spin_lock(&tty->lock);
	tty->held = held;
	spin_unlock(&tty->lock);
	tty_set_stopped(tty, held);
}

void tty_get_size(struct tty *tty, struct abi_winsize *out)
{
	spin_lock(&tty->lock);
	*out = tty->size;
	spin_unlock(&tty->lock);
}

void tty_set_size(struct tty *tty, const struct abi_winsize *size)
{
	int foreground;
	bool changed;

	spin_lock(&tty->lock);
	changed = memcmp(&tty->size, size, sizeof(*size)) != 0;
	tty->size = *size;
	if (changed)
		write_once(&tty->size_changes, tty->size_changes + 1);
	foreground = tty->foreground;
	spin_unlock(&tty->lock);
	if (!changed)
		return;
	if (foreground)
		(void)process_group_signal(foreground, SIGWINCH); /* it may have just ended */
	waitq_wake_all(&tty->readable);
	if (tty->ops->resized)
		tty->ops->resized(tty);
}

uint32_t tty_size_changes(struct tty *tty)
{
	return read_once(&tty->size_changes);
}

void tty_set_session(struct tty *tty, int session)
{
	bool was_claimed;

	spin_lock(&tty->lock);
	was_claimed = tty->session != 0;
	write_once(&tty->session, session);
	if (session)
		tty_get(tty);
	spin_unlock(&tty->lock);
	if (was_claimed)
		tty_put(tty);
}

int tty_session(struct tty *tty)
{
	return read_once(&tty->session);
}

/* Returns the signal that is due to the group. */
static int set_foreground_locked(struct tty *tty, int group) REQUIRES(tty->lock);
static int set_foreground_locked(struct tty *tty, int group)
{
	int signal = group ? tty->early_signal : 0;

	write_once(&tty->foreground, group);
	tty->early_signal = 0;
	tty->awaits_program = false;
	return signal;
}

err_t tty_claim(struct tty *tty, int session, int group)
{
	err_t err = 0;

	spin_lock(&tty->lock);
	if (tty->session) {
		err = -EPERM;
	} else {
		write_once(&tty->session, session);
		tty_get(tty);
		/* A key for a program of ksh's is none for this group. */
		(void)set_foreground_locked(tty, group);
	}
	spin_unlock(&tty->lock);
	return err;
}

bool tty_disclaim(struct tty *tty, int *foreground)
{
	bool was_claimed;

	spin_lock(&tty->lock);
	was_claimed = tty->session != 0;
	*foreground = tty->foreground;
	write_once(&tty->session, 0);
	(void)set_foreground_locked(tty, 0);
	spin_unlock(&tty->lock);
	return was_claimed;
}

void tty_set_foreground(struct tty *tty, int group)
{
	int signal;

	spin_lock(&tty->lock);
	signal = set_foreground_locked(tty, group);
	spin_unlock(&tty->lock);
	if (signal)
		(void)process_group_signal(group, signal);
}

int tty_foreground(struct tty *tty)
{
	return read_once(&tty->foreground);
}
