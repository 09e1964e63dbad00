/*
 * fork, vfork, clone, clone3: a new process or a new thread that begins as a copy of the running
 * one. What a flag does not share is copied here; the last step makes the copy visible, and only
 * then it may run.
 */
#include "clone.h"

#include "../namespace/pid.h"
#include "../namespace/time.h"
#include "../namespace/user.h"
#include "../ptrace/ptrace.h"
#include "../seccomp/seccomp.h"
#include "../signal/signal.h"
#include "../time/cpu_time.h"
#include "../user_struct.h"
#include "capability.h"
#include "family.h"
#include "pidfd.h"
#include "rseq.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/wait.h>
#include <arch/context.h>
#include <arch/paging.h>
#include <arch/user.h>
#include <ipc/fdtable.h>
#include <ipc/sysv.h>
#include <lib/string.h>
#include <mm/pressure.h>
#include <mm/space.h>

#define CLONE_NAMESPACES                                                                           \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)

/* clone()'s 32 bits without CSIGNAL: all have a meaning. clone3() has one flag more there. */
#define CLONE_KNOWN (UINT64_C(0xffffff00) | CLONE_CLEAR_SIGHAND | CLONE_NEWTIME)

/* ---- what may go together ---- */

static err_t check_flags(uint64_t flags)
{
	/* The latter as of a Linux that is built without them. */
	if (flags & ~CLONE_KNOWN || flags & CLONE_NAMESPACES & ~NAMESPACE_FLAGS)
		return -EINVAL;
	if ((flags & CLONE_NEWNS) && (flags & CLONE_FS))
		return -EINVAL;
	if ((flags & CLONE_NEWUSER) && (flags & (CLONE_FS | CLONE_THREAD)))
		return -EINVAL;
	if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
		return -EINVAL;
	if ((flags & CLONE_SIGHAND) && (flags & CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	/* The children of init's siblings would have nobody. */
	if ((flags & CLONE_PARENT) &&
	    (process_current()->pid == INIT_PID || pid_namespace_is_init(process_current())))
		return -EINVAL;
	/* The threads of a process have numbers of one namespace. */
	if ((flags & CLONE_THREAD) &&
	    ((flags & CLONE_NEWPID) ||
	     pid_namespace_for_children() != process_current()->pid_namespace))
		return -EINVAL;
	return 0;
}

/* ---- what each part of the copy runs with ---- */

static err_t copy_files(struct uthread *child, uint64_t flags)
{
	struct uthread *parent = uthread_current();

	if (!(flags & CLONE_FILES))
		return fd_table_copy(parent->fds, &child->fds);
	child->fds = fd_table_get(parent->fds);
	return 0;
}

static err_t copy_place(struct uthread *child, uint64_t flags)
{
	struct uthread *parent = uthread_current();
	struct place *place =
		flags & CLONE_FS ? place_get(parent->place) : place_copy(parent->place);

	if (!place)
		return -ENOMEM;
	child->fs = parent->fs;
	groups_get(child->fs.groups);
	child->fs.pid = child->process->pid;
	uthread_set_place(child, place);
	return 0;
}

/* What semaphores get back: with one's own end alone, unless it is shared. */
static err_t copy_undos(struct uthread *child, uint64_t flags)
{
	if (flags & CLONE_SYSVSEM)
		child->undos = semaphore_undos_share(&uthread_current()->undos);
	return flags & CLONE_SYSVSEM && !child->undos ? -ENOMEM : 0;
}

/* What semaphores get back is of one IPC namespace. */
static err_t copy_namespaces(uint64_t flags, struct namespaces **out)
{
	if (flags & CLONE_NEWIPC && flags & CLONE_SYSVSEM &&
	    (flags & CLONE_NEWUSER || capable_in(user_namespace_caller(), CAP_SYS_ADMIN)))
		return -EINVAL;
	return namespaces_make(flags, out);
}

/* Everything that needs no memory. */
static void copy_rest(struct uthread *child, const struct abi_clone_args *args)
{
	const struct uthread *parent = uthread_current();

	child->ids = parent->ids;
	child->machine_check = parent->machine_check;
	child->flushes = parent->flushes;
	child->timer_slack_ns = child->timer_slack_default_ns = parent->timer_slack_ns;
	child->ioprio = parent->ioprio;
	child->blocked = parent->blocked;
	seccomp_inherit(child);
	if (!(args->flags & CLONE_VM) || args->flags & CLONE_VFORK)
		child->alternate_stack = parent->alternate_stack;
	if (!(args->flags & CLONE_VM))
		rseq_inherit(child);
	if (args->flags & CLONE_CHILD_CLEARTID)
		child->clear_tid = args->child_tid;
	context_copy_user(&child->thread->context, args->stack);
	if (args->flags & CLONE_SETTLS)
		child->thread->context.fs_base = args->tls;
	string_copy(child->thread->name, sizeof(child->thread->name), parent->thread->name);
	uthread_inherit_policy(child);
	child->space = child->process->space;
	child->thread->context.pagetable = &child->space->pagetable;
}

/* The child's first steps. `argument`: where its number goes, 0: nowhere. */
static void child_main(void *argument)
{
	const struct uthread *self = uthread_current();
	int32_t tid = self->own_tid;

	/* As Linux: where it cannot be written, it is not. */
	if (argument)
		(void)!user_put(uptr((uint64_t)argument), &tid);
	context_enter_user();
}

/* What a tracer may want to hear of it. */
static int birth_event(const struct abi_clone_args *args)
{
	if (args->flags & CLONE_UNTRACED)
		return 0;
	if (args->flags & CLONE_VFORK)
		return PTRACE_EVENT_VFORK;
	return args->exit_signal == SIGCHLD ? PTRACE_EVENT_FORK : PTRACE_EVENT_CLONE;
}

/* A thread of `process` that is a copy of the running one. */
static err_t copy_thread(struct process *process, struct clone_request *request,
			 struct uthread **out)
{
	const struct abi_clone_args *args = &request->args;
	bool is_first = process != process_current();
	uint64_t own_tid = args->flags & CLONE_CHILD_SETTID ? args->child_tid : 0;
	struct uthread *child;
	err_t err = 0;

	child = uthread_alloc(process, is_first, request->tids, request->ntids,
			      request->entry ? request->entry : child_main,
			      request->entry ? (void *)request->spawn : (void *)own_tid, &err);
	if (!child)
		return err ? err : -ENOMEM;
	err = ptrace_prepare_child(child, birth_event(args), args->flags & CLONE_PTRACE);
	if (!err)
		err = copy_files(child, args->flags);
	if (!err)
		err = copy_place(child, args->flags);
	if (!err)
		err = copy_undos(child, args->flags);
	child->namespaces = request->namespaces;
	request->namespaces = NULL;
	if (!err && !child->namespaces)
		err = copy_namespaces(args->flags, &child->namespaces);
	if (!err && args->flags & CLONE_NEWNS)
		place_follow_mounts(child, namespaces_mounts(child->namespaces));
	if (err) {
		uthread_discard(child);
		return err;
	}
	copy_rest(child, args);
	if (args->flags & CLONE_NEWUSER)
		user_namespace_begin(child, namespaces_user(child->namespaces));
	if (request->entry)
		child->blocked = ~UNBLOCKABLE_SIGNALS;
	ptrace_steady_child(child);
	*out = child;
	return 0;
}

/* ---- a new process ---- */

static err_t copy_actions(struct process *child, uint64_t flags)
{
	struct signal_actions *actions = process_current()->actions;

	if (flags & CLONE_SIGHAND) {
		refcount_get(&actions->references);
		child->actions = actions;
		return 0;
	}
	child->actions = signal_actions_create(actions);
	if (!child->actions)
		return -ENOMEM;
	if (flags & CLONE_CLEAR_SIGHAND)
		signal_actions_default(child->actions);
	return 0;
}

static err_t copy_space(struct process *child, const struct clone_request *request)
{
	struct space *space = uthread_current()->space;
	bool is_shared = request->args.flags & CLONE_VM;
	err_t err = 0;

	if (is_shared)
		child->space = space_get(space);
	else
		err = MEMORY_RETRY(space_fork(space, &child->space));
	if (!err)
		time_namespace_give(child, is_shared ? NULL : request->namespaces);
	return err;
}

static void copy_facts(struct process *child, const struct abi_clone_args *args)
{
	struct process *parent = process_current();

	child->state = PROCESS_RUNNING;
	child->exit_signal = (uint8_t)args->exit_signal;
	child->parent_nexecuted = read_once(&parent->nexecuted);
	child->maker = uthread_current()->tid;
	child->call_watch = read_once(&parent->call_watch) & CALLS_LOGGED;
	child->not_dumpable = read_once(&parent->not_dumpable);
	child->personality = read_once(&parent->personality);
	child->core_filter = read_once(&parent->core_filter);
	child->ids = uthread_current()->ids; /* another thread may have others */
	(void)user_namespace_get(child->ids.user);
	child->memory_owner = user_namespace_get(parent->memory_owner);
	/* Only a thread that is alone changes these two. */
	child->program = path_get(&parent->program);
	child->given = parent->given;
	child->oom_score_adj = read_once(&parent->oom_score_adj);
	child->oom_score_adj_min = read_once(&parent->oom_score_adj_min);
	memcpy(child->name, parent->name, sizeof(child->name));
	memcpy(child->command, parent->command, sizeof(child->command));
	mutex_lock(&parent->lock);
	memcpy(child->limits, parent->limits, sizeof(child->limits));
	child->cpu_watched = cpu_time_is_limited(child);
	mutex_unlock(&parent->lock);
}

/* In the namespace of what the caller makes, or a new one. */
static err_t give_number(struct process *child, const struct clone_request *request)
{
	struct namespace *namespace = namespaces_pid(request->namespaces);

	child->pid_namespace = pid_namespace_of(namespace);
	if (likely(!child->pid_namespace))
		return request->ntids ? pid_insert_at(&child->link, request->tids[0])
				      : pid_insert(&child->link);
	namespace_get(namespace);
	return pid_insert_in(&child->link, child->pid_namespace, request->tids, request->ntids);
}

static err_t copy_process(const struct clone_request *request, struct process **out)
{
	const struct abi_clone_args *args = &request->args;
	struct process *child = process_alloc();
	err_t err;

	if (!child)
		return -ENOMEM;
	copy_facts(child, args);
	err = copy_actions(child, args->flags);
	if (!err)
		err = copy_space(child, request);
	if (!err)
		err = give_number(child, request);
	if (err) {
		process_discard(child);
		return err;
	}
	*out = child;
	return 0;
}

static void add_to_family(struct process *child, uint64_t flags, struct family_birth *birth)
{
	if (flags & CLONE_PARENT) {
		child->exit_signal = process_current()->exit_signal;
		child->parent_nexecuted = process_current()->parent_nexecuted;
		child->maker = process_current()->maker;
		family_add_sibling(child, birth);
	} else {
		family_add(child, birth);
	}
}

/* The thread may have ended and be gone: it is looked for, not looked at. */
static bool is_vforked(struct process *process, const struct uthread *thread, int32_t tid)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	const struct uthread *listed;
	bool found = false;

	list_for_each (listed, &process->threads, sibling)
		found |= listed == thread && listed->tid == tid && listed->vforked;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return found;
}

/* Lets the copy run. The caller has a reference to its process. -EINTR: killed while a vfork
 * lasted; nobody will see it. */
static err_t start(struct process *process, struct uthread *thread,
		   const struct abi_clone_args *args)
{
	bool is_vfork = args->flags & CLONE_VFORK;
	int32_t tid = thread->tid;
	err_t err;

	thread->vforked = is_vfork;
	ptrace_inherit(thread);
	thread_start(thread->thread);
	if (birth_event(args))
		ptrace_event_number(birth_event(args), tid);
	if (!is_vfork)
		return 0;
	/* Only a killed parent goes on earlier: the memory is its own as well. */
	err = wait_event_killable(&process->changed, !is_vforked(process, thread, tid));
	if (!err)
		ptrace_event_number(PTRACE_EVENT_VFORK_DONE, tid);
	return err;
}

/* As Linux: where it cannot be written, it is not. */
static void tell_number(const struct abi_clone_args *args, int32_t number)
{
	if (args->flags & CLONE_PARENT_SETTID)
		(void)!user_put(uptr(args->parent_tid), &number);
}

/* A descriptor of the copy: a process, or a thread of the running one. */
static err_t tell_pidfd(const struct abi_clone_args *args, struct process *process,
			const struct uthread *thread, struct pidfd_new *pidfd)
{
	err_t err;

	if (!(args->flags & CLONE_PIDFD))
		return 0;
	err = thread ? pidfd_prepare_thread(thread, pidfd) : pidfd_prepare(process, 0, pidfd);
	if (err)
		return err;
	if (!user_put(uptr(args->pidfd), &pidfd->fd))
		return 0;
	pidfd_cancel(pidfd);
	return -EFAULT;
}

/* A process and its thread, which nobody knows but by their number. */
static err_t make_process(struct clone_request *request, struct process **process,
			  struct uthread **thread, struct pidfd_new *pidfd)
{
	err_t err = copy_namespaces(request->args.flags, &request->namespaces);

	if (!err)
		err = copy_process(request, process);
	if (err) {
		namespaces_put(request->namespaces);
		return err;
	}
	err = copy_thread(*process, request, thread);
	if (!err) {
		tell_number(&request->args, pid_shown((*process)->pid));
		err = tell_pidfd(&request->args, *process, NULL, pidfd);
		if (err)
			uthread_discard(*thread);
	}
	if (err)
		process_discard(*process);
	namespaces_put(request->namespaces); /* if there was no thread to have them */
	return err;
}

static int new_process(struct clone_request *request)
{
	const struct abi_clone_args *args = &request->args;
	struct family_birth birth;
	struct process *process;
	struct uthread *thread = NULL;
	struct pidfd_new pidfd;
	int32_t pid;
	err_t err = -ERESTARTNOINTR;

	family_birth_begin(&birth);
	/* What came to many before that is taken first. */
	if (!thread_interrupted())
		err = make_process(request, &process, &thread, &pidfd);
	if (err) {
		family_birth_fail(&birth);
		return err;
	}

	/* ---- committed ---- */
	pid = pid_shown(process->pid);
	refcount_get(&process->references); /* it may end, and be reaped, before we are done */
	add_to_family(process, args->flags, &birth);
	err = uthread_list(thread);
	debug_assert(!err); /* its process has no threads yet */
	/* Whoever was killed leaves no copy behind, that ends none the less: who kills all of a
	 * group may have looked for its members before this one was, and its memory may be half of
	 * what there was. */
	if (thread_killed())
		signal_end_process(process, WAIT_STATUS_SIGNAL(SIGKILL));
	if (args->flags & CLONE_PIDFD)
		pidfd_install(&pidfd);
	process->spawn = request->spawn;
	err = start(process, thread, args);
	if (request->entry)
		request->process = process;
	else
		process_put(process);
	return err ? err : pid;
}

/* ---- a new thread ---- */

static int new_thread(struct clone_request *request)
{
	const struct abi_clone_args *args = &request->args;
	struct uthread *thread = NULL;
	struct pidfd_new pidfd;
	int32_t tid;
	err_t err;

	err = copy_thread(process_current(), request, &thread);
	if (err)
		return err;
	tid = thread->own_tid; /* that of the caller as well */
	tell_number(args, tid);
	err = tell_pidfd(args, process_current(), thread, &pidfd);
	if (err) {
		uthread_discard(thread);
		return err;
	}
	err = uthread_list(thread);
	if (err) {
		if (args->flags & CLONE_PIDFD)
			pidfd_cancel(&pidfd);
		uthread_discard(thread);
		return err;
	}
	if (args->flags & CLONE_PIDFD)
		pidfd_install(&pidfd);
	err = start(process_current(), thread, args);
	return err ? err : tid;
}

/* In one that is made with the child, its maker may do what he may to all that is new. */
static bool may_set_tids(const struct clone_request *request)
{
	struct pid_namespace *namespace = pid_namespace_for_children();
	const bool is_new = request->args.flags & CLONE_NEWPID;

	for (size_t i = is_new; i < request->ntids; i++) {
		if (!pid_namespace_capable(namespace, CAP_SYS_ADMIN) &&
		    !pid_namespace_capable(namespace, CAP_CHECKPOINT_RESTORE))
			return false;
		namespace = namespace ? namespace->parent : NULL;
	}
	return true;
}

static err_t check_set_tid(const struct clone_request *request)
{
	const struct pid_namespace *namespace = pid_namespace_for_children();
	unsigned nlevels = 1 + !!(request->args.flags & CLONE_NEWPID);

	if (namespace)
		nlevels += namespace->level;
	if (!request->ntids)
		return 0;
	if (request->ntids > nlevels)
		return -EINVAL;
	for (unsigned i = 0; i < request->ntids; i++) {
		if (request->tids[i] < 1 || request->tids[i] >= (int32_t)read_once(&pid_limit))
			return -EINVAL;
	}
	return may_set_tids(request) ? 0 : -EPERM;
}

int clone_run(struct clone_request *request)
{
	const struct abi_clone_args *args = &request->args;
	err_t err = check_flags(args->flags);

	if (err)
		return err;
	if (args->flags & CLONE_SETTLS && args->tls >= USER_MAX)
		return -EPERM;
	err = check_process_limit();
	if (!err)
		err = check_set_tid(request);
	if (err)
		return err;
	return args->flags & CLONE_THREAD ? new_thread(request) : new_process(request);
}

/* ---- the calls ---- */

int sys_clone(uint64_t clone_flags, uint64_t stack, uptr_t parent_tid, uptr_t child_tid,
	      uint64_t tls)
{
	/* As Linux: bits above 32 are not looked at; DETACHED has been meaningless for long. */
	struct abi_clone_args args = {
		.flags = (uint32_t)clone_flags & ~(CSIGNAL | CLONE_DETACHED),
		.pidfd = parent_tid.value,
		.exit_signal = clone_flags & CSIGNAL,
		.stack = stack,
		.parent_tid = parent_tid.value,
		.child_tid = child_tid.value,
		.tls = tls,
	};

	/* Its word has one place for both, and none for DETACHED beside a descriptor. */
	if (clone_flags & CLONE_PIDFD && clone_flags & (CLONE_PARENT_SETTID | CLONE_DETACHED))
		return -EINVAL;
	return clone_run(&(struct clone_request){.args = args});
}

int sys_fork(void)
{
	return clone_run(&(struct clone_request){.args = {.exit_signal = SIGCHLD}});
}

int sys_vfork(void)
{
	return clone_run(&(struct clone_request){
		.args = {.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD}});
}

/* The numbers that the copy shall have, the innermost namespace's first. How many there may be
 * depends on where it will be, so that is checked when all else is. */
static err_t read_set_tid(struct clone_request *request)
{
	const struct abi_clone_args *args = &request->args;

	if (args->set_tid_size > CLONE_SET_TID_MAX || !args->set_tid != !args->set_tid_size)
		return -EINVAL;
	if (!args->set_tid)
		return 0;
	request->ntids = (unsigned)args->set_tid_size;
	return user_copy_in(request->tids, uptr(args->set_tid),
			    request->ntids * sizeof(request->tids[0]));
}

static err_t check_clone3(const struct abi_clone_args *args)
{
	if (args->flags & CLONE_DETACHED || args->exit_signal > SIGNAL_MAX)
		return -EINVAL;
	if (args->flags & (CLONE_THREAD | CLONE_PARENT) && args->exit_signal)
		return -EINVAL;
	if (!args->stack != !args->stack_size)
		return -EINVAL;
	if (args->stack && (args->stack >= USER_MAX || args->stack_size > USER_MAX - args->stack))
		return -EINVAL;
	if (args->flags & CLONE_PIDFD && args->flags & CLONE_PARENT_SETTID &&
	    args->pidfd == args->parent_tid)
		return -EINVAL;
	return 0;
}

int sys_clone3(uptr_t arguments, size_t len)
{
	struct clone_request request = {0};
	err_t err = user_get_struct(&request.args, sizeof(request.args), CLONE_ARGS_SIZE_VER0,
				    arguments, len);

	if (!err)
		err = read_set_tid(&request);
	if (!err)
		err = check_clone3(&request.args);
	if (err)
		return err;
	request.args.stack += request.args.stack_size;
	return clone_run(&request);
}
