/*
 * The native call of filesystem drivers, fuse_serve: it hands the answer to one request over and
 * comes back with the next. The driver has mounted by /dev/fuse as ever, and the messages are those
 * of the FUSE protocol; it may change between this call and read and write at any time.
 *
 *	ssize_t fuse_serve(int fd, const struct abi_fuse_reply *reply, void *request, size_t len,
 *			   void *window, size_t window_bytes)
 *
 * `reply` null: nothing is answered. The result is the length of the request, as that of read(),
 * with its errors: EAGAIN (O_NONBLOCK), EINTR, ENODEV (unmounted), EINVAL (`len` is too little for
 * any request), EPERM (not mounted yet), EFAULT. An answer that nobody waits for any more is passed
 * over. One that cannot be an answer is EBADMSG, and no request is taken: whoever waits for it gets
 * EIO if it has the wrong length, else goes on waiting. EPERM and EINVAL come before the answer is
 * looked at, and EFAULT may: it was not taken then. In all other cases it has been, so the next
 * call has another reply, or none.
 *
 * In `window`, whole pages (EINVAL) of the driver's private memory, the kernel may put what a
 * program writes, without a copy; `window_bytes` 0: there is none. Nothing is put into other
 * memory, which is no error. What is in it at the time of the call is lost. The result is then less
 * than the `len` of the request's header: the payload is not behind the message in `request` but at
 * the beginning of the window, as it was when the program wrote it, whatever that does meanwhile.
 * It stays until the request is answered by a call with the same window, and is all zeros or the
 * next payload afterwards. A request that came into two windows, since RESEND has brought it once
 * more, takes its payload out of the last one alone. What cannot be put there (parts of pages, a
 * program's memory that others share) comes behind the message as ever, so `request` has room for
 * it. Each thread has a window of its own.
 */
#ifndef ABI_FUSE_NATIVE_H
#define ABI_FUSE_NATIVE_H

#include <stdint.h>

/* The first three are the protocol's struct fuse_out_header. */
struct abi_fuse_reply {
	uint32_t len; /* of this header (16) and the payload */
	int32_t error;
	uint64_t unique;   /* not 0: notifications are written */
	uint64_t payload;  /* where it is */
	uint32_t flags;    /* FUSE_SERVE_*; others: EBADMSG */
	uint32_t reserved; /* 0 */
};

#define FUSE_SERVE_HEADER_BYTES 16

/* The payload may be lent instead of copied: whole pages of the driver's private memory, in answer
 * to a READ that goes past the page cache. Whoever writes to such a page afterwards, the driver
 * included, gets a copy of it first, so it pays for what stays as it is for a while. Where it
 * cannot be done the payload is copied. */
#define FUSE_SERVE_LEND 1u

#endif
