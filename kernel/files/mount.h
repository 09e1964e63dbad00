/*
 * What the system calls on mounts by descriptors share.
 */
#ifndef KERNEL_FILES_MOUNT_H
#define KERNEL_FILES_MOUNT_H

#include <abi/errno.h>
#include <fusek/path.h>
#include <lib/types.h>

/* The place that a call means: *out is a reference. `at_flags`: AT_EMPTY_PATH,
 * AT_SYMLINK_NOFOLLOW. As at_path_get() and path_walk(). */
err_t must_check mount_path_get(int dirfd, uptr_t name, unsigned at_flags, struct path *out);

/* MOUNT_ATTR_* of a new mount as MS_*. -EINVAL: unknown, or two of the times. */
err_t must_check mount_flags_of_attributes(uint64_t attributes, unsigned *out);

#endif
