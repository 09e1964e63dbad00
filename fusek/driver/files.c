/*
 * A driver's open files: handles, reading and writing, directories. See server.c for the rest of
 * its operations.
 */
#define LOG_SUBSYSTEM "fuse"
#include "server_priv.h"

#include <abi/capability.h>
#include <abi/fcntl.h>
#include <fusek/driver.h>
#include <ipc/buffer.h>
#include <mm/lend.h>
#include <mm/slab.h>

#define READDIR_BYTES PAGE_SIZE

/* ---- open files ---- */

#define PLAIN_FLAGS                                                                                \
	(SERVER_DIRECT_IO | SERVER_KEEP_CACHE | SERVER_NONSEEKABLE | SERVER_STREAM |               \
	 SERVER_NO_FLUSH)
/* As Linux: a file whose data is elsewhere has no cache to keep. */
#define PASSTHROUGH_FLAGS (FOPEN_PASSTHROUGH | FOPEN_DIRECT_IO | FOPEN_PARALLEL | FOPEN_NOFLUSH)
_Static_assert(SERVER_DIRECT_IO == FOPEN_DIRECT_IO && SERVER_KEEP_CACHE == FOPEN_KEEP_CACHE &&
		       SERVER_NONSEEKABLE == FOPEN_NONSEEKABLE && SERVER_STREAM == FOPEN_STREAM &&
		       SERVER_NO_FLUSH == FOPEN_NOFLUSH && SERVER_PASSTHROUGH == FOPEN_PASSTHROUGH,
	       "the protocol's bits");

/* FOPEN_* and enum server_open_flags agree where both have a bit. */
static void opened(struct driver_call *call, const struct fuse_open_out *answer,
		   struct fuse_handle *handle, struct server_open *out)
{
	handle->fh = answer->fh;
	*out = (struct server_open){.handle = {(uint64_t)handle},
				    .flags = answer->open_flags & PLAIN_FLAGS};
	if (likely(!(answer->open_flags & FOPEN_PASSTHROUGH)) ||
	    call->message->opcode == FUSE_OPENDIR)
		return;
	out->flags |= SERVER_PASSTHROUGH;
	if (call->session->max_stack_depth && !(answer->open_flags & ~PASSTHROUGH_FLAGS))
		out->backing = fuse_backing_find(call->connection, answer->backing_id);
}

/* OPEN's and CREATE's answers. */
struct open_answer {
	struct server_entry entry;
	struct fuse_open_out opened;
};

static err_t decode_open(const struct fuse_session *session, const struct fuse_reply *reply,
			 void *out)
{
	struct open_answer *answer = out;

	(void)session;
	return fuse_answer_open(reply, &answer->opened);
}

static err_t decode_create(const struct fuse_session *session, const struct fuse_reply *reply,
			   void *out)
{
	struct open_answer *answer = out;

	return fuse_answer_create(session, reply, &answer->entry, &answer->opened);
}

/* Asks for a handle; what it stands for is made before, since later nothing may fail. */
static err_t end_with_handle(struct driver_call *call, const struct server_caller *caller,
			     driver_decoder *decode, struct open_answer *answer,
			     struct server_open *out)
{
	struct fuse_handle *handle = fuse_handle_create(call->connection, caller);
	err_t err;

	if (!handle)
		return -ENOMEM;
	err = driver_end(call, decode, answer);
	if (err) {
		fuse_handle_free(handle);
		return err;
	}
	opened(call, &answer->opened, handle, out);
	return 0;
}

/* Before a request is made that would not be sent. -ENOSYS. Sleeps. */
static err_t check_offered(struct fuse_connection *connection, uint32_t opcode)
{
	err_t err = fuse_wait_ready(connection);

	return !err && driver_lacks(connection, opcode) ? -ENOSYS : err;
}

/* The driver is told to, and the running program may not keep set-id bits. */
static bool kills_ids(const struct fuse_session *session)
{
	return session->flags & FUSE_KILLPRIV_V2 &&
	       !(server_caller_capabilities(NULL) >> CAP_FSETID & 1);
}

static NOINLINE err_t ask_open(struct server *server, const struct server_caller *caller,
			       struct nodeid node, bool directory, unsigned flags,
			       struct server_open *out)
{
	struct open_answer answer = {0};
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);

	if (err)
		return err;
	if (!(call.session->flags & FUSE_ATOMIC_O_TRUNC))
		flags &= ~(unsigned)O_TRUNC;
	fuse_ask_open(call.message, node, directory, flags,
		      (flags & O_TRUNC) && kills_ids(call.session));
	err = end_with_handle(&call, caller, decode_open, &answer, out);
	if (!err && (flags & O_TRUNC))
		out->flags |= SERVER_TRUNCATED;
	return err;
}

static err_t open_either(struct server *server, const struct server_caller *caller,
			 struct nodeid node, bool directory, unsigned flags,
			 struct server_open *out)
{
	err_t err = check_offered(connection_of(server), directory ? FUSE_OPENDIR : FUSE_OPEN);

	if (!err)
		err = ask_open(server, caller, node, directory, flags, out);
	if (err == -ENOSYS)
		out->flags =
			SERVER_KEEP_CACHE; /* who lives without OPEN knows of no other reader */
	return err;
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

/* With `name`, or (NULL) without one. */
static err_t create_either(struct server *server, const struct server_caller *caller,
			   struct nodeid parent, const struct server_name *name, uint32_t mode,
			   unsigned flags, struct server_entry *entry, struct server_open *out)
{
	struct open_answer answer = {0};
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);
	bool kill_ids;

	if (err)
		return err;
	kill_ids = (flags & O_TRUNC) && !(flags & O_EXCL) && kills_ids(call.session);
	if (name)
		fuse_ask_create(call.session, call.message, parent, *name, mode, caller->umask,
				flags | O_CREAT, kill_ids);
	else
		fuse_ask_tmpfile(call.session, call.message, parent, mode, caller->umask, flags,
				 kill_ids);
	err = end_with_handle(&call, caller, decode_create, &answer, out);
	*entry = answer.entry;
	return driver_refuse_entry(call.connection, entry, err);
}

err_t driver_create(struct server *server, const struct server_caller *caller, struct nodeid parent,
		    struct server_name name, uint32_t mode, unsigned flags,
		    struct server_entry *entry, struct server_open *out)
{
	return create_either(server, caller, parent, &name, mode, flags, entry, out);
}

err_t driver_tmpfile(struct server *server, const struct server_caller *caller,
		     struct nodeid parent, uint32_t mode, unsigned flags,
		     struct server_entry *entry, struct server_open *out)
{
	return create_either(server, caller, parent, NULL, mode, flags, entry, out);
}

static void release_either(struct nodeid node, struct handle own, bool directory, unsigned flags)
{
	struct fuse_handle *handle = handle_of(own);

	if (!handle)
		return;
	fuse_ask_release(&handle->release->message, node, directory, handle->fh, flags,
			 read_once(&handle->flock_owner));
	fuse_handle_put(handle);
}

void driver_release(struct server *server, struct nodeid node, struct handle handle, unsigned flags)
{
	(void)server;
	release_either(node, handle, false, flags);
}

void driver_releasedir(struct server *server, struct nodeid node, struct handle handle)
{
	(void)server;
	release_either(node, handle, true, O_RDONLY | O_DIRECTORY);
}

struct fuse_request *driver_request_for(struct fuse_connection *connection, struct handle own,
					void (*ended)(struct fuse_request *request))
{
	const struct server_caller caller = server_caller_current();
	struct fuse_request *request = fuse_request_create(connection, &caller, ended);

	if (request && own.value) {
		request->handle = handle_of(own);
		refcount_get(&request->handle->references);
	}
	return request;
}

/* A killed program does not wait any more, but its driver is told. */
static err_t flush_behind(struct fuse_connection *connection, struct nodeid node,
			  struct handle handle, uint64_t lock_owner)
{
	struct fuse_request *request;

	if (driver_lacks(connection, FUSE_FLUSH))
		return 0;
	request = driver_request_for(connection, handle, fuse_request_free);
	if (!request)
		return -ENOMEM;
	fuse_ask_flush(&request->message, node, fh_of(handle), lock_owner);
	fuse_send(connection, request);
	return 0;
}

static NOINLINE err_t ask_flush(struct server *server, struct nodeid node, struct handle handle,
				uint64_t lock_owner)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, NULL);

	if (err)
		return err;
	call.request.handle = handle_of(handle);
	fuse_ask_flush(call.message, node, fh_of(handle), lock_owner);
	return driver_end(&call, NULL, NULL);
}

err_t driver_flush(struct server *server, struct nodeid node, struct handle handle,
		   uint64_t lock_owner)
{
	err_t err;

	if (thread_killed())
		return flush_behind(connection_of(server), node, handle, lock_owner);
	err = check_offered(connection_of(server), FUSE_FLUSH);
	return err ? err : ask_flush(server, node, handle, lock_owner);
}

err_t driver_fsync(struct server *server, struct nodeid node, struct handle handle, bool directory)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, NULL);

	if (err)
		return err;
	call.request.handle = handle_of(handle);
	fuse_ask_fsync(call.message, node, directory, fh_of(handle), false);
	return driver_end(&call, NULL, NULL);
}

static err_t decode_readdir(const struct fuse_session *session, const struct fuse_reply *reply,
			    void *out)
{
	return fuse_answer_readdir(session, reply, out);
}

/* As Linux for a driver that leaves it to us: for the first message only. What follows is asked for
 * by who lists names, and a listing with attributes does not pay for those who want none. */
static bool wants_entries(const struct fuse_session *session, const struct fuse_listing *listing)
{
	if (!listing->sink->enter || !(session->flags & FUSE_DO_READDIRPLUS))
		return false;
	return !(session->flags & FUSE_READDIRPLUS_AUTO) || listing->next_cookie == 0;
}

err_t driver_readdir(struct server *server, struct nodeid node, struct handle handle,
		     uint64_t cookie, struct dirent_sink *sink)
{
	struct fuse_listing listing = {.sink = sink, .next_cookie = cookie, .more = true};
	struct fuse_visit visit;
	struct driver_call call;
	err_t err = 0;

	/* One message is enough for one look; where it held nothing but "." and "..", the next. A
	 * driver that has nothing else for ever keeps only those who want to stay. */
	while (!err && listing.more && !listing.any) {
		err = thread_killed() ? -EINTR : driver_begin(&call, server, NULL);
		if (!err)
			err = fuse_visit_begin(call.connection, node, &visit);
		if (err)
			break;
		call.request.handle = handle_of(handle);
		listing.plus = wants_entries(call.session, &listing);
		fuse_ask_readdir(call.message, node, fh_of(handle), &listing, READDIR_BYTES);
		err = driver_end(&call, decode_readdir, &listing);
		fuse_visit_end(call.connection, &visit);
	}
	return err;
}

/* ---- data ---- */

/* With references of its own. NULL: no memory. */
static struct fuse_pages *pages_of(struct frame *const *frames, uint32_t npages)
{
	struct fuse_pages *pages = fuse_pages_create(npages);

	for (uint32_t i = 0; pages && i < npages; i++) {
		frame_get(frames[i]);
		pages->frames[i] = frames[i];
	}
	return pages;
}

/* Where a READ's bytes are goes to who has no frames of its own; nobody else has `pages`. */
static void bring_frames(struct page_fill *fill, struct fuse_pages *pages, size_t len_bytes)
{
	uint32_t npages = (uint32_t)(ALIGN_UP(len_bytes, PAGE_SIZE) / PAGE_SIZE);

	for (uint32_t i = 0; i < npages; i++) {
		fill->frames[i] = pages->frames[i];
		pages->frames[i] = NULL;
	}
}

/* The driver has answered a READ, or never will. */
static void read_ended(struct fuse_request *request)
{
	struct page_fill *fill = request->fill;
	ssize_t result = request->error ? request->error : (ssize_t)request->reply_bytes;

	if (result > 0 && fill->brings_frames) {
		fill->lent = request->lent;
		bring_frames(fill, request->lent ? request->lent : request->receives,
			     (size_t)result);
	}
	fuse_request_free(request);
	fill->done(fill, result);
}

err_t driver_read_pages(struct server *server, struct nodeid node, struct handle handle,
			unsigned flags, struct page_fill *fill)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request *request;
	err_t err = fuse_wait_ready(connection);

	if (err)
		return err;
	request = driver_request_for(connection, handle, read_ended);
	if (!request)
		return -ENOMEM;
	request->receives = fill->brings_frames ? fuse_pages_create(fill->npages)
						: pages_of(fill->frames, fill->npages);
	if (!request->receives) {
		fuse_request_free(request);
		return -ENOMEM;
	}
	request->fill = fill;
	fuse_ask_read(&connection->session, &request->message, node, fh_of(handle),
		      fill->offset_bytes, (uint32_t)fill->len_bytes, flags);
	fuse_send(connection, request);
	return 0;
}

/* Where a READ's bytes go. */
struct read_answer {
	const struct fuse_request *request;
	struct buffer *buffer;
	size_t moved_bytes;
};

/* A whole page becomes the program's in place of its own, where no other CPU must hear of it. */
static bool give_page(const struct fuse_request *request, struct buffer *buffer)
{
	struct space *space = vfs_space();
	uint64_t address;

	if (!request->page_reply || request->reply_bytes != PAGE_SIZE || !space ||
	    !buffer_user_place(buffer, PAGE_SIZE, &address) || address & PAGE_MASK ||
	    space_is_elsewhere(space) ||
	    space_give_frames(space, address, &request->page_reply, 1, false) != 1)
		return false;
	buffer_skip(buffer, PAGE_SIZE);
	return true;
}

static err_t decode_read(const struct fuse_session *session, const struct fuse_reply *reply,
			 void *out)
{
	struct read_answer *answer = out;

	(void)session;
	if (likely(give_page(answer->request, answer->buffer))) {
		answer->moved_bytes = PAGE_SIZE;
		return 0;
	}
	answer->moved_bytes = buffer_copy_to(answer->buffer, reply->bytes, reply->len_bytes);
	return answer->moved_bytes || !reply->len_bytes ? 0 : -EFAULT;
}

ssize_t driver_read_direct(struct server *server, struct nodeid node, struct handle handle,
			   unsigned flags, uint64_t offset_bytes, size_t len_bytes,
			   struct buffer *buffer)
{
	struct driver_call call;
	struct read_answer answer = {.request = &call.request, .buffer = buffer};
	err_t err = driver_begin(&call, server, NULL);

	if (err)
		return err;
	call.request.handle = handle_of(handle);
	fuse_ask_read(call.session, call.message, node, fh_of(handle), offset_bytes,
		      (uint32_t)len_bytes, flags);
	err = driver_end(&call, decode_read, &answer);
	return err ? err : (ssize_t)answer.moved_bytes;
}

struct written {
	uint32_t asked_bytes;
	ssize_t done_bytes;
};

static err_t decode_write(const struct fuse_session *session, const struct fuse_reply *reply,
			  void *out)
{
	struct written *written = out;

	(void)session;
	written->done_bytes = fuse_answer_write(reply, written->asked_bytes);
	return written->done_bytes < 0 ? (err_t)written->done_bytes : 0;
}

/* As Linux, of what is written past the cache: whatever was agreed on. */
static uint32_t direct_flags(void)
{
	return server_caller_capabilities(NULL) >> CAP_FSETID & 1 ? 0 : FUSE_WRITE_KILL_IDS;
}

ssize_t driver_write_pages(struct server *server, struct nodeid node, struct handle handle,
			   unsigned flags, const struct page_write *write)
{
	uint32_t npages = (uint32_t)(ALIGN_UP(write->len_bytes, PAGE_SIZE) / PAGE_SIZE);
	struct written written = {.asked_bytes = write->len_bytes};
	struct driver_call call;
	err_t err = driver_begin(&call, server, NULL);

	if (err)
		return err;
	call.request.payload = pages_of(write->frames, npages);
	if (!call.request.payload)
		return -ENOMEM;
	call.request.handle = handle_of(handle);
	fuse_ask_write(call.session, call.message, node, fh_of(handle), write->offset_bytes,
		       write->len_bytes, flags,
		       write->past_cache         ? direct_flags()
		       : kills_ids(call.session) ? FUSE_WRITE_KILL_IDS
						 : 0);
	err = driver_end(&call, decode_write, &written);
	return err ? err : written.done_bytes;
}

/* Freezing pays from here on: a program that writes to its memory again pays for each page. */
#define FREEZE_BYTES (4 * PAGE_SIZE)

/* The program's own frames that the next `len_bytes` lie in: frozen, if they are whole pages and
 * the driver takes such, or live. NULL: it has none there that could be held. */
static struct fuse_pages *own_pages(const struct fuse_connection *connection,
				    const struct buffer *buffer, size_t len_bytes)
{
	struct space *space = vfs_space();
	struct fuse_pages *pages;
	uint32_t npages, got;
	uint64_t address;

	if (!space || !buffer_user_place(buffer, len_bytes, &address))
		return NULL;
	npages = (uint32_t)(ALIGN_UP((address & PAGE_MASK) + len_bytes, PAGE_SIZE) / PAGE_SIZE);
	pages = fuse_pages_create(npages);
	if (!pages)
		return NULL;
	pages->skip_bytes = address & PAGE_MASK;
	pages->frozen = read_once(&connection->takes_pages) && len_bytes >= FREEZE_BYTES &&
			!((address | len_bytes) & PAGE_MASK);
	pages->live = !pages->frozen;
	address -= pages->skip_bytes;
	got = pages->frozen ? space_lend_frames(space, address, pages->frames, npages)
			    : space_hold_frames(space, address, pages->frames, npages);
	if (likely(got == npages))
		return pages;
	fuse_pages_put(pages);
	return NULL;
}

bool driver_write_direct(struct server *server, struct nodeid node, struct handle handle,
			 unsigned flags, const struct server_write *write, ssize_t *result)
{
	struct written written = {.asked_bytes = write->len_bytes};
	struct fuse_pages *pages =
		own_pages(connection_of(server), write->buffer, write->len_bytes);
	struct driver_call call;
	err_t err;

	if (!pages)
		return false;
	err = driver_begin(&call, server, NULL);
	if (unlikely(err)) {
		fuse_pages_put(pages);
		*result = err;
		return true;
	}
	/* A reference of our own: they are withdrawn when the request is over. */
	refcount_get(&pages->references);
	call.request.payload = pages;
	call.request.handle = handle_of(handle);
	fuse_ask_write(call.session, call.message, node, fh_of(handle), write->offset_bytes,
		       write->len_bytes, flags, direct_flags());
	err = driver_end(&call, decode_write, &written);
	if (pages->live)
		fuse_pages_withdraw(pages);
	fuse_pages_put(pages);
	*result = err ? err : written.done_bytes;
	return true;
}

/* The driver has answered the WRITE of a page_flush, or never will. */
static void write_back_ended(struct fuse_request *request)
{
	struct page_flush *flush = request->flush;
	struct fuse_reply reply = fuse_request_reply(request);
	ssize_t done =
		request->error ? request->error : fuse_answer_write(&reply, flush->len_bytes);

	fuse_request_free(request);
	if (done >= 0)
		done = done < (ssize_t)flush->len_bytes ? -EIO : 0;
	flush->done(flush, (err_t)done);
}

err_t driver_write_back(struct server *server, struct nodeid node, struct handle handle,
			unsigned flags, struct page_flush *flush)
{
	static const struct server_caller kernel; /* whose the changes are nobody knows any more */
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request *request = driver_request_for(connection, handle, write_back_ended);

	if (!request)
		return -ENOMEM;
	request->caller = kernel;
	request->payload = pages_of(flush->frames, flush->npages);
	if (!request->payload) {
		fuse_request_free(request);
		return -ENOMEM;
	}
	request->flush = flush;
	fuse_ask_write(&connection->session, &request->message, node, fh_of(handle),
		       flush->offset_bytes, flush->len_bytes, flags, FUSE_WRITE_CACHE);
	fuse_send(connection, request);
	return 0;
}

uint32_t driver_transfer_bytes(struct server *server, bool write)
{
	struct fuse_connection *connection = connection_of(server);

	if (load_acquire(&connection->state) == FUSE_STARTING)
		return PAGE_SIZE;
	return MAX(write ? connection->session.max_write_bytes : connection->session.max_read_bytes,
		   (uint32_t)PAGE_SIZE);
}

uint32_t driver_ahead_bytes(struct server *server)
{
	struct fuse_connection *connection = connection_of(server);

	return load_acquire(&connection->state) == FUSE_STARTING
		       ? 0
		       : connection->session.max_ahead_bytes;
}
