/*
 * fatfs's side of libfuse: its options, and its table of operations.
 */
#ifndef FATFS_FRONT_H
#define FATFS_FRONT_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include "node.h"

/* What all requests are served with: the session's userdata. */
struct front {
	struct volume volume;
	uid_t uid; /* of all files */
	gid_t gid;
	mode_t file_mask, directory_mask;
};

extern const struct fuse_lowlevel_ops front_ops;

/* Of front_ops, in front_files.c. */
void front_open(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info);
void front_release(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info);
void front_read(fuse_req_t request, fuse_ino_t ino, size_t len_bytes, off_t offset,
		struct fuse_file_info *info);
void front_write(fuse_req_t request, fuse_ino_t ino, const char *from, size_t len_bytes,
		 off_t offset, struct fuse_file_info *info);
void front_fallocate(fuse_req_t request, fuse_ino_t ino, int mode, off_t offset, off_t len_bytes,
		     struct fuse_file_info *info);
void front_flush(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info);
void front_fsync(fuse_req_t request, fuse_ino_t ino, int data_only, struct fuse_file_info *info);
void front_opendir(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info);
void front_readdir(fuse_req_t request, fuse_ino_t ino, size_t len_bytes, off_t offset,
		   struct fuse_file_info *info);

static inline struct front *front_of(fuse_req_t request)
{
	return fuse_req_userdata(request);
}

/* The protocol's number of a node is its address; the root's is 1. */
static inline struct node *front_node(struct front *front, fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID ? front->volume.root : (struct node *)(uintptr_t)ino;
}

static inline void front_answer(fuse_req_t request, int err)
{
	fuse_reply_err(request, -err);
}

#endif
