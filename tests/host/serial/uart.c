/* sources: kernel/serial/uart.c */
/*
 * The driver of the 16550 against a chip made of C, by the data sheet: FIFOs in both directions
 * (or none), causes of interrupts by priority, errors with their bytes, CTS, the divisor.
 */
#include "uart.h"

#include <arch/port.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE 0x3f8

enum kind { CHIP_16550A, CHIP_16450, CHIP_NONE };

static struct chip {
	enum kind kind;
	bool instant;   /* the line takes what is sent at once, as an emulator's */
	bool looked_at; /* the line takes what is sent when its status is read */
	uint8_t ier, lcr, mcr, scratch, dll, dlm, fcr;
	bool cts, cts_changed;
	bool empty_pending; /* THR became empty and nobody was told */
	bool overrun;
	uint8_t in[16], in_error[16];
	unsigned nin;
	uint8_t out[16];
	unsigned nout;
	uint8_t line[65536]; /* all that left */
	size_t nline;
} chip;

static unsigned depth(void)
{
	return chip.kind == CHIP_16550A && (chip.fcr & 1) ? 16 : 1;
}

/* The line takes all that the chip holds. */
static void tick(void)
{
	assert_true(chip.nline + chip.nout <= sizeof(chip.line));
	memcpy(chip.line + chip.nline, chip.out, chip.nout);
	chip.nline += chip.nout;
	if (chip.nout > 0)
		chip.empty_pending = true;
	chip.nout = 0;
}

/* A byte arrives, with bits of the line status. */
static void arrive_with(uint8_t byte, uint8_t error)
{
	if (chip.nin == depth()) {
		chip.overrun = true;
		return;
	}
	chip.in[chip.nin] = byte;
	chip.in_error[chip.nin++] = error;
}

static void arrive(const char *text)
{
	while (*text)
		arrive_with((uint8_t)*text++, 0);
}

static void set_cts(bool cts)
{
	chip.cts_changed = chip.cts != cts;
	chip.cts = cts;
}

static uint8_t line_status(void)
{
	uint8_t status = (chip.nin ? 0x01 : 0) | (chip.overrun ? 0x02 : 0);

	status |= chip.nin ? chip.in_error[0] : 0;
	for (unsigned i = 0; i < chip.nin; i++)
		status |= chip.in_error[i] && depth() > 1 ? 0x80 : 0;
	return status | (chip.nout == 0 ? 0x60 : 0);
}

static uint8_t cause(void)
{
	if ((chip.ier & 4) && (chip.overrun || (chip.nin && chip.in_error[0])))
		return 6;
	if ((chip.ier & 1) && chip.nin)
		return depth() > 1 && chip.nin < 14 ? 0x0c : 4;
	if ((chip.ier & 2) && chip.empty_pending)
		return 2;
	if ((chip.ier & 8) && chip.cts_changed)
		return 0;
	return 1;
}

uint8_t port_in8(uint16_t port)
{
	uint8_t value;

	if (chip.kind == CHIP_NONE)
		return 0xff;
	switch (port - BASE) {
	case 0:
		if (chip.lcr & 0x80)
			return chip.dll;
		assert_true(chip.nin > 0); /* nobody reads what is not there */
		value = chip.in[0];
		chip.nin--;
		memmove(chip.in, chip.in + 1, chip.nin);
		memmove(chip.in_error, chip.in_error + 1, chip.nin);
		return value;
	case 1:
		return chip.lcr & 0x80 ? chip.dlm : chip.ier;
	case 2:
		value = cause();
		if (value == 2)
			chip.empty_pending = false;
		return value | (depth() > 1 ? 0xc0 : 0);
	case 3:
		return chip.lcr;
	case 4:
		return chip.mcr;
	case 5:
		if (chip.looked_at)
			tick();
		value = line_status();
		chip.overrun = false;
		if (chip.nin)
			chip.in_error[0] = 0;
		return value;
	case 6:
		value = chip.cts ? 0x10 : 0;
		chip.cts_changed = false;
		return value;
	default:
		return chip.scratch;
	}
}

void port_out8(uint16_t port, uint8_t value)
{
	if (chip.kind == CHIP_NONE)
		return;
	switch (port - BASE) {
	case 0:
		if (chip.lcr & 0x80) {
			chip.dll = value;
			break;
		}
		assert_true(chip.nout < depth()); /* nobody writes over what has not gone */
		chip.out[chip.nout++] = value;
		chip.empty_pending = false;
		if (chip.instant)
			tick();
		break;
	case 1:
		if (chip.lcr & 0x80) {
			chip.dlm = value;
			break;
		}
		if ((value & 2) && !(chip.ier & 2) && chip.nout == 0)
			chip.empty_pending = true;
		chip.ier = value;
		break;
	case 2:
		chip.fcr = value;
		break;
	case 3:
		chip.lcr = value;
		break;
	case 4:
		chip.mcr = value;
		break;
	case 7:
		chip.scratch = value;
		break;
	}
}

void port_in_bytes(uint16_t port, void *to, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++)
		((uint8_t *)to)[i] = port_in8(port);
}

void port_out_bytes(uint16_t port, const void *from, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++)
		port_out8(port, ((const uint8_t *)from)[i]);
}

/* ---- what the tests share ---- */

static struct uart uart;
static uint8_t in[256], out[256];

static void start(enum kind kind, bool instant)
{
	chip = (struct chip){.kind = kind, .instant = instant, .cts = true};
	assert_true(uart_open(&uart, BASE, in, sizeof(in), out, sizeof(out)));
	uart_enable(&uart);
}

/* Interrupts as long as the chip wants to. */
static unsigned interrupts(void)
{
	unsigned events = 0;

	while (cause() != 1)
		events |= uart_interrupt(&uart);
	return events;
}

static void set_flow(bool hardware, bool software)
{
	struct uart_settings settings = uart.settings;

	settings.hardware_flow = hardware;
	settings.software_flow = software;
	settings.xon = 0x11;
	settings.xoff = 0x13;
	uart_configure(&uart, &settings);
}

static void assert_line(const char *expected)
{
	assert_int_equal(chip.nline, strlen(expected));
	assert_memory_equal(chip.line, expected, chip.nline);
	chip.nline = 0;
}

static void assert_received(const char *expected)
{
	uint8_t to[512];
	size_t n = uart_receive(&uart, to, sizeof(to), NULL);

	assert_int_equal(n, strlen(expected));
	assert_memory_equal(to, expected, n);
}

static size_t send_text(const char *text)
{
	return uart_send(&uart, (const uint8_t *)text, strlen(text));
}

/* ---- the tests ---- */

static void chips_are_told_apart(void **state)
{
	(void)state;
	chip = (struct chip){.kind = CHIP_NONE};
	assert_false(uart_open(&uart, BASE, in, sizeof(in), out, sizeof(out)));
	start(CHIP_16450, true);
	assert_int_equal(uart.fifo_bytes, 1);
	start(CHIP_16550A, true);
	assert_int_equal(uart.fifo_bytes, 16);
	assert_int_equal(chip.dll, 1);
	assert_int_equal(chip.dlm, 0);
	assert_int_equal(chip.lcr, 3);
	assert_int_equal(chip.mcr & 0x0b, 0x0b);
}

static void a_line_that_takes_all_needs_no_interrupt(void **state)
{
	(void)state;
	start(CHIP_16550A, true);
	assert_int_equal(send_text("forty bytes are more than two FIFOs hold"), 40);
	assert_line("forty bytes are more than two FIFOs hold");
	assert_int_equal(chip.ier & 2, 0);
	assert_true(uart_is_idle(&uart));
}

/* Every byte arrives once and in order, whatever the chip. */
static void a_slow_line_is_fed_by_interrupts(void **state)
{
	static const enum kind kinds[] = {CHIP_16550A, CHIP_16450};

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		uint8_t sent[2000];
		size_t done = 0;
		unsigned rounds = 0;

		start(kinds[k], false);
		for (size_t i = 0; i < sizeof(sent); i++)
			sent[i] = (uint8_t)(i * 7 + i / 256);
		while (chip.nline < sizeof(sent)) {
			done += uart_send(&uart, sent + done, sizeof(sent) - done);
			tick();
			(void)interrupts();
			assert_true(++rounds < 3000);
		}
		assert_memory_equal(chip.line, sent, sizeof(sent));
		assert_int_equal(chip.ier & 2, 0); /* it has nothing to say any more */
		assert_int_equal(uart.counts.sent, sizeof(sent));
	}
}

static void a_full_ring_takes_no_more_and_says_when_there_is_room(void **state)
{
	size_t taken = 0;
	size_t n;

	(void)state;
	start(CHIP_16550A, false);
	do {
		n = send_text("0123456789abcdef0123456789abcdef");
		taken += n;
	} while (n > 0);
	assert_int_equal(taken, sizeof(out) + 16); /* the chip holds a load */
	assert_int_equal(uart_room(&uart), 0);
	tick();
	assert_int_equal(interrupts() & UART_ROOM, 0);
	for (int i = 0; i < 7; i++) {
		assert_int_equal(uart_room(&uart) >= sizeof(out) / 2, false);
		tick();
		n = interrupts();
	}
	assert_true(n & UART_ROOM);
}

static void pushing_makes_the_room_that_is_needed(void **state)
{
	(void)state;
	start(CHIP_16550A, false);
	while (send_text("0123456789abcdef") > 0)
		;
	assert_int_equal(uart_room(&uart), 0);
	assert_false(uart_push(&uart, 1, 10)); /* the line is busy */
	chip.looked_at = true;
	assert_true(uart_push(&uart, 20, 10));
	assert_int_equal(uart_room(&uart), 32); /* two loads: interrupts were off for no longer */
	assert_true(uart_push(&uart, 20, 0));
	assert_true(uart_push(&uart, sizeof(out), 10));
	assert_int_equal(uart_waiting(&uart), 0);
}

static void stop_holds_all_but_the_urgent(void **state)
{
	(void)state;
	start(CHIP_16550A, true);
	set_flow(false, true);
	uart_stop(&uart, true);
	assert_int_equal(send_text("held"), 4);
	assert_line("");
	assert_int_equal(chip.ier & 2, 0); /* no interrupts for what may not go */
	assert_false(uart_push(&uart, sizeof(out), 10));
	for (int i = 0; i < 200; i++) {
		arrive("x");
		(void)interrupts();
	}
	assert_line("\x13"); /* XOFF for what we cannot take goes out all the same */
	uart_stop(&uart, false);
	assert_line("held");
}

static void without_cts_nothing_goes(void **state)
{
	(void)state;
	start(CHIP_16550A, true);
	set_flow(true, false);
	set_cts(false);
	(void)interrupts();
	assert_int_equal(send_text("held"), 4);
	assert_line("");
	set_cts(true);
	(void)interrupts();
	assert_line("held");
	set_flow(false, false);
	set_cts(false);
	(void)interrupts();
	assert_int_equal(send_text("free"), 4);
	assert_line("free");
}

static void the_other_end_is_held_at_three_quarters(void **state)
{
	uint8_t to[256];

	(void)state;
	start(CHIP_16550A, true);
	set_flow(true, true);
	for (int i = 0; i < 191; i++) {
		arrive("x");
		(void)interrupts();
	}
	assert_line("");
	assert_true(chip.mcr & 2);
	arrive("x");
	(void)interrupts();
	assert_line("\x13");
	assert_false(chip.mcr & 2);
	assert_int_equal(uart_receive(&uart, to, 100, NULL), 100);
	assert_line("");
	assert_int_equal(uart_receive(&uart, to, 28, NULL), 28);
	assert_line("\x11");
	assert_true(chip.mcr & 2);
}

static void flow_control_that_is_switched_on_late_says_what_it_missed(void **state)
{
	(void)state;
	start(CHIP_16550A, true);
	for (int i = 0; i < 200; i++) {
		arrive("x");
		(void)interrupts();
	}
	assert_line("");
	set_flow(true, true);
	assert_line("\x13");
	assert_false(chip.mcr & 2);
	set_flow(false, false);
	assert_line("\x11");
	assert_true(chip.mcr & 2);
}

static void a_full_ring_leaves_bytes_in_the_chip(void **state)
{
	uint8_t to[256];
	size_t got = 0;
	unsigned sent = 0;

	(void)state;
	start(CHIP_16550A, true);
	while (sent < 400 && chip.nin < 16) {
		arrive_with((uint8_t)sent++, 0);
		(void)interrupts();
	}
	assert_true(sent < 400); /* it became silent */
	assert_int_equal(cause(), 1);
	while (got < sent) {
		size_t n = uart_receive(&uart, to, 50, NULL);

		for (size_t i = 0; i < n; i++)
			assert_int_equal(to[i], (uint8_t)(got + i));
		got += n;
		(void)interrupts();
	}
	assert_int_equal(got, sent);
	assert_int_equal(uart.counts.overruns, 0);
}

static void bulk_comes_in_order(void **state)
{
	static const enum kind kinds[] = {CHIP_16550A, CHIP_16450};
	uint8_t to[256];

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		unsigned burst = kinds[k] == CHIP_16450 ? 1 : 16;
		unsigned sent = 0;
		unsigned got = 0;

		start(kinds[k], true);
		while (got < 5000) {
			for (unsigned i = 0; i < burst; i++)
				arrive_with((uint8_t)(sent++ * 13), 0);
			assert_true(interrupts() & UART_RECEIVED);
			for (size_t n = uart_receive(&uart, to, sizeof(to), NULL), i = 0; i < n;
			     i++)
				assert_int_equal(to[i], (uint8_t)(got++ * 13));
		}
		assert_int_equal(uart.counts.overruns, 0);
	}
}

static void errors_stay_with_their_bytes(void **state)
{
	enum uart_condition condition;
	uint8_t to[32];

	(void)state;
	start(CHIP_16550A, true);
	arrive("good");
	arrive_with('p', 0x04);
	arrive("more");
	arrive_with('f', 0x08);
	arrive_with(0, 0x1c); /* a break: frame and parity as well */
	arrive("end");
	chip.overrun = true;
	(void)interrupts();
	assert_int_equal(uart_receive(&uart, to, sizeof(to), &condition), 4);
	assert_int_equal(condition, UART_NONE);
	assert_int_equal(uart_receive(&uart, to, sizeof(to), &condition), 1);
	assert_int_equal(condition, UART_PARITY);
	assert_int_equal(to[0], 'p');
	assert_int_equal(uart_receive(&uart, to, sizeof(to), &condition), 4);
	assert_int_equal(uart_receive(&uart, to, sizeof(to), &condition), 1);
	assert_int_equal(condition, UART_FRAME);
	assert_int_equal(uart_receive(&uart, to, sizeof(to), &condition), 1);
	assert_int_equal(condition, UART_BREAK);
	assert_int_equal(uart_receive(&uart, to, sizeof(to), &condition), 3);
	assert_int_equal(condition, UART_NONE);
	assert_int_equal(uart.counts.overruns, 1);
	assert_int_equal(uart.counts.parity_errors, 1);
	assert_int_equal(uart.counts.frame_errors, 1);
	assert_int_equal(uart.counts.breaks, 1);
	arrive_with('x', 0x04);
	arrive("y");
	(void)interrupts();
	assert_received("xy"); /* for one who does not care */
	arrive("z");
	(void)interrupts();
	assert_int_equal(uart_receive(&uart, to, sizeof(to), &condition), 1);
	assert_int_equal(condition, UART_NONE);
}

static void settings_reach_the_chip(void **state)
{
	struct uart_settings settings;

	(void)state;
	start(CHIP_16550A, true);
	settings = uart.settings;
	settings.rate = 300;
	settings.data_bits = 7;
	settings.two_stop_bits = true;
	settings.parity = PARITY_EVEN;
	uart_configure(&uart, &settings);
	assert_int_equal(chip.dll | chip.dlm << 8, 384);
	assert_int_equal(chip.lcr, 0x1e);
	uart_break(&uart, true);
	assert_int_equal(chip.lcr, 0x5e);
	uart_break(&uart, false);
	assert_int_equal(chip.lcr, 0x1e);
	settings.rate = 0;
	uart_configure(&uart, &settings);
	assert_int_equal(chip.mcr & 3, 0);
	settings.rate = 9600;
	uart_configure(&uart, &settings);
	assert_int_equal(chip.mcr & 3, 3);
	assert_int_equal(chip.dll | chip.dlm << 8, 12);
	assert_true(chip.ier & 1); /* the divisor's high byte is not the interrupts' */
}

static void what_was_discarded_is_not_sent(void **state)
{
	(void)state;
	start(CHIP_16550A, false);
	assert_int_equal(send_text("0123456789abcdefXYZ"), 19);
	uart_discard(&uart);
	tick();
	(void)interrupts();
	tick();
	assert_line("0123456789abcdef");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chips_are_told_apart),
		cmocka_unit_test(a_line_that_takes_all_needs_no_interrupt),
		cmocka_unit_test(a_slow_line_is_fed_by_interrupts),
		cmocka_unit_test(a_full_ring_takes_no_more_and_says_when_there_is_room),
		cmocka_unit_test(pushing_makes_the_room_that_is_needed),
		cmocka_unit_test(stop_holds_all_but_the_urgent),
		cmocka_unit_test(without_cts_nothing_goes),
		cmocka_unit_test(the_other_end_is_held_at_three_quarters),
		cmocka_unit_test(flow_control_that_is_switched_on_late_says_what_it_missed),
		cmocka_unit_test(a_full_ring_leaves_bytes_in_the_chip),
		cmocka_unit_test(bulk_comes_in_order),
		cmocka_unit_test(errors_stay_with_their_bytes),
		cmocka_unit_test(settings_reach_the_chip),
		cmocka_unit_test(what_was_discarded_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
