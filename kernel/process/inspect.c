/*
 * A look at a process from outside. What belongs to a thread is read under its process's
 * signal_lock, under which it is written; owns no state.
 */
#include "inspect.h"

#include "../ptrace/ptrace.h"
#include "../seccomp/seccomp.h"
#include "../signal/signal.h"
#include "../time/cpu_time.h"
#include "../tty.h"
#include "capability.h"
#include "family.h"

#include <abi/errno.h>
#include <arch/registers.h>
#include <ipc/fdtable.h>
#include <ipc/user_namespace.h>
#include <lib/string.h>
#include <mm/space.h>
#include <sched/rcu.h>

/* ---- finding the thread ---- */

struct visit {
	struct process *process;
	void (*look)(struct uthread *uthread, void *argument);
	void *argument;
};

static err_t look_if_listed(struct uthread *uthread, void *argument)
{
	const struct visit *visit = argument;
	struct process *process = visit->process;
	irqflags_t flags;
	err_t err = -ESRCH;

	if (uthread->process != process)
		return -ESRCH;
	flags = spin_lock_irqsave(&process->signal_lock);
	if (uthread->listed) {
		visit->look(uthread, visit->argument);
		err = 0;
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return err;
}

/* Under signal_lock: the thread that stands for the process. */
static struct uthread *main_thread(const struct process *process)
{
	if (process->leader)
		return process->leader;
	if (list_empty(&process->threads))
		return NULL;
	return list_first_entry(&process->threads, struct uthread, sibling);
}

/* Calls look(thread) under signal_lock. -ESRCH: there is no such thread. */
static err_t with_thread(struct process *process, int32_t tid,
			 void (*look)(struct uthread *uthread, void *argument), void *argument)
{
	struct visit visit = {.process = process, .look = look, .argument = argument};
	struct uthread *uthread;
	irqflags_t flags;

	if (tid)
		return uthread_visit(tid, look_if_listed, &visit);
	flags = spin_lock_irqsave(&process->signal_lock);
	uthread = main_thread(process);
	if (uthread)
		look(uthread, argument);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return uthread ? 0 : -ESRCH;
}

/* ---- the report ---- */

static bool is_running(const struct uthread *uthread)
{
	uint8_t state = read_once(&uthread->thread->state);

	return state != THREAD_BLOCKED && state != THREAD_DEAD;
}

static void look_at_thread(struct uthread *uthread, void *argument)
{
	struct process_report *out = argument;
	struct thread *thread = uthread->thread;

	string_copy(out->name, sizeof(out->name), thread->name);
	out->state = is_running(uthread) ? 'R' : 'S';
	if (is_traced(uthread)) {
		out->tracer = uthread->tracee->tracer->tid;
		out->is_trace_stopped = uthread->tracee->stopped;
	}
	out->times = uthread_times(uthread);
	out->nice = (int8_t)uthread->sched_nice;
	out->policy = uthread->sched_policy;
	out->priority = uthread->sched_priority;
	out->cpu = thread_cpu_id(thread);
	out->affinity = thread_affinity(thread);
	out->pending = uthread->pending.set;
	out->blocked = uthread->blocked;
	out->no_new_privileges = uthread->no_new_privileges;
	out->seccomp = seccomp_mode(uthread);
	out->nfilters = seccomp_nfilters(uthread);
}

/* What the threads are together. */
static void add_threads_locked(struct process *process, struct process_report *out)
	REQUIRES(process->signal_lock);
static void add_threads_locked(struct process *process, struct process_report *out)
{
	struct uthread *uthread;

	out->times = process_times_locked(process);
	list_for_each (uthread, &process->threads, sibling) {
		if (is_running(uthread))
			out->state = 'R';
	}
}

static void look_at_actions(const struct process *process, struct process_report *out)
{
	for (int signal = 1; signal <= SIGNAL_MAX; signal++) {
		uint64_t handler = read_once(&process->actions->of[signal - 1].handler);

		if (handler == SIG_IGN)
			out->ignored |= SIGNAL_BIT(signal);
		else if (handler != SIG_DFL)
			out->caught |= SIGNAL_BIT(signal);
	}
}

static void look_at_process(struct process *process, int32_t tid, struct process_report *out)
{
	const struct process *parent;
	irqflags_t flags;

	/* A parent is freed a grace period after it let go of its children. */
	rcu_read_lock();
	parent = read_once(&process->parent);
	out->parent = parent ? parent->pid : 0;
	rcu_read_unlock();

	flags = spin_lock_irqsave(&process->signal_lock);
	if (!tid)
		add_threads_locked(process, out);
	out->nthreads = process->nthreads;
	out->shared_pending = process->pending.set;
	out->nqueued = process->nqueued;
	if (process->actions) /* else it was waited for meanwhile */
		look_at_actions(process, out);
	if (read_once(&process->state) >= PROCESS_ZOMBIE || !process->nthreads)
		out->state = 'Z';
	else if (out->is_trace_stopped)
		out->state = 't';
	else if (process->stopped)
		out->state = 'T';
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

static void look_at_terminal(struct process *process, struct process_report *out)
{
	out->tty_foreground = -1;
	spin_lock(&family_lock); /* which keeps it there */
	if (process->tty) {
		out->tty_rdev = process->tty->rdev;
		out->tty_foreground = tty_foreground(process->tty);
	}
	spin_unlock(&family_lock);
}

err_t process_report(struct process *process, int32_t tid, struct process_report *out)
{
	err_t err;

	*out = (struct process_report){
		.pid = process->pid,
		.group = read_once(&process->group),
		.session = read_once(&process->session),
		.tid = tid ? tid : process->pid,
		.ids = process->ids,
		.waited = {.system_ns = read_once(&process->waited.system_ns)},
		.waited_faults = read_once(&process->waited.nfaults),
		.waited_major = read_once(&process->waited.nmajor),
		.started_ns = process->usage.started_ns,
		.exit_signal = read_once(&process->exit_signal),
	};
	look_at_terminal(process, out);
	out->waited.user_ns = read_once(&process->waited.cpu_ns) - out->waited.system_ns;
	string_copy(out->name, sizeof(out->name), process->name);
	err = with_thread(process, tid, look_at_thread, out);
	if (err && tid)
		return err;
	if (!tid)
		string_copy(out->name, sizeof(out->name), process->name);
	look_at_process(process, tid, out);
	return 0;
}

/* ---- what it has ---- */

static void get_fds(struct uthread *uthread, void *argument)
{
	struct fd_table **out = argument;

	if (uthread->fds)
		*out = fd_table_get(uthread->fds);
}

struct fd_table *process_fds(struct process *process, int32_t tid)
{
	struct fd_table *fds = NULL;

	return with_thread(process, tid, get_fds, &fds) ? NULL : fds;
}

static void get_place(struct uthread *uthread, void *argument)
{
	struct place **out = argument;

	if (uthread->place)
		*out = place_get(uthread->place);
}

struct place *process_place_of(struct process *process, int32_t tid)
{
	struct place *place = NULL;

	(void)!with_thread(process, tid, get_place, &place);
	return place;
}

err_t process_place(struct process *process, int32_t tid, struct path *root, struct path *cwd,
		    uint32_t *umask)
{
	struct place *place = process_place_of(process, tid);

	if (!place)
		return -ESRCH;
	place_read(place, root, cwd, umask);
	place_put(place);
	return 0;
}

static void look_at_call(struct uthread *uthread, void *argument)
{
	struct process_call *out = argument;
	const struct thread *thread = uthread->thread;
	uint64_t nswitches = read_once(&thread->nswitches);
	/* Parked registers stay, even if the thread does not sleep yet. */
	bool is_still =
		uthread == uthread_current() || (is_traced(uthread) && uthread->tracee->stopped);
	bool runs = is_running(uthread);
	struct abi_user_regs regs;

	registers_get(&thread->context, &regs);
	*out = (struct process_call){
		.number = (int64_t)regs.orig_rax,
		.arguments = {regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9},
		.sp = regs.rsp,
		.ip = regs.rip,
	};
	/* It waited all the time. */
	memory_barrier();
	out->is_running = !is_still && (runs || is_running(uthread) ||
					read_once(&thread->nswitches) != nswitches);
}

err_t process_call(struct process *process, int32_t tid, struct process_call *out)
{
	return with_thread(process, tid, look_at_call, out);
}

struct shared_look {
	enum process_shared what;
	const void *found;
};

static void look_at_shared(struct uthread *uthread, void *argument)
{
	struct shared_look *look = argument;

	switch (look->what) {
	case PROCESS_SPACE:
		look->found = uthread->process->space;
		break;
	case PROCESS_FILES:
		look->found = uthread->fds;
		break;
	case PROCESS_PLACE:
		look->found = uthread->place;
		break;
	case PROCESS_ACTIONS:
		look->found = uthread->process->actions;
		break;
	case PROCESS_UNDOS:
		look->found = uthread->undos;
		break;
	}
}

const void *process_shared(struct process *process, int32_t tid, enum process_shared what)
{
	struct shared_look look = {.what = what};

	(void)!with_thread(process, tid == process->pid ? 0 : tid, look_at_shared, &look);
	return look.found;
}

struct path process_program(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	struct path program = path_get(&process->program);

	spin_unlock_irqrestore(&process->signal_lock, flags);
	return program;
}

struct space *process_given(struct process *process, struct exec_places *given)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	struct space *space = process->space ? space_get(process->space) : NULL;

	*given = process->given;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return space;
}

/* ptrace_may_access() of Linux, under RCU: with the ids that files are looked at with, or the real
 * ones. */
static bool may_access(const struct process *process, const struct credentials *ids, uint32_t uid,
		       uint32_t gid)
{
	const struct user_namespace *user = read_once(&ids->user);

	if (read_once(&process->not_dumpable) &&
	    !capable_in(read_once(&process->memory_owner), CAP_SYS_PTRACE))
		return false;
	if (capable_in(user, CAP_SYS_PTRACE))
		return true;
	/* Who could do more than the one who looks is not looked at. */
	if (user != uthread_current()->ids.user ||
	    read_once(&ids->capabilities.permitted) &
		    ~uthread_current()->ids.capabilities.permitted)
		return false;
	return read_once(&ids->uid) == uid && read_once(&ids->euid) == uid &&
	       read_once(&ids->suid) == uid && read_once(&ids->gid) == gid &&
	       read_once(&ids->egid) == gid && read_once(&ids->sgid) == gid;
}

static bool may_access_now(const struct process *process, const struct credentials *ids,
			   uint32_t uid, uint32_t gid)
{
	bool result;

	rcu_read_lock();
	result = may_access(process, ids, uid, gid);
	rcu_read_unlock();
	return result;
}

bool process_may_inspect(const struct process *process)
{
	const struct process *self = process_current();
	const struct vfs_context *own;

	if (!self || self == process)
		return true;
	own = &uthread_current()->fs;
	return may_access_now(process, &process->ids, own->uid, own->gid);
}

bool process_may_trace(const struct process *process, const struct credentials *ids)
{
	const struct credentials *own = &uthread_current()->ids;

	return process == process_current() || may_access_now(process, ids, own->uid, own->gid);
}
