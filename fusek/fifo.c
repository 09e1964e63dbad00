/*
 * FIFOs of a filesystem: the name and the attributes are its own, the bytes go through a pipe that
 * the node has from its first open on. The pipe's end is the open file's handle, of a server that
 * has no names.
 */
#include "open_file.h"

#include <ipc/pipe.h>

static struct object *end_of_handle(struct handle handle)
{
	return (struct object *)handle.value;
}

static ssize_t fifo_read(UNUSED struct server *server, UNUSED struct nodeid node,
			 struct handle handle, struct buffer *buffer, UNUSED uint64_t offset_bytes,
			 unsigned flags)
{
	buffer->call_flags |= flags & O_NONBLOCK;
	return object_read(end_of_handle(handle), buffer, NULL);
}

static ssize_t fifo_write(UNUSED struct server *server, UNUSED const struct server_caller *caller,
			  UNUSED struct nodeid node, struct handle handle, struct buffer *buffer,
			  UNUSED uint64_t offset_bytes, unsigned flags, UNUSED uint64_t *end_bytes)
{
	buffer->call_flags |= flags & O_NONBLOCK;
	return object_write(end_of_handle(handle), buffer, NULL);
}

static ssize_t fifo_ioctl(UNUSED struct server *server, UNUSED struct nodeid node,
			  struct handle handle, unsigned command, uptr_t argument,
			  UNUSED unsigned flags)
{
	return object_ioctl(end_of_handle(handle), command, argument);
}

static unsigned fifo_poll(UNUSED struct server *server, UNUSED struct nodeid node,
			  struct handle handle, struct waitq **queue)
{
	return object_poll(end_of_handle(handle), queue);
}

static void fifo_release(UNUSED struct server *server, UNUSED struct nodeid node,
			 struct handle handle, UNUSED unsigned flags)
{
	object_put(end_of_handle(handle));
}

static const struct server_ops fifo_ops = {
	.read = fifo_read,
	.write = fifo_write,
	.ioctl = fifo_ioctl,
	.poll = fifo_poll,
	.release = fifo_release,
};

static struct server server = {.ops = &fifo_ops, .type = "fifo", .source = "none"};

/* The node's pipe; NULL: no memory. */
static struct pipe *pipe_of(struct node *node)
{
	struct pipe *none = NULL, *fresh;

	if (read_once(&node->fifo))
		return read_once(&node->fifo);
	fresh = fifo_create();
	if (fresh && !atomic_cas(&node->fifo, &none, fresh))
		fifo_put(fresh); /* somebody else was first */
	return read_once(&node->fifo);
}

err_t fifo_open_file(struct file *file, unsigned flags)
{
	struct pipe *pipe = pipe_of(file->node);
	struct object *end;
	err_t err = pipe ? fifo_open(pipe, flags, &end) : -ENOMEM;

	if (err)
		return err;
	file->server = &server;
	file->open = (struct server_open){.handle = {(uint64_t)end}, .flags = SERVER_STREAM};
	return 0;
}

struct object *fifo_end(struct object *object)
{
	const struct file *file = file_of(object);

	return file->opened && file->server == &server ? end_of_handle(file->open.handle) : NULL;
}
