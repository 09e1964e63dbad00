/*
 * PID namespaces as such: what makes them, who may enter one, and how one ends. What they call
 * processes stands in process/pid_names.c, under whose lock their counts are.
 */
#include "pid.h"
#include "user.h"

#include "../process/capability.h"
#include "../process/family.h"
#include "../signal/signal.h"

#include <abi/errno.h>
#include <abi/reboot.h>
#include <abi/wait.h>
#include <mm/slab.h>

#define FIRST_NUMBER UINT64_C(0xeffffffc) /* of its file, as on Linux */

static struct pid_namespace first = {
	.head = {.references = {.count = 1}, .kind = NAMESPACE_PID, .number = FIRST_NUMBER},
};

struct namespace *const pid_namespace_first_head = &first.head;

/* The first one itself. */
static struct pid_namespace *whole_of(struct namespace *namespace)
{
	return container_of(namespace, struct pid_namespace, head);
}

struct pid_namespace *pid_namespace_of(struct namespace *namespace)
{
	return namespace == &first.head ? NULL : whole_of(namespace);
}

struct namespace *pid_namespace_head(struct pid_namespace *namespace)
{
	return namespace ? &namespace->head : &first.head;
}

struct pid_namespace *pid_namespace_for_children(void)
{
	return pid_namespace_of(namespace_current(NAMESPACE_PID));
}

bool pid_namespace_is_within(const struct pid_namespace *namespace,
			     const struct pid_namespace *above)
{
	unsigned level = above ? above->level : 0;

	for (; namespace && namespace->level > level; namespace = namespace->parent)
		;
	return !level || namespace == above;
}

/* ---- making one ---- */

/* As Linux: who makes something in another namespace than its own makes no further one. */
static err_t pid_copy(struct namespace *from, struct namespace **out)
{
	struct process *self = process_current();
	struct pid_namespace *parent = whole_of(from);
	struct pid_namespace *made;

	if (pid_namespace_head(self->pid_namespace) != from)
		return -EINVAL;
	if (parent->level >= PID_NAMESPACES_DEEP)
		return -ENOSPC;
	made = kzalloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	namespace_init(&made->head, NAMESPACE_PID);
	namespace_get(from);
	made->parent = parent;
	made->level = parent->level + 1;
	waitq_init(&made->emptied);
	*out = &made->head;
	return 0;
}

/* In a callback of RCU, too. */
static void pid_free(struct namespace *head)
{
	struct pid_namespace *namespace = whole_of(head);
	struct pid_namespace *parent = namespace->parent;

	if (namespace->level == 1)
		pid_names_forget_all(namespace);
	kfree(namespace);
	namespace_put(&parent->head);
}

const struct namespace_kind_ops pid_namespace_ops = {
	.name = "pid",
	.flag = CLONE_NEWPID,
	.copy = pid_copy,
	.free = pid_free,
};

/* ---- as files ---- */

static bool has_had_init(const struct pid_namespace *namespace)
{
	return read_once(&namespace->init) || read_once(&namespace->closed);
}

struct namespace *pid_namespace_of_children(struct process *process, int32_t tid)
{
	struct namespace *found = namespace_of_children(process, tid, NAMESPACE_PID);

	/* As Linux: the init that has gone is still one. */
	if (found && found != &first.head && !has_had_init(whole_of(found))) {
		namespace_put(found);
		return NULL;
	}
	return found;
}

err_t pid_namespace_parent(struct namespace *namespace, struct namespace **out)
{
	struct pid_namespace *parent = whole_of(namespace)->parent;

	if (!parent || !pid_namespace_is_within(parent == &first ? NULL : parent,
						process_current()->pid_namespace))
		return -EPERM;
	*out = namespace_get(&parent->head);
	return 0;
}

/* ---- its init ---- */

bool pid_namespace_is_init(const struct process *process)
{
	return process->pid_namespace && process->own_pid == 1;
}

struct process *pid_namespace_init_get(struct pid_namespace *namespace)
{
	struct process *init;

	if (!namespace)
		return process_find(INIT_PID);
	rcu_read_lock();
	init = rcu_dereference(&namespace->init);
	if (init && !refcount_try_get(&init->references))
		init = NULL;
	rcu_read_unlock();
	return init;
}

static void end_member(void *argument, struct process *process)
{
	struct process *init = argument;

	if (process == init || !pid_namespace_sees(init->pid_namespace, process))
		return;
	signal_end_process(process, WAIT_STATUS_SIGNAL(SIGKILL));
	process_signal(process, SIGKILL); /* one that is ending already may wait for something */
}

void pid_namespace_end_with(struct process *process)
{
	struct pid_namespace *namespace = process->pid_namespace;
	irqflags_t flags;

	if (likely(!namespace) || !pid_namespace_is_init(process))
		return;
	pid_names_close(namespace);
	/* Who has a number by now is found, though it may not run yet. */
	pid_for_each_rcu(end_member, process);
	/* Nobody inherits them: the kernel reaps them. Those whose parent is outside are reaped by
	 * that one, and waited for as well. */
	family_orphan_children(process);
	wait_event(&namespace->emptied, read_once(&namespace->nprocesses) <= 1);
	if (read_once(&namespace->reboot_signal)) {
		flags = spin_lock_irqsave(&process->signal_lock);
		process->status_to_be = WAIT_STATUS_SIGNAL(namespace->reboot_signal);
		spin_unlock_irqrestore(&process->signal_lock, flags);
	}
}

bool pid_namespace_capable(struct pid_namespace *namespace, unsigned capability)
{
	return capable_in(namespace_owner(pid_namespace_head(namespace)), capability);
}

err_t pid_namespace_reboot(unsigned command)
{
	struct pid_namespace *namespace = process_current()->pid_namespace;
	struct process *init;

	switch (command) {
	case LINUX_REBOOT_CMD_RESTART:
	case LINUX_REBOOT_CMD_RESTART2:
		write_once(&namespace->reboot_signal, SIGHUP);
		break;
	case LINUX_REBOOT_CMD_HALT:
	case LINUX_REBOOT_CMD_POWER_OFF:
		write_once(&namespace->reboot_signal, SIGINT);
		break;
	default:
		return -EINVAL;
	}
	init = pid_namespace_init_get(namespace);
	if (init)
		process_signal(init, SIGKILL);
	process_put(init);
	uthread_exit(WAIT_STATUS_EXIT(0));
}
