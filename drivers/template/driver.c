/*
 * @NAME@: a small filesystem in memory, on libfuse 3. Yours to change: what a node is (struct
 *node), how a path leads to it (find), and one function for each call. <fuse.h> says what each must
 *do.
 *
 *	@NAME@ -f DIRECTORY        serves in the foreground; -d prints each request and answer
 */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 31

#include <errno.h>
#include <fuse.h>
#include <limits.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX_BYTES ((off_t)64 << 20)

struct node {
	struct node *parent, *first,
		*next; /* next: in the parent's list, whose head is its first */
	char name[NAME_MAX + 1];
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec accessed, modified, changed;
	char *data;
	size_t size;
};

/* Guards all nodes: libfuse calls from several threads. The functions called by fuse_main() take
 * it, the helpers below are called with it held. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct node root = {.mode = S_IFDIR | 0755};

/* ---- nodes ---- */

static struct timespec now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return time;
}

static struct node *child(const struct node *directory, const char *name, size_t len)
{
	struct node *node = directory->first;

	while (node && (strlen(node->name) != len || memcmp(node->name, name, len) != 0))
		node = node->next;
	return node;
}

/* The node at `path`, which begins with a slash; `len` of its bytes count. */
static int find(const char *path, size_t len, struct node **out)
{
	struct node *node = &root;
	const char *end = path + len;

	while (path < end) {
		size_t used = 0;

		if (*path == '/') {
			path++;
			continue;
		}
		while (path + used < end && path[used] != '/')
			used++;
		if (!S_ISDIR(node->mode))
			return -ENOTDIR;
		if (used > NAME_MAX)
			return -ENAMETOOLONG;
		node = child(node, path, used);
		if (!node)
			return -ENOENT;
		path += used;
	}
	*out = node;
	return 0;
}

/* The directory of the last name in `path`, and that name. */
static int find_parent(const char *path, struct node **directory, const char **name)
{
	const char *slash = strrchr(path, '/');
	int error = find(path, (size_t)(slash - path), directory);

	*name = slash + 1;
	if (error)
		return error;
	if (strlen(*name) > NAME_MAX)
		return -ENAMETOOLONG;
	return S_ISDIR((*directory)->mode) ? 0 : -ENOTDIR;
}

static void attach(struct node *node, struct node *directory, const char *name)
{
	memmove(node->name, name, strlen(name) + 1);
	node->parent = directory;
	node->next = directory->first;
	directory->first = node;
	directory->modified = directory->changed = now();
}

static void detach(struct node *node)
{
	struct node **link = &node->parent->first;

	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	node->parent->modified = node->parent->changed = now();
}

static void destroy(struct node *node)
{
	free(node->data);
	free(node);
}

static int add(const char *path, mode_t mode)
{
	struct node *directory, *node;
	const char *name;
	int error = find_parent(path, &directory, &name);

	if (error)
		return error;
	if (child(directory, name, strlen(name)))
		return -EEXIST;
	node = calloc(1, sizeof(*node));
	if (!node)
		return -ENOSPC;
	node->mode = mode;
	node->uid = fuse_get_context()->uid;
	node->gid = fuse_get_context()->gid;
	node->accessed = node->modified = node->changed = now();
	attach(node, directory, name);
	return 0;
}

static int resize(struct node *node, off_t size)
{
	char *data;

	if (size < 0 || size > FILE_MAX_BYTES)
		return -EFBIG;
	data = realloc(node->data, size ? (size_t)size : 1);
	if (!data)
		return -ENOSPC;
	node->data = data;
	if ((size_t)size > node->size)
		memset(data + node->size, 0, (size_t)size - node->size);
	node->size = (size_t)size;
	node->modified = node->changed = now();
	return 0;
}

/* ---- what libfuse calls: names ---- */

static int do_getattr(const char *path, struct stat *out, struct fuse_file_info *file)
{
	struct node *node;
	int error;

	(void)file;
	pthread_mutex_lock(&lock);
	error = find(path, strlen(path), &node);
	if (!error) {
		*out = (struct stat){.st_mode = node->mode,
				     .st_nlink = S_ISDIR(node->mode) ? 2 : 1,
				     .st_uid = node->uid,
				     .st_gid = node->gid,
				     .st_size = (off_t)node->size,
				     .st_blocks = (blkcnt_t)((node->size + 511) / 512),
				     .st_atim = node->accessed,
				     .st_mtim = node->modified,
				     .st_ctim = node->changed};
	}
	pthread_mutex_unlock(&lock);
	return error;
}

static int do_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
		      struct fuse_file_info *file, enum fuse_readdir_flags flags)
{
	struct node *directory;
	int error;

	(void)offset, (void)file, (void)flags;
	pthread_mutex_lock(&lock);
	error = find(path, strlen(path), &directory);
	if (!error) {
		fill(buffer, ".", NULL, 0, 0);
		fill(buffer, "..", NULL, 0, 0);
		for (struct node *node = directory->first; node; node = node->next)
			fill(buffer, node->name, NULL, 0, 0);
	}
	pthread_mutex_unlock(&lock);
	return error;
}

static int do_mkdir(const char *path, mode_t mode)
{
	int error;

	pthread_mutex_lock(&lock);
	error = add(path, S_IFDIR | (mode & 07777));
	pthread_mutex_unlock(&lock);
	return error;
}

static int do_create(const char *path, mode_t mode, struct fuse_file_info *file)
{
	int error;

	(void)file;
	pthread_mutex_lock(&lock);
	error = add(path, S_IFREG | (mode & 07777));
	pthread_mutex_unlock(&lock);
	return error;
}

/* Of a file, and of an empty directory: which of them it is was looked at before. What is open is
 * renamed by libfuse instead, until it is closed. */
static int do_remove(const char *path)
{
	struct node *node;
	int error;

	pthread_mutex_lock(&lock);
	error = find(path, strlen(path), &node);
	if (!error && node->first)
		error = -ENOTEMPTY;
	if (!error) {
		detach(node);
		destroy(node);
	}
	pthread_mutex_unlock(&lock);
	return error;
}

static int move(const char *from, const char *to, unsigned flags)
{
	struct node *node, *replaced, *directory;
	const char *name;
	int error = find(from, strlen(from), &node);

	if (!error)
		error = find_parent(to, &directory, &name);
	if (error)
		return error;
	replaced = child(directory, name, strlen(name));
	if (replaced && (flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (replaced && replaced->first)
		return -ENOTEMPTY;
	if (replaced) {
		detach(replaced);
		destroy(replaced);
	}
	detach(node);
	attach(node, directory, name);
	return 0;
}

static int do_rename(const char *from, const char *to, unsigned flags)
{
	int error;

	if (flags & ~RENAME_NOREPLACE)
		return -EINVAL;
	pthread_mutex_lock(&lock);
	error = move(from, to, flags);
	pthread_mutex_unlock(&lock);
	return error;
}

/* ---- attributes ---- */

static int do_chmod(const char *path, mode_t mode, struct fuse_file_info *file)
{
	struct node *node;
	int error;

	(void)file;
	pthread_mutex_lock(&lock);
	error = find(path, strlen(path), &node);
	if (!error) {
		node->mode = (node->mode & S_IFMT) | (mode & 07777);
		node->changed = now();
	}
	pthread_mutex_unlock(&lock);
	return error;
}

static int do_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *file)
{
	struct node *node;
	int error;

	(void)file;
	pthread_mutex_lock(&lock);
	error = find(path, strlen(path), &node);
	if (!error) {
		node->uid = uid == (uid_t)-1 ? node->uid : uid;
		node->gid = gid == (gid_t)-1 ? node->gid : gid;
		node->changed = now();
	}
	pthread_mutex_unlock(&lock);
	return error;
}

static void set_time(struct timespec *time, struct timespec wanted)
{
	if (wanted.tv_nsec == UTIME_NOW)
		*time = now();
	else if (wanted.tv_nsec != UTIME_OMIT)
		*time = wanted;
}

static int do_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *file)
{
	struct node *node;
	int error;

	(void)file;
	pthread_mutex_lock(&lock);
	error = find(path, strlen(path), &node);
	if (!error) {
		set_time(&node->accessed, times[0]);
		set_time(&node->modified, times[1]);
		node->changed = now();
	}
	pthread_mutex_unlock(&lock);
	return error;
}

/* ---- data ---- */

static int do_truncate(const char *path, off_t size, struct fuse_file_info *file)
{
	struct node *node;
	int error;

	(void)file;
	pthread_mutex_lock(&lock);
	error = find(path, strlen(path), &node);
	if (!error)
		error = resize(node, size);
	pthread_mutex_unlock(&lock);
	return error;
}

static int do_read(const char *path, char *out, size_t len, off_t offset,
		   struct fuse_file_info *file)
{
	struct node *node;
	int result;

	(void)file;
	pthread_mutex_lock(&lock);
	result = find(path, strlen(path), &node);
	if (!result && (size_t)offset < node->size) {
		if (len > node->size - (size_t)offset)
			len = node->size - (size_t)offset;
		memcpy(out, node->data + offset, len);
		result = (int)len;
	}
	pthread_mutex_unlock(&lock);
	return result;
}

static int do_write(const char *path, const char *data, size_t len, off_t offset,
		    struct fuse_file_info *file)
{
	struct node *node;
	int result;

	(void)file;
	pthread_mutex_lock(&lock);
	result = find(path, strlen(path), &node);
	if (!result && (size_t)offset + len > node->size)
		result = resize(node, offset + (off_t)len);
	if (!result) {
		memcpy(node->data + offset, data, len);
		node->modified = node->changed = now();
		result = (int)len;
	}
	pthread_mutex_unlock(&lock);
	return result;
}

/* ---- the end ---- */

static void do_destroy(void *argument)
{
	struct node *node = &root;

	(void)argument;
	/* Leaves first, without recursion: directories may be deep. */
	while (root.first) {
		struct node *parent;

		while (node->first)
			node = node->first;
		parent = node->parent;
		detach(node);
		destroy(node);
		node = parent;
	}
}

static const struct fuse_operations operations = {
	.destroy = do_destroy,
	.getattr = do_getattr,
	.readdir = do_readdir,
	.mkdir = do_mkdir,
	.create = do_create,
	.unlink = do_remove,
	.rmdir = do_remove,
	.rename = do_rename,
	.chmod = do_chmod,
	.chown = do_chown,
	.utimens = do_utimens,
	.truncate = do_truncate,
	.read = do_read,
	.write = do_write,
};

int main(int argc, char **argv)
{
	root.uid = getuid();
	root.gid = getgid();
	root.accessed = root.modified = root.changed = now();
	return fuse_main(argc, argv, &operations, NULL);
}
