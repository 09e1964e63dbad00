/*
 * The native transport: the answer and the next request by one call (abi/fuse_native.h). An answer
 * that a thread waits for, and that is no longer than a page, goes straight into its request, and
 * the CPU to that thread, which brings the next request in the same way. All others take the way of
 * write and read. No state of its own.
 */
#define LOG_SUBSYSTEM "fuse"
#include "device.h"

#include "reader.h"
#include "ring.h"

#include <abi/fcntl.h>
#include <abi/fuse_native.h>
#include <arch/user.h>
#include <fusek/driver.h>
#include <lib/string.h>
#include <mm/lend.h>

_Static_assert(FUSE_SERVE_HEADER_BYTES == sizeof(struct fuse_out_header) &&
		       offsetof(struct abi_fuse_reply, error) ==
			       offsetof(struct fuse_out_header, error) &&
		       offsetof(struct abi_fuse_reply, unique) ==
			       offsetof(struct fuse_out_header, unique),
	       "an answer begins with the protocol's header");

/* An answer as it was copied from the driver, once. */
struct native_reply {
	struct abi_fuse_reply head;
	uint32_t payload_bytes;
	struct frame *page; /* of more than `inlined`, up to a page. NULL: it is not copied */
	uint64_t inlined[FUSE_REPLY_INLINE / 8];
};

static bool is_inline(const struct native_reply *reply)
{
	return reply->payload_bytes <= sizeof(reply->inlined);
}

static void free_page(struct native_reply *reply)
{
	if (reply->page)
		frame_put(reply->page);
	reply->page = NULL;
}

static err_t get_payload(struct native_reply *reply)
{
	void *to = reply->inlined;

	if (!is_inline(reply)) {
		if (reply->payload_bytes > PAGE_SIZE || reply->head.flags & FUSE_SERVE_LEND)
			return 0;
		reply->page = frame_alloc(0, FRAME_PROGRAM); /* it may become the reader's */
		if (!reply->page)
			return 0;
		to = frame_virt(reply->page);
	}
	if (likely(!user_copy_in(to, uptr(reply->head.payload), reply->payload_bytes)))
		return 0;
	free_page(reply);
	return -EFAULT;
}

static err_t get_reply(struct native_reply *reply, uptr_t from)
{
	const struct abi_fuse_reply *head = &reply->head;

	if (user_get(&reply->head, from))
		return -EFAULT;
	if (unlikely(head->len < FUSE_SERVE_HEADER_BYTES || head->error > 0 ||
		     head->error < -FUSE_ERROR_MAX || !head->unique ||
		     head->flags & ~FUSE_SERVE_LEND || head->reserved))
		return -EBADMSG;
	reply->payload_bytes = head->len - FUSE_SERVE_HEADER_BYTES;
	reply->page = NULL;
	return reply->payload_bytes ? get_payload(reply) : 0;
}

/* The pages of its payload that are in this window, if there are any, are to be taken away. */
static bool find_placed_locked(const struct fuse_reader *reader, const struct fuse_request *request,
			       struct fuse_place *placed)
	REQUIRES(reader->device->connection->lock);
static bool find_placed_locked(const struct fuse_reader *reader, const struct fuse_request *request,
			       struct fuse_place *placed)
{
	struct fuse_pages *pages = request->payload;

	if (likely(!pages) || !pages->placed.space || !reader->window ||
	    pages->placed.space != vfs_space() ||
	    pages->placed.address != reader->window->address.value ||
	    pages->placed.npages > reader->window->len_bytes / PAGE_SIZE)
		return false;
	*placed = pages->placed;
	pages->placed.space = NULL;
	return true;
}

/* The request that is answered, or NULL; what the driver has of its payload is its own no more. */
static struct fuse_request *lock_sent(const struct fuse_reader *reader,
				      uint64_t unique) NO_THREAD_SAFETY
{
	struct fuse_connection *connection = reader->device->connection;
	struct fuse_request *request;
	struct fuse_place placed;

	spin_lock(&connection->lock);
	request = fuse_find_sent_locked(connection, reader->device, unique);
	if (likely(!request || !find_placed_locked(reader, request, &placed)))
		return request;
	spin_unlock(&connection->lock);
	space_drop_frames(vfs_space(), placed.address, placed.npages);
	spin_lock(&connection->lock);
	return fuse_find_sent_locked(connection, reader->device, unique);
}

/* The thread that waits for this answer, and gets it: locked then, and the request is to be ended.
 * NULL: it goes the long way. */
static struct fuse_request *lock_answered(const struct fuse_reader *reader,
					  struct native_reply *reply) NO_THREAD_SAFETY
{
	struct fuse_connection *connection = reader->device->connection;
	struct fuse_request *request = lock_sent(reader, reply->head.unique);
	const struct fuse_message *message;

	if (unlikely(!request || request->ended || !(is_inline(reply) || reply->page)))
		goto unlock;
	message = &request->message;
	if (reply->head.error ? reply->payload_bytes != 0
			      : reply->payload_bytes < message->reply_min_bytes ||
					reply->payload_bytes > message->reply_max_bytes)
		goto unlock;
	if (likely(is_inline(reply)))
		memcpy(request->reply, reply->inlined, reply->payload_bytes);
	else
		request->page_reply = reply->page;
	reply->page = NULL; /* taken over */
	request->reply_bytes = reply->payload_bytes;
	return request;

unlock:
	spin_unlock(&connection->lock);
	return NULL;
}

/* The READ that this answers, if it takes frames of others; NULL. */
static struct fuse_request *find_taker_locked(struct fuse_device *device,
					      const struct native_reply *reply)
	REQUIRES(device->connection->lock);
static struct fuse_request *find_taker_locked(struct fuse_device *device,
					      const struct native_reply *reply)
{
	struct fuse_request *request =
		fuse_find_sent_locked(device->connection, device, reply->head.unique);
	bool takes = request && request->ended && request->fill && request->fill->brings_frames &&
		     reply->payload_bytes <= request->message.reply_max_bytes;

	return takes ? request : NULL;
}

static bool has_taker(struct fuse_device *device, const struct native_reply *reply)
{
	bool has;

	spin_lock(&device->connection->lock);
	has = find_taker_locked(device, reply);
	spin_unlock(&device->connection->lock);
	return has;
}

/* It is answered by them. False: nobody takes them any more. */
static bool end_with_pages(struct fuse_device *device, const struct native_reply *reply,
			   struct fuse_pages *pages) NO_THREAD_SAFETY
{
	struct fuse_connection *connection = device->connection;
	struct fuse_request *request;

	spin_lock(&connection->lock);
	request = find_taker_locked(device, reply);
	if (!request) {
		spin_unlock(&connection->lock);
		return false;
	}
	request->lent = pages;
	request->reply_bytes = reply->payload_bytes;
	fuse_request_end(connection, request, 0);
	return true;
}

/* The driver's pages go to who reads. False: nothing has happened, the payload is to be copied. */
static bool lend_pages(struct fuse_device *device, const struct native_reply *reply)
{
	uint32_t npages = reply->payload_bytes / PAGE_SIZE;
	struct space *space = vfs_space();
	struct fuse_pages *pages;

	if (!(reply->head.flags & FUSE_SERVE_LEND) || reply->head.error || !space || !npages ||
	    reply->payload_bytes > FUSE_TRANSFER_MAX ||
	    (reply->payload_bytes | reply->head.payload) & PAGE_MASK)
		return false;
	pages = has_taker(device, reply) ? fuse_pages_create(npages) : NULL;
	if (!pages)
		return false;
	if (space_lend_frames(space, reply->head.payload, pages->frames, npages) == npages &&
	    end_with_pages(device, reply, pages))
		return true;
	fuse_pages_put(pages);
	return false;
}

/* As two pieces of a write; what is read again is checked again. */
static err_t write_reply(struct fuse_device *device, const struct native_reply *reply, uptr_t from)
{
	const struct buffer_segment pieces[] = {
		{.address = from.value, .len_bytes = FUSE_SERVE_HEADER_BYTES},
		{.address = reply->head.payload, .len_bytes = reply->payload_bytes}};
	struct buffer buffer;
	ssize_t result = buffer_init_segments(&buffer, pieces, reply->payload_bytes ? 2 : 1);

	if (!result)
		result = fuse_device_write(device, &buffer);
	if (result >= 0 || result == -ENOENT)
		return 0;
	return result == -EINVAL ? -EBADMSG : (err_t)result;
}

/* The answer, then the next request. */
static err_t answer_and_take(struct fuse_reader *reader, uptr_t from,
			     bool nonblocking) NO_THREAD_SAFETY
{
	struct fuse_request *request;
	struct native_reply reply;
	err_t err = get_reply(&reply, from);

	if (unlikely(err))
		return err;
	request = lock_answered(reader, &reply);
	if (likely(request))
		return fuse_reader_end_and_take(reader->device->connection, reader, request,
						reply.head.error, nonblocking);
	free_page(&reply);
	if (!lend_pages(reader->device, &reply))
		err = write_reply(reader->device, &reply, from);
	return err ? err : fuse_reader_take(reader, nonblocking);
}

/* -EINVAL: not whole pages. */
static err_t set_window(struct fuse_reader *reader, const struct fuse_window *window)
{
	struct fuse_connection *connection = reader->device->connection;

	if (!window->len_bytes)
		return 0;
	if (unlikely((window->address.value | window->len_bytes) & PAGE_MASK))
		return -EINVAL;
	reader->window = window;
	if (unlikely(!read_once(&connection->takes_pages)))
		write_once(&connection->takes_pages, true);
	return 0;
}

/* The same for the next one, which then has all that this had. */
static void take_another(struct fuse_reader *reader, const struct buffer *request)
{
	const struct fuse_window *window = reader->window;

	fuse_reader_init(reader, reader->device, buffer_remaining(request));
	reader->window = window;
}

ssize_t fuse_serve(struct object *object, uptr_t reply, struct buffer *request,
		   const struct fuse_window *window)
{
	struct fuse_device *device = fuse_device_of(object);
	bool nonblocking = object_flags(object) & O_NONBLOCK;
	struct fuse_connection *connection;
	struct fuse_reader reader;
	ssize_t result;

	if (unlikely(!device))
		return -ENOTTY;
	connection = load_acquire(&device->connection);
	if (unlikely(!connection))
		return -EPERM;
	if (unlikely(buffer_remaining(request) < fuse_least_bytes(connection)))
		return -EINVAL;
	fuse_reader_init(&reader, device, buffer_remaining(request));
	result = set_window(&reader, window);
	if (unlikely(result))
		return result;
	fuse_ring_collect(device);
	if (likely(reply.value))
		result = answer_and_take(&reader, reply, nonblocking);
	else
		result = fuse_reader_take(&reader, nonblocking);
	while (likely(!result)) {
		result = fuse_reader_put(&reader, request);
		if (likely(result != -ENOENT))
			break;
		take_another(&reader, request);
		result = fuse_reader_take(&reader, nonblocking);
	}
	return result;
}
