/* sources: kernel/input/scancode.c kernel/input/keyboard.c kernel/input/keymap.c
   kernel/input/compose.c
   with: lib/string.c
   options: max_len=320 */
/*
 * A keyboard's bytes and a layout's file, both from the fuzzer: the first byte picks the mode, the
 * second how many of the rest are the file.
 */
#include "keyboard.h"
#include "support/promise.h"

#include <stdlib.h>
#include <string.h>

static void check(const struct keyboard_result *result, const struct keyboard_modes *modes)
{
	PROMISE(result->len_bytes < KEYBOARD_BYTES_MAX); /* nothing was cut */
	PROMISE(result->action <= ACTION_REBOOT);
	if (result->action == ACTION_SYSRQ)
		PROMISE(result->value >= 0x20 && result->value < 0x7f);
	if (result->action == ACTION_CONSOLE)
		PROMISE(result->value >= 1 && result->value <= 12);
	if (modes->mode == KEYBOARD_RAW || modes->mode == KEYBOARD_OFF)
		PROMISE(result->len_bytes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct keyboard keyboard;
	struct set2_translator translator = {0};
	struct scancode_decoder decoder = {0};
	struct keyboard_modes modes;
	struct keyboard_result result;
	size_t file_bytes;
	struct keymap map;
	bool set2;

	if (size < 2)
		return 0;
	modes = (struct keyboard_modes){
		.mode = data[0] % 5,
		.application_cursor = data[0] & 0x10,
		.application_keypad = data[0] & 0x20,
		.newline = data[0] & 0x40,
	};
	set2 = data[0] & 0x80;
	file_bytes = MIN((size_t)data[1], size - 2);
	data += 2;
	size -= 2;

	keyboard_init(&keyboard);
	if (!keymap_parse(data, file_bytes, &map))
		keyboard_set_map(&keyboard, &map);
	for (size_t i = file_bytes; i < size; i++) {
		uint8_t byte = set2 ? scancode_from_set2(&translator, data[i]) : data[i];
		struct key_event event = scancode_decode(&decoder, byte);

		PROMISE(event.key < KEYS_MAX);
		keyboard_key(&keyboard, event, &modes, &result);
		check(&result, &modes);
	}
	keyboard_release_all(&keyboard);
	for (unsigned key = 0; key < KEYS_MAX; key++)
		PROMISE(!keyboard_is_down(&keyboard, key));
	return 0;
}
