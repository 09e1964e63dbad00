/*
 * Raising signals. What ends a process marks it as ending and kills all its threads, so that
 * killable waits end and user mode is not entered again; everything else is put where it belongs
 * and one thread that does not block it is interrupted. The rest happens in that thread
 * (deliver.c).
 */
#include "signal.h"

#include "../core/core.h"
#include "../namespace/pid.h"
#include "../process/family.h"
#include "../ptrace/ptrace.h"

#include <abi/errno.h>
#include <abi/wait.h>
#include <ipc/user_namespace.h>
#include <mm/slab.h>
#include <sched/rcu.h>

SLAB_CACHE(entry_cache, struct signal_entry);

/* ---- the end ---- */

static void continue_locked(struct process *process) REQUIRES(process->signal_lock);
static void continue_locked(struct process *process)
{
	process->ncontinues++;
	if (!process->stopped)
		return;
	process->continue_untold = true;
	write_once(&process->stopped, false);
	waitq_wake_all(&process->continued);
}

static void kill_threads_locked(struct process *process) REQUIRES(process->signal_lock);
static void kill_threads_locked(struct process *process)
{
	struct uthread *uthread;

	list_for_each (uthread, &process->threads, sibling)
		thread_kill(uthread->thread);
}

static void begin_end_locked(struct process *process, int status) REQUIRES(process->signal_lock);
static void begin_end_locked(struct process *process, int status)
{
	if (process->exiting)
		return;
	process->exiting = true;
	process->status_to_be = status;
	continue_locked(process);
	process->continue_untold = false;
	kill_threads_locked(process);
}

void signal_end_process(struct process *process, int status)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	begin_end_locked(process, status);
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

/* The running thread is not killed: what its end waits for, it may wait for. The result: how many
 * others have not begun their end yet. */
static uint32_t begin_exit_locked(struct process *process, int status)
	REQUIRES(process->signal_lock);
static uint32_t begin_exit_locked(struct process *process, int status)
{
	const struct uthread *self = uthread_current();
	struct uthread *uthread;
	uint32_t nothers = 0;

	process->exiting = true;
	process->status_to_be = status;
	list_for_each (uthread, &process->threads, sibling) {
		if (uthread == self)
			continue;
		nothers += !uthread->ending;
		thread_kill(uthread->thread);
	}
	return nothers;
}

int signal_begin_exit(int status)
{
	struct process *process = process_current();
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	if (!process->exiting)
		(void)begin_exit_locked(process, status);
	status = process->status_to_be;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return status;
}

bool signal_begin_core(int status, struct core_wait *wait)
{
	struct process *process = process_current();
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	bool begins = !process->exiting && !process->executor;

	if (begins) {
		write_once(&process->core, wait);
		wait->nothers = begin_exit_locked(process, status);
		wait->nawaited = wait->nothers;
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return begins;
}

/* ---- who takes it ---- */

bool signal_wants_locked(UNUSED struct process *process, const struct uthread *uthread, int signal)
{
	return !uthread->ending && !((uthread->blocked & ~uthread->awaited) & SIGNAL_BIT(signal));
}

/* A thread that takes the signal now; NULL: all block it. */
static struct uthread *taker_locked(struct process *process, int signal)
	REQUIRES(process->signal_lock);
static struct uthread *taker_locked(struct process *process, int signal)
{
	struct uthread *uthread;

	if (process->leader && signal_wants_locked(process, process->leader, signal))
		return process->leader;
	list_for_each (uthread, &process->threads, sibling) {
		if (signal_wants_locked(process, uthread, signal))
			return uthread;
	}
	return NULL;
}

bool signal_is_fatal_by_default(int signal)
{
	return !(SIGNAL_BIT(signal) & (STOP_SIGNALS | SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGURG) |
				       SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGCONT)));
}

/* Nobody ends init by accident: without a handler of its own a signal does nothing to it. What
 * cannot be handled, and is from outside of the namespace of an inner one (`forced`), does. */
static bool is_immune_locked(const struct process *process, int signal, bool forced)
	REQUIRES(process->signal_lock);
static bool is_immune_locked(const struct process *process, int signal, bool forced)
{
	if (likely(!process->unkillable) ||
	    read_once(&process->actions->of[signal - 1].handler) != SIG_DFL)
		return false;
	return !(forced && process->pid_namespace && SIGNAL_BIT(signal) & UNBLOCKABLE_SIGNALS);
}

static bool is_fatal_locked(const struct process *process, const struct uthread *taker, int signal)
	REQUIRES(process->signal_lock);
static bool is_fatal_locked(const struct process *process, const struct uthread *taker, int signal)
{
	if (signal == SIGKILL)
		return true;
	/* A tracer may think otherwise, one that is stopped ends when it is continued, and it is
	 * the one that takes the signal who writes a core. */
	return taker && !taker->traced && !process->stopped &&
	       !(taker->awaited & SIGNAL_BIT(signal)) && !process->unkillable &&
	       signal_is_fatal_by_default(signal) &&
	       read_once(&process->actions->of[signal - 1].handler) == SIG_DFL &&
	       !core_is_wanted(process, signal);
}

/* Stops and SIGCONT undo each other before they are blocked, ignored or handled. */
static void undo_opposite_locked(struct process *process, int signal)
	REQUIRES(process->signal_lock);
static void undo_opposite_locked(struct process *process, int signal)
{
	if (signal == SIGCONT) {
		signal_drop_locked(process, STOP_SIGNALS);
		continue_locked(process);
		ptrace_notify_locked(process, false);
	} else if (SIGNAL_BIT(signal) & STOP_SIGNALS) {
		signal_drop_locked(process, SIGNAL_BIT(SIGCONT));
	}
}

/* `only`: to this thread. `forced`: from the kernel, or from outside of its namespace. *entry is
 * taken over (and NULL then) if it is needed. */
static void send_locked(struct process *process, struct uthread *only, int signal, bool forced,
			struct signal_entry **entry) REQUIRES(process->signal_lock);
static void send_locked(struct process *process, struct uthread *only, int signal, bool forced,
			struct signal_entry **entry)
{
	struct uthread *taker;
	bool immune;

	if (process->exiting) {
		/* Its end may be waiting for something, a driver say. */
		if (signal == SIGKILL)
			kill_threads_locked(process);
		return;
	}
	undo_opposite_locked(process, signal);
	if (only)
		taker = signal_wants_locked(process, only, signal) ? only : NULL;
	else
		taker = taker_locked(process, signal);
	immune = is_immune_locked(process, signal, forced);
	if (!immune && is_fatal_locked(process, taker, signal)) {
		begin_end_locked(process, WAIT_STATUS_SIGNAL(signal));
		return;
	}
	/* One that is blocked stays: what it does is decided when it is taken. */
	if (taker && (!taker->traced || (immune && signal == SIGKILL)) &&
	    !(taker->awaited & SIGNAL_BIT(signal)) &&
	    (immune || signal_is_ignored(process, signal)))
		return;
	signal_pending_add_locked(process, only ? &only->pending : &process->pending, signal,
				  entry);
	if (taker)
		thread_interrupt(taker->thread);
	signalfd_tell(process);
}

void signal_send_entry_locked(struct process *process, struct uthread *only, int signal,
			      bool forced, struct signal_entry **entry)
{
	send_locked(process, only, signal, forced, entry);
}

struct signal_entry *signal_entry_alloc(void)
{
	return slab_alloc_zeroed(&entry_cache);
}

void process_signal(struct process *process, int signal)
{
	struct signal_entry *none = NULL;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	send_locked(process, NULL, signal, true, &none);
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

bool signal_says_user(const struct signal_info *info)
{
	if (info->code > 0)
		return info->signal == SIGCHLD && info->code < SI_KERNEL;
	return info->code != SI_TIMER && info->code != SI_SIGIO;
}

/* True: the sender is not seen where the signal goes, so it is told as nobody. */
static bool is_from_outside(const struct process *process, const struct signal_info *info)
{
	const struct process *self = process_current();

	return process->pid_namespace && info->code <= 0 && signal_says_user(info) &&
	       !(self && pid_namespace_sees(process->pid_namespace, self));
}

/* The receiver is told of users as its namespace calls them. */
static void tell_user(const struct process *process, struct signal_info *info)
{
	const struct user_namespace *user;
	uint32_t uid = (uint32_t)(info->fields[0] >> 32);

	rcu_read_lock();
	user = read_once(&process->ids.user);
	if (unlikely(user != &user_namespace_first || uid == ID_NONE) && signal_says_user(info)) {
		uid = uid == ID_NONE ? ID_OVERFLOW : id_shown_in(user, ID_USER, uid);
		info->fields[0] = (uint32_t)info->fields[0] | (uint64_t)uid << 32;
	}
	rcu_read_unlock();
}

static err_t send(struct process *process, struct uthread *only, const struct signal_info *info,
		  bool must_queue)
{
	bool from_outside = is_from_outside(process, info);
	uint64_t limit = read_once(&process->limits[RLIMIT_SIGPENDING].rlim_cur);
	struct signal_entry *entry = slab_alloc(&entry_cache);
	irqflags_t flags;
	err_t err = 0;

	if (entry) {
		*entry = (struct signal_entry){.info = *info};
		tell_user(process, &entry->info);
		if (unlikely(from_outside))
			entry->info.fields[0] &= ~UINT64_C(0xffffffff);
	}
	flags = spin_lock_irqsave(&process->signal_lock);
	if (only && !only->listed) {
		err = -ESRCH;
	} else if (must_queue && (!entry || process->nqueued >= limit)) {
		err = -EAGAIN;
	} else {
		struct signal_entry *none = NULL;

		send_locked(process, only, info->signal, from_outside || info->code == SI_KERNEL,
			    process->nqueued < limit ? &entry : &none);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	slab_free(&entry_cache, entry);
	return err;
}

/* What a program queued says so if there is no room for it. */
static bool is_queued(const struct signal_info *info)
{
	return info->signal >= SIGRTMIN && info->code < 0 && info->code != SI_TKILL;
}

err_t signal_send(struct process *process, const struct signal_info *info)
{
	return send(process, NULL, info, is_queued(info));
}

err_t signal_send_thread(struct uthread *uthread, const struct signal_info *info)
{
	return send(uthread->process, uthread, info, is_queued(info));
}

err_t signal_send_whole(struct process *process, struct uthread *only,
			const struct signal_info *info)
{
	return send(process, only, info, info->signal >= SIGRTMIN);
}

static bool force(const struct signal_info *info, bool by_default)
{
	struct uthread *uthread = uthread_current();
	struct process *process = uthread->process;
	struct signal_entry *entry = slab_alloc(&entry_cache);
	uint64_t bit = SIGNAL_BIT(info->signal);
	bool has_handler, is_taken;
	irqflags_t flags;

	if (entry)
		*entry = (struct signal_entry){.info = *info};
	flags = spin_lock_irqsave(&process->signal_lock);
	has_handler = read_once(&process->actions->of[info->signal - 1].handler) > SIG_IGN &&
		      !(uthread->blocked & bit) && !(bit & UNBLOCKABLE_SIGNALS) && !by_default;
	/* Nothing that it has set keeps it from its tracer, or from a core. */
	is_taken = has_handler || uthread->traced || core_is_wanted(process, info->signal);
	if (by_default && process->pid == INIT_PID)
		is_taken = false;
	/* As Linux: what it did itself ends an inner init. A tracer may let it go on. */
	if (!has_handler && process->pid_namespace && (!uthread->traced || by_default))
		process->unkillable = false;
	if (is_taken && !has_handler) {
		signal_default_locked(process, info->signal);
		uthread->blocked &= ~bit;
	}
	has_handler |= uthread->traced;
	if (is_taken) {
		signal_pending_add_locked(process, &uthread->pending, info->signal, &entry);
		thread_interrupt(uthread->thread);
	} else {
		begin_end_locked(process, WAIT_STATUS_SIGNAL(info->signal));
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	slab_free(&entry_cache, entry);
	return has_handler;
}

bool signal_force(const struct signal_info *info)
{
	return force(info, false);
}

void signal_force_default(const struct signal_info *info)
{
	(void)force(info, true);
}

struct signal_info signal_info_from_self(int signal, int code)
{
	const struct uthread *uthread = uthread_current();

	return (struct signal_info){
		.signal = signal,
		.code = code,
		.fields[0] = (uint32_t)uthread->process->own_pid | (uint64_t)uthread->ids.uid << 32,
	};
}

void signal_raise(int signal)
{
	struct signal_info info = signal_info_from_self(signal, SI_USER);

	(void)signal_send_thread(uthread_current(), &info); /* it is there */
}

/* ---- by number ---- */

err_t process_kill(int32_t pid, int signal)
{
	struct process *process;

	if (signal < 0 || signal > SIGNAL_MAX)
		return -EINVAL;
	process = process_find(pid);
	if (!process)
		return -ESRCH;
	if (signal)
		process_signal(process, signal);
	process_put(process);
	return 0;
}

struct group_call {
	int32_t group;
	int signal;
	unsigned nmembers;
};

static void signal_member(void *argument, struct process *process)
{
	struct group_call *call = argument;

	if (read_once(&process->group) != call->group)
		return;
	call->nmembers++;
	if (!call->signal)
		return;
	process_signal(process, call->signal);
	family_signal_births_locked(process, call->signal);
}

err_t process_group_signal(int32_t pgid, int signal)
{
	struct group_call call = {.group = pgid, .signal = signal};

	if (signal < 0 || signal > SIGNAL_MAX)
		return -EINVAL;
	spin_lock(&family_lock);
	pid_for_each_rcu(signal_member, &call);
	spin_unlock(&family_lock);
	return call.nmembers ? 0 : -ESRCH;
}
