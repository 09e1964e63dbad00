/*
 * Reading directories: "." and ".." first, then the names behind the last one's cookie.
 */
#include "front.h"

#include <errno.h>
#include <stdlib.h>

/* Cookies of names begin behind these. */
#define COOKIE_DOT    1
#define COOKIE_DOTDOT 2

struct filling {
	fuse_req_t request;
	char *buffer;
	size_t used, room;
	bool is_plus; /* with attributes, and a look-up of each name */
};

/* False: there is no room for it. */
static bool add(struct filling *filling, const char *text, struct node *node, uint64_t cookie,
		bool is_dots)
{
	size_t left = filling->room - filling->used, needed;
	char *at = filling->buffer + filling->used;
	struct fuse_entry_param entry;

	make_entry(memfs_of(filling->request), node, &entry);
	if (is_dots)
		entry.ino = 0; /* the kernel does not look these up */
	needed = filling->is_plus ? fuse_add_direntry_plus(filling->request, at, left, text, &entry,
							   (off_t)cookie)
				  : fuse_add_direntry(filling->request, at, left, text, &entry.attr,
						      (off_t)cookie);
	if (needed > left)
		return false;
	if (filling->is_plus && !is_dots)
		node->nlookups++;
	filling->used += needed;
	return true;
}

static void fill(struct memfs *memfs, struct node *directory, uint64_t cookie,
		 struct filling *filling)
{
	if (cookie < COOKIE_DOT && !add(filling, ".", directory, COOKIE_DOT, true))
		return;
	if (cookie < COOKIE_DOTDOT && !add(filling, "..", directory->parent, COOKIE_DOTDOT, true))
		return;
	if (cookie <= COOKIE_DOTDOT)
		cookie = 0;
	for (struct name *name = name_behind(memfs, directory, cookie); name; name = name->next) {
		if (!add(filling, name->text, name->node, name->cookie, false))
			return;
	}
}

static void read_directory(fuse_req_t request, fuse_ino_t ino, size_t len_bytes, off_t offset,
			   bool is_plus)
{
	struct memfs *memfs = memfs_of(request);
	struct filling filling = {.request = request, .room = len_bytes, .is_plus = is_plus};

	filling.buffer = malloc(len_bytes ? len_bytes : 1);
	if (!filling.buffer) {
		fuse_reply_err(request, ENOMEM);
		return;
	}
	node_accessed(node_of(request, ino));
	pthread_mutex_lock(&memfs->lock);
	fill(memfs, node_of(request, ino), (uint64_t)offset, &filling);
	/* Under the lock: a FORGET of what is answered may come as soon as the kernel has it. */
	fuse_reply_buf(request, filling.buffer, filling.used);
	pthread_mutex_unlock(&memfs->lock);
	free(filling.buffer);
}

void do_readdir(fuse_req_t request, fuse_ino_t ino, size_t len_bytes, off_t offset,
		struct fuse_file_info *info)
{
	(void)info;
	read_directory(request, ino, len_bytes, offset, false);
}

void do_readdirplus(fuse_req_t request, fuse_ino_t ino, size_t len_bytes, off_t offset,
		    struct fuse_file_info *info)
{
	(void)info;
	read_directory(request, ino, len_bytes, offset, true);
}
