/*
 * System calls on epoll. What they do is in ipc/epoll/. Owns no state.
 */
#include "process/uthread.h"
#include "sys_poll.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <ipc/epoll.h>
#include <ipc/fdtable.h>

#define EVENTS_MAX (INT32_MAX / (int)sizeof(struct abi_epoll_event)) /* EP_MAX_EVENTS */

int sys_epoll_create1(unsigned flags)
{
	struct object *epoll;

	if (flags & ~(unsigned)O_CLOEXEC)
		return -EINVAL;
	epoll = epoll_create();
	return epoll ? fd_add(current_fds(), epoll, flags) : -ENOMEM;
}

/* The size has been a mere hint for long, but it still has to be one. */
int sys_epoll_create(int size)
{
	return size > 0 ? sys_epoll_create1(0) : -EINVAL;
}

static err_t control(struct object *epoll, int operation, int fd, struct object *target,
		     const struct abi_epoll_event *event)
{
	struct waitq *queue;
	unsigned events = object_poll(target, &queue);

	if (events & POLLNVAL)
		return -EBADF; /* O_PATH */
	if (!queue && !(events & (POLLERR | POLLHUP)))
		return -EPERM; /* nothing ever happens to it */
	if (!object_is_epoll(epoll) || target == epoll)
		return -EINVAL;
	switch (operation) {
	case EPOLL_CTL_ADD:
		return epoll_add(epoll, fd, target, event);
	case EPOLL_CTL_MOD:
		return epoll_change(epoll, fd, target, event);
	case EPOLL_CTL_DEL:
		return epoll_remove(epoll, fd, target);
	default:
		return -EINVAL;
	}
}

int sys_epoll_ctl(int epfd, int operation, int fd, uptr_t event)
{
	struct abi_epoll_event asked = {0};
	struct object *epoll;
	struct object *target;
	err_t err = -EBADF;

	if (operation != EPOLL_CTL_DEL && user_get(&asked, event))
		return -EFAULT;
	epoll = fd_get(current_fds(), epfd);
	target = fd_get(current_fds(), fd);
	if (epoll && target)
		err = control(epoll, operation, fd, target, &asked);
	object_put(target);
	object_put(epoll);
	return err;
}

/* ---- waiting ---- */

static int wait_until(int epfd, uptr_t events, int nevents, uint64_t deadline_ns)
{
	struct object *epoll;
	struct buffer to;
	int result;

	if (nevents <= 0 || nevents > EVENTS_MAX)
		return -EINVAL;
	if (buffer_init_user(&to, events, (size_t)nevents * sizeof(struct abi_epoll_event)))
		return -EFAULT;
	epoll = fd_get(current_fds(), epfd);
	if (!epoll)
		return -EBADF;
	result = object_is_epoll(epoll) ? epoll_wait(epoll, &to, deadline_ns) : -EINVAL;
	object_put(epoll);
	return result;
}

static uint64_t deadline_of(int timeout_ms)
{
	if (timeout_ms < 0)
		return UINT64_MAX;
	return timeout_ms ? clock_ns() + (uint64_t)timeout_ms * NSEC_PER_MSEC : 0;
}

int sys_epoll_wait(int epfd, uptr_t events, int nevents, int timeout_ms)
{
	return wait_until(epfd, events, nevents, deadline_of(timeout_ms));
}

int sys_epoll_pwait(int epfd, uptr_t events, int nevents, int timeout_ms, uptr_t set,
		    size_t set_bytes)
{
	uint64_t deadline_ns = deadline_of(timeout_ms);
	err_t err = poll_begin_mask(set, set_bytes);

	return err ? err : poll_end_mask(wait_until(epfd, events, nevents, deadline_ns));
}

int sys_epoll_pwait2(int epfd, uptr_t events, int nevents, uptr_t timeout, uptr_t set,
		     size_t set_bytes)
{
	uint64_t deadline_ns;
	err_t err = poll_read_deadline(timeout, &deadline_ns);

	if (!err && deadline_ns <= clock_ns())
		deadline_ns = 0; /* one look */
	if (!err)
		err = poll_begin_mask(set, set_bytes);
	return err ? err : poll_end_mask(wait_until(epfd, events, nevents, deadline_ns));
}
