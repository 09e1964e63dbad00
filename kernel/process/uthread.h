/*
 * A thread of a process: what it has beside the scheduler's struct thread.
 *
 * Life: uthread_alloc() makes one, uthread_start() lists it in its process and lets it run,
 * uthread_exit() ends it. When its stack is no longer in use a task takes it off the list;
 * the struct itself goes after a grace period, so who found it by its number under RCU may take
 * its process's signal_lock and look whether it is still listed.
 */
#ifndef KERNEL_PROCESS_UTHREAD_H
#define KERNEL_PROCESS_UTHREAD_H

#include "../process.h"

#include <fusek/path.h>

struct fd_table;
struct mount_tree;
struct namespaces;
struct pi_waiter;
struct tracee;
struct place;
struct seccomp_filter;
struct semaphore_undos;
struct space;

/* How an interrupted call goes on if no handler ran: restart_syscall does it. */
enum restart_kind {
	RESTART_NONE,
	RESTART_NEVER,
	RESTART_SLEEP,
	RESTART_CPU_SLEEP,
	RESTART_POLL,
	RESTART_FUTEX
};
struct restart {
	enum restart_kind kind;
	uint64_t deadline_ns;
	uint64_t address; /* of the program's: the word, the descriptors, what remains */
	uint32_t value;   /* what a futex's word had, the number of descriptors, of a clock */
	uint32_t bits;    /* a futex's */
	bool is_private;  /* a futex's */
	bool by_day;      /* a futex's: the deadline is a time of day */
};

/* Whether it waits for a time of day (time/clocks.h). */
enum day_sleep { DAY_AWAKE, DAY_SLEEPS, DAY_JUMPED };

/* What it does not call (process/call_filter.h). */
struct call_filter {
	bool confined;   /* all but four */
	bool dispatches; /* what comes from outside of the range, if the selector says so */
	uint64_t offset, len_bytes;
	uint64_t selector; /* address of a byte; 0: none */
};

/* How long a thread of a real-time policy has run without having slept (RLIMIT_RTTIME). */
struct realtime_run {
	uint64_t number;       /* how often it had slept */
	uint64_t began_ns;     /* its CPU time then */
	uint64_t next_warn_us; /* from there */
};

/*
 *   [c] constant
 *   [s] process->signal_lock
 *   [o] the thread itself
 *   [a] atomic
 */
struct uthread {
	struct process *process; /* [c] a reference */
	struct thread *thread;   /* [c] its memory goes when the thread is no longer listed */
	int32_t tid;             /* [a] changes when it executes a program and is not the first */
	int32_t own_tid;         /* [a] the same as its PID namespace has it: what it is told */
	struct pid_link link;    /* of all but a process's first thread */
	struct list sibling;     /* [s] on process->threads */
	bool listed;             /* [s] */
	bool ending;             /* [s] its end has begun */
	bool in_core;            /* [s] it waits with parked registers for a core to be written */
	bool replaced;           /* [s] another one executes a program: it must end */
	int status;              /* [o] wait4's, once its end has begun */
	bool traced;             /* [s] written under it and family_lock, read [a] */
	struct tracee *tracee;   /* [s] written once, before it is traced (ptrace/ptrace.h) */
	bool vforked;            /* [a] who made it sleeps until it executes a program or ends */
	struct rcu_head rcu;

	/* what it runs with */
	struct space *space;           /* [o] where its memory is: the process's, or the next one */
	struct fd_table *fds;          /* [o] a reference; written under signal_lock */
	struct place *place;           /* [o] the same; shared by CLONE_FS */
	struct namespaces *namespaces; /* [o] the same (namespace/namespace.h) */
	uint32_t place_generation;     /* [o] of the copy below */
	struct vfs_context fs;         /* [o] use uthread_fs() */
	struct credentials ids;        /* [o] */
	uint64_t timer_slack_ns;       /* [o] how late its sleeps may end */
	uint64_t timer_slack_default_ns; /* [o] */
	bool no_new_privileges;          /* [o], set under [s] */
	uint8_t machine_check;           /* [o] PR_MCE_KILL_*, as it was set */
	bool flushes;                    /* [o] PR_SET_IO_FLUSHER */
	struct call_filter call_filter;  /* [o] */
	struct seccomp_filter *seccomp; /* [s] written, [o] read with acquire (seccomp/seccomp.h) */
	err_t fault_error;              /* [o] why the last page fault could not be served */
	uint64_t fault_address;         /* [o] */
	uint64_t clear_tid;             /* [o] a word that becomes 0 when it ends, and is woken */
	uint64_t robust_list;           /* [o] head of the list of its robust futexes */
	uint32_t day_sleep;             /* [a] enum day_sleep */
	uint64_t rseq;                  /* [o] its struct abi_rseq (process/rseq.c); 0: none */
	uint32_t rseq_bytes;            /* [o] */
	uint32_t rseq_signature;        /* [o] */
	struct semaphore_undos *undos; /* [o] what its end gives back; NULL: nothing (ipc/sysv.h) */

	/* scheduling, as the calls tell it; what follows from it the scheduler knows */
	uint8_t sched_policy;   /* [s] SCHED_* */
	uint8_t sched_priority; /* [s] of FIFO and RR: 1 .. 99 */
	uint8_t sched_lent;     /* [s] the scheduler's, by those who wait for it; 0: nothing */
	uint16_t ioprio;        /* [s] process/ioprio.c */
	int sched_nice;         /* [s] kept while the policy has no use for it */
	bool sched_reset;       /* [s] children begin as usual (SCHED_RESET_ON_FORK) */

	/* futexes that lend priority, all under the lock of futex/pi.c */
	struct list pi_owned;       /* those that others wait for */
	struct pi_waiter *pi_waits; /* on the one that it waits for; NULL: none */
	bool pi_over;               /* it has given up all of them for good */

	struct cpu_times times_told;      /* [s] see time/cpu_time.h */
	struct realtime_run realtime_run; /* [s] the same */

	/* signals */
	struct signal_pending pending;    /* [s] */
	uint64_t blocked;                 /* [o] written under signal_lock */
	uint64_t awaited;                 /* [s] blocked, but waited for by rt_sigtimedwait */
	uint64_t blocked_before;          /* [o] rt_sigsuspend and the like: to be restored */
	bool restore_blocked;             /* [o] */
	struct abi_stack alternate_stack; /* [o] as sigaltstack left it */
	struct restart restart;           /* [o] */
};

static inline struct uthread *uthread_current(void)
{
	return current_thread()->user_data;
}

/* A thread that will run entry(argument). It takes a reference to the process and has no space, no
 * files and no place. The first one has the process's number; others one of their own, `wanted` as
 * pid_insert_in() has it. NULL: *err says why, as that and pid_insert_at(). */
struct uthread *uthread_alloc(struct process *process, bool is_first, const int32_t *wanted,
			      unsigned nwanted, void (*entry)(void *argument), void *argument,
			      err_t *err);
/* Before it was started: frees it with all that it has. */
void uthread_discard(struct uthread *uthread);
/* Lists it. -EINTR: the process is ending, or the caller's thread is. */
err_t must_check uthread_list(struct uthread *uthread);

/* One that has gone and was kept for its tracer (ptrace/end.c). */
void uthread_forget(struct uthread *uthread);
/* No look-up finds it from here on, but as its process's first thread. */
void uthread_drop_number(struct uthread *uthread);

/* Ends the running thread; with the last one the process ends. */
noreturn void uthread_exit(int status);

/* Calls fn(uthread) in an RCU section for the thread of this number. -ESRCH. */
err_t must_check uthread_visit(int32_t tid, err_t (*visit)(struct uthread *uthread, void *argument),
			       void *argument);

/* The running thread's ids, where files and senders of signals look for them, too. */
void uthread_set_ids(struct uthread *self, const struct credentials *ids);

/* What file operations know of them is made anew of self->ids. */
void uthread_credentials_to_fs(struct uthread *self);

/* RLIMIT_NPROC: -EAGAIN: the user has as many threads as he may (process/sys_limits.c). */
err_t must_check check_process_limit(void);

/* ---- scheduling (process/sched.c) ---- */

void uthread_set_nice_locked(struct process *process, struct uthread *uthread, int nice)
	REQUIRES(process->signal_lock);
/* A copy of the running thread begins as its policies say. */
void uthread_inherit_policy(struct uthread *child);
/* How urgent it is among real-time threads: 0 not at all, more is more, lent urgency included.
 * Takes its process's signal_lock, as does the next. */
unsigned uthread_urgency(const struct uthread *uthread);
/* Those who wait for it lend so much. True: its urgency is another now. */
bool uthread_lend(struct uthread *uthread, unsigned urgency);
/* Linux's can_nice(): the running thread may make `process` so urgent. */
bool may_be_nice(const struct process *process, int nice);

/* References of supplementary groups. Both take NULL. */
struct vfs_groups *groups_get(struct vfs_groups *groups);
void groups_put(struct vfs_groups *groups);
/* As the running program calls them. -EFAULT. */
err_t must_check groups_put_to_program(const struct vfs_groups *groups, uptr_t out);

/* The running thread's descriptors become its own: a copy, if anybody shares the table. -ENOMEM.
 * May sleep. */
err_t must_check uthread_unshare_files(void);
/* The same of its place (process/place.c). */
err_t must_check uthread_unshare_place(void);

/* The running thread owes semaphores nothing any more: as at its end (process/uthread.c). */
void uthread_drop_undos(void);

/* The descriptor table of the running thread. */
static inline struct fd_table *current_fds(void)
{
	return uthread_current()->fds;
}

/* ---- where it is (process/place.c) ---- */

/* Working directory, root and umask of the running thread, as they are now. Valid until the next
 * call that changes them, or the next uthread_fs(). */
struct vfs_context *uthread_fs(void);
/* A new place. Takes over the references. NULL: no memory, they are still the caller's. */
struct place *place_create(struct path root, struct path cwd, uint32_t umask);
struct place *place_get(struct place *place);
struct place *place_copy(struct place *place);
/* What it is now; root and cwd are references for the caller. */
void place_read(struct place *place, struct path *root, struct path *cwd, uint32_t *umask);
void place_put(struct place *place);
bool place_is_shared(struct place *place);
/* What the thread, which alone has its place, has as root and working directory is the same in a
 * copy of the tree of mounts. It is the running one, or does not run yet. Sleeps. */
void place_follow_mounts(struct uthread *uthread, const struct mount_tree *tree);
/* The running thread, which alone has its place, goes to the root of that tree. Sleeps. */
void place_enter_mounts(struct mount_tree *tree);
/* Gives `uthread`, which has none, the place (a reference of the caller's). */
void uthread_set_place(struct uthread *uthread, struct place *place);
/* Gives up its place and its descriptors: nobody finds them by it from here on. May sleep. */
void uthread_drop_files(struct uthread *uthread);
/* Of the running thread and all that share its place; take over the reference. */
void place_set_cwd(struct path cwd);
void place_set_root(struct path root);
uint32_t place_set_umask(uint32_t umask);

#endif
