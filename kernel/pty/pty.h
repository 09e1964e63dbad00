/*
 * Pseudo terminals: two sides, of which one is a terminal for programs (the slave, /dev/pts/N) and
 * the other, the master, an open of /dev/ptmx, is for the program that plays the device behind it.
 *
 * A pair lives as long as somebody holds its terminal: the master, an open slave, a session. Its
 * number is in use as long; its name below /dev/pts is there while the master is.
 */
#ifndef KERNEL_PTY_PTY_H
#define KERNEL_PTY_PTY_H

#include "../tty.h"

#include <abi/time.h>

struct device_file;

#define PTYS_MAX      512u
#define PTY_OUT_BYTES 8192 /* a power of two; what the master has not read yet */

/*
 *   [c] constant once it can be found
 *   [l] tty.lock
 *   [p] LOCK_PTYS (pty.c)
 */
struct pty {
	struct tty tty;             /* the slave */
	uint32_t number;            /* [c] */
	uint64_t serial;            /* [c] how many there had been: its node's number */
	bool master_gone;           /* [p] written, read without it */
	bool slave_locked;          /* [l] TIOCSPTLCK */
	bool slave_gone;            /* [l] it was open, and is not any more */
	bool packet;                /* [l] TIOCPKT */
	uint8_t packet_events;      /* [l] TIOCPKT_* that the master has not read */
	uint32_t out_head;          /* [l] positions count up; the place by modulo */
	uint32_t out_tail;          /* [l] */
	struct waitq readable;      /* the master: output came, or an event; poll's as well */
	uint32_t mode;              /* [p] of its node: permissions */
	uint32_t uid, gid;          /* [p] */
	uint64_t made_ns;           /* [c] by the wall's clock */
	uint8_t out[PTY_OUT_BYTES]; /* [l] */
};

/* A new pair with one reference, its master's. -ENOSPC: there are too many; -ENOMEM. */
err_t must_check pty_create(struct pty **out);
/* The master has ended: the terminal hangs up, the reference goes. */
void pty_master_ended(struct pty *pty);

/* With a reference to its tty; NULL: none. By number only those that have a name. */
struct pty *pty_find(uint32_t number);
struct pty *pty_find_by_serial(uint64_t serial);
/* The one with the lowest number from `*number` on, likewise; sets *number to its. */
struct pty *pty_next(uint32_t *number);

static inline void pty_put(struct pty *pty)
{
	tty_put(&pty->tty);
}

/* What a node shows, and changes of it. */
struct pty_attributes {
	uint32_t mode, uid, gid;
};

void pty_get_attributes(struct pty *pty, struct pty_attributes *out);
void pty_set_attributes(struct pty *pty, const struct pty_attributes *to);

/* What the master reads and writes (pty_master.c). */
extern const struct device_ops pty_master_ops;

/* What a slave's node gets when it is made: devpts's options. UINT32_MAX: of who opens ptmx. */
struct devpts_options {
	uint32_t mode, uid, gid, ptmx_mode, max;
};

void devpts_options_get(struct devpts_options *out);
/* Makes devpts known to mount(2) and mounts it on /dev/pts. What cannot be done is logged. */
void devpts_init(void);

/* Makes /dev/ptmx and all behind it. Once, in a thread, when /dev is there. */
void pty_init(void);

#endif
