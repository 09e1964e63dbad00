/*
 * What others may learn of a process and its threads that is the threads' own: its descriptors, its
 * place in the file tree, figures. Everything is copied out, or a reference is given; nobody's
 * memory is touched and nothing is held afterwards.
 */
#ifndef KERNEL_PROCESS_INSPECT_H
#define KERNEL_PROCESS_INSPECT_H

#include "../process.h"

struct fd_table;
struct place;

/* Of one thread, or of a process as a whole. */
struct process_report {
	int32_t pid, parent, group, session;
	int32_t tid;
	char state;     /* R S T t Z */
	int32_t tracer; /* the number of the thread that traces it; 0: nobody */
	bool is_trace_stopped;
	char name[PROCESS_NAME_BYTES];
	uint64_t tty_rdev;  /* of its terminal; 0: it has none */
	int tty_foreground; /* the group there; -1 */
	struct credentials ids;
	uint32_t nthreads;
	struct cpu_times times;  /* of all its threads, those that have gone, too; or of the one */
	struct cpu_times waited; /* of children that were waited for */
	uint64_t waited_faults;
	uint64_t waited_major;
	uint64_t started_ns; /* of clock_ns() */
	int8_t nice;
	uint8_t policy;   /* SCHED_* of abi/sched.h */
	uint8_t priority; /* of FIFO and RR: 1 .. 99; else 0 */
	uint32_t cpu;
	cpuset_t affinity;
	uint64_t pending, shared_pending, blocked, ignored, caught; /* signals */
	uint32_t nqueued;                                           /* signals */
	uint8_t exit_signal;
	bool no_new_privileges;
	int seccomp; /* SECCOMP_MODE_* */
	unsigned nfilters;
};

/* `tid` 0: of the process, whose first thread speaks for it. -ESRCH: no such thread of it. A zombie
 * still has a report. Sleeps not. */
err_t must_check process_report(struct process *process, int32_t tid, struct process_report *out);

/* A reference to the thread's descriptors (`tid` 0: the first one's); NULL: it has none any more.
 */
struct fd_table *process_fds(struct process *process, int32_t tid);
/* A reference to the thread's place; NULL: it is nowhere any more. */
struct place *process_place_of(struct process *process, int32_t tid);
/* References to where the thread is. -ESRCH: nowhere any more. */
err_t must_check process_place(struct process *process, int32_t tid, struct path *root,
			       struct path *cwd, uint32_t *umask);
/* A reference to the file that it runs; none: it has ended, or is not loaded yet. */
struct path process_program(struct process *process);
/* A reference to its space, and what lies where in that; NULL: it has none. */
struct space *process_given(struct process *process, struct exec_places *given);

/* The call that a thread is in, while it waits. */
struct process_call {
	bool is_running; /* nothing else is known */
	int64_t number;  /* -1: it waits in none */
	uint64_t arguments[6];
	uint64_t sp, ip;
};
/* `tid` 0: of its first thread. -ESRCH. Of the running thread: the one that asks. */
err_t must_check process_call(struct process *process, int32_t tid, struct process_call *out);

/* What threads may share. */
enum process_shared {
	PROCESS_SPACE,
	PROCESS_FILES,
	PROCESS_PLACE,
	PROCESS_ACTIONS,
	PROCESS_UNDOS, /* of semaphores */
};
/* The one that the thread has, only to be compared; NULL: none. */
const void *process_shared(struct process *process, int32_t tid, enum process_shared what);

/* May the running thread see what only the owner may? Itself, user 0, and a user all of whose
 * programs' ids are his own, as with ptrace. The kernel may. */
bool process_may_inspect(const struct process *process);
/* The same by its real ids, as ptrace and its like ask, of a process or a thread of it with these
 * ids. Of programs. */
bool process_may_trace(const struct process *process, const struct credentials *ids);

#endif
