/*
 * Input from the console, and what was typed ahead while a command of ksh's own ran: such a command
 * looks for Ctrl-C now and then, and everything else that it finds waits here for the next line.
 */
#include <lib/string.h>

#include "shell.h"

#define CTRL_C 3

static struct {
	unsigned char bytes[256];
	size_t first;
	size_t count;
	bool interrupt;
} ahead;

int input_byte(unsigned char *out)
{
	long got;

	if (ahead.count) {
		*out = ahead.bytes[ahead.first++];
		if (!--ahead.count)
			ahead.first = 0;
		return 0;
	}
	do
		got = kernel->console_read(out, 1, KSH_FOREVER);
	while (got == 0);
	return got < 0 ? (int)got : 0;
}

bool interrupted(void)
{
	unsigned char bytes[32];
	long got;

	while (!ahead.interrupt) {
		size_t room = sizeof(ahead.bytes) - ahead.first - ahead.count;

		got = kernel->console_read(bytes, sizeof(bytes), 0);
		if (got <= 0)
			return false;
		for (long i = 0; i < got; i++) {
			if (bytes[i] == CTRL_C) {
				ahead.interrupt = true;
				ahead.count =
					0; /* as a terminal does: what came before is dropped */
				ahead.first = 0;
			} else if (room) {
				ahead.bytes[ahead.first + ahead.count++] = bytes[i];
				room--;
			}
		}
	}
	return true;
}

void input_forget_interrupt(void)
{
	ahead.interrupt = false;
}
