/*
 * Changes of names from inside: making things at the end of a walk.
 */
#ifndef FUSEK_CHANGE_H
#define FUSEK_CHANGE_H

#include "walk.h"

/* Walks to where `name` is to be made: it does not exist. walk_end() in any case. */
err_t must_check change_find_new(struct walk *walk, const struct vfs_context *context,
				 struct object *at, const char *name, bool directory);
/* `mode` without the umask, unless the server of `directory` applies that itself. */
uint32_t change_masked(const struct vfs_context *context, const struct node *directory,
		       uint32_t mode);
/* The mode of something new in `directory`, which is no directory itself: the umask applies, and a
 * group that the directory gives, and one is not in, gets no program that runs as it. */
uint32_t change_mode(const struct vfs_context *context, const struct node *directory,
		     uint32_t mode);
/* Both make walk->last in walk->at, and check that it may be done. *out is a reference.
 * -ENOSYS: the server has no CREATE. */
err_t must_check change_create(struct walk *walk, uint32_t mode, unsigned flags,
			       struct dentry **out, struct server_open *opened);
/* A file without a name in the directory `at`, open; `shown` in messages, NULL: by its number. *out
 * is a reference. -EOPNOTSUPP: not served. */
err_t must_check change_tmpfile(const struct vfs_context *context, const struct path *at,
				uint32_t mode, unsigned flags, const char *shown,
				struct dentry **out, struct server_open *opened);
err_t must_check change_mknod(struct walk *walk, uint32_t mode, uint64_t rdev, struct dentry **out);

#endif
