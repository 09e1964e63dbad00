/*
 * System calls on process groups and sessions. Who is in which is under family_lock.
 */
#include "../namespace/pid.h"

#include "family.h"
#include "syscall_table.h"

#include <abi/errno.h>

int sys_getpgid(int pid)
{
	struct process *process;
	int group;

	if (pid == 0)
		return pid_shown(process_current()->group);
	process = process_find_by_thread(pid_meant(pid));
	if (!process)
		return -ESRCH;
	group = read_once(&process->group);
	process_put(process);
	return pid_shown(group);
}

int sys_getpgrp(void)
{
	return pid_shown(process_current()->group);
}

int sys_getsid(int pid)
{
	struct process *process;
	int session;

	if (pid == 0)
		return pid_shown(process_current()->session);
	process = process_find_by_thread(pid_meant(pid));
	if (!process)
		return -ESRCH;
	session = read_once(&process->session);
	process_put(process);
	return pid_shown(session);
}

struct group_search {
	int32_t group;
	uint64_t serial; /* of the group, when it is found */
	int32_t session;
	bool found;
};

static void search_group(void *argument, struct process *process)
{
	struct group_search *search = argument;

	if (read_once(&process->group) == search->group &&
	    read_once(&process->session) == search->session) {
		search->found = true;
		search->serial = process->group_serial;
	}
}

static err_t may_set_group_locked(const struct process *self, const struct process *process,
				  int32_t group, uint64_t *serial) REQUIRES(family_lock);
static err_t may_set_group_locked(const struct process *self, const struct process *process,
				  int32_t group, uint64_t *serial)
{
	struct group_search search = {.group = group, .session = self->session};

	*serial = process->link.serial;
	if (process != self && process->parent != self)
		return -ESRCH;
	if (process->session != self->session)
		return -EPERM;
	if (process != self && read_once(&process->has_executed))
		return -EACCES;
	if (process->session == process->pid)
		return -EPERM; /* a session leader stays where it is */
	if (group == process->pid)
		return 0;
	pid_for_each_rcu(search_group, &search);
	*serial = search.serial;
	return search.found ? 0 : -EPERM;
}

int sys_setpgid(int pid, int pgid)
{
	uint64_t serial;
	struct process *self = process_current();
	struct process *process;
	err_t err;

	if (pgid < 0)
		return -EINVAL;
	pid = pid_meant(pid);
	pgid = pid_meant(pgid);
	process = process_find_by_thread(pid ? pid : self->pid);
	if (!process)
		return -ESRCH;
	if (pid && process->pid != pid) {
		process_put(process);
		return -EINVAL;
	}
	spin_lock(&family_lock);
	if (!pgid)
		pgid = process->pid;
	err = may_set_group_locked(self, process, pgid, &serial);
	if (!err) {
		process->group_serial = serial;
		process->has_led |= pgid == process->pid;
		write_once(&process->group, pgid);
	}
	spin_unlock(&family_lock);
	process_put(process);
	return err;
}

static void search_members(void *argument, struct process *process)
{
	struct group_search *search = argument;

	if (read_once(&process->group) == search->group)
		search->found = true;
}

int sys_setsid(void)
{
	struct process *process = process_current();
	struct group_search search = {.group = process->pid};

	/* Not while a group of our number has members: it would be in two sessions. */
	spin_lock(&family_lock);
	pid_for_each_rcu(search_members, &search);
	if (!search.found) {
		process->has_led = true;
		process->group_serial = process->link.serial;
		write_once(&process->group, process->pid);
		write_once(&process->session, process->pid);
		write_once(&process->tty, NULL);
	}
	spin_unlock(&family_lock);
	return search.found ? -EPERM : process->own_pid;
}
