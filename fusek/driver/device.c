/*
 * /dev/fuse as a device: opening, cloning, polling, closing. The stream is in stream.c.
 */
#define LOG_SUBSYSTEM "fuse"
#include "device.h"

#include "../devices.h"
#include "ring.h"

#include <abi/fcntl.h>
#include <arch/user.h>
#include <fusek/driver.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/slab.h>

SLAB_CACHE(device_cache, struct fuse_device);

/* ---- open, mount, clone, close ---- */

struct fuse_device *fuse_device_create(void)
{
	struct fuse_device *device = slab_alloc_zeroed(&device_cache);

	if (!device)
		return NULL;
	list_init(&device->link);
	for (unsigned i = 0; i < FUSE_SENT_BUCKETS; i++)
		list_init(&device->sent[i]);
	return device;
}

static err_t device_open(struct device_file *file, UNUSED unsigned flags)
{
	file->private = fuse_device_create();
	return file->private ? 0 : -ENOMEM;
}

err_t fuse_device_attach(struct fuse_device *device, struct fuse_connection *connection)
{
	struct fuse_connection *nobody = NULL;
	bool attached;

	/* Who sees the connection sees the device on its list, or waits for the lock. */
	spin_lock(&connection->lock);
	attached = atomic_cas(&device->connection, &nobody, connection);
	if (attached) {
		fuse_connection_get(connection);
		list_add_tail(&connection->devices, &device->link);
	}
	spin_unlock(&connection->lock);
	return attached ? 0 : -EBUSY;
}

/* A request that this device has read and did not answer; NULL: none is left. Locked then. */
static struct fuse_request *lock_unanswered(struct fuse_device *device) NO_THREAD_SAFETY
{
	struct fuse_connection *connection = device->connection;

	spin_lock(&connection->lock);
	for (unsigned i = 0; i < FUSE_SENT_BUCKETS; i++) {
		if (!list_empty(&device->sent[i]))
			return list_first_entry(&device->sent[i], struct fuse_request, link);
	}
	spin_unlock(&connection->lock);
	return NULL;
}

static void fail_unanswered(struct fuse_device *device) NO_THREAD_SAFETY
{
	struct fuse_request *request;

	while ((request = lock_unanswered(device)))
		fuse_request_fail(device->connection, request, -ECONNABORTED);
}

void fuse_device_free(struct fuse_device *device)
{
	struct fuse_connection *connection = device->connection;
	bool last;

	if (connection) {
		fuse_ring_collect(device);
		fuse_ring_detach(device); /* before: nothing new comes to the device */
		fail_unanswered(device);
		spin_lock(&connection->lock);
		list_del(&device->link);
		last = list_empty(&connection->devices);
		spin_unlock(&connection->lock);
		if (last)
			fuse_connection_end(connection, -ENOTCONN);
		fuse_connection_put(connection);
	}
	slab_free(&device_cache, device);
}

/* ---- as a device ---- */

static void device_release(struct device_file *file)
{
	fuse_device_free(file->private);
}

static ssize_t device_read(struct device_file *file, struct buffer *buffer,
			   UNUSED uint64_t offset_bytes, unsigned flags)
{
	return fuse_device_read(file->private, buffer, flags & O_NONBLOCK);
}

static ssize_t device_write(struct device_file *file, struct buffer *buffer,
			    UNUSED uint64_t offset_bytes, UNUSED unsigned flags)
{
	return fuse_device_write(file->private, buffer);
}

unsigned fuse_device_poll(struct fuse_device *device, struct waitq **queue)
{
	struct fuse_connection *connection = load_acquire(&device->connection);

	if (!connection)
		return POLLERR;
	*queue = &connection->pollers;
	if (load_acquire(&connection->state) == FUSE_ENDED)
		return POLLERR;
	if (unlikely(load_acquire(&device->ring))) {
		spin_lock(&connection->lock);
		fuse_ring_settle_locked(connection, device);
		spin_unlock(&connection->lock);
	}
	return POLLOUT | (fuse_has_work(connection) ? POLLIN : 0);
}

static unsigned device_poll(struct device_file *file, struct waitq **queue)
{
	return fuse_device_poll(file->private, queue);
}

/* Another descriptor of the same connection, for a thread of the driver. */
static ssize_t clone_of(struct fuse_device *device, uptr_t argument)
{
	struct fuse_device *other;
	struct object *object;
	uint32_t fd;
	err_t err;

	if (user_get(&fd, argument))
		return -EFAULT;
	object = vfs_descriptor((int)fd);
	if (!object)
		return -EBADF;
	other = fuse_device_of(object);
	if (!other || !load_acquire(&other->connection) || load_acquire(&device->connection))
		err = -EINVAL;
	else
		err = fuse_device_attach(device, other->connection);
	object_put(object);
	return err;
}

static ssize_t device_ioctl(struct device_file *file, unsigned command, uptr_t argument,
			    UNUSED unsigned flags)
{
	struct fuse_device *device = file->private;
	struct fuse_connection *connection = load_acquire(&device->connection);

	switch (command) {
	case FUSE_DEV_IOC_CLONE:
		return clone_of(device, argument);
	case FUSE_DEV_IOC_BACKING_OPEN:
		return connection ? fuse_backing_open(connection, argument) : -EPERM;
	case FUSE_DEV_IOC_BACKING_CLOSE:
		return connection ? fuse_backing_close(connection, argument) : -EPERM;
	default:
		return -ENOTTY;
	}
}

static err_t device_map(struct device_file *file, const struct object_map_request *request,
			struct memory_object **out)
{
	return fuse_ring_map(file->private, request, out);
}

static const struct device_ops fuse_device_ops = {
	.open = device_open,
	.read = device_read,
	.write = device_write,
	.ioctl = device_ioctl,
	.poll = device_poll,
	.map = device_map,
	.release = device_release,
};

struct fuse_device *fuse_device_of(struct object *object)
{
	return file_device(object, &fuse_device_ops);
}

bool fuse_serves(struct object *object)
{
	const struct fuse_device *device = fuse_device_of(object);

	return device && load_acquire(&device->connection);
}

err_t fuse_device_init(void)
{
	err_t err = fuse_cuse_init();

	if (err)
		return err;
	return devfs_register("fuse", FUSE_DEV_MAJOR, FUSE_DEV_MINOR, 0666, 0, &fuse_device_ops,
			      NULL);
}
