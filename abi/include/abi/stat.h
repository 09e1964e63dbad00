/*
 * What stat, statx, statfs and getdents64 fill in, as Linux has it on x86-64; the bits of st_mode.
 */
#ifndef ABI_STAT_H
#define ABI_STAT_H

#include <abi/time.h>
#include <stdint.h>

#define S_IFMT   0170000u
#define S_IFSOCK 0140000u
#define S_IFLNK  0120000u
#define S_IFREG  0100000u
#define S_IFBLK  0060000u
#define S_IFDIR  0040000u
#define S_IFCHR  0020000u
#define S_IFIFO  0010000u
#define S_ISUID  0004000u
#define S_ISGID  0002000u
#define S_ISVTX  0001000u

#define S_ISLNK(mode)  (((mode)&S_IFMT) == S_IFLNK)
#define S_ISREG(mode)  (((mode)&S_IFMT) == S_IFREG)
#define S_ISDIR(mode)  (((mode)&S_IFMT) == S_IFDIR)
#define S_ISCHR(mode)  (((mode)&S_IFMT) == S_IFCHR)
#define S_ISBLK(mode)  (((mode)&S_IFMT) == S_IFBLK)
#define S_ISFIFO(mode) (((mode)&S_IFMT) == S_IFIFO)
#define S_ISSOCK(mode) (((mode)&S_IFMT) == S_IFSOCK)

struct abi_stat {
	uint64_t st_dev;
	uint64_t st_ino;
	uint64_t st_nlink;
	uint32_t st_mode;
	uint32_t st_uid;
	uint32_t st_gid;
	uint32_t padding;
	uint64_t st_rdev;
	int64_t st_size;
	int64_t st_blksize;
	int64_t st_blocks; /* of 512 bytes */
	struct abi_timespec st_atim;
	struct abi_timespec st_mtim;
	struct abi_timespec st_ctim;
	int64_t unused[3];
};
_Static_assert(sizeof(struct abi_stat) == 144, "struct stat of x86-64");

#define STATX_TYPE        0x001u
#define STATX_MODE        0x002u
#define STATX_NLINK       0x004u
#define STATX_UID         0x008u
#define STATX_GID         0x010u
#define STATX_ATIME       0x020u
#define STATX_MTIME       0x040u
#define STATX_CTIME       0x080u
#define STATX_INO         0x100u
#define STATX_SIZE        0x200u
#define STATX_BLOCKS      0x400u
#define STATX_BASIC_STATS 0x7ffu
#define STATX_BTIME       0x800u
#define STATX_MNT_ID      0x1000u
#define STATX_RESERVED    0x80000000u

#define STATX_ATTR_MOUNT_ROOT 0x2000u

struct abi_statx_timestamp {
	int64_t tv_sec;
	uint32_t tv_nsec;
	int32_t reserved;
};

struct abi_statx {
	uint32_t stx_mask;
	uint32_t stx_blksize;
	uint64_t stx_attributes;
	uint32_t stx_nlink;
	uint32_t stx_uid;
	uint32_t stx_gid;
	uint16_t stx_mode;
	uint16_t padding;
	uint64_t stx_ino;
	uint64_t stx_size;
	uint64_t stx_blocks;
	uint64_t stx_attributes_mask;
	struct abi_statx_timestamp stx_atime, stx_btime, stx_ctime, stx_mtime;
	uint32_t stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor;
	uint64_t stx_mnt_id;
	uint64_t reserved[13];
};
_Static_assert(sizeof(struct abi_statx) == 256, "struct statx");

struct abi_statfs {
	int64_t f_type;
	int64_t f_bsize;
	uint64_t f_blocks, f_bfree, f_bavail;
	uint64_t f_files, f_ffree;
	int32_t f_fsid[2];
	int64_t f_namelen;
	int64_t f_frsize;
	int64_t f_flags;
	int64_t unused[4];
};
_Static_assert(sizeof(struct abi_statfs) == 120, "struct statfs of x86-64");

#define ST_RDONLY      1
#define ST_NOSUID      2
#define ST_NODEV       4
#define ST_NOEXEC      8
#define ST_VALID       0x20
#define ST_NOATIME     0x400
#define ST_NODIRATIME  0x800
#define ST_RELATIME    0x1000
#define ST_NOSYMFOLLOW 0x2000

#define EXT2_SUPER_MAGIC  0xef53
#define TMPFS_MAGIC       0x01021994
#define DEVFS_SUPER_MAGIC 0x1373

#define DT_UNKNOWN 0
#define DT_FIFO    1
#define DT_CHR     2
#define DT_DIR     4
#define DT_BLK     6
#define DT_REG     8
#define DT_LNK     10
#define DT_SOCK    12

struct abi_dirent64 {
	uint64_t d_ino;
	int64_t d_off;     /* cookie for lseek: where the next entry is */
	uint16_t d_reclen; /* a multiple of 8 */
	uint8_t d_type;
	char d_name[]; /* ends with a NUL */
};
#define ABI_DIRENT64_NAME_OFFSET 19
/* getdents has records of the same length without d_type before the name: it is the last byte. */
#define ABI_DIRENT_NAME_OFFSET 18

/* Device numbers as struct stat has them (glibc's makedev). */
static inline uint64_t abi_makedev(uint32_t major, uint32_t minor)
{
	return ((uint64_t)(major & 0xfff) << 8) | ((uint64_t)(major & ~0xfffu) << 32) |
	       (minor & 0xff) | ((uint64_t)(minor & ~0xffu) << 12);
}

static inline uint32_t abi_major(uint64_t dev)
{
	return (uint32_t)((dev >> 8) & 0xfff) | (uint32_t)((dev >> 32) & ~0xfffu);
}

static inline uint32_t abi_minor(uint64_t dev)
{
	return (uint32_t)(dev & 0xff) | (uint32_t)((dev >> 12) & ~0xffu);
}

#endif
