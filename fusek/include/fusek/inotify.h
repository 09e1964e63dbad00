/*
 * inotify(7): an object that tells what happens to files and directories through this kernel. What
 * a driver changes by itself is not seen.
 */
#ifndef FUSEK_INOTIFY_H
#define FUSEK_INOTIFY_H

#include <abi/inotify.h>
#include <fusek/path.h>
#include <ipc/object.h>

/* As /proc/sys/fs/inotify shows them: of each user. Read and written by read_once and
 * write_once. */
struct inotify_limits {
	uint32_t queued_events; /* in one queue */
	uint32_t instances, watches;
};
extern struct inotify_limits inotify_limits;
/* Whatever the limits say. */
#define INOTIFY_INSTANCES_MAX 1024
#define INOTIFY_WATCHES_MAX   65536

/* `flags`: O_NONBLOCK or 0. *out is a reference for the caller. -EMFILE: there are too many. */
err_t must_check inotify_create(unsigned flags, struct object **out);
bool object_is_inotify(const struct object *object);
/* The number of the watch of what `name` is, made or changed. -EINVAL: `mask` makes no sense;
 * -EACCES: not readable; -ENOTDIR, -EEXIST by the mask's flags; -ENOSPC: too many watches. */
int must_check inotify_add(struct object *inotify, const struct vfs_context *context,
			   const char *name, uint32_t mask);
/* -EINVAL: no such watch. */
err_t must_check inotify_remove(struct object *inotify, int wd);

#endif
