/*
 * fuse_serve for programs that run on Linux too: there its two halves are a write and a read. A
 * thread that waits in it can be cancelled, as in read.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fuselage/fuse.h>
#include <fuselage/syscall.h>
#include <sys/uio.h>

#include "syscall.h"

static ssize_t write_and_read(int fd, const struct abi_fuse_reply *reply, void *request, size_t len)
{
	struct iovec pieces[2];

	if (reply) {
		pieces[0] = (struct iovec){(void *)reply, FUSE_SERVE_HEADER_BYTES};
		pieces[1] = (struct iovec){(void *)reply->payload,
					   reply->len - FUSE_SERVE_HEADER_BYTES};
		if (reply->len < FUSE_SERVE_HEADER_BYTES || !reply->unique ||
		    reply->flags & ~FUSE_SERVE_LEND || reply->reserved)
			return __syscall_ret(-EBADMSG);
		if (writev(fd, pieces, pieces[1].iov_len ? 2 : 1) < 0 && errno != ENOENT) {
			if (errno == EINVAL)
				errno = EBADMSG;
			return -1;
		}
	}
	return read(fd, request, len);
}

ssize_t fuselage_fuse_exchange_pages(int fd, const struct abi_fuse_reply *reply, void *request,
				     size_t len, void *window, size_t window_bytes)
{
	static volatile int is_missing;
	long result = -ENOSYS;

	if (!is_missing)
		result = __syscall_cp(SYS_fuselage_fuse_serve, fd, reply, request, len,
				      window, window_bytes);
	if (result != -ENOSYS)
		return __syscall_ret(result);
	is_missing = 1;
	if (((uintptr_t)window | window_bytes) % 4096 && window_bytes)
		return __syscall_ret(-EINVAL);
	return write_and_read(fd, reply, request, len);
}

ssize_t fuselage_fuse_exchange(int fd, const struct abi_fuse_reply *reply, void *request,
			       size_t len)
{
	return fuselage_fuse_exchange_pages(fd, reply, request, len, NULL, 0);
}
