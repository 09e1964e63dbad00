/*
 * The keyboard controller (see the header). Until its interrupt is let through, the thread that
 * starts it reads the ports by itself; afterwards only the interrupt handler reads, and only the
 * receiving task writes. The ring between them has one writer and one reader and no lock.
 */
#define LOG_SUBSYSTEM "i8042"

#include "i8042.h"

#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/port.h>
#include <arch/trap.h>
#include <lib/atomic.h>
#include <lib/log.h>
#include <sched/task.h>
#include <sched/thread.h>

#define PORT_DATA    0x60
#define PORT_COMMAND 0x64
#define PORT_STATUS  0x64
#define KEYBOARD_IRQ 1

#define STATUS_OUTPUT_FULL 0x01 /* a byte for us */
#define STATUS_INPUT_FULL  0x02 /* our last byte was not taken yet */
#define STATUS_AUXILIARY   0x20 /* the byte is the mouse's */
#define STATUS_TIMEOUT     0x40
#define STATUS_PARITY      0x80
#define STATUS_NO_DEVICE   0xff /* what an empty bus reads as */

#define COMMAND_READ_CONTROL      0x20
#define COMMAND_WRITE_CONTROL     0x60
#define COMMAND_DISABLE_AUXILIARY 0xa7
#define COMMAND_SELF_TEST         0xaa
#define COMMAND_TEST_KEYBOARD     0xab
#define COMMAND_DISABLE_KEYBOARD  0xad
#define COMMAND_ENABLE_KEYBOARD   0xae
#define SELF_TEST_PASSED          0x55

#define CONTROL_KEYBOARD_IRQ       0x01
#define CONTROL_AUXILIARY_IRQ      0x02
#define CONTROL_KEYBOARD_DISABLED  0x10
#define CONTROL_AUXILIARY_DISABLED 0x20
#define CONTROL_TRANSLATE          0x40

#define SPIN_POLLS    100 /* looks before we sleep: what is emulated answers at once */
#define POLL_NS       (100 * NSEC_PER_USEC)
#define ANSWER_NS     (250 * NSEC_PER_MSEC)
#define SEND_POLLS    100 /* about a microsecond each */
#define FLUSH_MAX     64
#define INTERRUPT_MAX 32  /* bytes in one interrupt: a stuck status bit must not hold the CPU */
#define RING_BYTES    256 /* a power of two */

static uint8_t ring[RING_BYTES];
static uint32_t head;            /* atomic: the receiver's */
static uint32_t tail;            /* atomic: the interrupt's */
static struct i8042_stats stats; /* the interrupt's; but `unsent`, which is the receiver's */
static struct task *receiver;    /* constant once the interrupt is let through */

/* ---- the ports, by waiting ---- */

/* Until the status has `wanted` of the bits in `mask`. Sleeps. */
static bool wait_status(uint8_t mask, uint8_t wanted)
{
	uint64_t deadline_ns = clock_ns() + ANSWER_NS;

	for (unsigned polls = 0;; polls++) {
		if ((port_in8(PORT_STATUS) & mask) == wanted)
			return true;
		if (polls < SPIN_POLLS)
			cpu_relax();
		else if (clock_ns() >= deadline_ns || thread_sleep_ns(POLL_NS))
			return false;
	}
}

static bool command(uint8_t byte)
{
	if (!wait_status(STATUS_INPUT_FULL, 0))
		return false;
	port_out8(PORT_COMMAND, byte);
	return true;
}

static bool answer(uint8_t *out)
{
	if (!wait_status(STATUS_OUTPUT_FULL, STATUS_OUTPUT_FULL))
		return false;
	*out = port_in8(PORT_DATA);
	return true;
}

static bool ask(uint8_t byte, uint8_t *out)
{
	return command(byte) && answer(out);
}

/* Drops what the firmware left. False: there is no end to it, so nothing is there. */
static bool flush(void)
{
	for (unsigned i = 0; i < FLUSH_MAX; i++) {
		if (!(port_in8(PORT_STATUS) & STATUS_OUTPUT_FULL))
			return true;
		(void)port_in8(PORT_DATA);
	}
	return false;
}

static bool write_control(uint8_t control)
{
	if (!command(COMMAND_WRITE_CONTROL) || !wait_status(STATUS_INPUT_FULL, 0))
		return false;
	port_out8(PORT_DATA, control);
	return true;
}

/* ---- receiving ---- */

static void put(uint8_t byte)
{
	stats.received++;
	/* Acquire: pairs with the release in i8042_receive(); the byte there was copied out. */
	if (tail - load_acquire(&head) == RING_BYTES) {
		stats.dropped++;
		return;
	}
	ring[tail % RING_BYTES] = byte;
	/* Release: pairs with the acquire in available(). */
	store_release(&tail, tail + 1);
}

static void handle_interrupt(void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < INTERRUPT_MAX; i++) {
		uint8_t status = port_in8(PORT_STATUS);
		uint8_t byte;

		if (!(status & STATUS_OUTPUT_FULL))
			break;
		byte = port_in8(PORT_DATA);
		if (status & STATUS_AUXILIARY)
			continue;
		if (status & (STATUS_PARITY | STATUS_TIMEOUT))
			stats.errors++;
		else
			put(byte);
	}
	task_wake(receiver);
}

static uint32_t available(void)
{
	/* Acquire: pairs with the release in put(). */
	return load_acquire(&tail) - head;
}

size_t i8042_receive(uint8_t *to, size_t max_bytes)
{
	size_t n = MIN(max_bytes, (size_t)available());

	for (size_t i = 0; i < n; i++)
		to[i] = ring[(head + i) % RING_BYTES];
	/* Release: pairs with the acquire in put(). */
	store_release(&head, head + (uint32_t)n);
	return n;
}

bool i8042_send(uint8_t byte)
{
	for (unsigned polls = 0; polls < SEND_POLLS; polls++) {
		if (!(port_in8(PORT_STATUS) & STATUS_INPUT_FULL)) {
			port_out8(PORT_DATA, byte);
			return true;
		}
		cpu_relax();
	}
	stats.unsent++;
	return false;
}

void i8042_stats(struct i8042_stats *out)
{
	*out = stats;
}

/* ---- setting up ---- */

static const struct irq_handler handler = {.name = "i8042", .handle = handle_interrupt};

/* A controller that fails its test may well work (many laptops' do): we say so and go on. */
static void test(void)
{
	uint8_t result;

	if (!ask(COMMAND_SELF_TEST, &result))
		log_info("the controller does not answer to its self-test");
	else if (result != SELF_TEST_PASSED)
		log_info("the controller's self-test gives %#x", result);
	if (ask(COMMAND_TEST_KEYBOARD, &result) && result != 0)
		log_info("the keyboard's line fails its test (%u)", result);
}

/* Nothing that comes while we talk with the controller may be taken for an answer. */
static bool quieten(uint8_t *control)
{
	if (port_in8(PORT_STATUS) == STATUS_NO_DEVICE || !flush())
		return false;
	if (!command(COMMAND_DISABLE_KEYBOARD) || !command(COMMAND_DISABLE_AUXILIARY) || !flush())
		return false;
	return ask(COMMAND_READ_CONTROL, control);
}

/* The line to the interrupt controller is edge-triggered, so no byte may lie there when it is let
 * through. */
static bool let_through(uint8_t control)
{
	err_t err = irq_register(KEYBOARD_IRQ, &handler);

	if (err) {
		log_err("no interrupt %u (error %d): no keyboard", KEYBOARD_IRQ, -err);
		return false;
	}
	control &= (uint8_t)~CONTROL_KEYBOARD_DISABLED;
	return flush() && write_control(control | CONTROL_KEYBOARD_IRQ) &&
	       command(COMMAND_ENABLE_KEYBOARD) && wait_status(STATUS_INPUT_FULL, 0);
}

enum i8042_state i8042_start(bool translate, struct task *task)
{
	uint8_t control;
	uint8_t seen;

	receiver = task;
	if (!quieten(&control)) {
		log_info("there is no keyboard controller");
		return I8042_ABSENT;
	}
	test();
	control &= (uint8_t) ~(CONTROL_KEYBOARD_IRQ | CONTROL_AUXILIARY_IRQ | CONTROL_TRANSLATE);
	control |= CONTROL_KEYBOARD_DISABLED | CONTROL_AUXILIARY_DISABLED;
	if (translate)
		control |= CONTROL_TRANSLATE;
	if (!write_control(control) || !ask(COMMAND_READ_CONTROL, &seen) || !let_through(control)) {
		log_warn("the keyboard controller stopped answering: no keyboard");
		return I8042_ABSENT;
	}
	return seen & CONTROL_TRANSLATE ? I8042_TRANSLATES : I8042_SET2;
}
