/*
 * What the files of a driver's operations share (server.c, files.c).
 */
#ifndef FUSEK_DRIVER_SERVER_PRIV_H
#define FUSEK_DRIVER_SERVER_PRIV_H

#include "server.h"

struct fuse_server {
	struct server server;
	struct fuse_connection *connection; /* constant, a reference */
	uint32_t root_mode;                 /* constant: the type of the root */
	char type[32];                      /* constant: "fuse" or "fuse.SUBTYPE" */
	char source[32];                    /* constant */
};

/* What an open file's handle is to us: the driver's, and the RELEASE that it is owed, made before
 * it was asked for one. */
struct fuse_handle {
	uint64_t fh;
	struct fuse_request *release;
};

static inline struct fuse_connection *connection_of(struct server *server)
{
	return container_of(server, struct fuse_server, server)->connection;
}

static inline uint64_t fh_of(struct handle handle)
{
	const struct fuse_handle *own = (const struct fuse_handle *)handle.value;

	return own ? own->fh : 0; /* a driver without OPEN never gave one */
}

/* It has answered -ENOSYS to this operation. */
bool driver_lacks(struct fuse_connection *connection, uint32_t opcode);
/* fuse_ask() for an operation that the driver may not know: asked once, then -ENOSYS. */
err_t must_check driver_ask(struct fuse_connection *connection, struct fuse_request *request);
/* A request of `caller` (NULL: the program that runs); the session is there. Sleeps. */
err_t must_check driver_begin(struct fuse_connection *connection, struct fuse_request *request,
			      const struct server_caller *caller);
/* `err`, and if it is one: the node that was given out goes back. */
err_t must_check driver_refuse_entry(struct fuse_connection *connection,
				     const struct server_entry *entry, err_t err);
/* Sends what is answered by an error alone. */
err_t must_check driver_ask_plainly(struct fuse_connection *connection,
				    struct fuse_request *request);

/* ---- files.c: operations of server_ops ---- */

err_t driver_open(struct server *server, const struct server_caller *caller, struct nodeid node,
		  unsigned flags, struct server_open *out);
err_t driver_opendir(struct server *server, const struct server_caller *caller, struct nodeid node,
		     struct server_open *out);
err_t driver_create(struct server *server, const struct server_caller *caller, struct nodeid parent,
		    struct server_name name, uint32_t mode, unsigned flags,
		    struct server_entry *entry, struct server_open *out);
void driver_release(struct server *server, struct nodeid node, struct handle handle,
		    unsigned flags);
void driver_releasedir(struct server *server, struct nodeid node, struct handle handle);
err_t driver_flush(struct server *server, struct nodeid node, struct handle handle,
		   uint64_t lock_owner);
err_t driver_fsync(struct server *server, struct nodeid node, struct handle handle);
err_t driver_readdir(struct server *server, struct nodeid node, struct handle handle,
		     uint64_t cookie, struct dirent_sink *sink);
err_t driver_read_pages(struct server *server, struct nodeid node, struct handle handle,
			unsigned flags, struct page_fill *fill);
ssize_t driver_write_pages(struct server *server, struct nodeid node, struct handle handle,
			   unsigned flags, const struct page_write *write);
uint32_t driver_transfer_bytes(struct server *server, bool write);

#endif
