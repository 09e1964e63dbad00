/*
 * What the calls that move bytes share.
 */
#ifndef KERNEL_SYS_RW_H
#define KERNEL_SYS_RW_H

#include <abi/fcntl.h>
#include <ipc/object.h>

#define PIECES_ON_STACK 8

/* A program's struct iovec is what a buffer takes as its pieces. */
struct pieces {
	struct buffer_segment few[PIECES_ON_STACK];
	struct buffer_segment *list; /* few, or memory of their own */
	size_t len_bytes;
};

/* Makes a buffer of the program's `npieces` struct iovec at `from`; pieces_put() it after use.
 * -EINVAL, -ENOMEM, -EFAULT. */
err_t must_check pieces_get(struct pieces *pieces, uptr_t from, int npieces, struct buffer *buffer);
void pieces_put(struct pieces *pieces);

/* The result of a write to `object`, which is a signal, too, where nobody reads any more. */
ssize_t write_result(const struct object *object, ssize_t result);

#endif
