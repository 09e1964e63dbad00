/*
 * ioctl and poll of a driver's files. An ioctl is restricted: its number says how many bytes it
 * moves. A file that was polled has a number of its own, by which the driver wakes who waits.
 */
#include "server_priv.h"

#include <abi/capability.h>
#include <abi/fcntl.h>
#include <arch/user.h>
#include <fusek/path.h>
#include <lib/string.h>
#include <mm/kva.h>

/* The fields of a command's number. */
#define IOCTL_BYTES(command) (((command) >> 16) & 0x3fff)
#define IOCTL_WRITES         0x40000000u /* the program's memory goes in */
#define IOCTL_READS          0x80000000u /* and comes back */

#define FIBMAP 1u

/* ---- ioctl ---- */

/* Where an answer's bytes go, and what the call gives. */
struct ioctl_answer {
	void *to;
	size_t out_bytes;
	ssize_t result;
};

static err_t decode_ioctl(const struct fuse_session *session, const struct fuse_reply *reply,
			  void *out)
{
	struct ioctl_answer *answer = out;

	(void)session;
	answer->result = fuse_answer_ioctl(reply, answer->to, &answer->out_bytes);
	/* What the driver calls a failure has no bytes. */
	return answer->result < 0 ? (err_t)answer->result : 0;
}

/* The program's bytes, in frames. */
static err_t copy_in(struct fuse_pages *pages, uptr_t from, size_t len_bytes)
{
	for (size_t done = 0; done < len_bytes; done += PAGE_SIZE)
		if (user_copy_in(frame_virt(pages->frames[done / PAGE_SIZE]),
				 uptr(from.value + done), MIN(len_bytes - done, PAGE_SIZE)))
			return -EFAULT;
	return 0;
}

/* ---- where a file's blocks lie ---- */

static err_t decode_bmap(const struct fuse_session *session, const struct fuse_reply *reply,
			 void *out)
{
	(void)session;
	return fuse_answer_bmap(reply, out);
}

/* Block 0 stands for none: on what is no block device, or where the driver does not know. */
static err_t find_block(struct server *server, struct nodeid node, uint64_t *block)
{
	const struct fuse_mount_options *options = options_of(server);
	struct driver_call call;
	err_t err = options->is_block ? driver_begin(&call, server, NULL) : -ENOSYS;

	if (!err) {
		fuse_ask_bmap(call.message, node, *block, options->block_bytes);
		err = driver_end(&call, decode_bmap, block);
	}
	if (err == -ENOSYS)
		*block = 0;
	return err == -ENOSYS ? 0 : err;
}

/* FIBMAP: a number of the file's is replaced by the device's. */
static ssize_t map_block(struct server *server, struct nodeid node, uptr_t argument)
{
	const struct vfs_context context = vfs_caller_context();
	uint64_t block;
	int32_t number;
	err_t err;

	if (!vfs_capable(&context, CAP_SYS_RAWIO))
		return -EPERM;
	if (user_get(&number, argument))
		return -EFAULT;
	if (number < 0)
		return -EINVAL;
	block = (uint64_t)number;
	err = find_block(server, node, &block);
	if (!err && block > INT32_MAX)
		err = -ERANGE;
	number = err ? 0 : (int32_t)block;
	return user_put(argument, &number) ? -EFAULT : err;
}

static err_t begin_ioctl(struct driver_call *call, struct server *server,
			 const struct fuse_ioctl_call *ioctl)
{
	err_t err = driver_begin(call, server, NULL);

	if (err)
		return err;
	if (ioctl->directory && !(call->session->flags & FUSE_HAS_IOCTL_DIR))
		return -ENOSYS;
	if (!ioctl->in_bytes)
		return 0;
	call->request.payload = fuse_pages_alloc(ioctl->in_bytes);
	if (!call->request.payload)
		return -ENOMEM;
	err = copy_in(call->request.payload, uptr(ioctl->argument), ioctl->in_bytes);
	if (err)
		fuse_request_done(&call->request);
	return err;
}

ssize_t driver_ioctl(struct server *server, struct nodeid node, struct handle handle,
		     unsigned command, uptr_t argument, unsigned flags)
{
	const struct fuse_ioctl_call ioctl = {
		.command = command,
		.argument = argument.value,
		.directory = flags & O_DIRECTORY,
		.in_bytes = (command & IOCTL_WRITES) ? IOCTL_BYTES(command) : 0,
		.out_bytes = (command & IOCTL_READS) ? IOCTL_BYTES(command) : 0};
	struct ioctl_answer answer = {.out_bytes = ioctl.out_bytes};
	struct driver_call call;
	err_t err;

	/* Of files: a device of the driver's has no node. */
	if (command == FIBMAP && !(flags & O_DIRECTORY) && node.value)
		return map_block(server, node, argument);
	if (connection_of(server)->unrestricted)
		return driver_ioctl_free(server, node, handle, command, argument);
	err = begin_ioctl(&call, server, &ioctl);
	if (err)
		return err;
	if (ioctl.out_bytes) {
		answer.to = kvmalloc(ioctl.out_bytes);
		if (!answer.to) {
			fuse_request_done(&call.request);
			return -ENOMEM;
		}
	}
	call.request.handle = handle_of(handle);
	fuse_ask_ioctl(call.message, node, fh_of(handle), &ioctl);
	err = driver_end(&call, decode_ioctl, &answer);
	if (!err && answer.out_bytes && user_copy_out(argument, answer.to, answer.out_bytes))
		err = -EFAULT;
	kvfree(answer.to, ioctl.out_bytes);
	return err ? err : answer.result;
}

/* ---- poll ---- */

#define ALWAYS_READY ((unsigned)(POLLIN | POLLOUT))

/* The driver has said what is ready, or never will. */
static void poll_ended(struct fuse_request *request)
{
	struct fuse_reply reply = fuse_request_reply(request);
	unsigned events = POLLERR;

	if (request->error == -ENOSYS) {
		driver_note_lack(request->connection, FUSE_POLL);
		events = ALWAYS_READY;
	} else if (!request->error && fuse_answer_poll(&reply, &events)) {
		events = POLLERR;
	}
	fuse_poll_answered(request->handle, events);
	fuse_request_free(request);
}

/* Asks without waiting. */
static void ask_behind(struct fuse_connection *connection, struct nodeid node, struct handle handle)
{
	struct fuse_request *request = driver_request_for(connection, handle, poll_ended);

	if (!request) {
		fuse_poll_answered(handle_of(handle), POLLERR); /* no memory */
		return;
	}
	fuse_ask_poll(&request->message, node, fh_of(handle),
		      fuse_handle_number(handle_of(handle)));
	fuse_send(connection, request);
}

unsigned driver_poll(struct server *server, struct nodeid node, struct handle handle,
		     struct waitq **queue)
{
	struct fuse_connection *connection = connection_of(server);
	unsigned events;

	if (!handle.value)
		return ALWAYS_READY;
	*queue = &handle_of(handle)->polled;
	if (driver_lacks(connection, FUSE_POLL))
		return ALWAYS_READY;
	if (fuse_poll_look(handle_of(handle), &events))
		ask_behind(connection, node, handle);
	return events;
}

static err_t decode_poll(const struct fuse_session *session, const struct fuse_reply *reply,
			 void *out)
{
	(void)session;
	return fuse_answer_poll(reply, out);
}

void driver_poll_ask(struct server *server, struct nodeid node, struct handle handle)
{
	struct fuse_connection *connection = connection_of(server);
	struct driver_call call;
	unsigned events = 0;
	uint64_t version;
	err_t err;

	if (!handle.value || driver_lacks(connection, FUSE_POLL))
		return;
	version = fuse_poll_version(handle_of(handle));
	err = driver_begin(&call, server, NULL);
	if (!err) {
		call.request.handle = handle_of(handle);
		fuse_ask_poll(call.message, node, fh_of(handle),
			      fuse_handle_number(handle_of(handle)));
		err = driver_end(&call, decode_poll, &events);
	}
	fuse_poll_told(handle_of(handle), err ? POLLERR : events, version);
}
