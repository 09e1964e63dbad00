/*
 * The key decoder: a state machine over single bytes. It never waits: what an escape means is
 * decided by the byte that follows. Pure.
 */
#include "keys.h"

#include <lib/utf8.h>

#define CONTROL(letter) ((letter)&0x1f)
#define ESCAPE          0x1b
#define BACKSPACE       0x7f

void keys_init(struct key_decoder *decoder)
{
	*decoder = (struct key_decoder){.state = KEYS_PLAIN};
}

static struct key key_of(enum key_kind kind)
{
	return (struct key){.kind = kind};
}

static struct key text_key(struct key_decoder *decoder)
{
	struct key key = {.kind = KEY_TEXT, .nbytes = decoder->npending};

	for (size_t i = 0; i < key.nbytes; i++)
		key.bytes[i] = decoder->pending[i];
	decoder->npending = 0;
	decoder->state = KEYS_PLAIN;
	return key;
}

static enum key_kind control_key(unsigned char byte)
{
	switch (byte) {
	case CONTROL('A'):
		return KEY_HOME;
	case CONTROL('B'):
		return KEY_LEFT;
	case CONTROL('C'):
		return KEY_INTERRUPT;
	case CONTROL('D'):
		return KEY_END_OF_FILE;
	case CONTROL('E'):
		return KEY_END;
	case CONTROL('F'):
		return KEY_RIGHT;
	case CONTROL('G'):
		return KEY_CANCEL;
	case CONTROL('H'):
	case BACKSPACE:
		return KEY_BACKSPACE;
	case '\t':
		return KEY_TAB;
	case '\n':
	case '\r':
		return KEY_ENTER;
	case CONTROL('K'):
		return KEY_KILL_TO_END;
	case CONTROL('L'):
		return KEY_CLEAR_SCREEN;
	case CONTROL('N'):
		return KEY_DOWN;
	case CONTROL('P'):
		return KEY_UP;
	case CONTROL('R'):
		return KEY_SEARCH;
	case CONTROL('T'):
		return KEY_SWAP;
	case CONTROL('U'):
		return KEY_KILL_TO_START;
	case CONTROL('W'):
		return KEY_KILL_WORD_LEFT;
	case CONTROL('Y'):
		return KEY_YANK;
	default:
		return KEY_NONE;
	}
}

static struct key plain_byte(struct key_decoder *decoder, unsigned char byte)
{
	if (byte == ESCAPE) {
		decoder->state = KEYS_ESCAPE;
		return key_of(KEY_NONE);
	}
	if (byte < 0x20 || byte == BACKSPACE)
		return key_of(control_key(byte));
	decoder->pending[0] = (char)byte;
	decoder->npending = 1;
	decoder->nwanted = utf8_sequence_bytes(byte);
	if (decoder->nwanted == 1)
		return text_key(decoder);
	decoder->state = KEYS_UTF8;
	return key_of(KEY_NONE);
}

/* After ESC: a sequence, or a letter with Alt held. */
static struct key escape_byte(struct key_decoder *decoder, unsigned char byte)
{
	decoder->state = KEYS_PLAIN;
	switch (byte) {
	case '[':
		decoder->state = KEYS_CSI;
		decoder->numbers[0] = 0;
		decoder->numbers[1] = 0;
		decoder->nnumbers = 1;
		return key_of(KEY_NONE);
	case 'O':
		decoder->state = KEYS_SS3;
		return key_of(KEY_NONE);
	case ESCAPE:
		decoder->state = KEYS_ESCAPE;
		return key_of(KEY_NONE);
	case 'b':
		return key_of(KEY_WORD_LEFT);
	case 'f':
		return key_of(KEY_WORD_RIGHT);
	case 'd':
		return key_of(KEY_KILL_WORD_RIGHT);
	case BACKSPACE:
	case CONTROL('H'):
		return key_of(KEY_KILL_WORD_LEFT);
	default:
		return key_of(KEY_NONE);
	}
}

/* ESC [ number ~ */
static enum key_kind numbered_key(unsigned number)
{
	switch (number) {
	case 1:
	case 7:
		return KEY_HOME;
	case 3:
		return KEY_DELETE;
	case 4:
	case 8:
		return KEY_END;
	default:
		return KEY_NONE;
	}
}

/* The letter that ends a sequence; `modifier` as xterm sends it: 3 Alt, 5 Ctrl. */
static enum key_kind final_key(unsigned char final, unsigned modifier)
{
	bool by_word = modifier == 3 || modifier == 5;

	switch (final) {
	case 'A':
		return KEY_UP;
	case 'B':
		return KEY_DOWN;
	case 'C':
		return by_word ? KEY_WORD_RIGHT : KEY_RIGHT;
	case 'D':
		return by_word ? KEY_WORD_LEFT : KEY_LEFT;
	case 'F':
		return KEY_END;
	case 'H':
		return KEY_HOME;
	default:
		return KEY_NONE;
	}
}

static struct key csi_byte(struct key_decoder *decoder, unsigned char byte)
{
	unsigned *number = &decoder->numbers[decoder->nnumbers - 1];

	if (byte >= '0' && byte <= '9') {
		if (*number < 1000)
			*number = *number * 10 + (byte - '0');
		return key_of(KEY_NONE);
	}
	if (byte == ';') {
		if (decoder->nnumbers < ARRAY_SIZE(decoder->numbers))
			decoder->nnumbers++;
		return key_of(KEY_NONE);
	}
	if (byte >= 0x20 && byte < 0x40)
		return key_of(KEY_NONE); /* intermediate bytes: part of a sequence that we skip */
	decoder->state = KEYS_PLAIN;
	if (byte == '~')
		return key_of(numbered_key(decoder->numbers[0]));
	return key_of(final_key(byte, decoder->numbers[1]));
}

static struct key utf8_byte(struct key_decoder *decoder, unsigned char byte, bool *again)
{
	if ((byte & 0xc0) != 0x80) {
		*again = true; /* broken off: what came so far is text, the byte begins anew */
		return text_key(decoder);
	}
	decoder->pending[decoder->npending++] = (char)byte;
	if (decoder->npending == decoder->nwanted)
		return text_key(decoder);
	return key_of(KEY_NONE);
}

struct key keys_feed(struct key_decoder *decoder, unsigned char byte, bool *again)
{
	*again = false;
	switch (decoder->state) {
	case KEYS_ESCAPE:
		return escape_byte(decoder, byte);
	case KEYS_CSI:
		return csi_byte(decoder, byte);
	case KEYS_SS3:
		decoder->state = KEYS_PLAIN;
		return key_of(final_key(byte, 0));
	case KEYS_UTF8:
		return utf8_byte(decoder, byte, again);
	default:
		return plain_byte(decoder, byte);
	}
}
