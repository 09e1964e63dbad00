/*
 * Pseudo terminals: which there are, and what the slave's side does.
 *
 * `ptys_lock` (LOCK_PTYS, spinning) has the table by number, and what the nodes show. A pair stands
 * in the table until its last reference is gone, so whoever finds it there must try to get one.
 */
#define LOG_SUBSYSTEM "pty"

#include "pty.h"

#include <abi/errno.h>
#include <abi/stat.h>
#include <arch/clock.h>
#include <fusek/devfs.h>
#include <fusek/server.h>
#include <lib/atomic.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/kva.h>

#include "../devices.h"
#include "../process/uthread.h"

/* Of the slave's output: so much is kept free for echoes, which cannot wait. */
#define ECHO_BYTES 512

static struct spinlock ptys_lock = SPINLOCK_INIT(LOCK_PTYS);
static struct pty *ptys[PTYS_MAX]; /* [ptys_lock] */
static uint64_t nmade;             /* [ptys_lock] */

/* ---- the table ---- */

static struct pty *try_get(struct pty *pty)
{
	return pty && refcount_try_get(&pty->tty.references) ? pty : NULL;
}

struct pty *pty_next(uint32_t *number)
{
	struct pty *pty = NULL;

	spin_lock(&ptys_lock);
	for (; *number < PTYS_MAX && !pty; ++*number) {
		if (ptys[*number] && !ptys[*number]->master_gone)
			pty = try_get(ptys[*number]);
	}
	spin_unlock(&ptys_lock);
	if (pty)
		*number = pty->number;
	return pty;
}

struct pty *pty_find(uint32_t number)
{
	struct pty *pty = NULL;

	if (number >= PTYS_MAX)
		return NULL;
	spin_lock(&ptys_lock);
	if (ptys[number] && !ptys[number]->master_gone)
		pty = try_get(ptys[number]);
	spin_unlock(&ptys_lock);
	return pty;
}

struct pty *pty_find_by_serial(uint64_t serial)
{
	struct pty *pty = NULL;

	spin_lock(&ptys_lock);
	for (unsigned i = 0; i < PTYS_MAX && !pty; i++) {
		if (ptys[i] && ptys[i]->serial == serial)
			pty = try_get(ptys[i]);
	}
	spin_unlock(&ptys_lock);
	return pty;
}

void pty_get_attributes(struct pty *pty, struct pty_attributes *out)
{
	spin_lock(&ptys_lock);
	*out = (struct pty_attributes){.mode = pty->mode, .uid = pty->uid, .gid = pty->gid};
	spin_unlock(&ptys_lock);
}

void pty_set_attributes(struct pty *pty, const struct pty_attributes *to)
{
	spin_lock(&ptys_lock);
	pty->mode = to->mode;
	pty->uid = to->uid;
	pty->gid = to->gid;
	spin_unlock(&ptys_lock);
}

/* ---- the slave as a terminal ---- */

static struct pty *pty_of(struct tty *tty)
{
	return container_of(tty, struct pty, tty);
}

static size_t room_locked(const struct pty *pty) REQUIRES(pty->tty.lock);
static size_t room_locked(const struct pty *pty)
{
	return PTY_OUT_BYTES - (pty->out_tail - pty->out_head);
}

static void put(struct pty *pty, const uint8_t *bytes, size_t len_bytes)
{
	spin_lock(&pty->tty.lock);
	len_bytes = MIN(len_bytes, room_locked(pty));
	for (size_t i = 0; i < len_bytes; i++)
		pty->out[pty->out_tail++ % PTY_OUT_BYTES] = bytes[i];
	spin_unlock(&pty->tty.lock);
	waitq_wake_all(&pty->readable);
}

/* Within room(), and only the one with the writer takes of it. An echo that does not fit is lost.
 */
static void send(struct tty *tty, const void *bytes, size_t len_bytes)
{
	put(pty_of(tty), bytes, len_bytes);
}

static err_t opened(struct tty *tty) REQUIRES(tty->lock)
{
	struct pty *pty = pty_of(tty);

	/* It is said that the master has gone before the files of the slave end. */
	if (pty->slave_locked || read_once(&pty->master_gone))
		return -EIO;
	pty->slave_gone = false;
	return 0;
}

static void closed(struct tty *tty) REQUIRES(tty->lock)
{
	struct pty *pty = pty_of(tty);

	pty->slave_gone = true;
	waitq_wake_all(&pty->readable);
}

static void free_pty(struct tty *tty)
{
	struct pty *pty = pty_of(tty);

	spin_lock(&ptys_lock);
	ptys[pty->number] = NULL;
	spin_unlock(&ptys_lock);
	kvfree(pty, sizeof(*pty));
}

static const struct tty_ops slave_ops = {
	.send = send,
	.echo = send,
	.opened = opened,
	.closed = closed,
	.free = free_pty,
	.outlives_session = true,
};

/* ---- the line: the master ---- */

static void tell_locked(struct pty *pty, uint8_t event, uint8_t undone) REQUIRES(pty->tty.lock);
static void tell_locked(struct pty *pty, uint8_t event, uint8_t undone)
{
	if (!pty->packet)
		return;
	pty->packet_events = (uint8_t)((pty->packet_events & ~undone) | event);
	waitq_wake_all(&pty->readable);
}

/* ^S and ^Q stop the output, as the person at the master's side expects. */
static bool has_usual_flow(const struct abi_termios *termios)
{
	return (termios->c_iflag & IXON) && termios->c_cc[VSTOP] == ('S' & 0x1f) &&
	       termios->c_cc[VSTART] == ('Q' & 0x1f);
}

static void settings(void *line, const struct abi_termios *old,
		     struct abi_termios *new) NO_THREAD_SAFETY
{
	bool flow = has_usual_flow(new);

	new->c_cflag = (new->c_cflag & ~(unsigned)(CSIZE | PARENB)) | CS8 | CREAD;
	if (flow == has_usual_flow(old))
		return;
	if (flow)
		tell_locked(line, TIOCPKT_DOSTOP, TIOCPKT_NOSTOP);
	else
		tell_locked(line, TIOCPKT_NOSTOP, TIOCPKT_DOSTOP);
}

static void stop(void *line, bool stopped) NO_THREAD_SAFETY
{
	if (stopped)
		tell_locked(line, TIOCPKT_STOP, TIOCPKT_START);
	else
		tell_locked(line, TIOCPKT_START, TIOCPKT_STOP);
}

static void input_dropped(void *line) NO_THREAD_SAFETY
{
	tell_locked(line, TIOCPKT_FLUSHREAD, 0);
}

static void input_taken(void *line)
{
	struct pty *pty = line;

	waitq_wake_all(&pty->readable); /* poll's */
}

static err_t drain(void *line)
{
	(void)line;
	return 0; /* what the master has not read is no longer the terminal's */
}

static size_t room(void *line)
{
	struct pty *pty = line;
	size_t bytes;

	spin_lock(&pty->tty.lock);
	bytes = room_locked(pty);
	spin_unlock(&pty->tty.lock);
	return bytes > ECHO_BYTES ? bytes - ECHO_BYTES : 0;
}

static size_t waiting(void *line)
{
	(void)line;
	return 0; /* as drain() */
}

static void discard(void *line)
{
	struct pty *pty = line;

	spin_lock(&pty->tty.lock);
	pty->out_head = pty->out_tail;
	tell_locked(pty, TIOCPKT_FLUSHWRITE, 0);
	spin_unlock(&pty->tty.lock);
	tty_has_room(&pty->tty);
}

static const struct tty_line_ops master_line = {
	.settings = settings,
	.stop = stop,
	.drain = drain,
	.room = room,
	.waiting = waiting,
	.discard = discard,
	.input_dropped = input_dropped,
	.input_taken = input_taken,
	.bounded = true,
};

/* ---- beginning and end ---- */

/* Gives it the lowest number that is free. */
static err_t enter(struct pty *pty, uint32_t max)
{
	err_t err = -ENOSPC;

	spin_lock(&ptys_lock);
	for (uint32_t i = 0; i < MIN(max, PTYS_MAX); i++) {
		if (ptys[i])
			continue;
		pty->number = i;
		pty->serial = ++nmade;
		pty->tty.rdev = abi_makedev(DEVICE_PTS_MAJOR, i);
		kernel_format(pty->tty.name, sizeof(pty->tty.name), "pts/%u", i);
		ptys[i] = pty;
		err = 0;
		break;
	}
	spin_unlock(&ptys_lock);
	return err;
}

err_t pty_create(struct pty **out)
{
	const struct server_caller caller = server_caller_current();
	struct pty *pty = kvmalloc(sizeof(*pty));
	struct devpts_options options;
	err_t err;

	if (!pty)
		return -ENOMEM;
	memset(pty, 0, sizeof(*pty));
	tty_init(&pty->tty, "pts", &slave_ops, NULL);
	pty->tty.size = (struct abi_winsize){0};
	pty->tty.ldisc.termios.c_cflag = B38400 | CS8 | CREAD;
	pty->tty.line = &master_line;
	pty->tty.line_device = pty;
	waitq_init(&pty->readable);
	pty->slave_locked = true;
	pty->made_ns = clock_wall_ns();
	devpts_options_get(&options);
	pty->mode = options.mode;
	pty->uid = options.uid == UINT32_MAX ? caller.uid : options.uid;
	pty->gid = options.gid == UINT32_MAX ? caller.gid : options.gid;
	err = enter(pty, options.max);
	if (err)
		kvfree(pty, sizeof(*pty));
	else
		*out = pty;
	return err;
}

void pty_master_ended(struct pty *pty)
{
	spin_lock(&ptys_lock);
	write_once(&pty->master_gone, true);
	spin_unlock(&ptys_lock);
	tty_hang_up(&pty->tty);
	pty_put(pty);
}

/* ---- the slave as a device ---- */

/* Its number may have been given to another pair since the node was looked at, so the right to open
 * it is looked at again. */
static bool may_open(struct pty *pty, unsigned flags)
{
	static const uint32_t wanted_by_mode[] = {4, 2, 6, 6};
	const struct vfs_context *context = &uthread_current()->fs;
	uint32_t wanted = wanted_by_mode[flags & O_ACCMODE];
	struct pty_attributes attributes;

	pty_get_attributes(pty, &attributes);
	if (vfs_capable_of_ids(context, attributes.uid, attributes.gid, CAP_DAC_OVERRIDE))
		return true;
	if (context->uid == attributes.uid)
		attributes.mode >>= 6;
	else if (vfs_in_group(context, attributes.gid))
		attributes.mode >>= 3;
	return (attributes.mode & wanted) == wanted;
}

static err_t open_slave(struct device_file *file, unsigned flags)
{
	struct pty *pty = pty_find(abi_minor(file->rdev));
	err_t err;

	if (!pty)
		return -EIO; /* as Linux: the name may still be there, the terminal is not */
	if (process_current() && !may_open(pty, flags))
		err = -EACCES;
	else
		err = terminal_open_as(file, &pty->tty, flags, false);
	pty_put(pty);
	return err;
}

static const struct device_ops pty_slave_ops = TERMINAL_DEVICE_OPS(open_slave);

void pty_init(void)
{
	err_t err = devfs_register("ptmx", DEVICE_TTY_MAJOR, DEVICE_PTMX_MINOR, 0666, 0,
				   &pty_master_ops, NULL);

	if (!err)
		err = devfs_register_numbers(DEVICE_PTS_MAJOR, 0, PTYS_MAX, &pty_slave_ops, NULL);
	if (err)
		log_err("/dev/ptmx cannot be made (error %d)", -err);
	devpts_init();
}
