/*
 * ioctl of drivers that may say which memory of the program they want (CUSE with
 * CUSE_UNRESTRICTED_IOCTL): they are asked with none at first, and again with what they named. No
 * state.
 */
#include "server_priv.h"

#include <abi/fcntl.h>
#include <arch/user.h>
#include <lib/string.h>
#include <mm/kva.h>

#define ROUNDS_MAX 16 /* of wanting other memory each time */

/* What an answer says: a result with bytes, or what the driver wants. */
struct free_answer {
	struct fuse_ioctl_pieces *wanted;
	void *to;
	size_t out_bytes;
	ssize_t result;
	bool again;
};

static err_t decode_free(UNUSED const struct fuse_session *session, const struct fuse_reply *reply,
			 void *out)
{
	struct free_answer *answer = out;
	err_t err = fuse_answer_ioctl_retry(reply, answer->wanted);

	answer->again = !err;
	if (err != -EINVAL) /* it was that, well or not */
		return err;
	answer->result = fuse_answer_ioctl(reply, answer->to, &answer->out_bytes);
	return answer->result < 0 ? (err_t)answer->result : 0;
}

/* The pieces that go in, one after the other. */
static err_t gather(struct fuse_pages *pages, const struct fuse_ioctl_pieces *pieces)
{
	size_t at = 0;

	for (uint32_t i = 0; i < pieces->nin; i++) {
		for (uint64_t done = 0; done < pieces->pieces[i].len;) {
			size_t room = PAGE_SIZE - at % PAGE_SIZE;
			size_t step = MIN((size_t)(pieces->pieces[i].len - done), room);
			char *to =
				(char *)frame_virt(pages->frames[at / PAGE_SIZE]) + at % PAGE_SIZE;

			if (user_copy_in(to, uptr(pieces->pieces[i].base + done), step))
				return -EFAULT;
			at += step;
			done += step;
		}
	}
	return 0;
}

/* Those that come back. */
static err_t scatter(const struct fuse_ioctl_pieces *pieces, const char *from, size_t len_bytes)
{
	for (uint32_t i = pieces->nin; i < pieces->nin + pieces->nout && len_bytes; i++) {
		size_t step = MIN((size_t)pieces->pieces[i].len, len_bytes);

		if (user_copy_out(uptr(pieces->pieces[i].base), from, step))
			return -EFAULT;
		from += step;
		len_bytes -= step;
	}
	return 0;
}

static err_t ask_once(struct server *server, struct nodeid node, struct handle handle,
		      const struct fuse_ioctl_call *ioctl, const struct fuse_ioctl_pieces *pieces,
		      struct free_answer *answer)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, NULL);

	if (err)
		return err;
	if (ioctl->in_bytes) {
		call.request.payload = fuse_pages_alloc(ioctl->in_bytes);
		err = call.request.payload ? gather(call.request.payload, pieces) : -ENOMEM;
		if (err) {
			fuse_request_done(&call.request);
			return err;
		}
	}
	call.request.handle = handle_of(handle);
	fuse_ask_ioctl(call.message, node, fh_of(handle), ioctl);
	return driver_end(&call, decode_free, answer);
}

/* `pieces` is what the driver wanted, and becomes what it wants next. */
static ssize_t ask_with(struct server *server, struct nodeid node, struct handle handle,
			unsigned command, uptr_t argument, struct fuse_ioctl_pieces *pieces,
			struct fuse_ioctl_pieces *wanted, bool *again)
{
	const struct fuse_ioctl_call ioctl = {.command = command,
					      .argument = argument.value,
					      .unrestricted = true,
					      .in_bytes = pieces->in_bytes,
					      .out_bytes = pieces->out_bytes};
	struct free_answer answer = {.wanted = wanted, .out_bytes = pieces->out_bytes};
	err_t err;

	if (pieces->out_bytes) {
		answer.to = kvmalloc(pieces->out_bytes);
		if (!answer.to)
			return -ENOMEM;
	}
	err = ask_once(server, node, handle, &ioctl, pieces, &answer);
	if (!err && !answer.again)
		err = scatter(pieces, answer.to, answer.out_bytes);
	kvfree(answer.to, pieces->out_bytes);
	*again = answer.again;
	return err ? err : answer.result;
}

ssize_t driver_ioctl_free(struct server *server, struct nodeid node, struct handle handle,
			  unsigned command, uptr_t argument)
{
	struct fuse_ioctl_pieces *pieces = kvmalloc(2 * sizeof(*pieces));
	ssize_t result = -ENOMEM;
	bool again = true;

	if (!pieces)
		return -ENOMEM;
	pieces[0].nin = pieces[0].nout = 0;
	pieces[0].in_bytes = pieces[0].out_bytes = 0;
	for (unsigned i = 0; again; i++) {
		result = i < ROUNDS_MAX ? ask_with(server, node, handle, command, argument,
						   &pieces[i % 2], &pieces[1 - i % 2], &again)
					: -EIO;
		if (result < 0)
			break;
	}
	kvfree(pieces, 2 * sizeof(*pieces));
	return result;
}
