/*
 * A core file while it is written: from its beginning to its end, with holes. The first failure
 * stays: later additions do nothing, and `err` says why. Used by one thread.
 */
#ifndef KERNEL_CORE_OUT_H
#define KERNEL_CORE_OUT_H

#include <lib/types.h>

struct object;

struct core_out {
	struct object *file;  /* borrowed: open for writing, empty */
	uint64_t limit_bytes; /* of what is written, holes not counted; -EFBIG beyond */
	uint64_t position;    /* where the next byte belongs */
	uint64_t written_bytes;
	uint64_t end_bytes; /* how long the file is by now */
	err_t err;
};

/* All of it or nothing. May sleep; -EINTR if the thread is killed. */
void core_put(struct core_out *out, const void *bytes, size_t len_bytes);
/* These bytes are zeros, and need no room. */
void core_skip(struct core_out *out, uint64_t len_bytes);
/* Up to a multiple of `bytes`, a power of two. */
void core_align(struct core_out *out, uint64_t bytes);
/* A hole at the end belongs to the file. */
void core_end(struct core_out *out);

#endif
