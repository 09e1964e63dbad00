/*
 * Processes: an address space, a descriptor table, a place in the file tree, credentials and the
 * threads that run in it; and the table that finds one by its number.
 *
 * Life: process_spawn() makes one, with one thread. When its last thread has left (exit, a fatal
 * signal, a fault) it is a zombie: descriptors are closed and the space is gone, number and status
 * stay until somebody waits: the parent process, or the kernel's own thread that spawned it
 * (process_wait). One that nobody waits for (process_disown, its parent died) is reaped by the
 * kernel. The struct itself lives until the last reference and the RCU sections that found it are
 * gone.
 *
 * Locks: `lock` (LOCK_PROCESS, sleeping) keeps what threads of the process change; `signal_lock`
 * (LOCK_SIGNAL, spinning, taken with interrupts off) what others may change from anywhere: pending
 * signals and how it ended. The family (parent, children, zombies) has one lock in process.c.
 */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include <abi/resource.h>
#include <abi/signal.h>
#include <arch/cpu.h>
#include <arch/spin.h>
#include <lib/list.h>
#include <lib/refcount.h>
#include <lib/types.h>
#include <sched/lock.h>
#include <sched/rcu.h>
#include <sched/thread.h>
#include <sched/wait.h>

#include <fusek/path.h> /* struct vfs_context */

struct fd_table;
struct object;
struct space;
struct tty;

#define PID_MAX 32768 /* numbers are below; the lowest that was not used for longest comes next */

#define PROCESS_NAME_BYTES    16
#define PROCESS_COMMAND_BYTES 256 /* of the arguments, for `ps` and messages */

/* ---- for ksh, the exec runner and the terminals ---- */

struct spawn_request {
	const char *path;        /* absolute, or relative to cwd */
	const char *const *argv; /* ends with NULL; argv[0] there */
	const char *const *envp; /* ends with NULL; NULL: none */
	const char *cwd;         /* absolute; NULL: "/" */
	struct object
		*streams[3]; /* descriptors 0..2, the caller keeps its references; NULL: closed */
	struct tty *tty;     /* controlling terminal, or NULL */
	int32_t session;     /* that it belongs to; 0: one of its own */
	int32_t group;       /* process group to join; 0: one of its own */
	int8_t nice;
	bool traced;     /* from its first system call on */
	bool foreground; /* its group gets `tty` before it runs, even if loading fails */
};

/* Starts a program. The caller waits for it with process_wait() or lets go with process_disown().
 * Errors as execve: -ENOENT, -EACCES, -ENOEXEC (a line of the log says why), -E2BIG, -ENOMEM ...;
 * -EAGAIN: no process number is free. On an error nothing is left behind. Sleeps. */
err_t must_check process_spawn(const struct spawn_request *request, int32_t *pid);

/* What a process used until its end. */
struct process_usage {
	uint64_t cpu_ns;
	uint64_t started_ns; /* of clock_ns() */
	uint64_t ended_ns;
};

/* Waits for a process that the kernel spawned and reaps it. *status is wait4's (abi/wait.h).
 * -EINTR: the calling thread was killed, the process is still there; -ECHILD: no such process, or
 * not the kernel's. `usage` may be NULL. */
err_t must_check process_wait(int32_t pid, int *status, struct process_usage *usage);
/* The same without sleeping: -EAGAIN while it lives. */
err_t must_check process_try_wait(int32_t pid, int *status, struct process_usage *usage);
/* Nobody will wait for it: the kernel reaps it when it ends. */
void process_disown(int32_t pid);

/* Signals from the kernel, without permission checks. May be called from anywhere, interrupts too.
 * -ESRCH; -EINVAL: no such signal; signal 0 only asks. A zombie takes signals silently. */
err_t process_kill(int32_t pid, int signal);
/* To each process of a group: what a terminal does for Ctrl-C. -ESRCH: it has no members. */
err_t process_group_signal(int32_t pgid, int signal);

enum process_state {
	PROCESS_STARTING, /* the program is being loaded */
	PROCESS_RUNNING,
	PROCESS_ZOMBIE, /* ended: only the number and the status are left */
	PROCESS_REAPED, /* waited for */
};

/* A snapshot of one process. */
struct process_info {
	int32_t pid, parent, group, session;
	enum process_state state;
	char state_letter; /* as ps shows it: R S D Z */
	int8_t nice;
	uint8_t level;
	uint8_t cpu;
	uint32_t tid;
	unsigned nthreads;
	uint64_t cpu_ns;
	uint64_t started_ns;
	uint64_t resident_bytes;
	char name[PROCESS_NAME_BYTES];
	char command[PROCESS_COMMAND_BYTES]; /* its arguments, separated by spaces */
};

/* Fills *info with the process of the lowest number above `after` (0 to begin); false: there is
 * none. Sleeps not. */
bool process_next(int32_t after, struct process_info *info);
/* Calls `visit` for each, in the order of their numbers, with no lock held. */
void process_for_each(void (*visit)(void *argument, const struct process_info *info),
		      void *argument);

/* -ESRCH. */
err_t process_set_nice(int32_t pid, int nice);
/* pid 0: the running one. Setting: -EINVAL: none of these CPUs has started. What it spawns inherits
 * them. */
err_t process_set_affinity(int32_t pid, cpuset_t cpus);
err_t process_affinity(int32_t pid, cpuset_t *out);

/* A reference to the address space, for `vm`; NULL: no such process, or it has none any more.
 * space_put() it. */
struct space *process_space(int32_t pid);

/* Each call of it is logged from now on, or no more (see trace.h). -ESRCH. */
err_t process_set_traced(int32_t pid, bool on);

/* ---- for the kernel's own files ---- */

/*
 *   [c] constant once it is visible
 *   [l] lock
 *   [s] signal_lock
 *   [f] family lock of process.c
 *   [p] LOCK_PIDTABLE in pid.c, read under RCU
 *   [o] only the thread that runs in it
 *   [a] atomic
 */
struct process {
	struct refcount references; /* [a] */
	int32_t pid;                /* [c] */
	struct process *pid_next;   /* [p] chain of the PID table */
	struct rcu_head rcu;        /* after the last reference */

	int32_t group;   /* [a] written under the family lock */
	int32_t session; /* [a] the same */
	struct tty *tty; /* [a] controlling terminal; terminals live for ever */

	/* family */
	struct process *parent;     /* [f] NULL: the kernel */
	struct list sibling;        /* [f] on parent->children, or nowhere */
	struct list children;       /* [f] */
	enum process_state state;   /* [f] written under it, read with acquire */
	bool disowned;              /* [f] the kernel's, and nobody waits */
	struct waitq ended;         /* woken when it, or a child of it, becomes a zombie */
	int status;                 /* [f] wait4's, once it is a zombie */
	struct process_usage usage; /* [f] complete once it is a zombie */
	uint64_t children_ns;       /* [f] CPU time of children that were waited for */

	/* what it runs in */
	struct mutex lock;
	struct thread
		*thread;      /* [s] the only one; NULL before it starts and once it was released */
	struct space *space;  /* [s] the pointer; cleared when it ends */
	struct fd_table *fds; /* [o] until its end */
	struct vfs_context fs; /* [o] cwd, root, umask, ids; the ids may be read by others */
	struct abi_rlimit limits[RLIMIT_COUNT]; /* [l] */
	uint64_t tid_address; /* [o] set_tid_address: cleared when the thread ends */
	err_t fault_error;    /* [o] why the last page fault could not be served */

	/* signals */
	struct spinlock signal_lock;
	uint64_t pending;                 /* [s] written under it; [a] read */
	uint64_t blocked;                 /* [o] written by its thread under signal_lock */
	bool exiting;                     /* [s] its end has begun: status_to_be counts */
	bool stopped;                     /* [s] written under it, [a] read: waits for SIGCONT */
	int status_to_be;                 /* [s] wait4's */
	struct waitq continued;           /* stopped has become false */
	struct abi_stack alternate_stack; /* [o] as sigaltstack left it */
	struct abi_sigaction actions[SIGNAL_MAX]; /* [s] */

	/* messages, tracing */
	bool traced;                         /* [a] each of its calls is logged */
	bool not_dumpable;                   /* [o] prctl remembers it */
	bool no_new_privileges;              /* [o] prctl remembers it */
	char name[PROCESS_NAME_BYTES];       /* [a] as prctl sets it; a torn read is only ugly */
	char command[PROCESS_COMMAND_BYTES]; /* [c] */
	uint64_t missing_told[8]; /* [o] calls that were reported as missing, one bit each */
};

/* A reference to the space of a process that is held; NULL: it has none any more. */
struct space *process_space_get(struct process *process);

/* The process of the running thread; NULL in a thread of the kernel's. */
static inline struct process *process_current(void)
{
	return current_thread()->process;
}

/* ---- the PID table (pid.c) ---- */

/* Gives `process` a number and makes it findable. -EAGAIN: none is free. */
err_t must_check pid_insert(struct process *process);
/* No look-up finds it from here on; the number is used again late. */
void pid_remove(struct process *process);
/* With a reference; NULL: no such process. Lock-free, from anywhere. */
struct process *process_find(int32_t pid);
/* The one with the lowest number above `after`, with a reference, or NULL. */
struct process *process_find_next(int32_t after);
/* Calls `visit` for each process in an RCU section: it neither sleeps nor ends it. From anywhere.
 */
void pid_for_each_rcu(void (*visit)(void *argument, struct process *process), void *argument);

/* May be the last one, anywhere that may not sleep too. Takes NULL. */
void process_put(struct process *process);

/* ---- its end (process_exit.c) ---- */

/* Ends the running process: `status` is wait4's, and counts unless an end had begun. */
noreturn void process_exit(int status);
/* Its thread is gone (a task after process_exit()): a zombie now, or reaped at once. */
void process_ended(struct process *process, uint64_t cpu_ns);
/* The scheduler's release hook of a process's thread. */
void process_thread_release(struct thread *thread);

/* wait4's search among the children of the running process: the number of one that was reaped, 0
 * with WNOHANG, -ECHILD, -EINTR. `which` as in wait4. */
err_t must_check process_wait_child(int32_t which, unsigned options, int *status,
				    struct process_usage *usage);

/* ---- its beginning (process.c) ---- */

/* What the file's program wants, in `thread_frame` and a new space of the running process
 * (elf_load.c). On an error the process has no program and must end. */
err_t must_check elf_load(struct process *process, const struct spawn_request *request);

/* ---- signals (process_signal.c) ---- */

/* Delivers, 1 .. SIGNAL_MAX, from anywhere. A signal whose action ends the process begins that
 * here: a thread that waits killably goes on, one in user mode is stopped by the next interrupt. */
void process_signal(struct process *process, int signal);
/* A fault or the like: ends the process with this signal whatever it ignores. From anywhere. */
void process_force_signal(struct process *process, int signal);
/* Changes what the running process blocks. */
void process_set_blocked(uint64_t blocked);
/* The first of its actions; the pending ones that are ignored now are dropped. */
void process_set_action(int signal, const struct abi_sigaction *action);
/* On the way to user mode: ends or stops the running process if its signals say so. */
void process_deliver_signals(void);
/* Marks the beginning of the running process's end, and says with which status. */
int process_begin_exit(int status);

#define STOP_SIGNALS                                                                               \
	(SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
#define UNBLOCKABLE_SIGNALS (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

#endif
