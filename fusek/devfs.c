/*
 * devfs: the directory of devices. Owns the list of registered devices, which only grows: an entry,
 * once published, never changes but for whether it can be found, so finding one takes no lock. A
 * node's number is the device's place in the list; a handle is the address of its struct
 * device_file, which lives from open to release and is known to nobody but the open file.
 */
#define LOG_SUBSYSTEM "devfs"
#include "devices.h"

#include <arch/clock.h>
#include <lib/atomic.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <sched/lock.h>

#define DEVICES_MAX 128
#define FIRST_NODE  2 /* 1 is the root */

/* Constant after it was published, but for what setattr changes: that under registry_lock, each
 * word read alone. */
struct device {
	const char *name; /* NULL: it has none here */
	uint64_t rdev;    /* the first */
	uint32_t nminors; /* from there on */
	uint32_t mode;
	uint32_t made_mode; /* what it has whenever it appears */
	uint32_t uid, gid;
	unsigned flags; /* enum device_flags */
	const struct device_ops *ops;
	void *argument;
	const char *target; /* of a link; NULL: a device */
	bool hidden;        /* written under registry_lock: nobody finds it */
	struct abi_timespec made;
};

static struct device devices[DEVICES_MAX];
static uint32_t ndevices; /* written under registry_lock, released after the entry is whole */
static MUTEX(registry_lock, LOCK_NODE);

static uint32_t count(void)
{
	/* Acquire: pairs with the release in devfs_register(). */
	return load_acquire(&ndevices);
}

/* A node's number: the place in the list, and above it which of its minors. */
static struct device *find_by_node(struct nodeid node)
{
	uint64_t index = (uint32_t)node.value - FIRST_NODE;

	return index < count() ? &devices[index] : NULL;
}

static struct nodeid node_of(const struct device *device)
{
	return (struct nodeid){(uint64_t)(device - devices) + FIRST_NODE};
}

static struct abi_timespec wall_time(void)
{
	uint64_t now_ns = clock_wall_ns();

	return (struct abi_timespec){.tv_sec = (int64_t)(now_ns / NSEC_PER_SEC),
				     .tv_nsec = (int64_t)(now_ns % NSEC_PER_SEC)};
}

static bool overlaps(const struct device *a, const struct device *b)
{
	return abi_major(a->rdev) == abi_major(b->rdev) &&
	       abi_minor(a->rdev) < abi_minor(b->rdev) + b->nminors &&
	       abi_minor(b->rdev) < abi_minor(a->rdev) + a->nminors;
}

static bool has_name(const struct device *device, struct server_name name)
{
	return device->name && !read_once(&device->hidden) &&
	       strlen(device->name) == name.len_bytes &&
	       memcmp(device->name, name.text, name.len_bytes) == 0;
}

static bool is_taken(const struct device *device)
{
	for (uint32_t i = 0; i < count(); i++) {
		if (&devices[i] == device || read_once(&devices[i].hidden))
			continue;
		if (overlaps(&devices[i], device))
			return true;
		if (device->name &&
		    has_name(&devices[i], (struct server_name){device->name, strlen(device->name)}))
			return true;
	}
	return false;
}

static err_t add(const struct device *device)
{
	err_t err = 0;

	mutex_lock(&registry_lock);
	if (!device->hidden && is_taken(device)) {
		err = -EEXIST;
	} else if (ndevices == DEVICES_MAX) {
		err = -ENOMEM;
	} else {
		devices[ndevices] = *device;
		store_release(&ndevices, ndevices + 1);
	}
	mutex_unlock(&registry_lock);
	return err;
}

err_t devfs_register(const char *name, uint32_t major, uint32_t minor, uint32_t mode,
		     unsigned device_flags, const struct device_ops *ops, void *argument)
{
	return add(&(struct device){.name = name,
				    .rdev = abi_makedev(major, minor),
				    .nminors = 1,
				    .mode = S_IFCHR | (mode & 0777),
				    .made_mode = S_IFCHR | (mode & 0777),
				    .flags = device_flags,
				    .hidden = device_flags & DEVICE_HIDDEN,
				    .ops = ops,
				    .argument = argument,
				    .made = wall_time()});
}

/* Nobody's settings of the one before it. */
static void make_anew(struct device *device)
{
	write_once(&device->mode, device->made_mode);
	write_once(&device->uid, 0);
	write_once(&device->gid, 0);
	device->made = wall_time();
}

err_t devfs_show(const char *name, const void *argument, bool shown)
{
	err_t err = -ENOENT;

	mutex_lock(&registry_lock);
	for (uint32_t i = 0; i < ndevices; i++) {
		struct device *device = &devices[i];

		if (device->name != name || device->argument != argument)
			continue;
		err = shown && is_taken(device) ? -EEXIST : 0;
		if (!err && shown)
			make_anew(device);
		if (!err)
			write_once(&device->hidden, !shown);
	}
	mutex_unlock(&registry_lock);
	return err;
}

static const struct device_ops nothing;

err_t devfs_register_link(const char *name, const char *target)
{
	return add(&(struct device){.name = name,
				    .mode = S_IFLNK | 0777,
				    .ops = &nothing,
				    .target = target,
				    .made = wall_time()});
}

err_t devfs_register_numbers(uint32_t major, uint32_t minor, uint32_t nminors,
			     const struct device_ops *ops, void *argument)
{
	return add(&(struct device){.rdev = abi_makedev(major, minor),
				    .nminors = nminors,
				    .mode = S_IFCHR,
				    .ops = ops,
				    .argument = argument});
}

err_t devfs_register_directory(const char *name)
{
	return add(&(struct device){
		.name = name, .mode = S_IFDIR | 0755, .ops = &nothing, .made = wall_time()});
}

err_t devfs_find(uint64_t rdev, struct nodeid *out)
{
	const struct device wanted = {.rdev = rdev, .nminors = 1};

	for (uint32_t i = 0; i < count(); i++) {
		if (read_once(&devices[i].hidden) || !overlaps(&devices[i], &wanted))
			continue;
		*out = node_of(&devices[i]);
		out->value |= (uint64_t)(abi_minor(rdev) - abi_minor(devices[i].rdev)) << 32;
		return 0;
	}
	return -ENXIO;
}

/* ---- as a server ---- */

static void fill_attr(const struct device *device, struct server_attr *out)
{
	*out = (struct server_attr){.ino = node_of(device).value,
				    .mode = read_once(&device->mode),
				    .nlink = S_ISDIR(device->mode) ? 2 : 1,
				    .uid = read_once(&device->uid),
				    .gid = read_once(&device->gid),
				    .rdev = device->rdev,
				    .size_bytes = device->target ? strlen(device->target) : 0,
				    .atime = device->made,
				    .mtime = device->made,
				    .ctime = device->made,
				    .block_bytes = PAGE_SIZE};
}

/* What may be hidden any time is asked for each time. */
static uint64_t valid_ns(const struct device *device)
{
	return device->flags & DEVICE_HIDDEN ? 0 : SERVER_VALID_FOREVER;
}

static err_t devfs_lookup(struct server *server, const struct server_caller *caller,
			  struct nodeid parent, struct server_name name, struct server_entry *out)
{
	for (uint32_t i = 0; i < count(); i++) {
		if (!nodeid_equal(parent, SERVER_ROOT) || !has_name(&devices[i], name))
			continue;
		*out = (struct server_entry){.node = node_of(&devices[i]),
					     .entry_valid_ns = valid_ns(&devices[i]),
					     .attr_valid_ns = valid_ns(&devices[i])};
		fill_attr(&devices[i], &out->attr);
		return 0;
	}
	return -ENOENT; /* not to be kept: it may be registered any time */
}

static err_t devfs_getattr(struct server *server, struct nodeid node, struct server_attr *out,
			   uint64_t *attr_valid_ns)
{
	const struct device *device = find_by_node(node);

	*attr_valid_ns = SERVER_VALID_FOREVER;
	if (device) {
		*attr_valid_ns = valid_ns(device);
		fill_attr(device, out);
		return 0;
	}
	if (!nodeid_equal(node, SERVER_ROOT))
		return -ESTALE;
	*out = (struct server_attr){
		.ino = 1, .mode = S_IFDIR | 0755, .nlink = 2, .block_bytes = PAGE_SIZE};
	return 0;
}

/* Permissions and owners are what a login changes of its terminal; who may is checked above. */
static err_t devfs_setattr(struct server *server, const struct server_caller *caller,
			   struct nodeid node, const struct server_setattr *set,
			   struct server_attr *out, uint64_t *attr_valid_ns)
{
	struct device *device = find_by_node(node);

	if (!device)
		return -EPERM; /* the root of it all */
	mutex_lock(&registry_lock);
	if (set->valid & SETATTR_MODE)
		write_once(&device->mode, (device->mode & S_IFMT) | (set->mode & 07777));
	if (set->valid & SETATTR_UID)
		write_once(&device->uid, set->uid);
	if (set->valid & SETATTR_GID)
		write_once(&device->gid, set->gid);
	mutex_unlock(&registry_lock);
	fill_attr(device, out);
	*attr_valid_ns = valid_ns(device);
	return 0;
}

static err_t devfs_readdir(struct server *server, struct nodeid node, struct handle handle,
			   uint64_t cookie, struct dirent_sink *sink)
{
	if (!nodeid_equal(node, SERVER_ROOT))
		return 0;
	for (uint64_t i = cookie; i < count(); i++) {
		const char *text = devices[i].name;

		if (!text || read_once(&devices[i].hidden))
			continue;
		const struct server_name name = {.text = text, .len_bytes = strlen(text)};

		if (!sink->emit(sink, name, node_of(&devices[i]).value, devices[i].mode, i + 1))
			break;
	}
	return 0;
}

static ssize_t devfs_readlink(struct server *server, struct nodeid node, char *to, size_t to_bytes)
{
	const struct device *device = find_by_node(node);
	size_t len_bytes;

	if (!device || !device->target)
		return -EINVAL;
	len_bytes = MIN(strlen(device->target), to_bytes);
	memcpy(to, device->target, len_bytes);
	return (ssize_t)len_bytes;
}

static struct device_file *file_of_handle(struct handle handle)
{
	return (struct device_file *)handle.value;
}

void *devfs_private(struct nodeid node, struct handle handle, const struct device_ops *ops)
{
	const struct device *device = find_by_node(node);

	return device && device->ops == ops ? file_of_handle(handle)->private : NULL;
}

static err_t devfs_open(struct server *server, const struct server_caller *caller,
			struct nodeid node, unsigned flags, struct server_open *out)
{
	const struct device *device = find_by_node(node);
	struct device_file *file;
	err_t err = 0;

	if (!device)
		return -ENXIO;
	file = kzalloc(sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->argument = device->argument;
	file->rdev = abi_makedev(abi_major(device->rdev),
				 abi_minor(device->rdev) + (uint32_t)(node.value >> 32));
	if (device->ops->open)
		err = device->ops->open(file, flags);
	if (err) {
		kfree(file);
		return err;
	}
	out->handle.value = (uint64_t)file;
	out->flags = (device->flags & DEVICE_SEEKABLE) ? 0 : SERVER_STREAM;
	return 0;
}

static void devfs_release(struct server *server, struct nodeid node, struct handle handle,
			  unsigned flags)
{
	const struct device *device = find_by_node(node);
	struct device_file *file = file_of_handle(handle);

	if (device->ops->release)
		device->ops->release(file);
	kfree(file);
}

ssize_t devfs_read_device(struct nodeid node, struct handle handle, struct buffer *buffer,
			  uint64_t offset_bytes, unsigned flags)
{
	const struct device *device = find_by_node(node);

	if (!device->ops->read)
		return -EINVAL;
	return device->ops->read(file_of_handle(handle), buffer, offset_bytes, flags);
}

ssize_t devfs_write_device(struct nodeid node, struct handle handle, struct buffer *buffer,
			   uint64_t offset_bytes, unsigned flags)
{
	const struct device *device = find_by_node(node);

	if (!device->ops->write)
		return -EINVAL;
	return device->ops->write(file_of_handle(handle), buffer, offset_bytes, flags);
}

static ssize_t devfs_read(struct server *server, struct nodeid node, struct handle handle,
			  struct buffer *buffer, uint64_t offset_bytes, unsigned flags)
{
	return devfs_read_device(node, handle, buffer, offset_bytes, flags);
}

static ssize_t devfs_write(struct server *server, const struct server_caller *caller,
			   struct nodeid node, struct handle handle, struct buffer *buffer,
			   uint64_t offset_bytes, unsigned flags, uint64_t *end_bytes)
{
	ssize_t done = devfs_write_device(node, handle, buffer, offset_bytes, flags);

	*end_bytes = offset_bytes + (done > 0 ? (uint64_t)done : 0);
	return done;
}

static ssize_t devfs_ioctl(struct server *server, struct nodeid node, struct handle handle,
			   unsigned command, uptr_t argument, unsigned flags)
{
	const struct device *device = find_by_node(node);

	/* ioctl also comes for the directory itself. */
	if (!device || !device->ops->ioctl)
		return -ENOTTY;
	return device->ops->ioctl(file_of_handle(handle), command, argument, flags);
}

static unsigned devfs_poll(struct server *server, struct nodeid node, struct handle handle,
			   struct waitq **queue)
{
	const struct device *device = find_by_node(node);

	if (!device || !device->ops->poll)
		return POLLIN | POLLOUT;
	return device->ops->poll(file_of_handle(handle), queue);
}

static err_t devfs_map(struct server *server, struct nodeid node, struct handle handle,
		       const struct object_map_request *request, struct memory_object **out)
{
	const struct device *device = find_by_node(node);

	if (!device || !device->ops->map)
		return -ENODEV;
	return device->ops->map(file_of_handle(handle), request, out);
}

static err_t devfs_statfs(struct server *server, struct server_statfs *out)
{
	*out = (struct server_statfs){.files = count() + 1,
				      .block_bytes = PAGE_SIZE,
				      .name_bytes = NAME_MAX,
				      .magic = DEVFS_SUPER_MAGIC};
	return 0;
}

static const struct server_ops devfs_ops = {
	.lookup = devfs_lookup,
	.getattr = devfs_getattr,
	.setattr = devfs_setattr,
	.readdir = devfs_readdir,
	.readlink = devfs_readlink,
	.open = devfs_open,
	.release = devfs_release,
	.read = devfs_read,
	.write = devfs_write,
	.ioctl = devfs_ioctl,
	.poll = devfs_poll,
	.map = devfs_map,
	.statfs = devfs_statfs,
};

static struct server the_devfs = {.ops = &devfs_ops, .type = "devfs", .source = "devices"};

struct server *devfs_server(void)
{
	return &the_devfs;
}
