/*
 * Descriptors of processes and threads: pidfd_open, pidfd_send_signal, pidfd_getfd. One has a
 * reference to its process's struct, so the process may be gone while it is open. A thread that is
 * not a process's first stands in it by its number and the serial of that, which no other gets:
 * while it has both it is there. One that executes a program becomes the first, and is the one that
 * descriptors of the first thread and of the process name; its own name nobody any more. Who polls
 * sleeps on process->changed, which the end and the reaping of the process and of its threads wake.
 * Owns no other state.
 */
#include "pidfd.h"

#include "../namespace/pid.h"
#include "../procfs.h"
#include "../ptrace/ptrace.h"
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
	int32_t tid;             /* constant: of one thread; 0: of the process or its first one */
	uint64_t serial;         /* constant: of that number */
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

struct thread_look {
	const struct pidfd *pidfd;
	bool has_ended;
};

/* -ESRCH: its number is another's. */
static err_t look_at_thread(struct uthread *uthread, void *argument)
{
	struct thread_look *look = argument;

	if (uthread->process != look->pidfd->process || uthread->link.serial != look->pidfd->serial)
		return -ESRCH;
	look->has_ended = is_traced(uthread) && read_once(&uthread->tracee->gone);
	return 0;
}

/* One that has ended is still there only for its tracer. */
static enum process_state state_of_thread(const struct pidfd *pidfd)
{
	struct thread_look look = {.pidfd = pidfd};

	if (uthread_visit(pidfd->tid, look_at_thread, &look))
		return PROCESS_REAPED;
	return look.has_ended ? PROCESS_ZOMBIE : PROCESS_RUNNING;
}

static unsigned pidfd_poll(struct object *object, struct waitq **queue)
{
	const struct pidfd *pidfd = pidfd_of(object);

	*queue = &pidfd->process->changed;
	/* As Linux since 6.16: a first thread that ended before the others does not tell. */
	switch (pidfd->tid ? state_of_thread(pidfd) : state_of(pidfd)) {
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

static err_t prepare(struct process *process, int32_t tid, uint64_t serial, unsigned flags,
		     struct pidfd_new *out)
{
	struct pidfd *pidfd = kzalloc(sizeof(*pidfd));
	err_t err;

	if (!pidfd)
		return -ENOMEM;
	refcount_get(&process->references);
	pidfd->process = process;
	pidfd->tid = tid;
	pidfd->serial = serial;
	object_init(&pidfd->object, &pidfd_ops, OBJECT_OTHER, O_RDWR | flags);
	out->object = &pidfd->object;
	err = fd_reserve(current_fds(), 0, O_CLOEXEC, &out->fd);
	if (err)
		object_put(out->object);
	return err;
}

err_t pidfd_prepare(struct process *process, unsigned flags, struct pidfd_new *out)
{
	return prepare(process, 0, 0, flags, out);
}

err_t pidfd_prepare_thread(const struct uthread *uthread, struct pidfd_new *out)
{
	return prepare(uthread->process, uthread->tid, uthread->link.serial, PIDFD_THREAD, out);
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

int32_t pidfd_number(const struct object *object)
{
	const struct pidfd *pidfd = pidfd_of(object);

	if (pidfd->tid)
		return state_of_thread(pidfd) == PROCESS_REAPED ? 0 : pidfd->tid;
	return state_of(pidfd) == PROCESS_REAPED ? 0 : pidfd->process->pid;
}

/* With a reference to the process. False: it is no descriptor of one. */
static bool get_named(const struct object *object, struct pidfd_named *out)
{
	const struct pidfd *pidfd;

	if (!pidfd_process(object))
		return false;
	pidfd = pidfd_of(object);
	refcount_get(&pidfd->process->references);
	*out = (struct pidfd_named){
		.process = pidfd->process,
		.tid = pidfd->tid,
		.serial = pidfd->tid ? pidfd->serial : pidfd->process->link.serial,
		.flags = object_flags(object),
	};
	if (pidfd->tid && state_of_thread(pidfd) == PROCESS_REAPED)
		out->tid = PID_NOBODY;
	return true;
}

err_t pidfd_get(int fd, struct pidfd_named *out)
{
	struct object *object = fd_get(current_fds(), fd);
	bool found = object && get_named(object, out);

	object_put(object);
	return found ? 0 : -EBADF;
}

err_t pidfd_get_there(int fd, struct process **out)
{
	struct pidfd_named named;
	err_t err = pidfd_get(fd, &named);

	if (err)
		return err;
	if (load_acquire(&named.process->state) == PROCESS_REAPED || named.tid == PID_NOBODY) {
		process_put(named.process);
		return -ESRCH;
	}
	*out = named.process;
	return 0;
}

/* ---- the calls ---- */

static err_t prepare_thread(struct uthread *uthread, void *argument)
{
	struct pidfd *out = argument;

	out->serial = uthread->link.serial;
	return uthread->process == out->process ? 0 : -ESRCH;
}

/* Of a process by the number of its first thread, or of any thread. */
static err_t prepare_by_number(struct process *process, int32_t number, unsigned flags,
			       struct pidfd_new *out)
{
	struct pidfd found = {.process = process, .tid = number};

	if (process->pid == number)
		return pidfd_prepare(process, flags, out);
	if (!(flags & PIDFD_THREAD))
		return -EINVAL; /* as the Linux of uname's release */
	if (uthread_visit(number, prepare_thread, &found))
		return -ESRCH;
	return prepare(process, found.tid, found.serial, flags, out);
}

int sys_pidfd_open(int pid, unsigned flags)
{
	int32_t number = pid_meant(pid);
	struct pidfd_new prepared;
	struct process *process;
	err_t err;

	if (flags & ~(unsigned)(PIDFD_NONBLOCK | PIDFD_THREAD) || pid <= 0)
		return -EINVAL;
	process = process_find_by_thread(number);
	if (!process)
		return -ESRCH;
	err = prepare_by_number(process, number, flags, &prepared);
	process_put(process);
	if (err)
		return err;
	pidfd_install(&prepared);
	return prepared.fd;
}

/* What a signal is sent to. */
struct target {
	struct process *process; /* a reference */
	int32_t tid;             /* of the thread; PID_NOBODY: it has gone */
	uint64_t serial;         /* of the number, which a group may have longer */
	unsigned scope;          /* one of PIDFD_SIGNAL_* */
};

/* Unlike rt_sigqueueinfo()'s it has to name the signal, too; only to itself may a thread pretend
 * that another sent it. */
static err_t read_info(const struct target *target, int signal, uptr_t from,
		       struct signal_info *info)
{
	bool is_own = target->tid == uthread_current()->tid &&
		      target->scope != PIDFD_SIGNAL_PROCESS_GROUP;

	if (user_get(info, from))
		return -EFAULT;
	info->padding = 0;
	signal_info_from_program(info);
	if (info->signal != signal)
		return -EINVAL;
	return signal_check_info(is_own ? process_current() : NULL, info);
}

/* A process's directory in /proc does as well, from before there were descriptors of processes. */
static err_t get_signalled(int fd, struct pidfd_named *out)
{
	struct object *object = fd_get(current_fds(), fd);
	err_t err = 0;

	if (!object)
		return -EBADF;
	if (!get_named(object, out)) {
		err = procfs_process(object, &out->process);
		if (!err)
			out->serial = out->process->link.serial;
	}
	object_put(object);
	return err;
}

static err_t find_target(int fd, unsigned flags, struct target *out)
{
	struct pidfd_named named = {0};
	err_t err = get_signalled(fd, &named);

	if (err)
		return err;
	/* However one came by it: its namespace says whom a process reaches. */
	if (!pid_namespace_sees(process_current()->pid_namespace, named.process)) {
		process_put(named.process);
		return -EINVAL;
	}
	out->process = named.process;
	out->tid = named.tid ? named.tid : named.process->pid;
	out->serial = named.serial;
	out->scope = flags;
	if (!flags)
		out->scope = named.flags & PIDFD_THREAD ? PIDFD_SIGNAL_THREAD
							: PIDFD_SIGNAL_THREAD_GROUP;
	return 0;
}

static err_t send_to(const struct target *target, const struct signal_info *info)
{
	/* It may have members though its leader has gone. */
	if (target->scope == PIDFD_SIGNAL_PROCESS_GROUP)
		return signal_send_to_group(target->tid, target->serial, info);
	if (load_acquire(&target->process->state) == PROCESS_REAPED || target->tid == PID_NOBODY)
		return -ESRCH;
	if (target->scope == PIDFD_SIGNAL_THREAD)
		return signal_send_to_thread(target->process, target->tid, info);
	return signal_send_allowed(target->process, info);
}

int sys_pidfd_send_signal(int fd, int signal, uptr_t info, unsigned flags)
{
	struct signal_info sent;
	struct target target;
	err_t err;

	if (flags & ~(PIDFD_SIGNAL_THREAD | PIDFD_SIGNAL_THREAD_GROUP |
		      PIDFD_SIGNAL_PROCESS_GROUP) ||
	    flags & (flags - 1))
		return -EINVAL;
	err = find_target(fd, flags, &target);
	if (err)
		return err;
	sent = signal_info_from_self(signal,
				     target.scope == PIDFD_SIGNAL_THREAD ? SI_TKILL : SI_USER);
	if (!uptr_is_null(info))
		err = read_info(&target, signal, info, &sent);
	if (!err && (signal < 0 || signal > SIGNAL_MAX))
		err = -EINVAL;
	if (!err)
		err = send_to(&target, &sent);
	process_put(target.process);
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
