/*
 * CUSE: character devices that programs serve. Whoever opens /dev/cuse has a connection at once,
 * and says by CUSE_INIT's answer how the device is called; until it closes /dev/cuse, opens of that
 * device are requests to it. Owns the list of all names that there ever were, since devfs keeps
 * them: a name that comes again is shown again.
 *
 * Locks: making (LOCK_CUSE) for the list; served (LOCK_DRIVERS) for whose a device is now.
 */
#define LOG_SUBSYSTEM "cuse"
#include "device.h"

#include "server_priv.h"

#include <abi/cuse.h>
#include <fusek/devfs.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <sched/lock.h>

#define DYNAMIC_MAJOR 246u
#define NO_NODE       ((struct nodeid){0}) /* a device is no file of its driver's */

/* Lives for good, since devfs has its name. */
struct cuse_device {
	struct list link; /* making */
	char name[CUSE_NAME_BYTES];
	uint32_t major, minor;              /* constant */
	struct fuse_connection *connection; /* served: a reference; NULL: nobody serves it */
};

static MUTEX(making, LOCK_CUSE);
static LIST_HEAD(cuse_devices); /* making */
static uint32_t last_minor;     /* making: of those without a number of their own */
static struct spinlock served = SPINLOCK_INIT(LOCK_DRIVERS);

/* ---- the device, for programs ---- */

struct cuse_file {
	struct fuse_connection *connection; /* a reference */
	struct server_open open;
	unsigned flags;
};

static struct fuse_connection *connection_of_device(struct cuse_device *device)
{
	struct fuse_connection *connection;

	spin_lock(&served);
	connection = device->connection ? fuse_connection_get(device->connection) : NULL;
	spin_unlock(&served);
	return connection;
}

static err_t cuse_open(struct device_file *file, unsigned flags)
{
	const struct server_caller caller = server_caller_current();
	struct cuse_file *own = kzalloc(sizeof(*own));
	err_t err;

	if (!own)
		return -ENOMEM;
	own->flags = flags;
	own->connection = connection_of_device(file->argument);
	err = own->connection
		      ? driver_open(own->connection->server, &caller, NO_NODE, flags, &own->open)
		      : -ENODEV;
	if (err && err != -ENOSYS) {
		fuse_connection_put(own->connection);
		kfree(own);
		return err;
	}
	file->private = own;
	return 0;
}

static err_t decode_read(UNUSED const struct fuse_session *session, const struct fuse_reply *reply,
			 void *out)
{
	return buffer_copy_to(out, reply->bytes, reply->len_bytes) < reply->len_bytes ? -EFAULT : 0;
}

/* *asked_bytes: as many as one request may ask for. */
static ssize_t read_chunk(struct cuse_file *own, struct buffer *buffer, unsigned flags,
			  uint32_t *asked_bytes)
{
	size_t before_bytes = buffer_remaining(buffer);
	struct driver_call call;
	err_t err = driver_begin(&call, own->connection->server, NULL);

	if (err)
		return err;
	*asked_bytes = (uint32_t)MIN(before_bytes, (size_t)call.session->max_read_bytes);
	call.request.handle = handle_of(own->open.handle);
	fuse_ask_read(call.session, call.message, NO_NODE, fh_of(own->open.handle), 0, *asked_bytes,
		      flags);
	err = driver_end(&call, decode_read, buffer);
	return err ? err : (ssize_t)(before_bytes - buffer_remaining(buffer));
}

/* As many requests as it takes, until one is not answered in full. */
static ssize_t cuse_read(struct device_file *file, struct buffer *buffer,
			 UNUSED uint64_t offset_bytes, unsigned flags)
{
	uint32_t asked_bytes = 0;
	size_t total = 0;
	ssize_t done = 0;

	while (buffer_remaining(buffer)) {
		done = read_chunk(file->private, buffer, flags, &asked_bytes);
		if (done <= 0)
			break;
		total += (size_t)done;
		if ((size_t)done < asked_bytes)
			break;
	}
	return total ? (ssize_t)total : done;
}

static ssize_t write_chunk(struct cuse_file *own, struct buffer *buffer, unsigned flags)
{
	uint32_t len_bytes =
		(uint32_t)MIN(buffer_remaining(buffer),
			      (size_t)driver_transfer_bytes(own->connection->server, true));
	struct fuse_pages *pages = fuse_pages_alloc(len_bytes);
	struct page_write write = {.len_bytes = len_bytes};
	ssize_t done = -EFAULT;
	uint32_t copied = 0;

	if (!pages)
		return -ENOMEM;
	write.frames = pages->frames;
	while (copied < len_bytes) {
		size_t step = MIN(len_bytes - copied, (uint32_t)PAGE_SIZE);
		size_t moved = buffer_copy_from(
			buffer, frame_virt(pages->frames[copied / PAGE_SIZE]), step);

		copied += (uint32_t)moved;
		if (moved < step)
			break;
	}
	if (copied == len_bytes)
		done = driver_write_pages(own->connection->server, NO_NODE, own->open.handle, flags,
					  &write);
	fuse_pages_put(pages);
	return done;
}

/* As many requests as it takes, until one is not taken whole. */
static ssize_t cuse_write(struct device_file *file, struct buffer *buffer,
			  UNUSED uint64_t offset_bytes, unsigned flags)
{
	size_t total = 0;
	ssize_t done = 0;

	while (buffer_remaining(buffer)) {
		size_t before_bytes = buffer_remaining(buffer);

		done = write_chunk(file->private, buffer, flags);
		if (done <= 0)
			break;
		total += (size_t)done;
		if ((size_t)done < before_bytes - buffer_remaining(buffer))
			break;
	}
	return total ? (ssize_t)total : done;
}

static ssize_t cuse_ioctl(struct device_file *file, unsigned command, uptr_t argument,
			  unsigned flags)
{
	struct cuse_file *own = file->private;
	ssize_t result = driver_ioctl(own->connection->server, NO_NODE, own->open.handle, command,
				      argument, flags);

	return result == -ENOSYS ? -ENOTTY : result;
}

static unsigned cuse_poll(struct device_file *file, struct waitq **queue)
{
	struct cuse_file *own = file->private;

	return driver_poll(own->connection->server, NO_NODE, own->open.handle, queue);
}

static void cuse_release(struct device_file *file)
{
	struct cuse_file *own = file->private;

	driver_release(own->connection->server, NO_NODE, own->open.handle, own->flags);
	fuse_connection_put(own->connection);
	kfree(own);
}

static const struct device_ops device_ops = {
	.open = cuse_open,
	.read = cuse_read,
	.write = cuse_write,
	.ioctl = cuse_ioctl,
	.poll = cuse_poll,
	.release = cuse_release,
};

/* ---- its name ---- */

static struct cuse_device *find_device(const struct fuse_cuse *wanted) REQUIRES(making);
static struct cuse_device *find_device(const struct fuse_cuse *wanted)
{
	struct cuse_device *device;

	list_for_each (device, &cuse_devices, link) {
		bool is_dynamic = device->major == DYNAMIC_MAJOR;

		if (strcmp(device->name, wanted->name) != 0)
			continue;
		if (wanted->major ? device->major == wanted->major && device->minor == wanted->minor
				  : is_dynamic)
			return device;
	}
	return NULL;
}

static err_t make_device(const struct fuse_cuse *wanted, struct cuse_device **out) REQUIRES(making);
static err_t make_device(const struct fuse_cuse *wanted, struct cuse_device **out)
{
	struct cuse_device *device = kzalloc(sizeof(*device));
	err_t err;

	if (!device)
		return -ENOMEM;
	string_copy(device->name, sizeof(device->name), wanted->name);
	device->major = wanted->major ? wanted->major : DYNAMIC_MAJOR;
	device->minor = wanted->major ? wanted->minor : last_minor;
	err = devfs_register(device->name, device->major, device->minor, 0600, DEVICE_HIDDEN,
			     &device_ops, device);
	if (err) {
		kfree(device);
		return err;
	}
	last_minor += !wanted->major;
	list_add_tail(&cuse_devices, &device->link);
	*out = device;
	return 0;
}

static void serve(struct cuse_device *device, struct fuse_connection *connection)
{
	struct fuse_connection *before;

	spin_lock(&served);
	before = device->connection;
	device->connection = connection;
	spin_unlock(&served);
	fuse_connection_put(before);
}

/* It can be opened from here on. -EEXIST: the name or the number is another device's. */
static err_t appear(struct fuse_connection *connection, const struct fuse_cuse *wanted)
{
	struct cuse_device *device;
	err_t err = 0;

	mutex_lock(&making);
	device = find_device(wanted);
	if (device && device->connection)
		err = -EEXIST;
	else if (!device)
		err = make_device(wanted, &device);
	if (!err) {
		serve(device, fuse_connection_get(connection));
		err = devfs_show(device->name, device, true);
		if (err)
			serve(device, NULL);
	}
	mutex_unlock(&making);
	return err;
}

static void disappear(struct fuse_connection *connection)
{
	struct cuse_device *device;

	mutex_lock(&making);
	list_for_each (device, &cuse_devices, link) {
		if (device->connection != connection)
			continue;
		(void)!devfs_show(device->name, device, false);
		serve(device, NULL);
	}
	mutex_unlock(&making);
}

/* ---- /dev/cuse ---- */

static void cuse_init_ended(struct fuse_request *request)
{
	struct fuse_connection *connection = fuse_connection_get(request->connection);
	struct fuse_reply reply = fuse_request_reply(request);
	struct fuse_cuse said = {0};
	err_t err = request->error;

	if (!err)
		err = fuse_answer_cuse_init(&reply, &said);
	if (!err) {
		connection->unrestricted = said.unrestricted;
		err = appear(connection, &said);
	}
	if (!err) {
		fuse_connection_ready(connection, &said.session);
	} else if (err != -ECONNABORTED) {
		log_warn("connection %u: no device for the answer to CUSE_INIT (error %d)",
			 connection->number, -err);
		fuse_connection_end(connection, -ECONNREFUSED);
	}
	fuse_request_free(request);
	fuse_connection_put(connection);
}

static err_t begin(struct fuse_device *device, struct server **out)
{
	static const struct fuse_mount_options options = {.block_bytes = FUSE_BLOCK_BYTES};
	static const struct server_caller kernel;
	struct fuse_connection *connection = fuse_connection_create();
	struct fuse_request *request;
	err_t err;

	if (!connection)
		return -ENOMEM;
	err = fuse_server_create(connection, &options, "cuse", out);
	if (err) {
		fuse_connection_put(connection);
		return err;
	}
	request = fuse_request_create(connection, &kernel, cuse_init_ended);
	err = request ? fuse_device_attach(device, connection) : -ENOMEM;
	if (err) {
		if (request)
			fuse_request_free(request);
		fuse_server_destroy(*out);
		return err;
	}
	fuse_ask_cuse_init(&request->message);
	fuse_send(connection, request);
	return 0;
}

static err_t driver_open_cuse(struct device_file *file, UNUSED unsigned flags)
{
	struct fuse_device *device = fuse_device_create();
	struct server *server;
	err_t err = device ? begin(device, &server) : -ENOMEM;

	if (err && device)
		fuse_device_free(device);
	file->private = device;
	return err;
}

static ssize_t driver_read_cuse(struct device_file *file, struct buffer *buffer,
				UNUSED uint64_t offset_bytes, unsigned flags)
{
	return fuse_device_read(file->private, buffer, flags & O_NONBLOCK);
}

static ssize_t driver_write_cuse(struct device_file *file, struct buffer *buffer,
				 UNUSED uint64_t offset_bytes, UNUSED unsigned flags)
{
	return fuse_device_write(file->private, buffer);
}

static unsigned driver_poll_cuse(struct device_file *file, struct waitq **queue)
{
	return fuse_device_poll(file->private, queue);
}

/* The device goes first, then all that waits for it fails. */
static void driver_release_cuse(struct device_file *file)
{
	struct fuse_device *device = file->private;
	struct fuse_connection *connection = fuse_connection_get(device->connection);

	disappear(connection);
	fuse_device_free(device);
	fuse_server_destroy(connection->server);
	fuse_connection_put(connection);
}

static const struct device_ops cuse_ops = {
	.open = driver_open_cuse,
	.read = driver_read_cuse,
	.write = driver_write_cuse,
	.poll = driver_poll_cuse,
	.release = driver_release_cuse,
};

err_t fuse_cuse_init(void)
{
	return devfs_register("cuse", CUSE_DEV_MAJOR, CUSE_DEV_MINOR, 0600, 0, &cuse_ops, NULL);
}
