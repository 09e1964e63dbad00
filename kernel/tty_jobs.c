/*
 * Job control at a terminal: who may read and change it, and whose it is. Whoever reads from the
 * background is stopped by SIGTTIN, whoever changes it by SIGTTOU, unless it will not be (POSIX,
 * General Terminal Interface, 11.1.4).
 *
 * Owns the tie between terminals and sessions, under family_lock with tty->lock inside of it: a
 * process's terminal is always that of its session, and a session that has one holds a reference.
 * So who ends the tie clears it in all processes, and none of them need a reference of its own.
 */
#include "tty.h"

#include "namespace/pid.h"
#include "process/capability.h"
#include "process/family.h"
#include "signal/signal.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <arch/user.h>

/* ---- whose it is ---- */

bool tty_is_controlling(struct tty *tty)
{
	const struct process *process = process_current();

	return process && read_once(&process->tty) == tty;
}

struct tty *tty_controlling_get(void)
{
	const struct process *process = process_current();
	struct tty *tty;

	if (!process)
		return NULL;
	spin_lock(&family_lock);
	tty = process->tty;
	if (tty)
		tty_get(tty);
	spin_unlock(&family_lock);
	return tty;
}

static void lose(void *argument, struct process *process)
{
	if (process->tty == argument)
		write_once(&process->tty, NULL);
}

/* Nobody's any more; tty_disclaim()'s result. */
static bool take_from_session_locked(struct tty *tty, int *foreground) REQUIRES(family_lock);
static bool take_from_session_locked(struct tty *tty, int *foreground)
{
	bool was_claimed = tty_disclaim(tty, foreground);

	pid_for_each_rcu(lose, tty);
	return was_claimed;
}

/* *stolen: another session's reference is the caller's. */
static err_t claim_locked(struct tty *tty, struct process *process, bool steal, bool *stolen)
	REQUIRES(family_lock);
static err_t claim_locked(struct tty *tty, struct process *process, bool steal, bool *stolen)
{
	int foreground;
	err_t err;

	*stolen = false;
	if (process->pid != process->session)
		return -EPERM;
	if (process->tty == tty)
		return 0;
	if (process->tty)
		return -EPERM;
	if (steal)
		*stolen = take_from_session_locked(tty, &foreground);
	err = tty_claim(tty, process->session, process->group);
	if (err)
		return err;
	process->lost_foreground = 0; /* with this one it has another */
	write_once(&process->tty, tty);
	return 0;
}

err_t tty_make_controlling(struct tty *tty, bool steal)
{
	struct process *process = process_current();
	bool stolen;
	err_t err;

	if (!process)
		return -EPERM;
	spin_lock(&family_lock);
	err = claim_locked(tty, process, steal, &stolen);
	spin_unlock(&family_lock);
	if (stolen)
		tty_put(tty);
	return err;
}

static void hang_up_group(int group)
{
	if (!group)
		return;
	(void)process_group_signal(group, SIGHUP); /* it may have no members */
	(void)process_group_signal(group, SIGCONT);
}

err_t tty_give_up(struct tty *tty)
{
	struct process *process = process_current();
	bool was_claimed = false;
	int foreground = 0;
	err_t err = 0;

	if (!process)
		return -ENOTTY;
	spin_lock(&family_lock);
	if (process->tty != tty)
		err = -ENOTTY;
	else if (process->pid == process->session)
		was_claimed = take_from_session_locked(tty, &foreground);
	else
		write_once(&process->tty, NULL);
	spin_unlock(&family_lock);
	if (!was_claimed)
		return err;
	hang_up_group(foreground);
	tty_put(tty);
	return 0;
}

void tty_leader_ended(struct process *process)
{
	bool was_claimed = false;
	int foreground;
	struct tty *tty;

	if (process->pid != read_once(&process->session))
		return;
	spin_lock(&family_lock);
	tty = process->tty;
	foreground = process->lost_foreground;
	if (tty)
		was_claimed = take_from_session_locked(tty, &foreground);
	spin_unlock(&family_lock);
	if (tty && !tty->ops->outlives_session)
		tty_end_files(tty);
	hang_up_group(foreground);
	if (was_claimed)
		tty_put(tty);
}

void tty_hang_up(struct tty *tty)
{
	struct process *leader;
	bool was_claimed;
	int foreground;

	tty_end_files(tty);
	spin_lock(&family_lock);
	leader = process_find(tty_session(tty));
	if (leader && leader->tty == tty) {
		leader->lost_foreground = tty_foreground(tty);
		process_signal(leader, SIGHUP);
		process_signal(leader, SIGCONT);
	}
	was_claimed = take_from_session_locked(tty, &foreground);
	spin_unlock(&family_lock);
	process_put(leader);
	if (was_claimed)
		tty_put(tty);
}

int sys_vhangup(void)
{
	struct tty *tty;

	if (!capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	tty = tty_controlling_get();
	if (tty) {
		tty_hang_up(tty);
		tty_put(tty);
	}
	return 0;
}

/* ---- who may read and change it ---- */

static bool is_refused(int signal)
{
	const struct uthread *self = uthread_current();

	return self->blocked & SIGNAL_BIT(signal) || signal_is_ignored(self->process, signal);
}

err_t tty_check_foreground(struct tty *tty, int signal)
{
	struct process *process = process_current();
	int foreground = tty_foreground(tty);
	int32_t group;

	if (!tty_is_controlling(tty))
		return 0;
	group = read_once(&process->group);
	if (group == foreground)
		return 0;
	if (is_refused(signal))
		return signal == SIGTTIN ? -EIO : 0;
	if (family_group_is_orphaned(process))
		return -EIO;
	(void)process_group_signal(group, signal); /* this process is in it */
	return -EINTR;                             /* and begins anew when it is continued */
}

struct group_search {
	int32_t group;
	int32_t session; /* of a member; 0: there is none */
};

static void find_session(void *argument, struct process *process)
{
	struct group_search *search = argument;

	if (read_once(&process->group) == search->group)
		search->session = read_once(&process->session);
}

static ssize_t set_foreground(struct tty *tty, uptr_t argument)
{
	struct group_search search = {0};
	err_t err;

	if (!tty_is_controlling(tty) || process_current()->session != tty_session(tty))
		return -ENOTTY;
	err = tty_check_foreground(tty, SIGTTOU);
	if (err)
		return err;
	if (user_get(&search.group, argument))
		return -EFAULT;
	if (search.group <= 0)
		return -EINVAL;
	search.group = pid_meant(search.group);
	pid_for_each_rcu(find_session, &search);
	if (!search.session)
		return -ESRCH;
	if (search.session != process_current()->session)
		return -EPERM;
	tty_set_foreground(tty, search.group);
	return 0;
}

static ssize_t put_number(uptr_t to, int number)
{
	return user_put(to, &number);
}

ssize_t tty_ioctl_groups(struct tty *tty, unsigned command, uptr_t argument, bool by_master)
{
	bool may_look = by_master || tty_is_controlling(tty);
	int session = tty_session(tty);

	switch (command) {
	case TIOCGPGRP:
		return may_look ? put_number(argument, pid_shown(tty_foreground(tty))) : -ENOTTY;
	case TIOCGSID:
		return may_look && session ? put_number(argument, pid_shown(session)) : -ENOTTY;
	default:
		return set_foreground(tty, argument);
	}
}
