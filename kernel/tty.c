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
#include "tty_priv.h"

#include <abi/fcntl.h>
#include <abi/signal.h>
#include <arch/clock.h>
#include <ipc/buffer.h>
#include <lib/string.h>

#define READ_PIECE    512
#define VTIME_UNIT_NS (NSEC_PER_SEC / 10)
#define DEFAULT_ROWS  24
/* What a bounded line must have room for before anything is sent; at least what output processing
 * makes of one character. */
#define BOUNDED_ROOM_MIN 64
#define DEFAULT_COLUMNS  80

void tty_init(struct tty *tty, const char *name, const struct tty_ops *ops, void *device)
{
	*tty = (struct tty){
		.ops = ops,
		.device = device,
		.size = {.ws_row = DEFAULT_ROWS, .ws_col = DEFAULT_COLUMNS},
	};
	string_copy(tty->name, sizeof(tty->name), name);
	refcount_init(&tty->references);
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

struct tty *tty_get(struct tty *tty)
{
	refcount_get(&tty->references);
	return tty;
}

void tty_put(struct tty *tty)
{
	if (tty && refcount_put(&tty->references))
		tty->ops->free(tty); /* one without it is never given back by its maker */
}

/* ---- opens ---- */

err_t tty_file_open(struct tty_file *file, struct tty *tty, unsigned flags, bool survives)
{
	err_t err = 0;

	spin_lock(&tty->lock);
	if (tty->ops->opened)
		err = tty->ops->opened(tty);
	if (!err)
		tty->nopen++;
	*file = (struct tty_file){.tty = tty,
				  .hangups = tty->hangups,
				  .survives = survives,
				  .readable = (flags & O_ACCMODE) != O_WRONLY};
	spin_unlock(&tty->lock);
	if (err)
		return err;
	tty_get(tty);
	/* That it does not become it is no error. */
	if (!survives && !(flags & O_NOCTTY) && file->readable)
		(void)tty_make_controlling(tty, false);
	return 0;
}

void tty_file_close(struct tty_file *file)
{
	struct tty *tty = file->tty;

	spin_lock(&tty->lock);
	if (--tty->nopen == 0 && tty->ops->closed)
		tty->ops->closed(tty);
	spin_unlock(&tty->lock);
	tty_put(tty);
}

bool tty_file_is_hung_up(const struct tty_file *file)
{
	return !file->survives && read_once(&file->tty->hangups) != file->hangups;
}

void tty_end_files(struct tty *tty)
{
	spin_lock(&tty->lock);
	write_once(&tty->hangups, tty->hangups + 1);
	spin_unlock(&tty->lock);
	waitq_wake_all(&tty->readable);
	waitq_wake_all(&tty->flowing);
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
		tty_tell_input_taken(tty);
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

ssize_t tty_read(const struct tty_file *file, struct buffer *to, bool nonblocking)
{
	struct tty *tty = file->tty;
	size_t wanted = buffer_remaining(to);
	uint64_t start_ns = clock_ns();
	uint64_t deadline_ns;
	uint8_t piece[READ_PIECE];
	struct read_state state;
	size_t done = 0;
	err_t err;

	err = tty_file_is_hung_up(file) ? 0 : tty_check_foreground(tty, SIGTTIN);
	if (err)
		return err;
	while (done < wanted && !tty_file_is_hung_up(file)) {
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
		err = wait_event_interruptible_timeout(
			&tty->readable, readable(tty) || tty_file_is_hung_up(file), deadline_ns);
		if (err == -ETIMEDOUT)
			break;
		if (err)
			return done ? (ssize_t)done : err;
	}
	return (ssize_t)done;
}

ssize_t tty_read_kernel(struct tty *tty, void *to, size_t len_bytes, bool nonblocking)
{
	const struct tty_file file = {.tty = tty, .survives = true};
	struct buffer buffer;

	buffer_init_kernel(&buffer, to, len_bytes);
	return tty_read(&file, &buffer, nonblocking);
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

static bool is_bounded(const struct tty *tty)
{
	return tty->line && tty->line->bounded;
}

/* Returns how much was sent: all of it, but where the line is bounded. */
static size_t send_piece(struct tty *tty, const uint8_t *piece, size_t len_bytes)
	REQUIRES(tty->writer)
{
	size_t room_bytes = sizeof(tty->processed);
	size_t done = 0;
	size_t made;
	size_t taken;

	while (done < len_bytes) {
		if (is_bounded(tty))
			room_bytes = MIN(tty->line->room(tty->line_device), room_bytes);
		if (room_bytes < BOUNDED_ROOM_MIN)
			break;
		spin_lock(&tty->lock);
		made = ldisc_output(&tty->ldisc, piece + done, len_bytes - done, tty->processed,
				    room_bytes, &taken);
		spin_unlock(&tty->lock);
		tty->ops->send(tty, tty->processed, made);
		done += taken;
	}
	return done;
}

/* Whether a piece can be sent now, for output processing may make two bytes of each; where the line
 * is bounded: a part of one. */
static bool has_output_room(struct tty *tty)
{
	size_t wanted = is_bounded(tty) ? BOUNDED_ROOM_MIN : 2 * TTY_WRITE_PIECE;

	return !read_once(&tty->stopped) &&
	       (!tty->line || tty->line->room(tty->line_device) >= wanted);
}

/* What send() itself does not wait for. */
static bool may_send(const struct tty_file *file)
{
	struct tty *tty = file->tty;

	return tty_file_is_hung_up(file) ||
	       (is_bounded(tty) ? has_output_room(tty) : !read_once(&tty->stopped));
}

void tty_has_room(struct tty *tty)
{
	if (is_bounded(tty))
		waitq_wake_all(&tty->flowing);
	waitq_wake_all(&tty->readable); /* poll's queue */
}

/* Takes the writer. Without waiting: only if all of a piece can be sent, which stays so while it is
 * held; -EAGAIN. */
static err_t begin_piece(const struct tty_file *file, struct tty *tty, bool nonblocking)
	TRY_ACQUIRE(0, tty->writer) NO_THREAD_SAFETY
{
	err_t err;

	if (!nonblocking) {
		err = wait_event_interruptible(&tty->flowing, may_send(file));
		if (!err && tty_file_is_hung_up(file))
			err = -EIO;
		return err ? err : mutex_lock_killable(&tty->writer);
	}
	if (tty_file_is_hung_up(file))
		return -EIO;
	if (!mutex_trylock(&tty->writer))
		return -EAGAIN;
	if (has_output_room(tty))
		return 0;
	tty_writer_unlock(tty);
	return -EAGAIN;
}

/* *why says why it is not all. */
static size_t write_piece(const struct tty_file *file, const uint8_t *piece, size_t len_bytes,
			  bool nonblocking, err_t *why)
{
	struct tty *tty = file->tty;
	size_t done = 0;
	err_t err = 0;

	while (done < len_bytes) {
		err = begin_piece(file, tty, nonblocking);
		if (err)
			break;
		done += send_piece(tty, piece + done, len_bytes - done);
		tty_writer_unlock(tty);
	}
	*why = err;
	return done;
}

ssize_t tty_write(const struct tty_file *file, struct buffer *from, bool nonblocking)
{
	struct tty *tty = file->tty;
	size_t wanted = buffer_remaining(from);
	uint8_t piece[TTY_WRITE_PIECE];
	size_t done = 0;
	size_t len;
	err_t err = 0;

	if (tty_file_is_hung_up(file))
		err = -EIO;
	else if (read_once(&tty->ldisc.termios.c_lflag) & TOSTOP)
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
		done += write_piece(file, piece, len, nonblocking, &err);
	}
	tty_settled(tty);
	return done || !err ? (ssize_t)done : err;
}

ssize_t tty_write_kernel(struct tty *tty, const void *from, size_t len_bytes)
{
	const struct tty_file file = {.tty = tty, .survives = true};
	struct buffer buffer;

	buffer_init_kernel(&buffer, (void *)(uintptr_t)from, len_bytes);
	return tty_write(&file, &buffer, false);
}

unsigned tty_poll(const struct tty_file *file, struct waitq **queue)
{
	struct tty *tty = file->tty;

	*queue = &tty->readable;
	if (tty_file_is_hung_up(file))
		return POLLIN | POLLOUT | POLLERR | POLLHUP;
	return (has_output_room(tty) ? POLLOUT : 0) | (readable(tty) ? POLLIN : 0);
}
