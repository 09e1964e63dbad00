/*
 * What the files of a driver's operations share (server.c, files.c).
 */
#ifndef FUSEK_DRIVER_SERVER_PRIV_H
#define FUSEK_DRIVER_SERVER_PRIV_H

#include "server.h"

struct fuse_server {
	struct server server;
	struct fuse_connection *connection; /* constant, a reference */
	struct fuse_mount_options options;  /* constant */
	char type[40];                      /* constant: "fuse", "fuseblk", with ".SUBTYPE" */
	char source[32];                    /* constant */
};

static inline const struct fuse_mount_options *options_of(struct server *server)
{
	return &container_of(server, struct fuse_server, server)->options;
}

static inline struct fuse_connection *connection_of(struct server *server)
{
	return container_of(server, struct fuse_server, server)->connection;
}

/* The open file that a number of ours stands for; NULL: a driver without OPEN never gave one. */
static inline struct fuse_handle *handle_of(struct handle handle)
{
	return (struct fuse_handle *)handle.value;
}

static inline uint64_t fh_of(struct handle handle)
{
	return handle.value ? handle_of(handle)->fh : 0;
}

/* One operation, from its request to its answer; on the stack of who waits. */
struct driver_call {
	struct fuse_connection *connection;
	const struct fuse_session *session;
	struct fuse_message *message; /* of `request`: to be filled in by fuse_ask_*() */
	struct fuse_request request;
};

/* What an operation makes of an answer: into `out`, as its owner knows it. */
typedef err_t driver_decoder(const struct fuse_session *session, const struct fuse_reply *reply,
			     void *out);

/* A request of `caller` (NULL: the program that runs); the session is there. Sleeps. */
err_t must_check driver_begin(struct driver_call *call, struct server *server,
			      const struct server_caller *caller);
/* Asks, and decodes the answer (NULL: it is an error alone). An operation that the driver does not
 * know is not asked again where the protocol says so: -ENOSYS then. Sleeps. */
err_t must_check driver_end(struct driver_call *call, driver_decoder *decode, void *out);
/* LOOKUP, of whose answer `decode` makes *out. Sleeps. */
err_t must_check driver_look_up(struct server *server, const struct server_caller *caller,
				struct nodeid parent, struct server_name name,
				driver_decoder *decode, struct server_entry *out);
/* A request without a caller that names an open file. NULL: no memory. */
struct fuse_request *driver_request_for(struct fuse_connection *connection, struct handle own,
					void (*ended)(struct fuse_request *request));
/* It has answered -ENOSYS to this operation. */
void driver_note_lack(struct fuse_connection *connection, uint32_t opcode);
bool driver_lacks(struct fuse_connection *connection, uint32_t opcode);
/* `err`, and if it is one: the node that was given out goes back. */
err_t must_check driver_refuse_entry(struct fuse_connection *connection,
				     const struct server_entry *entry, err_t err);

/* ---- files.c: operations of server_ops ---- */

err_t driver_open(struct server *server, const struct server_caller *caller, struct nodeid node,
		  unsigned flags, struct server_open *out);
err_t driver_opendir(struct server *server, const struct server_caller *caller, struct nodeid node,
		     struct server_open *out);
err_t driver_create(struct server *server, const struct server_caller *caller, struct nodeid parent,
		    struct server_name name, uint32_t mode, unsigned flags,
		    struct server_entry *entry, struct server_open *out);
err_t driver_tmpfile(struct server *server, const struct server_caller *caller,
		     struct nodeid parent, uint32_t mode, unsigned flags,
		     struct server_entry *entry, struct server_open *out);
void driver_release(struct server *server, struct nodeid node, struct handle handle,
		    unsigned flags);
void driver_releasedir(struct server *server, struct nodeid node, struct handle handle);
err_t driver_flush(struct server *server, struct nodeid node, struct handle handle,
		   uint64_t lock_owner);
err_t driver_fsync(struct server *server, struct nodeid node, struct handle handle, bool directory);
err_t driver_readdir(struct server *server, struct nodeid node, struct handle handle,
		     uint64_t cookie, struct dirent_sink *sink);
err_t driver_read_pages(struct server *server, struct nodeid node, struct handle handle,
			unsigned flags, struct page_fill *fill);
ssize_t driver_read_direct(struct server *server, struct nodeid node, struct handle handle,
			   unsigned flags, uint64_t offset_bytes, size_t len_bytes,
			   struct buffer *buffer);
ssize_t driver_write_pages(struct server *server, struct nodeid node, struct handle handle,
			   unsigned flags, const struct page_write *write);
bool driver_write_direct(struct server *server, struct nodeid node, struct handle handle,
			 unsigned flags, const struct server_write *write, ssize_t *result);
err_t driver_write_back(struct server *server, struct nodeid node, struct handle handle,
			unsigned flags, struct page_flush *flush);
uint32_t driver_transfer_bytes(struct server *server, bool write);
uint32_t driver_ahead_bytes(struct server *server);

/* ---- xattr.c ---- */

ssize_t driver_getxattr(struct server *server, const struct server_caller *caller,
			struct nodeid node, const char *name, void *to, size_t to_bytes);
ssize_t driver_listxattr(struct server *server, const struct server_caller *caller,
			 struct nodeid node, char *to, size_t to_bytes);
err_t driver_setxattr(struct server *server, const struct server_caller *caller, struct nodeid node,
		      const char *name, const void *value, size_t value_bytes, unsigned flags);
err_t driver_removexattr(struct server *server, const struct server_caller *caller,
			 struct nodeid node, const char *name);

/* ---- locks.c ---- */

err_t driver_lock(struct server *server, struct nodeid node, struct handle handle,
		  const struct object_lock *lock, bool wait);
err_t driver_lock_test(struct server *server, struct nodeid node, struct handle handle,
		       struct object_lock *lock);

/* ---- control.c ---- */

/* O_DIRECTORY in `flags`: it is one. */
ssize_t driver_ioctl(struct server *server, struct nodeid node, struct handle handle,
		     unsigned command, uptr_t argument, unsigned flags);
/* ioctl_free.c: of one that may say which memory it wants. */
ssize_t driver_ioctl_free(struct server *server, struct nodeid node, struct handle handle,
			  unsigned command, uptr_t argument);
void driver_poll_ask(struct server *server, struct nodeid node, struct handle handle);
unsigned driver_poll(struct server *server, struct nodeid node, struct handle handle,
		     struct waitq **queue);

/* ---- ranges.c ---- */

err_t driver_fallocate(struct server *server, struct nodeid node, struct handle handle,
		       unsigned mode, uint64_t offset_bytes, uint64_t len_bytes);
err_t driver_lseek(struct server *server, struct nodeid node, struct handle handle,
		   uint64_t offset_bytes, int whence, uint64_t *found_bytes);
ssize_t driver_copy_file_range(struct server *server, const struct server_copy *copy);

/* ---- numbers.c ---- */

uint64_t driver_number(struct server *server, struct nodeid node);
err_t must_check driver_by_number(struct server *server, uint64_t number, uint64_t generation,
				  struct server_entry *out);
err_t must_check driver_above(struct server *server, struct nodeid node, struct server_entry *out);

#endif
