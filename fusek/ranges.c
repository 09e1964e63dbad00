/*
 * What can be done with a part of an open file beside reading and writing it: making room, finding
 * data and holes, copying at the server. No state, no locks.
 */
#include "open_file.h"
#include "pages.h"

err_t file_allocate(struct object *object, unsigned mode, uint64_t offset_bytes, uint64_t len_bytes)
{
	struct file *file = file_of(object);
	const struct server_ops *ops = file->server->ops;
	err_t err;

	if (node_type(file->node) == S_IFDIR)
		return -EISDIR;
	if (node_type(file->node) != S_IFREG)
		return node_type(file->node) == S_IFIFO ? -ESPIPE : -ENODEV;
	/* No server makes room in the middle of a file or takes it out. */
	if (!ops->fallocate ||
	    (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)))
		return -EOPNOTSUPP;
	if (!(mode & FALLOC_FL_KEEP_SIZE) && offset_bytes + len_bytes > file_limit_bytes()) {
		file_limit_met();
		return -EFBIG;
	}
	err = file_drop_ids(file);
	if (!err)
		err = node_pages_write_back(file->node);
	if (!err)
		err = ops->fallocate(file->server, file->id, file->open.handle, mode, offset_bytes,
				     len_bytes);
	if (err)
		return err == -ENOSYS ? -EOPNOTSUPP : err;
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
		node_pages_drop(file->node, offset_bytes, len_bytes);
		/* What a server took out of our memory itself. */
		node_unmap(file->node, offset_bytes / PAGE_SIZE,
			   ALIGN_UP(offset_bytes + len_bytes, PAGE_SIZE) / PAGE_SIZE, false);
	}
	node_attr_written(file->node, (mode & FALLOC_FL_KEEP_SIZE) ? 0 : offset_bytes + len_bytes);
	return 0;
}

/* A file that is all data, and a hole at its end. */
static err_t find_in_whole(struct node *node, uint64_t offset_bytes, int whence, uint64_t *found)
{
	struct server_attr attr;
	err_t err = node_attr(node, &attr);

	if (err)
		return err;
	if (offset_bytes >= attr.size_bytes)
		return -ENXIO;
	*found = whence == SEEK_DATA ? offset_bytes : attr.size_bytes;
	return 0;
}

err_t file_find_data(struct file *file, int64_t offset_bytes, int whence, int64_t *found_bytes)
{
	const struct server_ops *ops = file->server->ops;
	uint64_t found;
	err_t err = -ENOSYS;

	if (node_type(file->node) != S_IFREG)
		return -EINVAL;
	if (offset_bytes < 0)
		return -ENXIO;
	if (ops->lseek)
		node_pages_settle(file->node);
	if (ops->lseek)
		err = ops->lseek(file->server, file->id, file->open.handle, (uint64_t)offset_bytes,
				 whence, &found);
	if (err == -ENOSYS)
		err = find_in_whole(file->node, (uint64_t)offset_bytes, whence, &found);
	*found_bytes = err ? 0 : (int64_t)found;
	return err;
}

ssize_t file_copy_range(struct object *from, uint64_t from_bytes, struct object *to,
			uint64_t to_bytes, uint32_t len_bytes)
{
	struct file *source = file_of(from), *target = file_of(to);
	const struct server_copy copy = {.from_node = source->id,
					 .to_node = target->id,
					 .from = source->open.handle,
					 .to = target->open.handle,
					 .from_bytes = from_bytes,
					 .to_bytes = to_bytes,
					 .len_bytes = len_bytes};
	const struct server_ops *ops = source->server->ops;
	ssize_t done;

	if (source->server != target->server || !ops->copy_file_range)
		return -EOPNOTSUPP;
	done = file_drop_ids(target);
	if (!done)
		done = node_pages_write_back(source->node);
	if (!done)
		done = node_pages_write_back(target->node);
	if (done)
		return done;
	done = ops->copy_file_range(source->server, &copy);
	if (done > 0) {
		node_pages_drop(target->node, to_bytes, (uint64_t)done);
		node_attr_written(target->node, to_bytes + (uint64_t)done);
	}
	return done == -ENOSYS || done == -EXDEV ? -EOPNOTSUPP : done;
}
