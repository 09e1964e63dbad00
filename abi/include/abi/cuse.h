/*
 * Character devices as programs: what /dev/cuse has beside the protocol of abi/fuse.h. As Linux's
 * <linux/fuse.h>.
 */
#ifndef ABI_CUSE_H
#define ABI_CUSE_H

#include <stdint.h>

#define CUSE_INIT          4096 /* an opcode */
#define CUSE_INIT_INFO_MAX 4096

/* A flag of CUSE_INIT, both ways: its ioctls say where their memory is (FUSE_IOCTL_RETRY). */
#define CUSE_UNRESTRICTED_IOCTL (1u << 0)

#define CUSE_DEV_MAJOR 10
#define CUSE_DEV_MINOR 203

struct cuse_init_in {
	uint32_t major;
	uint32_t minor;
	uint32_t unused;
	uint32_t flags;
};

/* Followed by "DEVNAME=name" and perhaps more texts, each with its NUL. */
struct cuse_init_out {
	uint32_t major;
	uint32_t minor;
	uint32_t unused;
	uint32_t flags;
	uint32_t max_read;
	uint32_t max_write;
	uint32_t dev_major; /* 0: any */
	uint32_t dev_minor;
	uint32_t spare[10];
};

/* Of a program's memory. */
struct fuse_ioctl_iovec {
	uint64_t base;
	uint64_t len;
};

#define FUSE_IOCTL_MAX_IOV 256 /* both ways together */

#endif
