/*
 * memfs's side of libfuse: the operations, each of which answers its request.
 */
#ifndef MEMFS_FRONT_H
#define MEMFS_FRONT_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include "memfs.h"

extern const struct fuse_lowlevel_ops memfs_ops;

static inline struct memfs *memfs_of(fuse_req_t request)
{
	return fuse_req_userdata(request);
}

static inline struct node *node_of(fuse_req_t request, fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID ? memfs_of(request)->root : (struct node *)(uintptr_t)ino;
}

/* ---- locks.c ---- */

void do_getlk(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info, struct flock *lock);
void do_setlk(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info, struct flock *lock,
	      int sleep);
void do_flock(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info, int op);
/* All that an owner has: of fcntl's, or of flock's. Takes the lock. */
void locks_drop(struct memfs *memfs, struct node *node, uint64_t owner, bool is_flock);
/* Forgets who still waits: the end. */
void waiters_free(struct memfs *memfs);

/* ---- xattr.c ---- */

void do_setxattr(fuse_req_t request, fuse_ino_t ino, const char *name, const char *value,
		 size_t len_bytes, int flags);
void do_getxattr(fuse_req_t request, fuse_ino_t ino, const char *name, size_t room);
void do_listxattr(fuse_req_t request, fuse_ino_t ino, size_t room);
void do_removexattr(fuse_req_t request, fuse_ino_t ino, const char *name);

/* ---- files.c, directories.c: operations ---- */

void do_open(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info);
void do_read(fuse_req_t request, fuse_ino_t ino, size_t len_bytes, off_t offset,
	     struct fuse_file_info *info);
void do_write(fuse_req_t request, fuse_ino_t ino, const char *from, size_t len_bytes, off_t offset,
	      struct fuse_file_info *info);
void do_flush(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info);
void do_release(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info);
void do_fsync(fuse_req_t request, fuse_ino_t ino, int data_only, struct fuse_file_info *info);
void do_fallocate(fuse_req_t request, fuse_ino_t ino, int mode, off_t offset, off_t len_bytes,
		  struct fuse_file_info *info);
void do_lseek(fuse_req_t request, fuse_ino_t ino, off_t offset, int whence,
	      struct fuse_file_info *info);
void do_copy_file_range(fuse_req_t request, fuse_ino_t in, off_t in_offset,
			struct fuse_file_info *in_info, fuse_ino_t out, off_t out_offset,
			struct fuse_file_info *out_info, size_t len_bytes, int flags);
void do_readdir(fuse_req_t request, fuse_ino_t ino, size_t len_bytes, off_t offset,
		struct fuse_file_info *info);
void do_readdirplus(fuse_req_t request, fuse_ino_t ino, size_t len_bytes, off_t offset,
		    struct fuse_file_info *info);

/* What the kernel may keep, since all changes come through it. */
#define VALID_S 86400

void make_entry(const struct memfs *memfs, struct node *node, struct fuse_entry_param *out);

#endif
