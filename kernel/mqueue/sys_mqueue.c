/*
 * System calls on POSIX message queues. What they do is in ipc/mqueue/. Owns no state.
 */
#include "../namespace/pid.h"
#include "../process/uthread.h"
#include "../signal/signal.h"
#include "../time/clocks.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <ipc/fdtable.h>
#include <ipc/mqueue.h>
#include <ipc/socket.h>
#include <lib/string.h>
#include <mm/slab.h>

#define COOKIE_BYTES 32 /* of SIGEV_THREAD */

uint64_t mqueue_caller_limit_bytes(void)
{
	const struct process *process = process_current();

	return process ? read_once(&process->limits[RLIMIT_MSGQUEUE].rlim_cur) : UINT64_MAX;
}

/* *name is kmalloc'ed. */
static err_t get_name(uptr_t from, char **name)
{
	ssize_t len;

	*name = kmalloc(PATH_MAX);
	if (!*name)
		return -ENOMEM;
	len = user_copy_string(*name, from, PATH_MAX);
	if (len >= 0)
		return 0;
	kfree(*name);
	return (err_t)len;
}

int sys_mq_open(uptr_t name, unsigned open_flags, unsigned mode, uptr_t attributes)
{
	bool shaped = open_flags & O_CREAT && !uptr_is_null(attributes);
	struct abi_mq_attr shape;
	struct object *object;
	char *copied;
	err_t err;

	if (shaped && user_get(&shape, attributes))
		return -EFAULT;
	err = get_name(name, &copied);
	if (err)
		return err;
	err = mqueue_open(copied, open_flags, mode & 0777 & ~uthread_fs()->umask,
			  shaped ? &shape : NULL, &object);
	kfree(copied);
	return err ? err : fd_add(current_fds(), object, O_CLOEXEC);
}

int sys_mq_unlink(uptr_t name)
{
	char *copied;
	err_t err = get_name(name, &copied);

	if (err)
		return err;
	err = mqueue_unlink(copied);
	kfree(copied);
	return err;
}

/* ---- messages ---- */

static err_t read_deadline(uptr_t timeout, uint64_t *deadline_ns)
{
	struct abi_timespec time;

	*deadline_ns = UINT64_MAX;
	if (uptr_is_null(timeout))
		return 0;
	if (user_get(&time, timeout))
		return -EFAULT;
	if (!timespec_is_valid(&time))
		return -EINVAL;
	*deadline_ns = clock_deadline_of_day(NULL, ns_of_timespec(&time));
	return 0;
}

int sys_mq_timedsend(int mqfd, uptr_t data, size_t len, unsigned priority, uptr_t timeout)
{
	struct mqueue_transfer transfer = {.priority = priority};
	struct object *object;
	struct buffer from;
	err_t err;

	if (priority >= MQ_PRIO_MAX)
		return -EINVAL;
	err = read_deadline(timeout, &transfer.deadline_ns);
	if (err)
		return err;
	object = fd_get(current_fds(), mqfd);
	if (!object)
		return (err_t)clock_day_slept(-EBADF);
	/* Its length is looked at before its place. */
	err = buffer_init_user(&from, data, len);
	if (err)
		err = mqueue_send(object, NULL, SIZE_MAX, &transfer) == -EMSGSIZE ? -EFAULT
										  : -EBADF;
	else
		err = mqueue_send(object, &from, len, &transfer);
	object_put(object);
	return (err_t)clock_day_slept(err);
}

ssize_t sys_mq_timedreceive(int mqfd, uptr_t buf, size_t len, uptr_t priority, uptr_t timeout)
{
	struct mqueue_transfer transfer = {0};
	struct object *object;
	struct buffer to;
	ssize_t result;
	err_t err = read_deadline(timeout, &transfer.deadline_ns);

	if (err)
		return err;
	object = fd_get(current_fds(), mqfd);
	if (!object)
		return clock_day_slept(-EBADF);
	result = buffer_init_user(&to, buf, len);
	if (!result)
		result = mqueue_receive(object, &to, &transfer);
	result = clock_day_slept(result);
	object_put(object);
	if (result >= 0 && !uptr_is_null(priority) && user_put(priority, &transfer.priority))
		return -EFAULT;
	return result;
}

int sys_mq_getsetattr(int mqfd, uptr_t attributes, uptr_t before)
{
	struct abi_mq_attr wanted, old;
	bool set = !uptr_is_null(attributes);
	struct object *object;
	unsigned flags;
	err_t err;

	if (set && user_get(&wanted, attributes))
		return -EFAULT;
	if (set && wanted.mq_flags & ~(int64_t)O_NONBLOCK)
		return -EINVAL;
	object = fd_get(current_fds(), mqfd);
	if (!object)
		return -EBADF;
	err = mqueue_attributes(object, &old);
	if (!err && set) {
		flags = object_flags(object) & ~(unsigned)O_NONBLOCK;
		err = object_set_flags(object, flags | (unsigned)wanted.mq_flags);
	}
	object_put(object);
	if (err || uptr_is_null(before))
		return err;
	return user_put(before, &old);
}

/* ---- mq_notify ---- */

struct notice {
	struct mqueue_notify notify;
	struct process *process; /* a reference */
	uint32_t nexecuted;      /* its, when it asked: another program did not, and may have rights
				    that its user has not */
	uint64_t value;
	/* SIGEV_THREAD: the library waits for the cookie at the socket, a reference. */
	struct object *socket;
	struct message *cookie;
};

/* What the cookie's last byte says. */
enum { COOKIE_NONE, COOKIE_WOKEN_UP, COOKIE_REMOVED };

static void notice_free(struct notice *notice)
{
	socket_notice_free(notice->cookie);
	object_put(notice->socket);
	process_put(notice->process);
	kfree(notice);
}

static void send_cookie(struct notice *notice, char why)
{
	socket_notice_bytes(notice->cookie)[COOKIE_BYTES - 1] = why;
	socket_notice_send(notice->socket, notice->cookie);
	notice->cookie = NULL;
}

static void notice_end(struct mqueue_notify *notify, const struct sysv_caller *sender)
{
	struct notice *notice = container_of(notify, struct notice, notify);
	struct abi_siginfo info = {
		.si_pid = sender ? pid_number_in(notice->process->pid_namespace, sender->pid) : 0,
		.si_uid = sender ? sender->uid : 0,
		.si_value = notice->value};
	struct signal_info signal = {.signal = notify->signal, .code = SI_MESGQ};

	for (unsigned i = 0; i < ARRAY_SIZE(signal.fields); i++)
		signal.fields[i] = info.si_fields[i];
	if (sender && notify->notify == SIGEV_SIGNAL && notify->signal &&
	    read_once(&notice->process->nexecuted) == notice->nexecuted)
		(void)!signal_send(notice->process, &signal); /* no room: it is lost, as on Linux */
	if (notice->cookie)
		send_cookie(notice, sender ? COOKIE_WOKEN_UP : COOKIE_REMOVED);
	notice_free(notice);
}

/* By a socket that the library made for it, whose descriptor stands in the signal's place. */
static err_t find_socket(int fd, struct notice *out)
{
	out->socket = fd_get(current_fds(), fd);
	if (!out->socket)
		return -EBADF;
	if (!object_is_socket(out->socket))
		return -ENOTSOCK;
	return socket_family(out->socket) == AF_NETLINK ? 0 : -EINVAL;
}

/* Waits while too many of them stand unread there. */
static err_t read_cookie(const struct abi_sigevent *asked, struct notice *out)
{
	char cookie[COOKIE_BYTES];
	struct object *full;
	err_t err;

	if (user_copy_in(cookie, uptr(asked->sigev_value), sizeof(cookie)))
		return -EFAULT;
	for (;;) {
		err = find_socket(asked->sigev_signo, out);
		if (!err)
			err = socket_notice_alloc(out->socket, sizeof(cookie), &out->cookie);
		if (err != -EAGAIN)
			break;
		full = out->socket;
		out->socket = NULL;
		err = socket_notice_wait(full);
		if (err)
			break;
	}
	if (!err)
		memcpy(socket_notice_bytes(out->cookie), cookie, sizeof(cookie));
	return err;
}

/* Fills it; on an error too, notice_free() gives back what it has. */
static err_t read_notice(uptr_t event, struct notice *out)
{
	struct abi_sigevent asked;

	if (user_get(&asked, event))
		return -EFAULT;
	if (asked.sigev_notify == SIGEV_SIGNAL &&
	    (asked.sigev_signo < 0 || asked.sigev_signo > SIGNAL_MAX))
		return -EINVAL;
	if (asked.sigev_notify != SIGEV_SIGNAL && asked.sigev_notify != SIGEV_NONE &&
	    asked.sigev_notify != SIGEV_THREAD)
		return -EINVAL;
	*out = (struct notice){
		.notify = {.pid = process_current()->pid,
			   .notify = asked.sigev_notify,
			   .signal = asked.sigev_notify == SIGEV_SIGNAL ? asked.sigev_signo : 0,
			   .end = notice_end},
		.process = process_current(),
		.nexecuted = process_current()->nexecuted,
		.value = asked.sigev_value,
	};
	refcount_get(&out->process->references);
	return asked.sigev_notify == SIGEV_THREAD ? read_cookie(&asked, out) : 0;
}

int sys_mq_notify(int mqfd, uptr_t event)
{
	struct notice *notice = NULL;
	struct object *object;
	err_t err;

	if (!uptr_is_null(event)) {
		notice = kzalloc(sizeof(*notice));
		if (!notice)
			return -ENOMEM;
		err = read_notice(event, notice);
		if (err) {
			notice_free(notice);
			return err;
		}
	}
	object = fd_get(current_fds(), mqfd);
	if (object) {
		err = mqueue_set_notify(object, notice ? &notice->notify : NULL);
		object_put(object);
	} else {
		err = -EBADF;
	}
	if (err && notice)
		notice_free(notice);
	return err;
}
