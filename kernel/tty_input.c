/*
 * A terminal's way in: what tasks feed and what threads type goes through the line discipline, and
 * its echo out again. Owns no state of its own; tty->feeder keeps the bytes of two devices in order
 * and tty->echo what could not be sent yet (see tty.c for the locks).
 */
#include "tty_priv.h"

#include <abi/signal.h>
#include <ipc/buffer.h>
#include <lib/atomic.h>
#include <mm/slab.h>

#include "process.h"

#define TYPE_PIECE 512

bool tty_input_has_room(struct tty *tty)
{
	bool has;

	spin_lock(&tty->lock);
	has = ldisc_has_room(&tty->ldisc);
	spin_unlock(&tty->lock);
	return has;
}

void tty_writer_unlock(struct tty *tty)
{
	mutex_unlock(&tty->writer);
	waitq_wake_one(&tty->writer_free);
}

/* The analysis of locks cannot follow a lock that is taken in a condition. */
static bool send_echo(struct tty_source *source) NO_THREAD_SAFETY
{
	struct tty *tty = source->tty;

	if (tty->echo_bytes == 0)
		return true;
	if (!task_await(&source->writer, mutex_trylock(&tty->writer)))
		return false;
	tty->ops->echo(tty, tty->echo, tty->echo_bytes);
	tty->echo_bytes = 0;
	tty_writer_unlock(tty);
	tty_settled(tty);
	return true;
}

static void input_character(struct tty *tty, uint8_t character, enum ldisc_condition condition)
{
	struct ldisc_echo echo = {
		.to = tty->echo, .room_bytes = sizeof(tty->echo), .len_bytes = tty->echo_bytes};
	struct ldisc_result result;
	int foreground;

	spin_lock(&tty->lock);
	result = ldisc_input_condition(&tty->ldisc, character, condition, tty->stopped, &echo);
	if (result.events & (LDISC_STOP | LDISC_GO))
		tty_set_stopped_locked(tty, result.events & LDISC_STOP);
	if (result.events & LDISC_FLUSHED)
		tty_input_dropped_locked(tty);
	foreground = tty->foreground;
	if (result.signal && !foreground && tty->awaits_program)
		tty->early_signal = result.signal;
	spin_unlock(&tty->lock);

	tty->echo_bytes = echo.len_bytes;
	if (result.signal && foreground)
		(void)process_group_signal(foreground, result.signal); /* it may have just ended */
	if (result.events & LDISC_GO) {
		waitq_wake_all(&tty->flowing);
		tty_settled(tty);
	}
	if (result.events & LDISC_READABLE)
		waitq_wake_all(&tty->readable);
}

void tty_source_init(struct tty_source *source, struct tty *tty, struct task *task)
{
	source->tty = tty;
	task_wait_init(&source->feeder, task, &tty->feeder_free);
	task_wait_init(&source->room, task, &tty->room);
	task_wait_init(&source->writer, task, &tty->writer_free);
}

void tty_source_end(struct tty_source *source)
{
	task_wait_end(&source->feeder);
	task_wait_end(&source->room);
	task_wait_end(&source->writer);
}

/* An echo that cannot be sent is waited for, but not where output is stopped: the character that
 * lets it go on may be the next one. What then does not fit is not shown. */
static bool echo_is_gone(struct tty_source *source)
{
	return send_echo(source) || read_once(&source->tty->stopped);
}

static bool feed(struct tty_source *source, const uint8_t *from, size_t len_bytes,
		 enum ldisc_condition condition, size_t *taken) REQUIRES(source->tty->feeder)
{
	struct tty *tty = source->tty;

	for (*taken = 0; *taken < len_bytes; ++*taken) {
		if (tty->echo_bytes > sizeof(tty->echo) / 2 && !echo_is_gone(source))
			return false;
		if (!tty_input_has_room(tty) &&
		    (!echo_is_gone(source) || !task_await(&source->room, tty_input_has_room(tty))))
			return false;
		input_character(tty, from[*taken], condition);
	}
	return echo_is_gone(source);
}

/* As with send_echo(). */
bool tty_input_condition(struct tty_source *source, const void *bytes, size_t len_bytes,
			 enum ldisc_condition condition, size_t *taken) NO_THREAD_SAFETY
{
	struct tty *tty = source->tty;
	bool all;

	*taken = 0;
	if (!task_await(&source->feeder, mutex_trylock(&tty->feeder)))
		return false;
	all = feed(source, bytes, len_bytes, condition, taken);
	mutex_unlock(&tty->feeder);
	waitq_wake_one(&tty->feeder_free);
	if (all)
		tty_source_end(source); /* it awaits nothing of it until it comes again */
	return all;
}

bool tty_input(struct tty_source *source, const void *bytes, size_t len_bytes, size_t *taken)
{
	return tty_input_condition(source, bytes, len_bytes, LDISC_FINE, taken);
}

/* In the caller's own time, which may be long. */
static void send_echo_now(struct tty *tty) REQUIRES(tty->feeder)
{
	mutex_lock(&tty->writer);
	tty->ops->echo(tty, tty->echo, tty->echo_bytes);
	tty->echo_bytes = 0;
	tty_writer_unlock(tty);
	tty_settled(tty);
}

/* What readers have room for. */
static size_t type_some(struct tty *tty, const uint8_t *from, size_t len_bytes)
	REQUIRES(tty->feeder)
{
	size_t n;

	for (n = 0; n < len_bytes && tty_input_has_room(tty); n++) {
		input_character(tty, from[n], LDISC_FINE);
		if (tty->echo_bytes > sizeof(tty->echo) / 2)
			send_echo_now(tty);
	}
	if (tty->echo_bytes > 0)
		send_echo_now(tty);
	return n;
}

/* *why says why it is not all. */
static size_t type_piece(struct tty *tty, const uint8_t *from, size_t len_bytes, bool nonblocking,
			 err_t *why)
{
	size_t done = 0;
	err_t err = 0;

	while (done < len_bytes) {
		if (nonblocking)
			err = tty_input_has_room(tty) ? 0 : -EAGAIN;
		else
			err = wait_event_interruptible(&tty->room, tty_input_has_room(tty));
		if (err)
			break;
		err = mutex_lock_killable(&tty->feeder);
		if (err)
			break;
		done += type_some(tty, from + done, len_bytes - done);
		mutex_unlock(&tty->feeder);
		waitq_wake_one(&tty->feeder_free);
	}
	*why = err;
	return done;
}

ssize_t tty_type(struct tty *tty, struct buffer *from, bool nonblocking)
{
	size_t wanted = buffer_remaining(from);
	uint8_t piece[TYPE_PIECE];
	size_t done = 0;
	size_t len;
	err_t err = 0;

	while (!err && done < wanted) {
		if (nonblocking && !tty_input_has_room(tty)) {
			err = -EAGAIN; /* before bytes are taken that could not be put back */
			break;
		}
		len = buffer_copy_from(from, piece, MIN(sizeof(piece), wanted - done));
		if (len == 0)
			err = -EFAULT;
		else
			done += type_piece(tty, piece, len, nonblocking, &err);
	}
	return done || !err ? (ssize_t)done : err;
}

void tty_await_program(struct tty *tty, const struct abi_termios *termios)
{
	uint8_t *ahead;
	size_t nahead;

	mutex_lock(&tty->feeder);
	/* Without memory for it, what was typed ahead stays as it came. */
	ahead = tty_input_bytes(tty) ? kmalloc(LDISC_INPUT_BYTES) : NULL;
	spin_lock(&tty->lock);
	tty->awaits_program = true;
	nahead = ahead ? ldisc_take_raw(&tty->ldisc, ahead) : 0;
	spin_unlock(&tty->lock);
	tty_set_termios(tty, termios, false);
	(void)type_some(tty, ahead, nahead); /* there is room: it has been there before */
	mutex_unlock(&tty->feeder);
	waitq_wake_one(&tty->feeder_free);
	kfree(ahead);
}
