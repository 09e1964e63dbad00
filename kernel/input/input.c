/*
 * The keyboard's task: bytes of the controller become keys, keys become a terminal's input or
 * something that the kernel does.
 *
 * What the terminal does not take at once waits in `typed`; what does not fit there is lost, as on
 * Linux: a program that does not read must not keep the keys from Ctrl-Alt-Del and SysRq.
 *
 * `lock` protects what others may look at and change: the keyboard's state with its layout, and the
 * mode. All else belongs to the task. Nothing is called with the lock held.
 */
#define LOG_SUBSYSTEM "keyboard"

#include "input.h"

#include <arch/boot.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/spin.h>
#include <lib/atomic.h>
#include <lib/log.h>
#include <lib/string.h>

#include "i8042.h"
#include "kthread.h"
#include "ps2_commands.h"
#include "random.h"
#include "sysrq.h"
#include "tty.h"
#include "userspace.h"

#define TAKE_BYTES  32
#define TYPED_BYTES 256

static struct spinlock lock = SPINLOCK_INIT(LOCK_DEVICE);
static struct keyboard keyboard;                   /* [lock] */
static enum keyboard_mode mode = KEYBOARD_UNICODE; /* [lock] */
static const struct input_target console_target;
static const struct input_target *target = &console_target; /* atomic */

static bool translate = true; /* constant after input_init() */
static bool set2;             /* constant once the task is started */

/* the task's */
static struct task task;
static struct task_timeout answer_timeout;
static struct tty_source source; /* to the target's terminal; tty NULL: to none yet */
static uint8_t typed[TYPED_BYTES];
static size_t typed_bytes;
static struct set2_translator translator;
static struct scancode_decoder decoder;
static struct ps2_commands commands;
static uint8_t lamps_shown;

/* ---- the layout, modes and lamps ---- */

void input_set_target(const struct input_target *to)
{
	/* Release: pairs with the acquire in current_target(). */
	store_release(&target, to);
}

static const struct input_target *current_target(void)
{
	return load_acquire(&target);
}

void input_set_map(const struct keymap *map)
{
	spin_lock(&lock);
	keyboard_set_map(&keyboard, map);
	spin_unlock(&lock);
}

void input_keymap_name(char *to, size_t to_bytes)
{
	spin_lock(&lock);
	string_copy(to, to_bytes, keyboard.map.name);
	spin_unlock(&lock);
}

void input_set_mode(enum keyboard_mode to)
{
	spin_lock(&lock);
	mode = to;
	spin_unlock(&lock);
}

enum keyboard_mode input_mode(void)
{
	return read_once(&mode);
}

void input_set_locks(uint8_t locks)
{
	spin_lock(&lock);
	keyboard.locks = locks & (KEYLOCK_SCROLL | KEYLOCK_NUM | KEYLOCK_CAPS);
	spin_unlock(&lock);
	task_wake(&task);
}

uint8_t input_locks(void)
{
	return read_once(&keyboard.locks);
}

/* ---- commands to the keyboard ---- */

static void show_lamps(void)
{
	uint8_t locks = input_locks();
	uint8_t command[] = {PS2_SET_LAMPS, locks};

	if (locks == lamps_shown)
		return;
	lamps_shown = locks;
	ps2_command(&commands, command, sizeof(command));
}

/* What a keyboard is told that was just found, or plugged in. */
static void greet(void)
{
	static const uint8_t repeat[] = {PS2_SET_REPEAT, PS2_FASTEST};
	static const uint8_t enable[] = {PS2_ENABLE};
	uint8_t lamps[] = {PS2_SET_LAMPS, input_locks()};

	lamps_shown = lamps[1];
	ps2_command(&commands, repeat, sizeof(repeat));
	ps2_command(&commands, lamps, sizeof(lamps));
	ps2_command(&commands, enable, sizeof(enable));
}

static void send_commands(void)
{
	uint8_t byte;

	show_lamps();
	if (ps2_next(&commands, clock_ns(), &byte))
		(void)i8042_send(byte); /* not taken: the answer's time-out sees to it */
	task_timeout_start(&answer_timeout, ps2_expire(&commands, clock_ns()));
}

/* ---- to the terminal ---- */

static void type(const uint8_t *bytes, size_t len_bytes)
{
	if (len_bytes > sizeof(typed) - typed_bytes)
		return;
	memcpy(typed + typed_bytes, bytes, len_bytes);
	typed_bytes += len_bytes;
}

static struct tty *tty_of(const struct input_target *to)
{
	return to->tty ? to->tty : console_tty;
}

/* False: something is left, and the task is woken when it can go on. */
static bool deliver(const struct input_target *to)
{
	size_t taken;
	bool all;

	if (to->type) {
		to->type(typed, typed_bytes);
		typed_bytes = 0;
		return true;
	}
	if (source.tty != tty_of(to)) {
		if (source.tty)
			tty_source_end(&source);
		tty_source_init(&source, tty_of(to), &task);
	}
	all = tty_input(&source, typed, typed_bytes, &taken);
	typed_bytes -= taken;
	memmove(typed, typed + taken, typed_bytes);
	return all;
}

/* ---- keys ---- */

static void act(const struct input_target *to, const struct keyboard_result *result)
{
	switch (result->action) {
	case ACTION_NONE:
		break;
	case ACTION_SCROLL_BACK:
	case ACTION_SCROLL_FORWARD:
		if (to->scroll)
			to->scroll(result->action == ACTION_SCROLL_BACK ? 1 : -1);
		break;
	case ACTION_STOP:
		tty_set_stopped(tty_of(to), result->value);
		break;
	case ACTION_CONSOLE:
		if (to->show)
			to->show(result->value);
		break;
	case ACTION_SYSRQ:
		sysrq(result->value, tty_of(to));
		break;
	case ACTION_REBOOT:
		log_info("Ctrl-Alt-Del");
		userspace_ctrl_alt_del();
		break;
	}
}

static void key(const struct input_target *to, struct key_event event)
{
	struct keyboard_modes modes = {0};
	struct keyboard_result result;

	if (to->modes)
		to->modes(&modes);
	spin_lock(&lock);
	modes.mode = mode;
	keyboard_key(&keyboard, event, &modes, &result);
	spin_unlock(&lock);
	type(result.bytes, result.len_bytes);
	act(to, &result);
}

/* A keyboard says that it works when it gets power. Behind a translating controller a left Shift
 * that goes up says the same, so it counts only where that is not held. */
static bool is_newcomer(uint8_t byte)
{
	bool shift;

	if (byte != SCANCODE_OK)
		return false;
	spin_lock(&lock);
	shift = keyboard_is_down(&keyboard, KEY_LEFT_SHIFT);
	if (!shift || set2)
		keyboard_release_all(&keyboard);
	spin_unlock(&lock);
	return !shift || set2;
}

static void received(const struct input_target *to, uint8_t byte)
{
	if (ps2_answer(&commands, byte))
		return;
	if (is_newcomer(byte)) {
		greet();
		return;
	}
	if (set2)
		byte = scancode_from_set2(&translator, byte);
	if (!byte)
		return;
	if (input_mode() == KEYBOARD_RAW)
		type(&byte, 1);
	key(to, scancode_decode(&decoder, byte));
}

static enum task_poll poll(struct task *self)
{
	const struct input_target *to = current_target();
	uint8_t bytes[TAKE_BYTES];
	size_t n;

	while ((n = i8042_receive(bytes, sizeof(bytes))) > 0) {
		random_mix(NULL, 0); /* when a key came is hard to foresee */
		for (size_t i = 0; i < n; i++)
			received(to, bytes[i]);
	}
	send_commands();
	return task_pending(self, deliver(to) ? "keys" : "keys; readers, or the writer");
}

/* ---- setting up ---- */

static void find_keyboard(void *argument)
{
	(void)argument;
	switch (i8042_start(translate, &task)) {
	case I8042_ABSENT:
		return;
	case I8042_SET2:
		set2 = true;
		break;
	case I8042_TRANSLATES:
		break;
	}
	greet();
	task_start(&task);
}

void input_init(void)
{
	char name[KEYMAP_NAME_BYTES];
	char word[8];

	keyboard_init(&keyboard);
	task_init(&task, "keyboard", poll, NULL); /* without a keyboard it is never started */
	task_timeout_init(&answer_timeout, &task);
	if (boot_option("keymap", name, sizeof(name)) && input_load_keymap(name) != 0)
		log_warn("the layout is us");
	if (boot_option("i8042", word, sizeof(word))) {
		if (strcmp(word, "off") == 0)
			return;
		translate = strcmp(word, "set2") != 0;
	}
	if (kthread_start("keyboard", find_keyboard, NULL, NULL) != 0)
		log_warn("no memory to look for a keyboard");
}
