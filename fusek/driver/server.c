/*
 * The operations of a driver: each fills in a request, asks, and decodes the answer. No state of
 * its own but what the driver's handles need; no lock is held while the driver is asked.
 *
 * The callers of the table turn -ENOSYS into what Linux says.
 */
#define LOG_SUBSYSTEM "fuse"
#include "server_priv.h"

#include "../by_clock.h"

#include <abi/fcntl.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/slab.h>

/* ---- asking ---- */

/* What a driver may do without: it says so once. The rest is asked each time. */
#define BIT(opcode) (UINT64_C(1) << (opcode))
#define REMEMBERED                                                                                 \
	(BIT(FUSE_OPEN) | BIT(FUSE_OPENDIR) | BIT(FUSE_CREATE) | BIT(FUSE_ACCESS) |                \
	 BIT(FUSE_FLUSH) | BIT(FUSE_FSYNC) | BIT(FUSE_FSYNCDIR) | BIT(FUSE_RENAME2) |              \
	 BIT(FUSE_SETXATTR) | BIT(FUSE_GETXATTR) | BIT(FUSE_LISTXATTR) | BIT(FUSE_REMOVEXATTR) |   \
	 BIT(FUSE_POLL) | BIT(FUSE_TMPFILE) | BIT(FUSE_STATX) | BIT(FUSE_FALLOCATE) |              \
	 BIT(FUSE_LSEEK) | BIT(FUSE_COPY_FILE_RANGE) | BIT(FUSE_COPY_FILE_RANGE_64) |              \
	 BIT(FUSE_BMAP))

bool driver_lacks(struct fuse_connection *connection, uint32_t opcode)
{
	return read_once(&connection->unsupported) & BIT(opcode);
}

void driver_note_lack(struct fuse_connection *connection, uint32_t opcode)
{
	(void)__atomic_fetch_or(&connection->unsupported, BIT(opcode) & REMEMBERED,
				__ATOMIC_RELAXED);
}

err_t driver_begin(struct driver_call *call, struct server *server,
		   const struct server_caller *caller)
{
	const struct server_caller running = server_caller_current();

	call->connection = connection_of(server);
	call->session = &call->connection->session;
	call->message = &call->request.message;
	fuse_request_init(&call->request, caller ? caller : &running);
	return fuse_wait_ready(call->connection);
}

err_t driver_end(struct driver_call *call, driver_decoder *decode, void *out)
{
	struct fuse_connection *connection = call->connection;
	uint32_t opcode = call->message->opcode;
	struct fuse_reply reply;
	err_t err =
		driver_lacks(connection, opcode) ? -ENOSYS : fuse_ask(connection, &call->request);

	if (err == -ENOSYS)
		driver_note_lack(connection, opcode);
	reply = fuse_request_reply(&call->request);
	if (!err && decode)
		err = decode(call->session, &reply, out);
	fuse_request_done(&call->request);
	return err;
}

/* ---- names ---- */

/* `out` is a struct server_entry. */
static err_t decode_entry(const struct fuse_session *session, const struct fuse_reply *reply,
			  void *out)
{
	return fuse_answer_entry(session, reply, out);
}

err_t driver_refuse_entry(struct fuse_connection *connection, const struct server_entry *entry,
			  err_t err)
{
	if (err && entry->node.value)
		fuse_forget(connection, entry->node, 1);
	return err;
}

/* Sends what is answered by an entry. */
static err_t end_with_entry(struct driver_call *call, struct server_entry *out)
{
	*out = (struct server_entry){0};
	return driver_refuse_entry(call->connection, out, driver_end(call, decode_entry, out));
}

err_t driver_look_up(struct server *server, const struct server_caller *caller,
		     struct nodeid parent, struct server_name name, driver_decoder *decode,
		     struct server_entry *out)
{
	struct fuse_visit visit;
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);

	if (!err)
		err = fuse_visit_begin(call.connection, parent, &visit);
	if (err)
		return err;
	fuse_ask_lookup(call.session, call.message, parent, name);
	*out = (struct server_entry){0};
	err = driver_refuse_entry(call.connection, out, driver_end(&call, decode, out));
	fuse_visit_end(call.connection, &visit);
	return err;
}

static err_t driver_lookup(struct server *server, const struct server_caller *caller,
			   struct nodeid parent, struct server_name name, struct server_entry *out)
{
	return driver_look_up(server, caller, parent, name, decode_entry, out);
}

static void driver_forget(struct server *server, struct nodeid node, uint64_t nlookup)
{
	fuse_forget(connection_of(server), node, nlookup);
}

static err_t driver_mknod(struct server *server, const struct server_caller *caller,
			  struct nodeid parent, struct server_name name, uint32_t mode,
			  uint64_t rdev, struct server_entry *out)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);

	if (err)
		return err;
	fuse_ask_mknod(call.session, call.message, parent, name, mode, rdev, caller->umask);
	return end_with_entry(&call, out);
}

static err_t driver_mkdir(struct server *server, const struct server_caller *caller,
			  struct nodeid parent, struct server_name name, uint32_t mode,
			  struct server_entry *out)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);

	if (err)
		return err;
	fuse_ask_mkdir(call.session, call.message, parent, name, mode, caller->umask);
	return end_with_entry(&call, out);
}

static err_t driver_symlink(struct server *server, const struct server_caller *caller,
			    struct nodeid parent, struct server_name name,
			    struct server_name target, struct server_entry *out)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);
	char *text;

	if (err)
		return err;
	call.request.payload = fuse_pages_alloc(target.len_bytes + 1);
	if (!call.request.payload)
		return -ENOMEM;
	text = frame_virt(call.request.payload->frames[0]);
	memcpy(text, target.text, target.len_bytes);
	text[target.len_bytes] = 0;
	fuse_ask_symlink(call.session, call.message, parent, name, target.len_bytes + 1);
	return end_with_entry(&call, out);
}

static err_t driver_link(struct server *server, const struct server_caller *caller,
			 struct nodeid node, struct nodeid parent, struct server_name name,
			 struct server_entry *out)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);

	if (err)
		return err;
	fuse_ask_link(call.session, call.message, node, parent, name);
	return end_with_entry(&call, out);
}

static err_t driver_unlink(struct server *server, const struct server_caller *caller,
			   struct nodeid parent, struct server_name name)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);

	if (err)
		return err;
	fuse_ask_unlink(call.message, parent, name);
	return driver_end(&call, NULL, NULL);
}

static err_t driver_rmdir(struct server *server, const struct server_caller *caller,
			  struct nodeid parent, struct server_name name)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);

	if (err)
		return err;
	fuse_ask_rmdir(call.message, parent, name);
	return driver_end(&call, NULL, NULL);
}

static err_t driver_rename(struct server *server, const struct server_caller *caller,
			   struct nodeid old_parent, struct server_name old_name,
			   struct nodeid new_parent, struct server_name new_name, unsigned flags)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);

	if (err)
		return err;
	fuse_ask_rename(call.message, old_parent, old_name, new_parent, new_name, flags);
	err = driver_end(&call, NULL, NULL);
	return flags && err == -ENOSYS ? -EINVAL : err;
}

/* Where a link's target goes. */
struct text {
	char *to;
	size_t to_bytes;
	ssize_t len_bytes;
};

static err_t decode_readlink(const struct fuse_session *session, const struct fuse_reply *reply,
			     void *out)
{
	struct text *text = out;

	(void)session;
	text->len_bytes = fuse_answer_readlink(reply, text->to, text->to_bytes);
	return text->len_bytes < 0 ? (err_t)text->len_bytes : 0;
}

static ssize_t driver_readlink(struct server *server, struct nodeid node, char *to, size_t to_bytes)
{
	struct text text = {.to = to, .to_bytes = to_bytes};
	struct driver_call call;
	err_t err = driver_begin(&call, server, NULL);

	if (err)
		return err;
	fuse_ask_readlink(call.message, node);
	err = driver_end(&call, decode_readlink, &text);
	return err ? err : text.len_bytes;
}

/* ---- attributes ---- */

struct timed_attr {
	struct server_attr *attr;
	uint64_t *valid_ns;
};

static err_t decode_attr(const struct fuse_session *session, const struct fuse_reply *reply,
			 void *out)
{
	const struct timed_attr *timed = out;

	return fuse_answer_attr(session, reply, timed->attr, timed->valid_ns);
}

static err_t driver_getattr(struct server *server, struct nodeid node, struct server_attr *out,
			    uint64_t *attr_valid_ns)
{
	struct timed_attr timed = {out, attr_valid_ns};
	struct driver_call call;
	err_t err = driver_begin(&call, server, NULL);

	if (err)
		return err;
	fuse_ask_getattr(call.session, call.message, node, NULL);
	return driver_end(&call, decode_attr, &timed);
}

static err_t driver_getattr_open(struct server *server, struct nodeid node, struct handle handle,
				 struct server_attr *out, uint64_t *attr_valid_ns)
{
	struct timed_attr timed = {out, attr_valid_ns};
	uint64_t fh = fh_of(handle);
	struct driver_call call;
	err_t err = driver_begin(&call, server, NULL);

	if (err)
		return err;
	call.request.handle = handle_of(handle);
	fuse_ask_getattr(call.session, call.message, node, &fh);
	return driver_end(&call, decode_attr, &timed);
}

static err_t driver_setattr(struct server *server, const struct server_caller *caller,
			    struct nodeid node, const struct server_setattr *set,
			    struct server_attr *out, uint64_t *attr_valid_ns)
{
	struct timed_attr timed = {out, attr_valid_ns};
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);

	if (err)
		return err;
	call.request.handle = handle_of(set->handle);
	fuse_ask_setattr(call.session, call.message, node, set, fh_of(set->handle));
	return driver_end(&call, decode_attr, &timed);
}

static err_t decode_statx(const struct fuse_session *session, const struct fuse_reply *reply,
			  void *out)
{
	(void)session;
	return fuse_answer_statx(reply, out);
}

static err_t driver_birth(struct server *server, struct nodeid node, struct abi_timespec *out)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, NULL);

	if (err)
		return err;
	fuse_ask_statx(call.message, node);
	return driver_end(&call, decode_statx, out);
}

static err_t decode_statfs(const struct fuse_session *session, const struct fuse_reply *reply,
			   void *out)
{
	(void)session;
	return fuse_answer_statfs(reply, out);
}

static err_t driver_statfs(struct server *server, struct server_statfs *out)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, NULL);

	if (err)
		return err;
	fuse_ask_statfs(call.session, call.message, SERVER_ROOT);
	return driver_end(&call, decode_statfs, out);
}

static err_t driver_access(struct server *server, const struct server_caller *caller,
			   struct nodeid node, unsigned mask)
{
	struct driver_call call;
	err_t err = driver_begin(&call, server, caller);

	if (err)
		return err;
	fuse_ask_access(call.message, node, mask);
	err = driver_end(&call, NULL, NULL);
	return err == -ENOSYS ? 0 : err;
}

/* ---- life ---- */

/* Known without asking: the driver is not there yet when its mount is made. */
static err_t driver_root(struct server *server, struct server_entry *out)
{
	*out = (struct server_entry){.node = SERVER_ROOT,
				     .attr = {.ino = SERVER_ROOT.value,
					      .mode = options_of(server)->root_mode & S_IFMT,
					      .nlink = 1,
					      .uid = server->owner_uid,
					      .gid = server->owner_gid}};
	return 0;
}

/* As Linux: they were the driver's to choose when it came, and a remount may say what it likes. */
static err_t driver_reconfigure(UNUSED struct server *server, UNUSED const char *options)
{
	return 0;
}

/* As Linux shows them: fusermount looks for who has mounted. */
static void driver_describe(struct server *server, char *to, size_t to_bytes)
{
	const struct fuse_mount_options *options = options_of(server);
	char max_read[24] = "", block[24] = "";

	if (options->max_read_bytes)
		(void)kernel_format(max_read, sizeof(max_read), ",max_read=%u",
				    options->max_read_bytes);
	if (options->block_bytes != FUSE_BLOCK_BYTES)
		(void)kernel_format(block, sizeof(block), ",blksize=%u", options->block_bytes);
	(void)kernel_format(to, to_bytes, ",user_id=%u,group_id=%u%s%s%s%s", options->owner_uid,
			    options->owner_gid,
			    options->default_permissions ||
					    read_once(&server->agreed) & SERVER_HAS_ACLS
				    ? ",default_permissions"
				    : "",
			    options->allow_other ? ",allow_other" : "", max_read, block);
}

static void driver_abort(struct server *server)
{
	fuse_connection_end(connection_of(server), -ENOTCONN);
}

static void driver_destroy(struct server *server)
{
	fuse_server_destroy(server);
}

/* The driver has seen it: what is remembered of the times is old. */
static bool driver_accessed(struct server *server, struct nodeid node, bool is_strict)
{
	(void)server, (void)node, (void)is_strict;
	return true;
}

static const struct server_ops driver_ops = {
	.number = driver_number,
	.by_number = driver_by_number,
	.above = driver_above,
	.root = driver_root,
	.lookup = driver_lookup,
	.forget = driver_forget,
	.getattr = driver_getattr,
	.getattr_open = driver_getattr_open,
	.setattr = driver_setattr,
	.birth = driver_birth,
	.readlink = driver_readlink,
	.mknod = driver_mknod,
	.mkdir = driver_mkdir,
	.symlink = driver_symlink,
	.link = driver_link,
	.unlink = driver_unlink,
	.rmdir = driver_rmdir,
	.rename = driver_rename,
	.getxattr = driver_getxattr,
	.listxattr = driver_listxattr,
	.setxattr = driver_setxattr,
	.removexattr = driver_removexattr,
	.access = driver_access,
	.open = driver_open,
	.create = driver_create,
	.tmpfile = driver_tmpfile,
	.read_pages = driver_read_pages,
	.read_direct = driver_read_direct,
	.write_pages = driver_write_pages,
	.write_direct = driver_write_direct,
	.write_back = driver_write_back,
	.transfer_bytes = driver_transfer_bytes,
	.ahead_bytes = driver_ahead_bytes,
	.fallocate = driver_fallocate,
	.lseek = driver_lseek,
	.copy_file_range = driver_copy_file_range,
	.flush = driver_flush,
	.fsync = driver_fsync,
	.lock = driver_lock,
	.lock_test = driver_lock_test,
	.ioctl = driver_ioctl,
	.poll = driver_poll,
	.poll_ask = driver_poll_ask,
	.release = driver_release,
	.accessed = driver_accessed,
	.opendir = driver_opendir,
	.readdir = driver_readdir,
	.releasedir = driver_releasedir,
	.statfs = driver_statfs,
	.reconfigure = driver_reconfigure,
	.describe = driver_describe,
	.abort = driver_abort,
	.destroy = driver_destroy,
};

static unsigned agreed_in(const struct fuse_session *session)
{
	return (session->flags & FUSE_DONT_MASK ? SERVER_MASKS_MODES : 0) |
	       (session->flags & FUSE_CACHE_SYMLINKS ? SERVER_KEEPS_LINKS : 0) |
	       (session->flags & (FUSE_HANDLE_KILLPRIV | FUSE_KILLPRIV_V2) ? SERVER_DROPS_IDS : 0) |
	       (session->flags & FUSE_KILLPRIV_V2 ? SERVER_IS_TOLD_IDS : 0) |
	       (session->flags & FUSE_POSIX_ACL ? SERVER_HAS_ACLS : 0) |
	       (session->flags & FUSE_WRITEBACK_CACHE ? SERVER_WRITES_BACK : 0) |
	       (session->flags & FUSE_DIRECT_IO_MMAP ? SERVER_DIRECT_MAPS : 0) |
	       (session->flags & FUSE_EXPLICIT_INVAL ? SERVER_SAYS_CHANGES : 0) |
	       (session->flags & FUSE_AUTO_INVAL_DATA ? 0 : SERVER_KEEPS_TIMES);
}

/* Of what the driver says, or does not, as the settings have it: as Linux. */
static uint32_t bounded_timeout_s(uint32_t timeout_s)
{
	uint32_t most_s = read_once(&fuse_max_timeout_s);

	if (!timeout_s)
		timeout_s = read_once(&fuse_default_timeout_s);
	if (most_s)
		timeout_s = timeout_s ? MIN(timeout_s, most_s) : most_s;
	return timeout_s ? MAX(timeout_s, FUSE_LEAST_TIMEOUT_S) : 0;
}

static void init_ended(struct fuse_request *request)
{
	struct fuse_connection *connection = fuse_connection_get(request->connection);
	struct fuse_reply reply = fuse_request_reply(request);
	struct fuse_session session = {0};
	err_t err = request->error;

	if (!err)
		err = fuse_answer_init(&reply, connection->max_read_bytes, &session);
	if (!err) {
		session.timeout_s = bounded_timeout_s(session.timeout_s);
		write_once(&connection->server->agreed, agreed_in(&session));
		write_once(&connection->server->stack_depth, session.max_stack_depth);
		fuse_connection_ready(connection, &session);
		log_debug("connection %u: the driver speaks 7.%u, writes up to %u KiB",
			  connection->number, session.minor,
			  session.max_write_bytes / (uint32_t)KIB);
	} else if (err != -ECONNABORTED) {
		log_limited(LOG_WARN,
			    "connection %u: the driver's answer to INIT is of no use (error %d)",
			    connection->number, -err);
		fuse_connection_end(connection, -ECONNREFUSED);
	}
	fuse_request_free(request);
	fuse_connection_put(connection);
}

err_t fuse_server_start(struct server *server)
{
	static const struct server_caller kernel;
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request *request = fuse_request_create(connection, &kernel, init_ended);

	if (!request)
		return -ENOMEM;
	fuse_ask_init(&request->message);
	fuse_send(connection, request);
	return 0;
}

err_t fuse_server_create(struct fuse_connection *connection,
			 const struct fuse_mount_options *options, const char *source,
			 struct server **out)
{
	struct fuse_server *own = kzalloc(sizeof(*own));

	if (!own)
		return -ENOMEM;
	own->connection = connection;
	own->options = *options;
	(void)kernel_format(own->type, sizeof(own->type), "%s%s%s",
			    options->is_block ? "fuseblk" : "fuse", options->subtype[0] ? "." : "",
			    options->subtype);
	string_copy(own->source, sizeof(own->source), source);
	own->server = (struct server){
		.ops = &driver_ops,
		.type = own->type,
		.source = own->source,
		.flags = SERVER_NO_DEVICES | SERVER_MODES_EXPIRE | SERVER_FORGET_COSTS |
			 SERVER_TAKES_ACLS |
			 (options->default_permissions ? 0 : SERVER_CHECKS_ACCESS) |
			 (options->allow_other ? 0 : SERVER_OWNER_ONLY),
		.owner_uid = options->owner_uid,
		.owner_gid = options->owner_gid,
		.stack_depth = SERVER_DEPTH_UNKNOWN,
	};
	connection->max_read_bytes = options->max_read_bytes;
	connection->server = &own->server;
	fuse_connection_publish(connection);
	*out = &own->server;
	return 0;
}

/* Who serves a block device may have to write to it still, and its device is free for others
 * afterwards: so that is waited for. */
static void say_destroy(struct server *server)
{
	static const struct server_caller kernel;
	struct fuse_connection *connection = connection_of(server);
	struct driver_call call;

	if (load_acquire(&connection->state) != FUSE_READY)
		return;
	if (driver_begin(&call, server, &kernel))
		return;
	fuse_ask_destroy(call.message);
	(void)!driver_end(&call, NULL, NULL);
}

void fuse_server_destroy(struct server *server)
{
	struct fuse_connection *connection = connection_of(server);

	if (options_of(server)->is_block)
		say_destroy(server); /* its time-out, too, is for what can be found */
	fuse_connection_hide(connection);
	fuse_connection_end(connection, -ENOTCONN);
	fuse_connection_put(connection);
}

void fuse_server_free(struct server *server)
{
	if (server)
		kfree(container_of(server, struct fuse_server, server));
}
