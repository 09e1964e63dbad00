/*
 * In the place of libfuse's header: what memfs's locks need of it. A request is what the test makes
 * of it.
 */
#ifndef FAKE_FUSE_LOWLEVEL_H
#define FAKE_FUSE_LOWLEVEL_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/types.h>

#define FUSE_ROOT_ID 1

typedef struct fuse_req *fuse_req_t;
typedef uint64_t fuse_ino_t;
typedef void (*fuse_interrupt_func_t)(fuse_req_t request, void *data);

struct fuse_file_info {
	uint64_t lock_owner;
};

struct fuse_lowlevel_ops;
struct fuse_entry_param;

void *fuse_req_userdata(fuse_req_t request);
int fuse_reply_err(fuse_req_t request, int err);
int fuse_reply_lock(fuse_req_t request, const struct flock *lock);
void fuse_req_interrupt_func(fuse_req_t request, fuse_interrupt_func_t function, void *data);

#endif
