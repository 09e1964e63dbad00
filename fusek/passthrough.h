/*
 * Open files whose data is in a file of another filesystem, which their driver has named
 * (FOPEN_PASSTHROUGH). All that have a node open at a time use the page cache or one and the same
 * such file, so nobody sees old pages; what goes past the cache and has no such file is not
 * counted, but is not opened while there is one.
 *
 * A file may lie on others only in filesystems with a smaller stack_depth, which is known before
 * one can be named: so opens do not go round in circles, and the stack holds them.
 */
#ifndef FUSEK_PASSTHROUGH_H
#define FUSEK_PASSTHROUGH_H

#include "open_file.h"

#include <lib/refcount.h>
#include <lib/tree.h>

/* A file that data may be in, and whose rights it is opened with.
 *   [c] constant
 *   [q] lock of the connection
 */
struct server_backing {
	struct refcount references;
	struct path place;          /* [c] a reference */
	struct vfs_context context; /* [c] of who has named it; its places are the kernel's */
	struct tree_node by_id;     /* [q] connection->backings */
	uint32_t id;                /* [q] from 1 on */
};

/* The file that `object` is, for filesystems with `stack_depth`; *out is a reference. -EISDIR,
 * -EINVAL: no regular file; -ELOOP: its filesystem may lie as high; -ENOMEM. */
err_t must_check server_backing_create(struct object *object, uint32_t stack_depth,
				       struct server_backing **out);
static inline struct server_backing *server_backing_get(struct server_backing *backing)
{
	refcount_get(&backing->references);
	return backing;
}
/* Takes NULL. Sleeps. */
void server_backing_put(struct server_backing *backing);

/* What a server has opened is not used: it is released. Sleeps. */
void server_open_refuse(struct server *server, struct nodeid node, const struct server_open *opened,
			unsigned flags);

err_t must_check file_data_begin_slowly(struct file *file);
/* The server has opened it. -EIO: not as the others that have it open, or the file that its data is
 * in cannot be opened; file_data_end() in any case, before the server is told of the release.
 * Sleeps. */
static inline err_t must_check file_data_begin(struct file *file)
{
	return likely(!read_once(&file->server->stack_depth) &&
		      !(file->open.flags & SERVER_PASSTHROUGH))
		       ? 0
		       : file_data_begin_slowly(file);
}

void file_data_end_slowly(struct file *file);
static inline void file_data_end(struct file *file)
{
	if (unlikely(file->uses_data || file->open.backing))
		file_data_end_slowly(file);
}

err_t must_check file_data_map_slowly(struct file *file, bool shared);
/* Pages of its own will be mapped. -ENODEV: others have it open whose data is elsewhere. */
static inline err_t must_check file_data_map(struct file *file, bool shared)
{
	return likely(!read_once(&file->server->stack_depth)) ? 0
							      : file_data_map_slowly(file, shared);
}

/* Reading and writing go to file->data; where the driver wants to see them, mapping alone does. */
static inline bool file_passes_through(const struct file *file)
{
	return unlikely(file->data) && !(file->open.flags & SERVER_DIRECT_IO);
}
/* As file_read_at() and file_write_at(), of such a one. */
ssize_t must_check file_read_through(struct file *file, struct buffer *buffer,
				     uint64_t offset_bytes);
ssize_t must_check file_write_through(struct file *file, struct buffer *buffer,
				      uint64_t offset_bytes, uint64_t *end_bytes);

#endif
