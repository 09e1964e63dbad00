/*
 * A driver's open files: handles, reading and writing, directories. See server.c for the rest of
 * its operations.
 */
#define LOG_SUBSYSTEM "fuse"
#include "server_priv.h"

#include <abi/fcntl.h>
#include <mm/slab.h>

#define READDIR_BYTES PAGE_SIZE

/* ---- open files ---- */

static struct fuse_handle *handle_create(struct fuse_connection *connection,
					 const struct server_caller *caller)
{
	struct fuse_handle *handle = kmalloc(sizeof(*handle));

	if (!handle)
		return NULL;
	handle->release = fuse_request_create(connection, caller, fuse_request_free);
	if (!handle->release) {
		kfree(handle);
		return NULL;
	}
	return handle;
}

static void handle_drop(struct fuse_handle *handle)
{
	fuse_request_free(handle->release);
	kfree(handle);
}

/* FOPEN_* and enum server_open_flags agree where both have a bit. */
static void opened(struct server_open *out, struct fuse_handle *handle, uint32_t open_flags)
{
	out->handle.value = (uint64_t)handle;
	out->flags = open_flags & (SERVER_DIRECT_IO | SERVER_KEEP_CACHE | SERVER_NONSEEKABLE |
				   SERVER_STREAM | SERVER_NO_FLUSH);
}
_Static_assert(SERVER_DIRECT_IO == FOPEN_DIRECT_IO && SERVER_KEEP_CACHE == FOPEN_KEEP_CACHE &&
		       SERVER_NONSEEKABLE == FOPEN_NONSEEKABLE && SERVER_STREAM == FOPEN_STREAM &&
		       SERVER_NO_FLUSH == FOPEN_NOFLUSH,
	       "the protocol's bits");

static err_t open_either(struct server *server, const struct server_caller *caller,
			 struct nodeid node, bool directory, unsigned flags,
			 struct server_open *out)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_handle *handle;
	struct fuse_request request;
	struct fuse_reply reply;
	uint32_t open_flags;
	err_t err = driver_begin(connection, &request, caller);

	if (err)
		return err;
	handle = handle_create(connection, caller);
	if (!handle)
		return -ENOMEM;
	if (!(connection->session.flags & FUSE_ATOMIC_O_TRUNC))
		flags &= ~(unsigned)O_TRUNC;
	fuse_ask_open(&request.message, node, directory, flags);
	err = driver_ask(connection, &request);
	reply = fuse_request_reply(&request);
	if (!err)
		err = fuse_answer_open(&reply, &handle->fh, &open_flags);
	fuse_request_done(&request);
	if (err) {
		handle_drop(handle);
		/* Only who was offered to live without it may say so. */
		out->flags = SERVER_KEEP_CACHE;
		return err;
	}
	opened(out, handle, open_flags);
	if (flags & O_TRUNC)
		out->flags |= SERVER_TRUNCATED;
	return 0;
}

err_t driver_open(struct server *server, const struct server_caller *caller, struct nodeid node,
		  unsigned flags, struct server_open *out)
{
	return open_either(server, caller, node, false, flags, out);
}

err_t driver_opendir(struct server *server, const struct server_caller *caller, struct nodeid node,
		     struct server_open *out)
{
	return open_either(server, caller, node, true, O_RDONLY | O_DIRECTORY, out);
}

err_t driver_create(struct server *server, const struct server_caller *caller, struct nodeid parent,
		    struct server_name name, uint32_t mode, unsigned flags,
		    struct server_entry *entry, struct server_open *out)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_handle *handle;
	struct fuse_request request;
	struct fuse_reply reply;
	uint32_t open_flags;
	err_t err = driver_begin(connection, &request, caller);

	if (err)
		return err;
	handle = handle_create(connection, caller);
	if (!handle)
		return -ENOMEM;
	fuse_ask_create(&connection->session, &request.message, parent, name, mode, caller->umask,
			flags | O_CREAT);
	err = driver_ask(connection, &request);
	reply = fuse_request_reply(&request);
	if (!err)
		err = driver_refuse_entry(connection, entry,
					  fuse_answer_create(&connection->session, &reply, entry,
							     &handle->fh, &open_flags));
	fuse_request_done(&request);
	if (err) {
		handle_drop(handle);
		return err;
	}
	opened(out, handle, open_flags);
	return 0;
}

static void release_either(struct server *server, struct nodeid node, struct handle own,
			   bool directory, unsigned flags)
{
	struct fuse_handle *handle = (struct fuse_handle *)own.value;

	if (!handle)
		return;
	fuse_ask_release(&handle->release->message, node, directory, handle->fh, flags);
	fuse_send(connection_of(server), handle->release);
	kfree(handle);
}

void driver_release(struct server *server, struct nodeid node, struct handle handle, unsigned flags)
{
	release_either(server, node, handle, false, flags);
}

void driver_releasedir(struct server *server, struct nodeid node, struct handle handle)
{
	release_either(server, node, handle, true, O_RDONLY | O_DIRECTORY);
}

/* A killed program does not wait any more, but its driver is told. */
static err_t flush_behind(struct fuse_connection *connection, struct nodeid node, uint64_t fh,
			  uint64_t lock_owner)
{
	const struct server_caller caller = server_caller_current();
	struct fuse_request *request;

	if (driver_lacks(connection, FUSE_FLUSH))
		return 0;
	request = fuse_request_create(connection, &caller, fuse_request_free);
	if (!request)
		return -ENOMEM;
	fuse_ask_flush(&request->message, node, fh, lock_owner);
	fuse_send(connection, request);
	return 0;
}

err_t driver_flush(struct server *server, struct nodeid node, struct handle handle,
		   uint64_t lock_owner)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request request;
	err_t err;

	if (thread_killed())
		return flush_behind(connection, node, fh_of(handle), lock_owner);
	err = driver_begin(connection, &request, NULL);
	if (err)
		return err;
	fuse_ask_flush(&request.message, node, fh_of(handle), lock_owner);
	return driver_ask_plainly(connection, &request);
}

err_t driver_fsync(struct server *server, struct nodeid node, struct handle handle)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request request;
	err_t err = driver_begin(connection, &request, NULL);

	if (err)
		return err;
	fuse_ask_fsync(&request.message, node, false, fh_of(handle), false);
	return driver_ask_plainly(connection, &request);
}

err_t driver_readdir(struct server *server, struct nodeid node, struct handle handle,
		     uint64_t cookie, struct dirent_sink *sink)
{
	struct fuse_connection *connection = connection_of(server);
	uint64_t next_cookie = cookie;
	bool more = true, any = false;
	err_t err = 0;

	/* One message is enough for one look; where it held nothing but "." and "..", the next. */
	while (!err && more && !any) {
		struct fuse_request request;
		struct fuse_reply reply;

		err = driver_begin(connection, &request, NULL);
		if (err)
			break;
		fuse_ask_readdir(&request.message, node, fh_of(handle), next_cookie, READDIR_BYTES);
		err = driver_ask(connection, &request);
		reply = fuse_request_reply(&request);
		if (!err)
			err = fuse_answer_readdir(&reply, sink, &next_cookie, &more, &any);
		fuse_request_done(&request);
	}
	return err;
}

/* ---- data ---- */

/* The driver has answered a READ, or never will. */
static void read_ended(struct fuse_request *request)
{
	struct page_fill *fill = request->fill;
	ssize_t result = request->error ? request->error : (ssize_t)request->reply_bytes;

	fuse_request_free(request);
	fill->done(fill, result);
}

err_t driver_read_pages(struct server *server, struct nodeid node, struct handle handle,
			unsigned flags, struct page_fill *fill)
{
	struct fuse_connection *connection = connection_of(server);
	const struct server_caller caller = server_caller_current();
	struct fuse_request *request;
	err_t err = fuse_wait_ready(connection);

	if (err)
		return err;
	request = fuse_request_create(connection, &caller, read_ended);
	if (!request)
		return -ENOMEM;
	request->receives = fuse_pages_create(fill->npages);
	if (!request->receives) {
		fuse_request_free(request);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < fill->npages; i++) {
		frame_get(fill->frames[i]);
		request->receives->frames[i] = fill->frames[i];
	}
	request->fill = fill;
	fuse_ask_read(&connection->session, &request->message, node, fh_of(handle),
		      fill->offset_bytes, (uint32_t)fill->len_bytes, flags);
	fuse_send(connection, request);
	return 0;
}

ssize_t driver_write_pages(struct server *server, struct nodeid node, struct handle handle,
			   unsigned flags, const struct page_write *write)
{
	struct fuse_connection *connection = connection_of(server);
	uint32_t npages = (uint32_t)(ALIGN_UP(write->len_bytes, PAGE_SIZE) / PAGE_SIZE);
	struct fuse_request request;
	struct fuse_reply reply;
	ssize_t result;
	err_t err = driver_begin(connection, &request, NULL);

	if (err)
		return err;
	request.payload = fuse_pages_create(npages);
	if (!request.payload)
		return -ENOMEM;
	for (uint32_t i = 0; i < npages; i++) {
		frame_get(write->frames[i]);
		request.payload->frames[i] = write->frames[i];
	}
	fuse_ask_write(&connection->session, &request.message, node, fh_of(handle),
		       write->offset_bytes, write->len_bytes, flags);
	err = driver_ask(connection, &request);
	reply = fuse_request_reply(&request);
	result = err ? err : fuse_answer_write(&reply, write->len_bytes);
	fuse_request_done(&request);
	return result;
}

uint32_t driver_transfer_bytes(struct server *server, bool write)
{
	struct fuse_connection *connection = connection_of(server);

	if (load_acquire(&connection->state) == FUSE_STARTING)
		return PAGE_SIZE;
	return MAX(write ? connection->session.max_write_bytes : connection->session.max_read_bytes,
		   (uint32_t)PAGE_SIZE);
}
