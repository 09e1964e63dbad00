/*
 * Open files: the operations of a descriptor that names one. Owns the position, under its lock,
 * which is held while the server reads or writes so that two readers of one open file never get the
 * same bytes; it belongs to this open file alone, and waiting for it can be killed. Streams
 * (terminals) have no position and take no lock.
 */
#include <fusek/file.h>
#include <fusek/mount.h>

#include "devices.h"
#include "lease.h"
#include "mount_tree.h"
#include "notify.h"
#include "open_file.h"
#include "pages.h"
#include "passthrough.h"

#include <lib/string.h>
#include <mm/slab.h>

SLAB_CACHE(file_cache, struct file);

err_t file_create(const struct path *at, unsigned flags, struct file **out)
{
	struct file *file = slab_alloc_zeroed(&file_cache);

	if (!file) {
		struct path unused = *at;

		path_put(&unused);
		return -ENOMEM;
	}
	object_init(&file->object, &file_ops, OBJECT_FILE, flags);
	mutex_init(&file->position_lock, LOCK_FILE);
	file->dentry = at->dentry;
	file->mount = at->mount;
	file->node = at->dentry->node;
	file->server = node_server(file->node);
	file->id = file->node->id;
	*out = file;
	return 0;
}

/* A device's node anywhere leads to the device: devfs serves it. */
static err_t redirect_to_device(struct file *file)
{
	struct server *server = node_server(file->node);

	if (read_once(&file->mount->flags) & MS_NODEV)
		return -EACCES;
	if (server == devfs_server())
		return 0;
	file->server = devfs_server();
	return devfs_find(file->node->rdev, &file->id);
}

/* What was changed in them the server has before it is asked again. */
static void forget_pages(struct node *node)
{
	node_pages_settle(node);
	node_pages_drop(node, 0, UINT64_MAX);
}

/* Pages from before may be kept only if the server says so. */
static void opened(struct file *file)
{
	file->opened = true;
	if (node_type(file->node) == S_IFREG && !(file->open.flags & SERVER_KEEP_CACHE))
		forget_pages(file->node);
}

err_t file_open_at_server(struct file *file, const struct vfs_context *context, unsigned flags)
{
	struct server_caller caller = server_caller_of(context);
	const struct server_ops *ops;
	err_t err = 0;

	switch (node_type(file->node)) {
	case S_IFCHR:
		err = redirect_to_device(file);
		break;
	case S_IFREG:
	case S_IFDIR:
		break;
	case S_IFIFO:
		err = fifo_open_file(file, flags);
		if (!err)
			opened(file);
		return err;
	default:
		return -ENXIO;
	}
	if (err)
		return err;
	ops = file->server->ops;
	if (node_type(file->node) != S_IFCHR)
		flags &= ~(unsigned)O_NOCTTY;
	if (node_type(file->node) == S_IFDIR)
		err = ops->opendir ? ops->opendir(file->server, &caller, file->id, &file->open) : 0;
	else if (flags & O_TRUNC && ops->write_back)
		node_pages_settle(file->node);
	if (!err && node_type(file->node) != S_IFDIR)
		err = ops->open ? ops->open(file->server, &caller, file->id, flags, &file->open)
				: 0;
	if (err == -ENOSYS) {
		file->handleless = true; /* there is nothing to release */
		return 0;
	}
	if (err)
		return err;
	opened(file);
	return file_data_begin(file);
}

static void file_release(struct object *object)
{
	struct file *file = file_of(object);
	const struct server_ops *ops = file->server->ops;

	if (file->told_open)
		notify(file->dentry, (object_flags(object) & O_ACCMODE) == O_RDONLY
					     ? IN_CLOSE_NOWRITE
					     : IN_CLOSE_WRITE);
	file_locks_released(file);
	if (unlikely(read_once(&file->notified)))
		directory_unwatch(file, 0);
	if (file->counted)
		lease_file_released(file);
	file_data_end(file);
	if (file->opened && node_type(file->node) == S_IFDIR) {
		if (ops->releasedir)
			ops->releasedir(file->server, file->id, file->open.handle);
	} else if (file->opened && ops->release) {
		ops->release(file->server, file->id, file->open.handle, object_flags(object));
	}
	if (file->is_writer)
		mount_write_end(file->mount);
	if (file->owns_mount)
		mount_abandon(file->mount);
	dentry_put(file->dentry);
	mount_put(file->mount);
}

static void file_free(struct object *object)
{
	slab_free(&file_cache, file_of(object));
}

void *file_device(struct object *object, const struct device_ops *ops)
{
	const struct file *file;

	if (object->ops != &file_ops)
		return NULL;
	file = file_of(object);
	if (file->server != devfs_server() || !file->opened)
		return NULL;
	return devfs_private(file->id, file->open.handle, ops);
}

struct path file_path(struct object *object)
{
	if (!object || object->ops != &file_ops)
		return (struct path){0};
	return (struct path){.mount = file_of(object)->mount, .dentry = file_of(object)->dentry};
}

bool file_was_created(struct object *object)
{
	return object->ops == &file_ops && file_of(object)->created;
}

err_t file_node(struct object *object, struct server **server, struct nodeid *node)
{
	const struct node *named;

	if (object->ops != &file_ops || object_flags(object) & O_PATH)
		return -EBADF;
	named = file_of(object)->dentry->node;
	*server = named->fs->server;
	*node = named->id;
	return 0;
}

bool file_facts(struct object *object, uint64_t *position, uint32_t *mount_id)
{
	const struct file *file;

	if (object->ops != &file_ops)
		return false;
	file = file_of(object);
	*position = read_once(&file->position);
	*mount_id = file->mount->id;
	return true;
}

/* ---- reading and writing ---- */

static bool is_stream(const struct file *file)
{
	return (file->open.flags & SERVER_STREAM) != 0;
}

static bool has_position(const struct file *file)
{
	return !(file->open.flags & (SERVER_STREAM | SERVER_NONSEEKABLE));
}

void file_accessed(struct file *file)
{
	bool (*accessed)(struct server *, struct nodeid, bool) = file->server->ops->accessed;
	const struct path place = {.mount = file->mount, .dentry = file->dentry};
	unsigned flags;

	if (!accessed || object_flags(&file->object) & O_NOATIME)
		return;
	flags = read_once(&file->mount->flags);
	if (flags & MS_NOATIME || (flags & MS_NODIRATIME && node_type(file->node) == S_IFDIR) ||
	    path_may_change(&place))
		return;
	if (accessed(file->server, file->id, !(flags & MS_RELATIME)))
		node_attr_changed(file->node);
}

ssize_t file_read_at(struct file *file, struct buffer *buffer, uint64_t offset)
{
	const struct server_ops *ops = file->server->ops;
	ssize_t done;

	if (node_type(file->node) == S_IFDIR)
		return -EISDIR;
	if (unlikely(file_passes_through(file)))
		return file_read_through(file, buffer, offset);
	if (ops->read_pages)
		return node_pages_read(file, buffer, offset);
	if (!ops->read)
		return -EINVAL;
	done = ops->read(file->server, file->id, file->open.handle, buffer, offset,
			 object_call_flags(&file->object, buffer));
	if (done > 0)
		file_accessed(file);
	return done;
}

static ssize_t read_untold(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct file *file = file_of(object);
	ssize_t done;
	err_t err;

	if (offset)
		return has_position(file) ? file_read_at(file, buffer, *offset) : -ESPIPE;
	if (is_stream(file))
		return file_read_at(file, buffer, 0);
	err = mutex_lock_killable(&file->position_lock);
	if (err)
		return err;
	done = file_read_at(file, buffer, file->position);
	if (done > 0)
		file->position += (uint64_t)done;
	mutex_unlock(&file->position_lock);
	return done;
}

/* RLIMIT_FSIZE: what lies beyond is not written; nothing of it would be: -EFBIG. */
static err_t cut_to_limit(struct file *file, struct buffer *buffer, uint64_t offset)
{
	struct server_attr attr;
	uint64_t limit_bytes;
	err_t err;

	if (node_type(file->node) != S_IFREG)
		return 0;
	limit_bytes = file_limit_bytes();
	if (likely(limit_bytes == UINT64_MAX))
		return 0;
	if (object_write_flags(&file->object, buffer) & O_APPEND) {
		err = node_attr(file->node, &attr);
		if (err)
			return err;
		offset = attr.size_bytes;
	}
	if (offset >= limit_bytes && buffer_remaining(buffer)) {
		file_limit_met();
		return -EFBIG;
	}
	buffer_cut(buffer, limit_bytes - MIN(offset, limit_bytes));
	return 0;
}

static ssize_t file_read(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	const struct file *file = file_of(object);
	ssize_t done = !offset && file_is_device_stream(file)
			       ? devfs_read_device(file->id, file->open.handle, buffer, 0,
						   object_call_flags(object, buffer))
			       : read_untold(object, buffer, offset);

	if (done > 0)
		notify(file_of(object)->dentry, IN_ACCESS);
	return done;
}

static const struct server_caller kernel_caller; /* the mode was checked at open */

ssize_t file_write_at(struct file *file, struct buffer *buffer, uint64_t offset,
		      uint64_t *end_bytes)
{
	const struct server_ops *ops = file->server->ops;
	ssize_t done;
	err_t err;

	*end_bytes = 0;
	err = cut_to_limit(file, buffer, offset);
	if (!err && buffer_remaining(buffer))
		err = file_drop_ids(file);
	if (err)
		return err;
	if (unlikely(file_passes_through(file)))
		return file_write_through(file, buffer, offset, end_bytes);
	if (ops->write_pages)
		return node_pages_write(file, buffer, offset, end_bytes);
	if (!ops->write)
		return -EINVAL;
	done = ops->write(file->server, &kernel_caller, file->id, file->open.handle, buffer, offset,
			  object_write_flags(&file->object, buffer), end_bytes);
	/* A device's attributes say nothing of what was written to it. */
	if (done > 0 && node_type(file->node) == S_IFREG)
		node_attr_changed(file->node);
	return done;
}

static ssize_t write_untold(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct file *file = file_of(object);
	uint64_t end_bytes;
	ssize_t done;
	err_t err;

	if (offset)
		return has_position(file) ? file_write_at(file, buffer, *offset, &end_bytes)
					  : -ESPIPE;
	if (is_stream(file))
		return file_write_at(file, buffer, 0, &end_bytes);
	err = mutex_lock_killable(&file->position_lock);
	if (err)
		return err;
	done = file_write_at(file, buffer, file->position, &end_bytes);
	if (done > 0)
		file->position = end_bytes;
	mutex_unlock(&file->position_lock);
	return done;
}

static ssize_t file_write(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	const struct file *file = file_of(object);
	ssize_t done = !offset && file_is_device_stream(file)
			       ? devfs_write_device(file->id, file->open.handle, buffer, 0,
						    object_write_flags(object, buffer))
			       : write_untold(object, buffer, offset);

	if (done > 0)
		notify(file_of(object)->dentry, IN_MODIFY);
	return done;
}

/* ---- position ---- */

static err_t seek_base(struct file *file, int whence, uint64_t *base)
{
	struct server_attr attr;
	err_t err;

	switch (whence) {
	case SEEK_SET:
		*base = 0;
		return 0;
	case SEEK_CUR:
		*base = file->position;
		return 0;
	case SEEK_END:
		if (node_type(file->node) == S_IFDIR)
			return -EINVAL; /* cookies have no end */
		err = node_attr(file->node, &attr);
		*base = attr.size_bytes;
		return err;
	default:
		return -EINVAL;
	}
}

static err_t file_seek(struct object *object, int64_t offset, int whence, uint64_t *position)
{
	struct file *file = file_of(object);
	uint64_t base;
	int64_t sum;
	err_t err;

	if (!has_position(file))
		return -ESPIPE;
	err = mutex_lock_killable(&file->position_lock);
	if (err)
		return err;
	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		err = file_find_data(file, offset, whence, &sum);
	} else {
		err = seek_base(file, whence, &base);
		if (!err && __builtin_add_overflow((int64_t)base, offset, &sum))
			err = -EOVERFLOW;
	}
	if (!err && sum < 0)
		err = -EINVAL;
	if (!err) {
		file->position = (uint64_t)sum;
		*position = (uint64_t)sum;
	}
	mutex_unlock(&file->position_lock);
	return err;
}

/* ---- the rest ---- */

static ssize_t file_ioctl(struct object *object, unsigned command, uptr_t argument)
{
	struct file *file = file_of(object);
	const struct server_ops *ops = file->server->ops;
	unsigned flags = object_flags(object) & ~O_DIRECTORY;
	ssize_t result;

	if (!ops->ioctl)
		return -ENOTTY;
	if (node_type(file->node) == S_IFDIR)
		flags |= O_DIRECTORY;
	result = ops->ioctl(file->server, file->id, file->open.handle, command, argument, flags);
	return result == -ENOSYS ? -ENOTTY : result;
}

static err_t file_stat(struct object *object, struct abi_stat *out)
{
	struct file *file = file_of(object);
	bool by_handle = file->opened && node_type(file->node) == S_IFREG;

	return node_stat(file->node, by_handle ? &file->open.handle : NULL, out);
}

static err_t file_truncate(struct object *object, uint64_t size_bytes)
{
	struct file *file = file_of(object);
	const struct vfs_context context = vfs_caller_context(); /* the mode was checked at open */
	const struct server_setattr set = {.valid = SETATTR_SIZE | SETATTR_HANDLE,
					   .handle = file->open.handle,
					   .size_bytes = size_bytes};
	err_t err;

	if (node_type(file->node) != S_IFREG)
		return -EINVAL;
	err = node_setattr(file->node, &context, &set);
	if (!err)
		notify(file->dentry, IN_MODIFY);
	return err;
}

static err_t file_sync(struct object *object)
{
	struct file *file = file_of(object);
	const struct server_ops *ops = file->server->ops;
	err_t err;

	if (node_type(file->node) == S_IFCHR || node_type(file->node) == S_IFIFO)
		return -EINVAL;
	err = node_pages_write_back(file->node);
	if (err || !ops->fsync)
		return err; /* without it, what was written is where it will be */
	err = ops->fsync(file->server, file->id, file->open.handle,
			 node_type(file->node) == S_IFDIR);
	return err == -ENOSYS ? 0 : err;
}

/* For each descriptor that is closed; the open file may go on. */
static err_t file_closed(struct object *object, uint64_t lock_owner)
{
	struct file *file = file_of(object);
	const struct server_ops *ops = file->server->ops;
	err_t err, lost = 0;

	if (!(file->opened || file->handleless) || !ops->flush ||
	    node_type(file->node) != S_IFREG ||
	    (file->open.flags & SERVER_NO_FLUSH && !node_is_ahead(file->node))) {
		err = 0;
	} else {
		lost = node_pages_write_back(file->node);
		err = ops->flush(file->server, file->id, file->open.handle, lock_owner);
	}
	if (!err || err == -ENOSYS)
		err = lost;
	file_locks_closed(file, lock_owner);
	if (unlikely(read_once(&file->notified)))
		directory_unwatch(file, lock_owner);
	return err;
}

static unsigned file_poll(struct object *object, struct waitq **queue)
{
	struct file *file = file_of(object);
	const struct server_ops *ops = file->server->ops;

	if (!ops->poll || node_type(file->node) == S_IFDIR)
		return POLLIN | POLLOUT;
	return ops->poll(file->server, file->id, file->open.handle, queue);
}

/* FIFOs and devices, as on Linux: a driver's file has nobody who would be told. */
static bool file_signals(const struct object *object)
{
	const struct file *file = container_of(object, struct file, object);

	return file->server->ops->poll &&
	       (node_type(file->node) == S_IFIFO || file->server == devfs_server());
}

static bool file_can_direct(const struct object *object)
{
	return node_type(container_of(object, struct file, object)->node) == S_IFREG;
}

static void file_poll_ask(struct object *object)
{
	struct file *file = file_of(object);
	const struct server_ops *ops = file->server->ops;

	if (ops->poll_ask && node_type(file->node) != S_IFDIR)
		ops->poll_ask(file->server, file->id, file->open.handle);
}

static void file_describe(struct object *object, char *to, size_t to_bytes)
{
	const struct path root = mount_root(), here = file_path(object);
	char *name = kmalloc(PATH_MAX);

	if (name && path_name(&root, &here, name, PATH_MAX) > 0)
		string_copy(to, to_bytes, name);
	else
		string_copy(to, to_bytes, "(file)");
	kfree(name);
}

static err_t file_seal(struct object *object, unsigned add, unsigned *seals)
{
	struct file *file = file_of(object);
	const struct server_ops *ops = file->server->ops;

	if (!ops->seal || node_type(file->node) != S_IFREG)
		return -EINVAL;
	return ops->seal(file->server, file->id, add, seals);
}

static uint64_t file_held_bytes(struct object *object)
{
	struct file *file = file_of(object);

	return file->server->ops->held_bytes ? file->server->ops->held_bytes(file->server, file->id)
					     : 0;
}

const struct object_ops file_ops = {
	.read = file_read,
	.write = file_write,
	.seek = file_seek,
	.ioctl = file_ioctl,
	.stat = file_stat,
	.getdents = file_getdents,
	.truncate = file_truncate,
	.sync = file_sync,
	.allocate = file_allocate,
	.copy_range = file_copy_range,
	.lock = file_lock,
	.lock_test = file_lock_test,
	.closed = file_closed,
	.poll = file_poll,
	.signals = file_signals,
	.can_direct = file_can_direct,
	.poll_ask = file_poll_ask,
	.map = file_map,
	.seal = file_seal,
	.describe = file_describe,
	.pipe_end = fifo_end,
	.held_bytes = file_held_bytes,
	.release = file_release,
	.free = file_free,
};
