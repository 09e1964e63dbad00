/*
 * System calls on descriptors themselves: closing, duplicating, flags, control, syncing, pipes.
 * Owns no state.
 */
#include "sys_fd.h"

#include "files/async.h"
#include "memory/memfd.h"
#include "process/capability.h"
#include "process/uthread.h"
#include "sys_lock.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <ipc/async.h>
#include <ipc/eventfd.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>
#include <ipc/pipe.h>
#include <ipc/socket.h>

static struct fd_table *table(void)
{
	return current_fds();
}

int sys_close(int fd)
{
	return fd_close(table(), fd);
}

/* With UNSHARE the thread's descriptors become its own first: who shared them keeps all. */
int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	err_t err = 0;

	if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) || first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE)
		err = uthread_unshare_files();
	if (err || first >= FD_MAX)
		return err;
	for (int fd = fd_next(table(), (int)first); fd >= 0 && (unsigned)fd <= last;
	     fd = fd_next(table(), fd + 1)) {
		/* One that another thread has closed meanwhile is closed. */
		if (flags & CLOSE_RANGE_CLOEXEC)
			(void)!fd_set_flags(table(), fd, FD_CLOEXEC);
		else
			(void)!fd_close(table(), fd);
	}
	return 0;
}

/* ---- duplicating ---- */

int sys_dup(int oldfd)
{
	return fd_dup(table(), oldfd, 0, 0);
}

int sys_dup2(int oldfd, int newfd)
{
	struct object *object;

	if (oldfd != newfd)
		return fd_dup_to(table(), oldfd, newfd, 0);
	object = fd_get(table(), oldfd);
	if (!object)
		return -EBADF;
	object_put(object);
	return newfd;
}

int sys_dup3(int oldfd, int newfd, unsigned open_flags)
{
	/* dup2 allows equal numbers, dup3 does not. */
	if ((open_flags & ~(unsigned)O_CLOEXEC) || oldfd == newfd)
		return -EINVAL;
	return fd_dup_to(table(), oldfd, newfd, open_flags);
}

/* ---- flags ---- */

/* That it is read is nobody else's to hide. */
static err_t check_owner(struct object *object)
{
	struct abi_stat stat;
	err_t err = object_stat(object, &stat);

	if (err || stat.st_uid == uthread_fs()->uid)
		return err;
	return vfs_capable_of_ids(uthread_fs(), stat.st_uid, stat.st_gid, CAP_FOWNER) ? 0 : -EPERM;
}

static err_t switch_async(int fd, struct object *object, bool on)
{
	err_t err = async_switch(object, fd, on);

	return err || !on ? err : async_own_terminal(object);
}

static int64_t set_status_flags(int fd, struct object *object, uint64_t argument)
{
	/* Access mode and creation flags are ignored, as on Linux. */
	unsigned wanted = (unsigned)argument & (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME);
	err_t err = 0;

	if (wanted & ~object_flags(object) & O_NOATIME)
		err = check_owner(object);
	if (!err)
		err = object_set_flags(object, wanted);

	if (err || !((object_flags(object) ^ (unsigned)argument) & O_ASYNC))
		return err;
	err = switch_async(fd, object, (unsigned)argument & O_ASYNC);
	return err == -ENOTTY ? 0 : err; /* as on Linux, it means nothing there */
}

static int64_t pipe_size_of(struct object *object, int command, uint64_t argument)
{
	struct object *pipe = object_pipe_end(object);
	size_t size;
	err_t err;

	if (!pipe)
		return -EBADF;
	if (command == F_GETPIPE_SZ)
		return (int64_t)pipe_size(pipe);
	err = pipe_set_size(pipe, (unsigned)argument, capable(CAP_SYS_RESOURCE), &size);
	return err ? err : (int64_t)size;
}

static int64_t set_lease(int fd, struct object *object, int type)
{
	bool before = true;
	int64_t result = type == F_UNLCK ? 0 : async_own(object, &before); /* who is to be told */

	if (!result)
		result = file_set_lease(object, uthread_fs(), fd, type);
	if (result < 0)
		async_disown(object, before);
	return result;
}

static int64_t set_notify(int fd, struct object *object, unsigned events)
{
	bool before = true;
	int64_t result = events & ~DN_MULTISHOT ? async_own(object, &before) : 0;

	if (!result)
		result = file_notify(object, table()->number, fd, events);
	if (result < 0)
		async_disown(object, before);
	return result;
}

static int64_t hint_of(struct object *object, int command, uptr_t argument)
{
	uint64_t hint;
	err_t err;

	if (command == F_SET_RW_HINT)
		return user_get(&hint, argument) ? -EFAULT
						 : file_set_write_hint(object, uthread_fs(), hint);
	err = file_write_hint(object, &hint);
	return err ? err : user_put(argument, &hint);
}

static int64_t is_same(const struct object *object, int fd)
{
	struct object *other = fd_get(table(), fd);

	if (!other)
		return -EBADF;
	object_put(other);
	return other == object;
}

/* Those that even a mere place has. */
static bool is_of_any(int command)
{
	return command == F_GETFL || command == F_DUPFD_QUERY || command == F_CREATED_QUERY;
}

static int64_t fcntl_object(int fd, struct object *object, int command, uint64_t argument)
{
	if ((object_flags(object) & O_PATH) && !is_of_any(command))
		return -EBADF;
	switch (command) {
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return fcntl_lock(fd, object, command, uptr(argument));
	case F_ADD_SEALS:
	case F_GET_SEALS:
		return fcntl_seals(object, command, argument);
	case F_GETPIPE_SZ:
	case F_SETPIPE_SZ:
		return pipe_size_of(object, command, argument);
	case F_GETFL:
		return object_flags(object);
	case F_SETFL:
		return set_status_flags(fd, object, argument);
	case F_DUPFD_QUERY:
		return is_same(object, (int)argument);
	case F_CREATED_QUERY:
		return file_was_created(object);
	case F_GETLEASE:
		return file_lease(object);
	case F_SETLEASE:
		return set_lease(fd, object, (int)argument);
	case F_NOTIFY:
		return set_notify(fd, object, (unsigned)argument);
	case F_GET_RW_HINT:
	case F_SET_RW_HINT:
		return hint_of(object, command, uptr(argument));
	case F_SETOWN:
	case F_GETOWN:
	case F_SETOWN_EX:
	case F_GETOWN_EX:
	case F_SETSIG:
	case F_GETSIG:
		return fcntl_owner(object, command, argument);
	default:
		return -EINVAL;
	}
}

int64_t sys_fcntl(int fd, int command, uint64_t argument)
{
	struct object *object;
	int64_t result;

	switch (command) {
	case F_DUPFD:
		return argument < FD_MAX ? fd_dup(table(), fd, (int)argument, 0) : -EINVAL;
	case F_DUPFD_CLOEXEC:
		return argument < FD_MAX ? fd_dup(table(), fd, (int)argument, O_CLOEXEC) : -EINVAL;
	case F_GETFD:
		return fd_flags(table(), fd);
	case F_SETFD:
		return fd_set_flags(table(), fd, (unsigned)argument & FD_CLOEXEC);
	default:
		break;
	}
	object = fd_get(table(), fd);
	if (!object)
		return -EBADF;
	result = fcntl_object(fd, object, command, argument);
	object_put(object);
	return result;
}

/* FIONBIO, FIOASYNC, FIOCLEX and FIONCLEX are every descriptor's, the rest is the object's. */
static int64_t set_nonblocking(struct object *object, uptr_t argument)
{
	unsigned flags = object_flags(object) & OBJECT_FLAGS_SETTABLE;
	int on;

	if (user_get(&on, argument))
		return -EFAULT;
	return object_set_flags(object, on ? flags | O_NONBLOCK : flags & ~(unsigned)O_NONBLOCK);
}

static int64_t set_async(int fd, struct object *object, uptr_t argument)
{
	int on;

	if (user_get(&on, argument))
		return -EFAULT;
	if (!on == !(object_flags(object) & O_ASYNC))
		return 0;
	return switch_async(fd, object, on);
}

static int64_t control(int fd, struct object *object, unsigned command, uptr_t argument)
{
	int64_t result;

	if (object_flags(object) & O_PATH)
		return -EBADF;
	if (command == FIONBIO)
		return set_nonblocking(object, argument);
	if (command == FIOASYNC)
		return set_async(fd, object, argument);
	result = object_ioctl(object, command, argument);
	/* The rarest last. */
	if (result == -ENOTTY && object_is_socket(object))
		result = socket_owner_ioctl(object, command, argument);
	return result;
}

int64_t sys_ioctl(int fd, unsigned command, uint64_t argument)
{
	struct object *object;
	int64_t result;

	if (command == FIOCLEX || command == FIONCLEX)
		return fd_set_flags(table(), fd, command == FIOCLEX ? FD_CLOEXEC : 0);
	object = fd_get(table(), fd);
	if (!object)
		return -EBADF;
	result = control(fd, object, command, uptr(argument));
	object_put(object);
	return result;
}

/* ---- syncing ---- */

int sys_fsync(int fd)
{
	struct object *object = fd_get(table(), fd);
	err_t err;

	if (!object)
		return -EBADF;
	err = object_sync(object);
	object_put(object);
	return err;
}

int sys_fdatasync(int fd)
{
	return sys_fsync(fd);
}

int sys_syncfs(int fd)
{
	struct object *object = fd_get(table(), fd);

	if (!object)
		return -EBADF;
	vfs_sync(object);
	object_put(object);
	return 0;
}

/* But for what files hold back in memory, what was written is where it belongs when write returns.
 */
int sys_sync(void)
{
	vfs_sync(NULL);
	return 0;
}

/* ---- counters ---- */

#define EFD_SEMAPHORE 1u

int sys_eventfd2(unsigned count, unsigned flags)
{
	struct object *object;

	if (flags & ~(unsigned)(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	object = eventfd_create(count, flags & EFD_SEMAPHORE, flags & O_NONBLOCK);
	return object ? fd_add(table(), object, flags & O_CLOEXEC) : -ENOMEM;
}

int sys_eventfd(unsigned count)
{
	return sys_eventfd2(count, 0);
}

/* ---- pipes ---- */

int fd_add_two(struct object *const objects[2], unsigned fd_flags, uptr_t fds)
{
	int numbers[2];
	err_t err = fd_reserve(table(), 0, fd_flags, &numbers[0]);

	if (err)
		goto put_objects;
	err = fd_reserve(table(), 0, fd_flags, &numbers[1]);
	if (err)
		goto unreserve_first;
	err = user_copy_out(fds, numbers, sizeof(numbers));
	if (err)
		goto unreserve_second;

	/* ---- committed ---- */
	fd_install(table(), numbers[0], objects[0]);
	fd_install(table(), numbers[1], objects[1]);
	return 0;

unreserve_second:
	fd_unreserve(table(), numbers[1]);
unreserve_first:
	fd_unreserve(table(), numbers[0]);
put_objects:
	object_put(objects[0]);
	object_put(objects[1]);
	return err;
}

int sys_pipe2(uptr_t fds, unsigned open_flags)
{
	struct pipe_owner owner;
	struct object *ends[2];
	err_t err;

	if (open_flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	owner = (struct pipe_owner){.uid = uthread_fs()->uid, .gid = uthread_fs()->gid};
	err = pipe_create(open_flags & O_NONBLOCK, owner, &ends[0], &ends[1]);
	if (err)
		return err;
	return fd_add_two(ends, open_flags & O_CLOEXEC, fds);
}

int sys_pipe(uptr_t fds)
{
	return sys_pipe2(fds, 0);
}
