/*
 * The FUSE wire protocol as both sides of /dev/fuse speak it: numbers, flags and structures of
 * Linux's <linux/fuse.h>, little-endian, 8-byte aligned. tests/host/fusek/proto.c compares them
 * with that header. What each request means stands in docs/fuse-protocol.md.
 */
#ifndef ABI_FUSE_H
#define ABI_FUSE_H

#include <stdint.h>

#define FUSE_MAJOR 7
#define FUSE_MINOR 45 /* what we speak; what counts is the smaller of both sides' */

enum fuse_opcode {
	FUSE_LOOKUP = 1,
	FUSE_FORGET = 2,
	FUSE_GETATTR = 3,
	FUSE_SETATTR = 4,
	FUSE_READLINK = 5,
	FUSE_SYMLINK = 6,
	FUSE_MKNOD = 8,
	FUSE_MKDIR = 9,
	FUSE_UNLINK = 10,
	FUSE_RMDIR = 11,
	FUSE_RENAME = 12,
	FUSE_LINK = 13,
	FUSE_OPEN = 14,
	FUSE_READ = 15,
	FUSE_WRITE = 16,
	FUSE_STATFS = 17,
	FUSE_RELEASE = 18,
	FUSE_FSYNC = 20,
	FUSE_SETXATTR = 21,
	FUSE_GETXATTR = 22,
	FUSE_LISTXATTR = 23,
	FUSE_REMOVEXATTR = 24,
	FUSE_FLUSH = 25,
	FUSE_INIT = 26,
	FUSE_OPENDIR = 27,
	FUSE_READDIR = 28,
	FUSE_RELEASEDIR = 29,
	FUSE_FSYNCDIR = 30,
	FUSE_GETLK = 31,
	FUSE_SETLK = 32,
	FUSE_SETLKW = 33,
	FUSE_ACCESS = 34,
	FUSE_CREATE = 35,
	FUSE_INTERRUPT = 36,
	FUSE_BMAP = 37,
	FUSE_DESTROY = 38,
	FUSE_IOCTL = 39,
	FUSE_POLL = 40,
	FUSE_NOTIFY_REPLY = 41,
	FUSE_BATCH_FORGET = 42,
	FUSE_FALLOCATE = 43,
	FUSE_READDIRPLUS = 44,
	FUSE_RENAME2 = 45,
	FUSE_LSEEK = 46,
	FUSE_COPY_FILE_RANGE = 47,
	FUSE_TMPFILE = 51,
	FUSE_STATX = 52,
	FUSE_COPY_FILE_RANGE_64 = 53,
};

/* INIT's flags; those above bit 31 travel in flags2. */
#define FUSE_ASYNC_READ         (UINT64_C(1) << 0)
#define FUSE_POSIX_LOCKS        (UINT64_C(1) << 1)
#define FUSE_ATOMIC_O_TRUNC     (UINT64_C(1) << 3)
#define FUSE_EXPORT_SUPPORT     (UINT64_C(1) << 4)
#define FUSE_BIG_WRITES         (UINT64_C(1) << 5)
#define FUSE_DONT_MASK          (UINT64_C(1) << 6)
#define FUSE_SPLICE_WRITE       (UINT64_C(1) << 7)
#define FUSE_SPLICE_MOVE        (UINT64_C(1) << 8)
#define FUSE_SPLICE_READ        (UINT64_C(1) << 9)
#define FUSE_FLOCK_LOCKS        (UINT64_C(1) << 10)
#define FUSE_HAS_IOCTL_DIR      (UINT64_C(1) << 11)
#define FUSE_AUTO_INVAL_DATA    (UINT64_C(1) << 12)
#define FUSE_DO_READDIRPLUS     (UINT64_C(1) << 13)
#define FUSE_READDIRPLUS_AUTO   (UINT64_C(1) << 14)
#define FUSE_ASYNC_DIO          (UINT64_C(1) << 15)
#define FUSE_WRITEBACK_CACHE    (UINT64_C(1) << 16)
#define FUSE_NO_OPEN_SUPPORT    (UINT64_C(1) << 17)
#define FUSE_PARALLEL_DIROPS    (UINT64_C(1) << 18)
#define FUSE_HANDLE_KILLPRIV    (UINT64_C(1) << 19)
#define FUSE_POSIX_ACL          (UINT64_C(1) << 20)
#define FUSE_ABORT_ERROR        (UINT64_C(1) << 21)
#define FUSE_MAX_PAGES          (UINT64_C(1) << 22)
#define FUSE_CACHE_SYMLINKS     (UINT64_C(1) << 23)
#define FUSE_NO_OPENDIR_SUPPORT (UINT64_C(1) << 24)
#define FUSE_EXPLICIT_INVAL     (UINT64_C(1) << 25) /* Linux: FUSE_EXPLICIT_INVAL_DATA */
#define FUSE_KILLPRIV_V2        (UINT64_C(1) << 28) /* Linux: FUSE_HANDLE_KILLPRIV_V2 */
#define FUSE_SETXATTR_EXT       (UINT64_C(1) << 29)
#define FUSE_INIT_EXT           (UINT64_C(1) << 30)
#define FUSE_HAS_EXPIRE_ONLY    (UINT64_C(1) << 35)
#define FUSE_DIRECT_IO_MMAP     (UINT64_C(1) << 36) /* Linux: FUSE_DIRECT_IO_ALLOW_MMAP */
#define FUSE_PASSTHROUGH        (UINT64_C(1) << 37)
#define FUSE_NO_EXPORT_SUPPORT  (UINT64_C(1) << 38)
#define FUSE_HAS_RESEND         (UINT64_C(1) << 39)
#define FUSE_REQUEST_TIMEOUT    (UINT64_C(1) << 42)

/* In the `unique` of a request that is sent again. */
#define FUSE_UNIQUE_RESEND (UINT64_C(1) << 63)

struct fuse_in_header {
	uint32_t len;
	uint32_t opcode;
	uint64_t unique;
	uint64_t nodeid;
	uint32_t uid;
	uint32_t gid;
	uint32_t pid;
	uint16_t total_extlen;
	uint16_t padding;
};

struct fuse_out_header {
	uint32_t len;
	int32_t error;
	uint64_t unique;
};

struct fuse_attr {
	uint64_t ino;
	uint64_t size;
	uint64_t blocks;
	uint64_t atime;
	uint64_t mtime;
	uint64_t ctime;
	uint32_t atimensec;
	uint32_t mtimensec;
	uint32_t ctimensec;
	uint32_t mode;
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint32_t rdev;
	uint32_t blksize; /* since minor 9 */
	uint32_t flags;
};

struct fuse_entry_out {
	uint64_t nodeid;
	uint64_t generation;
	uint64_t entry_valid;
	uint64_t attr_valid;
	uint32_t entry_valid_nsec;
	uint32_t attr_valid_nsec;
	struct fuse_attr attr;
};

struct fuse_attr_out {
	uint64_t attr_valid;
	uint32_t attr_valid_nsec;
	uint32_t dummy;
	struct fuse_attr attr;
};

/* What drivers below minor 9 send, whose fuse_attr ends before blksize. */
#define FUSE_COMPAT_ENTRY_OUT_SIZE 120
#define FUSE_COMPAT_ATTR_OUT_SIZE  96

struct fuse_init_in {
	uint32_t major;
	uint32_t minor;
	uint32_t max_readahead;
	uint32_t flags;
	uint32_t flags2;
	uint32_t unused[11];
};

struct fuse_init_out {
	uint32_t major;
	uint32_t minor;
	uint32_t max_readahead;
	uint32_t flags;
	uint16_t max_background;
	uint16_t congestion_threshold;
	uint32_t max_write;
	uint32_t time_gran;
	uint16_t max_pages;
	uint16_t map_alignment;
	uint32_t flags2;
	uint32_t max_stack_depth;
	uint16_t request_timeout; /* seconds */
	uint16_t unused[11];
};

#define FUSE_COMPAT_INIT_OUT_SIZE    8  /* below minor 5 */
#define FUSE_COMPAT_22_INIT_OUT_SIZE 24 /* minor 5 to 22 */

struct fuse_forget_in {
	uint64_t nlookup;
};

struct fuse_forget_one {
	uint64_t nodeid;
	uint64_t nlookup;
};

struct fuse_batch_forget_in {
	uint32_t count;
	uint32_t dummy;
};

#define FUSE_GETATTR_FH (1u << 0)

struct fuse_getattr_in {
	uint32_t getattr_flags;
	uint32_t dummy;
	uint64_t fh;
};

#define FATTR_FH        (1u << 6)
#define FATTR_LOCKOWNER (1u << 9)
#define FATTR_KILL_IDS  (1u << 11) /* Linux: FATTR_KILL_SUIDGID */

struct fuse_setattr_in {
	uint32_t valid;
	uint32_t padding;
	uint64_t fh;
	uint64_t size;
	uint64_t lock_owner;
	uint64_t atime;
	uint64_t mtime;
	uint64_t ctime;
	uint32_t atimensec;
	uint32_t mtimensec;
	uint32_t ctimensec;
	uint32_t mode;
	uint32_t unused4;
	uint32_t uid;
	uint32_t gid;
	uint32_t unused5;
};

struct fuse_mknod_in {
	uint32_t mode;
	uint32_t rdev;
	uint32_t umask; /* since minor 12 */
	uint32_t padding;
};

#define FUSE_COMPAT_MKNOD_IN_SIZE 8

struct fuse_mkdir_in {
	uint32_t mode;
	uint32_t umask;
};

struct fuse_rename_in {
	uint64_t newdir;
};

struct fuse_rename2_in {
	uint64_t newdir;
	uint32_t flags;
	uint32_t padding;
};

struct fuse_link_in {
	uint64_t oldnodeid;
};

/* In open_flags, of OPEN and CREATE. */
#define FUSE_OPEN_KILL_IDS (1u << 0) /* Linux: FUSE_OPEN_KILL_SUIDGID */

struct fuse_open_in {
	uint32_t flags;
	uint32_t open_flags;
};

struct fuse_create_in {
	uint32_t flags;
	uint32_t mode;
	uint32_t umask;
	uint32_t open_flags;
};

#define FOPEN_DIRECT_IO   (1u << 0)
#define FOPEN_KEEP_CACHE  (1u << 1)
#define FOPEN_NONSEEKABLE (1u << 2)
#define FOPEN_STREAM      (1u << 4)
#define FOPEN_NOFLUSH     (1u << 5)
#define FOPEN_PARALLEL    (1u << 6) /* Linux: FOPEN_PARALLEL_DIRECT_WRITES */
#define FOPEN_PASSTHROUGH (1u << 7)

struct fuse_open_out {
	uint64_t fh;
	uint32_t open_flags;
	uint32_t backing_id; /* FOPEN_PASSTHROUGH */
};

#define FUSE_RELEASE_FLOCK_UNLOCK (1u << 1)

struct fuse_release_in {
	uint64_t fh;
	uint32_t flags;
	uint32_t release_flags;
	uint64_t lock_owner;
};

struct fuse_flush_in {
	uint64_t fh;
	uint32_t unused;
	uint32_t padding;
	uint64_t lock_owner;
};

struct fuse_read_in {
	uint64_t fh;
	uint64_t offset;
	uint32_t size;
	uint32_t read_flags;
	uint64_t lock_owner;
	uint32_t flags;
	uint32_t padding;
};

struct fuse_write_in {
	uint64_t fh;
	uint64_t offset;
	uint32_t size;
	uint32_t write_flags;
	uint64_t lock_owner;
	uint32_t flags;
	uint32_t padding;
};

/* In write_flags: of what was changed in the page cache, by whatever open file. */
#define FUSE_WRITE_CACHE (1u << 0)
/* The set-id bits go, as the writer may not keep them. Linux: FUSE_WRITE_KILL_SUIDGID. */
#define FUSE_WRITE_KILL_IDS (1u << 2)

/* READ's and WRITE's arguments below minor 9 end here. */
#define FUSE_COMPAT_READ_WRITE_IN_SIZE 24

struct fuse_write_out {
	uint32_t size;
	uint32_t padding;
};

struct fuse_kstatfs {
	uint64_t blocks;
	uint64_t bfree;
	uint64_t bavail;
	uint64_t files;
	uint64_t ffree;
	uint32_t bsize;
	uint32_t namelen;
	uint32_t frsize;
	uint32_t padding;
	uint32_t spare[6];
};

#define FUSE_COMPAT_STATFS_SIZE 48 /* below minor 4 */

struct fuse_fsync_in {
	uint64_t fh;
	uint32_t fsync_flags;
	uint32_t padding;
};

struct fuse_setxattr_in {
	uint32_t size;
	uint32_t flags;
	uint32_t setxattr_flags; /* this and what follows: only with FUSE_SETXATTR_EXT */
	uint32_t padding;
};

#define FUSE_COMPAT_SETXATTR_IN_SIZE 8

/* In setxattr_flags: of an access control list, whose setter may not keep S_ISGID. */
#define FUSE_SETXATTR_ACL_KILL_SGID (1u << 0)

/* GETXATTR, LISTXATTR; 0 asks for the size. */
struct fuse_getxattr_in {
	uint32_t size;
	uint32_t padding;
};

struct fuse_getxattr_out {
	uint32_t size;
	uint32_t padding;
};

struct fuse_fallocate_in {
	uint64_t fh;
	uint64_t offset;
	uint64_t length;
	uint32_t mode;
	uint32_t padding;
};

struct fuse_lseek_in {
	uint64_t fh;
	uint64_t offset;
	uint32_t whence;
	uint32_t padding;
};

struct fuse_lseek_out {
	uint64_t offset;
};

struct fuse_copy_file_range_in {
	uint64_t fh_in;
	uint64_t off_in;
	uint64_t nodeid_out;
	uint64_t fh_out;
	uint64_t off_out;
	uint64_t len;
	uint64_t flags;
};

struct fuse_copy_file_range_out {
	uint64_t bytes_copied;
};

struct fuse_bmap_in {
	uint64_t block;
	uint32_t blocksize;
	uint32_t padding;
};

struct fuse_bmap_out {
	uint64_t block;
};

struct fuse_access_in {
	uint32_t mask;
	uint32_t padding;
};

struct fuse_interrupt_in {
	uint64_t unique;
};

struct fuse_dirent {
	uint64_t ino;
	uint64_t off;
	uint32_t namelen;
	uint32_t type;
	char name[]; /* not terminated; the next record begins at a multiple of 8 */
};

struct fuse_direntplus {
	struct fuse_entry_out entry_out;
	struct fuse_dirent dirent;
};

#define FUSE_NAME_OFFSET 24
#define FUSE_NAME_MAX    1024

struct fuse_file_lock {
	uint64_t start;
	uint64_t end; /* in it */
	uint32_t type;
	uint32_t pid;
};

#define FUSE_LK_FLOCK (1u << 0)

struct fuse_lk_in {
	uint64_t fh;
	uint64_t owner;
	struct fuse_file_lock lk;
	uint32_t lk_flags;
	uint32_t padding;
};

struct fuse_lk_out {
	struct fuse_file_lock lk;
};

#define FUSE_POLL_SCHEDULE_NOTIFY (1u << 0)

struct fuse_poll_in {
	uint64_t fh;
	uint64_t kh;
	uint32_t flags;
	uint32_t events;
};

struct fuse_poll_out {
	uint32_t revents;
	uint32_t padding;
};

struct fuse_statx_in {
	uint32_t getattr_flags;
	uint32_t reserved;
	uint64_t fh;
	uint32_t sx_flags;
	uint32_t sx_mask;
};

struct fuse_sx_time {
	int64_t tv_sec;
	uint32_t tv_nsec;
	int32_t reserved;
};

struct fuse_statx {
	uint32_t mask;
	uint32_t blksize;
	uint64_t attributes;
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint16_t mode;
	uint16_t spare0[1];
	uint64_t ino;
	uint64_t size;
	uint64_t blocks;
	uint64_t attributes_mask;
	struct fuse_sx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t spare2[14];
};

struct fuse_statx_out {
	uint64_t attr_valid;
	uint32_t attr_valid_nsec;
	uint32_t flags;
	uint64_t spare[2];
	struct fuse_statx stat;
};
/* Newer than the header that the rest is compared with. */
_Static_assert(sizeof(struct fuse_statx) == 256 && sizeof(struct fuse_statx_out) == 288,
	       "as Linux 6.6 has them");

#define FUSE_IOCTL_UNRESTRICTED (1u << 1)
#define FUSE_IOCTL_RETRY        (1u << 2)
#define FUSE_IOCTL_DIR          (1u << 4)

struct fuse_ioctl_in {
	uint64_t fh;
	uint32_t flags;
	uint32_t cmd;
	uint64_t arg;
	uint32_t in_size;
	uint32_t out_size;
};

struct fuse_ioctl_out {
	int32_t result;
	uint32_t flags;
	uint32_t in_iovs;
	uint32_t out_iovs;
};

#define FUSE_DEV_MAJOR     10
#define FUSE_DEV_MINOR     229
#define FUSE_DEV_IOC_CLONE 0x8004e500u
/* The argument is a struct fuse_backing_map, the result an id; and an id, uint32_t. */
#define FUSE_DEV_IOC_BACKING_OPEN  0x4010e501u
#define FUSE_DEV_IOC_BACKING_CLOSE 0x4004e502u

struct fuse_backing_map {
	int32_t fd;
	uint32_t flags; /* 0 */
	uint64_t padding;
};

/* A driver's buffer for read() must hold this, or its max_write and the largest head. */
#define FUSE_MIN_READ_BUFFER 8192

#endif
