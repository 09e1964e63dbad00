/*
 * Processes: an address space, a descriptor table, a place in the file tree, credentials and the
 * threads that run in it; and the table that finds one by its number.
 *
 * Life: process_spawn() makes one, with one thread; so does fork (process/clone.c). When its last
 * thread has left (exit, a fatal signal, a fault) it is a zombie: descriptors are closed and the
 * space is gone, number and status stay until somebody waits: the parent process, or the kernel's
 * own thread that spawned it (process_wait). One that nobody waits for (process_disown, its parent
 * died) is reaped by the kernel. The struct itself lives until the last reference and the RCU
 * sections that found it are gone.
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
#include <fusek/path.h>
#include <lib/list.h>
#include <lib/refcount.h>
#include <lib/types.h>
#include <sched/lock.h>
#include <sched/rcu.h>
#include <sched/thread.h>
#include <sched/timer.h>
#include <sched/wait.h>

struct object;
struct pid_names;
struct pid_namespace;
struct space;
struct spawn_call;
struct time_namespace;
struct tty;

#define INIT_PID   1
#define GROUPS_MAX 65536u /* supplementary groups: NGROUPS_MAX */
#define PID_MAX    32768 /* numbers are below; the lowest that was not used for longest comes next */

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
	int nice;
	bool traced;     /* from its first system call on */
	bool init;       /* it is PID 1 */
	bool foreground; /* its group gets `tty` before it runs, even if loading fails */
};

/* Starts a program. The caller waits for it with process_wait() or lets go with process_disown().
 * Errors as execve: -ENOENT, -EACCES, -ENOEXEC (a line of the log says why), -E2BIG, -ENOMEM ...;
 * -EAGAIN: no process number is free. On an error nothing is left behind. Sleeps. */
err_t must_check process_spawn(const struct spawn_request *request, int32_t *pid);

/* What a process used until its end. */
struct process_usage {
	uint64_t cpu_ns;
	uint64_t system_ns;  /* of that: in the kernel */
	uint64_t started_ns; /* of clock_ns() */
	uint64_t ended_ns;
	uint64_t max_resident_pages;
	uint64_t nfaults;
	uint64_t nmajor; /* of those: that something was waited for */
	uint64_t nswitches;
	uint64_t npreempted; /* of those: with more to do */
};

struct cpu_times {
	uint64_t user_ns;
	uint64_t system_ns; /* in the kernel on its behalf */
};

/* An interval timer of CPU time. */
struct cpu_interval {
	uint64_t deadline_ns; /* 0: none runs */
	uint64_t interval_ns;
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
/* To each process of a group: what a terminal does for Ctrl-C. Not from interrupts. -ESRCH: it has
 * no members. */
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

/* A reference to the address space, for `vm`; NULL: no such process, or it has none any more.
 * space_put() it. */
struct space *process_space(int32_t pid);

/* Each call of it is logged from now on, or no more (see trace.h). -ESRCH. */
err_t process_set_traced(int32_t pid, bool on);

/* ---- for the kernel's own files ---- */

struct core_wait;
struct signal_actions;
struct user_namespace;
struct uthread;

/* Capabilities as bits (abi/capability.h): see process/capability.h. */
struct capability_sets {
	uint64_t permitted, effective, inheritable;
	uint64_t bounding, ambient;
	uint32_t securebits; /* SECBIT_* */
};

/* The ids of a thread. As on Linux each thread has its own; libc keeps them alike. */
struct credentials {
	uint32_t uid, euid, suid, fsuid; /* fsuid: as whom it looks at files */
	uint32_t gid, egid, sgid, fsgid;
	struct capability_sets capabilities;
	/* Which these reach in; all threads of a process are in one. The process has a reference
	 * to its own, its threads borrow that. */
	struct user_namespace *user;
};

/* Where exec has put what the program was given, in its own memory. */
struct exec_places {
	vaddr_t arguments, arguments_end;
	vaddr_t environment, environment_end;
	vaddr_t auxiliary, auxiliary_end;
	vaddr_t stack_start;
	vaddr_t code, code_end, data, data_end; /* of its file */
};

/* A number in the PID table: a process's, or that of a thread other than a process's first. */
struct pid_link {
	struct pid_link *next;   /* [p] */
	int32_t number;          /* [c] */
	bool is_process;         /* [c] in a struct process, else in a struct uthread */
	uint64_t serial;         /* [c] once it has a number: no other has it, ever */
	struct pid_names *names; /* [c] in inner namespaces; NULL: the first alone has it */
};

enum call_watch {
	CALLS_LOGGED = 1 << 0,   /* trace.h */
	CALLS_STOP = 1 << 1,     /* some thread is traced: ptrace/ptrace.h */
	CALLS_FILTERED = 1 << 2, /* some thread does not make all: process/call_filter.h */
};

/* Signals that wait to be taken: of a process or of one thread. */
struct signal_pending {
	uint64_t set;      /* [s] written under it; [a] read */
	struct list queue; /* [s] struct signal_entry: those of the set that say more than their
			      number, the oldest first */
};

/*
 *   [c] constant once it is visible
 *   [l] lock
 *   [s] signal_lock
 *   [f] family lock (process/family.h)
 *   [p] LOCK_PIDTABLE in pid.c, read under RCU
 *   [o] only its last thread, or the one that executes a new program
 *   [a] atomic
 */
struct process {
	struct refcount references;            /* [a] */
	int32_t pid;                           /* [c] in the first PID namespace */
	int32_t own_pid;                       /* [c] in its own: what it is told */
	struct pid_namespace *pid_namespace;   /* [c] a reference; NULL: the first */
	struct time_namespace *time_namespace; /* [s] a reference; NULL: the first. It changes while
						  there is one thread, which may look without */
	struct pid_link link;                  /* [p] */
	struct rcu_head rcu;                   /* after the last reference */

	int32_t group;           /* [a] written under the family lock */
	uint64_t group_serial;   /* [f] of that number; 0: the group was given at the start */
	int32_t session;         /* [a] the same as the group */
	bool has_led;            /* [f] a group or a session has had its number */
	struct tty *tty;         /* [a] controlling terminal, written under the family lock once the
				    process is visible; the session's, which has the reference */
	int32_t lost_foreground; /* [f] of the terminal that hung up on this session's leader */

	/* family */
	struct process *parent;      /* [f] NULL: the kernel */
	struct list sibling;         /* [f] on parent->children, or nowhere */
	struct list children;        /* [f] */
	enum process_state state;    /* [f] written under it, read with acquire */
	bool disowned;               /* [f] the kernel's, and nobody waits */
	bool subreaper;              /* [f] orphans among its descendants become its children */
	uint32_t nexecuted;          /* [a] programs so far: who was told something was another */
	uint32_t parent_nexecuted;   /* [c] the parent's, when it was forked */
	bool has_executed;           /* [f] a program since it was forked: setpgid() knows */
	uint8_t exit_signal;         /* [f] what its parent gets when it ends; 0: nothing */
	uint8_t stop_report;         /* [f] the signal that stopped it, until waited for */
	bool continue_report;        /* [f] it was continued, until waited for */
	struct waitq changed;        /* woken when it, or a child, ends, stops or continues */
	int status;                  /* [f] wait4's, once it is a zombie */
	struct process_usage usage;  /* [f] complete once it is a zombie */
	struct process_usage waited; /* [f] sums of the children that were waited for */
	struct list births;          /* [f] struct family_birth: children that are being made */
	bool ended;                  /* [f] its last thread has gone */
	int32_t maker;               /* [f] the number of the parent's thread that made it */
	struct list tracees;         /* [f] struct tracee: of which its threads are tracers */
	struct tracee *tracee;       /* [f] of its first thread, if that is traced */
	uint32_t nkept;              /* [f] of its threads: ended, and kept for their tracers */
	int32_t last_tracer; /* [f] ended: the thread of its parent that traced its first one */
	bool was_seized;     /* [f] the same */

	/* threads */
	struct list threads;        /* [s] struct uthread by sibling, the oldest first */
	struct uthread *leader;     /* [s] whose number is the process's; NULL once it has gone */
	struct uthread *executor;   /* [s] replaces the program: all others must end */
	uint32_t nthreads;          /* [s] on the list */
	uint32_t nliving;           /* [s] of those, whose end has not begun */
	uint64_t gone_cpu_ns;       /* [s] CPU time of threads that have gone, and the samples of */
	uint64_t gone_user_ticks;   /* [s] where it was spent (time/cpu_time.h) */
	uint64_t gone_system_ticks; /* [s] */
	struct cpu_times times_told; /* [s] */

	/* what it runs in */
	struct mutex lock;
	struct space *space;                    /* [s] the pointer; cleared when it ends */
	struct path program;                    /* [s] the file that it runs; cleared as well */
	struct exec_places given;               /* [s] in `space` */
	struct abi_rlimit limits[RLIMIT_COUNT]; /* [l] written, each half [a] */
	uint64_t alarm_interval_ns;             /* [s] of setitimer */
	uint64_t alarm_deadline_ns;             /* [s] 0: none runs */
	uint64_t alarm_rang_ns;                 /* [s] when it was to; 0: its signal was taken */
	struct timer alarm;                     /* started and cancelled under `lock` */
	struct cpu_interval virtual_interval;   /* [s] setitimer's others */
	struct cpu_interval profile_interval;   /* [s] */
	uint64_t cpu_warn_s;                    /* [s] the next warning of RLIMIT_CPU */
	bool cpu_watched;                       /* [s], read [a]: something goes by CPU time */
	struct list cpu_watches;                /* [s] struct cpu_watch (time/cpu_watch.h) */
	uint32_t ncpu_watches;                  /* [s] */
	struct list timers;                     /* [l] and [s] struct posix_timer */
	uint32_t ntimers;                       /* [s] */
	int32_t next_timer_id;                  /* [s] */

	/* signals */
	struct spinlock signal_lock;
	struct signal_pending pending;  /* [s] */
	uint32_t nqueued;               /* [s] entries of all its queues, under RLIMIT_SIGPENDING */
	bool exiting;                   /* [s] its end has begun: status_to_be counts */
	bool unkillable;                /* [s] an init: by default no signal does anything to it */
	bool stopped;                   /* [s] written under it, [a] read: waits for SIGCONT */
	uint8_t stop_signal;            /* [s] the one that stopped it */
	bool continue_untold;           /* [s] continued, and its parent has not heard yet */
	bool stop_told;                 /* [s] all have come to rest, and its parent was told */
	uint32_t nstopped;              /* [s] threads that have come to rest */
	uint32_t ncontinues;            /* [s] how often SIGCONT came */
	uint32_t nstops;                /* [s] how often it was stopped */
	uint32_t ntraced;               /* [s] of its threads that are traced */
	int status_to_be;               /* [s] wait4's */
	struct core_wait *core;         /* [s] written under it, [a] read: its core is being
					   written (core/core.h); NULL: none is */
	struct waitq continued;         /* stopped has become false */
	struct signal_actions *actions; /* [o] the pointer, a reference; [s] its end, NULL */

	/* for when memory is short (memory/oom.h) */
	int16_t oom_score_adj;     /* [a] -1000: never, to 1000: before all others */
	bool oom_awaited;          /* the killer's: it was ending when somebody was looked for */
	bool oom_reapable;         /* the killer's: nobody who goes on runs in its space */
	int16_t oom_score_adj_min; /* [a] how low who is not privileged may set it */

	/* messages, tracing, what prctl remembers */
	struct credentials ids; /* [a] of its threads, for who signals or looks at it */
	uint32_t call_watch;    /* [a] enum call_watch: why its calls take the slow way */
	bool not_dumpable;      /* [a] */
	/* [s], read [a] under RCU: where capabilities reach memory that is not to be seen; a
	 * reference. That in which its program was executed. */
	struct user_namespace *memory_owner;
	uint8_t death_signal;          /* [a] what it gets when its parent ends; 0: nothing */
	uint32_t personality;          /* [a] of abi/personality.h */
	uint32_t core_filter;          /* [a] what of its memory a core has (abi/core.h) */
	char name[PROCESS_NAME_BYTES]; /* [a] as prctl sets it; a torn read is only ugly */
	struct spawn_call
		*spawn; /* a native spawn's request, its thread's until that frees it, or [c] */
	int spawn_err;  /* why that failed; written before its end lets the caller go on */
	uint64_t missing_known[8]; /* [a] missing calls that were made since exec, one bit each */
	char command[PROCESS_COMMAND_BYTES]; /* [a] the same */
};

/* A reference to the space of a process that is held; NULL: it has none any more. */
struct space *process_space_get(struct process *process);

/* Of all its threads, those that have ended included. */
uint64_t process_cpu_time_ns(struct process *process);
/* As getrusage and wait4 tell it. */
struct abi_rusage process_rusage(const struct process_usage *usage);
/* Sets the niceness of all its threads, or lowers *nice to the most urgent one's. False: it has
 * none. */
bool process_nice_locked(struct process *process, bool set, int *nice)
	REQUIRES(process->signal_lock);

/* The process of the running thread; NULL in a thread of the kernel's. */
static inline struct process *process_current(void)
{
	return current_thread()->process;
}

/* What process_set_traced() does. */
void process_set_logged(struct process *process, bool on);

/* ---- the PID table (process/pid.c) ---- */

/* Numbers that are given are below this one: /proc/sys/kernel/pid_max. Read and written by
 * read_once and write_once. */
#define PID_LIMIT_MIN 301 /* as Linux */
extern uint32_t pid_limit;

/* Gives the link a number and makes it findable. -EAGAIN: none is free. Takes the family lock. */
err_t must_check pid_insert(struct pid_link *link);
/* The same with this number, below PID_MAX. -EEXIST: it is taken, if only by a group or a session.
 */
err_t must_check pid_insert_at(struct pid_link *link, int32_t number);
/* The same of a process or thread in the namespace, which is none of the first, with a number there
 * and in each above it: those of `wanted`, the innermost's first, and any in the `nwanted`th and
 * above. -ENOMEM: or the namespace's init has ended; -EINVAL: a wanted number that is not its
 * init's, and there is none yet. (process/pid_names.c) */
err_t must_check pid_insert_in(struct pid_link *link, struct pid_namespace *namespace,
			       const int32_t *wanted, unsigned nwanted);
/* No look-up finds it from here on; the number is used again late. */
void pid_remove(struct pid_link *link);
/* With a reference; NULL: no such process. Lock-free, from anywhere. */
struct process *process_find(int32_t pid);
/* The same by the number of any of its threads. */
struct process *process_find_by_thread(int32_t tid);
/* The one with the lowest number above `after`, with a reference, or NULL. */
struct process *process_find_next(int32_t after);
/* The lowest number above `after` that a thread of `process` has; 0: none. It may have gone. */
int32_t pid_next_thread(const struct process *process, int32_t after);
/* How many processes and threads there have been. */
uint64_t pid_count_given(void);
/* The number that was given last in the running process's PID namespace. */
int32_t pid_last_given(void);
/* Calls `visit` for each process in an RCU section: it neither sleeps nor ends it. From anywhere.
 */
void pid_for_each_rcu(void (*visit)(void *argument, struct process *process), void *argument);

/* May be the last one, anywhere that may not sleep too. Takes NULL. */
void process_put(struct process *process);

/* ---- its beginning (process/spawn.c, process/create.c) ---- */

/* One reference, no number, nobody's child, no threads. NULL: no memory. */
struct process *process_alloc(void);
/* Before it has a thread: gives back all that it has. */
void process_discard(struct process *process);
void process_set_name(struct process *process, const char *path);

/* ---- its end (process/exit.c) ---- */

/* Ends the running process with all its threads: `status` is wait4's, and counts unless an end had
 * begun. */
noreturn void process_exit(int status);
/* Its last thread is gone (a task after its end): a zombie now, or reaped at once. */
void process_ended(struct process *process);

#endif
