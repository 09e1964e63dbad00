/*
 * What System V objects (ipc/sysv/) ask about who calls. Owns no state.
 */
#include "../namespace/pid.h"
#include "../namespace/user.h"
#include "../process/capability.h"
#include "../process/uthread.h"

#include <ipc/sysv.h>

struct sysv_caller sysv_caller(void)
{
	const struct uthread *self = process_current() ? uthread_current() : NULL;

	if (!self)
		return (struct sysv_caller){0};
	return (struct sysv_caller){
		.uid = self->ids.euid, .gid = self->ids.egid, .pid = self->process->pid};
}

int32_t sysv_caller_shows(int32_t pid)
{
	return pid_shown(pid);
}

bool sysv_caller_in_group(uint32_t gid)
{
	return process_current() && vfs_in_group(&uthread_current()->fs, gid);
}

bool sysv_caller_capable(unsigned capability)
{
	/* Linux: what costs memory is everybody's. */
	if (capability == CAP_SYS_RESOURCE)
		return capable(capability);
	return capable_in(namespace_owner(namespace_current(NAMESPACE_IPC)), capability);
}

uint64_t sysv_caller_lock_limit_bytes(void)
{
	const struct process *process = process_current();

	return process ? read_once(&process->limits[RLIMIT_MEMLOCK].rlim_cur) : UINT64_MAX;
}
