/* sources: kernel/tty_ldisc.c
   with: lib/string.c
   options: max_len=160 */
/*
 * The line discipline under libFuzzer: a stream of operations, two bytes each and their data:
 * typing, reading, writing, other settings, dropping the input. Buffers have exactly the size that
 * the header promises to keep to, and the queue's own invariant is looked at after every step.
 *
 * Inputs are short and fill the queue once at most: with a full one, every step takes long.
 */
#include "../../kernel/tty_ldisc.h"
#include "support/promise.h"

#include <string.h>

#define FLOODS_MAX 1

struct script {
	const uint8_t *data;
	size_t left;
	unsigned nfloods;
};

static uint8_t next(struct script *script)
{
	if (!script->left)
		return 0;
	script->left--;
	return *script->data++;
}

static uint32_t next_word(struct script *script)
{
	uint32_t word = next(script);

	word |= (uint32_t)next(script) << 8;
	return word | (uint32_t)next(script) << 16;
}

static void check(const struct ldisc *ldisc)
{
	uint32_t committed = ldisc->committed - ldisc->head;
	uint32_t used = ldisc->tail - ldisc->head;

	PROMISE(committed <= used && used <= LDISC_INPUT_BYTES);
	PROMISE(ldisc_count(ldisc) <= committed);
	PROMISE(ldisc_readable(ldisc) == (committed != 0));
	/* Nobody waits for ever: there is room, or something to read that makes some. */
	PROMISE(ldisc_has_room(ldisc) || ldisc_readable(ldisc));
}

static void input(struct ldisc *ldisc, struct script *script, uint8_t how)
{
	size_t room = how & 0x40 ? LDISC_ECHO_MIN_BYTES : 256;
	uint8_t *to = malloc(room);

	PROMISE(to);
	for (unsigned n = (how & 0x3f) + 1u; n && script->left; n--) {
		struct ldisc_echo echo = {.to = to, .room_bytes = room};
		struct ldisc_result result = ldisc_input(ldisc, next(script), how & 0x80, &echo);

		PROMISE(echo.len_bytes <= room);
		PROMISE(!(result.events & ~15u) && result.signal >= 0 && result.signal < 32);
		PROMISE(!(result.events & LDISC_FLUSHED) || !ldisc_readable(ldisc));
	}
	free(to);
}

/* One character again and again: the queue runs full. */
static void flood(struct ldisc *ldisc, uint8_t character)
{
	uint8_t to[LDISC_ECHO_MIN_BYTES];

	for (unsigned i = 0; i < LDISC_INPUT_BYTES + 2; i++) {
		struct ldisc_echo echo = {.to = to, .room_bytes = sizeof(to)};

		(void)ldisc_input(ldisc, character, false, &echo);
	}
	check(ldisc);
}

static void read_some(struct ldisc *ldisc, size_t max_bytes)
{
	size_t before = ldisc_count(ldisc);
	bool readable = ldisc_readable(ldisc);
	uint8_t *to = malloc(max_bytes + 1);
	bool line_done = true;
	size_t n;

	PROMISE(to);
	n = ldisc_read(ldisc, to, max_bytes, &line_done);
	PROMISE(n <= max_bytes && n <= before);
	PROMISE(ldisc_count(ldisc) == before - n);
	PROMISE(!max_bytes || !readable || n || line_done); /* progress, or an end of file */
	PROMISE(!line_done || ldisc_canonical(ldisc));
	free(to);
}

static void take_raw(struct ldisc *ldisc)
{
	size_t before = ldisc_count(ldisc);
	uint8_t *to = malloc(LDISC_INPUT_BYTES);
	size_t n;

	PROMISE(to);
	n = ldisc_take_raw(ldisc, to);
	PROMISE(n <= before && ldisc_count(ldisc) == before - n);
	PROMISE(!n || !ldisc_canonical(ldisc));
	PROMISE(ldisc_take_raw(ldisc, to) == 0);
	free(to);
}

static void output(struct ldisc *ldisc, struct script *script, uint8_t how)
{
	size_t len = MIN((size_t)(how & 0x3f), script->left);
	size_t room = 8 + (how >> 6) * 5;
	uint8_t *to = malloc(room);
	size_t taken = 0;
	size_t made;

	PROMISE(to);
	made = ldisc_output(ldisc, script->data, len, to, room, &taken);
	PROMISE(made <= room && taken <= len && (taken || !len));
	script->data += taken;
	script->left -= taken;
	free(to);
}

static void settings(struct ldisc *ldisc, struct script *script, uint8_t what)
{
	struct abi_termios termios = ldisc->termios;

	switch (what % 4) {
	case 0:
		termios.c_iflag = next_word(script);
		break;
	case 1:
		termios.c_oflag = next_word(script);
		break;
	case 2:
		termios.c_lflag = next_word(script);
		break;
	default:
		termios.c_cc[what / 4 % sizeof(termios.c_cc)] = next(script);
		break;
	}
	ldisc_set_termios(ldisc, &termios);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script script = {.data = data, .left = size};
	struct ldisc *ldisc = malloc(sizeof(*ldisc));

	PROMISE(ldisc);
	ldisc_init(ldisc);
	while (script.left) {
		uint8_t operation = next(&script);
		uint8_t how = next(&script);

		switch (operation % 8) {
		case 0:
			read_some(ldisc, how * 17u);
			break;
		case 1:
			output(ldisc, &script, how);
			break;
		case 2:
			settings(ldisc, &script, how);
			break;
		case 3:
			if (how < 8)
				ldisc_flush_input(ldisc);
			else if (how < 16)
				take_raw(ldisc);
			else if (how > 0xf0 && script.nfloods++ < FLOODS_MAX)
				flood(ldisc, next(&script));
			break;
		default:
			input(ldisc, &script, how);
			break;
		}
		check(ldisc);
	}
	free(ldisc);
	return 0;
}
