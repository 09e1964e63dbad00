/*
 * Self-tests of terminals, on one whose output goes into a buffer.
 */
#include <abi/errno.h>
#include <arch/clock.h>
#include <ipc/buffer.h>
#include <lib/atomic.h>
#include <lib/selftest.h>
#include <lib/string.h>
#include <mm/kva.h>
#include <sched/thread.h>

#include "kthread.h"
#include "tty.h"

#define OUTPUT_BYTES 256

/* A terminal and what it sent. Used by the test's thread, a task that types, perhaps a writer. */
struct loop {
	struct tty tty;
	char output[OUTPUT_BYTES];
	size_t noutput;

	struct task typist;
	struct tty_source source;
	struct task_timeout later;
	const char *text;
	size_t ntyped;
	bool written; /* atomic: the writer is done with the terminal */
};

#define LOOP_PAGES (ALIGN_UP(sizeof(struct loop), PAGE_SIZE) / PAGE_SIZE)

static void loop_send(struct tty *tty, const void *bytes, size_t len_bytes)
{
	struct loop *loop = tty->device;
	size_t n = MIN(len_bytes, sizeof(loop->output) - loop->noutput);

	memcpy(loop->output + loop->noutput, bytes, n);
	loop->noutput += n;
}

static const struct tty_ops loop_ops = {.send = loop_send, .echo = loop_send};

static enum task_poll typist_poll(struct task *task)
{
	struct loop *loop = container_of(task, struct loop, typist);
	size_t taken;
	bool all;

	if (loop->later.deadline_ns != UINT64_MAX && !task_timeout_passed(&loop->later))
		return task_pending(task, "its time");
	all = tty_input(&loop->source, loop->text + loop->ntyped, strlen(loop->text) - loop->ntyped,
			&taken);
	loop->ntyped += taken;
	return all ? TASK_DONE : task_pending(task, "the terminal");
}

static struct loop *loop_create(void)
{
	struct loop *loop = kva_alloc(LOOP_PAGES);

	if (!selftest_check(loop))
		return NULL;
	loop->noutput = 0;
	loop->written = false;
	tty_init(&loop->tty, "loop", &loop_ops, loop);
	task_init(&loop->typist, "typist", typist_poll, NULL);
	tty_source_init(&loop->source, &loop->tty, &loop->typist);
	task_timeout_init(&loop->later, &loop->typist);
	return loop;
}

static void start_typing(struct loop *loop, const char *text)
{
	loop->text = text;
	loop->ntyped = 0;
	task_start(&loop->typist);
}

static void type(struct loop *loop, const char *text)
{
	start_typing(loop, text);
	task_join(&loop->typist);
}

static void set_raw(struct loop *loop, uint8_t min, uint8_t time)
{
	struct abi_termios termios;

	tty_get_termios(&loop->tty, &termios);
	termios.c_lflag &= ~(unsigned)(ICANON | ECHO | ISIG | IEXTEN);
	termios.c_cc[VMIN] = min;
	termios.c_cc[VTIME] = time;
	tty_set_termios(&loop->tty, &termios, false);
}

static bool output_is(struct loop *loop, const char *expected)
{
	bool same = loop->noutput == strlen(expected) &&
		    memcmp(loop->output, expected, loop->noutput) == 0;

	loop->noutput = 0;
	return same;
}

static bool read_is(struct loop *loop, size_t max_bytes, const char *expected)
{
	char to[64];
	ssize_t n = tty_read_kernel(&loop->tty, to, MIN(max_bytes, sizeof(to)), true);

	return n == (ssize_t)strlen(expected) && memcmp(to, expected, (size_t)n) == 0;
}

SELFTEST(tty_canonical_read_gives_one_line)
{
	struct loop *loop = loop_create();
	char byte;

	if (!loop)
		return;
	type(loop, "one\rtwo\rhal");
	selftest_check(output_is(loop, "one\r\ntwo\r\nhal"));
	selftest_check(read_is(loop, 64, "one\n"));
	selftest_check(read_is(loop, 2, "tw"));
	selftest_check(read_is(loop, 64, "o\n"));
	selftest_check(tty_read_kernel(&loop->tty, &byte, 1, true) == -EAGAIN);
	kva_free(loop);
}

SELFTEST(tty_erase_and_end_of_file)
{
	struct loop *loop = loop_create();

	if (!loop)
		return;
	type(loop, "ax\x7f"
		   "b\x04\x04");
	selftest_check(output_is(loop, "ax\b \bb"));
	selftest_check(read_is(loop, 64, "ab"));
	selftest_check(read_is(loop, 64, ""));
	kva_free(loop);
}

SELFTEST(tty_raw_read_waits_as_vmin_and_vtime_say)
{
	struct loop *loop = loop_create();
	uint64_t start_ns;
	char to[8];

	if (!loop)
		return;
	set_raw(loop, 0, 0);
	selftest_check(tty_read_kernel(&loop->tty, to, sizeof(to), false) == 0);
	type(loop, "\x03\r");
	selftest_check(read_is(loop, 8, "\x03\n"));

	set_raw(loop, 0, 1); /* a tenth of a second, then nothing */
	start_ns = clock_ns();
	selftest_check(tty_read_kernel(&loop->tty, to, sizeof(to), false) == 0);
	selftest_check(clock_ns() - start_ns >= 100 * NSEC_PER_MSEC);

	set_raw(loop, 4, 1); /* two came, no more within a tenth of a second */
	type(loop, "xy");
	selftest_check(tty_read_kernel(&loop->tty, to, sizeof(to), false) == 2);
	kva_free(loop);
}

SELFTEST(tty_reader_is_woken_by_input)
{
	struct loop *loop = loop_create();
	char to[16];
	ssize_t n;

	if (!loop)
		return;
	task_timeout_start(&loop->later, clock_ns() + 5 * NSEC_PER_MSEC);
	start_typing(loop, "late\n");
	n = tty_read_kernel(&loop->tty, to, sizeof(to), false);
	selftest_check(n == 5 && memcmp(to, "late\n", 5) == 0);
	task_join(&loop->typist); /* its echo may still be under way */
	kva_free(loop);
}

SELFTEST(tty_full_queue_holds_input_back)
{
	static const char line[] = "0123456789abcde\n";
	struct loop *loop = loop_create();
	size_t count = 0;

	if (!loop)
		return;
	set_raw(loop, 1, 0);
	for (size_t i = 0; i < LDISC_INPUT_BYTES / strlen(line); i++)
		type(loop, line);
	selftest_check(tty_input_bytes(&loop->tty) == LDISC_INPUT_BYTES);
	selftest_check(!ldisc_has_room(&loop->tty.ldisc));
	while (read_is(loop, strlen(line), line))
		count++;
	selftest_check(count == LDISC_INPUT_BYTES / strlen(line));
	kva_free(loop);
}

SELFTEST(tty_input_goes_on_when_there_is_room)
{
	static const char line[] = "0123456789abcde\n";
	struct loop *loop = loop_create();

	if (!loop)
		return;
	set_raw(loop, 1, 0);
	for (size_t i = 0; i < LDISC_INPUT_BYTES / strlen(line); i++)
		type(loop, line);
	start_typing(loop, "more");
	executors_flush();
	selftest_check(loop->ntyped == 0);
	for (size_t i = 0; i < LDISC_INPUT_BYTES / strlen(line); i++)
		selftest_check(read_is(loop, strlen(line), line));
	task_join(&loop->typist);
	selftest_check(read_is(loop, 8, "more"));
	kva_free(loop);
}

static void write_slowly(struct tty *tty, const void *bytes, size_t len_bytes)
{
	(void)thread_sleep_ns(5 * NSEC_PER_MSEC);
	loop_send(tty, bytes, len_bytes);
}

static void write_a_piece(void *argument)
{
	struct loop *loop = argument;

	selftest_check(tty_write_kernel(&loop->tty, "piece", 5) == 5);
	store_release(&loop->written, true);
}

SELFTEST(tty_echo_waits_for_the_writer)
{
	static const struct tty_ops slow_ops = {.send = write_slowly, .echo = loop_send};
	struct loop *loop = loop_create();

	if (!loop)
		return;
	loop->tty.ops = &slow_ops;
	if (selftest_check(!kthread_start("writer", write_a_piece, loop, NULL))) {
		while (!mutex_is_locked(&loop->tty.writer))
			(void)thread_sleep_ns(NSEC_PER_MSEC / 10);
		type(loop, "echo");
		/* Acquire: pairs with the writer's release. */
		while (!load_acquire(&loop->written))
			(void)thread_sleep_ns(NSEC_PER_MSEC / 10);
		selftest_check(output_is(loop, "pieceecho"));
	}
	kva_free(loop);
}

SELFTEST(tty_write_processes_output)
{
	struct loop *loop = loop_create();
	struct abi_termios termios;

	if (!loop)
		return;
	selftest_check(tty_write_kernel(&loop->tty, "a\nb", 3) == 3);
	selftest_check(output_is(loop, "a\r\nb"));
	tty_get_termios(&loop->tty, &termios);
	termios.c_oflag &= ~(unsigned)OPOST;
	tty_set_termios(&loop->tty, &termios, false);
	selftest_check(tty_write_kernel(&loop->tty, "a\nb", 3) == 3);
	selftest_check(output_is(loop, "a\nb"));
	kva_free(loop);
}

SELFTEST(tty_size_changes_are_told)
{
	const struct abi_winsize size = {.ws_row = 50, .ws_col = 132};
	struct loop *loop = loop_create();
	uint32_t seen;

	if (!loop)
		return;
	seen = tty_size_changes(&loop->tty);
	selftest_check(tty_wait_input(&loop->tty, clock_ns(), &seen) == -ETIMEDOUT);
	tty_set_size(&loop->tty, &size);
	selftest_check(tty_wait_input(&loop->tty, UINT64_MAX, &seen) == -ERESTART);
	tty_set_size(&loop->tty, &size); /* the same again is no change */
	selftest_check(tty_wait_input(&loop->tty, clock_ns(), &seen) == -ETIMEDOUT);
	kva_free(loop);
}

SELFTEST(tty_is_one_sessions_at_a_time)
{
	struct loop *loop = loop_create();
	int foreground;

	if (!loop)
		return;
	selftest_check(!tty_claim(&loop->tty, 100, 101));
	selftest_check(tty_claim(&loop->tty, 200, 201) == -EPERM);
	selftest_check(tty_session(&loop->tty) == 100 && tty_foreground(&loop->tty) == 101);
	selftest_check(tty_disclaim(&loop->tty, &foreground) && foreground == 101);
	selftest_check(!tty_disclaim(&loop->tty, &foreground)); /* it was nobody's */
	selftest_check(!tty_session(&loop->tty) && !tty_foreground(&loop->tty));
	selftest_check(!tty_claim(&loop->tty, 200, 201));
	kva_free(loop);
}

/* ---- writing without waiting ---- */

/* A line that is stopped just when somebody has seen its room. */
static size_t room_and_stop(void *line)
{
	struct loop *loop = line;

	write_once(&loop->tty.stopped, true);
	return SIZE_MAX;
}

static size_t much_room(UNUSED void *line)
{
	return SIZE_MAX;
}

static ssize_t write_nonblocking(struct loop *loop)
{
	static char text[] = "now or never";
	const struct tty_file file = {.tty = &loop->tty, .survives = true};
	struct buffer buffer;

	buffer_init_kernel(&buffer, text, sizeof(text));
	return tty_write(&file, &buffer, true);
}

SELFTEST(tty_nonblocking_writer_never_waits)
{
	static const struct tty_line_ops stopping = {.room = room_and_stop};
	static const struct tty_line_ops roomy = {.room = much_room};
	struct loop *loop = loop_create();

	if (!loop)
		return;
	loop->tty.line_device = loop;
	loop->tty.line = &stopping;
	selftest_check(write_nonblocking(loop) == -EAGAIN);
	loop->tty.line = &roomy;
	selftest_check(write_nonblocking(loop) == -EAGAIN); /* it is still stopped */
	write_once(&loop->tty.stopped, false);
	mutex_lock(&loop->tty.writer); /* somebody else is writing */
	selftest_check(write_nonblocking(loop) == -EAGAIN);
	mutex_unlock(&loop->tty.writer);
	selftest_check(write_nonblocking(loop) > 0);
	kva_free(loop);
}
