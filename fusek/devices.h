/*
 * devfs from inside: how the layer of open files finds a device by its number.
 */
#ifndef FUSEK_DEVICES_H
#define FUSEK_DEVICES_H

#include <fusek/devfs.h>
#include <fusek/server.h>

/* The one devfs there is. */
struct server *devfs_server(void);

/* -ENXIO: no such device. */
err_t must_check devfs_find(uint64_t rdev, struct nodeid *out);

/* What the device's open has set as private, if the device is one of `ops`; else NULL. */
void *devfs_private(struct nodeid node, struct handle handle, const struct device_ops *ops);

/* The server's read and write, of the device that `node` is. */
ssize_t must_check devfs_read_device(struct nodeid node, struct handle handle,
				     struct buffer *buffer, uint64_t offset_bytes, unsigned flags);
ssize_t must_check devfs_write_device(struct nodeid node, struct handle handle,
				      struct buffer *buffer, uint64_t offset_bytes, unsigned flags);

/* devfs_private() of an open file (file.c). It lives as long as `object` does. */
void *file_device(struct object *object, const struct device_ops *ops);

#endif
