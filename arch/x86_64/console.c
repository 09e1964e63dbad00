/*
 * COM1, polled (16550 data sheet). Owns nothing but whether the port is there; whoever writes
 * serialises.
 */
#include <arch/console.h>

#include <arch/cpu.h>
#include <arch/port.h>

#define COM1         0x3f8
#define LINE_CONTROL (COM1 + 3)
#define LINE_STATUS  (COM1 + 5)
#define SCRATCH      (COM1 + 7)

#define STATUS_THR_EMPTY 0x20
/* About 20 ms of polling on real hardware, enough for one character at 1200 baud: then the port is
 * taken as stuck. */
#define POLLS_MAX 100000

enum port_state { PORT_UNKNOWN, PORT_THERE, PORT_ABSENT };
static enum port_state state;

static bool port_there(void)
{
	if (state == PORT_UNKNOWN) {
		port_out8(SCRATCH, 0x5a);
		state = port_in8(SCRATCH) == 0x5a ? PORT_THERE : PORT_ABSENT;
		if (state == PORT_THERE)
			port_out8(LINE_CONTROL, 0x03); /* 8 bits, no parity, one stop bit; the rate
							  stays the firmware's */
	}
	return state == PORT_THERE;
}

static void send(char byte)
{
	for (int polls = 0; polls < POLLS_MAX; polls++) {
		if (port_in8(LINE_STATUS) & STATUS_THR_EMPTY) {
			port_out8(COM1, (uint8_t)byte);
			return;
		}
		cpu_relax();
	}
}

void console_write_raw(const char *text, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes && port_there(); i++) {
		if (text[i] == '\n')
			send('\r');
		send(text[i]);
	}
	console_screen_raw(text, len_bytes);
}
