/*
 * The stream of /dev/fuse: a read takes one request (reader.c), a write brings one answer or
 * notification; neither is ever split. What a driver writes is copied out of its memory before it
 * is looked at.
 */
#define LOG_SUBSYSTEM "fuse"
#include "device.h"

#include "notify.h"
#include "reader.h"
#include "ring.h"

#include <arch/user.h>
#include <fusek/driver.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/kva.h>
#include <mm/lend.h>
#include <mm/slab.h>
#include <sched/rcu.h>
#include <sched/thread.h>

/* ---- reading requests ---- */

/* Part of a live page, to the program. -ENOENT: it was withdrawn. */
static err_t copy_live_page(const struct fuse_pages *pages, const char *from, uint64_t to,
			    size_t len_bytes)
{
	for (;;) {
		size_t left_bytes = len_bytes;
		bool withdrawn;

		rcu_read_lock();
		withdrawn = read_once(&pages->withdrawn);
		if (likely(!withdrawn))
			left_bytes = user_copy_out_no_fault(uptr(to), from, len_bytes);
		rcu_read_unlock();
		if (likely(!left_bytes))
			return 0;
		if (withdrawn)
			return -ENOENT;
		from += len_bytes - left_bytes;
		to += len_bytes - left_bytes;
		len_bytes = left_bytes;
		/* The page is brought, and what this puts there is written over. */
		if (thread_killed() || user_clear(uptr(to), 1))
			return -EFAULT;
	}
}

static err_t copy_live(const struct fuse_pages *pages, uint64_t to, size_t len_bytes)
{
	size_t skip = pages->skip_bytes;
	err_t err = 0;

	for (struct frame *const *frame = pages->frames; len_bytes && !err; frame++) {
		size_t step = MIN(len_bytes, PAGE_SIZE - skip);

		err = copy_live_page(pages, (const char *)frame_virt(*frame) + skip, to, step);
		to += step;
		len_bytes -= step;
		skip = 0;
	}
	return err;
}

/* The same by way of `page`, which is the kernel's: the buffer has many pieces. */
static err_t copy_live_pieces(const struct fuse_pages *pages, char *page, size_t len_bytes,
			      struct buffer *buffer)
{
	size_t skip = pages->skip_bytes;

	for (struct frame *const *frame = pages->frames; len_bytes; frame++) {
		size_t step = MIN(len_bytes, PAGE_SIZE - skip);
		bool withdrawn;

		rcu_read_lock();
		withdrawn = read_once(&pages->withdrawn);
		if (!withdrawn)
			memcpy(page, (const char *)frame_virt(*frame) + skip, step);
		rcu_read_unlock();
		if (withdrawn)
			return -ENOENT;
		if (buffer_copy_to(buffer, page, step) < step)
			return -EFAULT;
		len_bytes -= step;
		skip = 0;
	}
	return 0;
}

static err_t copy_live_out(const struct fuse_pages *pages, size_t len_bytes, struct buffer *buffer)
{
	uint64_t address;
	char *page;
	err_t err;

	if (likely(buffer_user_place(buffer, len_bytes, &address))) {
		err = copy_live(pages, address, len_bytes);
		if (likely(!err))
			buffer_skip(buffer, len_bytes);
		return err;
	}
	page = kmalloc(PAGE_SIZE);
	if (!page)
		return -ENOMEM;
	err = copy_live_pieces(pages, page, len_bytes, buffer);
	kfree(page);
	return err;
}

static err_t copy_pages_out(const struct fuse_pages *pages, size_t len_bytes, struct buffer *buffer)
{
	for (uint32_t i = 0; len_bytes; i++) {
		size_t step = MIN(len_bytes, PAGE_SIZE);

		if (buffer_copy_to(buffer, frame_virt(pages->frames[i]), step) < step)
			return -EFAULT;
		len_bytes -= step;
	}
	return 0;
}

struct fuse_request *fuse_find_sent_locked(UNUSED struct fuse_connection *connection,
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
	request = fuse_find_sent_locked(connection, device, unique);
	if (request)
		fuse_request_fail(connection, request, -EIO);
	else
		spin_unlock(&connection->lock);
}

/* Whole pages that stay as they are become the driver's, too. False: they are to be copied. */
static bool place_pages(struct fuse_reader *reader, struct fuse_pages *pages)
{
	struct fuse_connection *connection = reader->device->connection;
	const struct fuse_window *window = reader->window;
	struct fuse_place placed = {0};

	if (!pages->frozen)
		return false;
	if (window && pages->npages <= window->len_bytes / PAGE_SIZE) {
		placed.space = vfs_space();
		placed.address = window->address.value;
		placed.npages = space_give_frames(vfs_space(), placed.address, pages->frames,
						  pages->npages, true);
	}
	if (!placed.npages) { /* it was frozen in vain; the next call with a window says it again */
		write_once(&connection->takes_pages, false);
		return false;
	}
	spin_lock(&connection->lock);
	pages->placed = placed;
	spin_unlock(&connection->lock);
	return placed.npages == pages->npages;
}

/* The reader's payload is given back. *placed: it is in the window, not in the buffer. */
static err_t put_payload(struct fuse_reader *reader, struct buffer *buffer, bool *placed)
{
	struct fuse_pages *payload = reader->payload;
	size_t len_bytes = reader->out.header.len - reader->head_bytes;
	err_t err = 0;

	*placed = place_pages(reader, payload);
	if (!*placed)
		err = payload->live ? copy_live_out(payload, len_bytes, buffer)
				    : copy_pages_out(payload, len_bytes, buffer);
	/* Full: who asked sees that the last byte was copied. */
	(void)atomic_fetch_sub_full(&payload->nreaders, 1);
	fuse_pages_put(payload);
	return err;
}

ssize_t fuse_reader_put(struct fuse_reader *reader, struct buffer *buffer)
{
	size_t before_bytes = buffer_remaining(buffer);
	err_t err = buffer_copy_to(buffer, &reader->out, reader->head_bytes) == reader->head_bytes
			    ? 0
			    : -EFAULT;
	bool placed = false;

	if (unlikely(reader->payload)) {
		if (likely(!err)) {
			err = put_payload(reader, buffer, &placed);
		} else {
			(void)atomic_fetch_sub_full(&reader->payload->nreaders, 1);
			fuse_pages_put(reader->payload);
		}
	}
	if (likely(!err))
		return placed ? reader->head_bytes : reader->out.header.len;
	fail_sent(reader->device, reader->out.header.unique);
	buffer_go_back(buffer, before_bytes - buffer_remaining(buffer));
	return err;
}

size_t fuse_least_bytes(struct fuse_connection *connection)
{
	size_t write_bytes = sizeof(struct fuse_in_header) + sizeof(struct fuse_write_in);

	if (load_acquire(&connection->state) == FUSE_READY)
		write_bytes += connection->session.max_write_bytes;
	return MAX(write_bytes, (size_t)FUSE_MIN_READ_BUFFER);
}

ssize_t fuse_device_read(struct fuse_device *device, struct buffer *buffer, bool nonblocking)
{
	struct fuse_connection *connection = load_acquire(&device->connection);
	struct fuse_reader reader;
	ssize_t result;

	if (unlikely(!connection))
		return -EPERM;
	if (unlikely(buffer_remaining(buffer) < fuse_least_bytes(connection)))
		return -EINVAL;
	fuse_ring_collect(device);
	do {
		fuse_reader_init(&reader, device, buffer_remaining(buffer));
		result = fuse_reader_take(&reader, nonblocking);
		if (likely(!result))
			result = fuse_reader_put(&reader, buffer);
	} while (unlikely(result == -ENOENT));
	return result;
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
	request = fuse_find_sent_locked(connection, device, in->header.unique & ~UINT64_C(1));
	if (request && in->header.error == -EAGAIN && !request->interrupt_queued) {
		request->interrupt_queued = true;
		list_add_tail(&connection->interrupts, &request->interrupt_link);
		again = true;
	}
	spin_unlock(&connection->lock);
	if (again)
		fuse_tell_reader(connection);
	return request ? 0 : -ENOENT;
}

/* From one piece of the program's memory. */
static size_t copy_pages_from(const struct fuse_pages *pages, uint64_t from, size_t len_bytes)
{
	size_t done = 0;

	for (struct frame *const *frame = pages->frames; done < len_bytes; frame++) {
		size_t step = MIN(len_bytes - done, PAGE_SIZE);
		size_t left = user_copy_in_partial(frame_virt(*frame), uptr(from + done), step);

		done += step - left;
		if (unlikely(left))
			break;
	}
	return done;
}

static size_t copy_pages_in(const struct fuse_pages *pages, size_t len_bytes,
			    const struct incoming *in, struct buffer *buffer)
{
	size_t done = 0;
	uint64_t from;

	if (head_is_all(in)) { /* it was copied already */
		memcpy(frame_virt(pages->frames[0]), in->head, len_bytes);
		return len_bytes;
	}
	if (likely(buffer_user_place(buffer, len_bytes, &from)))
		return copy_pages_from(pages, from, len_bytes);
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
	size_t copied = 0;
	err_t err;

	list_del(&request->link);
	request->state = FUSE_REQUEST_RECEIVING;
	spin_unlock(&connection->lock);
	err = fuse_pages_fill(request->receives, in->payload_bytes);
	if (!err)
		copied = copy_pages_in(request->receives, in->payload_bytes, in, buffer);
	if (!err && copied < in->payload_bytes)
		err = -EFAULT;
	spin_lock(&connection->lock);
	request->reply_bytes = (uint32_t)copied;
	fuse_request_end(connection, request, err == -EFAULT ? -EIO : err);
	return err;
}

/* A payload that is too long for in->head; both NULL: it was not copied. */
struct incoming_rest {
	struct frame *page; /* of up to a page */
	void *block;        /* kvmalloc() */
};

/* `rest` is taken over on success. */
static err_t answer(struct fuse_device *device, const struct incoming *in,
		    struct incoming_rest *rest, struct buffer *buffer)
{
	struct fuse_connection *connection = device->connection;
	struct fuse_request *request;

	spin_lock(&connection->lock);
	request = fuse_find_sent_locked(connection, device, in->header.unique);
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
	if (request->ended && request->receives && !in->header.error)
		return receive_pages(connection, request, in, buffer);
	if (!head_is_all(in) && !rest->page && !rest->block) {
		spin_unlock(&connection->lock);
		return -EAGAIN; /* it has to be copied first */
	}
	request->reply_bytes = in->payload_bytes;
	request->page_reply = rest->page;
	request->long_reply = rest->block;
	if (head_is_all(in))
		memcpy(request->reply, in->head, in->payload_bytes);
	*rest = (struct incoming_rest){0};
	fuse_request_end(connection, request, in->header.error);
	return 0;
}

/* The answer must be in our memory before the request is touched, since copying may sleep. */
static err_t answer_long(struct fuse_device *device, const struct incoming *in,
			 struct buffer *buffer)
{
	struct incoming_rest rest = {0};
	err_t err = answer(device, in, &rest, buffer);
	void *to;

	if (err != -EAGAIN)
		return err;
	if (in->payload_bytes <= PAGE_SIZE)
		rest.page = frame_alloc(0, FRAME_PROGRAM); /* it may become the reader's */
	if (rest.page)
		to = frame_virt(rest.page);
	else
		to = rest.block = kvmalloc(in->payload_bytes);
	if (!to)
		return -ENOMEM;
	if (buffer_copy_from(buffer, to, in->payload_bytes) < in->payload_bytes)
		err = -EFAULT;
	else
		err = answer(device, in, &rest, buffer);
	if (unlikely(rest.page))
		frame_put(rest.page);
	if (unlikely(rest.block))
		kvfree(rest.block, in->payload_bytes);
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
	else if (in.header.error > 0 || in.header.error < -FUSE_ERROR_MAX)
		err = -EINVAL;
	else if (in.header.unique & 1)
		err = answer_interrupt(device, &in);
	else
		err = answer_long(device, &in, buffer);
	return err ? err : (ssize_t)total_bytes;
}
