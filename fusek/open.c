/*
 * Opening files by name, making them on the way. No state, no locks: two who create one name at a
 * time are told apart by the server.
 */
#include <fusek/file.h>

#include "change.h"
#include "notify.h"
#include "open_file.h"
#include "pages.h"
#include "walk.h"

#include <lib/string.h>
#include <mm/slab.h>

#define OPEN_FLAGS                                                                                 \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC |      \
	 O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH)
#define OPEN_PATH_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* What stays visible to F_GETFL. */
#define OPEN_KEPT_FLAGS                                                                            \
	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_SYNC | O_LARGEFILE | O_NOATIME | O_PATH |           \
	 O_DIRECTORY | O_NOFOLLOW)

static unsigned wanted_access(unsigned flags)
{
	static const unsigned by_mode[4] = {R_OK, W_OK, R_OK | W_OK, R_OK | W_OK};
	unsigned wanted = by_mode[flags & O_ACCMODE];

	return (flags & O_TRUNC) ? wanted | W_OK : wanted;
}

static err_t check_flags(unsigned flags)
{
	/* A file without a name, which nobody could read if its maker did not write. */
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return (flags & O_CREAT) || (flags & O_ACCMODE) == O_RDONLY ||
				       (flags & O_ACCMODE) == O_ACCMODE ||
				       (flags & ~(OPEN_FLAGS | O_TMPFILE))
			       ? -EINVAL
			       : 0;
	if ((flags & ~OPEN_FLAGS) || (flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	return (flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY) ? -EINVAL : 0;
}

/* May `context` open what is there already in this way? */
static err_t check_existing(struct node *node, const struct vfs_context *context, unsigned flags)
{
	unsigned wanted = wanted_access(flags);
	struct server_attr attr;
	err_t err;

	if (node_type(node) == S_IFLNK)
		return -ELOOP; /* only with O_NOFOLLOW do we get here */
	if (node_type(node) == S_IFDIR && ((wanted & W_OK) || (flags & O_CREAT)))
		return -EISDIR;
	if (node_type(node) != S_IFDIR && (flags & O_DIRECTORY))
		return -ENOTDIR;
	err = node_attr(node, &attr);
	if (err)
		return err;
	err = node_may(node, context, wanted);
	if (err)
		return err;
	if ((flags & O_NOATIME) && context->uid != attr.uid && !vfs_capable(context, CAP_FOWNER))
		return -EPERM;
	return (wanted & W_OK) && node_type(node) == S_IFREG ? node_may_change(node) : 0;
}

static void tell_opened(struct file *file)
{
	file->told_open = true;
	notify(file->dentry, IN_OPEN);
}

static err_t truncate_opened(struct file *file, const struct vfs_context *context)
{
	const struct server_setattr set = {.valid = SETATTR_SIZE | SETATTR_HANDLE,
					   .handle = file->open.handle};

	if (file->open.flags & SERVER_TRUNCATED) {
		node_attr_changed(file->node);
		node_pages_resize(file->node, 0);
		return 0;
	}
	return node_setattr(file->node, context, &set);
}

/* Consumes the reference to `dentry`. */
static err_t open_dentry(struct dentry *dentry, const struct vfs_context *context, unsigned flags,
			 struct object **out)
{
	struct server *server = node_server(dentry->node);
	struct file *file;
	err_t err = 0;

	if (!(flags & O_PATH))
		err = check_existing(dentry->node, context, flags);
	else if ((flags & O_DIRECTORY) && node_type(dentry->node) != S_IFDIR)
		err = -ENOTDIR;
	if (!err && !(flags & O_PATH) && server->ops->reopen) {
		err = server->ops->reopen(server, dentry->node->id, flags & OPEN_KEPT_FLAGS, out);
		dentry_put(dentry);
		return err;
	}
	if (err) {
		dentry_put(dentry);
		return err;
	}
	err = file_create(dentry, flags & OPEN_KEPT_FLAGS, &file);
	if (err)
		return err;
	if (!(flags & O_PATH))
		err = file_open_at_server(file, context,
					  object_flags(&file->object) |
						  (flags & (O_TRUNC | O_NOCTTY)));
	if (!err && !(flags & O_PATH))
		tell_opened(file);
	if (!err && (flags & O_TRUNC) && node_type(file->node) == S_IFREG) {
		err = truncate_opened(file, context);
		if (!err)
			notify(file->dentry, IN_MODIFY);
	}
	if (err) {
		object_put(&file->object);
		return err;
	}
	*out = &file->object;
	return 0;
}

/* For who has checked already, or need not: a file just made is open for whatever its mode says,
 * and a program may be executable without being readable. Consumes the reference to `dentry`. */
static err_t open_unchecked(struct dentry *dentry, const struct vfs_context *context,
			    unsigned kept_flags, struct object **out)
{
	struct file *file;
	err_t err = file_create(dentry, kept_flags, &file);

	if (err)
		return err;
	err = file_open_at_server(file, context, kept_flags);
	if (err) {
		object_put(&file->object);
		return err;
	}
	tell_opened(file);
	*out = &file->object;
	return 0;
}

/* What CREATE has made and opened; consumes the reference to `dentry`. */
static err_t adopt_created(struct dentry *dentry, const struct server_open *opened, unsigned flags,
			   struct object **out)
{
	struct server *server = dentry->mount->server;
	struct nodeid id = dentry->node->id;
	struct file *file;
	err_t err = file_create(dentry_get(dentry), flags & OPEN_KEPT_FLAGS, &file);

	if (err) {
		if (server->ops->release)
			server->ops->release(server, id, opened->handle, flags);
		dentry_put(dentry);
		return err;
	}
	dentry_put(dentry);
	file->open = *opened;
	file->opened = true;
	tell_opened(file);
	*out = &file->object;
	return 0;
}

/* Makes the file. -EEXIST: somebody else was first. */
static err_t create_file(struct walk *walk, unsigned flags, uint32_t mode, struct object **out)
{
	struct server_open opened;
	struct dentry *dentry;
	err_t err;

	mode = (mode & 07777 & ~walk->context->umask) | S_IFREG;
	err = change_create(walk, mode, flags, &dentry, &opened);
	if (!err)
		return adopt_created(dentry, &opened, flags, out);
	if (err != -ENOSYS)
		return err;
	err = change_mknod(walk, mode, 0, &dentry);
	if (err)
		return err;
	return open_unchecked(dentry, walk->context, flags & OPEN_KEPT_FLAGS, out);
}

/* One look at the last name. 1: a link was entered, walk on; -EEXIST without O_EXCL: look again. */
static err_t open_last(struct walk *walk, unsigned flags, uint32_t mode, struct object **out)
{
	struct dentry *end;
	err_t err;

	/* What a link of /proc led to is there, and has no name to be looked for. */
	if (walk->jumped && !walk->last.len_bytes && !walk->trailing_slash)
		return open_dentry(dentry_get(walk->at), walk->context, flags, out);
	if (walk_last_is_special(walk) || walk->trailing_slash)
		return (flags & O_EXCL) && walk_last_is_special(walk) ? -EEXIST : -EISDIR;
	err = walk_last(walk, &end);
	if (err)
		return err;
	if (dentry_is_negative(end)) {
		dentry_put(end);
		return create_file(walk, flags, mode, out);
	}
	if (flags & O_EXCL) {
		dentry_put(end);
		return -EEXIST;
	}
	if (node_type(end->node) == S_IFLNK && !(flags & O_NOFOLLOW)) {
		err = walk_into_link(walk, end);
		return err ? err : 1;
	}
	return open_dentry(end, walk->context, flags, out);
}

static err_t open_creating(const struct vfs_context *context, const struct path *start,
			   const char *name, unsigned flags, uint32_t mode, struct object **out)
{
	unsigned nraces = 0;
	struct walk walk;
	err_t err = walk_begin(&walk, context, start, name);

	while (!err) {
		err = walk_to_last(&walk);
		if (err)
			break;
		do {
			err = open_last(&walk, flags, mode, out);
		} while (err == -EEXIST && !(flags & O_EXCL) && nraces++ < 8);
		if (err != 1)
			break;
		err = 0;
	}
	walk_end(&walk);
	return err;
}

/* In the directory `name`. */
static err_t open_nameless(const struct vfs_context *context, const struct path *start,
			   const char *name, unsigned flags, uint32_t mode, struct object **out)
{
	unsigned walk_flags = WALK_DIRECTORY | ((flags & O_NOFOLLOW) ? 0 : WALK_FOLLOW);
	struct server_open opened;
	struct dentry *dentry;
	struct path at;
	err_t err = path_walk(context, start, name, walk_flags, &at);

	if (err)
		return err;
	mode = (mode & 07777 & ~context->umask) | S_IFREG;
	err = change_tmpfile(context, at.dentry, mode, flags, NULL, &dentry, &opened);
	path_put(&at);
	return err ? err : adopt_created(dentry, &opened, flags, out);
}

err_t vfs_open(const struct vfs_context *context, struct object *at, const char *name,
	       unsigned flags, uint32_t mode, struct object **out)
{
	unsigned walk_flags = 0;
	struct path start, end;
	err_t err;

	if (flags & O_PATH)
		flags &= OPEN_PATH_FLAGS;
	err = check_flags(flags);
	if (!err)
		err = vfs_start(context, at, name, &start);
	if (err)
		return err;
	if (flags & O_CREAT)
		return open_creating(context, &start, name, flags, mode, out);
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return open_nameless(context, &start, name, flags, mode, out);

	if (!(flags & O_NOFOLLOW))
		walk_flags |= WALK_FOLLOW;
	err = path_walk(context, &start, name, walk_flags, &end);
	if (err)
		return err;
	return open_dentry(end.dentry, context, flags, out);
}

err_t vfs_open_nameless(const struct vfs_context *context, const struct path *at, const char *shown,
			uint32_t mode, unsigned flags, struct object **out)
{
	struct server_open opened;
	struct dentry *dentry;
	err_t err =
		change_tmpfile(context, at->dentry, mode | S_IFREG, flags, shown, &dentry, &opened);

	return err ? err : adopt_created(dentry, &opened, flags, out);
}

err_t vfs_open_exec(const struct vfs_context *context, struct object *at, const char *name,
		    unsigned at_flags, struct object **out)
{
	struct server_attr attr;
	struct path path;
	err_t err;

	if (at_flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	err = vfs_resolve(context, at, name, at_flags,
			  (at_flags & AT_SYMLINK_NOFOLLOW) ? 0 : WALK_FOLLOW, &path);
	if (err)
		return err;
	err = node_attr(path.dentry->node, &attr);
	if (!err && S_ISLNK(attr.mode))
		err = -ELOOP;
	else if (!err && !S_ISREG(attr.mode))
		err = -EACCES;
	if (!err)
		err = node_may(path.dentry->node, context, X_OK);
	if (err) {
		path_put(&path);
		return err;
	}
	return open_unchecked(path.dentry, context, O_RDONLY, out);
}

bool vfs_gives_ids(const struct object *file)
{
	return !(container_of(file, struct file, object)->server->flags & SERVER_NO_SET_ID);
}

err_t vfs_find_directory(const struct vfs_context *context, struct object *at, const char *name,
			 struct path *out)
{
	struct server_attr attr;
	unsigned at_flags = at ? AT_EMPTY_PATH : 0;
	err_t err = vfs_resolve(context, at, name, at_flags, WALK_FOLLOW | WALK_DIRECTORY, out);

	if (err)
		return err;
	if (node_type(out->dentry->node) != S_IFDIR) /* fchdir of something else */
		err = -ENOTDIR;
	if (!err)
		err = node_attr(out->dentry->node, &attr);
	if (!err)
		err = node_access(out->dentry->node, context, X_OK);
	if (err)
		path_put(out);
	return err;
}
