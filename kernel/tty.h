/*
 * Terminals: a line discipline (tty_ldisc.h) with readers, writers, a foreground group and a
 * window size around it. What sends and receives the bytes is a struct tty_ops: the serial console
 * (console.h), or a loop in a self-test.
 *
 * Everything is 8-bit clean; the settings are Linux's (abi/termios.h). Reading sleeps and can be
 * killed. Writing takes its bytes in pieces of TTY_WRITE_PIECE, each of which reaches the device
 * whole: neither another writer's piece nor an echo nor a log line stands inside it.
 */
#ifndef KERNEL_TTY_H
#define KERNEL_TTY_H

#include <arch/spin.h>
#include <lib/types.h>
#include <sched/lock.h>
#include <sched/task.h>
#include <sched/wait.h>

#include "tty_ldisc.h"

struct buffer;
struct object;
struct tty;

#define TTY_WRITE_PIECE 1024

struct tty_ops {
	/* Sends all of it, after output processing. May sleep; one caller at a time. A device that
	 * is stuck gives up when the calling thread is killed. */
	void (*send)(struct tty *tty, const void *bytes, size_t len_bytes);
	/* The same for an echo, from a task: does not sleep. */
	void (*echo)(struct tty *tty, const void *bytes, size_t len_bytes);
	/* The settings are others now, or the writer is done. NULL: not interested. */
	void (*settled)(struct tty *tty);
	/* The window has another size now. Does not sleep. NULL: not interested. */
	void (*resized)(struct tty *tty);
	/* Commands that not every terminal has. -ENOTTY: no such command. NULL: none. */
	ssize_t (*ioctl)(struct tty *tty, unsigned command, uptr_t argument);
	bool size_fixed; /* TIOCSWINSZ cannot change the size */
};

/* What a terminal can do whose bytes go over a line. `line` is tty->line_device. */
struct tty_line_ops {
	/* The settings are about to be others. `new` becomes what the line can do. Under the
	 * terminal's spinlock. */
	void (*settings)(void *line, const struct abi_termios *old, struct abi_termios *new);
	/* Output is to stop at once, or goes on. Under the terminal's spinlock. */
	void (*stop)(void *line, bool stopped);
	/* Waits until everything is sent: 0, -EINTR. */
	err_t (*drain)(void *line);
	/* Bytes that can be sent without waiting; tty_has_room() tells of more. */
	size_t (*room)(void *line);
	size_t (*waiting)(void *line); /* bytes to be sent */
	void (*discard)(void *line);   /* forgets them */
	void (*line_break)(void *line, bool on);
};

/*
 *   [c] constant after tty_init()
 *   [l] lock; never held across a copy from or to a program, nor while bytes are sent
 *   [f] feeder; writer is taken inside
 *   [w] writer
 */
struct tty {
	char name[16];                   /* [c] as in /dev */
	const struct tty_ops *ops;       /* [c] */
	void *device;                    /* [c] the ops' own */
	const struct tty_line_ops *line; /* [c] NULL: there is no line; set before it is used */
	void *line_device;               /* [c] */
	uint64_t rdev;                   /* [c] its number as a device */
	struct spinlock lock;
	struct ldisc ldisc;       /* [l] input and settings */
	struct abi_winsize size;  /* [l] */
	uint32_t size_changes;    /* [l] how often it became another one */
	int session;              /* [l] 0: nobody's controlling terminal */
	int foreground;           /* [l] process group that gets the signals; 0: none */
	int early_signal;         /* [l] for the group that is awaited; 0: none */
	bool awaits_program;      /* [l] see tty_await_program() */
	bool stopped;             /* [l] by ^S: output waits */
	struct waitq readable;    /* readers: input came */
	struct waitq room;        /* who feeds it: a reader made room */
	struct waitq flowing;     /* writers: ^Q came */
	struct mutex feeder;      /* LOCK_TTY_INPUT: in tty_input() */
	struct waitq feeder_free; /* tasks that await the feeder */
	struct mutex writer;      /* LOCK_TTY: one piece or echo at a time; tty_writer_unlock() */
	struct waitq writer_free; /* tasks that await the writer */
	uint8_t processed[2 * TTY_WRITE_PIECE]; /* [w] what output processing made of a piece */
	uint8_t echo[512];                      /* [f] what was not sent yet */
	size_t echo_bytes;                      /* [f] */
};

/* Fills in a terminal with Linux's default settings, 24 x 80. `name` is copied. */
void tty_init(struct tty *tty, const char *name, const struct tty_ops *ops, void *device);

/* What a task that feeds a terminal awaits; each task has its own. */
struct tty_source {
	struct tty *tty; /* constant */
	struct task_wait feeder;
	struct task_wait room;
	struct task_wait writer;
};

void tty_source_init(struct tty_source *source, struct tty *tty, struct task *task);
/* Before the task ends. */
void tty_source_end(struct tty_source *source);
/*
 * In the task's poll: what the device received, in the order in which it came: echo, editing,
 * signals. True: all of it was taken and echoed. False: the readers' queue is full, or somebody is
 * writing or feeding it; *taken bytes were taken, and the task is woken when it can come again with
 * the rest (of no bytes, if only the echo is left).
 */
bool tty_input(struct tty_source *source, const void *bytes, size_t len_bytes, size_t *taken);

/* The same for bytes that something is wrong with, alike for all of them. */
bool tty_input_condition(struct tty_source *source, const void *bytes, size_t len_bytes,
			 enum ldisc_condition condition, size_t *taken);

/* The line takes more again: for those who poll. */
void tty_has_room(struct tty *tty);

/* Gives tty->writer back, for tasks to see. */
void tty_writer_unlock(struct tty *tty) RELEASE(tty->writer);

/*
 * Reads as read(2) on a terminal does: in canonical mode at most a line, in raw mode as VMIN and
 * VTIME say. Returns the count, 0 at the end of file (VEOF), -EINTR when killed, -EAGAIN where
 * `nonblocking` and nothing is there, -EFAULT.
 */
ssize_t tty_read(struct tty *tty, struct buffer *to, bool nonblocking);
/* All of it, or -EFAULT, or -EINTR, or the count before that; `nonblocking`: what the line takes
 * now, or -EAGAIN. */
ssize_t tty_write(struct tty *tty, struct buffer *from, bool nonblocking);

/* ---- job control (tty_jobs.c) ---- */

/* The running process's controlling terminal. */
bool tty_is_controlling(struct tty *tty);
/* SIGTTIN before it is read, SIGTTOU before it is changed: 0 in the foreground, or where SIGTTOU is
 * not wanted; else the process's group is sent the signal, and -EINTR; -EIO: it cannot be stopped.
 */
err_t must_check tty_check_foreground(struct tty *tty, int signal);
/* TIOCSPGRP. */
ssize_t tty_ioctl_set_foreground(struct tty *tty, uptr_t argument);

/* The same from and to the kernel's own memory: for ksh. */
ssize_t tty_read_kernel(struct tty *tty, void *to, size_t len_bytes, bool nonblocking);
ssize_t tty_write_kernel(struct tty *tty, const void *from, size_t len_bytes);

/*
 * Waits until input can be read (0), clock_ns() is `deadline_ns` (-ETIMEDOUT; UINT64_MAX: never),
 * the thread is killed (-EINTR), or the window has changed its size since *size_seen of
 * tty_size_changes() (-ERESTART, and *size_seen is the new count). `size_seen` NULL: not asked.
 */
err_t tty_wait_input(struct tty *tty, uint64_t deadline_ns, uint32_t *size_seen);
uint32_t tty_size_changes(struct tty *tty);

void tty_get_termios(struct tty *tty, struct abi_termios *out);
/* What of the input was not read yet stays, as with TCSETS; `flush` drops it, as with TCSETSF. */
void tty_set_termios(struct tty *tty, const struct abi_termios *termios, bool flush);

/* Waits until the line has sent everything: 0, -EINTR. */
err_t must_check tty_drain(struct tty *tty);
void tty_flush_input(struct tty *tty);
void tty_flush_output(struct tty *tty);
size_t tty_output_bytes(struct tty *tty); /* TIOCOUTQ */
size_t tty_input_bytes(struct tty *tty);  /* FIONREAD */
/* As ^S and ^Q do. */
void tty_set_stopped(struct tty *tty, bool stopped);

void tty_get_size(struct tty *tty, struct abi_winsize *out);
/* Tells the foreground group (SIGWINCH) when it is another one than before. */
void tty_set_size(struct tty *tty, const struct abi_winsize *size);

/* The session that the terminal belongs to and the group that ^C goes to. ksh is session leader of
 * the console: it sets the group of each program that it starts in the foreground, and 0 after. */
void tty_set_session(struct tty *tty, int session);
int tty_session(struct tty *tty);
/* It becomes the session's, with `group` in the foreground. -EPERM: it is one's already. */
err_t must_check tty_claim(struct tty *tty, int session, int group);
/* It is nobody's any more, if it was the session's; returns who was in its foreground. */
int tty_leave(struct tty *tty, int session);
void tty_set_foreground(struct tty *tty, int group);
/*
 * A program is about to be started, and these are the settings that it finds. What came while they
 * were raw and was not read is typed anew under them, as if it came now: it was meant for the
 * program. Until a group is in the foreground, a signal's key is kept for it. May sleep.
 */
void tty_await_program(struct tty *tty, const struct abi_termios *termios);
int tty_foreground(struct tty *tty);

/* A descriptor's object for the terminal, open for both, with one reference; NULL: no memory. */
struct object *tty_open(struct tty *tty);
/* ioctl(2) by the running program: settings, size, groups, queues. -ENOTTY: no such command. */
ssize_t tty_ioctl(struct tty *tty, unsigned command, uptr_t argument);
/* Which of POLL* hold now; as object_ops.poll. */
unsigned tty_poll(struct tty *tty, struct waitq **queue);

/* /dev/console: the terminal that `console=` names last. Set once, by console_init(). */
extern struct tty *console_tty;

#endif
