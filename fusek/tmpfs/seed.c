/*
 * Filling a new tmpfs from a directory of another, read-only server: names, attributes and link
 * targets are copied, data shows through until it is written. Directories wait on a list for their
 * turn, so the depth of the tree costs no stack. The tmpfs is not mounted yet: nobody else sees it.
 * Hard links of the seed become files of their own.
 */
#include "inode.h"

#include <lib/string.h>
#include <mm/slab.h>

static const struct server_caller nobody;

/* Takes one name out of a directory, with its cookie. */
struct one_name {
	struct dirent_sink sink;
	char text[NAME_MAX];
	size_t len_bytes;
	uint64_t cookie;
};

static bool take_one(struct dirent_sink *sink, struct server_name name, uint64_t ino, uint32_t mode,
		     uint64_t cookie_after)
{
	struct one_name *one = container_of(sink, struct one_name, sink);

	if (one->len_bytes || name.len_bytes > sizeof(one->text))
		return false;
	memcpy(one->text, name.text, name.len_bytes);
	one->len_bytes = name.len_bytes;
	one->cookie = cookie_after;
	return true;
}

static void copy_attr(struct tmpfs_inode *inode, const struct server_attr *attr)
{
	inode->mode = attr->mode & 07777;
	inode->uid = attr->uid;
	inode->gid = attr->gid;
	inode->rdev = attr->rdev;
	inode->atime = attr->atime;
	inode->mtime = attr->mtime;
	inode->ctime = attr->ctime;
}

static err_t copy_target(struct tmpfs *fs, struct tmpfs_inode *inode)
{
	char *text = kmalloc(PATH_MAX);
	ssize_t len_bytes;
	err_t err;

	if (!text)
		return -ENOMEM;
	len_bytes = fs->seed->ops->readlink(fs->seed, inode->seed, text, PATH_MAX);
	if (len_bytes > 0)
		err = tmpfs_inode_set_target(inode, text, (size_t)len_bytes);
	else
		err = len_bytes ? (err_t)len_bytes : -EIO;
	kfree(text);
	return err;
}

static err_t copy_contents(struct tmpfs *fs, struct tmpfs_inode *inode,
			   const struct server_attr *attr, struct list *todo)
{
	switch (inode->type) {
	case S_IFDIR:
		list_add_tail(todo, &inode->seed_link);
		return 0;
	case S_IFREG:
		if (attr->size_bytes > TMPFS_FILE_BYTES_MAX)
			return -EFBIG;
		inode->size_bytes = attr->size_bytes;
		inode->seed_bytes = attr->size_bytes;
		return 0;
	case S_IFLNK:
		return copy_target(fs, inode);
	default:
		return 0;
	}
}

/* One name of `directory`. tree_lock is held. */
static err_t copy_entry(struct tmpfs *fs, struct tmpfs_inode *directory, struct server_name name,
			struct list *todo) REQUIRES(fs->tree_lock);
static err_t copy_entry(struct tmpfs *fs, struct tmpfs_inode *directory, struct server_name name,
			struct list *todo)
{
	struct server_entry found = {0};
	struct tmpfs_entry *entry;
	struct tmpfs_inode *inode;
	err_t err = fs->seed->ops->lookup(fs->seed, &nobody, directory->seed, name, &found);

	if (err || !found.node.value)
		return err ? err : -EIO;
	err = tmpfs_inode_create_locked(fs, found.attr.mode, 0, 0, &inode);
	if (err)
		return err;
	copy_attr(inode, &found.attr);
	inode->seed = found.node;
	entry = tmpfs_entry_create(name, inode);
	err = entry ? copy_contents(fs, inode, &found.attr, todo) : -ENOMEM;
	if (err) {
		kfree(entry);
		tmpfs_inode_free(inode);
		return err;
	}
	tmpfs_entry_add(directory, entry);
	inode->nlink = 1;
	if (inode->type == S_IFDIR) {
		inode->nlink = 2;
		inode->parent = directory;
		directory->nlink++;
	}
	return 0;
}

static err_t copy_directory(struct tmpfs *fs, struct tmpfs_inode *directory, struct one_name *one,
			    struct list *todo) REQUIRES(fs->tree_lock);
static err_t copy_directory(struct tmpfs *fs, struct tmpfs_inode *directory, struct one_name *one,
			    struct list *todo)
{
	const struct handle none = {0};
	uint64_t cookie = 0;
	err_t err;

	for (;;) {
		*one = (struct one_name){.sink = {.emit = take_one}};
		err = fs->seed->ops->readdir(fs->seed, directory->seed, none, cookie, &one->sink);
		if (err || !one->len_bytes)
			return err;
		cookie = one->cookie;
		err = copy_entry(
			fs, directory,
			(struct server_name){.text = one->text, .len_bytes = one->len_bytes}, todo);
		if (err)
			return err;
	}
}

/* The seed's node and attributes for a path from its root. */
static err_t find_seed(struct server *seed, const char *name, struct server_entry *out)
{
	uint64_t valid_ns;
	err_t err;

	*out = (struct server_entry){.node = SERVER_ROOT};
	err = seed->ops->getattr(seed, SERVER_ROOT, &out->attr, &valid_ns);
	while (!err && *name) {
		struct server_name part;
		struct nodeid parent = out->node;

		while (*name == '/')
			name++;
		part.text = name;
		while (*name && *name != '/')
			name++;
		part.len_bytes = (size_t)(name - part.text);
		if (!part.len_bytes)
			break;
		err = seed->ops->lookup(seed, &nobody, parent, part, out);
		if (!err && !out->node.value)
			err = -ENOENT;
	}
	return !err && !S_ISDIR(out->attr.mode) ? -ENOTDIR : err;
}

err_t tmpfs_seed(struct tmpfs *fs, const char *name)
{
	struct server_entry found;
	struct one_name *one;
	LIST_HEAD(todo);
	err_t err = find_seed(fs->seed, name, &found);

	if (err)
		return err;
	one = kmalloc(sizeof(*one));
	if (!one)
		return -ENOMEM;
	mutex_lock(&fs->tree_lock);
	copy_attr(fs->root, &found.attr);
	fs->root->seed = found.node;
	list_add_tail(&todo, &fs->root->seed_link);
	while (!err && !list_empty(&todo)) {
		struct tmpfs_inode *directory =
			list_first_entry(&todo, struct tmpfs_inode, seed_link);

		list_del(&directory->seed_link);
		err = copy_directory(fs, directory, one, &todo);
	}
	mutex_unlock(&fs->tree_lock);
	kfree(one);
	return err;
}
