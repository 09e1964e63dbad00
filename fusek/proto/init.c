/*
 * INIT: version, flags, and how much one request may carry. The reply has 64 bytes since minor 23,
 * 24 since minor 5 and 8 before; what an old driver does not say has the value that it was written
 * for.
 */
#include "message.h"

#include <lib/string.h>

#define READAHEAD_BYTES       (128u * KIB)
#define OLD_MAX_PAGES         32u
#define STACK_DEPTH_MAX       2u /* as Linux */
#define MINOR_WITH_WRITE_SIZE 5u
#define MINOR_WITH_FLAGS      6u
#define OFFERED                                                                                    \
	(FUSE_ASYNC_READ | FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS | FUSE_HAS_IOCTL_DIR |              \
	 FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES | FUSE_AUTO_INVAL_DATA | FUSE_DO_READDIRPLUS |      \
	 FUSE_READDIRPLUS_AUTO | FUSE_NO_OPEN_SUPPORT | FUSE_PARALLEL_DIROPS | FUSE_ABORT_ERROR |  \
	 FUSE_MAX_PAGES | FUSE_NO_OPENDIR_SUPPORT | FUSE_INIT_EXT | FUSE_DONT_MASK |               \
	 FUSE_SPLICE_WRITE | FUSE_SPLICE_MOVE | FUSE_SPLICE_READ | FUSE_ASYNC_DIO |                \
	 FUSE_EXPLICIT_INVAL | FUSE_SETXATTR_EXT | FUSE_HAS_EXPIRE_ONLY | FUSE_NO_EXPORT_SUPPORT | \
	 FUSE_HAS_RESEND | FUSE_EXPORT_SUPPORT | FUSE_HANDLE_KILLPRIV | FUSE_CACHE_SYMLINKS |      \
	 FUSE_WRITEBACK_CACHE | FUSE_DIRECT_IO_MMAP | FUSE_PASSTHROUGH | FUSE_REQUEST_TIMEOUT |    \
	 FUSE_KILLPRIV_V2 | FUSE_POSIX_ACL)

void fuse_ask_init(struct fuse_message *message)
{
	const struct fuse_init_in in = {.major = FUSE_MAJOR,
					.minor = FUSE_MINOR,
					.max_readahead = READAHEAD_BYTES,
					.flags = (uint32_t)OFFERED,
					.flags2 = (uint32_t)(OFFERED >> 32)};

	fuse_message_begin(message, FUSE_INIT, (struct nodeid){0});
	fuse_message_put(message, &in, sizeof(in));
	fuse_message_expect(message, FUSE_COMPAT_INIT_OUT_SIZE, sizeof(struct fuse_init_out));
}

static uint32_t whole_pages(uint64_t bytes, uint32_t most_bytes)
{
	bytes = MIN(bytes, (uint64_t)most_bytes) & ~(uint64_t)PAGE_MASK;
	return (uint32_t)MAX(bytes, (uint64_t)PAGE_SIZE);
}

/* The least of a reply of this version. */
static size_t least_bytes(uint32_t minor)
{
	if (minor >= 23)
		return sizeof(struct fuse_init_out);
	return minor >= MINOR_WITH_WRITE_SIZE ? FUSE_COMPAT_22_INIT_OUT_SIZE
					      : FUSE_COMPAT_INIT_OUT_SIZE;
}

/* What a driver of this version leaves unsaid. */
static void forget_unsaid(struct fuse_init_out *answer)
{
	if (answer->minor < MINOR_WITH_WRITE_SIZE)
		answer->max_write = PAGE_SIZE;
	if (answer->minor < MINOR_WITH_FLAGS) {
		answer->max_readahead = READAHEAD_BYTES;
		answer->flags = 0;
	}
	if (answer->minor < 13)
		answer->max_background = answer->congestion_threshold = 0;
	if (!(answer->flags & FUSE_INIT_EXT))
		answer->flags2 = 0;
}

/* Files of others behind its own: what is changed here at first could not be there in time, and a
 * driver that does not say how high it may be stacked gets none. */
static void agree_on_passthrough(const struct fuse_init_out *answer, struct fuse_session *out)
{
	out->max_stack_depth = 0;
	if (!(out->flags & FUSE_WRITEBACK_CACHE) && answer->max_stack_depth <= STACK_DEPTH_MAX &&
	    (out->flags & FUSE_PASSTHROUGH))
		out->max_stack_depth = answer->max_stack_depth;
	if (!out->max_stack_depth)
		out->flags &= ~FUSE_PASSTHROUGH;
}

err_t fuse_answer_init(const struct fuse_reply *reply, uint32_t max_read_bytes,
		       struct fuse_session *out)
{
	struct fuse_init_out answer = {0};
	uint32_t most_bytes;

	memcpy(&answer, reply->bytes, MIN((size_t)reply->len_bytes, sizeof(answer)));
	if (answer.major != FUSE_MAJOR || reply->len_bytes < least_bytes(answer.minor))
		return -EPROTO;
	forget_unsaid(&answer);
	out->minor = MIN(answer.minor, (uint32_t)FUSE_MINOR);
	out->flags = (answer.flags | (uint64_t)answer.flags2 << 32) & OFFERED;
	agree_on_passthrough(&answer, out);
	out->timeout_s = (out->flags & FUSE_REQUEST_TIMEOUT) ? answer.request_timeout : 0;
	out->max_background = answer.max_background ? answer.max_background : FUSE_MAX_BACKGROUND;
	out->congestion_threshold = answer.congestion_threshold ? answer.congestion_threshold
								: out->max_background * 3 / 4;
	most_bytes =
		(out->flags & FUSE_MAX_PAGES)
			? whole_pages((uint64_t)answer.max_pages * PAGE_SIZE, FUSE_TRANSFER_MAX)
			: (uint32_t)(OLD_MAX_PAGES * PAGE_SIZE);
	out->max_write_bytes = whole_pages(answer.max_write, most_bytes);
	out->max_read_bytes = whole_pages(max_read_bytes ? max_read_bytes : most_bytes, most_bytes);
	out->max_ahead_bytes = MIN(answer.max_readahead, READAHEAD_BYTES);
	return 0;
}
