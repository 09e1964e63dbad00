/*
 * The stream of /dev/fuse: a read takes one request, a write brings one answer or notification;
 * neither is ever split. What a driver writes is copied out of its memory before it is looked at.
 */
#define LOG_SUBSYSTEM "fuse"
#include "device.h"

#include "notify.h"

#include <lib/log.h>
#include <lib/string.h>
#include <mm/kva.h>

#define ERROR_MAX 511 /* a reply's error is -511 .. 0 */

/* A request as a driver reads it. */
struct outgoing {
	struct fuse_in_header header;
	uint8_t arguments[FUSE_ARGUMENTS_MAX];
};

/* ---- reading requests ---- */

static void head_of(const struct fuse_message *message, struct outgoing *out)
{
	out->header = (struct fuse_in_header){
		.len = (uint32_t)(sizeof(out->header) + message->arguments_bytes +
				  message->payload_bytes),
		.opcode = message->opcode,
		.nodeid = message->node.value,
	};
	memcpy(out->arguments, message->arguments, message->arguments_bytes);
}

static size_t head_bytes(const struct fuse_message *message)
{
	return sizeof(struct fuse_in_header) + message->arguments_bytes;
}

/* The oldest INTERRUPT. */
static size_t take_interrupt_locked(struct fuse_connection *connection, struct outgoing *out)
	REQUIRES(connection->lock);
static size_t take_interrupt_locked(struct fuse_connection *connection, struct outgoing *out)
{
	struct fuse_request *request =
		list_first_entry(&connection->interrupts, struct fuse_request, interrupt_link);
	struct fuse_message message;

	list_del(&request->interrupt_link);
	request->interrupt_queued = false;
	fuse_ask_interrupt(&message, request->unique);
	head_of(&message, out);
	out->header.unique = request->unique | 1;
	return head_bytes(&message);
}

/* All forgets that are older than the first request, as many as go into one message. */
static size_t take_forgets_locked(struct fuse_connection *connection, uint64_t before,
				  struct outgoing *out, struct list *taken)
	REQUIRES(connection->lock);
static size_t take_forgets_locked(struct fuse_connection *connection, uint64_t before,
				  struct outgoing *out, struct list *taken)
{
	uint32_t most = connection->session.minor >= 16 ? (uint32_t)FUSE_BATCH_MAX : 1;
	struct fuse_forget_one nodes[FUSE_BATCH_MAX];
	struct fuse_message message;
	uint32_t count = 0;

	while (count < most && !list_empty(&connection->forgets)) {
		struct fuse_forget *forget =
			list_first_entry(&connection->forgets, struct fuse_forget, link);

		if (forget->order > before)
			break;
		nodes[count++] = forget->node;
		list_del(&forget->link);
		list_add_tail(taken, &forget->link);
	}
	if (count == 1)
		fuse_ask_forget(&message, (struct nodeid){nodes[0].nodeid}, nodes[0].nlookup);
	else
		fuse_ask_batch_forget(&message, nodes, count);
	head_of(&message, out);
	connection->last_unique += 2;
	out->header.unique = connection->last_unique;
	return head_bytes(&message);
}

/* The request becomes the device's; *payload is a reference. */
static size_t take_request_locked(struct fuse_connection *connection, struct fuse_device *device,
				  struct fuse_request *request, struct outgoing *out,
				  struct fuse_pages **payload) REQUIRES(connection->lock);
static size_t take_request_locked(struct fuse_connection *connection, struct fuse_device *device,
				  struct fuse_request *request, struct outgoing *out,
				  struct fuse_pages **payload)
{
	head_of(&request->message, out);
	out->header.unique = request->unique;
	out->header.uid = request->caller.uid;
	out->header.gid = request->caller.gid;
	out->header.pid = (uint32_t)request->caller.pid;
	*payload = request->payload;
	if (*payload)
		refcount_get(&(*payload)->references);
	list_del(&request->link);
	request->state = FUSE_REQUEST_SENT;
	list_add_tail(fuse_sent_bucket(device, request->unique), &request->link);
	if (request->interrupted && !request->interrupt_queued) {
		request->interrupt_queued = true;
		list_add_tail(&connection->interrupts, &request->interrupt_link);
	}
	return head_bytes(&request->message);
}

/* One request for the driver. */
struct taken {
	struct outgoing out;
	size_t head_bytes;
	struct fuse_pages *payload; /* a reference */
};

static void free_forgets(struct fuse_connection *connection, struct list *taken)
{
	struct fuse_forget *forget, *next;

	list_for_each_safe (forget, next, taken, link)
		fuse_forget_free(connection, forget);
}

static void fail_too_long(struct fuse_connection *connection, struct fuse_request *request)
	RELEASE(connection->lock);
static void fail_too_long(struct fuse_connection *connection, struct fuse_request *request)
{
	fuse_request_end(connection, request,
			 request->message.opcode == FUSE_SETXATTR ? -E2BIG : -EIO);
}

/* 0: taken; -EAGAIN: nothing is there; -ENODEV: the connection has ended. */
static err_t take(struct fuse_device *device, size_t cap_bytes, struct taken *taken)
{
	struct fuse_connection *connection = device->connection;
	struct fuse_request *request = NULL;
	LIST_HEAD(forgotten);
	err_t err = 0;

	taken->payload = NULL;
	taken->head_bytes = 0;
	do {
		spin_lock(&connection->lock);
		request =
			list_empty(&connection->queued)
				? NULL
				: list_first_entry(&connection->queued, struct fuse_request, link);
		if (connection->state == FUSE_ENDED) {
			err = -ENODEV;
		} else if (!list_empty(&connection->interrupts)) {
			taken->head_bytes = take_interrupt_locked(connection, &taken->out);
		} else if (!list_empty(&connection->forgets) && connection->state == FUSE_READY &&
			   (!request ||
			    list_first_entry(&connection->forgets, struct fuse_forget, link)
					    ->order < request->order)) {
			taken->head_bytes = take_forgets_locked(
				connection, request ? request->order : UINT64_MAX, &taken->out,
				&forgotten);
		} else if (!request) {
			err = -EAGAIN;
		} else if (head_bytes(&request->message) + request->message.payload_bytes >
			   cap_bytes) {
			fail_too_long(connection, request); /* unlocks */
			continue;
		} else {
			taken->head_bytes = take_request_locked(connection, device, request,
								&taken->out, &taken->payload);
		}
		spin_unlock(&connection->lock);
	} while (!err && !taken->head_bytes);
	free_forgets(connection, &forgotten);
	return err;
}

static bool copy_pages_out(const struct fuse_pages *pages, size_t len_bytes, struct buffer *buffer)
{
	for (uint32_t i = 0; len_bytes; i++) {
		size_t step = MIN(len_bytes, PAGE_SIZE);

		if (buffer_copy_to(buffer, frame_virt(pages->frames[i]), step) < step)
			return false;
		len_bytes -= step;
	}
	return true;
}

static struct fuse_request *find_sent_locked(struct fuse_connection *connection,
					     struct fuse_device *device, uint64_t unique)
	REQUIRES(connection->lock);
static struct fuse_request *find_sent_locked(UNUSED struct fuse_connection *connection,
					     struct fuse_device *device, uint64_t unique)
{
	struct fuse_request *request;

	list_for_each (request, fuse_sent_bucket(device, unique), link) {
		if (request->unique == unique)
			return request;
	}
	return NULL;
}

/* The driver's buffer was no memory: whoever asked gets an error. */
static void fail_sent(struct fuse_device *device, uint64_t unique)
{
	struct fuse_connection *connection = device->connection;
	struct fuse_request *request;

	spin_lock(&connection->lock);
	request = find_sent_locked(connection, device, unique);
	if (request)
		fuse_request_end(connection, request, -EIO);
	else
		spin_unlock(&connection->lock);
}

static ssize_t give(struct fuse_device *device, struct taken *taken, struct buffer *buffer)
{
	size_t payload_bytes = taken->out.header.len - taken->head_bytes;
	bool copied = buffer_copy_to(buffer, &taken->out, taken->head_bytes) == taken->head_bytes;

	if (copied && taken->payload)
		copied = copy_pages_out(taken->payload, payload_bytes, buffer);
	fuse_pages_put(taken->payload);
	if (copied)
		return taken->out.header.len;
	fail_sent(device, taken->out.header.unique);
	return -EFAULT;
}

bool fuse_has_work(struct fuse_connection *connection)
{
	bool has;

	spin_lock(&connection->lock);
	has = connection->state == FUSE_ENDED || !list_empty(&connection->queued) ||
	      !list_empty(&connection->interrupts) ||
	      (!list_empty(&connection->forgets) && connection->state == FUSE_READY);
	spin_unlock(&connection->lock);
	return has;
}

/* The least that a buffer must hold, or a request could not be read. */
static size_t least_bytes(struct fuse_connection *connection)
{
	size_t write_bytes = sizeof(struct fuse_in_header) + sizeof(struct fuse_write_in);

	if (load_acquire(&connection->state) == FUSE_READY)
		write_bytes += connection->session.max_write_bytes;
	return MAX(write_bytes, (size_t)FUSE_MIN_READ_BUFFER);
}

ssize_t fuse_device_read(struct fuse_device *device, struct buffer *buffer, bool nonblocking)
{
	struct fuse_connection *connection = load_acquire(&device->connection);
	struct taken taken;
	err_t err;

	if (!connection)
		return -EPERM;
	if (buffer_remaining(buffer) < least_bytes(connection))
		return -EINVAL;
	for (;;) {
		err = take(device, buffer_remaining(buffer), &taken);
		if (!err)
			return give(device, &taken, buffer);
		if (err != -EAGAIN || nonblocking)
			return err;
		err = wait_event_interruptible(&connection->readers, fuse_has_work(connection));
		if (err)
			return err;
	}
}

/* ---- answers ---- */

/* What the driver wrote, without its payload. */
struct incoming {
	struct fuse_out_header header;
	uint32_t payload_bytes;
	uint64_t head[FUSE_REPLY_INLINE / 8]; /* the payload, if it is no longer than this */
};

static bool head_is_all(const struct incoming *in)
{
	return in->payload_bytes <= sizeof(in->head);
}

static err_t read_head(struct incoming *in, struct buffer *buffer)
{
	size_t total_bytes = buffer_remaining(buffer);

	if (total_bytes < sizeof(in->header))
		return -EINVAL;
	if (buffer_copy_from(buffer, &in->header, sizeof(in->header)) < sizeof(in->header))
		return -EFAULT;
	if (in->header.len != total_bytes)
		return -EINVAL;
	in->payload_bytes = (uint32_t)(total_bytes - sizeof(in->header));
	if (!in->header.unique || !head_is_all(in))
		return 0;
	return buffer_copy_from(buffer, in->head, in->payload_bytes) < in->payload_bytes ? -EFAULT
											 : 0;
}

static bool length_fits(const struct fuse_request *request, const struct incoming *in)
{
	if (in->header.error)
		return in->payload_bytes == 0;
	return in->payload_bytes >= request->message.reply_min_bytes &&
	       in->payload_bytes <= request->message.reply_max_bytes;
}

/* ENOSYS to an INTERRUPT needs nothing; EAGAIN: the driver has not seen the request yet, once more.
 */
static err_t answer_interrupt(struct fuse_device *device, const struct incoming *in)
{
	struct fuse_connection *connection = device->connection;
	struct fuse_request *request;
	bool again = false;

	spin_lock(&connection->lock);
	request = find_sent_locked(connection, device, in->header.unique & ~UINT64_C(1));
	if (request && in->header.error == -EAGAIN && !request->interrupt_queued) {
		request->interrupt_queued = true;
		list_add_tail(&connection->interrupts, &request->interrupt_link);
		again = true;
	}
	spin_unlock(&connection->lock);
	if (again)
		waitq_wake_one(&connection->readers);
	return request ? 0 : -ENOENT;
}

static size_t copy_pages_in(const struct fuse_pages *pages, size_t len_bytes,
			    const struct incoming *in, struct buffer *buffer)
{
	size_t done = 0;

	if (head_is_all(in)) { /* it was copied already */
		memcpy(frame_virt(pages->frames[0]), in->head, len_bytes);
		return len_bytes;
	}
	while (done < len_bytes) {
		size_t step = MIN(len_bytes - done, PAGE_SIZE);
		size_t moved =
			buffer_copy_from(buffer, frame_virt(pages->frames[done / PAGE_SIZE]), step);

		done += moved;
		if (moved < step)
			break;
	}
	return done;
}

/* The answer goes into the request's pages, without the lock: nobody else can find it meanwhile. */
static err_t receive_pages(struct fuse_connection *connection, struct fuse_request *request,
			   const struct incoming *in, struct buffer *buffer)
	RELEASE(connection->lock);
static err_t receive_pages(struct fuse_connection *connection, struct fuse_request *request,
			   const struct incoming *in, struct buffer *buffer)
{
	size_t copied;

	list_del(&request->link);
	request->state = FUSE_REQUEST_RECEIVING;
	spin_unlock(&connection->lock);
	copied = copy_pages_in(request->receives, in->payload_bytes, in, buffer);
	spin_lock(&connection->lock);
	request->reply_bytes = (uint32_t)copied;
	fuse_request_end(connection, request, copied < in->payload_bytes ? -EIO : 0);
	return copied < in->payload_bytes ? -EFAULT : 0;
}

/* `block` is the payload where it is too long for in->head; taken over on success. */
static err_t answer(struct fuse_device *device, const struct incoming *in, void **block,
		    struct buffer *buffer)
{
	struct fuse_connection *connection = device->connection;
	struct fuse_request *request;

	spin_lock(&connection->lock);
	request = find_sent_locked(connection, device, in->header.unique);
	if (!request) {
		spin_unlock(&connection->lock);
		return -ENOENT;
	}
	if (!length_fits(request, in)) {
		log_debug("connection %u: an answer to request %u has %u bytes", connection->number,
			  request->message.opcode, in->payload_bytes);
		fuse_request_end(connection, request, -EIO);
		return -EINVAL;
	}
	if (request->receives && !in->header.error)
		return receive_pages(connection, request, in, buffer);
	if (!head_is_all(in) && !*block) {
		spin_unlock(&connection->lock);
		return -EAGAIN; /* it has to be copied first */
	}
	request->reply_bytes = in->payload_bytes;
	if (*block)
		request->long_reply = *block;
	else
		memcpy(request->reply, in->head, in->payload_bytes);
	*block = NULL;
	fuse_request_end(connection, request, in->header.error);
	return 0;
}

/* The answer must be in our memory before the request is touched, since copying may sleep. */
static err_t answer_long(struct fuse_device *device, const struct incoming *in,
			 struct buffer *buffer)
{
	void *block = NULL;
	err_t err = answer(device, in, &block, buffer);

	if (err != -EAGAIN)
		return err;
	block = kvmalloc(in->payload_bytes);
	if (!block)
		return -ENOMEM;
	if (buffer_copy_from(buffer, block, in->payload_bytes) < in->payload_bytes)
		err = -EFAULT;
	else
		err = answer(device, in, &block, buffer);
	kvfree(block, in->payload_bytes);
	return err;
}

ssize_t fuse_device_write(struct fuse_device *device, struct buffer *buffer)
{
	struct fuse_connection *connection = load_acquire(&device->connection);
	size_t total_bytes = buffer_remaining(buffer);
	struct incoming in;
	err_t err;

	if (!connection)
		return -EPERM;
	err = read_head(&in, buffer);
	if (err)
		return err;
	if (!in.header.unique)
		err = fuse_notified(connection, in.header.error, buffer);
	else if (in.header.error > 0 || in.header.error < -ERROR_MAX)
		err = -EINVAL;
	else if (in.header.unique & 1)
		err = answer_interrupt(device, &in);
	else
		err = answer_long(device, &in, buffer);
	return err ? err : (ssize_t)total_bytes;
}
