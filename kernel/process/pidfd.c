/*
 * Descriptors of processes: pidfd_open, pidfd_send_signal, pidfd_getfd. One has a reference to its
 * process's struct, so the process may be gone while it is open. Who polls sleeps on
 * process->changed, which the end and the reaping of the process wake. Owns no other state.
 */
#include "pidfd.h"

#include "../namespace/pid.h"
#include "../procfs.h"
#include "../signal/signal.h"
#include "inspect.h"
#include "syscall_table.h"
#include "uthread.h"

#include <abi/errno.h>
#include <abi/pidfd.h>
#include <arch/user.h>
#include <ipc/anonymous.h>
#include <ipc/fdtable.h>
#include <lib/string.h>
#include <mm/slab.h>

struct pidfd {
	struct object object;
	struct process *process; /* constant: a reference */
};

static struct pidfd *pidfd_of(const struct object *object)
{
	return container_of(object, struct pidfd, object);
}

/* ---- the object ---- */

/* Acquire: pairs with the release in family_end_locked(). */
static enum process_state state_of(const struct pidfd *pidfd)
{
	return load_acquire(&pidfd->process->state);
}

static unsigned pidfd_poll(struct object *object, struct waitq **queue)
{
	const struct pidfd *pidfd = pidfd_of(object);

	*queue = &pidfd->process->changed;
	switch (state_of(pidfd)) {
	case PROCESS_ZOMBIE:
		return POLLIN;
	case PROCESS_REAPED:
		return POLLIN | POLLHUP;
	default:
		return 0;
	}
}

static void pidfd_describe(UNUSED struct object *object, char *to, size_t to_bytes)
{
	string_copy(to, to_bytes, "anon_inode:[pidfd]");
}

static void pidfd_release(struct object *object)
{
	process_put(pidfd_of(object)->process);
}

static void pidfd_free(struct object *object)
{
	kfree(pidfd_of(object));
}

static const struct object_ops pidfd_ops = {
	.poll = pidfd_poll,
	.stat = anonymous_stat,
	.describe = pidfd_describe,
	.release = pidfd_release,
	.free = pidfd_free,
};

/* ---- making one ---- */

err_t pidfd_prepare(struct process *process, unsigned flags, struct pidfd_new *out)
{
	struct pidfd *pidfd = kzalloc(sizeof(*pidfd));
	err_t err;

	if (!pidfd)
		return -ENOMEM;
	refcount_get(&process->references);
	pidfd->process = process;
	object_init(&pidfd->object, &pidfd_ops, OBJECT_OTHER, O_RDWR | flags);
	out->object = &pidfd->object;
	err = fd_reserve(current_fds(), 0, O_CLOEXEC, &out->fd);
	if (err)
		object_put(out->object);
	return err;
}

void pidfd_install(struct pidfd_new *prepared)
{
	fd_install(current_fds(), prepared->fd, prepared->object);
}

void pidfd_cancel(struct pidfd_new *prepared)
{
	fd_unreserve(current_fds(), prepared->fd);
	object_put(prepared->object);
}

/* ---- finding by one ---- */

struct process *pidfd_process(const struct object *object)
{
	return object->ops == &pidfd_ops ? pidfd_of(object)->process : NULL;
}

err_t pidfd_get(int fd, struct process **out, unsigned *flags)
{
	struct object *object = fd_get(current_fds(), fd);
	struct process *process = object ? pidfd_process(object) : NULL;

	if (process) {
		refcount_get(&process->references);
		*out = process;
		if (flags)
			*flags = object_flags(object);
	}
	object_put(object);
	return process ? 0 : -EBADF;
}

err_t pidfd_get_there(int fd, struct process **out)
{
	err_t err = pidfd_get(fd, out, NULL);

	if (!err && load_acquire(&(*out)->state) == PROCESS_REAPED) {
		process_put(*out);
		err = -ESRCH;
	}
	return err;
}

/* ---- the calls ---- */

int sys_pidfd_open(int pid, unsigned flags)
{
	struct pidfd_new prepared;
	struct process *process;
	err_t err;

	if (flags & ~(unsigned)PIDFD_NONBLOCK || pid <= 0)
		return -EINVAL;
	process = process_find_by_thread(pid_meant(pid));
	if (!process)
		return -ESRCH;
	/* Of a thread that is not the first there are none, as on the Linux of uname's release. */
	err = process->pid == pid_meant(pid) ? pidfd_prepare(process, flags, &prepared) : -EINVAL;
	process_put(process);
	if (err)
		return err;
	pidfd_install(&prepared);
	return prepared.fd;
}

/* Unlike rt_sigqueueinfo()'s it has to name the signal, too. */
static err_t read_info(const struct process *target, int signal, uptr_t from,
		       struct signal_info *info)
{
	if (user_get(info, from))
		return -EFAULT;
	info->padding = 0;
	return info->signal == signal ? signal_check_info(target, info) : -EINVAL;
}

/* A process's directory in /proc does as well, from before there were descriptors of processes. */
static err_t get_target(int fd, struct process **out)
{
	struct object *object;
	err_t err = pidfd_get(fd, out, NULL);

	if (err != -EBADF)
		return err;
	object = fd_get(current_fds(), fd);
	if (!object)
		return -EBADF;
	err = procfs_process(object, out);
	object_put(object);
	return err;
}

int sys_pidfd_send_signal(int fd, int signal, uptr_t info, unsigned flags)
{
	struct signal_info sent = signal_info_from_self(signal, SI_USER);
	struct process *process;
	err_t err;

	if (flags)
		return -EINVAL;
	err = get_target(fd, &process);
	if (err)
		return err;
	if (!uptr_is_null(info))
		err = read_info(process, signal, info, &sent);
	if (!err && (signal < 0 || signal > SIGNAL_MAX))
		err = -EINVAL;
	if (!err && load_acquire(&process->state) == PROCESS_REAPED)
		err = -ESRCH;
	if (!err)
		err = signal_send_allowed(process, &sent);
	process_put(process);
	return err;
}

/* A reference to what another process has as `fd`. */
static err_t get_object(struct process *process, int fd, struct object **out)
{
	struct fd_table *fds;

	if (!process_may_inspect(process))
		return -EPERM;
	fds = process_fds(process, 0);
	if (!fds)
		return -EBADF; /* all of them are closed: it is ending */
	*out = fd_get(fds, fd);
	fd_table_put(fds);
	if (!*out)
		return -EBADF;
	/* It may have begun a program with other rights meanwhile, and this be that one's. */
	if (process_may_inspect(process))
		return 0;
	object_put(*out);
	return -EPERM;
}

int sys_pidfd_getfd(int fd, int other_fd, unsigned flags)
{
	struct object *object = NULL;
	struct process *process;
	err_t err;

	if (flags)
		return -EINVAL;
	err = pidfd_get_there(fd, &process);
	if (err)
		return err;
	err = get_object(process, other_fd, &object);
	process_put(process);
	return err ? err : fd_add(current_fds(), object, O_CLOEXEC);
}
