/*
 * Owners of objects: numbers of processes, threads and groups as programs give them, and the
 * signals that they get (ipc/async.h). Owns no state. An owner that is a process or a thread holds
 * the process, so that nobody else who gets its number is signalled.
 */
#include "async.h"

#include "../namespace/pid.h"
#include "../process/family.h"
#include "../signal/signal.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/socket.h>
#include <arch/user.h>
#include <ipc/async.h>

/* ---- signals ---- */

/* What siginfo says of events, by their order of importance. */
static const struct kind {
	unsigned events;
	int32_t code;
	uint16_t band;
} kinds[] = {
	{ASYNC_MESSAGE, POLL_MSG, POLLIN | POLLRDNORM | POLLMSG},
	{POLLHUP, POLL_HUP, POLLHUP | POLLERR},
	{POLLERR, POLL_ERR, POLLERR},
	{POLLPRI, POLL_PRI, POLLPRI | POLLRDBAND},
	{POLLIN, POLL_IN, POLLIN | POLLRDNORM},
	{POLLOUT, POLL_OUT, POLLOUT | POLLWRNORM | POLLWRBAND},
};

/* Signals to whom a code of its own means something else. */
static bool has_own_codes(int signal)
{
	return signal == SIGILL || signal == SIGFPE || signal == SIGSEGV || signal == SIGBUS ||
	       signal == SIGTRAP || signal == SIGCHLD || signal == SIGSYS;
}

static struct signal_info make_info(int signal, int fd, unsigned events)
{
	const struct kind *kind = kinds;

	while (!(kind->events & events) && kind + 1 < kinds + ARRAY_SIZE(kinds))
		kind++;
	return (struct signal_info){
		.signal = signal,
		.code = has_own_codes(signal) ? SI_SIGIO : kind->code,
		.fields = {kind->band, (uint32_t)fd},
	};
}

struct delivery {
	const struct async_owner *owner;
	struct signal_info info; /* the code SI_KERNEL: nothing but the signal */
};

/* Linux's sigio_perm(). */
static bool may_signal(const struct async_owner *owner, const struct process *process)
{
	uint32_t uid = read_once(&process->ids.uid);
	uint32_t suid = read_once(&process->ids.suid);

	return owner->euid == 0 || owner->euid == suid || owner->euid == uid ||
	       owner->uid == suid || owner->uid == uid;
}

/* A queue that is full says so by an ordinary SIGIO. `only` NULL: to any thread. */
static void signal_one(const struct delivery *delivery, struct process *process,
		       struct uthread *only)
{
	struct signal_info plain = {.signal = SIGIO, .code = SI_KERNEL};

	if (!may_signal(delivery->owner, process))
		return;
	if (signal_send_whole(process, only, &delivery->info) == -EAGAIN)
		(void)!signal_send_whole(process, only, &plain);
}

static void signal_member(void *argument, struct process *process)
{
	const struct delivery *delivery = argument;

	if (read_once(&process->group) != delivery->owner->number)
		return;
	signal_one(delivery, process, NULL);
	family_signal_births_locked(process, delivery->info.signal);
}

static err_t signal_thread(struct uthread *uthread, void *argument)
{
	const struct delivery *delivery = argument;

	if (uthread->process == delivery->owner->process)
		signal_one(delivery, uthread->process, uthread);
	return 0;
}

void async_owner_signal(const struct async_owner *owner, int signal, int fd, unsigned events)
{
	struct delivery delivery = {.owner = owner};

	if (!owner->number)
		return;
	if (events == ASYNC_URGENT)
		delivery.info = (struct signal_info){.signal = SIGURG, .code = SI_KERNEL};
	else if (!signal)
		delivery.info = (struct signal_info){.signal = SIGIO, .code = SI_KERNEL};
	else
		delivery.info = make_info(signal, fd, events);
	switch (owner->type) {
	case ASYNC_THREAD:
		(void)!uthread_visit(owner->number, signal_thread, &delivery);
		break;
	case ASYNC_PROCESS:
		signal_one(&delivery, owner->process, NULL);
		break;
	case ASYNC_GROUP:
		spin_lock(&family_lock);
		pid_for_each_rcu(signal_member, &delivery);
		spin_unlock(&family_lock);
		break;
	}
}

void async_owner_put(const struct async_owner *owner)
{
	process_put(owner->process);
}

/* ---- setting ---- */

/* -ESRCH: there is none of this number. */
static err_t find_owner(int type, int32_t number, struct async_owner *out)
{
	const struct uthread *self = uthread_current();

	*out = (struct async_owner){.number = number, .uid = self->ids.uid, .euid = self->ids.euid};
	switch (type) {
	case F_OWNER_TID:
		out->type = ASYNC_THREAD;
		out->process = number ? process_find_by_thread(number) : NULL;
		break;
	case F_OWNER_PID:
		out->type = ASYNC_PROCESS;
		out->process = number ? process_find(number) : NULL;
		break;
	case F_OWNER_PGRP:
		out->type = ASYNC_GROUP;
		return number ? process_group_signal(number, 0) : 0;
	default:
		return -EINVAL;
	}
	return number && !out->process ? -ESRCH : 0;
}

static err_t set_owner(struct object *object, int type, int32_t number)
{
	struct async_owner owner;
	err_t err = find_owner(type, pid_meant(number), &owner);

	return err ? err : async_set_owner(object, &owner, false);
}

/* A negative number is a group's. */
static err_t set_owner_by_number(struct object *object, int number)
{
	if (number == INT32_MIN)
		return -EINVAL;
	return number < 0 ? set_owner(object, F_OWNER_PGRP, -number)
			  : set_owner(object, F_OWNER_PID, number);
}

static void look_for_owner(void *argument, const struct async_owner *owner)
{
	*(bool *)argument = owner->number;
}

err_t async_own(struct object *object, bool *before)
{
	struct async_owner owner;
	err_t err = find_owner(F_OWNER_PID, uthread_current()->process->pid, &owner);

	async_get_owner(object, look_for_owner, before);
	return err ? err : async_set_owner(object, &owner, true);
}

err_t async_own_terminal(struct object *object)
{
	struct async_owner owner;
	struct abi_stat stat;
	ssize_t group;
	err_t err;

	if (object_stat(object, &stat) || !S_ISCHR(stat.st_mode))
		return 0;
	group = object_ioctl(object, FIOASYNC, uptr(0));
	if (group < 0)
		return 0; /* no terminal */
	if (group)
		err = find_owner(F_OWNER_PGRP, (int32_t)group, &owner);
	else
		err = find_owner(F_OWNER_PID, uthread_current()->process->pid, &owner);
	/* A group that ends meanwhile is nobody. */
	return err ? 0 : async_set_owner(object, &owner, true);
}

void async_disown(struct object *object, bool before)
{
	if (!before)
		async_drop_owner(object, uthread_current()->process->pid);
}

static err_t set_owner_ex(struct object *object, uptr_t from)
{
	struct abi_owner_ex owner;

	if (user_get(&owner, from))
		return -EFAULT;
	return set_owner(object, owner.type, owner.pid);
}

/* ---- getting ---- */

/* One who has gone is nobody. */
static bool is_there(const struct async_owner *owner)
{
	struct process *found;

	if (owner->type == ASYNC_GROUP)
		return true;
	found = process_find_by_thread(owner->number);
	process_put(found);
	return found && found == owner->process;
}

static void look_at_owner(void *argument, const struct async_owner *owner)
{
	static const int types[] = {[ASYNC_THREAD] = F_OWNER_TID,
				    [ASYNC_PROCESS] = F_OWNER_PID,
				    [ASYNC_GROUP] = F_OWNER_PGRP};
	struct abi_owner_ex *out = argument;

	out->type = types[owner->type];
	out->pid = is_there(owner) ? pid_shown(owner->number) : 0;
}

static int get_owner(struct object *object)
{
	struct abi_owner_ex owner;

	async_get_owner(object, look_at_owner, &owner);
	return owner.type == F_OWNER_PGRP ? -owner.pid : owner.pid;
}

static err_t get_owner_ex(struct object *object, uptr_t to)
{
	struct abi_owner_ex owner;

	async_get_owner(object, look_at_owner, &owner);
	return user_put(to, &owner);
}

int64_t fcntl_owner(struct object *object, int command, uint64_t argument)
{
	switch (command) {
	case F_SETOWN:
		return set_owner_by_number(object, (int)argument);
	case F_GETOWN:
		return get_owner(object);
	case F_SETOWN_EX:
		return set_owner_ex(object, uptr(argument));
	case F_GETOWN_EX:
		return get_owner_ex(object, uptr(argument));
	case F_SETSIG:
		return argument > SIGNAL_MAX ? -EINVAL : async_set_signal(object, (int)argument);
	default:
		return async_signal(object);
	}
}

int64_t socket_owner_ioctl(struct object *socket, unsigned command, uptr_t argument)
{
	int number;

	switch (command) {
	case FIOSETOWN:
	case SIOCSPGRP:
		return user_get(&number, argument) ? -EFAULT : set_owner_by_number(socket, number);
	case FIOGETOWN:
	case SIOCGPGRP:
		number = get_owner(socket);
		return user_put(argument, &number);
	default:
		return -ENOTTY;
	}
}
