/*
 * Control messages: what goes beside the bytes of a message, descriptors (SCM_RIGHTS) and who sent
 * them (SCM_CREDENTIALS), in and out of programs. Owns no state.
 */
#include "socket.h"

#include "../namespace/pid.h"
#include "../process/capability.h"
#include "../process/pidfd.h"
#include "../process/uthread.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/time.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <ipc/fdtable.h>
#include <ipc/user_namespace.h>
#include <lib/string.h>
#include <mm/slab.h>

#define CONTROL_BYTES_MAX 4096 /* of one message; what is served needs less */

/* ---- sent ---- */

/* As Linux counts objects on their way: an administrator has no limit. */
static err_t begin_rights(unsigned room, struct socket_message *message)
{
	const struct uthread *self = uthread_current();
	bool unlimited = capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN);

	message->rights = socket_rights_alloc(room);
	if (!message->rights)
		return -ENOMEM;
	message->user = self->ids.uid;
	message->max_in_flight =
		unlimited ? UINT64_MAX : read_once(&self->process->limits[RLIMIT_NOFILE].rlim_cur);
	return 0;
}

static err_t read_rights(const char *data, size_t len_bytes, unsigned room,
			 struct socket_message *message)
{
	unsigned count = (unsigned)(len_bytes / sizeof(int));
	err_t err = message->rights ? 0 : begin_rights(room, message);

	if (err)
		return err;
	if (count > message->rights->room - message->rights->count)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++) {
		struct object *object;
		int fd;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		object = fd_get(current_fds(), fd);
		if (!object)
			return -EBADF;
		message->rights->objects[message->rights->count++] = object;
	}
	return 0;
}

/* Only the administrator may say that it is somebody else. */
static err_t read_credentials(const struct abi_ucred *said, struct socket_message *message)
{
	const struct uthread *self = uthread_current();
	const struct credentials *ids = &self->ids;
	uint32_t uid = id_to_global(ids->user, ID_USER, said->uid);
	uint32_t gid = id_to_global(ids->user, ID_GROUP, said->gid);

	if (uid == ID_NONE || gid == ID_NONE)
		return -EINVAL;
	if (said->pid != self->process->own_pid &&
	    !pid_namespace_capable(self->process->pid_namespace, CAP_SYS_ADMIN))
		return -EPERM;
	if (uid != ids->uid && uid != ids->euid && uid != ids->suid &&
	    !capable_in(ids->user, CAP_SETUID))
		return -EPERM;
	if (gid != ids->gid && gid != ids->egid && gid != ids->sgid &&
	    !capable_in(ids->user, CAP_SETGID))
		return -EPERM;
	message->from = (struct abi_ucred){.pid = pid_meant(said->pid), .uid = uid, .gid = gid};
	if (message->from.pid == PID_NOBODY)
		return -ESRCH;
	return 0;
}

static err_t read_control(const char *control, size_t len_bytes, struct socket_message *message)
{
	struct abi_cmsghdr header;
	const unsigned room = (unsigned)MIN(len_bytes / sizeof(int), (size_t)SCM_MAX_FD);
	err_t err = 0;

	for (size_t at = 0; !err && at + sizeof(header) <= len_bytes;
	     at += ALIGN_UP(header.len_bytes, 8)) {
		const void *data = control + at + sizeof(header);
		size_t data_bytes;

		memcpy(&header, control + at, sizeof(header));
		if (header.len_bytes < sizeof(header) || header.len_bytes > len_bytes - at)
			return -EINVAL;
		data_bytes = header.len_bytes - sizeof(header);
		if (header.level != SOL_SOCKET)
			continue;
		if (header.type == SCM_RIGHTS)
			err = read_rights(data, data_bytes, room, message);
		else if (header.type == SCM_CREDENTIALS && data_bytes == sizeof(struct abi_ucred))
			err = read_credentials(data, message);
		else
			err = -EINVAL;
	}
	return err;
}

err_t control_get(const struct abi_msghdr *header, struct socket_message *message)
{
	char *control;
	err_t err;

	if (!header->control || !header->control_bytes)
		return 0;
	if (header->control_bytes > CONTROL_BYTES_MAX)
		return -ENOBUFS;
	control = kmalloc(header->control_bytes);
	if (!control)
		return -ENOMEM;
	err = user_copy_in(control, uptr(header->control), header->control_bytes);
	if (!err)
		err = read_control(control, header->control_bytes, message);
	kfree(control);
	return err;
}

/* ---- received ---- */

#define RECORD_BYTES_MAX 48

/* False: there is no room for it, which the program is told. */
static bool put_record(struct control_writer *writer, int type, const void *data, size_t data_bytes)
{
	struct {
		struct abi_cmsghdr header;
		char data[RECORD_BYTES_MAX];
	} record = {.header = {sizeof(record.header) + data_bytes, SOL_SOCKET, type}};

	memcpy(record.data, data, data_bytes);
	if (writer->room_bytes - writer->used_bytes < record.header.len_bytes ||
	    user_copy_out(uptr_add(writer->to, writer->used_bytes), &record,
			  record.header.len_bytes)) {
		writer->flags |= MSG_CTRUNC;
		return false;
	}
	writer->used_bytes +=
		MIN(ALIGN_UP(record.header.len_bytes, 8), writer->room_bytes - writer->used_bytes);
	return true;
}

struct abi_ucred credentials_for_program(const struct abi_ucred *from)
{
	struct abi_ucred told = *from;

	told.pid = pid_shown(from->pid);
	if (told.uid != ID_NONE)
		told.uid = id_for_program(ID_USER, told.uid);
	if (told.gid != ID_NONE)
		told.gid = id_for_program(ID_GROUP, told.gid);
	return told;
}

void control_put_credentials(struct control_writer *writer, const struct abi_ucred *from)
{
	const struct abi_ucred told = credentials_for_program(from);

	(void)put_record(writer, SCM_CREDENTIALS, &told, sizeof(told));
}

void control_put_stamp(struct control_writer *writer, int option, uint64_t stamp_ns)
{
	struct abi_timespec time, three[3] = {0}; /* by software, and two by a device */

	if (!stamp_ns)
		stamp_ns = clock_wall_ns();
	time = (struct abi_timespec){.tv_sec = (int64_t)(stamp_ns / NSEC_PER_SEC),
				     .tv_nsec = (int64_t)(stamp_ns % NSEC_PER_SEC)};
	/* A timeval has the same form, in microseconds. */
	if (option == SO_TIMESTAMP || option == SO_TIMESTAMP_NEW)
		time.tv_nsec /= (int64_t)NSEC_PER_USEC;
	three[0] = time;
	if (option == SO_TIMESTAMPING || option == SO_TIMESTAMPING_NEW)
		(void)put_record(writer, option, three, sizeof(three));
	else
		(void)put_record(writer, option, &time, sizeof(time));
}

void control_put_pidfd(struct control_writer *writer, struct process *process)
{
	struct pidfd_new prepared;
	err_t err = pidfd_prepare(process, 0, &prepared);
	int told = err ? err : prepared.fd;
	bool is_told = put_record(writer, SCM_PIDFD, &told, sizeof(told));

	if (err)
		return;
	if (is_told)
		pidfd_install(&prepared);
	else
		pidfd_cancel(&prepared);
}

/* A descriptor for one of them, whose number the program learns before it is there. */
static err_t put_right(uptr_t to, struct object *object, unsigned fd_flags)
{
	int fd;
	err_t err = fd_reserve(current_fds(), 0, fd_flags, &fd);

	if (err)
		return err;
	if (user_put(to, &fd)) {
		fd_unreserve(current_fds(), fd);
		return -EFAULT;
	}
	fd_install(current_fds(), fd, object_get(object));
	return 0;
}

void control_put_rights(struct control_writer *writer, const struct socket_rights *rights,
			unsigned fd_flags)
{
	struct abi_cmsghdr header = {.level = SOL_SOCKET, .type = SCM_RIGHTS};
	uptr_t at = uptr_add(writer->to, writer->used_bytes);
	size_t room_bytes = writer->room_bytes - writer->used_bytes;
	size_t room = room_bytes < sizeof(header) ? 0 : (room_bytes - sizeof(header)) / sizeof(int);
	unsigned count = 0;

	while (count < MIN(room, (size_t)rights->count) &&
	       !put_right(uptr_add(at, sizeof(header) + count * sizeof(int)),
			  rights->objects[count], fd_flags))
		count++;
	if (count < rights->count)
		writer->flags |= MSG_CTRUNC;
	if (!count)
		return;
	header.len_bytes = sizeof(header) + count * sizeof(int);
	if (user_put(at, &header))
		writer->flags |= MSG_CTRUNC;
	else
		writer->used_bytes += MIN(ALIGN_UP(header.len_bytes, 8), room_bytes);
}
