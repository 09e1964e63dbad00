/*
 * setns: the running thread enters a namespace that a descriptor names, or some of those that the
 * process is in that one names. Owns no state.
 */
#include "namespace.h"
#include "pid.h"
#include "time.h"
#include "user.h"

#include "../process/capability.h"
#include "../process/inspect.h"
#include "../process/pidfd.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <ipc/fdtable.h>

/* What the thread may do there is then in *ids. */
static err_t check_user(struct namespace *namespace, struct credentials *ids)
{
	struct uthread *self = uthread_current();
	struct user_namespace *user = user_namespace_of(namespace);

	if (user == ids->user || read_once(&self->process->nliving) > 1 ||
	    place_is_shared(self->place))
		return -EINVAL;
	if (!capable_in(user, CAP_SYS_ADMIN))
		return -EPERM;
	credentials_enter(ids, user);
	return 0;
}

static void count_sharer(void *nsharers, struct process *process)
{
	if (read_once(&process->space) == process_current()->space)
		++*(unsigned *)nsharers;
}

/* Nobody else runs in its space, whose vDSO the clocks' namespace is part of. */
static bool has_own_space(struct process *process)
{
	unsigned nsharers = 0;

	if (read_once(&process->nliving) > 1)
		return false;
	pid_for_each_rcu(count_sharer, &nsharers);
	return nsharers <= 1;
}

/* Who will have `ids` may do all to each of them, and to his own. */
static err_t check_others(struct namespace *const others[NAMESPACE_KINDS],
			  const struct credentials *ids)
{
	for (unsigned i = 0; i < NAMESPACE_KINDS; i++) {
		if (others[i] && i == NAMESPACE_TIME && !has_own_space(process_current()))
			return -EUSERS;
		if (others[i] && i != NAMESPACE_USER &&
		    (!credentials_capable(ids, namespace_owner(others[i]), CAP_SYS_ADMIN) ||
		     !credentials_capable(ids, ids->user, CAP_SYS_ADMIN)))
			return -EPERM;
	}
	if (!others[NAMESPACE_MOUNT])
		return 0;
	if (!credentials_capable(ids, ids->user, CAP_SYS_CHROOT))
		return -EPERM;
	return place_is_shared(uthread_current()->place) ? -EINVAL : 0;
}

/* The running process, not only what it makes. */
static void enter_time(struct time_namespace *namespace)
{
	struct process *self = process_current();

	time_namespace_move_space(self->space, self->time_namespace, namespace);
	time_namespace_enter(self, namespace);
}

static err_t enter(struct namespace *const others[NAMESPACE_KINDS])
{
	struct credentials ids = uthread_current()->ids;
	struct namespaces *all;
	err_t err = others[NAMESPACE_USER] ? check_user(others[NAMESPACE_USER], &ids) : 0;

	if (!err)
		err = check_others(others, &ids);
	/* Nobody makes processes that do not see their parent's. */
	if (!err && others[NAMESPACE_PID] &&
	    !pid_namespace_is_within(pid_namespace_of(others[NAMESPACE_PID]),
				     process_current()->pid_namespace))
		err = -EINVAL;
	if (!err)
		err = namespaces_with(others, &all);
	if (err)
		return err;
	/* What it owes to semaphores is of those that it leaves. */
	if (others[NAMESPACE_IPC])
		uthread_drop_undos();
	if (others[NAMESPACE_USER])
		user_namespace_enter(namespaces_user(all));
	namespaces_enter(all);
	if (others[NAMESPACE_TIME])
		enter_time(time_namespace_of(others[NAMESPACE_TIME]));
	if (others[NAMESPACE_MOUNT])
		place_enter_mounts(namespaces_mounts(all));
	return 0;
}

static err_t enter_one(struct namespace *namespace, uint64_t flags)
{
	struct namespace *others[NAMESPACE_KINDS] = {NULL};

	if (flags && flags != namespace_ops(namespace->kind)->flag)
		return -EINVAL;
	others[namespace->kind] = namespace;
	return enter(others);
}

/* Those of a process: all or none. */
static err_t enter_those_of(struct process *process, uint64_t flags)
{
	struct namespace *others[NAMESPACE_KINDS] = {NULL};
	err_t err = 0;

	if (!flags || flags & ~(uint64_t)NAMESPACE_FLAGS)
		return -EINVAL;
	if (load_acquire(&process->state) == PROCESS_REAPED)
		return -ESRCH;
	if (!process_may_trace(process, &process->ids))
		return -EPERM;
	for (unsigned i = 0; i < NAMESPACE_KINDS; i++) {
		if (!(flags & namespace_ops((enum namespace_kind)i)->flag))
			continue;
		others[i] = namespace_of(process, 0, (enum namespace_kind)i);
		if (!others[i])
			err = -ESRCH;
	}
	if (!err)
		err = enter(others);
	for (unsigned i = 0; i < NAMESPACE_KINDS; i++)
		namespace_put(others[i]);
	return err;
}

int sys_setns(int fd, unsigned clone_flags)
{
	struct object *object = fd_get(current_fds(), fd);
	struct namespace *namespace = object ? namespace_of_object(object) : NULL;
	struct process *process = object ? pidfd_process(object) : NULL;
	err_t err = object ? -EINVAL : -EBADF;

	if (namespace)
		err = enter_one(namespace, clone_flags);
	else if (process)
		err = enter_those_of(process, clone_flags);
	object_put(object);
	return err;
}
