/*
 * Making names: create, mknod, mkdir, symlink, link. Each asks the server between the begin and the
 * end of a change of the directory (names.h), then puts what it was told into the cache. No locks:
 * the server decides between two who want the same name.
 */
#include "change.h"

#include <fusek/file.h>

#include "mount_tree.h"
#include "notify.h"
#include "open_file.h"
#include "passthrough.h"

#include <lib/fmt.h>
#include <lib/string.h>

/* May something be made in this directory? */
static err_t check_parent(const struct walk *walk)
{
	struct node *directory = walk->at.dentry->node;
	err_t err;

	if (node_type(directory) != S_IFDIR)
		return -ENOTDIR;
	if (walk->last.len_bytes > NAME_MAX)
		return -ENAMETOOLONG;
	if (read_once(&walk->at.dentry->removed))
		return -ENOENT;
	err = node_know_mode(directory);
	if (!err)
		err = node_may(directory, walk->context, W_OK | X_OK);
	return err ? err : path_may_change(&walk->at);
}

uint32_t change_masked(const struct vfs_context *context, const struct node *directory,
		       uint32_t mode)
{
	bool by_server = read_once(&node_server(directory)->agreed) & SERVER_MASKS_MODES;

	return by_server ? mode : mode & ~context->umask;
}

uint32_t change_mode(const struct vfs_context *context, const struct node *directory, uint32_t mode)
{
	const uint32_t program = S_ISGID | 010;

	if ((mode & program) == program && (read_once(&directory->attr.mode) & S_ISGID) &&
	    !vfs_in_group(context, read_once(&directory->attr.gid)) &&
	    !node_capable(directory, context, CAP_FSETID))
		mode &= ~S_ISGID;
	return change_masked(context, directory, mode);
}

/* Around what the server is asked: the mount stays writable, and what is asked meanwhile of the
 * directory's names is not kept. */
static err_t change_begin(const struct walk *walk, struct names_change *change)
{
	err_t err = mount_write_begin(&walk->at);

	if (!err)
		names_change_begin(change, walk->at.dentry->node);
	return err;
}

static uint64_t change_end(const struct walk *walk, struct names_change *change)
{
	uint64_t version = names_change_end(change);

	mount_write_end(walk->at.mount);
	return version;
}

/* The server did not do it, or we could not keep up: what the cache says of the name may be wrong.
 */
static err_t doubt_name(struct walk *walk, err_t err)
{
	dentry_drop_name(walk->at.dentry, walk->last, NULL);
	return err;
}

/* Something new: what the server says of it, and the handle if it was opened, too. */
struct made {
	struct server_entry entry;
	struct server_open opened;
	bool is_open;
	unsigned open_flags;
};

/* It goes into the cache. *out may be NULL: nobody wants it. On an error all is given back, the
 * handle first. */
static err_t insert_new(struct walk *walk, const struct made *made, uint64_t version, uint32_t type,
			struct dentry **out)
{
	const struct server_entry *entry = &made->entry;
	struct filesystem *fs = walk->at.dentry->fs;
	struct server *server = fs->server;
	struct dentry *dentry;
	struct node *node = NULL;
	err_t err = -EIO; /* the server says that it made something else */

	if (entry->node.value && !nodeid_equal(entry->node, SERVER_ROOT) &&
	    (entry->attr.mode & S_IFMT) == type)
		err = node_from_entry(fs, entry, ATTR_VERSION_NONE, &node);
	if (!err)
		err = dentry_insert(walk->at.dentry, walk->last, node_get(node),
				    entry->entry_valid_ns, version, &dentry);
	if (err && made->is_open)
		server_open_refuse(server, entry->node, &made->opened, made->open_flags);
	if (node)
		node_put(node);
	else
		node_refuse_entry(fs, entry);
	if (err)
		return doubt_name(walk, err);
	if (!read_once(&dentry->removed) && version != UINT64_MAX)
		notify_name(walk->at.dentry->node, walk->last, IN_CREATE, type == S_IFDIR, 0);
	if (out)
		*out = dentry;
	else
		dentry_put(dentry);
	return 0;
}

err_t change_create(struct walk *walk, uint32_t mode, unsigned flags, struct dentry **out,
		    struct server_open *opened)
{
	struct filesystem *fs = walk->at.dentry->fs;
	struct server *server = fs->server;
	struct server_caller caller = server_caller_of(walk->context);
	struct made made = {0};
	struct names_change change;
	uint64_t version;
	err_t err = check_parent(walk);

	if (err)
		return err;
	if (!server->ops->create || read_once(&fs->no_create))
		return -ENOSYS;
	err = change_begin(walk, &change);
	if (err)
		return err;
	err = server->ops->create(server, &caller, walk->at.dentry->node->id, walk->last, mode,
				  flags, &made.entry, &made.opened);
	version = change_end(walk, &change);
	if (err == -ENOSYS)
		write_once(&fs->no_create, 1);
	if (err)
		return doubt_name(walk, err);
	made.is_open = true;
	made.open_flags = flags;
	*opened = made.opened;
	return insert_new(walk, &made, version, S_IFREG, out);
}

/* No name of a directory: what a file has that was made without one. */
#define NAMELESS_BYTES 24

err_t change_tmpfile(const struct vfs_context *context, const struct path *at, uint32_t mode,
		     unsigned flags, const char *shown, struct dentry **out,
		     struct server_open *opened)
{
	struct walk walk = {.context = context, .at = *at}; /* borrowed */
	struct server *server = at->dentry->fs->server;
	struct server_caller caller = server_caller_of(context);
	struct made made = {.is_open = true, .open_flags = flags};
	char text[NAMELESS_BYTES];
	err_t err = check_parent(&walk);

	if (!err && !server->ops->tmpfile)
		err = -EOPNOTSUPP;
	if (!err)
		err = mount_write_begin(at);
	if (!err) {
		err = server->ops->tmpfile(server, &caller, at->dentry->node->id, mode, flags,
					   &made.entry, &made.opened);
		mount_write_end(at->mount);
	}
	if (err)
		return err == -ENOSYS ? -EOPNOTSUPP : err;
	*opened = made.opened;
	if (!shown) {
		kernel_format(text, sizeof(text), "#%llu", (unsigned long long)made.entry.attr.ino);
		shown = text;
	}
	walk.last = (struct server_name){.text = shown, .len_bytes = strlen(shown)};
	/* No version matches: the name cache does not keep it. */
	err = insert_new(&walk, &made, UINT64_MAX, S_IFREG, out);
	if (!err)
		write_once(&(*out)->removed, true);
	return err;
}

err_t change_mknod(struct walk *walk, uint32_t mode, uint64_t rdev, struct dentry **out)
{
	struct server *server = walk->at.dentry->fs->server;
	struct server_caller caller = server_caller_of(walk->context);
	struct made made = {0};
	struct names_change change;
	uint64_t version;
	err_t err = check_parent(walk);

	if (err)
		return err;
	if (!server->ops->mknod)
		return -EPERM;
	err = change_begin(walk, &change);
	if (err)
		return err;
	err = server->ops->mknod(server, &caller, walk->at.dentry->node->id, walk->last, mode, rdev,
				 &made.entry);
	version = change_end(walk, &change);
	if (err)
		return doubt_name(walk, err == -ENOSYS ? -EPERM : err);
	return insert_new(walk, &made, version, mode & S_IFMT, out);
}

/* ---- the calls ---- */

err_t change_find_new(struct walk *walk, const struct vfs_context *context, struct object *at,
		      const char *name, bool directory)
{
	struct path start, end;
	err_t err = vfs_start(context, at, name, &start);

	walk->at = (struct path){0};
	walk->text = NULL;
	if (!err)
		err = walk_begin(walk, context, &start, name);
	if (!err)
		err = walk_to_last(walk);
	if (err)
		return err;
	if (walk_last_is_special(walk))
		return -EEXIST;
	err = walk_last(walk, &end);
	if (err)
		return err;
	if (!dentry_is_negative(end.dentry))
		err = -EEXIST;
	else if (walk->trailing_slash && !directory)
		err = -ENOENT;
	path_put(&end);
	return err;
}

err_t vfs_mkdir(const struct vfs_context *context, struct object *at, const char *name,
		uint32_t mode)
{
	struct made made = {0};
	struct names_change change;
	struct server_caller caller = server_caller_of(context);
	struct server *server;
	struct walk walk;
	uint64_t version;
	err_t err = change_find_new(&walk, context, at, name, true);

	if (!err)
		err = check_parent(&walk);
	if (err)
		goto end_walk;
	server = walk.at.dentry->fs->server;
	if (!server->ops->mkdir) {
		err = -EPERM;
		goto end_walk;
	}
	mode = S_IFDIR | change_masked(context, walk.at.dentry->node, mode & 01777);
	err = change_begin(&walk, &change);
	if (err)
		goto end_walk;
	err = server->ops->mkdir(server, &caller, walk.at.dentry->node->id, walk.last, mode,
				 &made.entry);
	version = change_end(&walk, &change);
	if (!err)
		err = insert_new(&walk, &made, version, S_IFDIR, NULL);
	else
		err = doubt_name(&walk, err == -ENOSYS ? -EPERM : err);
end_walk:
	walk_end(&walk);
	return err;
}

err_t vfs_mknod(const struct vfs_context *context, struct object *at, const char *name,
		uint32_t mode, uint64_t rdev)
{
	struct dentry *dentry;
	struct walk walk;
	err_t err;

	switch (mode & S_IFMT) {
	case 0:
		mode |= S_IFREG;
		break;
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	case S_IFCHR:
	case S_IFBLK:
		if (!vfs_capable(context, CAP_MKNOD))
			return -EPERM;
		break;
	default:
		return (mode & S_IFMT) == S_IFDIR ? -EPERM : -EINVAL;
	}
	if (!S_ISCHR(mode) && !S_ISBLK(mode))
		rdev = 0;
	err = change_find_new(&walk, context, at, name, false);
	if (!err)
		err = change_mknod(&walk,
				   (mode & S_IFMT) |
					   change_mode(context, walk.at.dentry->node, mode & 07777),
				   rdev, &dentry);
	if (!err)
		dentry_put(dentry);
	walk_end(&walk);
	return err;
}

err_t vfs_symlink(const struct vfs_context *context, const char *target, struct object *at,
		  const char *name)
{
	const struct server_name text = {.text = target, .len_bytes = strnlen(target, PATH_MAX)};
	struct server_caller caller = server_caller_of(context);
	struct made made = {0};
	struct names_change change;
	struct server *server;
	struct walk walk;
	uint64_t version;
	err_t err;

	if (text.len_bytes == 0)
		return -ENOENT;
	if (text.len_bytes == PATH_MAX)
		return -ENAMETOOLONG;
	err = change_find_new(&walk, context, at, name, false);
	if (!err)
		err = check_parent(&walk);
	if (err)
		goto end_walk;
	server = walk.at.dentry->fs->server;
	if (!server->ops->symlink) {
		err = -EPERM;
		goto end_walk;
	}
	err = change_begin(&walk, &change);
	if (err)
		goto end_walk;
	err = server->ops->symlink(server, &caller, walk.at.dentry->node->id, walk.last, text,
				   &made.entry);
	version = change_end(&walk, &change);
	if (!err)
		err = insert_new(&walk, &made, version, S_IFLNK, NULL);
	else
		err = doubt_name(&walk, err == -ENOSYS ? -EPERM : err);
end_walk:
	walk_end(&walk);
	return err;
}

static err_t link_to(struct walk *walk, const struct path *old)
{
	struct node *node = old->dentry->node;
	struct server *server = walk->at.dentry->fs->server;
	struct server_caller caller = server_caller_of(walk->context);
	struct made made = {0};
	struct names_change change;
	uint64_t version;
	err_t err;

	/* Of another mount of the same filesystem, too, as Linux. */
	if (old->mount != walk->at.mount || node->fs != walk->at.dentry->fs)
		return -EXDEV;
	err = check_parent(walk);
	if (err)
		return err;
	if (node_type(node) == S_IFDIR || !server->ops->link)
		return -EPERM;
	err = change_begin(walk, &change);
	if (err)
		return err;
	err = server->ops->link(server, &caller, node->id, walk->at.dentry->node->id, walk->last,
				&made.entry);
	version = change_end(walk, &change);
	if (err) {
		node_attr_changed(node);
		return doubt_name(walk, err == -ENOSYS ? -EPERM : err);
	}
	node_attr_linked(node, 1);
	if (unlikely(read_once(&node->watches)))
		notify_node(node, IN_ATTRIB); /* of its links there is one more */
	return insert_new(walk, &made, version, node_type(node), NULL);
}

err_t vfs_link(const struct vfs_context *context, struct object *old_at, const char *old_name,
	       struct object *new_at, const char *new_name, unsigned at_flags)
{
	struct path old;
	struct walk walk;
	err_t err;

	if (at_flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	/* Who was handed a descriptor gets no name for what he could not reach by one. */
	if (!*old_name && (at_flags & AT_EMPTY_PATH) && !vfs_capable(context, CAP_DAC_READ_SEARCH))
		return -ENOENT;
	err = vfs_resolve(context, old_at, old_name, at_flags,
			  (at_flags & AT_SYMLINK_FOLLOW) ? WALK_FOLLOW : 0, &old);
	if (err)
		return err;
	err = change_find_new(&walk, context, new_at, new_name, false);
	if (!err)
		err = link_to(&walk, &old);
	walk_end(&walk);
	path_put(&old);
	return err;
}

ssize_t vfs_readlink(const struct vfs_context *context, struct object *at, const char *name,
		     char *to, size_t to_bytes)
{
	struct server *server;
	struct path path;
	ssize_t result;
	err_t err;

	if (!to_bytes)
		return -EINVAL;
	err = vfs_resolve(context, at, name, at ? AT_EMPTY_PATH : 0, 0, &path);
	if (err)
		return err;
	server = node_server(path.dentry->node);
	if (node_type(path.dentry->node) != S_IFLNK || !server->ops->readlink)
		result = -EINVAL;
	else
		result = node_readlink(path.dentry->node, to, to_bytes);
	path_put(&path);
	return result > (ssize_t)to_bytes ? -EIO : result;
}
