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

#endif
