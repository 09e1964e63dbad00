/*
 * Parents and children: see family.h. A parent is told by its SIGCHLD and by waking `changed`, both
 * under family_lock, which keeps it from going away meanwhile.
 */
#include "family.h"

#include "../namespace/pid.h"
#include "../ptrace/ptrace.h"
#include "../signal/signal.h"
#include "wait.h"

#include <abi/wait.h>
#include <arch/clock.h>
#include <lib/bitmap.h>

struct spinlock family_lock = SPINLOCK_INIT(LOCK_PIDTABLE);

/* ---- births ---- */

void family_birth_begin(struct family_birth *birth)
{
	birth->signals = 0;
	spin_lock(&family_lock);
	list_add_tail(&process_current()->births, &birth->link);
	spin_unlock(&family_lock);
}

void family_birth_fail(struct family_birth *birth)
{
	spin_lock(&family_lock);
	list_del(&birth->link);
	spin_unlock(&family_lock);
}

void family_signal_births_locked(struct process *process, int signal)
{
	struct family_birth *birth;

	list_for_each (birth, &process->births, link) {
		/* They undo each other, as they do where they wait. */
		if (signal == SIGCONT)
			birth->signals &= ~STOP_SIGNALS;
		else if (SIGNAL_BIT(signal) & STOP_SIGNALS)
			birth->signals &= ~SIGNAL_BIT(SIGCONT);
		birth->signals |= SIGNAL_BIT(signal);
	}
}

/* What came since the birth began waits for the child's first thread. */
static void end_birth_locked(struct process *child, struct family_birth *birth)
	REQUIRES(family_lock);
static void end_birth_locked(struct process *child, struct family_birth *birth)
{
	const struct process *self = process_current();

	list_del(&birth->link);
	write_once(&child->group, self->group);
	child->group_serial = self->group_serial;
	write_once(&child->session, self->session);
	write_once(&child->tty, self->tty);
	for (uint64_t set = birth->signals; set; set &= set - 1)
		process_signal(child, __builtin_ctzll(set) + 1);
}

static void set_parent_locked(struct process *child, struct process *parent) REQUIRES(family_lock);
static void set_parent_locked(struct process *child, struct process *parent)
{
	write_once(&child->parent, parent);
	list_add_tail(&parent->children, &child->sibling);
}

void family_add(struct process *child, struct family_birth *birth)
{
	spin_lock(&family_lock);
	set_parent_locked(child, process_current());
	end_birth_locked(child, birth);
	spin_unlock(&family_lock);
}

void family_add_sibling(struct process *child, struct family_birth *birth)
{
	struct process *parent;

	spin_lock(&family_lock);
	parent = process_current()->parent;
	if (parent)
		set_parent_locked(child, parent);
	else
		child->disowned = true;
	end_birth_locked(child, birth);
	spin_unlock(&family_lock);
}

/* ---- numbers ---- */

static void mark_number(uint64_t *in_use, int32_t number)
{
	if (number > 0 && number < PID_MAX)
		bitmap_set(in_use, (size_t)number);
}

static void mark_numbers(void *in_use, struct process *process)
{
	mark_number(in_use, read_once(&process->group));
	mark_number(in_use, read_once(&process->session));
}

void family_mark_numbers(uint64_t *in_use)
{
	spin_lock(&family_lock);
	pid_for_each_rcu(mark_numbers, in_use);
	spin_unlock(&family_lock);
}

/* ---- what a parent hears ---- */

void family_tell_locked(struct process *child, int signal, int code, int status)
{
	struct process *parent = child->parent;
	struct signal_info info = {.signal = signal, .code = code};

	if (!parent)
		return;
	child_info_fields(&info, child, pid_number_in(parent->pid_namespace, child->pid), status);
	/* A parent that is in no need of memory gets it without its details. */
	if (signal)
		(void)signal_send(parent, &info);
	waitq_wake_all(&parent->changed);
}

void family_tell_tracer_locked(struct uthread *tracee, int signal, int code, int status)
{
	struct process *tracer = tracee->tracee->tracer->process;
	struct signal_info info = {.signal = signal, .code = code};

	child_info_fields(&info, tracee->process, pid_number_in(tracer->pid_namespace, tracee->tid),
			  status);
	if (signal)
		(void)signal_send(tracer, &info); /* as above */
	waitq_wake_all(&tracer->changed);
}

static void tell_job_control(struct process *process, int code, int status)
{
	bool is_stop = code == CLD_STOPPED;

	spin_lock(&family_lock);
	/* Another of its threads was continued before this one came to tell of the stop, and tells
	 * of that, or has. */
	if (is_stop && !read_once(&process->stopped)) {
		spin_unlock(&family_lock);
		return;
	}
	process->stop_report = is_stop ? (uint8_t)status : 0;
	process->continue_report = !is_stop;
	/* A parent that traces it has heard of each thread's stop. */
	if (process->parent && !(is_stop && ptrace_hides_stops_locked(process)))
		family_tell_locked(process,
				   family_sigchld_wish(process->parent).no_stops ? 0 : SIGCHLD,
				   code, status);
	spin_unlock(&family_lock);
	waitq_wake_all(&process->changed);
}

void family_tell_stopped(struct process *process)
{
	tell_job_control(process, CLD_STOPPED, process->stop_signal);
}

void family_tell_continued(struct process *process)
{
	tell_job_control(process, CLD_CONTINUED, SIGCONT);
}

/* ---- orphans ---- */

struct group_view {
	int32_t group;
	int32_t session;
	const struct process *without; /* as if it were gone */
	bool has_guardian;
	bool has_stopped;
};

/* Under family_lock. */
static void look_at_member(void *argument, struct process *process)
{
	struct group_view *view = argument;
	const struct process *parent = process->parent;

	if (read_once(&process->group) != view->group || process == view->without ||
	    read_once(&process->state) >= PROCESS_ZOMBIE)
		return;
	if (read_once(&process->stopped))
		view->has_stopped = true;
	if (parent && read_once(&parent->group) != view->group &&
	    read_once(&parent->session) == view->session)
		view->has_guardian = true;
}

static struct group_view look_at_group_locked(int32_t group, int32_t session,
					      const struct process *without) REQUIRES(family_lock);
static struct group_view look_at_group_locked(int32_t group, int32_t session,
					      const struct process *without)
{
	struct group_view view = {.group = group, .session = session, .without = without};

	pid_for_each_rcu(look_at_member, &view);
	return view;
}

bool family_group_is_orphaned(const struct process *process)
{
	struct group_view view;

	spin_lock(&family_lock);
	view = look_at_group_locked(process->group, process->session, NULL);
	spin_unlock(&family_lock);
	return !view.has_guardian;
}

/* POSIX: a stopped group that becomes an orphan is hung up and continued. */
static void hang_up_if_orphaned(int32_t group, int32_t session, const struct process *without)
{
	struct group_view view;

	spin_lock(&family_lock);
	view = look_at_group_locked(group, session, without);
	spin_unlock(&family_lock);
	if (view.has_guardian || !view.has_stopped)
		return;
	(void)process_group_signal(group, SIGHUP); /* its members may have ended meanwhile */
	(void)process_group_signal(group, SIGCONT);
}

/* Its parent is one that could continue its group: with its end the group may lose the last. */
static bool guards_its_group(const struct process *process)
{
	const struct process *parent;
	bool guards;

	spin_lock(&family_lock);
	parent = process->parent;
	guards = parent && parent->group != process->group && parent->session == process->session;
	spin_unlock(&family_lock);
	return guards;
}

/* Who takes the children of `process`, with a reference; NULL: the kernel. All of them see it. */
static struct process *new_parent_locked(const struct process *process) REQUIRES(family_lock);
static struct process *new_parent_locked(const struct process *process)
{
	struct process *heir;

	for (heir = process->parent; heir && heir->pid_namespace == process->pid_namespace;
	     heir = heir->parent) {
		if (heir->subreaper && !read_once(&heir->exiting)) {
			refcount_get(&heir->references);
			return heir;
		}
	}
	heir = pid_namespace_init_get(process->pid_namespace);
	if (heir && (heir == process || read_once(&heir->exiting))) {
		process_put(heir);
		heir = NULL;
	}
	return heir;
}

/* As from the process that ends. */
static void send_death_signal(struct process *child)
{
	int signal = read_once(&child->death_signal);

	if (signal) {
		struct signal_info info = signal_info_from_self(signal, SI_USER);

		(void)signal_send(child, &info); /* without its details, if there is no memory */
	}
}

static void give_child_locked(struct process *child, struct process *heir) REQUIRES(family_lock);
static void give_child_locked(struct process *child, struct process *heir)
{
	list_del(&child->sibling);
	write_once(&child->parent, heir);
	child->exit_signal = SIGCHLD;
	child->maker = 0;
	if (heir) {
		list_add_tail(&heir->children, &child->sibling);
		return;
	}
	list_init(&child->sibling);
	child->disowned = true;
}

void family_disown_self(void)
{
	struct process *self = process_current();
	struct process *parent;

	spin_lock(&family_lock);
	parent = self->parent;
	if (parent) {
		give_child_locked(self, NULL);
		waitq_wake_all(&parent->changed); /* it may have been the one to wait for */
	}
	spin_unlock(&family_lock);
}

void family_orphan_children(struct process *process)
{
	struct process *heir;

	for (;;) {
		struct process *child = NULL;
		bool forget = false;
		int32_t group = 0;
		int32_t session = 0;

		spin_lock(&family_lock);
		if (list_empty(&process->children)) {
			spin_unlock(&family_lock);
			break;
		}
		heir = new_parent_locked(process);
		child = list_first_entry(&process->children, struct process, sibling);
		send_death_signal(child);
		give_child_locked(child, heir);
		/* The heir hears of its end as if it came now, or does not want to. */
		if (child->state == PROCESS_ZOMBIE)
			forget = family_end_locked(child);
		group = child->group;
		session = child->session;
		spin_unlock(&family_lock);
		process_put(heir);
		if (forget)
			process_forget(child);
		else if (group != process->group && session == process->session)
			hang_up_if_orphaned(group, session, NULL);
	}
	if (guards_its_group(process))
		hang_up_if_orphaned(process->group, process->session, process);
}
