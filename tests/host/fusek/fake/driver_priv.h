/*
 * The mock driver from inside: answering (driver.c), and the operations on files (driver_files.c).
 */
#ifndef FAKE_DRIVER_PRIV_H
#define FAKE_DRIVER_PRIV_H

#include "driver.h"

/* Answers `in`, or lies if that is to be. */
void mock_answer(const struct fuse_in_header *in, const void *payload, size_t len);
void mock_refuse(const struct fuse_in_header *in, int error);
/* The answer to `in` is to be this lie. */
bool mock_lies(const struct fuse_in_header *in, enum mock_lie lie);

void mock_do_setxattr(const struct fuse_in_header *in, const struct fuse_setxattr_in *set);
void mock_do_getxattr(const struct fuse_in_header *in, const struct fuse_getxattr_in *get);
void mock_do_listxattr(const struct fuse_in_header *in, const struct fuse_getxattr_in *get);
void mock_do_removexattr(const struct fuse_in_header *in);
void mock_do_fallocate(const struct fuse_in_header *in, const struct fuse_fallocate_in *allocate);
void mock_do_lseek(const struct fuse_in_header *in, const struct fuse_lseek_in *seek);
void mock_do_copy(const struct fuse_in_header *in, const struct fuse_copy_file_range_in *copy);
void mock_do_setlk(const struct fuse_in_header *in, const struct fuse_lk_in *lock);
void mock_do_getlk(const struct fuse_in_header *in, const struct fuse_lk_in *lock);
void mock_do_ioctl(const struct fuse_in_header *in, const struct fuse_ioctl_in *ioctl);
void mock_do_poll(const struct fuse_in_header *in, const struct fuse_poll_in *poll);
void mock_do_statx(const struct fuse_in_header *in);

#endif
