/*
 * Keys to bytes (see the header). The modifiers are read from the set of keys that are down, so
 * they cannot get out of step with it; a lock changes when its key goes down, not when it repeats.
 */
#include "keyboard.h"

#include <lib/string.h>

#include "compose.h"

#define ESCAPE    0x1b
#define DELETE    0x7f
#define BACKSPACE 0x08

/* One key while it is dealt with. */
struct press {
	struct keyboard *keyboard;
	const struct keyboard_modes *modes;
	struct keyboard_result *result;
	bool shift, control, alt, altgr;
	bool repeated;
};

/* ---- what is held ---- */

bool keyboard_is_down(const struct keyboard *keyboard, unsigned key)
{
	return (keyboard->down[key / 8] >> (key % 8)) & 1;
}

static void note_down(struct keyboard *keyboard, unsigned key, bool down)
{
	uint8_t bit = (uint8_t)(1u << (key % 8));

	if (down)
		keyboard->down[key / 8] |= bit;
	else
		keyboard->down[key / 8] &= (uint8_t)~bit;
}

static void read_modifiers(struct press *press)
{
	const struct keyboard *keyboard = press->keyboard;
	bool right_alt = keyboard_is_down(keyboard, KEY_RIGHT_ALT);

	press->shift = keyboard_is_down(keyboard, KEY_LEFT_SHIFT) ||
		       keyboard_is_down(keyboard, KEY_RIGHT_SHIFT);
	press->control = keyboard_is_down(keyboard, KEY_LEFT_CONTROL) ||
			 keyboard_is_down(keyboard, KEY_RIGHT_CONTROL);
	press->altgr = right_alt && (keyboard->map.flags & KEYMAP_ALTGR);
	press->alt = keyboard_is_down(keyboard, KEY_LEFT_ALT) || (right_alt && !press->altgr);
}

static bool is_modifier(unsigned key)
{
	switch (key) {
	case KEY_LEFT_SHIFT:
	case KEY_RIGHT_SHIFT:
	case KEY_LEFT_CONTROL:
	case KEY_RIGHT_CONTROL:
	case KEY_LEFT_ALT:
	case KEY_RIGHT_ALT:
	case KEY_LEFT_META:
	case KEY_RIGHT_META:
		return true;
	default:
		return false;
	}
}

/* ---- bytes ---- */

static void send_byte(struct press *press, uint8_t byte)
{
	struct keyboard_result *result = press->result;

	if (result->len_bytes < sizeof(result->bytes))
		result->bytes[result->len_bytes++] = byte;
}

static void send_text(struct press *press, const char *text)
{
	while (*text)
		send_byte(press, (uint8_t)*text++);
}

static void send_meta(struct press *press)
{
	if (press->alt)
		send_byte(press, ESCAPE);
}

static void send_unicode(struct press *press, keysym_t character)
{
	if (character < 0x80) {
		send_byte(press, (uint8_t)character);
	} else if (press->modes->mode == KEYBOARD_XLATE) {
		if (character < 0x100)
			send_byte(press, (uint8_t)character);
	} else if (character < 0x800) {
		send_byte(press, (uint8_t)(0xc0 | character >> 6));
		send_byte(press, 0x80 | (character & 0x3f));
	} else {
		send_byte(press, (uint8_t)(0xe0 | character >> 12));
		send_byte(press, 0x80 | ((character >> 6) & 0x3f));
		send_byte(press, 0x80 | (character & 0x3f));
	}
}

/* ---- characters ---- */

static keysym_t symbol_of(const struct press *press, unsigned key)
{
	const struct keymap *map = &press->keyboard->map;
	unsigned caps_flag = press->altgr ? KEY_IS_ALTGR_LETTER : KEY_IS_LETTER;
	bool caps = (press->keyboard->locks & KEYLOCK_CAPS) && (map->key_flags[key] & caps_flag);
	unsigned level = (press->altgr ? LEVEL_ALTGR : LEVEL_PLAIN) + (press->shift != caps);

	return map->symbols[key][level];
}

/* 0x100: no control character. */
#define NO_CONTROL 0x100

static unsigned control_of(keysym_t symbol)
{
	if ((symbol >= '@' && symbol <= '_') || (symbol >= 'a' && symbol <= 'z'))
		return symbol & 0x1f;
	switch (symbol) {
	case ' ':
		return 0;
	case '?':
		return DELETE;
	case '/':
		return 0x1f;
	default:
		return NO_CONTROL;
	}
}

/*
 * Ctrl with a key: the control character of what the key means as it is held; else of any of its
 * meanings (so Ctrl-8 of a German keyboard is Ctrl-[); else what a VT220 gives to the digits.
 */
static unsigned control_character(const struct press *press, unsigned key)
{
	static const uint8_t of_digits[] = {0x00, 0x1b, 0x1c,  0x1d,
					    0x1e, 0x1f, DELETE}; /* from 2 */
	const keysym_t *symbols = press->keyboard->map.symbols[key];
	unsigned control = control_of(symbol_of(press, key));

	for (unsigned level = 0; level < LEVELS && control == NO_CONTROL; level++)
		control = control_of(symbols[level]);
	for (unsigned level = 0; level < LEVELS && control == NO_CONTROL; level++) {
		if (symbols[level] >= '2' && symbols[level] <= '8')
			control = of_digits[symbols[level] - '2'];
	}
	return control;
}

static void start_dead(struct press *press, enum dead_key dead)
{
	struct keyboard *keyboard = press->keyboard;
	keysym_t pending = keyboard->pending;

	keyboard->pending = (keysym_t)(KEYSYM_DEAD + dead);
	if (!pending)
		return;
	/* A second one: the first is shown alone, and both are if they are the same. */
	send_unicode(press, compose_accent((enum dead_key)(pending - KEYSYM_DEAD)));
	if (pending == keyboard->pending)
		keyboard->pending = 0;
}

/* The second character behind Compose. */
static void finish_pair(struct press *press, keysym_t symbol)
{
	struct keyboard *keyboard = press->keyboard;
	keysym_t made;

	if (!keyboard->pending) {
		keyboard->pending = symbol;
		return;
	}
	made = compose_pair(keyboard->pending, symbol);
	keyboard->pending = 0;
	keyboard->composing = false;
	if (made)
		send_unicode(press, made);
}

static void finish_dead(struct press *press, keysym_t symbol)
{
	struct keyboard *keyboard = press->keyboard;
	enum dead_key dead = (enum dead_key)(keyboard->pending - KEYSYM_DEAD);
	keysym_t made = compose_dead(dead, symbol);

	keyboard->pending = 0;
	if (made) {
		send_unicode(press, made);
		return;
	}
	send_unicode(press, compose_accent(dead));
	send_unicode(press, symbol);
}

static void press_symbol(struct press *press, unsigned key)
{
	struct keyboard *keyboard = press->keyboard;
	keysym_t symbol = symbol_of(press, key);
	unsigned control = press->control ? control_character(press, key) : NO_CONTROL;

	if (control != NO_CONTROL) {
		keyboard->pending = 0;
		keyboard->composing = false;
		send_meta(press);
		send_byte(press, (uint8_t)control);
	} else if (!symbol) {
		return;
	} else if (symbol >= KEYSYM_DEAD) {
		if (keyboard->composing)
			finish_pair(press, compose_accent((enum dead_key)(symbol - KEYSYM_DEAD)));
		else
			start_dead(press, (enum dead_key)(symbol - KEYSYM_DEAD));
	} else if (keyboard->composing) {
		finish_pair(press, symbol);
	} else if (keyboard->pending) {
		finish_dead(press, symbol);
	} else {
		send_meta(press);
		send_unicode(press, symbol);
	}
}

/* ---- keys that send a sequence ---- */

/* ESC [ x, or ESC O x. */
static void send_cursor(struct press *press, char letter, bool application)
{
	send_meta(press);
	send_text(press, application ? "\033O" : "\033[");
	send_byte(press, (uint8_t)letter);
}

static void send_tilde(struct press *press, const char *number)
{
	send_meta(press);
	send_text(press, "\033[");
	send_text(press, number);
	send_byte(press, '~');
}

static void scroll(struct press *press, enum keyboard_action action, const char *number)
{
	if (press->shift)
		press->result->action = action;
	else
		send_tilde(press, number);
}

/* F1 to F12; with Shift F13 to F20, and no more; with Alt it is the terminal's number. */
static void press_function(struct press *press, unsigned number)
{
	static const char *const sequences[] = {
		"[A",  "[B",  "[C",  "[D",  "[E",  "17~", "18~", "19~", "20~", "21~",
		"23~", "24~", "25~", "26~", "28~", "29~", "31~", "32~", "33~", "34~",
	};

	if (press->alt) {
		press->result->action = ACTION_CONSOLE;
		press->result->value = (uint8_t)number;
		return;
	}
	if (press->shift)
		number += 12;
	if (number > ARRAY_SIZE(sequences))
		return;
	send_text(press, "\033[");
	send_text(press, sequences[number - 1]);
}

static bool press_cursor(struct press *press, unsigned key)
{
	bool application = press->modes->application_cursor;

	switch (key) {
	case KEY_UP:
		send_cursor(press, 'A', application);
		return true;
	case KEY_DOWN:
		send_cursor(press, 'B', application);
		return true;
	case KEY_RIGHT:
		send_cursor(press, 'C', application);
		return true;
	case KEY_LEFT:
		send_cursor(press, 'D', application);
		return true;
	case KEY_HOME:
		send_tilde(press, "1");
		return true;
	case KEY_INSERT:
		send_tilde(press, "2");
		return true;
	case KEY_DELETE:
		send_tilde(press, "3");
		return true;
	case KEY_END:
		send_tilde(press, "4");
		return true;
	case KEY_PAGE_UP:
		scroll(press, ACTION_SCROLL_BACK, "5");
		return true;
	case KEY_PAGE_DOWN:
		scroll(press, ACTION_SCROLL_FORWARD, "6");
		return true;
	default:
		return false;
	}
}

static void press_enter(struct press *press)
{
	send_meta(press);
	send_byte(press, '\r');
	if (press->modes->newline)
		send_byte(press, '\n');
}

/* ---- the keypad ---- */

struct pad_key {
	uint8_t key;
	char character;   /* with Num Lock */
	char application; /* behind ESC O in application mode */
	uint8_t without;  /* the key that it is without Num Lock; 0: it is always the character */
};

static const struct pad_key pad_keys[] = {
	{KEY_PAD_0, '0', 'p', KEY_INSERT},    {KEY_PAD_1, '1', 'q', KEY_END},
	{KEY_PAD_1 + 1, '2', 'r', KEY_DOWN},  {KEY_PAD_1 + 2, '3', 's', KEY_PAGE_DOWN},
	{KEY_PAD_4, '4', 't', KEY_LEFT},      {KEY_PAD_4 + 1, '5', 'u', KEY_PAD_4 + 1},
	{KEY_PAD_4 + 2, '6', 'v', KEY_RIGHT}, {KEY_PAD_7, '7', 'w', KEY_HOME},
	{KEY_PAD_7 + 1, '8', 'x', KEY_UP},    {KEY_PAD_7 + 2, '9', 'y', KEY_PAGE_UP},
	{KEY_PAD_PLUS, '+', 'l', 0},          {KEY_PAD_MINUS, '-', 'S', 0},
	{KEY_PAD_STAR, '*', 'R', 0},          {KEY_PAD_SLASH, '/', 'Q', 0},
	{KEY_PAD_COMMA, ',', 'n', 0},         {KEY_PAD_DOT, '.', 'n', KEY_DELETE},
	{KEY_PAD_ENTER, '\r', 'M', 0},
};

static const struct pad_key *pad_key_of(unsigned key)
{
	for (size_t i = 0; i < ARRAY_SIZE(pad_keys); i++) {
		if (pad_keys[i].key == key)
			return &pad_keys[i];
	}
	return NULL;
}

static void press_pad(struct press *press, const struct pad_key *pad)
{
	const struct keyboard *keyboard = press->keyboard;
	char character = pad->character;

	if (press->modes->application_keypad && !press->shift) {
		send_cursor(press, pad->application, true);
	} else if (pad->without && !(keyboard->locks & KEYLOCK_NUM)) {
		if (!press_cursor(press, pad->without)) /* the 5: terminfo's kb2 */
			send_cursor(press, 'G', press->modes->application_cursor);
	} else if (character == '\r') {
		press_enter(press);
	} else {
		if (pad->key == KEY_PAD_DOT && (keyboard->map.flags & KEYMAP_PAD_COMMA))
			character = ',';
		send_meta(press);
		send_byte(press, (uint8_t)character);
	}
}

/* ---- all keys ---- */

static void toggle(struct press *press, enum keyboard_lock lock)
{
	struct keyboard *keyboard = press->keyboard;

	if (press->repeated)
		return;
	keyboard->locks ^= (uint8_t)lock;
	press->result->lamps = true;
	if (lock == KEYLOCK_SCROLL) {
		press->result->action = ACTION_STOP;
		press->result->value = (keyboard->locks & KEYLOCK_SCROLL) != 0;
	}
}

/* The keys that mean something by themselves, whatever the layout. */
static bool press_special(struct press *press, unsigned key)
{
	switch (key) {
	case KEY_CAPS_LOCK:
		toggle(press, KEYLOCK_CAPS);
		return true;
	case KEY_NUM_LOCK:
		toggle(press, KEYLOCK_NUM);
		return true;
	case KEY_SCROLL_LOCK:
		toggle(press, KEYLOCK_SCROLL);
		return true;
	case KEY_ESCAPE:
		send_meta(press);
		send_byte(press, ESCAPE);
		return true;
	case KEY_BACKSPACE:
		send_meta(press);
		send_byte(press, press->control ? BACKSPACE : DELETE);
		return true;
	case KEY_TAB: /* with Shift: terminfo's kcbt */
		if (press->shift || press->alt)
			send_byte(press, ESCAPE);
		send_byte(press, '\t');
		return true;
	case KEY_ENTER:
		press_enter(press);
		return true;
	case KEY_PAUSE:
		if (!press->control) /* Break means nothing to a terminal of this kind */
			send_text(press, "\033[P");
		return true;
	case KEY_SYSRQ:
		press->keyboard->sysrq = press->alt;
		return true;
	case KEY_MENU:
		press->keyboard->composing = true;
		press->keyboard->pending = 0;
		return true;
	default:
		return press_cursor(press, key);
	}
}

/* Alt-SysRq is held: the key is a command. */
static void press_command(struct press *press, unsigned key)
{
	keysym_t symbol = press->keyboard->map.symbols[key][LEVEL_PLAIN];

	if (press->repeated || symbol < 0x20 || symbol >= 0x7f)
		return;
	press->result->action = ACTION_SYSRQ;
	press->result->value = (uint8_t)symbol;
}

static void press_key(struct press *press, unsigned key)
{
	const struct pad_key *pad = pad_key_of(key);
	bool delete = key == KEY_DELETE || key == KEY_PAD_DOT;

	if (press->keyboard->sysrq && key != KEY_SYSRQ)
		press_command(press, key);
	else if (delete &&press->control && (press->alt || press->altgr))
		press->result->action = ACTION_REBOOT;
	else if (press_special(press, key))
		press->keyboard->pending = 0; /* it ends what a dead key began */
	else if (pad)
		press_pad(press, pad);
	else if (key >= KEY_F1 && key <= KEY_F10)
		press_function(press, key - KEY_F1 + 1);
	else if (key == KEY_F11 || key == KEY_F12)
		press_function(press, key - KEY_F11 + 11);
	else
		press_symbol(press, key);
}

/* Programs that asked for the keys themselves: no bytes of ours, no locks. What brings the machine
 * back from such a program still works. */
static void only_pass(struct press *press, struct key_event event)
{
	struct keyboard_result *result = press->result;

	if (result->action != ACTION_SYSRQ && result->action != ACTION_REBOOT &&
	    result->action != ACTION_CONSOLE)
		result->action = ACTION_NONE;
	result->len_bytes = 0;
	if (press->modes->mode == KEYBOARD_MEDIUM_RAW)
		send_byte(press, event.key | (event.pressed ? 0 : 0x80));
}

static bool is_translated(const struct keyboard_modes *modes)
{
	return modes->mode == KEYBOARD_XLATE || modes->mode == KEYBOARD_UNICODE;
}

void keyboard_key(struct keyboard *keyboard, struct key_event event,
		  const struct keyboard_modes *modes, struct keyboard_result *result)
{
	struct press press = {.keyboard = keyboard, .modes = modes, .result = result};
	uint8_t locks = keyboard->locks;

	*result = (struct keyboard_result){0};
	if (event.key == 0 || event.key >= KEYS_MAX)
		return;
	press.repeated = event.pressed && keyboard_is_down(keyboard, event.key);
	note_down(keyboard, event.key, event.pressed);
	read_modifiers(&press);
	if (!keyboard_is_down(keyboard, KEY_SYSRQ))
		keyboard->sysrq = false;
	if (event.pressed && !is_modifier(event.key))
		press_key(&press, event.key);
	if (is_translated(modes))
		return;
	keyboard->locks = locks;
	result->lamps = false;
	only_pass(&press, event);
}

void keyboard_set_map(struct keyboard *keyboard, const struct keymap *map)
{
	keyboard->map = *map;
	keyboard->pending = 0;
	keyboard->composing = false;
}

void keyboard_release_all(struct keyboard *keyboard)
{
	memset(keyboard->down, 0, sizeof(keyboard->down));
	keyboard->pending = 0;
	keyboard->composing = false;
	keyboard->sysrq = false;
}

void keyboard_init(struct keyboard *keyboard)
{
	*keyboard = (struct keyboard){.locks = 0};
	keymap_us(&keyboard->map);
}
