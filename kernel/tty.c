/*
 * Terminals: readers, writers and settings around the line discipline.
 *
 * Three locks. `feeder` (sleeping, LOCK_TTY_INPUT) keeps the bytes of two devices in order, a
 * keyboard's and a serial port's; the others are taken inside it. `lock` (spinning, LOCK_DEVICE)
 * has the line discipline and the small state; it is held for one piece of work in memory. `writer`
 * (sleeping, LOCK_TTY) has the way to the device; `lock` is taken inside it. Programs' memory is
 * only touched with neither held, through a piece on the stack, so a page fault there may take any
 * lock.
 */
#include "tty.h"

#include <abi/fcntl.h>
#include <abi/signal.h>
#include <arch/clock.h>
#include <ipc/buffer.h>
#include <lib/string.h>
#include <mm/slab.h>

#include "process.h"

#define READ_PIECE      512
#define VTIME_UNIT_NS   (NSEC_PER_SEC / 10)
#define DEFAULT_ROWS    24
#define DEFAULT_COLUMNS 80

void tty_init(struct tty *tty, const char *name, const struct tty_ops *ops, void *device)
{
	*tty = (struct tty){
		.ops = ops,
		.device = device,
		.size = {.ws_row = DEFAULT_ROWS, .ws_col = DEFAULT_COLUMNS},
	};
	string_copy(tty->name, sizeof(tty->name), name);
	spin_init(&tty->lock, LOCK_DEVICE);
	ldisc_init(&tty->ldisc);
	waitq_init(&tty->readable);
	waitq_init(&tty->room);
	waitq_init(&tty->flowing);
	waitq_init(&tty->feeder_free);
	mutex_init(&tty->feeder, LOCK_TTY_INPUT);
	waitq_init(&tty->writer_free);
	mutex_init(&tty->writer, LOCK_TTY);
}

static void settled(struct tty *tty)
{
	if (tty->ops->settled)
		tty->ops->settled(tty);
}

/* ---- input ---- */

static bool has_room(struct tty *tty)
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
	settled(tty);
	return true;
}

/* ^S and ^Q, and who says the same in other ways. */
static void set_stopped_locked(struct tty *tty, bool stopped) REQUIRES(tty->lock);
static void set_stopped_locked(struct tty *tty, bool stopped)
{
	if (tty->stopped == stopped)
		return;
	tty->stopped = stopped;
	if (tty->line)
		tty->line->stop(tty->line_device, stopped);
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
		set_stopped_locked(tty, result.events & LDISC_STOP);
	foreground = tty->foreground;
	if (result.signal && !foreground && tty->awaits_program)
		tty->early_signal = result.signal;
	spin_unlock(&tty->lock);

	tty->echo_bytes = echo.len_bytes;
	if (result.signal && foreground)
		(void)process_group_signal(foreground, result.signal); /* it may have just ended */
	if (result.events & LDISC_GO) {
		waitq_wake_all(&tty->flowing);
		settled(tty);
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
		if (!has_room(tty) &&
		    (!echo_is_gone(source) || !task_await(&source->room, has_room(tty))))
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

/* ---- reading ---- */

/* What there is now, and what a read has to wait for. */
struct read_state {
	size_t len_bytes; /* taken */
	bool line_done;
	bool canonical;
	size_t min_bytes; /* VMIN; canonical: 1 */
	uint64_t time_ns; /* VTIME; 0: none */
};

static struct read_state take(struct tty *tty, uint8_t *to, size_t max_bytes)
{
	const struct abi_termios *termios = &tty->ldisc.termios;
	struct read_state state = {.min_bytes = 1};
	bool more;

	spin_lock(&tty->lock);
	state.canonical = ldisc_canonical(&tty->ldisc);
	if (!state.canonical) {
		state.min_bytes = termios->c_cc[VMIN];
		state.time_ns = termios->c_cc[VTIME] * VTIME_UNIT_NS;
	}
	state.len_bytes = ldisc_read(&tty->ldisc, to, max_bytes, &state.line_done);
	more = ldisc_readable(&tty->ldisc);
	spin_unlock(&tty->lock);

	if (state.len_bytes > 0 || state.line_done) {
		waitq_wake_all(&tty->room);
		if (more)
			waitq_wake_one(&tty->readable);
	}
	return state;
}

static bool readable(struct tty *tty)
{
	bool is;

	spin_lock(&tty->lock);
	is = ldisc_readable(&tty->ldisc);
	spin_unlock(&tty->lock);
	return is;
}

/* Enough for this read, with `done` bytes of `wanted`, though nothing more is there? */
static bool is_enough(const struct read_state *state, size_t done, size_t wanted)
{
	if (state->canonical || state->time_ns == 0)
		return done >= MIN(state->min_bytes, wanted);
	return done > 0 && done >= MIN(state->min_bytes, wanted);
}

/* Until when to wait for more. VTIME runs from the start where VMIN is 0, else from byte to byte.
 */
static uint64_t wait_deadline(const struct read_state *state, size_t done, uint64_t start_ns)
{
	if (state->time_ns == 0)
		return UINT64_MAX;
	if (state->min_bytes == 0)
		return start_ns + state->time_ns;
	return done > 0 ? clock_ns() + state->time_ns : UINT64_MAX;
}

ssize_t tty_read(struct tty *tty, struct buffer *to, bool nonblocking)
{
	size_t wanted = buffer_remaining(to);
	uint64_t start_ns = clock_ns();
	uint64_t deadline_ns;
	uint8_t piece[READ_PIECE];
	struct read_state state;
	size_t done = 0;
	err_t err;

	err = tty_check_foreground(tty, SIGTTIN);
	if (err)
		return err;
	while (done < wanted) {
		state = take(tty, piece, MIN(sizeof(piece), wanted - done));
		if (state.len_bytes > 0) {
			size_t moved = buffer_copy_to(to, piece, state.len_bytes);

			done += moved;
			if (moved < state.len_bytes)
				return buffer_result(done, wanted);
		}
		if (state.line_done)
			break;
		if (state.len_bytes > 0)
			continue;
		if (is_enough(&state, done, wanted))
			break;
		if (nonblocking)
			return done ? (ssize_t)done : -EAGAIN;
		/* Not in the macro's argument, which is evaluated anew after each wake. */
		deadline_ns = wait_deadline(&state, done, start_ns);
		err = wait_event_interruptible_timeout(&tty->readable, readable(tty), deadline_ns);
		if (err == -ETIMEDOUT)
			break;
		if (err)
			return done ? (ssize_t)done : err;
	}
	return (ssize_t)done;
}

ssize_t tty_read_kernel(struct tty *tty, void *to, size_t len_bytes, bool nonblocking)
{
	struct buffer buffer;

	buffer_init_kernel(&buffer, to, len_bytes);
	return tty_read(tty, &buffer, nonblocking);
}

err_t tty_wait_input(struct tty *tty, uint64_t deadline_ns, uint32_t *size_seen)
{
	uint32_t before = size_seen ? *size_seen : 0;
	err_t err;

	err = wait_event_interruptible_timeout(
		&tty->readable, readable(tty) || (size_seen && tty_size_changes(tty) != before),
		deadline_ns);
	if (err || !size_seen || readable(tty))
		return err;
	*size_seen = tty_size_changes(tty);
	return -ERESTART;
}

/* ---- writing ---- */

static void send_piece(struct tty *tty, const uint8_t *piece, size_t len_bytes)
	REQUIRES(tty->writer)
{
	size_t made;
	size_t taken;

	while (len_bytes > 0) {
		spin_lock(&tty->lock);
		made = ldisc_output(&tty->ldisc, piece, len_bytes, tty->processed,
				    sizeof(tty->processed), &taken);
		spin_unlock(&tty->lock);
		tty->ops->send(tty, tty->processed, made);
		piece += taken;
		len_bytes -= taken;
	}
}

/* Whether a piece can be sent now: output processing may make two bytes of each. */
static bool has_output_room(struct tty *tty)
{
	return !read_once(&tty->stopped) &&
	       (!tty->line || tty->line->room(tty->line_device) >= 2 * TTY_WRITE_PIECE);
}

void tty_has_room(struct tty *tty)
{
	waitq_wake_all(&tty->readable); /* poll's queue */
}

ssize_t tty_write(struct tty *tty, struct buffer *from, bool nonblocking)
{
	size_t wanted = buffer_remaining(from);
	uint8_t piece[TTY_WRITE_PIECE];
	size_t done = 0;
	size_t len;
	err_t err = 0;

	if (read_once(&tty->ldisc.termios.c_lflag) & TOSTOP)
		err = tty_check_foreground(tty, SIGTTOU);
	while (!err && done < wanted) {
		if (nonblocking && !has_output_room(tty)) {
			err = -EAGAIN;
			break;
		}
		len = buffer_copy_from(from, piece, MIN(sizeof(piece), wanted - done));
		if (len == 0) {
			err = -EFAULT;
			break;
		}
		err = wait_event_interruptible(&tty->flowing, !read_once(&tty->stopped));
		if (err)
			break;
		err = mutex_lock_killable(&tty->writer);
		if (err)
			break;
		send_piece(tty, piece, len);
		tty_writer_unlock(tty);
		done += len;
	}
	settled(tty);
	return done || !err ? (ssize_t)done : err;
}

ssize_t tty_write_kernel(struct tty *tty, const void *from, size_t len_bytes)
{
	struct buffer buffer;

	buffer_init_kernel(&buffer, (void *)(uintptr_t)from, len_bytes);
	return tty_write(tty, &buffer, false);
}

unsigned tty_poll(struct tty *tty, struct waitq **queue)
{
	*queue = &tty->readable;
	return (has_output_room(tty) ? POLLOUT : 0) | (readable(tty) ? POLLIN : 0);
}

/* ---- settings ---- */

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
		set_stopped_locked(tty, false);
	spin_unlock(&tty->lock);
	waitq_wake_all(&tty->room);
	waitq_wake_all(&tty->readable);
	waitq_wake_all(&tty->flowing);
	settled(tty);
}

void tty_flush_input(struct tty *tty)
{
	spin_lock(&tty->lock);
	ldisc_flush_input(&tty->ldisc);
	spin_unlock(&tty->lock);
	waitq_wake_all(&tty->room);
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
	set_stopped_locked(tty, stopped);
	spin_unlock(&tty->lock);
	waitq_wake_all(&tty->flowing);
	settled(tty);
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
	spin_lock(&tty->lock);
	write_once(&tty->session, session);
	spin_unlock(&tty->lock);
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
		/* A key for a program of ksh's is none for this group. */
		(void)set_foreground_locked(tty, group);
	}
	spin_unlock(&tty->lock);
	return err;
}

int tty_leave(struct tty *tty, int session)
{
	int foreground = 0;

	spin_lock(&tty->lock);
	if (tty->session == session) {
		foreground = tty->foreground;
		write_once(&tty->session, 0);
		(void)set_foreground_locked(tty, 0);
	}
	spin_unlock(&tty->lock);
	return foreground;
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

static void send_echo_now(struct tty *tty) REQUIRES(tty->feeder)
{
	mutex_lock(&tty->writer);
	tty->ops->echo(tty, tty->echo, tty->echo_bytes);
	tty->echo_bytes = 0;
	tty_writer_unlock(tty);
	settled(tty);
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
	for (size_t i = 0; i < nahead; i++) {
		input_character(tty, ahead[i], LDISC_FINE);
		if (tty->echo_bytes > sizeof(tty->echo) / 2)
			send_echo_now(tty);
	}
	if (tty->echo_bytes > 0)
		send_echo_now(tty);
	mutex_unlock(&tty->feeder);
	waitq_wake_one(&tty->feeder_free);
	kfree(ahead);
}

int tty_foreground(struct tty *tty)
{
	return read_once(&tty->foreground);
}
