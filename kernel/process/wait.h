/*
 * Waiting for processes, and what is told of them.
 */
#ifndef KERNEL_PROCESS_WAIT_H
#define KERNEL_PROCESS_WAIT_H

#include "../process.h"

struct signal_info;
struct uthread;

enum wait_type { WAIT_ANY, WAIT_PID, WAIT_GROUP, WAIT_PROCESS };

struct wait_request {
	enum wait_type type;
	int32_t id;
	struct process *process; /* of WAIT_PROCESS: a reference of the caller's */
	unsigned options;        /* WNOHANG ... (abi/wait.h) */
};

struct wait_result {
	int32_t pid; /* as the caller knows it; 0: WNOHANG, and nothing has happened */
	uint32_t uid;
	int code;   /* CLD_* */
	int status; /* the exit status or the signal */
	int packed; /* the same as wait4 has it */
	struct process_usage usage;
};

/* Waits for a child of the running process to end, stop or go on, as the options say. -ECHILD,
 * -EINTR. */
err_t must_check process_wait_child(const struct wait_request *request, struct wait_result *result);

/* CLD_* and si_status of an end. */
int wait_end_code(int status);
int wait_end_status(int status);

/* What a process wants to hear of those whose parent or tracer it is: who ignores SIGCHLD gets
 * none, not even to be kept while it is blocked, and neither that one nor who sets SA_NOCLDWAIT
 * will ask for a status (as Linux). */
struct sigchld_wish {
	bool ignored;
	bool reaps;    /* nobody will wait */
	bool no_stops; /* SA_NOCLDSTOP, or ignored */
};
struct sigchld_wish family_sigchld_wish(struct process *process);

/* The fields of a SIGCHLD about `child`, or a thread of it, that its receiver knows by `number`. */
void child_info_fields(struct signal_info *info, struct process *child, int32_t number, int status);
/* Under family_lock. `signal` 0: only those who wait are woken. */
void family_tell_locked(struct process *child, int signal, int code, int status);
/* The same to the tracer of a thread. */
void family_tell_tracer_locked(struct uthread *tracee, int signal, int code, int status);
/* A process that was reaped: its number and the reference from its birth go. */
void process_forget(struct process *process);

#endif
