/*
 * ptrace: one thread looks at another one, stops it, and changes it.
 *
 * The link between the two is the tracee's: who traces it, and its place on the list of that
 * process. It is made and cut under family_lock and the tracee's signal_lock together, so either
 * keeps it. A tracer that ends cuts all of its links (ptrace_tracer_ends) after it is marked as
 * ending, and nobody links to a thread with that mark.
 *
 * A stop: the tracee parks its registers (context_park), says what it is about, tells the tracer
 * and sleeps until it is let go, killed, or left. While `stopped` holds, whoever has its
 * signal_lock may look at its registers and change them: it cannot go on without that lock.
 *
 * The end: a traced thread that has ended keeps its number until the tracer has waited for it. A
 * process whose first thread is traced by somebody who is not its parent is a zombie for that one
 * first, and only then for its parent.
 */
#ifndef KERNEL_PTRACE_PTRACE_H
#define KERNEL_PTRACE_PTRACE_H

#include "../process/family.h"
#include "../process/uthread.h"
#include "../signal/signal.h"

#include <abi/ptrace.h>

struct trap_frame;
struct wait_request;
struct wait_result;

/* How the tracer let it go. */
enum trace_mode {
	TRACE_RUN,
	TRACE_CALLS,   /* it stops before and after each system call */
	TRACE_EMULATE, /* it stops before a call, which is not made then */
};

/* What a stop is about. */
enum trace_stop {
	TRACE_STOP_SIGNAL, /* a signal that it is about to take */
	TRACE_STOP_GROUP,  /* all of the process stops, and no siginfo tells of it */
	TRACE_STOP_EVENT,  /* one of PTRACE_EVENT_* */
	TRACE_STOP_CALL_BEGIN,
	TRACE_STOP_CALL_END,
};

/*
 * Made when a thread is first traced; the thread's until its end.
 *   [f] family_lock
 *   [s] its process's signal_lock
 *   [fs] written under both, read under either
 *   [o] the thread itself
 */
struct tracee {
	struct uthread *uthread; /* constant */
	struct uthread *tracer;  /* [fs] NULL: nobody now */
	struct list link;        /* [f] on the tracer's process's tracees */
	bool seized;             /* [fs] */
	bool tracer_capable;     /* [fs] it had CAP_SYS_PTRACE when it began */
	uint32_t options;        /* [fs] PTRACE_O_* */
	enum trace_mode mode;    /* [s] written under it; [a] read by the thread itself */
	bool step;               /* the same: one instruction, then a trap */
	bool to_branch;          /* the same: that trap comes at the next branch instead */
	bool forced_step;        /* [o] the trap flag is the tracer's, not the program's */
	bool trap_asked;         /* [s] a stop by PTRACE_EVENT_STOP is due */
	uint32_t nstops_seen;    /* [s] process->nstops of the group stop that it has reported */

	/* the stop */
	bool stopped;            /* [fs] */
	bool listening;          /* [fs] PTRACE_LISTEN: it rests, but is not there for requests */
	int report;              /* [f] what wait4 tells of it, >> 8; 0: nothing (any more) */
	enum trace_stop kind;    /* [s] */
	bool has_info;           /* [s] */
	struct signal_info info; /* [s] */
	uint64_t message;        /* [s] of PTRACE_GETEVENTMSG */
	int answer;              /* [s] the signal that it shall go on with */
	struct waitq resumed;    /* stopped has become false */

	/* the call that it is in, as far as stops tell of it */
	bool in_call;        /* [o], and the tracer's while it is stopped */
	int64_t call_number; /* the same */
	bool is_heir;        /* constant: made at its birth, to be traced as its maker is */

	/* the end */
	bool gone;  /* [f] it never runs again; its number is kept for the tracer */
	int status; /* [f] wait4's, then */
};

static inline bool is_traced(const struct uthread *uthread)
{
	return unlikely(read_once(&uthread->traced));
}

/* ---- the link (link.c) ---- */

/* For a thread that has none yet. NULL: no memory. */
struct tracee *tracee_create(struct uthread *uthread);
void tracee_free(struct tracee *tracee);
/* The running thread's tracer becomes its child's, too, if the options say so for `event` (of
 * PTRACE_EVENT_*; 0: none) or `always`: prepare before it is visible, inherit when it is listed and
 * does not run yet. -ENOMEM. */
err_t must_check ptrace_prepare_child(struct uthread *child, int event, bool always);
/* Its registers are those of the running thread by now: it does not step. */
void ptrace_steady_child(struct uthread *child);
void ptrace_inherit(struct uthread *child);
/* Its tracer lets go of it. */
void ptrace_unlink_locked(struct process *process, struct uthread *uthread)
	REQUIRES(family_lock, process->signal_lock);
/* The running thread, which is ending, traces nobody any more. */
void ptrace_tracer_ends(void);
/* The running thread becomes the first of its process, which executes a program: nobody hears of
 * the end of the one before. The result: what is left of that one, to be freed when no lock is
 * held. */
struct uthread *ptrace_become_leader_locked(struct process *process, const struct uthread *self)
	REQUIRES(family_lock, process->signal_lock);
/* May the running thread gain what a set-id program gives? Not where somebody looks who may not do
 * it all. Under signal_lock, or for a first look without. */
bool ptrace_allows_privileges(const struct uthread *self);

/* ---- the end (end.c) ---- */

/* A thread was taken off its process's list, since the same lock was taken. True: it is kept for
 * its tracer, who may free it as soon as it is released. */
bool ptrace_thread_gone_locked(struct uthread *uthread) REQUIRES(family_lock);
/* What is to be freed when no lock is held. */
struct ptrace_reaped {
	struct uthread *uthread; /* NULL: nothing */
	bool process_ended;      /* the process is nobody's zombie, either */
};
/* The last thread has gone. True: its tracer is to wait for it first, and family_end_locked() comes
 * when that one has. */
bool ptrace_process_ended_locked(struct process *process, struct ptrace_reaped *reaped)
	REQUIRES(family_lock);
/* A tracee that is gone is let go of by its tracer. */
struct ptrace_reaped ptrace_reap_locked(struct tracee *tracee) REQUIRES(family_lock);
void ptrace_free_reaped(struct ptrace_reaped reaped);
/* What wait4 and waitid find among the tracees of the running process: -ECHILD: none is meant; 0:
 * nothing has happened; 1: *result is filled, and *reaped is to be freed. */
err_t must_check ptrace_wait_locked(const struct wait_request *request, struct wait_result *result,
				    struct ptrace_reaped *reaped) REQUIRES(family_lock);
/* The stops of `child` are told to its parent as its tracer. */
bool ptrace_hides_stops_locked(const struct process *child) REQUIRES(family_lock);

/* ---- stops, in the tracee's own context (stop.c) ---- */

/* Before a signal is taken. False: the tracer keeps it. *info may be another one afterwards. */
bool ptrace_signal(struct signal_info *info);
/* The process stops; true: this one rested for its tracer instead. */
bool ptrace_group_stop(int signal);
/* A stop that was asked for. */
void ptrace_trap(void);
/* Stops for PTRACE_EVENT_*, if the tracer wants to know of it. */
void ptrace_event(int event, uint64_t message);
/* The same with a thread's number, which the tracer is told as it knows it. */
void ptrace_event_number(int event, int32_t number);
bool ptrace_wants_event(const struct uthread *uthread, int event);
/* Before a system call is made, with frame->rax as it shall be told. False: it is not made. */
bool ptrace_call_begin(struct trap_frame *frame);
void ptrace_call_end(void);
/* A filter leaves the call to the tracer, whom it tells `data`. False: the call is not made. */
bool ptrace_call_decided(struct trap_frame *frame, uint32_t data);
/* The tracer keeps filters from it for now. */
bool ptrace_suspends_filters(const struct uthread *uthread);
/* The new program has begun; `old_tid`: the number that this thread had. */
void ptrace_executed(int32_t old_tid);
/* A handler of a signal is about to be entered: a step ends here. True: then call ptrace_stepped()
 * when it has been. */
bool ptrace_step_ends(void);
void ptrace_stepped(void);

/* Under signal_lock: what send.c and pending.c ask. */
bool ptrace_must_rest_locked(const struct process *process, const struct uthread *uthread)
	REQUIRES(process->signal_lock);
bool ptrace_must_trap_locked(const struct process *process, const struct uthread *uthread)
	REQUIRES(process->signal_lock);
/* SIGCONT has come: those that were seized stop once more to tell; or a stop begins, and those that
 * listen hear of it (`listeners`). */
void ptrace_notify_locked(struct process *process, bool listeners) REQUIRES(process->signal_lock);
void ptrace_resume_locked(struct process *process, struct tracee *tracee, int answer)
	REQUIRES(family_lock, process->signal_lock);

/* ---- registers as the tracer sees them (registers.c) ---- */

/* A thread that has parked them, under its signal_lock. */
void ptrace_show_registers(const struct uthread *uthread, struct abi_user_regs *out);
/* A tracee that is stopped, under its signal_lock. */
void ptrace_get_registers(const struct tracee *tracee, struct abi_user_regs *out);
err_t must_check ptrace_set_registers(struct tracee *tracee, const struct abi_user_regs *from);

#endif
