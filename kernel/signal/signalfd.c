/*
 * signalfd: a set of signals that are read as records. Those that wait are the reading process's
 * and thread's, whoever made the descriptor, so the queue that is woken is the process's too: one
 * of a few that stay for ever, by its number. Who is woken for another process's signal looks
 * again.
 */
#include "signal.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/signalfd.h>
#include <arch/user.h>
#include <ipc/anonymous.h>
#include <ipc/fdtable.h>
#include <lib/string.h>
#include <mm/slab.h>

#define QUEUES 64

struct signalfd {
	struct object object;
	uint64_t set; /* atomic */
};

static const struct object_ops signalfd_ops;
static struct waitq queues[QUEUES];

void signalfd_init(void)
{
	for (unsigned i = 0; i < QUEUES; i++)
		waitq_init(&queues[i]);
}

static struct waitq *queue_of(const struct process *process)
{
	return &queues[(uint32_t)process->pid % QUEUES];
}

void signalfd_tell(const struct process *process)
{
	waitq_wake_all_events(queue_of(process), POLLIN);
}

static struct signalfd *signalfd_of(struct object *object)
{
	return container_of(object, struct signalfd, object);
}

/* ---- reading ---- */

static void fill_child(struct abi_signalfd_siginfo *record, const struct signal_info *info)
{
	record->ssi_status = (int32_t)info->fields[1];
	record->ssi_utime = info->fields[2];
	record->ssi_stime = info->fields[3];
}

/* Which fields there are goes by number and code, as in sigaction(2). */
static struct abi_signalfd_siginfo record_of(const struct signal_info *info)
{
	struct abi_signalfd_siginfo record = {
		.ssi_signo = (uint32_t)info->signal,
		.ssi_errno = info->error,
		.ssi_code = info->code,
	};
	bool is_kernels = info->code > 0 && info->code < SI_KERNEL;

	if (is_kernels && info->signal != SIGCHLD) {
		record.ssi_addr = info->fields[0]; /* of a fault */
		return record;
	}
	record.ssi_pid = (uint32_t)info->fields[0];
	record.ssi_uid = (uint32_t)(info->fields[0] >> 32);
	if (is_kernels)
		fill_child(&record, info);
	if (info->code < 0) {
		record.ssi_ptr = info->fields[1];
		record.ssi_int = (int32_t)info->fields[1];
	}
	return record;
}

static ssize_t signalfd_read(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct signalfd *signalfd = signalfd_of(object);
	struct waitq *queue = queue_of(process_current());
	struct abi_signalfd_siginfo record;
	struct signal_info info;
	size_t moved = 0;
	err_t err;

	if (offset)
		return -ESPIPE;
	if (buffer_remaining(buffer) < sizeof(record))
		return -EINVAL;
	err = object_wait(object, queue, signal_try_take(read_once(&signalfd->set), &info));
	if (err)
		return err;
	do {
		record = record_of(&info);
		if (buffer_copy_to(buffer, &record, sizeof(record)) < sizeof(record))
			return moved ? (ssize_t)moved : -EFAULT; /* that one is lost, as on Linux */
		moved += sizeof(record);
	} while (buffer_remaining(buffer) >= sizeof(record) &&
		 signal_try_take(read_once(&signalfd->set), &info));
	return (ssize_t)moved;
}

static unsigned signalfd_poll(struct object *object, struct waitq **queue)
{
	const struct uthread *self = uthread_current();

	*queue = queue_of(self->process);
	return signal_pending_set(self) & read_once(&signalfd_of(object)->set) ? POLLIN : 0;
}

/* ---- its life ---- */

static void signalfd_describe(UNUSED struct object *object, char *to, size_t to_bytes)
{
	string_copy(to, to_bytes, "anon_inode:[signalfd]");
}

static void signalfd_free(struct object *object)
{
	kfree(signalfd_of(object));
}

static const struct object_ops signalfd_ops = {
	.read = signalfd_read,
	.poll = signalfd_poll,
	.stat = anonymous_stat,
	.describe = signalfd_describe,
	.free = signalfd_free,
};

static int create(uint64_t set, unsigned flags)
{
	struct signalfd *signalfd = kzalloc(sizeof(*signalfd));

	if (!signalfd)
		return -ENOMEM;
	object_init(&signalfd->object, &signalfd_ops, OBJECT_OTHER, O_RDWR | (flags & O_NONBLOCK));
	signalfd->set = set;
	return fd_add(current_fds(), &signalfd->object, flags & O_CLOEXEC);
}

static int change(int fd, uint64_t set)
{
	struct object *object = fd_get(current_fds(), fd);
	int result = -EINVAL;

	if (!object)
		return -EBADF;
	if (object->ops == &signalfd_ops) {
		write_once(&signalfd_of(object)->set, set);
		signalfd_tell(process_current()); /* more of what waits may be of it now */
		result = fd;
	}
	object_put(object);
	return result;
}

/* ---- the calls ---- */

int sys_signalfd4(int fd, uptr_t set, size_t set_bytes, unsigned flags)
{
	uint64_t wanted;

	if (set_bytes != ABI_SIGSET_BYTES)
		return -EINVAL;
	if (user_get(&wanted, set))
		return -EFAULT;
	if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	wanted &= ~UNBLOCKABLE_SIGNALS;
	return fd == -1 ? create(wanted, flags) : change(fd, wanted);
}

int sys_signalfd(int fd, uptr_t set, size_t set_bytes)
{
	return sys_signalfd4(fd, set, set_bytes, 0);
}
