/*
 * Nodes: files of all types. A node lives while it has a name or the kernel knows it.
 */
#include "memfs.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

struct timespec time_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now;
}

struct node *node_new(struct memfs *memfs, mode_t mode, dev_t rdev, uid_t uid, gid_t gid, int *err)
{
	struct node *node;

	*err = -ENOSPC;
	if (!quota_take(&memfs->inodes))
		return NULL;
	*err = -ENOMEM;
	node = calloc(1, sizeof(*node));
	if (!node || pthread_rwlock_init(&node->lock, NULL)) {
		free(node);
		quota_give(&memfs->inodes, 1);
		return NULL;
	}
	node->ino = memfs->next_ino++;
	node->type = mode & S_IFMT;
	node->mode = mode;
	node->rdev = rdev;
	node->uid = uid;
	node->gid = gid;
	node->atime = node->mtime = node->ctime = time_now();
	node->nlookups = 1;
	node->parent = node;
	node->next_node = memfs->nodes;
	if (memfs->nodes)
		memfs->nodes->previous_node = node;
	memfs->nodes = node;
	*err = 0;
	return node;
}

void node_free(struct memfs *memfs, struct node *node)
{
	if (node->previous_node)
		node->previous_node->next_node = node->next_node;
	else
		memfs->nodes = node->next_node;
	if (node->next_node)
		node->next_node->previous_node = node->previous_node;
	pages_drop(&node->pages, &memfs->pages, 0, PAGE_NONE);
	xattrs_free(node);
	locks_free(memfs, node);
	pthread_rwlock_destroy(&node->lock);
	free(node->target);
	free(node);
	quota_give(&memfs->inodes, 1);
}

void node_free_if_unused(struct memfs *memfs, struct node *node)
{
	if (!node->nlookups && !node->nlinks && node != memfs->root)
		node_free(memfs, node);
}

void node_forget(struct memfs *memfs, struct node *node, uint64_t nlookups)
{
	node->nlookups -= nlookups;
	node_free_if_unused(memfs, node);
}

void node_stat(struct node *node, struct stat *out)
{
	pthread_rwlock_rdlock(&node->lock);
	*out = (struct stat){.st_ino = node->ino,
			     .st_mode = node->mode,
			     .st_nlink = node->nlinks,
			     .st_uid = node->uid,
			     .st_gid = node->gid,
			     .st_rdev = node->rdev,
			     .st_size = (off_t)node->size_bytes,
			     .st_blksize = PAGE_BYTES,
			     .st_blocks = (blkcnt_t)(node->pages.n * (PAGE_BYTES / 512)),
			     .st_atim = node->atime,
			     .st_mtim = node->mtime,
			     .st_ctim = node->ctime};
	pthread_rwlock_unlock(&node->lock);
}

void node_touch(struct node *node, bool modified, bool changed)
{
	struct timespec now = time_now();

	pthread_rwlock_wrlock(&node->lock);
	if (modified)
		node->mtime = now;
	if (changed)
		node->ctime = now;
	pthread_rwlock_unlock(&node->lock);
}

/* As with relatime: when it was not read since it was changed, or for a day. */
void node_accessed(struct node *node)
{
	struct timespec now = time_now();

	pthread_rwlock_wrlock(&node->lock);
	if (node->atime.tv_sec <= node->mtime.tv_sec || node->atime.tv_sec <= node->ctime.tv_sec ||
	    node->atime.tv_sec + 86400 <= now.tv_sec)
		node->atime = now;
	pthread_rwlock_unlock(&node->lock);
}
