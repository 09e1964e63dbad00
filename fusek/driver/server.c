/*
 * The operations of a driver: each fills in a request, asks, and decodes the answer. No state of
 * its own but what the driver's handles need; no lock is held while the driver is asked.
 *
 * An operation that a driver does not know (-ENOSYS) is remembered and not asked again; the callers
 * of the table turn -ENOSYS into what Linux says.
 */
#define LOG_SUBSYSTEM "fuse"
#include "server_priv.h"

#include <abi/fcntl.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/slab.h>

/* ---- asking ---- */

bool driver_lacks(struct fuse_connection *connection, uint32_t opcode)
{
	return read_once(&connection->unsupported) & (UINT64_C(1) << opcode);
}

/* fuse_ask() for an operation that the driver may not know. */
err_t driver_ask(struct fuse_connection *connection, struct fuse_request *request)
{
	uint32_t opcode = request->message.opcode;
	err_t err;

	if (driver_lacks(connection, opcode))
		return -ENOSYS;
	err = fuse_ask(connection, request);
	if (err == -ENOSYS)
		__atomic_fetch_or(&connection->unsupported, UINT64_C(1) << opcode,
				  __ATOMIC_RELAXED);
	return err;
}

/* A request of the running program; the session is there. */
err_t driver_begin(struct fuse_connection *connection, struct fuse_request *request,
		   const struct server_caller *caller)
{
	const struct server_caller running = server_caller_current();

	fuse_request_init(request, caller ? caller : &running);
	return fuse_wait_ready(connection);
}

/* ---- names ---- */

static err_t driver_lookup(struct server *server, const struct server_caller *caller,
			   struct nodeid parent, struct server_name name, struct server_entry *out)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request request;
	struct fuse_reply reply;
	err_t err = driver_begin(connection, &request, caller);

	if (err)
		return err;
	fuse_ask_lookup(&connection->session, &request.message, parent, name);
	err = fuse_ask(connection, &request);
	reply = fuse_request_reply(&request);
	if (!err)
		err = fuse_answer_lookup(&connection->session, &reply, out);
	fuse_request_done(&request);
	return err;
}

static void driver_forget(struct server *server, struct nodeid node, uint64_t nlookup)
{
	fuse_forget(connection_of(server), node, nlookup);
}

/* A node was given out that we cannot use. */
err_t driver_refuse_entry(struct fuse_connection *connection, const struct server_entry *entry,
			  err_t err)
{
	if (err && entry->node.value)
		fuse_forget(connection, entry->node, 1);
	return err;
}

/* Sends what makes a name, and decodes the entry. */
static err_t make(struct fuse_connection *connection, struct fuse_request *request, uint32_t type,
		  struct server_entry *out)
{
	err_t err = driver_ask(connection, request);
	struct fuse_reply reply = fuse_request_reply(request);

	if (!err)
		err = driver_refuse_entry(
			connection, out, fuse_answer_made(&connection->session, &reply, type, out));
	fuse_request_done(request);
	return err;
}

static err_t driver_mknod(struct server *server, const struct server_caller *caller,
			  struct nodeid parent, struct server_name name, uint32_t mode,
			  uint64_t rdev, struct server_entry *out)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request request;
	err_t err = driver_begin(connection, &request, caller);

	if (err)
		return err;
	fuse_ask_mknod(&connection->session, &request.message, parent, name, mode, rdev,
		       caller->umask);
	return make(connection, &request, mode & S_IFMT, out);
}

static err_t driver_mkdir(struct server *server, const struct server_caller *caller,
			  struct nodeid parent, struct server_name name, uint32_t mode,
			  struct server_entry *out)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request request;
	err_t err = driver_begin(connection, &request, caller);

	if (err)
		return err;
	fuse_ask_mkdir(&connection->session, &request.message, parent, name, mode, caller->umask);
	return make(connection, &request, S_IFDIR, out);
}

static err_t driver_symlink(struct server *server, const struct server_caller *caller,
			    struct nodeid parent, struct server_name name,
			    struct server_name target, struct server_entry *out)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request request;
	err_t err = driver_begin(connection, &request, caller);

	if (err)
		return err;
	request.payload = fuse_pages_alloc(target.len_bytes + 1);
	if (!request.payload)
		return -ENOMEM;
	memcpy(frame_virt(request.payload->frames[0]), target.text, target.len_bytes);
	((char *)frame_virt(request.payload->frames[0]))[target.len_bytes] = 0;
	fuse_ask_symlink(&connection->session, &request.message, parent, name,
			 target.len_bytes + 1);
	return make(connection, &request, S_IFLNK, out);
}

static err_t driver_link(struct server *server, const struct server_caller *caller,
			 struct nodeid node, struct nodeid parent, struct server_name name,
			 struct server_entry *out)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request request;
	struct fuse_reply reply;
	size_t used_bytes;
	err_t err = driver_begin(connection, &request, caller);

	if (err)
		return err;
	fuse_ask_link(&connection->session, &request.message, node, parent, name);
	err = driver_ask(connection, &request);
	reply = fuse_request_reply(&request);
	if (!err)
		err = fuse_answer_entry(&connection->session, &reply, out, &used_bytes);
	fuse_request_done(&request);
	return err;
}

/* Sends what is answered by an error alone. */
err_t driver_ask_plainly(struct fuse_connection *connection, struct fuse_request *request)
{
	err_t err = driver_ask(connection, request);

	fuse_request_done(request);
	return err;
}

static err_t driver_unlink(struct server *server, const struct server_caller *caller,
			   struct nodeid parent, struct server_name name)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request request;
	err_t err = driver_begin(connection, &request, caller);

	if (err)
		return err;
	fuse_ask_unlink(&request.message, parent, name);
	return driver_ask_plainly(connection, &request);
}

static err_t driver_rmdir(struct server *server, const struct server_caller *caller,
			  struct nodeid parent, struct server_name name)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request request;
	err_t err = driver_begin(connection, &request, caller);

	if (err)
		return err;
	fuse_ask_rmdir(&request.message, parent, name);
	return driver_ask_plainly(connection, &request);
}

static err_t driver_rename(struct server *server, const struct server_caller *caller,
			   struct nodeid old_parent, struct server_name old_name,
			   struct nodeid new_parent, struct server_name new_name, unsigned flags)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request request;
	err_t err = driver_begin(connection, &request, caller);

	if (err)
		return err;
	fuse_ask_rename(&request.message, old_parent, old_name, new_parent, new_name, flags);
	err = driver_ask_plainly(connection, &request);
	return flags && err == -ENOSYS ? -EINVAL : err;
}

static ssize_t driver_readlink(struct server *server, struct nodeid node, char *to, size_t to_bytes)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request request;
	struct fuse_reply reply;
	ssize_t result;
	err_t err = driver_begin(connection, &request, NULL);

	if (err)
		return err;
	fuse_ask_readlink(&request.message, node);
	err = driver_ask(connection, &request);
	reply = fuse_request_reply(&request);
	result = err ? err : fuse_answer_readlink(&reply, to, to_bytes);
	fuse_request_done(&request);
	return result;
}

/* ---- attributes ---- */

/* Sends what is answered by attributes. */
static err_t ask_attr(struct fuse_connection *connection, struct fuse_request *request,
		      struct server_attr *out, uint64_t *attr_valid_ns)
{
	err_t err = driver_ask(connection, request);
	struct fuse_reply reply = fuse_request_reply(request);

	if (!err)
		err = fuse_answer_attr(&connection->session, &reply, out, attr_valid_ns);
	fuse_request_done(request);
	return err;
}

static err_t driver_getattr(struct server *server, struct nodeid node, struct server_attr *out,
			    uint64_t *attr_valid_ns)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request request;
	err_t err = driver_begin(connection, &request, NULL);

	if (err)
		return err;
	fuse_ask_getattr(&connection->session, &request.message, node, NULL);
	return ask_attr(connection, &request, out, attr_valid_ns);
}

static err_t driver_setattr(struct server *server, const struct server_caller *caller,
			    struct nodeid node, const struct server_setattr *set,
			    struct server_attr *out, uint64_t *attr_valid_ns)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request request;
	err_t err = driver_begin(connection, &request, caller);

	if (err)
		return err;
	fuse_ask_setattr(&connection->session, &request.message, node, set, fh_of(set->handle));
	return ask_attr(connection, &request, out, attr_valid_ns);
}

static err_t driver_statfs(struct server *server, struct server_statfs *out)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request request;
	struct fuse_reply reply;
	err_t err = driver_begin(connection, &request, NULL);

	if (err)
		return err;
	fuse_ask_statfs(&request.message, SERVER_ROOT);
	err = fuse_ask(connection, &request);
	reply = fuse_request_reply(&request);
	if (!err)
		err = fuse_answer_statfs(&reply, out);
	fuse_request_done(&request);
	return err;
}

static err_t driver_access(struct server *server, const struct server_caller *caller,
			   struct nodeid node, unsigned mask)
{
	struct fuse_connection *connection = connection_of(server);
	struct fuse_request request;
	err_t err = driver_begin(connection, &request, caller);

	if (err)
		return err;
	fuse_ask_access(&request.message, node, mask);
	err = driver_ask_plainly(connection, &request);
	return err == -ENOSYS ? 0 : err;
}

/* ---- life ---- */

/* Known without asking: the driver is not there yet when its mount is made. */
static err_t driver_root(struct server *server, struct server_entry *out)
{
	const struct fuse_server *own = container_of(server, struct fuse_server, server);

	*out = (struct server_entry){.node = SERVER_ROOT,
				     .attr = {.ino = SERVER_ROOT.value,
					      .mode = own->root_mode & S_IFMT,
					      .nlink = 1,
					      .uid = server->owner_uid,
					      .gid = server->owner_gid}};
	return 0;
}

static void driver_abort(struct server *server)
{
	fuse_connection_end(connection_of(server), -ENOTCONN);
}

static void driver_destroy(struct server *server)
{
	fuse_server_destroy(server);
}

static const struct server_ops driver_ops = {
	.root = driver_root,
	.lookup = driver_lookup,
	.forget = driver_forget,
	.getattr = driver_getattr,
	.setattr = driver_setattr,
	.readlink = driver_readlink,
	.mknod = driver_mknod,
	.mkdir = driver_mkdir,
	.symlink = driver_symlink,
	.link = driver_link,
	.unlink = driver_unlink,
	.rmdir = driver_rmdir,
	.rename = driver_rename,
	.access = driver_access,
	.open = driver_open,
	.create = driver_create,
	.read_pages = driver_read_pages,
	.write_pages = driver_write_pages,
	.transfer_bytes = driver_transfer_bytes,
	.flush = driver_flush,
	.fsync = driver_fsync,
	.release = driver_release,
	.opendir = driver_opendir,
	.readdir = driver_readdir,
	.releasedir = driver_releasedir,
	.statfs = driver_statfs,
	.abort = driver_abort,
	.destroy = driver_destroy,
};

static void init_ended(struct fuse_request *request)
{
	struct fuse_connection *connection = fuse_connection_get(request->connection);
	struct fuse_reply reply = fuse_request_reply(request);
	struct fuse_session session = {0};
	err_t err = request->error;

	if (!err)
		err = fuse_answer_init(&reply, connection->max_read_bytes, &session);
	if (!err) {
		fuse_connection_ready(connection, &session);
		log_debug("connection %u: the driver speaks 7.%u, writes up to %u KiB",
			  connection->number, session.minor,
			  session.max_write_bytes / (uint32_t)KIB);
	} else if (err != -ECONNABORTED) {
		log_warn("connection %u: the driver's answer to INIT is of no use (error %d)",
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
			 unsigned server_flags, struct server **out)
{
	struct fuse_server *own = kzalloc(sizeof(*own));

	if (!own)
		return -ENOMEM;
	own->connection = connection;
	own->root_mode = options->root_mode;
	string_copy(own->type, sizeof(own->type), "fuse");
	if (options->subtype[0]) {
		string_copy(own->type, sizeof(own->type), "fuse.");
		string_copy(own->type + 5, sizeof(own->type) - 5, options->subtype);
	}
	string_copy(own->source, sizeof(own->source), source);
	own->server = (struct server){
		.ops = &driver_ops,
		.type = own->type,
		.source = own->source,
		.flags = server_flags | SERVER_NO_DEVICES |
			 (options->default_permissions ? 0 : SERVER_CHECKS_ACCESS) |
			 (options->allow_other ? 0 : SERVER_OWNER_ONLY),
		.owner_uid = options->owner_uid,
		.owner_gid = options->owner_gid,
	};
	connection->max_read_bytes = options->max_read_bytes;
	store_release(&connection->server, &own->server);
	*out = &own->server;
	return 0;
}

void fuse_server_destroy(struct server *server)
{
	struct fuse_server *own = container_of(server, struct fuse_server, server);

	store_release(&own->connection->server, NULL);
	fuse_connection_end(own->connection, -ENOTCONN);
	fuse_connection_put(own->connection);
	kfree(own);
}
