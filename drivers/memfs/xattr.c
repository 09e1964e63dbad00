/*
 * Extended attributes: a list of a node, in the order in which they were made.
 */
#include "front.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#define VALUE_BYTES_MAX 65536
#define ALL_BYTES_MAX   (1024 * 1024) /* of a node's, names and values */

/* The kernel asks who may; which there are is ours. Others, as those of ACLs, would have a meaning.
 */
static bool is_served(const char *name)
{
	static const char *const kinds[] = {"user.", "trusted.", "security."};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strncmp(name, kinds[i], strlen(kinds[i])) && name[strlen(kinds[i])])
			return true;
	}
	return false;
}

/* Where the pointer to it is, or would be. */
static struct xattr **find(struct node *node, const char *name)
{
	struct xattr **at = &node->xattrs;

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static size_t all_bytes(const struct node *node)
{
	size_t all = 0;

	for (const struct xattr *xattr = node->xattrs; xattr; xattr = xattr->next)
		all += sizeof(*xattr) + strlen(xattr->name) + xattr->len_bytes;
	return all;
}

static struct xattr *xattr_new(const char *name)
{
	size_t name_bytes = strlen(name) + 1;
	struct xattr *xattr = calloc(1, sizeof(*xattr) + name_bytes);

	if (xattr)
		memcpy(xattr->name, name, name_bytes);
	return xattr;
}

static int set(struct node *node, const char *name, const char *value, size_t len_bytes, int flags)
{
	struct xattr **at = find(node, name);
	char *copy;

	if (*at && flags & XATTR_CREATE)
		return -EEXIST;
	if (!*at && flags & XATTR_REPLACE)
		return -ENODATA;
	if (all_bytes(node) - (*at ? (*at)->len_bytes : 0) + strlen(name) + len_bytes >
	    ALL_BYTES_MAX)
		return -ENOSPC;
	copy = malloc(len_bytes ? len_bytes : 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, value, len_bytes);
	if (!*at)
		*at = xattr_new(name);
	if (!*at) {
		free(copy);
		return -ENOMEM;
	}
	free((*at)->value);
	(*at)->value = copy;
	(*at)->len_bytes = len_bytes;
	node->ctime = time_now();
	return 0;
}

void do_setxattr(fuse_req_t request, fuse_ino_t ino, const char *name, const char *value,
		 size_t len_bytes, int flags)
{
	struct node *node = node_of(request, ino);
	int err = len_bytes > VALUE_BYTES_MAX ? -E2BIG : 0;

	if (!is_served(name))
		err = -EOPNOTSUPP;
	if (!err) {
		pthread_rwlock_wrlock(&node->lock);
		err = set(node, name, value, len_bytes, flags);
		pthread_rwlock_unlock(&node->lock);
	}
	fuse_reply_err(request, -err);
}

/* The answer to who wants `room` bytes of it, 0 for its length alone. */
static void answer(fuse_req_t request, const char *bytes, size_t len_bytes, size_t room)
{
	if (!room)
		fuse_reply_xattr(request, len_bytes);
	else if (len_bytes > room)
		fuse_reply_err(request, ERANGE);
	else
		fuse_reply_buf(request, bytes, len_bytes);
}

/* What is answered is copied first: once it is out, the node may be freed by other threads. */
void do_getxattr(fuse_req_t request, fuse_ino_t ino, const char *name, size_t room)
{
	struct node *node = node_of(request, ino);
	const struct xattr *xattr;
	size_t len_bytes = 0;
	char *copy = NULL;
	int err = is_served(name) ? ENODATA : EOPNOTSUPP;

	pthread_rwlock_rdlock(&node->lock);
	xattr = *find(node, name);
	if (xattr) {
		len_bytes = xattr->len_bytes;
		copy = malloc(len_bytes ? len_bytes : 1);
		err = ENOMEM;
	}
	if (copy)
		memcpy(copy, xattr->value, len_bytes);
	pthread_rwlock_unlock(&node->lock);
	if (copy)
		answer(request, copy, len_bytes, room);
	else
		fuse_reply_err(request, err);
	free(copy);
}

void do_listxattr(fuse_req_t request, fuse_ino_t ino, size_t room)
{
	struct node *node = node_of(request, ino);
	size_t used = 0;
	char *names;

	pthread_rwlock_rdlock(&node->lock);
	names = malloc(all_bytes(node) + 1);
	for (struct xattr *xattr = node->xattrs; names && xattr; xattr = xattr->next) {
		memcpy(names + used, xattr->name, strlen(xattr->name) + 1);
		used += strlen(xattr->name) + 1;
	}
	pthread_rwlock_unlock(&node->lock);
	if (names)
		answer(request, names, used, room);
	else
		fuse_reply_err(request, ENOMEM);
	free(names);
}

static void xattr_free(struct xattr *xattr)
{
	free(xattr->value);
	free(xattr);
}

void do_removexattr(fuse_req_t request, fuse_ino_t ino, const char *name)
{
	struct node *node = node_of(request, ino);
	struct xattr **at, *xattr;

	pthread_rwlock_wrlock(&node->lock);
	at = find(node, name);
	xattr = *at;
	if (xattr) {
		*at = xattr->next;
		node->ctime = time_now();
	}
	pthread_rwlock_unlock(&node->lock);
	fuse_reply_err(request, xattr ? 0 : is_served(name) ? ENODATA : EOPNOTSUPP);
	if (xattr)
		xattr_free(xattr);
}

void xattrs_free(struct node *node)
{
	while (node->xattrs) {
		struct xattr *xattr = node->xattrs;

		node->xattrs = xattr->next;
		xattr_free(xattr);
	}
}
