/*
 * Writing a core file. No state of its own.
 */
#include "out.h"

#include <abi/errno.h>
#include <ipc/object.h>
#include <sched/thread.h>

static err_t write_all(struct core_out *out, const char *bytes, size_t len_bytes)
{
	while (len_bytes) {
		struct buffer buffer;
		ssize_t done;

		if (thread_killed())
			return -EINTR;
		/* A writer only reads it. */
		buffer_init_kernel(&buffer, (void *)(uintptr_t)bytes, len_bytes);
		done = object_write(out->file, &buffer, &out->position);
		if (done < 0)
			return (err_t)done;
		if (!done)
			return -EIO;
		bytes += done;
		len_bytes -= (size_t)done;
		out->position += (uint64_t)done;
		out->end_bytes = out->position;
		out->written_bytes += (uint64_t)done;
	}
	return 0;
}

void core_put(struct core_out *out, const void *bytes, size_t len_bytes)
{
	if (out->err)
		return;
	if (len_bytes > out->limit_bytes - out->written_bytes)
		out->err = -EFBIG;
	else
		out->err = write_all(out, bytes, len_bytes);
}

void core_skip(struct core_out *out, uint64_t len_bytes)
{
	if (!out->err)
		out->position += len_bytes;
}

void core_align(struct core_out *out, uint64_t bytes)
{
	core_skip(out, ALIGN_UP(out->position, bytes) - out->position);
}

void core_end(struct core_out *out)
{
	if (!out->err && out->position > out->end_bytes)
		out->err = object_truncate(out->file, out->position);
}
