/*
 * The keyboard of the machine, and the terminal that gets its keys.
 */
#ifndef KERNEL_INPUT_INPUT_H
#define KERNEL_INPUT_INPUT_H

#include <lib/types.h>

#include "keyboard.h"

struct tty;

/*
 * The terminal in front of the person: what shows its output fills this in. All are called by the
 * keyboard's task, with no lock held, and may not sleep.
 */
struct input_target {
	struct tty *tty; /* NULL: /dev/console */
	/* Takes what a key sends, for a terminal that has other input as well. NULL: the keyboard's
	 * task feeds the terminal itself. */
	void (*type)(const void *bytes, size_t len_bytes);
	/* How its escape sequences have set the keys; `mode` is left alone. NULL: never changed. */
	void (*modes)(struct keyboard_modes *out);
	/* Half screens back (negative: forward) through what has scrolled away. NULL: nothing. */
	void (*scroll)(int half_screens);
	/* Alt-F1 and so on: shows another terminal, numbers from 1. NULL: there is one. */
	void (*show)(unsigned number);
};

/* Starts the keyboard: looks for it in a thread of its own, so nobody waits. `keymap=NAME` and
 * `i8042=off|set2` on the command line. Called once, when files can be opened. */
void input_init(void);

/* From now on keys go there; the struct is the caller's for good. Before: to the console. */
void input_set_target(const struct input_target *target);

/* Reads the layout /lib/keymaps/NAME, or the file if `name` has a slash, and uses it from the next
 * key on; "us" is always there. -ENOENT, -EINVAL and so on, with a line in the log that says why;
 * the layout stays as it was. Sleeps. */
err_t must_check input_load_keymap(const char *name);
void input_set_map(const struct keymap *map); /* copied */
void input_keymap_name(char *to, size_t to_bytes);

/* KDSKBMODE and KDGKBMODE, KDSETLED and KDGETLED: for the terminal that has the keys. */
void input_set_mode(enum keyboard_mode mode);
enum keyboard_mode input_mode(void);
void input_set_locks(uint8_t locks);
uint8_t input_locks(void);

#endif
