/*
 * What programs can ask of the screen's terminal beside what all terminals have (linux/kd.h): to
 * have the pixels for themselves, and what keys send.
 *
 * A program that has the pixels is remembered by its number. When it ends without having given them
 * back, or gives up its keyboard mode, the text returns.
 */
#include <abi/errno.h>
#include <abi/kd.h>
#include <arch/user.h>
#include <lib/atomic.h>

#include "input/input.h"
#include "process.h"
#include "screen.h"
#include "screen_priv.h"

/* atomic: the process whose settings these are; 0: none. Two that change them at once are on their
 * own, as on Linux. */
static int graphics_owner;
static int keys_owner;

static int caller(void)
{
	const struct process *process = process_current();

	return process ? process->pid : 0;
}

static ssize_t set_graphics(uint64_t mode)
{
	if (mode != KD_TEXT && mode != KD_GRAPHICS)
		return -EINVAL;
	write_once(&graphics_owner, mode == KD_GRAPHICS ? caller() : 0);
	screen_set_graphics(mode == KD_GRAPHICS);
	/* Nothing of the text comes over what the program draws next. */
	if (mode == KD_GRAPHICS)
		screen_wait_for_picture();
	return 0;
}

static ssize_t set_keys(uint64_t mode)
{
	if (mode > K_OFF)
		return -EINVAL;
	write_once(&keys_owner, mode == KEYBOARD_UNICODE ? 0 : caller());
	input_set_mode((enum keyboard_mode)mode);
	return 0;
}

static ssize_t put_int(uptr_t to, int value)
{
	return user_put(to, &value);
}

static ssize_t put_byte(uptr_t to, uint8_t value)
{
	return user_put(to, &value);
}

ssize_t screen_ioctl(struct console *console, unsigned command, uptr_t argument)
{
	(void)console;
	switch (command) {
	case KDSETMODE:
		return set_graphics(argument.value);
	case KDGETMODE:
		return put_int(argument, screen_graphics() ? KD_GRAPHICS : KD_TEXT);
	case KDSKBMODE:
		return set_keys(argument.value);
	case KDGKBMODE:
		return put_int(argument, (int)input_mode());
	case KDSETLED:
		input_set_locks((uint8_t)argument.value);
		return 0;
	case KDGETLED:
		return put_byte(argument, input_locks());
	case KDGKBTYPE:
		return put_byte(argument, KB_101);
	default:
		return -ENOTTY;
	}
}

void screen_process_ended(int pid)
{
	int mine = pid;

	if (read_once(&graphics_owner) == pid && atomic_cas(&graphics_owner, &mine, 0))
		screen_set_graphics(false);
	mine = pid;
	if (read_once(&keys_owner) == pid && atomic_cas(&keys_owner, &mine, 0))
		input_set_mode(KEYBOARD_UNICODE);
}
