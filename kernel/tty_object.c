/*
 * Terminals as programs see them: the ioctl calls, and the object behind a descriptor that was not
 * opened by name (ksh hands its console to the programs that it starts).
 */
#include "tty.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/signal.h>
#include <arch/user.h>
#include <ipc/object.h>
#include <lib/atomic.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <mm/slab.h>

#include "devices.h"
#include "process/capability.h"

static ssize_t put_int(uptr_t to, int value)
{
	return user_put(to, &value);
}

/* ---- settings and queues ---- */

static ssize_t set_termios(struct tty *tty, unsigned command, uptr_t argument)
{
	struct abi_termios termios;
	err_t err = tty_check_foreground(tty, SIGTTOU);

	if (!err)
		err = user_get(&termios, argument);
	if (!err && command != TCSETS)
		err = tty_drain(tty);
	if (err)
		return err;
	tty_set_termios(tty, &termios, command == TCSETSF);
	return 0;
}

static ssize_t get_termios(struct tty *tty, uptr_t argument)
{
	struct abi_termios termios;

	tty_get_termios(tty, &termios);
	return user_put(argument, &termios);
}

static ssize_t get_size(struct tty *tty, uptr_t argument)
{
	struct abi_winsize size;

	tty_get_size(tty, &size);
	return user_put(argument, &size);
}

static ssize_t set_size(struct tty *tty, uptr_t argument)
{
	struct abi_winsize size;
	err_t err = user_get(&size, argument);

	if (err)
		return err;
	if (tty->ops->size_fixed) {
		struct abi_winsize now;

		tty_get_size(tty, &now);
		return size.ws_row == now.ws_row && size.ws_col == now.ws_col ? 0 : -EINVAL;
	}
	tty_set_size(tty, &size);
	return 0;
}

static ssize_t flush(struct tty *tty, uint64_t which)
{
	err_t err;

	if (which > TCIOFLUSH)
		return -EINVAL;
	err = tty_check_foreground(tty, SIGTTOU);
	if (err)
		return err;
	if (which != TCOFLUSH)
		tty_flush_input(tty);
	if (which != TCIFLUSH)
		tty_flush_output(tty);
	return 0;
}

static ssize_t flow(struct tty *tty, uint64_t what)
{
	struct abi_termios termios;
	char character;
	err_t err = tty_check_foreground(tty, SIGTTOU);

	if (err)
		return err;
	tty_get_termios(tty, &termios);
	switch (what) {
	case TCOOFF:
	case TCOON:
		tty_set_held(tty, what == TCOOFF);
		return 0;
	case TCIOFF:
	case TCION:
		character = (char)termios.c_cc[what == TCIOFF ? VSTOP : VSTART];
		return character ? MIN(tty_write_kernel(tty, &character, 1), 0) : 0;
	default:
		return -EINVAL;
	}
}

/* A break of so many tenths of a second behind all that is to be sent. Without a line: nothing. */
static ssize_t send_break(struct tty *tty, uint64_t tenths)
{
	err_t err = tty_check_foreground(tty, SIGTTOU);

	if (!err)
		err = tty_drain(tty);
	if (err || !tty->line || !tty->line->line_break || tenths == 0)
		return err;
	tty->line->line_break(tty->line_device, true);
	err = thread_sleep_ns(MIN(tenths, UINT64_C(100)) * NSEC_PER_SEC / 10) ? -EINTR : 0;
	tty->line->line_break(tty->line_device, false);
	return err;
}

/* A break that begins is behind all that is to be sent, too. */
static ssize_t switch_break(struct tty *tty, bool on)
{
	err_t err = tty_check_foreground(tty, SIGTTOU);

	if (!err && on)
		err = tty_drain(tty);
	if (!err && tty->line && tty->line->line_break)
		tty->line->line_break(tty->line_device, on);
	return err;
}

ssize_t tty_ioctl_settings(struct tty *tty, unsigned command, uptr_t argument)
{
	switch (command) {
	case TCGETS:
		return get_termios(tty, argument);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_termios(tty, command, argument);
	case TIOCGWINSZ:
		return get_size(tty, argument);
	case TIOCSWINSZ:
		return set_size(tty, argument);
	default:
		return tty->ops->ioctl ? tty->ops->ioctl(tty, command, argument) : -ENOTTY;
	}
}

/* Who may write to a terminal may not make himself the one whom its keys signal. */
static ssize_t make_controlling(const struct tty_file *file, uint64_t steal)
{
	bool administrator = capable(CAP_SYS_ADMIN);

	if (!file->readable && !administrator)
		return -EPERM;
	return tty_make_controlling(file->tty, steal == 1 && administrator);
}

/* As Linux: where a group is to be asked for, a terminal that hung up is none. */
static ssize_t hung_up_ioctl(unsigned command)
{
	return command == TIOCSPGRP ? -ENOTTY : -EIO;
}

ssize_t tty_ioctl(const struct tty_file *file, unsigned command, uptr_t argument)
{
	struct tty *tty = file->tty;

	if (tty_file_is_hung_up(file))
		return hung_up_ioctl(command);
	switch (command) {
	case TCFLSH:
		return flush(tty, argument.value);
	case TCXONC:
		return flow(tty, argument.value);
	case TCSBRK: /* tcdrain() is the one with an argument */
		return send_break(tty, argument.value ? 0 : 3);
	case TCSBRKP:
		return send_break(tty, argument.value ? argument.value : 3);
	case TIOCSBRK:
	case TIOCCBRK:
		return switch_break(tty, command == TIOCSBRK);
	case FIONREAD:
		return put_int(argument, (int)tty_input_bytes(tty));
	case TIOCOUTQ:
		return put_int(argument, (int)tty_output_bytes(tty));
	case TIOCGPGRP:
	case TIOCSPGRP:
	case TIOCGSID:
		return tty_ioctl_groups(tty, command, argument, false);
	case FIOASYNC: /* asked by async_own_terminal() alone: whom to tell; 0: who asks */
		return tty_foreground(tty);
	case TIOCSCTTY:
		return make_controlling(file, argument.value);
	case TIOCNOTTY:
		return tty_give_up(tty);
	default:
		return tty_ioctl_settings(tty, command, argument);
	}
}

/* ---- the object ---- */

struct tty_object {
	struct object object;
	struct tty_file file; /* constant */
};

static struct object *tty_open_for(struct tty *tty, unsigned flags);

static struct tty_file *file_of(struct object *object)
{
	return &container_of(object, struct tty_object, object)->file;
}

static struct tty *tty_of(struct object *object)
{
	return file_of(object)->tty;
}

static ssize_t object_read_tty(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	if (offset)
		return -ESPIPE;
	return tty_read(file_of(object), buffer, object_flags(object) & O_NONBLOCK);
}

static ssize_t object_write_tty(struct object *object, struct buffer *buffer,
				const uint64_t *offset)
{
	if (offset)
		return -ESPIPE;
	return tty_write(file_of(object), buffer, object_flags(object) & O_NONBLOCK);
}

static ssize_t object_ioctl_tty(struct object *object, unsigned command, uptr_t argument)
{
	return tty_ioctl(file_of(object), command, argument);
}

static unsigned object_poll_tty(struct object *object, struct waitq **queue)
{
	return tty_poll(file_of(object), queue);
}

static err_t object_stat_tty(struct object *object, struct abi_stat *out)
{
	*out = (struct abi_stat){
		.st_mode = S_IFCHR | 0620,
		.st_nlink = 1,
		.st_rdev = tty_of(object)->rdev,
		.st_blksize = 1024,
	};
	return 0;
}

static void object_describe_tty(struct object *object, char *to, size_t to_bytes)
{
	kernel_format(to, to_bytes, "/dev/%s", tty_of(object)->name);
}

static void object_release_tty(struct object *object)
{
	tty_file_close(file_of(object));
}

static void object_free_tty(struct object *object)
{
	kfree(container_of(object, struct tty_object, object));
}

static err_t object_reopen_tty(struct object *object, unsigned flags, struct object **out)
{
	*out = tty_open_for(tty_of(object), flags);
	return *out ? 0 : -ENOMEM;
}

static const struct object_ops tty_object_ops = {
	.read = object_read_tty,
	.write = object_write_tty,
	.ioctl = object_ioctl_tty,
	.poll = object_poll_tty,
	.signals = object_signals_always,
	.stat = object_stat_tty,
	.describe = object_describe_tty,
	.reopen = object_reopen_tty,
	.release = object_release_tty,
	.free = object_free_tty,
};

static struct object *tty_open_for(struct tty *tty, unsigned flags)
{
	struct tty_object *opened = kzalloc(sizeof(*opened));

	if (!opened)
		return NULL;
	if (tty_file_open(&opened->file, tty, flags, true)) {
		kfree(opened);
		return NULL;
	}
	object_init(&opened->object, &tty_object_ops, OBJECT_OTHER, flags);
	return &opened->object;
}

struct object *tty_open(struct tty *tty)
{
	return tty_open_for(tty, O_RDWR);
}
