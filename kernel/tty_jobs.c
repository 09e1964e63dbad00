/*
 * Job control at a terminal: who may read and change it, and whose it is. Whoever reads from the
 * background is stopped by SIGTTIN, whoever changes it by SIGTTOU, unless it will not be (POSIX,
 * General Terminal Interface, 11.1.4). Owns no state: the terminal's session and foreground are the
 * terminal's, a process's are under the family lock.
 */
#include "tty.h"

#include "process/family.h"
#include "signal/signal.h"

#include <abi/errno.h>
#include <arch/user.h>

bool tty_is_controlling(struct tty *tty)
{
	const struct process *process = process_current();

	return process && read_once(&process->tty) == tty;
}

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

ssize_t tty_ioctl_set_foreground(struct tty *tty, uptr_t argument)
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
	pid_for_each_rcu(find_session, &search);
	if (!search.session)
		return -ESRCH;
	if (search.session != process_current()->session)
		return -EPERM;
	tty_set_foreground(tty, search.group);
	return 0;
}
