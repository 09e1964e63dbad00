/*
 * Filesystem drivers: their device, and what it needs of the kernel above.
 */
#ifndef FUSEK_DRIVER_H
#define FUSEK_DRIVER_H

#include <lib/types.h>

struct object;

/* Makes /dev/fuse. Once, any time. Sleeps. */
err_t must_check fuse_device_init(void);

/* It is a driver's, of a file system that is mounted. */
bool fuse_serves(struct object *object);

/* Hook of kernel/: what descriptor `fd` of the running program names, with a reference; NULL: not
 * open. */
struct object *vfs_descriptor(int fd);

#endif
