/*
 * wait4 and waitid. What is waited for and how stands in process/wait.h.
 */
#include "../namespace/pid.h"

#include "pidfd.h"
#include "syscall_table.h"
#include "uthread.h"
#include "wait.h"

#include <abi/errno.h>
#include <abi/pidfd.h>
#include <abi/wait.h>
#include <arch/user.h>
#include <ipc/user_namespace.h>

/* WNOTHREAD: the children of a process belong to all of its threads. */
#define WAIT_SEARCH (__WNOTHREAD | __WALL | __WCLONE)

static int put_usage(uptr_t to, const struct process_usage *used)
{
	struct abi_rusage report;

	if (uptr_is_null(to))
		return 0;
	report = process_rusage(used);
	return user_put(to, &report);
}

int sys_wait4(int pid, uptr_t status, unsigned options, uptr_t usage)
{
	struct wait_request request = {.type = WAIT_ANY, .options = options | WEXITED};
	struct wait_result result;
	err_t err;

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | WAIT_SEARCH))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid > 0) {
		request.type = WAIT_PID;
		request.id = pid_meant(pid);
	} else if (pid != -1) {
		request.type = WAIT_GROUP;
		request.id = pid ? pid_meant(-pid) : process_current()->group;
	}
	err = process_wait_child(&request, &result);
	if (err || !result.pid)
		return err;
	if (!uptr_is_null(status) && user_put(status, &result.packed))
		return -EFAULT;
	if (put_usage(usage, &result.usage))
		return -EFAULT;
	return result.pid;
}

/* A reference. One that is not to be waited for is only looked at. */
static err_t wait_for_pidfd(int fd, struct wait_request *request, bool *nonblocking)
{
	struct pidfd_named named;
	err_t err;

	if (fd < 0)
		return -EINVAL;
	err = pidfd_get(fd, &named);
	if (err)
		return err;
	request->process = named.process;
	request->id = named.tid;
	/* A thread that is not a process's first is waited for by its tracer alone. */
	request->type = named.tid ? WAIT_PID : WAIT_PROCESS;
	*nonblocking = named.flags & PIDFD_NONBLOCK && !(request->options & WNOHANG);
	if (*nonblocking)
		request->options |= WNOHANG;
	return 0;
}

static err_t waitid_target(int type, int id, struct wait_request *request, bool *nonblocking)
{
	switch (type) {
	case P_ALL:
		request->type = WAIT_ANY;
		return 0;
	case P_PID:
		request->type = WAIT_PID;
		request->id = pid_meant(id);
		return id > 0 ? 0 : -EINVAL;
	case P_PGID:
		request->type = WAIT_GROUP;
		request->id = id ? pid_meant(id) : process_current()->group;
		return id >= 0 ? 0 : -EINVAL;
	case P_PIDFD:
		return wait_for_pidfd(id, request, nonblocking);
	default:
		return -EINVAL;
	}
}

/* As Linux: nothing else of the structure is written. */
static int put_info(uptr_t to, const struct wait_result *result)
{
	struct abi_siginfo info = {0};

	if (uptr_is_null(to))
		return 0;
	if (result->pid) {
		info.si_signo = SIGCHLD;
		info.si_code = result->code;
		info.si_pid = result->pid;
		info.si_uid = id_for_program(ID_USER, result->uid);
		info.si_status = result->status;
	}
	return user_copy_out(to, &info, offsetof(struct abi_siginfo, si_utime));
}

int sys_waitid(int type, int id, uptr_t info, unsigned options, uptr_t usage)
{
	struct wait_request request = {.options = options};
	struct wait_result result;
	bool nonblocking = false;
	err_t err;

	if (options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | WAIT_SEARCH) ||
	    !(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	err = waitid_target(type, id, &request, &nonblocking);
	if (err)
		return err;
	err = process_wait_child(&request, &result);
	process_put(request.process);
	if (!err && nonblocking && !result.pid)
		err = -EAGAIN;
	if (err)
		return err;
	if (put_info(info, &result))
		return -EFAULT;
	return result.pid ? put_usage(usage, &result.usage) : 0;
}
