/*
 * Terminals at serial ports (see the header).
 */
#define LOG_SUBSYSTEM "serial"

#include "serial_tty.h"

#include <abi/errno.h>
#include <abi/termios.h>
#include <arch/clock.h>
#include <fusek/devfs.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/kva.h>

#include "devices.h"
#include "random.h"
#include "sysrq.h"

#define SYSRQ_NS (5 * NSEC_PER_SEC)

/* ---- termios and the chip ---- */

static const struct {
	unsigned code;
	uint32_t rate;
} rates[] = {
	{B0, 0},         {B50, 50},       {B75, 75},         {B110, 110},   {B134, 134},
	{B150, 150},     {B200, 200},     {B300, 300},       {B600, 600},   {B1200, 1200},
	{B1800, 1800},   {B2400, 2400},   {B4800, 4800},     {B9600, 9600}, {B19200, 19200},
	{B38400, 38400}, {B57600, 57600}, {B115200, 115200},
};

/* False: the chip cannot do that. */
static bool find_rate(unsigned code, uint32_t *rate)
{
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		if (rates[i].code == code) {
			*rate = rates[i].rate;
			return true;
		}
	}
	return false;
}

static enum uart_parity parity_of(unsigned flags)
{
	if (!(flags & PARENB))
		return PARITY_NONE;
	if (flags & CMSPAR)
		return flags & PARODD ? PARITY_MARK : PARITY_SPACE;
	return flags & PARODD ? PARITY_ODD : PARITY_EVEN;
}

/* As Linux: a rate that cannot be is the one before, and a program that looks finds that. */
static void settings(void *line, const struct abi_termios *old, struct abi_termios *new)
{
	struct uart_settings to = {
		.data_bits = 5 + (new->c_cflag &CSIZE) / CS6,
		.two_stop_bits = new->c_cflag &CSTOPB,
		.parity = parity_of(new->c_cflag),
		.hardware_flow = new->c_cflag &CRTSCTS,
		.software_flow = (new->c_iflag &IXOFF) && new->c_cc[VSTART] && new->c_cc[VSTOP],
		.xon = new->c_cc[VSTART],
		.xoff = new->c_cc[VSTOP],
	};

	if (!find_rate(new->c_cflag &CBAUD, &to.rate)) {
		new->c_cflag = (new->c_cflag & ~(unsigned)CBAUD) | (old->c_cflag & CBAUD);
		(void)find_rate(new->c_cflag &CBAUD, &to.rate);
	}
	serial_configure(line, &to);
}

static void stop(void *line, bool stopped)
{
	serial_stop(line, stopped);
}

static err_t drain(void *line)
{
	return serial_drain(line);
}

static size_t room(void *line)
{
	return serial_room(line);
}

static size_t waiting(void *line)
{
	return serial_waiting(line);
}

static void discard(void *line)
{
	serial_discard(line);
}

static void line_break(void *line, bool on)
{
	serial_break(line, on);
}

static const struct tty_line_ops line_ops = {
	.settings = settings,
	.stop = stop,
	.drain = drain,
	.room = room,
	.waiting = waiting,
	.discard = discard,
	.line_break = line_break,
};

/* ---- the way in ---- */

static enum ldisc_condition condition_of(enum uart_condition condition)
{
	switch (condition) {
	case UART_BREAK:
		return LDISC_BREAK;
	case UART_PARITY:
	case UART_FRAME:
		return LDISC_BAD_BYTE;
	case UART_NONE:
		break;
	}
	return LDISC_FINE;
}

/* False: the terminal does not take it all now, and the task is woken when it does. */
static bool deliver(struct serial_input *input)
{
	enum ldisc_condition condition = condition_of(input->condition);
	size_t taken;
	bool all;

	all = tty_input_condition(&input->source, input->bytes + input->taken,
				  input->len_bytes - input->taken, condition, &taken);
	input->taken += taken;
	return all;
}

/* Takes what belongs to the kernel out of what has come. */
static void take_sysrq(struct serial_input *input)
{
	if (!input->takes_sysrq)
		return;
	if (input->condition == UART_BREAK) {
		input->sysrq_until_ns = clock_ns() + SYSRQ_NS;
		input->len_bytes = 0;
	} else if (input->sysrq_until_ns) {
		if (clock_ns() < input->sysrq_until_ns) {
			sysrq(input->bytes[0], input->source.tty);
			input->taken = 1;
		}
		input->sysrq_until_ns = 0;
	}
}

/* A key must echo and ^C must count however busy programs are: tasks come before them. */
static enum task_poll receive(struct task *task)
{
	struct serial_input *input = container_of(task, struct serial_input, task);

	for (;;) {
		if (!deliver(input))
			return task_pending(task, "readers, or the writer");
		input->taken = 0;
		input->len_bytes = serial_receive(input->port, input->bytes, sizeof(input->bytes),
						  &input->condition);
		if (input->len_bytes == 0)
			return task_pending(task, "bytes");
		random_mix(NULL, 0); /* when a key came is hard to foresee */
		take_sysrq(input);
	}
}

static void tell_room(void *argument)
{
	tty_has_room(argument);
}

bool serial_tty_open(struct serial_input *input, struct tty *tty, struct serial_port *port,
		     const struct serial_place *place, uint8_t *in, uint8_t *out)
{
	input->port = port;
	task_init(&input->task, tty->name, receive, NULL);
	tty_source_init(&input->source, tty, &input->task);
	port->receiver = &input->task;
	port->sent = tell_room;
	port->argument = tty;
	if (!serial_open(port, place, in, SERIAL_IN_BYTES, out))
		return false;
	tty->line = &line_ops;
	tty->line_device = port;
	task_start(&input->task);
	return true;
}

/* ---- ttyS1 ---- */

static struct tty tty;
static struct serial_port port;
static struct serial_input input;

static void send(struct tty *to, const void *bytes, size_t len_bytes) REQUIRES(to->writer)
{
	(void)to;
	serial_send(&port, bytes, len_bytes);
}

static void echo(struct tty *to, const void *bytes, size_t len_bytes) REQUIRES(to->writer)
{
	(void)to;
	serial_send_polled(&port, bytes, len_bytes);
}

static const struct tty_ops ops = {.send = send, .echo = echo};

void serial_tty_init(void)
{
	uint8_t *in = kva_alloc(SERIAL_IN_BYTES / PAGE_SIZE);
	uint8_t *out = kva_alloc(SERIAL_OUT_BYTES / PAGE_SIZE);
	err_t err;

	if (!in || !out)
		log_err("no memory for the rings of ttyS1");
	tty_init(&tty, "ttyS1", &ops, NULL);
	tty.rdev = abi_makedev(DEVICE_SERIAL_MAJOR, DEVICE_TTYS0_MINOR + 1);
	if (!in || !out || !serial_tty_open(&input, &tty, &port, &serial_places[1], in, out)) {
		kva_free(in);
		kva_free(out);
		return;
	}
	err = devfs_register("ttyS1", DEVICE_SERIAL_MAJOR, DEVICE_TTYS0_MINOR + 1, 0620, 0,
			     &terminal_device_ops, &tty);
	if (err)
		log_err("/dev/ttyS1 cannot be made (error %d)", -err);
}
