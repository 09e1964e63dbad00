/*
 * Open files of a driver's, each with the RELEASE that it is owed, which the last one who needs it
 * sends. Owns nothing beside; the fields' locks are in connection.h.
 */
#include "connection.h"

#include <mm/slab.h>

struct fuse_handle *fuse_handle_create(struct fuse_connection *connection,
				       const struct server_caller *caller)
{
	struct fuse_handle *handle = kzalloc(sizeof(*handle));

	if (!handle)
		return NULL;
	refcount_init(&handle->references);
	waitq_init(&handle->polled);
	handle->release = fuse_request_create(connection, caller, fuse_request_free);
	if (handle->release)
		return handle;
	kfree(handle);
	return NULL;
}

void fuse_handle_free(struct fuse_handle *handle)
{
	fuse_request_free(handle->release);
	kfree(handle);
}

void fuse_handle_put(struct fuse_handle *handle)
{
	if (!handle || !refcount_put(&handle->references))
		return;
	fuse_polled_forget(handle);
	fuse_send(handle->release->connection, handle->release);
	kfree(handle);
}
