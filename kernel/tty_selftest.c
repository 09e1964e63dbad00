/*
 * Self-tests of terminals, on one whose output goes into a buffer.
 */
#include <abi/errno.h>
#include <arch/clock.h>
#include <lib/atomic.h>
#include <lib/selftest.h>
#include <lib/string.h>
#include <mm/kva.h>
#include <sched/thread.h>

#include "kthread.h"
#include "tty.h"

#define OUTPUT_BYTES 256

/* A terminal and what it sent. Used by the test's thread, and by one more that types. */
struct loop {
	struct tty tty;
	char output[OUTPUT_BYTES];
	size_t noutput;
	bool typed; /* atomic: the typist is done with the terminal */
};

#define LOOP_PAGES (ALIGN_UP(sizeof(struct loop), PAGE_SIZE) / PAGE_SIZE)

static void loop_send(struct tty *tty, const void *bytes, size_t len_bytes)
{
	struct loop *loop = tty->device;
	size_t n = MIN(len_bytes, sizeof(loop->output) - loop->noutput);

	memcpy(loop->output + loop->noutput, bytes, n);
	loop->noutput += n;
}

static const struct tty_ops loop_ops = {.send = loop_send};

static struct loop *loop_create(void)
{
	struct loop *loop = kva_alloc(LOOP_PAGES);

	if (!selftest_check(loop))
		return NULL;
	loop->noutput = 0;
	loop->typed = false;
	tty_init(&loop->tty, "loop", &loop_ops, loop);
	return loop;
}

static void type(struct loop *loop, const char *text)
{
	tty_input(&loop->tty, text, strlen(text));
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

static void type_later(void *argument)
{
	struct loop *loop = argument;

	(void)thread_sleep_ns(5 * NSEC_PER_MSEC);
	type(loop, "la");
	type(loop, "te\n");
	store_release(&loop->typed, true);
}

SELFTEST(tty_reader_is_woken_by_input)
{
	struct loop *loop = loop_create();
	char to[16];
	ssize_t n;

	if (!loop)
		return;
	if (!selftest_check(!kthread_start("typist", type_later, loop, NULL))) {
		kva_free(loop);
		return;
	}
	n = tty_read_kernel(&loop->tty, to, sizeof(to), false);
	selftest_check(n == 5 && memcmp(to, "late\n", 5) == 0);
	/* Acquire: pairs with the release of the typist, whose echo may still be under way. */
	while (!load_acquire(&loop->typed) && !thread_sleep_ns(NSEC_PER_MSEC))
		continue;
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
