/*
 * Zombies and those who wait for them: a parent process (wait4, waitid) or the kernel's own thread
 * that spawned one. All under family_lock.
 */
#include "wait.h"

#include "../namespace/pid.h"
#include "../ptrace/ptrace.h"
#include "../signal/signal.h"
#include "../time/cpu_time.h"
#include "family.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/wait.h>
#include <arch/clock.h>

/* ---- what is told ---- */

int wait_end_code(int status)
{
	if (WIFEXITED(status))
		return CLD_EXITED;
	return WCOREDUMP(status) ? CLD_DUMPED : CLD_KILLED;
}

int wait_end_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
}

void child_info_fields(struct signal_info *info, struct process *child, int32_t number, int status)
{
	const uint64_t tick_ns = NSEC_PER_SEC / USER_HZ;

	info->fields[0] = (uint32_t)number | (uint64_t)read_once(&child->ids.uid) << 32;
	info->fields[1] = (uint32_t)status;
	info->fields[2] = (child->usage.cpu_ns - child->usage.system_ns) / tick_ns;
	info->fields[3] = child->usage.system_ns / tick_ns;
}

struct sigchld_wish family_sigchld_wish(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	const struct abi_sigaction *action = &process->actions->of[SIGCHLD - 1];
	uint64_t wanted = read_once(&action->flags);
	struct sigchld_wish wish = {.ignored = read_once(&action->handler) == SIG_IGN};

	wish.reaps = wish.ignored || wanted & SA_NOCLDWAIT;
	wish.no_stops = wish.ignored || wanted & SA_NOCLDSTOP;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return wish;
}

static bool reaps_itself_locked(const struct process *process, int *signal) REQUIRES(family_lock);
static bool reaps_itself_locked(const struct process *process, int *signal)
{
	struct sigchld_wish wish;

	/* clone(2) takes any number. */
	*signal = process->exit_signal <= SIGNAL_MAX ? process->exit_signal : 0;
	if (!process->parent)
		return process->disowned;
	if (process->exit_signal != SIGCHLD) {
		/* As Linux: the parent that wished for it has executed another program since. */
		if (read_once(&process->parent->nexecuted) != process->parent_nexecuted)
			*signal = SIGCHLD;
		return false;
	}
	wish = family_sigchld_wish(process->parent);
	if (wish.ignored)
		*signal = 0;
	return wish.reaps;
}

bool family_end_locked(struct process *process)
{
	int signal;
	bool reap = reaps_itself_locked(process, &signal);

	if (reap)
		list_del(&process->sibling);
	/* Release: who sees a zombie sees its status. */
	store_release(&process->state, reap ? PROCESS_REAPED : PROCESS_ZOMBIE);
	family_tell_locked(process, signal, wait_end_code(process->status),
			   wait_end_status(process->status));
	waitq_wake_all(&process->changed);
	return reap;
}

/* Whoever still has a reference needs only the struct. */
static void drop_actions(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	struct signal_actions *actions = process->actions;

	process->actions = NULL;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	signal_actions_put(actions);
}

void process_forget(struct process *process)
{
	pid_remove(&process->link);
	drop_actions(process);
	waitq_wake_all_events(&process->changed, POLLHUP); /* of descriptors of it */
	process_put(process);
}

void process_ended(struct process *process)
{
	struct ptrace_reaped reaped = {0};
	bool forget;

	spin_lock(&family_lock);
	process->usage.cpu_ns = process->gone_cpu_ns;
	process->usage.system_ns = process_times(process).system_ns;
	process->usage.ended_ns = clock_ns();
	process->ended = true;
	forget = !ptrace_process_ended_locked(process, &reaped) && family_end_locked(process);
	spin_unlock(&family_lock);
	ptrace_free_reaped(reaped);
	if (forget)
		process_forget(process);
}

/* ---- reaping ---- */

/* Takes the zombie out of the family. False: it is none, or somebody was faster. */
static bool reap_locked(struct process *process) REQUIRES(family_lock);
static bool reap_locked(struct process *process)
{
	if (process->state != PROCESS_ZOMBIE)
		return false;
	process->state = PROCESS_REAPED;
	list_del(&process->sibling);
	return true;
}

/* ---- the kernel's own threads ---- */

static bool has_ended(struct process *process)
{
	/* Acquire: pairs with the release in process_ended(). */
	return load_acquire(&process->state) >= PROCESS_ZOMBIE;
}

static err_t reap_for_kernel(struct process *process, int *status, struct process_usage *usage)
{
	bool reaped;

	spin_lock(&family_lock);
	reaped = !process->parent && !process->disowned && reap_locked(process);
	spin_unlock(&family_lock);
	if (!reaped)
		return -ECHILD;
	*status = process->status;
	if (usage)
		*usage = process->usage;
	process_forget(process);
	return 0;
}

err_t process_try_wait(int32_t pid, int *status, struct process_usage *usage)
{
	struct process *process = process_find(pid);
	err_t err;

	if (!process)
		return -ECHILD;
	err = has_ended(process) ? reap_for_kernel(process, status, usage) : -EAGAIN;
	process_put(process);
	return err;
}

err_t process_wait(int32_t pid, int *status, struct process_usage *usage)
{
	struct process *process = process_find(pid);
	err_t err;

	if (!process)
		return -ECHILD;
	err = wait_event_killable(&process->changed, has_ended(process));
	if (!err)
		err = reap_for_kernel(process, status, usage);
	process_put(process);
	return err;
}

void process_disown(int32_t pid)
{
	struct process *process = process_find(pid);
	bool reap = false;

	if (!process)
		return;
	spin_lock(&family_lock);
	if (!process->parent && !process->disowned) {
		process->disowned = true;
		reap = process->state == PROCESS_ZOMBIE;
		if (reap)
			process->state = PROCESS_REAPED;
	}
	spin_unlock(&family_lock);
	if (reap)
		process_forget(process);
	process_put(process);
}

/* ---- a parent process ---- */

static bool is_waited_for(const struct process *child, const struct wait_request *request)
{
	bool is_clone = child->exit_signal != SIGCHLD;

	if (request->type == WAIT_PID && child->pid != request->id)
		return false;
	if (request->type == WAIT_PROCESS && child != request->process)
		return false;
	if (request->type == WAIT_GROUP && child->group != request->id)
		return false;
	return request->options & __WALL || is_clone == !!(request->options & __WCLONE);
}

static void add_usage(struct process_usage *sum, const struct process *child)
{
	const struct process_usage *own = &child->usage;
	const struct process_usage *below = &child->waited;

	sum->cpu_ns += own->cpu_ns + below->cpu_ns;
	sum->system_ns += own->system_ns + below->system_ns;
	sum->nfaults += own->nfaults + below->nfaults;
	sum->nmajor += own->nmajor + below->nmajor;
	sum->nswitches += own->nswitches + below->nswitches;
	sum->npreempted += own->npreempted + below->npreempted;
	sum->max_resident_pages = MAX(sum->max_resident_pages, own->max_resident_pages);
	sum->max_resident_pages = MAX(sum->max_resident_pages, below->max_resident_pages);
}

static bool take_end_locked(struct process *parent, struct process *child, bool keep,
			    struct wait_result *result) REQUIRES(family_lock);
static bool take_end_locked(struct process *parent, struct process *child, bool keep,
			    struct wait_result *result)
{
	if (child->state != PROCESS_ZOMBIE)
		return false;
	result->code = wait_end_code(child->status);
	result->status = wait_end_status(child->status);
	result->packed = child->status;
	result->usage = child->usage;
	if (!keep && reap_locked(child))
		add_usage(&parent->waited, child);
	return true;
}

static bool take_stop_locked(struct process *child, bool keep, struct wait_result *result)
	REQUIRES(family_lock);
static bool take_stop_locked(struct process *child, bool keep, struct wait_result *result)
{
	/* One that was continued is no stopped one, though it did not yet come to say so. */
	if (!child->stop_report || !read_once(&child->stopped))
		return false;
	result->code = CLD_STOPPED;
	result->status = child->stop_report;
	result->packed = WAIT_STATUS_STOPPED(child->stop_report);
	if (!keep)
		child->stop_report = 0;
	return true;
}

static bool take_continue_locked(struct process *child, bool keep, struct wait_result *result)
	REQUIRES(family_lock);
static bool take_continue_locked(struct process *child, bool keep, struct wait_result *result)
{
	if (!child->continue_report)
		return false;
	result->code = CLD_CONTINUED;
	result->status = SIGCONT;
	result->packed = WAIT_STATUS_CONTINUED;
	if (!keep)
		child->continue_report = false;
	return true;
}

static bool take_locked(struct process *parent, struct process *child, unsigned options,
			struct wait_result *result) REQUIRES(family_lock);
static bool take_locked(struct process *parent, struct process *child, unsigned options,
			struct wait_result *result)
{
	bool keep = options & WNOWAIT;

	if (options & WEXITED && take_end_locked(parent, child, keep, result))
		return true;
	if (child->state >= PROCESS_ZOMBIE)
		return false;
	if (options & WUNTRACED && !ptrace_hides_stops_locked(child) &&
	    take_stop_locked(child, keep, result))
		return true;
	return options & WCONTINUED && take_continue_locked(child, keep, result);
}

static err_t find_child_locked(struct process *parent, const struct wait_request *request,
			       struct wait_result *result, struct process **gone)
	REQUIRES(family_lock);
static err_t find_child_locked(struct process *parent, const struct wait_request *request,
			       struct wait_result *result, struct process **gone)
{
	struct process *child;
	err_t found = -ECHILD;

	list_for_each (child, &parent->children, sibling) {
		if (!is_waited_for(child, request))
			continue;
		found = 0;
		if (!take_locked(parent, child, request->options, result))
			continue;
		result->pid = pid_shown(child->pid);
		result->uid = read_once(&child->ids.uid);
		if (child->state == PROCESS_REAPED)
			*gone = child;
		return 1;
	}
	return found;
}

/* 1: *result is filled; 0: nothing has happened; -ECHILD: there is none to wait for. */
static err_t try_wait(struct process *parent, const struct wait_request *request,
		      struct wait_result *result)
{
	struct ptrace_reaped reaped = {0};
	struct process *gone = NULL;
	err_t found;
	err_t found_tracee = -ECHILD;

	spin_lock(&family_lock);
	found = find_child_locked(parent, request, result, &gone);
	if (found != 1 && unlikely(!list_empty(&parent->tracees)))
		found_tracee = ptrace_wait_locked(request, result, &reaped);
	spin_unlock(&family_lock);
	ptrace_free_reaped(reaped);
	if (gone)
		process_forget(gone);
	return MAX(found, found_tracee);
}

err_t process_wait_child(const struct wait_request *request, struct wait_result *result)
{
	struct process *parent = process_current();
	err_t found;
	err_t err;

	*result = (struct wait_result){0};
	found = try_wait(parent, request, result);
	if (!found && !(request->options & WNOHANG)) {
		err = wait_event_interruptible(&parent->changed,
					       (found = try_wait(parent, request, result)) != 0);
		if (err)
			return err;
	}
	return MIN(found, 0);
}
