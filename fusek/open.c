/*
 * Opening files by name, making them on the way. No state, no locks: two who create one name at a
 * time are told apart by the server.
 */
#include <fusek/file.h>

#include "change.h"
#include "lease.h"
#include "mount_tree.h"
#include "notify.h"
#include "open_file.h"
#include "pages.h"
#include "passthrough.h"
#include "walk.h"

#include <lib/string.h>
#include <mm/slab.h>

#define OPEN_FLAGS                                                                                 \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC |      \
	 O_LARGEFILE | O_DIRECTORY | O_DIRECT | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH)
#define OPEN_PATH_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* What stays visible to F_GETFL. */
#define OPEN_KEPT_FLAGS                                                                            \
	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_SYNC | O_LARGEFILE | O_NOATIME | O_PATH |           \
	 O_DIRECTORY | O_DIRECT | O_NOFOLLOW)

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
static err_t check_existing(const struct path *path, const struct vfs_context *context,
			    unsigned flags)
{
	struct node *node = path->dentry->node;
	unsigned wanted = wanted_access(flags);
	err_t err;

	if (node_type(node) == S_IFLNK)
		return (flags & O_DIRECTORY) ? -ENOTDIR
					     : -ELOOP; /* only with O_NOFOLLOW are we here */
	if (node_type(node) == S_IFDIR && ((wanted & W_OK) || (flags & O_CREAT)))
		return -EISDIR;
	if (node_type(node) != S_IFDIR && (flags & O_DIRECTORY))
		return -ENOTDIR;
	err = node_know_mode(node);
	if (!err)
		err = node_may(node, context, wanted);
	if (err)
		return err;
	if ((flags & O_DIRECT) && node_type(node) != S_IFREG)
		return -EINVAL;
	if (flags & O_NOATIME) {
		err = node_may_own(node, context, CAP_FOWNER);
		if (err)
			return err;
	}
	return (wanted & W_OK) && node_type(node) == S_IFREG ? path_may_change(path) : 0;
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
		node_attr_truncated(file->node);
		node_pages_resize(file->node, 0);
		return file_drop_ids(file);
	}
	return node_setattr(file->node, context, &set);
}

/* As file_create(); while it is open for writing the mount stays writable, and leases do not stand
 * in the way of it. */
static err_t create_counted(const struct path *at, unsigned kept_flags, struct file **out)
{
	err_t err = file_create(at, kept_flags, out);

	if (err || node_type((*out)->node) != S_IFREG || (kept_flags & O_PATH))
		return err;
	if ((kept_flags & O_ACCMODE) != O_RDONLY) {
		err = mount_write_begin(at);
		(*out)->is_writer = !err;
	}
	if (!err)
		err = lease_file_opened(*out);
	if (err)
		object_put(&(*out)->object);
	return err;
}

/* Who truncates it writes to it, however it is opened. */
static err_t open_counted(struct file *file, const struct vfs_context *context, unsigned flags)
{
	bool cuts = (flags & O_TRUNC) && node_type(file->node) == S_IFREG;
	err_t err = cuts ? lease_write_begin(file->node, !(flags & O_NONBLOCK)) : 0;

	if (err)
		return err;
	err = file_open_at_server(file, context,
				  object_flags(&file->object) | (flags & (O_TRUNC | O_NOCTTY)));
	if (!err)
		tell_opened(file);
	if (!err && cuts) {
		err = truncate_opened(file, context);
		if (!err)
			notify(file->dentry, IN_MODIFY);
	}
	if (cuts)
		lease_write_end(file->node);
	return err;
}

/* Consumes the reference. */
static err_t open_place(struct path *at, const struct vfs_context *context, unsigned flags,
			struct object **out)
{
	struct node *node = at->dentry->node;
	struct server *server = node_server(node);
	struct file *file;
	err_t err = 0;

	if (!(flags & O_PATH))
		err = check_existing(at, context, flags);
	else if ((flags & O_DIRECTORY) && node_type(node) != S_IFDIR)
		err = -ENOTDIR;
	if (!err && !(flags & O_PATH) && server->ops->reopen && node_type(node) != S_IFDIR) {
		err = server->ops->reopen(server, node->id, flags & OPEN_KEPT_FLAGS, out);
		path_put(at);
		return err;
	}
	if (err) {
		path_put(at);
		return err;
	}
	err = create_counted(at, flags & OPEN_KEPT_FLAGS, &file);
	if (err)
		return err;
	if (!(flags & O_PATH))
		err = open_counted(file, context, flags);
	if (err) {
		if (err == -ESTALE)
			dentry_expire(file->dentry);
		object_put(&file->object);
		return err;
	}
	*out = &file->object;
	return 0;
}

err_t vfs_open_place(const struct vfs_context *context, struct path *at, unsigned flags,
		     struct object **out)
{
	err_t err;

	if (flags & O_PATH)
		flags &= OPEN_PATH_FLAGS;
	if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE)
		err = -EINVAL; /* it is there */
	else
		err = check_flags(flags);
	if (!err)
		return open_place(at, context, flags, out);
	path_put(at);
	return err;
}

err_t file_open_unchecked(const struct path *at, const struct vfs_context *context,
			  unsigned kept_flags, struct object **out)
{
	struct file *file;
	err_t err = create_counted(at, kept_flags, &file);

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

/* What CREATE has made and opened; consumes the reference. */
static err_t adopt_created(struct path *at, const struct server_open *opened, unsigned flags,
			   struct object **out)
{
	struct server *server = node_server(at->dentry->node);
	struct nodeid id = at->dentry->node->id;
	struct dentry *held = dentry_get(at->dentry); /* so that there is who releases it */
	struct file *file;
	err_t err = create_counted(at, flags & OPEN_KEPT_FLAGS, &file);

	if (err)
		server_open_refuse(server, id, opened, flags);
	dentry_put(held);
	if (err)
		return err;
	file->open = *opened;
	file->opened = true;
	file->created = true;
	err = file_data_begin(file);
	if (err) {
		object_put(&file->object);
		return err;
	}
	tell_opened(file);
	*out = &file->object;
	return 0;
}

/* Makes the file. -EEXIST: somebody else was first. */
static err_t create_file(struct walk *walk, unsigned flags, uint32_t mode, struct object **out)
{
	struct server_open opened;
	struct path made = {0};
	err_t err;

	mode = change_mode(walk->context, walk->at.dentry->node, mode & 07777) | S_IFREG;
	err = change_create(walk, mode, flags, &made.dentry, &opened);
	if (err && err != -ENOSYS)
		return err;
	if (err) {
		err = change_mknod(walk, mode, 0, &made.dentry);
		if (err)
			return err;
		made.mount = mount_get(walk->at.mount);
		err = file_open_unchecked(&made, walk->context, flags & OPEN_KEPT_FLAGS, out);
		if (!err)
			file_of(*out)->created = true;
		return err;
	}
	made.mount = mount_get(walk->at.mount);
	return adopt_created(&made, &opened, flags, out);
}

/* One look at the last name. 1: a link was entered, walk on; -EEXIST without O_EXCL: look again. */
static err_t open_last(struct walk *walk, unsigned flags, uint32_t mode, struct object **out)
{
	struct path end;
	err_t err;

	/* What a link of /proc led to is there, and has no name to be looked for. */
	if (walk->jumped && !walk->last.len_bytes && !walk->trailing_slash) {
		end = path_get(&walk->at);
		return open_place(&end, walk->context, flags, out);
	}
	if (walk_last_is_special(walk) || walk->trailing_slash)
		return (flags & O_EXCL) && walk_last_is_special(walk) ? -EEXIST : -EISDIR;
	err = walk_last(walk, &end);
	if (err)
		return err;
	if (dentry_is_negative(end.dentry)) {
		path_put(&end);
		return create_file(walk, flags, mode, out);
	}
	if (flags & O_EXCL) {
		path_put(&end);
		return -EEXIST;
	}
	if (node_type(end.dentry->node) == S_IFLNK && !(flags & O_NOFOLLOW)) {
		err = walk_into_link(walk, &end);
		return err ? err : 1;
	}
	return open_place(&end, walk->context, flags, out);
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

err_t vfs_open_nameless(const struct vfs_context *context, const struct path *at, const char *shown,
			uint32_t mode, unsigned flags, struct object **out)
{
	struct server_open opened;
	struct path made;
	err_t err =
		change_tmpfile(context, at, mode | S_IFREG, flags, shown, &made.dentry, &opened);

	if (err)
		return err;
	made.mount = mount_get(at->mount);
	return adopt_created(&made, &opened, flags, out);
}

/* In the directory `name`. */
static err_t open_nameless(const struct vfs_context *context, const struct path *start,
			   const char *name, unsigned flags, uint32_t mode, struct object **out)
{
	unsigned walk_flags = WALK_DIRECTORY | ((flags & O_NOFOLLOW) ? 0 : WALK_FOLLOW);
	struct path at;
	err_t err = path_walk(context, start, name, walk_flags, &at);

	if (err)
		return err;
	mode = change_mode(context, at.dentry->node, mode & 07777);
	err = vfs_open_nameless(context, &at, NULL, mode, flags, out);
	path_put(&at);
	return err;
}

static err_t open_once(const struct vfs_context *context, struct object *at, const char *name,
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
	return open_place(&end, context, flags, out);
}

err_t vfs_open(const struct vfs_context *context, struct object *at, const char *name,
	       unsigned flags, uint32_t mode, struct object **out)
{
	err_t err = open_once(context, at, name, flags, mode, out);

	/* The name led to what the server does not know any more; it has expired meanwhile. */
	return unlikely(err == -ESTALE) ? open_once(context, at, name, flags, mode, out) : err;
}

err_t vfs_open_exec(const struct vfs_context *context, struct object *at, const char *name,
		    unsigned at_flags, struct object **out)
{
	struct path path;
	err_t err;

	if (at_flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	err = vfs_resolve(context, at, name, at_flags,
			  (at_flags & AT_SYMLINK_NOFOLLOW) ? 0 : WALK_FOLLOW, &path);
	if (err)
		return err;
	err = node_know_owner(path.dentry->node);
	if (!err && node_type(path.dentry->node) == S_IFLNK)
		err = -ELOOP;
	else if (!err && node_type(path.dentry->node) != S_IFREG)
		err = -EACCES;
	if (!err && (read_once(&path.mount->flags) & MS_NOEXEC))
		err = -EACCES;
	if (!err)
		err = node_may(path.dentry->node, context, X_OK);
	if (err) {
		path_put(&path);
		return err;
	}
	return file_open_unchecked(&path, context, O_RDONLY, out);
}

bool vfs_may_read(const struct vfs_context *context, struct object *file)
{
	return !node_may(file_path(file).dentry->node, context, R_OK);
}

bool vfs_gives_ids(const struct object *file)
{
	const struct mount *mount = container_of(file, struct file, object)->mount;

	return !(read_once(&mount->flags) & MS_NOSUID) &&
	       read_once(&mount->tree) == vfs_caller_mounts() &&
	       user_namespace_is_in(user_namespace_caller(), mount->fs->user);
}

err_t vfs_find_directory(const struct vfs_context *context, struct object *at, const char *name,
			 struct path *out)
{
	unsigned at_flags = at ? AT_EMPTY_PATH : 0;
	err_t err = vfs_resolve(context, at, name, at_flags, WALK_FOLLOW | WALK_DIRECTORY, out);

	if (err)
		return err;
	if (node_type(out->dentry->node) != S_IFDIR) /* fchdir of something else */
		err = -ENOTDIR;
	if (!err)
		err = node_know_mode(out->dentry->node);
	if (!err)
		err = path_access(out, context, X_OK);
	if (err)
		path_put(out);
	return err;
}
