/*
 * What programs can ask of a virtual console beside what all terminals have (linux/kd.h,
 * linux/vt.h): to have the pixels for themselves, what keys send, which console is shown.
 *
 * A program that has the pixels is remembered by its number. When it ends without having given them
 * back, or gives up its keyboard mode, the text returns.
 */
#include <abi/errno.h>
#include <abi/kd.h>
#include <arch/user.h>
#include <lib/atomic.h>

#include "input/input.h"
#include "process/capability.h"
#include "screen.h"
#include "screen_priv.h"

static int caller(void)
{
	const struct process *process = process_current();

	return process ? process->pid : 0;
}

/* As Linux: who sits at it, or may configure terminals. */
static bool may_change(struct vc *vc)
{
	return tty_is_controlling(&vc->console.tty) || capable(CAP_SYS_TTY_CONFIG);
}

static ssize_t set_graphics(struct vc *vc, uint64_t mode)
{
	if (mode != KD_TEXT && mode != KD_GRAPHICS)
		return -EINVAL;
	write_once(&vc->graphics_owner, mode == KD_GRAPHICS ? caller() : 0);
	screen_set_graphics(vc, mode == KD_GRAPHICS);
	/* Nothing of the text comes over what the program draws next. */
	if (mode == KD_GRAPHICS)
		screen_wait_for_picture();
	return 0;
}

static void change_keys(struct vc *vc, enum keyboard_mode mode)
{
	write_once(&vc->key_mode, mode);
	if (screen_made(screen_shown()) == vc)
		input_set_mode(mode);
}

static ssize_t set_keys(struct vc *vc, uint64_t mode)
{
	if (mode > K_OFF)
		return -EINVAL;
	write_once(&vc->keys_owner, mode == KEYBOARD_UNICODE ? 0 : caller());
	change_keys(vc, (enum keyboard_mode)mode);
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

/* ---- which console is shown ---- */

static bool is_in_use(unsigned number)
{
	struct vc *vc = screen_made(number);

	return number == screen_shown() || (vc && read_once(&vc->console.tty.nopen) > 0);
}

static ssize_t find_unused(uptr_t argument)
{
	for (unsigned number = 1; number <= SCREEN_VCS; number++) {
		if (!is_in_use(number))
			return put_int(argument, (int)number);
	}
	return put_int(argument, -1);
}

static ssize_t get_state(uptr_t argument)
{
	struct abi_vt_stat stat = {.v_active = (uint16_t)screen_shown(), .v_state = 1};

	for (unsigned number = 1; number <= SCREEN_VCS; number++) {
		if (is_in_use(number))
			stat.v_state |= (uint16_t)(1u << number);
	}
	return user_put(argument, &stat);
}

/* Consoles change when they are asked to; that programs be asked first (VT_PROCESS) is not served.
 */
static ssize_t set_mode(uptr_t argument)
{
	struct abi_vt_mode mode;

	if (user_get(&mode, argument))
		return -EFAULT;
	return mode.mode == VT_AUTO ? 0 : -EINVAL;
}

static ssize_t get_mode(uptr_t argument)
{
	struct abi_vt_mode mode = {.mode = VT_AUTO};

	return user_put(argument, &mode);
}

static ssize_t activate(uint64_t number, bool wait)
{
	if (number < 1 || number > SCREEN_VCS)
		return -ENXIO;
	if (wait)
		return screen_wait_shown((unsigned)number);
	if (!screen_console_get((unsigned)number))
		return -ENOMEM;
	screen_show((unsigned)number);
	return 0;
}

static bool is_change(unsigned command)
{
	return command == KDSETMODE || command == KDSKBMODE || command == KDSETLED ||
	       command == VT_SETMODE || command == VT_ACTIVATE || command == VT_WAITACTIVE;
}

ssize_t screen_ioctl(struct console *console, unsigned command, uptr_t argument)
{
	struct vc *vc = container_of(console, struct vc, console);

	if (is_change(command) && !may_change(vc))
		return -EPERM;
	switch (command) {
	case KDSETMODE:
		return set_graphics(vc, argument.value);
	case KDGETMODE:
		return put_int(argument, read_once(&vc->graphics) ? KD_GRAPHICS : KD_TEXT);
	case KDSKBMODE:
		return set_keys(vc, argument.value);
	case KDGKBMODE:
		return put_int(argument, (int)read_once(&vc->key_mode));
	case KDSETLED:
		input_set_locks((uint8_t)argument.value);
		return 0;
	case KDGETLED:
		return put_byte(argument, input_locks());
	case KDGKBTYPE:
		return put_byte(argument, KB_101);
	case VT_OPENQRY:
		return find_unused(argument);
	case VT_GETSTATE:
		return get_state(argument);
	case VT_GETMODE:
		return get_mode(argument);
	case VT_SETMODE:
		return set_mode(argument);
	case VT_ACTIVATE:
	case VT_WAITACTIVE:
		return activate(argument.value, command == VT_WAITACTIVE);
	default:
		return -ENOTTY;
	}
}

static void give_back(struct vc *vc, int pid)
{
	int mine = pid;

	if (read_once(&vc->graphics_owner) == pid && atomic_cas(&vc->graphics_owner, &mine, 0))
		screen_set_graphics(vc, false);
	mine = pid;
	if (read_once(&vc->keys_owner) == pid && atomic_cas(&vc->keys_owner, &mine, 0))
		change_keys(vc, KEYBOARD_UNICODE);
}

void screen_process_ended(int pid)
{
	for (unsigned number = 1; screen_present() && number <= SCREEN_VCS; number++) {
		struct vc *vc = screen_made(number);

		if (vc)
			give_back(vc, pid);
	}
}
