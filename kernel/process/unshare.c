/*
 * unshare: the running thread's own copies of what it shares with others. Owns no state.
 */
#include "uthread.h"

#include "../namespace/user.h"
#include "../signal/signal.h"
#include "syscall_table.h"

#include <abi/clone.h>
#include <abi/errno.h>
#include <ipc/fdtable.h>
#include <mm/space.h>

/* What threads of one process cannot but share. */
#define OF_A_PROCESS (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)
#define UNSHARED     (CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | OF_A_PROCESS | NAMESPACE_FLAGS)

/* Asked for, these are only looked at: that nobody shares them. */
static bool is_alone(const struct process *process, uint64_t flags)
{
	if (flags & OF_A_PROCESS && read_once(&process->nliving) > 1)
		return false;
	if (flags & (CLONE_SIGHAND | CLONE_VM) &&
	    read_once(&process->actions->references.count) > 1)
		return false;
	return !(flags & CLONE_VM) || read_once(&process->space->refs.count) == 1;
}

int sys_unshare(uint64_t clone_flags)
{
	struct uthread *self = uthread_current();
	struct namespaces *namespaces;
	err_t err;

	if (clone_flags & CLONE_NEWUSER)
		clone_flags |= CLONE_THREAD | CLONE_FS;
	if (clone_flags & CLONE_NEWNS)
		clone_flags |= CLONE_FS;
	if (clone_flags & ~UNSHARED || !is_alone(self->process, clone_flags))
		return -EINVAL;
	err = namespaces_make(clone_flags, &namespaces);
	if (err)
		return err;
	if (clone_flags & CLONE_FS)
		err = uthread_unshare_place();
	if (!err && clone_flags & CLONE_FILES)
		err = uthread_unshare_files();
	if (err) {
		namespaces_put(namespaces);
		return err;
	}

	/* ---- committed ---- */
	if (clone_flags & CLONE_NEWNS)
		place_follow_mounts(self, namespaces_mounts(namespaces));
	if (clone_flags & (CLONE_SYSVSEM | CLONE_NEWIPC))
		uthread_drop_undos();
	if (clone_flags & CLONE_NEWUSER)
		user_namespace_enter(namespaces_user(namespaces));
	namespaces_enter(namespaces);
	return 0;
}
