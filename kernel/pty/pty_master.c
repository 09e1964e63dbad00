/*
 * The master's side of a pseudo terminal: what the slave has sent is read here, what is written
 * here is the slave's input. In packet mode each read begins with a byte that says what it is.
 */
#include "pty.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/signal.h>
#include <arch/user.h>
#include <fusek/devfs.h>
#include <fusek/file.h>
#include <ipc/fdtable.h>
#include <lib/fmt.h>

#include "../process.h"
#include "../process/uthread.h"

#define READ_PIECE 512

static struct pty *pty_of(const struct device_file *file)
{
	return file->private;
}

static err_t master_open(struct device_file *file, unsigned flags)
{
	struct pty *pty;
	err_t err = pty_create(&pty);

	(void)flags;
	if (!err)
		file->private = pty;
	return err;
}

static void master_release(struct device_file *file)
{
	pty_master_ended(pty_of(file));
}

/* ---- reading ---- */

/* What there is to be read: an event alone, else output behind a 0 if in packet mode. 0: nothing.
 */
static size_t take(struct pty *pty, uint8_t *to, size_t max_bytes, bool first, bool *is_event)
{
	size_t n = 0;

	*is_event = false;
	spin_lock(&pty->tty.lock);
	if (pty->packet && first) {
		*is_event = pty->packet_events != 0;
		if (*is_event || pty->out_head != pty->out_tail)
			to[n++] = pty->packet_events;
		pty->packet_events = 0;
	}
	while (!*is_event && n < max_bytes && pty->out_head != pty->out_tail)
		to[n++] = pty->out[pty->out_head++ % PTY_OUT_BYTES];
	spin_unlock(&pty->tty.lock);
	return n;
}

static unsigned ready(struct pty *pty)
{
	unsigned events = 0;

	spin_lock(&pty->tty.lock);
	if (pty->out_head != pty->out_tail)
		events |= POLLIN;
	if (pty->packet && pty->packet_events)
		events |= POLLIN | POLLPRI;
	if (pty->slave_gone)
		events |= POLLHUP;
	spin_unlock(&pty->tty.lock);
	return events;
}

/* Until something can be read: 0; -EIO: nothing will, the slave is closed. */
static err_t await_output(struct pty *pty, unsigned flags)
{
	unsigned events = ready(pty);
	err_t err = 0;

	if (!(events & (POLLIN | POLLHUP))) {
		if (flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_interruptible(&pty->readable,
					       (events = ready(pty)) & (POLLIN | POLLHUP));
	}
	if (err)
		return err;
	return (events & POLLIN) ? 0 : -EIO;
}

static ssize_t master_read(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			   unsigned flags)
{
	struct pty *pty = pty_of(file);
	size_t wanted = buffer_remaining(buffer);
	uint8_t piece[READ_PIECE];
	size_t done = 0;
	bool is_event = false;

	(void)offset_bytes;
	while (done < wanted && !is_event) {
		size_t n = take(pty, piece, MIN(sizeof(piece), wanted - done), !done, &is_event);
		size_t moved;

		if (n == 0 && done)
			break;
		if (n == 0) {
			err_t err = await_output(pty, flags);

			if (err)
				return err;
			continue;
		}
		tty_has_room(&pty->tty);
		moved = buffer_copy_to(buffer, piece, n);
		done += moved;
		if (moved < n)
			return buffer_result(done, wanted);
	}
	return (ssize_t)done;
}

static ssize_t master_write(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			    unsigned flags)
{
	(void)offset_bytes;
	return tty_type(&pty_of(file)->tty, buffer, flags & O_NONBLOCK);
}

static unsigned master_poll(struct device_file *file, struct waitq **queue)
{
	struct pty *pty = pty_of(file);

	*queue = &pty->readable;
	return ready(pty) | (tty_input_has_room(&pty->tty) ? POLLOUT : 0);
}

/* ---- ioctl ---- */

static ssize_t put_number(uptr_t to, unsigned number)
{
	return user_put(to, &number);
}

static ssize_t set_locked(struct pty *pty, uptr_t argument)
{
	int locked;

	if (user_get(&locked, argument))
		return -EFAULT;
	spin_lock(&pty->tty.lock);
	pty->slave_locked = locked != 0;
	spin_unlock(&pty->tty.lock);
	return 0;
}

static ssize_t set_packet(struct pty *pty, uptr_t argument)
{
	int packet;

	if (user_get(&packet, argument))
		return -EFAULT;
	spin_lock(&pty->tty.lock);
	if (packet && !pty->packet)
		pty->packet_events = 0;
	pty->packet = packet != 0;
	spin_unlock(&pty->tty.lock);
	return 0;
}

/* Opens the slave by the way of its name, with all that belongs to that, but whoever has the master
 * need not have the right to walk there. */
static ssize_t open_peer(struct pty *pty, uint64_t flags)
{
	const struct vfs_context context = vfs_kernel_context();
	struct object *object;
	char name[24];
	err_t err;

	if (flags & ~(uint64_t)(O_ACCMODE | O_NOCTTY | O_NONBLOCK | O_CLOEXEC))
		return -EINVAL;
	kernel_format(name, sizeof(name), "/dev/%s", pty->tty.name);
	err = vfs_open(&context, NULL, name, (unsigned)flags, 0, &object);
	if (err)
		return err;
	/* Takes the reference, in case of an error too. */
	return fd_add(uthread_current()->fds, object, (unsigned)flags & O_CLOEXEC);
}

/* What a key could send, and no more: the group may be another user's. */
static ssize_t send_signal(struct pty *pty, uint64_t signal)
{
	int group = tty_foreground(&pty->tty);

	if (signal != SIGINT && signal != SIGQUIT && signal != SIGTSTP)
		return -EINVAL;
	if (group)
		(void)process_group_signal(group, (int)signal); /* it may have just ended */
	return 0;
}

/* Its own queue is what the slave has sent. */
static ssize_t flush(struct pty *pty, uint64_t which)
{
	if (which > TCIOFLUSH)
		return -EINVAL;
	if (which != TCOFLUSH)
		tty_flush_output(&pty->tty);
	if (which != TCIFLUSH)
		tty_flush_input(&pty->tty);
	return 0;
}

static unsigned output_bytes(struct pty *pty)
{
	unsigned count;

	spin_lock(&pty->tty.lock);
	count = pty->out_tail - pty->out_head;
	spin_unlock(&pty->tty.lock);
	return count;
}

static ssize_t master_ioctl(struct device_file *file, unsigned command, uptr_t argument,
			    unsigned flags)
{
	struct pty *pty = pty_of(file);

	(void)flags;
	switch (command) {
	case TIOCGPTN:
		return put_number(argument, pty->number);
	case TIOCSPTLCK:
		return set_locked(pty, argument);
	case TIOCGPTLCK:
		return put_number(argument, read_once(&pty->slave_locked));
	case TIOCPKT:
		return set_packet(pty, argument);
	case TIOCGPKT:
		return put_number(argument, read_once(&pty->packet));
	case TIOCGPTPEER:
		return open_peer(pty, argument.value);
	case TIOCSIG:
		return send_signal(pty, argument.value);
	case TCFLSH:
		return flush(pty, argument.value);
	case FIONREAD:
		return put_number(argument, output_bytes(pty));
	case TIOCOUTQ:
		return put_number(argument, 0);
	case TIOCGPGRP:
	case TIOCSPGRP:
	case TIOCGSID:
		return tty_ioctl_groups(&pty->tty, command, argument, true);
	case FIOASYNC: /* as of a terminal that has no group (tty_object.c) */
		return 0;
	case TIOCSCTTY:
		return -ENOTTY; /* nobody's controlling terminal is a master */
	default:
		return tty_ioctl_settings(&pty->tty, command, argument);
	}
}

const struct device_ops pty_master_ops = {
	.open = master_open,
	.read = master_read,
	.write = master_write,
	.ioctl = master_ioctl,
	.poll = master_poll,
	.release = master_release,
};
