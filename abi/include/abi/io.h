/*
 * What the calls on descriptors pass besides names and attributes (abi/fs.h): pieces of memory,
 * poll entries, record locks, statx, as Linux has them on x86-64.
 */
#ifndef ABI_IO_H
#define ABI_IO_H

#include <stdint.h>

#define IOV_MAX 1024

struct abi_iovec {
	uint64_t base; /* user address */
	uint64_t len_bytes;
};

struct abi_pollfd {
	int32_t fd;
	int16_t events;
	int16_t revents;
};

/* ioctl numbers that every descriptor knows */
#define FIONBIO  0x5421u
#define FIONCLEX 0x5450u
#define FIOCLEX  0x5451u

#define F_GETLK      5
#define F_SETLK      6
#define F_SETLKW     7
#define F_SETOWN     8
#define F_GETOWN     9
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032

#define AT_STATX_SYNC_TYPE 0x6000

#define STATX_BASIC_STATS 0x7ffu
#define STATX_RESERVED    0x80000000u

struct abi_statx_timestamp {
	int64_t seconds;
	uint32_t nanoseconds;
	int32_t reserved;
};

struct abi_statx {
	uint32_t mask;
	uint32_t block_bytes;
	uint64_t attributes;
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint16_t mode;
	uint16_t padding;
	uint64_t ino;
	uint64_t size_bytes;
	uint64_t blocks; /* of 512 bytes */
	uint64_t attributes_mask;
	struct abi_statx_timestamp atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mount_id;
	uint64_t spare[13];
};
_Static_assert(sizeof(struct abi_statx) == 256, "struct statx");

#endif
