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
#include <lib/refcount.h>
#include <lib/types.h>
#include <sched/lock.h>
#include <sched/task.h>
#include <sched/wait.h>

#include "tty_ldisc.h"

struct buffer;
struct object;
struct process;
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
	/* It is opened; the last open of it ends. Under the terminal's spinlock. NULL: always;
	 * not interested. */
	err_t (*opened)(struct tty *tty);
	void (*closed)(struct tty *tty);
	/* The last reference is gone. NULL: it lives for ever. */
	void (*free)(struct tty *tty);
	bool size_fixed;       /* TIOCSWINSZ cannot change the size */
	bool outlives_session; /* what has it open goes on when its session's leader ends */
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
	/* NULL: it knows no break. */
	void (*line_break)(void *line, bool on);
	/* Input that nobody has read was forgotten. Under the terminal's spinlock. NULL: not
	 * interested. */
	void (*input_dropped)(void *line);
	/* A reader made room for more. NULL: not interested. */
	void (*input_taken)(void *line);
	bool bounded; /* send() takes what there is room() for and no more, and never sleeps */
};

/*
 *   [c] constant after tty_init()
 *   [l] lock; never held across a copy from or to a program, nor while bytes are sent
 *   [f] feeder; writer is taken inside
 *   [w] writer
 */
struct tty {
	char name[16]; /* [c] as in /dev */
	struct refcount references;
	const struct tty_ops *ops;       /* [c] */
	void *device;                    /* [c] the ops' own */
	const struct tty_line_ops *line; /* [c] NULL: there is no line; set before it is used */
	void *line_device;               /* [c] */
	uint64_t rdev;                   /* [c] its number as a device */
	struct spinlock lock;
	struct ldisc ldisc;       /* [l] input and settings */
	struct abi_winsize size;  /* [l] */
	uint32_t size_changes;    /* [l] how often it became another one */
	uint32_t nopen;           /* [l] struct tty_file */
	uint32_t hangups;         /* [l] how often all that had it open lost it */
	int session;              /* [l] 0: nobody's controlling terminal */
	int foreground;           /* [l] process group that gets the signals; 0: none */
	int early_signal;         /* [l] for the group that is awaited; 0: none */
	bool awaits_program;      /* [l] see tty_await_program() */
	bool stopped;             /* [l] by ^S or TCOOFF: output waits */
	bool held;                /* [l] by TCOOFF: ^Q does not let it go */
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

/* Fills in a terminal with Linux's default settings, 24 x 80, and one reference. `name` is copied.
 */
void tty_init(struct tty *tty, const char *name, const struct tty_ops *ops, void *device);
struct tty *tty_get(struct tty *tty);
/* Takes NULL. Not under a spinlock. */
void tty_put(struct tty *tty);

/* One open of a terminal. Constant; the reference is its own. */
struct tty_file {
	struct tty *tty;
	uint32_t hangups; /* tty->hangups, when it was opened */
	bool survives;    /* hang-ups: /dev/console */
	bool readable;    /* opened for reading */
};

/* `flags` are open's: without O_NOCTTY it becomes the controlling terminal of a session leader that
 * has none, if it is nobody's. `survives` as above; such a one never becomes it. Errors: the
 * terminal's. */
err_t must_check tty_file_open(struct tty_file *file, struct tty *tty, unsigned flags,
			       bool survives);
void tty_file_close(struct tty_file *file);
bool tty_file_is_hung_up(const struct tty_file *file);

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

/*
 * The same by the running thread, which may sleep: what a pseudo terminal's master writes.
 * `nonblocking`: what fits now, or -EAGAIN. -EINTR, -EFAULT; the count before that.
 */
ssize_t tty_type(struct tty *tty, struct buffer *from, bool nonblocking);
bool tty_input_has_room(struct tty *tty);

/* The line takes more again: for those who write and those who poll. */
void tty_has_room(struct tty *tty);

/* Gives tty->writer back, for tasks to see. */
void tty_writer_unlock(struct tty *tty) RELEASE(tty->writer);

/*
 * Reads as read(2) on a terminal does: in canonical mode at most a line, in raw mode as VMIN and
 * VTIME say. Returns the count, 0 at the end of file (VEOF, a hang-up), -EINTR when killed, -EAGAIN
 * where `nonblocking` and nothing is there, -EFAULT.
 */
ssize_t tty_read(const struct tty_file *file, struct buffer *to, bool nonblocking);
/* All of it, or -EFAULT, or -EINTR, or -EIO after a hang-up, or the count before that;
 * `nonblocking`: what the line takes now, or -EAGAIN. */
ssize_t tty_write(const struct tty_file *file, struct buffer *from, bool nonblocking);

/* ---- job control (tty_jobs.c) ---- */

/* The running process's controlling terminal. */
bool tty_is_controlling(struct tty *tty);
/* The same with a reference, NULL: it has none. */
struct tty *tty_controlling_get(void);
/* TIOCSCTTY, and what an open does. `steal`: from another session, too. -EPERM: not a session's
 * leader, it has one, or it is another's. */
err_t tty_make_controlling(struct tty *tty, bool steal);
/* TIOCNOTTY: -ENOTTY: it is not. A leader's whole session loses it, and its foreground gets SIGHUP
 * and SIGCONT. */
err_t must_check tty_give_up(struct tty *tty);
/* Under no lock: a process that may lead a session ends. */
void tty_leader_ended(struct process *process);
/* All that has it open loses it, its session too; the session's leader gets SIGHUP and SIGCONT. */
void tty_hang_up(struct tty *tty);
/* SIGTTIN before it is read, SIGTTOU before it is changed: 0 in the foreground, or where SIGTTOU is
 * not wanted; else the process's group is sent the signal, and -EINTR; -EIO: it cannot be stopped.
 */
err_t must_check tty_check_foreground(struct tty *tty, int signal);
/* TIOCGPGRP, TIOCSPGRP and TIOCGSID; `by_master`: from the other side of a pseudo terminal, where
 * anybody may look. */
ssize_t tty_ioctl_groups(struct tty *tty, unsigned command, uptr_t argument, bool by_master);

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
/* TCOOFF and TCOON. */
void tty_set_held(struct tty *tty, bool held);

void tty_get_size(struct tty *tty, struct abi_winsize *out);
/* Tells the foreground group (SIGWINCH) when it is another one than before. */
void tty_set_size(struct tty *tty, const struct abi_winsize *size);

/* The session that the terminal belongs to and the group that ^C goes to. ksh is session leader of
 * the console: it sets the group of each program that it starts in the foreground, and 0 after. */
void tty_set_session(struct tty *tty, int session);
int tty_session(struct tty *tty);
/* It becomes the session's, with `group` in the foreground, which takes a reference. -EPERM: it is
 * one's already. */
err_t must_check tty_claim(struct tty *tty, int session, int group);
/* It is nobody's any more. False: it was nobody's; else the session's reference is the caller's,
 * and *foreground is who was in it. */
bool tty_disclaim(struct tty *tty, int *foreground);
/* Its open files are those of before; who waits with one of them sees it. */
void tty_end_files(struct tty *tty);
void tty_set_foreground(struct tty *tty, int group);
/*
 * A program is about to be started, and these are the settings that it finds. What came while they
 * were raw and was not read is typed anew under them, as if it came now: it was meant for the
 * program. Until a group is in the foreground, a signal's key is kept for it. May sleep.
 */
void tty_await_program(struct tty *tty, const struct abi_termios *termios);
int tty_foreground(struct tty *tty);

/* A descriptor's object for the terminal, open for both, with one reference, that survives
 * hang-ups; NULL: no memory. */
struct object *tty_open(struct tty *tty);
/* ioctl(2) by the running program: settings, size, groups, queues. -ENOTTY: no such command. */
ssize_t tty_ioctl(const struct tty_file *file, unsigned command, uptr_t argument);
/* Settings, size and the terminal's own, which the master of a pseudo terminal has as well. */
ssize_t tty_ioctl_settings(struct tty *tty, unsigned command, uptr_t argument);
/* Which of POLL* hold now; as object_ops.poll. */
unsigned tty_poll(const struct tty_file *file, struct waitq **queue);

/* /dev/console: the terminal that `console=` names last. Set once, by console_init(). */
extern struct tty *console_tty;

#endif
