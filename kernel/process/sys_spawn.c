/*
 * The native call spawn (abi/spawn.h). The new process begins as vfork's does, in the memory that
 * it is lent, but never comes to user mode there: its thread takes the steps in the kernel, as if
 * it made the system calls itself, and executes the program. So nothing of the caller's is copied
 * that exec would throw away, no handler of the caller's can run in it, and the caller learns from
 * the call itself why it failed.
 *
 * All signals are blocked until the program begins, so nothing but a stop interrupts a step, which
 * begins anew then. The request is the new process's: a caller that is killed leaves it behind.
 */
#include "clone.h"
#include "family.h"

#include "../signal/signal.h"
#include "../user_struct.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/spawn.h>
#include <abi/wait.h>
#include <arch/context.h>
#include <arch/user.h>
#include <ipc/fdtable.h>
#include <mm/slab.h>

#define SPAWN_FLAGS                                                                                \
	(SPAWN_SIG_DEFAULT | SPAWN_SCHEDULER | SPAWN_SCHED_PARAM | SPAWN_SESSION | SPAWN_GROUP |   \
	 SPAWN_RESET_IDS | SPAWN_SIG_MASK)

/* What posix_spawn()'s child ends with where it fails. */
#define STATUS_FAILED 127

_Static_assert(sizeof(struct abi_spawn) == SPAWN_BYTES_VER0, "no padding");

struct spawn_call {
	struct abi_spawn request;
	uint64_t mask; /* what the program blocks */
};

/* ---- steps of the new process: 0 or an error ---- */

static void reset_signals(uint64_t set)
{
	const struct abi_sigaction by_default = {.handler = SIG_DFL};

	for (set &= ~UNBLOCKABLE_SIGNALS; set; set &= set - 1)
		signal_set_action(__builtin_ctzll(set) + 1, &by_default);
}

static int reset_ids(void)
{
	int result = sys_setgid((unsigned)sys_getgid());

	return result ? result : sys_setuid((unsigned)sys_getuid());
}

static int set_scheduling(const struct abi_spawn *request)
{
	if (request->flags & SPAWN_SCHEDULER)
		return sys_sched_setscheduler(0, request->policy, uptr(request->parameters));
	if (request->flags & SPAWN_SCHED_PARAM)
		return sys_sched_setparam(0, uptr(request->parameters));
	return 0;
}

static int set_up(const struct abi_spawn *request)
{
	int result;

	if (request->flags & SPAWN_SIG_DEFAULT)
		reset_signals(request->defaults);
	result = set_scheduling(request);
	if (!result && request->flags & SPAWN_SESSION)
		result = MIN(sys_setsid(), 0);
	if (!result && request->flags & SPAWN_GROUP)
		result = sys_setpgid(0, request->group);
	if (!result && request->flags & SPAWN_RESET_IDS)
		result = reset_ids();
	return result;
}

static int open_as(const struct abi_spawn_action *action)
{
	int fd = sys_openat(AT_FDCWD, uptr(action->path), action->flags, action->mode);
	int result;

	if (fd < 0 || fd == action->fd)
		return MIN(fd, 0);
	result = sys_dup2(fd, action->fd);
	(void)sys_close(fd); /* of what was only opened */
	return MIN(result, 0);
}

static int act(const struct abi_spawn_action *action)
{
	switch (action->kind) {
	case SPAWN_ACTION_CLOSE:
		(void)sys_close(action->fd); /* it may be closed already */
		return 0;
	case SPAWN_ACTION_DUP2:
		if (action->source == action->fd)
			return fd_set_flags(current_fds(), action->fd, 0);
		return MIN(sys_dup2(action->source, action->fd), 0);
	case SPAWN_ACTION_OPEN:
		return open_as(action);
	case SPAWN_ACTION_CHDIR:
		return sys_chdir(uptr(action->path));
	case SPAWN_ACTION_FCHDIR:
		return sys_fchdir(action->fd);
	default:
		return -EINVAL;
	}
}

static uint32_t count_stops(void)
{
	struct process *process = process_current();
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	uint32_t nstops = process->nstops;

	spin_unlock_irqrestore(&process->signal_lock, flags);
	return nstops;
}

/* A step that was interrupted by a stop, or for its tracer, begins anew. `*nstops`: how many stops
 * there were when it began. That one may be over, or is sat out here; but a filesystem may answer
 * by -EINTR as well, as often as it likes, and that is the result. */
static bool was_stopped(int result, uint32_t *nstops)
{
	uint32_t nstops_before = *nstops;
	bool again = result == -ERESTARTNOINTR;

	if ((result != -EINTR && !again) || thread_killed())
		return false;
	if (thread_interrupted()) {
		/* Of what is not blocked: no handler runs, and the frame is not touched. */
		signal_deliver(context_user_frame(&uthread_current()->thread->context));
		again = true;
	}
	*nstops = count_stops();
	return again || *nstops != nstops_before;
}

static int act_steadily(uptr_t from)
{
	struct abi_spawn_action action;
	uint32_t nstops = count_stops();
	int result;

	if (user_get(&action, from))
		return -EFAULT;
	if (action.reserved)
		return -EINVAL;
	do {
		result = act(&action);
	} while (was_stopped(result, &nstops));
	return result;
}

static int act_all(const struct abi_spawn *request)
{
	int result = 0;

	for (uint64_t i = 0; !result && i < request->nactions; i++) {
		if (thread_killed())
			return -EINTR;
		result = act_steadily(
			uptr_add(uptr(request->actions), i * sizeof(struct abi_spawn_action)));
	}
	return result;
}

static int execute_steadily(const struct abi_spawn *request, uint64_t path)
{
	uint32_t nstops = count_stops();
	int result;

	do {
		result = sys_execveat(request->dirfd, uptr(path), uptr(request->argv),
				      uptr(request->envp), request->at_flags);
	} while (was_stopped(result, &nstops));
	return result;
}

/* As execvp: that one was there but may not be executed says more than that others were not. */
static int execute_first(const struct abi_spawn *request)
{
	int result = -ENOENT;
	bool denied = false;

	for (uint64_t i = 0; i < SPAWN_PATHS_MAX; i++) {
		uint64_t path;

		if (thread_killed())
			return -EINTR;
		if (user_get(&path, uptr_add(uptr(request->paths), i * sizeof(path))))
			return -EFAULT;
		if (!path)
			return denied ? -EACCES : result;
		result = execute_steadily(request, path);
		if (result != -ENOENT && result != -ENOTDIR && result != -EACCES)
			return result;
		denied |= result == -EACCES;
	}
	return -E2BIG;
}

static void spawn_main(void *argument)
{
	struct spawn_call *spawn = argument;
	struct process *process = process_current();
	int err = set_up(&spawn->request);

	if (!err)
		err = act_all(&spawn->request);
	if (!err)
		err = execute_first(&spawn->request);
	if (!err)
		signal_set_blocked(spawn->mask);
	process->spawn = NULL;
	kfree(spawn);
	if (!err)
		context_enter_user();
	/* One that was killed meanwhile is a child that was killed. */
	if (!thread_killed()) {
		process->spawn_err = err;
		family_disown_self();
	}
	process_exit(WAIT_STATUS_EXIT(STATUS_FAILED));
}

/* ---- the call ---- */

static err_t read_request(struct spawn_call *spawn, uptr_t from, size_t len)
{
	struct abi_spawn *request = &spawn->request;
	err_t err = user_get_struct(request, sizeof(*request), SPAWN_BYTES_VER0, from, len);

	if (err)
		return err;
	if (request->flags & ~SPAWN_FLAGS)
		return -EINVAL;
	if (request->nactions > SPAWN_ACTIONS_MAX)
		return -E2BIG;
	spawn->mask =
		(request->flags & SPAWN_SIG_MASK ? request->mask : uthread_current()->blocked) &
		~UNBLOCKABLE_SIGNALS;
	return 0;
}

int sys_spawn(uptr_t from, size_t len)
{
	struct clone_request request = {
		.args = {.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD},
		.entry = spawn_main,
		.spawn = kzalloc(sizeof(struct spawn_call)),
	};
	int result;

	if (!request.spawn)
		return -ENOMEM;
	result = read_request(request.spawn, from, len);
	if (!result)
		result = clone_run(&request);
	if (!request.process) {
		kfree(request.spawn);
		return result;
	}
	/* Who is killed goes on while the new process still works. */
	if (result > 0 && request.process->spawn_err)
		result = request.process->spawn_err;
	process_put(request.process);
	return result;
}
