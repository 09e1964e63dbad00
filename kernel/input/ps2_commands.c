/*
 * The queue of commands to a keyboard (see the header).
 */
#include "ps2_commands.h"

#include "scancode.h"

static void drop_all(struct ps2_commands *commands)
{
	commands->head = commands->tail;
	commands->waiting = false;
	commands->tries = 0;
}

void ps2_command(struct ps2_commands *commands, const uint8_t *bytes, unsigned len_bytes)
{
	if (commands->tail - commands->head + len_bytes > PS2_QUEUE_BYTES)
		return;
	for (unsigned i = 0; i < len_bytes; i++)
		commands->bytes[commands->tail++ % PS2_QUEUE_BYTES] = bytes[i];
}

bool ps2_next(struct ps2_commands *commands, uint64_t now_ns, uint8_t *out)
{
	if (commands->waiting || commands->head == commands->tail)
		return false;
	*out = commands->bytes[commands->head % PS2_QUEUE_BYTES];
	commands->waiting = true;
	commands->tries++;
	commands->deadline_ns = now_ns + PS2_ANSWER_NS;
	return true;
}

bool ps2_answer(struct ps2_commands *commands, uint8_t byte)
{
	if (!commands->waiting || (byte != SCANCODE_ACKNOWLEDGE && byte != SCANCODE_RESEND))
		return false;
	commands->waiting = false;
	if (byte == SCANCODE_RESEND && commands->tries < PS2_TRIES)
		return true;
	if (byte == SCANCODE_RESEND) {
		drop_all(commands); /* it does not know the command */
		return true;
	}
	commands->tries = 0;
	commands->head++;
	return true;
}

uint64_t ps2_expire(struct ps2_commands *commands, uint64_t now_ns)
{
	if (commands->waiting && now_ns >= commands->deadline_ns)
		drop_all(commands);
	return commands->waiting ? commands->deadline_ns : UINT64_MAX;
}
